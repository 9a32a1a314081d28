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
  ci update --pr 7 --stage plan-web --status success --changes false
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

    /// Whether the work found or made changes: a plan that says `false` leaves nothing to apply [default: nobody knows].
    #[arg(long)]
    changes: Option<bool>,

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
            tell_again(global, args, named.as_ref());
        }
    })?;
    let status = status(&args.status)?;
    said_of_changes(args, status)?;
    let rows = Reported { stage: &args.stage, layer: args.layer.as_deref(), pull, sha: named.as_ref() };
    let rows = rows.rows(global, &session)?;
    let link = link(args.link.as_deref())?;
    let note = note(args, status, named.is_none());
    let sha = commit(&session, pull, event.as_ref(), named)?;
    let reporter = Reporter::of(args, &session)?;
    let report = reporter.report(args, (status, note, link));
    let entries = rows.into_iter().map(|row| Entry { id: output::random(), row, ..report.clone() }).collect();
    let dashboard = session.dashboard(sha, Some(pull))?;
    write(&session, (&dashboard, pull), &reporter, entries)?;
    Ok(ExitStatus::Done)
}

/// Says how to report again, with all that this call knows: the work is done, and nobody else knows what came of it.
fn tell_again(global: &Global, args: &Args, named: Option<&Sha>) {
    let sha = named.map(ToString::to_string);
    let run = environment::run_id().filter(|_| global.repository.is_none());
    let run = line::run(args.run.or(run));
    let link = args.link.clone().or_else(environment::run_url);
    let again = line::again(&[("--sha", sha), ("--link", link), ("--run", run)]);
    console::help(&format!("once ci.toml is mended, run: {again}"));
}

/// The commit that is reported about.
fn commit(session: &Session, pull: PullNumber, event: Option<&Event>, named: Option<Sha>) -> Result<Sha, Stop> {
    let Some(sha) = named else { return Ok(session.pull(pull, event)?.head_sha) };
    // GitHub says so itself, where it would be told of one that is not there; the local forge keeps anything. What it
    // has it knows better than an event, which may be an older one.
    if session.local()?.is_some() && session.known_pull(pull).is_err() {
        session.pull(pull, event)?;
    }
    Ok(sha)
}

/// What is said beside the status.
fn note(args: &Args, status: Status, guessed: bool) -> String {
    match (&args.note, status, guessed) {
        (Some(note), ..) => note.clone(),
        (None, Status::Dropped, _) => args.status.clone(),
        // In brackets, and behind a word, so that beside a failure it does not read as the cause.
        (None, Status::Failure, true) => format!("nobody said why {GUESSED}"),
        (None, _, true) => GUESSED.to_owned(),
        (None, _, false) => String::new(),
    }
}

/// Who reports.
struct Reporter {
    /// The run that did the work. Where nobody can tell which one did, whoever reports last is right.
    run: Option<RunId>,
    /// Whether this call is a part of it.
    is_own: bool,
}

impl Reporter {
    fn of(args: &Args, session: &Session) -> Result<Self, Stop> {
        let run = args.run.or(own_run(session)?);
        Ok(Self { run, is_own: args.run.is_none() || args.run == environment::run_id() })
    }

    /// What is reported, to a row that is still to be named.
    fn report(&self, args: &Args, (status, note, link): (Status, String, Option<String>)) -> Entry {
        Entry {
            id: String::new(),
            row: String::new(),
            status,
            note,
            pr: Some(PullNumber(args.pull.pr)),
            run: self.run,
            url: environment::run_url().filter(|_| self.is_own).unwrap_or_default(),
            link,
            layer: args.layer.clone(),
            by: environment::actor(),
            action: None,
            digest: None,
            changes: args.changes,
            began: true,
            work: None,
            until: None,
        }
    }

    /// The run that did the work, where another reports that it has ended.
    fn late(&self, dashboard: &Dashboard<'_>, entries: &[Entry]) -> forge::Result<Option<Late>> {
        let ended = entries.iter().any(|entry| entry.status.ended());
        let run = self.run.filter(|_| !self.is_own && ended);
        run.map(|run| Late::of(dashboard, run)).transpose()
    }
}

/// The run that this is a part of, where the repository that is reported to has it.
fn own_run(session: &Session) -> Result<Option<RunId>, Stop> {
    let repository = session.forge()?.repository();
    let elsewhere =
        environment::variable("GITHUB_REPOSITORY").is_some_and(|own| !own.eq_ignore_ascii_case(&repository));
    Ok(environment::run_id().filter(|_| !elsewhere))
}

/// Writes the reports, gives back the locks that are free by them, and says what the rows say then.
fn write(
    session: &Session,
    (dashboard, pull): (&Dashboard<'_>, PullNumber),
    reporter: &Reporter,
    mut entries: Vec<Entry>,
) -> Result<(), Stop> {
    let lost = |error| lost(error, dashboard, pull);
    let late = reporter.late(dashboard, &entries).map_err(lost)?;
    if let Some(late) = &late {
        let by = session.actor()?;
        entries = entries.into_iter().map(|entry| late.outcome(dashboard, &by, entry)).collect();
    }
    let recorded = dashboard.write(entries.clone()).map_err(lost)?;
    if let Some(Err(error)) = late.map(|late| late.give_back_locks(dashboard, &entries)) {
        console::warning(&format!("whether a lock is to be given back could not be found out: {error}"));
    }
    Told::of(dashboard, &recorded).tell(&entries);
    Ok(())
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

/// Work that goes on has not come to anything yet, and what was skipped changed nothing.
fn said_of_changes(args: &Args, status: Status) -> Result<(), Stop> {
    match (args.changes, status) {
        (Some(_), Status::Pending | Status::Running) => {
            Err(Stop::usage(format!("what is {} has found or made nothing yet", status.word()))
                .help("give `--changes` with the report that it has ended"))
        }
        (Some(true), Status::Skipped) => Err(Stop::usage("what was skipped found and made no changes")
            .help("report `--status success --changes true` where there are some to follow")),
        _ => Ok(()),
    }
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
