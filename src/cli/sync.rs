//! `ci sync`: rows made true again: of runs that ended without a word, of comments that are missing or doubled.

use super::args::{Global, PullArg};
use super::board::Dashboard;
use super::session::Session;
use super::stop::Stop;
use super::{ExitStatus, console, output};
use crate::model::board::{Entry, Recorded, Status};
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
    let session = Session::open(global)?;
    let pull = session.pull(PullNumber(args.pull.pr), None)?;
    let (project, forge) = (&session.project, session.forge()?);
    let dashboard =
        Dashboard::new(forge, (&project.rules, &project.templates), pull.head_sha.clone(), Some(pull.number));
    let mended = ended_without_a_word(&dashboard, &dashboard.read()?)?;
    for entry in &mended {
        console::line(format!("{}: {}, {}", entry.row, entry.status.word(), entry.note));
    }
    let rows = mended.len();
    let stood = if mended.is_empty() {
        dashboard.ensure()?.1
    } else {
        dashboard.write(mended)?;
        false
    };
    let doubles = delete_doubles(&dashboard, pull.number)?;
    if stood && rows == 0 && doubles == 0 {
        console::line("all is true already");
    } else {
        console::line(format!("mended: {rows} rows, {doubles} doubled comments; the dashboard is written"));
    }
    Ok(ExitStatus::Done)
}

/// Entries for the rows that still run although their run has ended.
fn ended_without_a_word(dashboard: &Dashboard<'_>, recorded: &[Recorded]) -> Result<Vec<Entry>, Stop> {
    let mut entries = Vec::new();
    for record in dashboard.standing(recorded).into_iter().filter(|record| !record.entry.status.ended()) {
        let Some(run) = record.entry.run else { continue };
        if let Some(conclusion) = dashboard.forge.run_conclusion(run)? {
            let status = match Status::parse(&conclusion) {
                Some(status) if status.ended() && status != Status::Success => status,
                // A run that succeeded and did not report is no success of this row.
                Some(_) | None => Status::Failure,
            };
            entries.push(Entry {
                id: output::random(),
                status,
                note: "ended without reporting".to_owned(),
                ..record.entry.clone()
            });
        }
    }
    Ok(entries)
}

/// Deletes comments of ours that read as this commit's dashboard and are not it.
fn delete_doubles(dashboard: &Dashboard<'_>, pull: PullNumber) -> Result<usize, Stop> {
    let (forge, target) = (dashboard.forge, dashboard.comment()?);
    let account = forge.account()?;
    let doubles: Vec<u64> = forge
        .comments(pull, None)?
        .into_iter()
        .filter(|comment| comment.author == account && Some(comment.id) != target)
        .filter(|comment| render::marked(&comment.body, dashboard.rules, &dashboard.sha))
        .map(|comment| comment.id)
        .collect();
    for double in &doubles {
        forge.delete_comment(*double)?;
    }
    Ok(doubles.len())
}
