//! An agenda carried out: the rows are set running, the jobs run, each outcome goes into the journal as it comes, and
//! the dashboard is written beside the work.

mod act;
mod folders;
mod lock;
mod outputs;

pub(super) use act::post_once;
pub(super) use lock::give_back_of;

use std::ffi::OsString;
use std::path::Path;
use std::sync::mpsc::Sender;
use std::sync::{Mutex, PoisonError};

use self::act::Means;
use self::folders::Folders;
use super::board::{Dashboard, Keeper, Kept, Sent, heard};
use super::console::Live as LiveConsole;
use super::session::Session;
use super::stop::Stop;
use super::{ExitStatus, console, line, output};
use crate::exec::job::{AFTER, BEHIND, Outcome, REPORTED};
use crate::exec::pool::{self, Node};
use crate::exec::{Exec, Grace};
use crate::expr::Scope;
use crate::forge;
use crate::model::board::{Entry, Recorded, Status};
use crate::model::decision::{Agenda, Job};
use crate::model::event::{Event, Pull};
use crate::model::ids::RunId;
use crate::model::rules::Kind;
use crate::render::Reason;

/// What stands around the work on one agenda.
pub(super) struct Work<'a> {
    pub(super) session: &'a Session,
    pub(super) dashboard: &'a Dashboard<'a>,
    pub(super) event: &'a Event,
    pub(super) pull: Option<&'a Pull>,
    pub(super) agenda: &'a Agenda,
    /// What was asked: the command's first word, or the event's name.
    pub(super) action: String,
    pub(super) actor: &'a str,
    pub(super) scope: Scope,
    /// What the journal held when the work was decided.
    pub(super) recorded: &'a [Recorded],
    /// The run that this process is, and its page; away from GitHub Actions the page of the pull request.
    pub(super) run: Option<RunId>,
    pub(super) run_url: &'a str,
    /// The folder of the project in the code of the commit, where that was fetched.
    pub(super) code: Option<&'a Path>,
    pub(super) parallel: usize,
    /// Tells this decision from all others, at random.
    pub(super) id: String,
    /// What is done, side by side with the last writing, once it is known how the work ended.
    pub(super) closing: &'a (dyn Fn(ExitStatus) + Sync),
}

/// What came of the work.
pub(super) struct Done {
    pub(super) status: ExitStatus,
    /// Which jobs of the agenda began.
    pub(super) begun: Vec<bool>,
    /// Why jobs may not be done now, where that is for people to settle.
    pub(super) refused: Vec<Reason>,
    pub(super) recorded: Vec<Recorded>,
}

/// Carries an agenda out.
pub(super) fn carry_out(work: &Work<'_>) -> Result<Done, Stop> {
    let environment: Vec<(OsString, OsString)> = std::env::vars_os().collect();
    let (redactor, short) = super::environment::redactor(work.dashboard.rules)
        .map_err(|error| Stop::failed(format!("secrets cannot be hidden, so nothing was run: {error:#}")))?;
    for name in short {
        console::warning(&format!("the value of `{name}` is too short to be hidden; it may show in outputs"));
    }
    let live = LiveConsole::new();
    let exec = Exec {
        redactor: &redactor,
        cancel: work.session.cancel()?,
        console: &live,
        environment: &environment,
        grace: Grace::default(),
    };
    let (keeper, sender, begun) = Keeper::new(work.dashboard);
    let outputs = outputs::Outputs::new(work);
    std::thread::scope(|threads| {
        let keeping = threads.spawn(|| keeper.keep());
        let _closed = sender.send(Sent::new(work.first_entries()));
        let begun = heard(&begun);
        if let Err(error) = &begun
            && !work.may_not_write(error)
        {
            // What was recorded so far says that work is under way.
            let _closed = sender.send(Sent::new(work.broken_off()));
            drop(sender);
            return Err(Stop::from(error.clone()).help(work.not_begun(error)));
        }
        let sender = Mutex::new(sender);
        let outcomes = work.run_jobs(&exec, &outputs, &sender);
        drop(sender);
        let status = work.status(&outcomes);
        let ((), kept) = forge::both(|| (work.closing)(status), || keeping.join());
        let kept = kept.map_err(|_| Stop::failed("the dashboard's writer broke off"))?;
        outputs.hide_replaced(work.dashboard, work.recorded, &kept.recorded);
        work.finish(status, &outcomes, &outputs, kept)
    })
}

impl Work<'_> {
    /// Rows with nothing to do, rows that start, rows that wait for another.
    fn first_entries(&self) -> Vec<Entry> {
        let idle = self.agenda.idle.iter().map(|idle| {
            let mut entry = self.entry(&idle.row, idle.layer.clone(), Status::Skipped);
            entry.note.clone_from(&idle.note);
            entry.changes = Some(false);
            // What was done there on command for this commit stands.
            entry.began = false;
            entry.work = Some(format!("{}.idle", self.id));
            entry
        });
        let rows = self.jobs_with_rows().flat_map(|job| {
            let waits = self.waits(job).map(|note| self.announced(job, Status::Pending, &note));
            waits.unwrap_or_else(|| self.running(job))
        });
        idle.chain(rows).collect()
    }

    /// The rows of a job that begins.
    fn running(&self, job: &Job) -> Vec<Entry> {
        let note = act::starts(self.dashboard.rules, job).unwrap_or_default();
        self.announced(job, Status::Running, &note)
    }

    /// The rows of a job, of which nothing more is known than this.
    fn announced(&self, job: &Job, status: Status, note: &str) -> Vec<Entry> {
        let announced = |row: &String| Entry { note: note.to_owned(), ..self.entry_of(job, row, status) };
        job.rows.iter().map(announced).collect()
    }

    /// What a job waits for before its rows may say that it runs.
    fn waits(&self, job: &Job) -> Option<String> {
        let before = self.after(job).first().and_then(|before| self.agenda.jobs.get(*before));
        let before = before.map(|before| format!("waiting for {}", self.agenda.told_as(before)));
        before.or_else(|| act::locks(self.dashboard.rules, job).then(|| "waiting for the lock".to_owned()))
    }

    /// The rows that were to be worked on, where nothing was run since the dashboard could not be written.
    fn broken_off(&self) -> Vec<Entry> {
        let note = "nothing was run: the dashboard could not be written";
        let rows = self.jobs_with_rows().flat_map(|job| self.announced(job, Status::Dropped, note));
        rows.map(|entry| Entry { began: false, ..entry }).collect()
    }

    fn jobs_with_rows(&self) -> impl Iterator<Item = &Job> {
        self.agenda.jobs.iter().filter(|job| act::keeps_row(self.dashboard.rules, job))
    }

    /// The jobs that a job starts after, those of its own layer first: it is told of one. Of delegated work the layers come
    /// in whichever order the other job takes them.
    fn after(&self, job: &Job) -> Vec<usize> {
        let jobs = &self.agenda.jobs;
        let other = |before: &usize| jobs.get(*before).is_some_and(|before| before.handler != job.handler);
        let delegated = !act::reports(self.dashboard.rules, job);
        let mut after: Vec<usize> = job.after.iter().copied().filter(|before| !delegated || other(before)).collect();
        after.sort_by_key(|before| jobs.get(*before).is_some_and(|before| before.layer != job.layer));
        after
    }

    fn entry_of(&self, job: &Job, row: &str, status: Status) -> Entry {
        // What is left to others is of this run only where they are its jobs.
        let run = self.run.filter(|_| act::reports(self.dashboard.rules, job) || super::environment::on_actions());
        Entry { work: Some(self.word(job)), run, ..self.entry(row, job.layer.clone(), status) }
    }

    /// What tells a job of this decision from all other work.
    fn word(&self, job: &Job) -> String {
        let place = self.agenda.jobs.iter().position(|other| other == job).unwrap_or_default();
        format!("{}.{place}", self.id)
    }

    fn entry(&self, row: &str, layer: Option<String>, status: Status) -> Entry {
        Entry {
            id: output::random(),
            row: row.to_owned(),
            status,
            note: String::new(),
            pr: self.dashboard.pull,
            run: self.run,
            url: self.run_url.to_owned(),
            link: None,
            layer,
            by: Some(self.actor.to_owned()).filter(|actor| !actor.is_empty()),
            action: Some(self.action.clone()),
            digest: None,
            changes: None,
            began: true,
            work: None,
            until: None,
        }
    }

    fn node(&self, job: &Job) -> Node {
        Node { label: self.agenda.told_as(job), handler: job.handler.clone(), after: self.after(job) }
    }

    fn run_jobs(&self, exec: &Exec<'_>, outputs: &outputs::Outputs, sender: &Mutex<Sender<Sent>>) -> Vec<Outcome> {
        let nodes: Vec<Node> = self.agenda.jobs.iter().map(|job| self.node(job)).collect();
        let send = |sent: Sent| {
            let sender = sender.lock().unwrap_or_else(PoisonError::into_inner);
            let _closed = sender.send(sent);
        };
        let ended = |at: usize, outcome: &Outcome| {
            let Some(job) = self.agenda.jobs.get(at) else { return };
            let link = outputs.add(self, job, outcome);
            send(Sent::new(self.outcome_entries(job, outcome, link)));
            outputs.bring_up_to_date(self, job);
        };
        let folders = Folders::default();
        let means = Means { exec, outputs, folders: &folders };
        let run = |at: usize| {
            let job = &self.agenda.jobs[at];
            act::run(self, job, &means, &|| {
                if self.waits(job).is_none() || !act::keeps_row(self.dashboard.rules, job) || job.rows.is_empty() {
                    return Ok(());
                }
                // Were it not in the journal that the work runs, the work would be taken for one that did not begin.
                let (running, told) = Sent::told(self.running(job));
                send(running);
                heard(&told).or_else(|error| if self.may_not_write(&error) { Ok(()) } else { Err(error) })
            })
        };
        pool::run_all(&nodes, self.parallel, exec.cancel, run, &ended)
    }

    fn outcome_entries(&self, job: &Job, outcome: &Outcome, link: Option<String>) -> Vec<Entry> {
        // Delegated work is reported by whoever does it, if it is begun.
        let rows = job.rows.iter().filter(|_| !outcome.began || act::reports(self.dashboard.rules, job));
        rows.map(|row| {
            let mut entry = self.entry_of(job, row, outcome.status);
            entry.note.clone_from(&outcome.note);
            entry.link = outcome.link.clone().or_else(|| link.clone());
            entry.digest.clone_from(&outcome.digest);
            // What was to be done anew, and was not, does not stand as it did.
            entry.began = outcome.began || outcome.reason == Some(AFTER);
            entry.changes = self.changes(job, outcome);
            if let Some((run, page)) = &outcome.run {
                (entry.run, entry.url) = (*run, page.clone());
                // A run that is reported ended when it did, and not when its report came.
                let reported = self.event.workflow_run().filter(|reported| Some(reported.id) == *run);
                entry.until = reported.and_then(|run| run.until);
            }
            entry
        })
        .collect()
    }

    /// Whether there was something to change, or, of work that did not go well, whether something may have been changed.
    fn changes(&self, job: &Job, outcome: &Outcome) -> Option<bool> {
        let known = outcome.changes.or_else(|| outcome.changed.then_some(true));
        let handler = self.dashboard.rules.handlers.get(&job.handler);
        let is_steps = handler.is_some_and(|handler| matches!(handler.kind, Kind::Steps(_)));
        match outcome.status {
            Status::Failure | Status::Dropped if !outcome.began || (is_steps && !outcome.touched) => Some(false),
            Status::Failure | Status::Dropped => known.filter(|changes| *changes),
            Status::Pending | Status::Running | Status::Success | Status::Skipped => known,
        }
    }

    /// How the jobs ended, as one; what did not go well is said.
    fn status(&self, outcomes: &[Outcome]) -> ExitStatus {
        let mut status = ExitStatus::Done;
        for (job, outcome) in self.agenda.jobs.iter().zip(outcomes) {
            if matches!(outcome.status, Status::Failure | Status::Dropped) && outcome.reason != Some(REPORTED) {
                console::error(&format!("{}: {}", job.name(), outcome.note));
                outcome.remedy.iter().for_each(|remedy| console::help(remedy));
            }
            status = status.and(match (outcome.status, outcome.reason) {
                (Status::Success | Status::Skipped | Status::Running | Status::Pending, _) => ExitStatus::Done,
                (Status::Dropped | Status::Failure, Some(AFTER | BEHIND | REPORTED)) => ExitStatus::Done,
                (Status::Dropped | Status::Failure, Some(act::LOCKED)) => ExitStatus::Refused,
                (Status::Dropped | Status::Failure, Some(act::FORGE)) => ExitStatus::Forge,
                (Status::Dropped | Status::Failure, _) => ExitStatus::Failed,
            });
        }
        status
    }

    /// The reasons of jobs that were held off.
    fn refused(&self, outcomes: &[Outcome]) -> Vec<Reason> {
        let jobs = self.agenda.jobs.iter().zip(outcomes);
        let held_off = jobs.filter_map(|(job, outcome)| Some((job, outcome, outcome.reason?, outcome.remedy.clone()?)));
        held_off
            .map(|(job, outcome, code, remedy)| Reason {
                code: code.to_owned(),
                message: outcome.note.clone(),
                remedy,
                layer: job.layer.clone(),
            })
            .collect()
    }

    fn finish(
        &self,
        mut status: ExitStatus,
        outcomes: &[Outcome],
        outputs: &outputs::Outputs,
        kept: Kept,
    ) -> Result<Done, Stop> {
        // Without that page the work is done all the same, and others hear what is left to them.
        if let Err(stop) = self.summarise(&kept.recorded, outputs) {
            stop.report();
            status = status.and(stop.status);
        }
        match &kept.lost {
            Some(error) if self.may_not_write(error) => console::note(
                "the token of a fork's pull request may only read, so the dashboard stands in the job summary alone",
            ),
            Some(error) => {
                console::error(&format!("the dashboard could not be written: {error}"));
                self.tell(outcomes);
                self.remedies(&kept.unsent).iter().for_each(|remedy| console::help(remedy));
                status = status.and(ExitStatus::Forge);
            }
            None => {}
        }
        let begun = outcomes.iter().map(|outcome| outcome.began).collect();
        Ok(Done { status, begun, refused: self.refused(outcomes), recorded: kept.recorded })
    }

    /// Says what was done, where the dashboard does not.
    fn tell(&self, outcomes: &[Outcome]) {
        for (job, outcome) in self.agenda.jobs.iter().zip(outcomes) {
            let page = outcome.run.as_ref().map(|(_, page)| page).or(outcome.link.as_ref());
            let told = [Some(&outcome.note).filter(|note| !note.is_empty()), page];
            let told: String = told.into_iter().flatten().map(|told| format!(", {told}")).collect();
            console::note(format!("{}: {}{told}", job.name(), outcome.status.word()));
        }
    }

    /// What mends the dashboard: nobody but this log knows the outcomes that are not in the journal.
    fn remedies(&self, unsent: &[Entry]) -> Vec<String> {
        let Some(pull) = self.dashboard.pull else { return Vec::new() };
        let told = unsent.iter().filter(|entry| entry.status.ended() && entry.began);
        let lines: Vec<String> = told.map(|entry| line::report(self.dashboard, pull, entry)).collect();
        let sync = format!("run `ci sync --pr {pull}` once the forge is well again");
        let all_told = !lines.is_empty() && lines.len() == unsent.len();
        let lines = lines.into_iter().map(|line| format!("once the forge is well again, run: {line}"));
        lines.chain((!all_told).then_some(sync)).collect()
    }

    /// What it means that the first entries could not be written.
    fn not_begun(&self, error: &forge::Error) -> String {
        let told = "the dashboard must be kept before anything runs; nothing was run";
        match self.dashboard.pull.filter(|_| !matches!(error, forge::Error::Denied(_))) {
            Some(pull) => format!("{told}; `ci sync --pr {pull}` mends the dashboard once the forge is well again"),
            None => told.to_owned(),
        }
    }

    /// Whether this error only says that the token of a fork's pull request may not write, as is GitHub's rule. See
    /// <https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows#pull_request>.
    fn may_not_write(&self, error: &forge::Error) -> bool {
        matches!(error, forge::Error::Denied(_)) && self.pull.is_some_and(|pull| pull.fork)
    }

    /// The page of the run: the job summary on Actions, a file of the local forge elsewhere.
    fn summarise(&self, recorded: &[Recorded], outputs: &outputs::Outputs) -> Result<(), Stop> {
        let board = self.dashboard.board(recorded);
        let page = self.dashboard.page(&board, recorded);
        let summary =
            outputs.with_sections(|sections| crate::render::summary(self.dashboard.templates, &page, sections));
        output::summary(&summary)?;
        if let (Some(run), Some(local), None) = (self.run, self.session.local()?, super::environment::run_id()) {
            local.save_summary(run.id, &summary)?;
        }
        Ok(())
    }
}
