//! `ci sync`: rows made true again: of runs that ended without a word, of comments that are missing or doubled.

use std::collections::HashSet;

use super::args::{Global, PullArg};
use super::board::Dashboard;
use super::session::{About, Session};
use super::stop::Stop;
use super::{ExitStatus, console, ended};
use crate::model::ids::PullNumber;
use crate::render;

/// Make the rows and the comment of a pull request true again.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  ci sync --pr 7")]
pub(super) struct Args {
    #[command(flatten)]
    pull: PullArg,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<ExitStatus, Stop> {
    let number = PullNumber(args.pull.pr);
    let session = Session::open(global, About::pull(number))?;
    let pull = session.known_pull(number)?;
    let dashboard = session.dashboard(pull.head_sha, Some(number))?;
    let mended = ended::outcomes(&dashboard)?;
    for entry in &mended {
        console::line(format!("{}: {}", dashboard.subject(entry), ended::said(entry)));
    }
    // Of a row for all layers several layers may be mended.
    let rows = mended.iter().map(|entry| &entry.row).collect::<HashSet<_>>().len();
    let stood = if mended.is_empty() {
        dashboard.ensure()?.1
    } else {
        dashboard.write(mended)?;
        false
    };
    let doubles = delete_doubles(&dashboard, number)?;
    if stood && rows == 0 && doubles == 0 {
        console::line("all is true already");
    } else {
        let counted = [(rows, "row", "rows"), (doubles, "doubled comment", "doubled comments")];
        let counted = counted.iter().filter(|(count, ..)| *count > 0);
        let mended = counted.map(|(count, one, many)| format!("{count} {}, ", if *count == 1 { one } else { many }));
        console::line(format!("mended: {}the dashboard is written", mended.collect::<String>()));
    }
    Ok(ExitStatus::Done)
}

/// Deletes comments of ours that read as this commit's dashboard and are not it.
fn delete_doubles(dashboard: &Dashboard<'_>, pull: PullNumber) -> Result<usize, Stop> {
    let doubles = doubles(dashboard, pull)?;
    for double in &doubles {
        dashboard.forge.delete_comment(*double)?;
    }
    Ok(doubles.len())
}

/// The comments of ours that read as this commit's dashboard and are not it.
pub(super) fn doubles(dashboard: &Dashboard<'_>, pull: PullNumber) -> Result<Vec<u64>, Stop> {
    let (forge, target) = (dashboard.forge, dashboard.comment()?);
    let account = forge.account()?;
    Ok(forge
        .comments(pull, None)?
        .into_iter()
        .filter(|comment| comment.author == account && Some(comment.id) != target)
        .filter(|comment| render::marked(&comment.body, dashboard.rules, &dashboard.sha))
        .map(|comment| comment.id)
        .collect())
}
