//! `ci init`: the dashboard of a pull request's head commit, once.

use super::args::{Global, PullArg};

use super::session::{About, Session};
use super::stop::Stop;
use super::{ExitStatus, console};
use crate::model::ids::PullNumber;

/// Create the dashboard of a pull request's head commit; again is a no-op.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  ci init --pr 7")]
pub(super) struct Args {
    #[command(flatten)]
    pull: PullArg,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<ExitStatus, Stop> {
    let number = PullNumber(args.pull.pr);
    let session = Session::open(global, About::pull(number))?;
    let pull = session.pull(number, None)?;
    let dashboard = session.dashboard(pull.head_sha, Some(number))?;
    let (_, stood) = dashboard.ensure()?;
    let comment = dashboard.url().unwrap_or_default();
    let what = if stood { "stands already" } else { "is written" };
    console::line(format!("the dashboard of {} {what}: {comment}", dashboard.sha.short()));
    Ok(ExitStatus::Done)
}
