//! `ci update`: report to a row, for jobs that `ci` does not run.

mod late;
mod rows;
mod told;

use self::late::Late;
use self::rows::{Reported, meant};
use self::told::Told;
use super::args::{Global, PullArg, run_id, sha};
use super::board::Dashboard;
use super::session::{About, Session};
use super::stop::Stop;
use super::{ExitStatus, console, environment, line, output};
use crate::forge;
use crate::model::board::{Entry, Status};
use crate::model::event::Event;
use crate::model::ids::{PullNumber, RunId, Sha};

const EXAMPLES: &str = "\
Examples:
  ci update --pr 7 --stage plan-platform --status success --link URL
  ci update --pr 7 --stage plan --status running              all rows of the stage
  ci update --pr 7 --stage apply --layer db --status success  one layer, of a row for all of them
  ci update --pr 7 --stage 'plan-data-*' --status cancelled   a glob
  ci update --pr 7 --stage e2e --status \"${{ job.status }}\"   in a step with `if: always()`";

const GUESSED: &str = "(for the pull request's head: no commit was named)";

/// Report to a row, for jobs that `ci` does not run.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    pull: PullArg,

    /// The row: its id, a stage with a row for each layer, or a glob.
    #[arg(long, value_name = "STAGE")]
    stage: String,

    /// The layer, where the row is one for all layers [default: the row as a whole].
    #[arg(long, value_name = "LAYER")]
    layer: Option<String>,

    /// pending, running, success, failure, skipped, or a word of GitHub's such as cancelled or timed_out.
    #[arg(long, value_name = "STATUS")]
    status: String,

    /// The commit that the work was done for [default: the event's head, else the pull request's].
    #[arg(long, value_name = "SHA", value_parser = sha)]
    sha: Option<Sha>,

    /// What the row links to [default: the run].
    #[arg(long, value_name = "URL")]
    link: Option<String>,

    /// The run that did the work: a newer one's outcome stays, and the history names who asked for it [default: this run, where it is of the repository].
    #[arg(long, value_name = "ID[/ATTEMPT]", value_parser = run_id)]
    run: Option<RunId>,

    /// What to say beside the status.
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    note: Option<String>,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<ExitStatus, Stop> {
    let pull = PullNumber(args.pull.pr);
    let event = match environment::variable("GITHUB_EVENT_PATH") {
        Some(_) => Some(environment::event(None, None)?),
        None => None,
    };
    let named = args.sha.clone().or_else(|| event.as_ref().and_then(Event::sha));
    let about = About { event: event.as_ref(), pull: Some(pull) };
    let session = Session::open(global, about).inspect_err(|stop| {
        if stop.is_unusable() {
            // The work is done, and nobody else knows what came of it.
            let sha = named.as_ref().map(ToString::to_string);
            let run = environment::run_id().filter(|_| global.repository.is_none());
            let run = line::run(args.run.or(run));
            let link = args.link.clone().or_else(environment::run_url);
            let again = line::again(&[("--sha", sha), ("--link", link), ("--run", run)]);
            console::help(&format!("once ci.toml is mended, run: {again}"));
        }
    })?;
    let status = status(&args.status)?;
    let rows = Reported { stage: &args.stage, layer: args.layer.as_deref(), pull, sha: named.as_ref() };
    let rows = rows.rows(global, &session)?;
    let link = link(args.link.as_deref())?;
    let guessed = named.is_none();
    let sha = match named {
        Some(sha) => {
            // GitHub says so itself, where it would be told of one that is not there; the local forge keeps anything. What it
            // has it knows better than an event, which may be an older one.
            if session.local()?.is_some() && session.known_pull(pull).is_err() {
                session.pull(pull, event.as_ref())?;
            }
            sha
        }
        None => session.pull(pull, event.as_ref())?.head_sha,
    };
    // Where nobody can tell which run reports, whoever reports last is right.
    let run = args.run.or(own_run(&session)?);
    let of_this = args.run.is_none() || args.run == environment::run_id();
    let url = environment::run_url().filter(|_| of_this).unwrap_or_default();
    let note = match (&args.note, status, guessed) {
        (Some(note), ..) => note.clone(),
        (None, Status::Dropped, _) => args.status.clone(),
        // In brackets, and behind a word, so that beside a failure it does not read as the cause.
        (None, Status::Failure, true) => format!("nobody said why {GUESSED}"),
        (None, _, true) => GUESSED.to_owned(),
        (None, _, false) => String::new(),
    };
    let entries = rows.iter().map(|row| Entry {
        id: output::random(),
        row: row.clone(),
        status,
        note: note.clone(),
        pr: Some(pull),
        run,
        url: url.clone(),
        link: link.clone(),
        layer: args.layer.clone(),
        by: environment::actor(),
        action: None,
        digest: None,
        changes: None,
        began: true,
        work: None,
        until: None,
    });
    let dashboard = session.dashboard(sha, Some(pull))?;
    let lost = |error| lost(error, &dashboard, pull);
    let late = run.filter(|_| !of_this && status.ended());
    let late = late.map(|run| Late::of(&dashboard, run)).transpose().map_err(lost)?;
    let entries: Vec<Entry> = match &late {
        Some(late) => {
            let by = session.actor()?;
            entries.map(|entry| late.outcome(&dashboard, &by, entry)).collect()
        }
        None => entries.collect(),
    };
    let recorded = dashboard.write(entries.clone()).map_err(lost)?;
    if let Some(Err(error)) = late.map(|late| late.give_back_locks(&dashboard, &entries)) {
        console::warning(&format!("whether a lock is to be given back could not be found out: {error}"));
    }
    Told::of(&dashboard, &recorded).tell(&entries);
    Ok(ExitStatus::Done)
}

/// The run that this is a part of, where the repository that is reported to has it.
fn own_run(session: &Session) -> Result<Option<RunId>, Stop> {
    let repository = session.forge()?.repository();
    let elsewhere =
        environment::variable("GITHUB_REPOSITORY").is_some_and(|own| !own.eq_ignore_ascii_case(&repository));
    Ok(environment::run_id().filter(|_| !elsewhere))
}

/// Why a report may not show, and what mends it. What may not be written says itself what it lacks.
fn lost(error: forge::Error, dashboard: &Dashboard<'_>, pull: PullNumber) -> Stop {
    match &error {
        forge::Error::Denied(_) | forge::Error::Here(_) => Stop::from(error),
        forge::Error::NotFound(what) if what.contains(dashboard.sha.as_str()) => {
            let repository = dashboard.forge.repository();
            Stop::usage(format!("the commit `{}` is not known to `{repository}`", dashboard.sha))
                .help("push it first, or name with `--sha` the commit that the work was done for")
        }
        forge::Error::NotFound(_)
        | forge::Error::Limited { .. }
        | forge::Error::Conflict(_)
        | forge::Error::Invalid(_)
        | forge::Error::Server(_)
        | forge::Error::Transport(_) => Stop::from(error).help(format_args!(
            "report again once the forge is well again; `ci sync --pr {pull}` is enough where the row is in the journal"
        )),
    }
}

fn status(word: &str) -> Result<Status, Stop> {
    Status::parse(word).ok_or_else(|| {
        let words = Status::WORDS.iter().map(|(word, _)| *word);
        Stop::usage(format!("there is no status `{word}`")).help(meant(word, words))
    })
}

fn link(link: Option<&str>) -> Result<Option<String>, Stop> {
    match link {
        None | Some("") => Ok(None),
        Some(link) if is_address(link) => Ok(Some(link.to_owned())),
        Some(link) => Err(Stop::usage(format!("the link `{link}` is no address")).help("begin it with `https://`")),
    }
}

/// Whether a row can be told by `--link` to lead there.
pub(super) fn is_address(link: &str) -> bool {
    ["https://", "http://", "file://"].iter().any(|scheme| link.starts_with(scheme))
}
