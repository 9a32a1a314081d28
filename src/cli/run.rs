//! `ci run`: handle an event.

use std::path::PathBuf;

use super::args::Global;
use super::handle::{self, Asked, Options};
use super::session::Session;
use super::stop::Stop;
use super::{ExitStatus, console, environment, parse};
use crate::config;
use crate::model::event::Event;

const EXAMPLES: &str = "\
Examples:
  ci run                                         in a job of GitHub Actions
  ci run --event payload.json --event-name push  a recorded event, here
  ci run --event push.json --dry-run             only say what would be done";

/// Handle an event: match it, ask the gates, run the handlers, keep the dashboard.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) event: EventArgs,

    /// Decide and say what would be done; write nothing.
    #[arg(long)]
    dry_run: bool,

    /// Run one job of the matrix alone: `HANDLER` or `HANDLER/LAYER`.
    #[arg(long, value_name = "JOB")]
    only: Option<String>,

    /// How many layers may run side by side.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = jobs())]
    jobs: u64,

    /// Exit 0 where a gate refuses: the answer on the pull request says enough.
    #[arg(long)]
    refused_ok: bool,
}

/// Which event.
#[derive(Debug, clap::Args)]
pub(super) struct EventArgs {
    /// The payload [default: the file that `GITHUB_EVENT_PATH` names].
    #[arg(long, value_name = "FILE")]
    pub(super) event: Option<PathBuf>,

    /// The event's name [default: `GITHUB_EVENT_NAME`, else the payload file's name up to its first dot].
    #[arg(long, value_name = "NAME")]
    pub(super) event_name: Option<String>,
}

impl EventArgs {
    pub(super) fn read(&self) -> Result<Event, Stop> {
        // A file that is named says by its own name which event it holds, whatever runs around us.
        let name = match (&self.event_name, &self.event) {
            (Some(name), _) => Some(name.clone()),
            (None, Some(path)) => Some(crate::cases::name_of_file(&path.to_string_lossy())),
            (None, None) => None,
        };
        let event = environment::event(name.as_deref(), self.event.as_ref())?;
        for (problem, help) in config::event_problems(&event.name, None) {
            console::note(format!("{problem}, as far as is known here; {help}"));
        }
        Ok(event)
    }
}

/// Numbers of jobs that make sense.
pub(super) fn jobs() -> clap::builder::RangedU64ValueParser {
    clap::value_parser!(u64).range(1..=64)
}

pub(super) fn run(global: &Global, args: &Args) -> Result<ExitStatus, Stop> {
    let event = args.event.read()?;
    let global = &global.about(&event);
    let session = Session::open_for(global, &event).map_err(Stop::before_anything);
    let session = session.inspect_err(|stop| {
        if !args.dry_run {
            handle::tell_without_rules(global, &event, stop);
        }
    })?;
    let asked = Asked::of_event(&session, event);
    let options =
        Options { parallel: usize::try_from(args.jobs).unwrap_or(2), only: args.only.clone(), dry_run: args.dry_run };
    let handled = handle::handle(&session, &asked, &options)?;
    parse::write_outputs(&session.project.rules, &asked, &handled.prepared)?;
    Ok(match handled.status {
        ExitStatus::Refused if args.refused_ok => ExitStatus::Done,
        status @ (ExitStatus::Done
        | ExitStatus::Failed
        | ExitStatus::Usage
        | ExitStatus::Forge
        | ExitStatus::Refused) => status,
    })
}
