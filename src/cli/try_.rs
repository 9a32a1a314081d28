//! `ci try`: what a comment would do, for real, on this machine. The local pull request's head is what stands here.

use serde_json::json;

use super::args::Global;
use super::board::Dashboard;
use super::explain::PersonaArgs;
use super::handle::{self, Asked, Options};
use super::session::{Session, person};
use super::stop::Stop;
use super::{ExitStatus, console, ended};
use crate::decide;
use crate::forge::git::Repository;
use crate::forge::local::{Local, folder};
use crate::model::board::Recorded;
use crate::model::event::Event;
use crate::model::ids::PullNumber;
use crate::render;

const EXAMPLES: &str = "\
Examples:
  ci try \"/plan\"
  ci try \"/apply platform\" --as read   see how it is refused
  ci try \"/plan\" --dry-run             only say what would be done";

/// Do what a comment would do, for real, on this machine, on a forge of files in `.ci/forge`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The comment; several words are one line.
    #[arg(value_name = "COMMENT", required = true)]
    comment: Vec<String>,

    /// The local pull request.
    #[arg(long = "pr", value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    pr: u64,

    #[command(flatten)]
    persona: PersonaArgs,

    /// Decide and say what would be done; write nothing.
    #[arg(long)]
    dry_run: bool,

    /// How many layers may run side by side.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = super::run::jobs())]
    jobs: u64,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<ExitStatus, Stop> {
    let session = Session::open_local(global)?;
    let asked = ask(&session, args)?;
    if asked.readings.is_empty() {
        let usages: Vec<&str> = session.project.rules.commands.values().map(|command| command.usage.as_str()).collect();
        return Err(Stop::usage(format!("`{}` is no command", args.comment.join(" ").trim()))
            .help(format!("the commands are {}", usages.join(", "))));
    }
    let options = Options { parallel: usize::try_from(args.jobs).unwrap_or(2), only: None, dry_run: args.dry_run };
    let outside_git = Repository::find(&session.project.root)?.is_none();
    let before = if outside_git { Some(snapshot(&session)?) } else { None };
    let handled = handle::handle(&session, &asked, &options)?;
    if let Some(before) = before {
        local(&session)?.add_written(&folder::written(&before, &snapshot(&session)?))?;
    }
    if let (Some(pull), Some(sha), false) = (&handled.prepared.pull, &handled.prepared.sha, args.dry_run) {
        let dashboard = session.dashboard(sha.clone(), Some(pull.number))?;
        let recorded = made_true(&dashboard, handled.recorded)?;
        let board = dashboard.board(&recorded);
        let page = dashboard.page(&board, &recorded);
        console::text(&render::terminal(&page, console::width().unwrap_or(100), console::colored()));
    }
    Ok(handled.status)
}

/// What the journal holds once the rows of runs that are gone say so: here it costs nothing to look.
fn made_true(dashboard: &Dashboard<'_>, recorded: Vec<Recorded>) -> Result<Vec<Recorded>, Stop> {
    let ended = ended::outcomes(dashboard)?;
    if ended.is_empty() {
        return Ok(recorded);
    }
    for entry in &ended {
        console::note(format!("{}: {}", dashboard.subject(entry), ended::said(entry)));
    }
    Ok(dashboard.write(ended)?)
}

fn local(session: &Session) -> Result<&Local, Stop> {
    session.local()?.ok_or_else(|| Stop::failed("there is no local forge"))
}

fn snapshot(session: &Session) -> Result<std::collections::BTreeMap<String, folder::Stamp>, Stop> {
    folder::snapshot(&session.project.root, &session.layer_paths())
        .map_err(|error| Stop::failed(format!("cannot read the files of the layers: {error}")))
}

/// The comment as an event: posted for real, unless this is a dry run.
fn ask(session: &Session, args: &Args) -> Result<Asked, Stop> {
    let number = PullNumber(args.pr);
    let pull = session.workspace_pull(number, "main")?;
    let login = args.persona.login().map_or_else(person, str::to_owned);
    let local = local(session)?;
    let (mut comment, body) = (None, args.comment.join(" "));
    if !args.dry_run {
        local.save_pull(&pull)?;
        comment = Some(local.post_comment_as(&login, number, &body)?);
    }
    let id = comment.as_ref().map_or(0, |comment| comment.id);
    let user = json!({ "login": login, "id": 1, "type": "User" });
    let payload = json!({
        "action": "created",
        "issue": { "number": number, "state": "open", "pull_request": {} },
        "comment": { "id": id, "body": body, "user": user, "html_url": comment.as_ref().map(|comment| &comment.url) },
        "sender": user,
    });
    let event = Event::new("issue_comment", payload);
    let readings = decide::readings(&session.project.rules, &event);
    Ok(Asked {
        readings,
        actor: login,
        pull: Some(number),
        persona: Some(args.persona.facts()),
        comment: comment.map(|comment| comment.id),
        event,
    })
}
