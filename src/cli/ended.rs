//! Rows of runs that ended without a word: killed, lost, or never written to report. What the run came to becomes their
//! outcome. It does not know what the rows are about.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::board::Dashboard;
use super::session::Session;
use super::stop::Stop;
use super::{console, output};
use crate::forge::{self, Conclusion, Forge};
use crate::model::board::{Entry, Recorded, Status};
use crate::model::decision::{GONE, UNREPORTED};
use crate::model::event::{Event, WorkflowRun};
use crate::model::ids::{PullNumber, RunId, Sha};
use crate::render;

/// How the note of work begins that starts a workflow, whose name follows: if it dies, that may have begun.
pub(super) const STARTING: &str = "starting ";

/// How the note of work begins that started a workflow, whose name follows: it is that workflow's run from then on.
pub(super) const STARTED: &str = "started ";

/// The note of a row whose work waited until its run ended.
const NOT_BEGUN: &str = "did not begin";

/// For how long a run may be unknown to the forge since it was started.
const UNKNOWN: SignedDuration = SignedDuration::from_hours(1);

/// Outcomes for the rows that still run although their run has ended, as the forge says.
pub(super) fn outcomes(dashboard: &Dashboard<'_>) -> forge::Result<Vec<Entry>> {
    let forge = dashboard.forge;
    let recorded = dashboard.read()?;
    let mut runs: BTreeMap<RunId, Timestamp> = BTreeMap::new();
    for record in running(dashboard, &recorded) {
        let Some(run) = record.entry.run else { continue };
        let newest = runs.entry(run).or_insert(record.at);
        *newest = record.at.max(*newest);
    }
    let runs: Vec<(RunId, Timestamp)> = runs.into_iter().collect();
    let ends = forge::side_by_side(&runs, |(run, since)| Ok((*run, end(forge, *run, *since)?)));
    let ends: BTreeMap<RunId, Option<End>> = ends.into_iter().collect::<forge::Result<_>>()?;
    if ends.values().all(Option::is_none) {
        return Ok(Vec::new());
    }
    // What a run reported in its last moments counts, so the journal is read once more now that it has ended.
    let recorded = dashboard.read()?;
    let ended = running(dashboard, &recorded).into_iter().filter_map(|record| {
        Some(match ends.get(&record.entry.run?)?.as_ref()? {
            End::Concluded(conclusion) => outcome(record, conclusion, false),
            End::Gone if record.entry.status == Status::Pending => {
                ending(record, Status::Dropped, NOT_BEGUN.to_owned())
            }
            End::Gone => ending(record, Status::Dropped, GONE.to_owned()),
        })
    });
    Ok(ended.collect())
}

/// How a run ended.
enum End {
    Concluded(Conclusion),
    /// It was deleted, or the forge keeps it no longer.
    Gone,
}

/// How a run ended of which rows heard last at `since`, where it has.
fn end(forge: &dyn Forge, run: RunId, since: Timestamp) -> forge::Result<Option<End>> {
    match forge.run_conclusion(run) {
        Err(forge::Error::NotFound(_)) => Ok((forge.now().duration_since(since) > UNKNOWN).then_some(End::Gone)),
        conclusion => Ok(conclusion?.map(End::Concluded)),
    }
}

/// Closes the rows that the run of a `workflow_run` event left running; whether there were any.
pub(super) fn close_rows_of(session: &Session, event: &Event) -> Result<bool, Stop> {
    let Some(run) = event.workflow_run().filter(|_| event.action() == Some("completed")) else { return Ok(false) };
    let Some(word) = run.conclusion.clone() else { return Ok(false) };
    let conclusion = Conclusion { word, at: run.until };
    let mut closed = false;
    let forge = session.forge()?;
    let heads = heads(forge, &run)?;
    let here = session.dashboard(run.sha.clone(), None)?;
    let mut commits: Vec<Sha> = heads.values().cloned().chain([run.sha.clone()]).collect();
    let written = written_since(&here, &run);
    commits.extend(written.iter().flatten().cloned());
    commits.sort_unstable();
    commits.dedup();
    let journals = forge::side_by_side(&commits, |sha| here.of(sha.clone(), None).read_all());
    for (sha, journal) in commits.iter().zip(journals) {
        for (pull, records) in by_pull(journal?) {
            let dashboard = here.of(sha.clone(), pull);
            let superseded = pull.and_then(|pull| heads.get(&pull)).is_some_and(|head| head != sha);
            let left = running(&dashboard, &records).into_iter().filter(|record| is_of(record, &run));
            let entries: Vec<Entry> = left.map(|record| outcome(record, &conclusion, superseded)).collect();
            for entry in &entries {
                let said = said(entry);
                console::note(format!("{} of {}: {said}", dashboard.subject(entry), sha.short()));
            }
            if !entries.is_empty() {
                closed = true;
                dashboard.write(entries)?;
            }
        }
    }
    // Where that list could not be had, what the heads lead to is closed all the same.
    written?;
    Ok(closed)
}

/// Whether GitHub says which pull requests a run was about: not of one that a comment or a schedule started.
fn names_its_pulls(run: &WorkflowRun) -> bool {
    ["pull_request", "push"].contains(&run.event.as_str())
}

/// The head commits of the pull requests that a run may have been about: where GitHub does not say, of those in which
/// something happened last.
fn heads(forge: &dyn Forge, run: &WorkflowRun) -> forge::Result<BTreeMap<PullNumber, Sha>> {
    let pulls = if names_its_pulls(run) {
        let known = forge::side_by_side(&run.pulls, |pull| match forge.pull(*pull) {
            Err(forge::Error::NotFound(_)) => Ok(None),
            known => known.map(Some),
        });
        known.into_iter().filter_map(Result::transpose).collect::<forge::Result<Vec<_>>>()?
    } else {
        forge.open_pulls()?
    };
    Ok(pulls.into_iter().map(|pull| (pull.number, pull.head_sha)).collect())
}

/// The commits whose dashboards were written since a run began of which GitHub does not say what it was about: the head that
/// it was about may be none any more.
fn written_since(here: &Dashboard<'_>, run: &WorkflowRun) -> forge::Result<Vec<Sha>> {
    let Some(since) = run.since.filter(|_| !names_its_pulls(run)) else { return Ok(Vec::new()) };
    let (comments, account) = forge::both(|| here.forge.recent_comments(since), || here.forge.account());
    let account = account?;
    let ours = comments?.into_iter().filter(|comment| here.is_ours(&comment.author, &account));
    Ok(ours.filter_map(|comment| render::marked_commit(&comment.body, here.rules)).collect())
}

/// Whether an entry is of a run, in this attempt or one before.
pub(super) fn is_of(record: &Recorded, run: &WorkflowRun) -> bool {
    record.entry.run.is_some_and(|id| id.id == run.id.id && id.attempt <= run.id.attempt)
}

fn by_pull(journal: Vec<Recorded>) -> BTreeMap<Option<PullNumber>, Vec<Recorded>> {
    let mut pulls: BTreeMap<Option<PullNumber>, Vec<Recorded>> = BTreeMap::new();
    for record in journal {
        pulls.entry(record.entry.pr).or_default().push(record);
    }
    pulls
}

/// The records that rows stand on and that say that work is under way or waits.
fn running<'r>(dashboard: &Dashboard<'_>, recorded: &'r [Recorded]) -> Vec<&'r Recorded> {
    dashboard.standing(recorded).into_iter().filter(|record| !record.entry.status.ended()).collect()
}

fn outcome(record: &Recorded, conclusion: &Conclusion, superseded: bool) -> Entry {
    let Conclusion { word: conclusion, at: until } = conclusion;
    let silent = match record.entry.note.strip_prefix(STARTING) {
        Some(workflow) => format!("{UNREPORTED}saying whether {workflow} was started: look at its runs"),
        None => format!("{UNREPORTED}reporting"),
    };
    let ended = Status::parse(conclusion).filter(|status| status.ended());
    let (status, note) = match ended {
        // Such a run is the work itself, and how it ended is what came of the work: nothing, where it was skipped.
        Some(Status::Skipped) if is_dispatched(&record.entry) => (Status::Dropped, conclusion.clone()),
        Some(status) if is_dispatched(&record.entry) => {
            (status, Some(conclusion).filter(|word| *word != status.word()).cloned().unwrap_or_default())
        }
        _ if superseded => (Status::Dropped, "superseded".to_owned()),
        // It waited for other work of the run.
        _ if record.entry.status == Status::Pending => (Status::Dropped, NOT_BEGUN.to_owned()),
        Some(status) if status != Status::Success => (status, silent),
        // A run that succeeded and did not report is no success of this row.
        Some(_) | None => (Status::Failure, silent),
    };
    Entry { until: *until, ..ending(record, status, note) }
}

fn ending(record: &Recorded, status: Status, note: String) -> Entry {
    let waited = record.entry.status == Status::Pending;
    // What was reported from outside has the row, whether it began or not: nothing tells it from what stood there before.
    let began = !waited || record.entry.work.is_none();
    Entry { id: output::random(), status, note, began, ..record.entry.clone() }
}

/// The status of an entry, and its note where there is one.
pub(super) fn said(entry: &Entry) -> String {
    match &*entry.note {
        "" => entry.status.word().to_owned(),
        note => format!("{}, {note}", entry.status.word()),
    }
}

/// Whether an entry is of a run that `ci` started and that reported nothing itself: reports from outside name no action.
fn is_dispatched(entry: &Entry) -> bool {
    entry.action.is_some() && entry.note.starts_with(STARTED)
}
