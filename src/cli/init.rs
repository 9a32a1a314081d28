//! `ci init`: the dashboard of a pull request's head commit, once.

use super::args::{Global, PullArg};
use super::board::Dashboard;
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
    let project = &session.project;
    let forge = session.forge()?;
    let (number, sha) = (pull.number, pull.head_sha);
    let dashboard = Dashboard::new(forge, (&project.rules, &project.templates), sha, Some(number));
    let (_, stood) = dashboard.ensure()?;
    let comment = dashboard.comment()?.map(|comment| forge.comment_url(Some(number), comment)).unwrap_or_default();
    let what = if stood { "stands already" } else { "is written" };
    console::line(format!("the dashboard of {} {what}: {comment}", dashboard.sha.short()));
    Ok(ExitStatus::Done)
}
