//! The steps of a handler for one layer, in order, and what became of them: the outcome that a row, a comment and the
//! journal are written from. It does not know how processes run, or what runs beside it.

use std::ffi::OsStr;
use std::path::Path;
use std::time::{Duration, Instant};

use indexmap::IndexMap;
use serde_json::Value;

use super::Exec;
use super::step::{self, Setting, StepEnd};
use super::text::HeadTail;
use crate::expr::{self, Scope};
use crate::model::board::Status;
pub(crate) use crate::model::decision::PLAN_STALE;
use crate::model::decision::{CHANGES_FOUND, CUT_SHORT};
use crate::model::ids::RunId;
use crate::model::rules::{Handler, Kind, Layer, Step, Template};
use crate::terraform;

/// The reason code of work that did not take place because other work failed or was cut short, which says itself why.
pub(crate) const AFTER: &str = "after";

/// The reason code of work that did not take place because other work did not either, or is still to end.
pub(crate) const BEHIND: &str = "behind";

/// The reason code of an outcome that is not this work's own: it tells how something else stands.
pub(crate) const REPORTED: &str = "reported";

/// The reason code of work that was done, and whose row fails because there are changes, as drift is.
pub(crate) const CHANGES: &str = "changes";

/// What is to be done.
pub(crate) struct StepsJob<'a> {
    /// The layer's key, or the handler's: what people see before each line.
    pub(crate) label: &'a str,
    /// Its kind is steps.
    pub(crate) handler: &'a Handler,
    pub(crate) layer: Option<&'a Layer>,
    /// The work tree that `dir` is below.
    pub(crate) root: &'a Path,
    pub(crate) scope: Scope,
    /// The digest that a stage recorded for this commit and layer.
    pub(crate) recorded: &'a dyn Fn(&str) -> Option<String>,
    /// Hears the output so far when a step with `output` has ended and others follow.
    pub(crate) told: &'a dyn Fn(&str),
    /// What to type so that a stage records anew, e.g. `/plan platform`.
    pub(crate) remedy: &'a dyn Fn(&str) -> Option<String>,
}

/// What became of a job. Texts are redacted.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) status: Status,
    pub(crate) note: String,
    /// A stable code where callers tell failures apart.
    pub(crate) reason: Option<&'static str>,
    /// The text of the steps with `output`, head and tail.
    pub(crate) output: Option<String>,
    /// The digest of the capture that `record` names.
    pub(crate) digest: Option<String>,
    /// Whether there is something to change, where that is known.
    pub(crate) changes: Option<bool>,
    pub(crate) captures: IndexMap<String, Value>,
    /// Whether the exit code of a step said that there are changes.
    pub(crate) changed: bool,
    pub(crate) link: Option<String>,
    /// The run that does it, or did it, as far as it is known, with its page, where that is not ours.
    pub(crate) run: Option<(Option<RunId>, String)>,
    /// How long it took.
    pub(crate) took: Duration,
    /// Whether anything was done at all.
    pub(crate) began: bool,
    /// Whether anything may have been changed: where steps are held to a record, not before that was found right.
    pub(crate) touched: bool,
    /// What who asked can do about it, where the note does not say.
    pub(crate) remedy: Option<String>,
}

impl Outcome {
    /// One without anything but a status and a note.
    pub(crate) fn new(status: Status, note: impl Into<String>) -> Self {
        Self {
            status,
            note: note.into(),
            reason: None,
            output: None,
            digest: None,
            changes: None,
            captures: IndexMap::new(),
            changed: false,
            link: None,
            run: None,
            took: Duration::ZERO,
            began: true,
            touched: false,
            remedy: None,
        }
    }

    /// One of work that was not even begun, and why.
    pub(crate) fn not_begun(status: Status, note: impl Into<String>) -> Self {
        Self { began: false, ..Self::new(status, note) }
    }

    /// The work did not take place because somebody cancelled it.
    pub(crate) fn cancelled() -> Self {
        Self::not_begun(Status::Dropped, "cancelled")
    }
}

/// Runs the steps of a job. It always comes back with an outcome: what cannot run is a failure that says why.
pub(crate) fn run_steps(job: &StepsJob<'_>, exec: &Exec<'_>) -> Outcome {
    let setting = Setting { exec, label: job.label, handler: job.handler, root: job.root, began: Instant::now() };
    let mut scope = job.scope.clone();
    if let Some(layer) = job.layer {
        scope.set_layer(layer);
    }
    let mut work = Work {
        job,
        setting: &setting,
        scope,
        output: HeadTail::default(),
        captures: IndexMap::new(),
        changed: false,
        changes: None,
        ran: 0,
        touched: false,
    };
    let halt = work.steps().err();
    let mut outcome = match halt {
        None => work.succeeded(),
        Some(halt) => work.halted(halt),
    };
    outcome.note = exec.redactor.redact(&outcome.note);
    outcome.output = (!work.output.is_empty()).then(|| work.output.text());
    outcome.changed = work.changed;
    outcome.captures = work.captures;
    outcome.touched = work.touched;
    outcome.took = setting.began.elapsed();
    outcome
}

/// Why the steps that are left do not run.
enum Halt {
    Failed(String),
    /// The changes are not those that were recorded.
    Stale(String),
    /// There are no changes.
    Nothing,
    Cancelled,
}

impl From<expr::Error> for Halt {
    fn from(error: expr::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// A job under way.
struct Work<'a> {
    job: &'a StepsJob<'a>,
    setting: &'a Setting<'a>,
    scope: Scope,
    output: HeadTail,
    captures: IndexMap<String, Value>,
    changed: bool,
    changes: Option<bool>,
    /// How many steps ran.
    ran: usize,
    /// Whether one of them may have changed anything.
    touched: bool,
}

impl Work<'_> {
    fn steps(&mut self) -> Result<(), Halt> {
        let job = self.job;
        let Kind::Steps(steps) = &job.handler.kind else {
            return Err(Halt::Failed(format!("the handler `{}` has no steps", job.handler.key.value)));
        };
        self.require_environment()?;
        let compares = steps.iter().position(|step| step.matches.is_some());
        for (at, step) in steps.iter().enumerate() {
            self.step(step, compares.is_none_or(|compares| at > compares))?;
            if step.output && at + 1 < steps.len() && !self.output.is_empty() {
                (job.told)(&self.output.text());
            }
        }
        Ok(())
    }

    /// Fails with all the names at once of what must be set and is not. A secret that is not there is an empty text on
    /// GitHub, so that empty is not set.
    fn require_environment(&self) -> Result<(), Halt> {
        let handler = self.job.handler;
        let is_set = |name: &&String| {
            let inherited = self.setting.exec.environment.iter();
            handler.env.contains_key(*name)
                || inherited.clone().any(|(known, value)| known == OsStr::new(name) && !value.is_empty())
        };
        let missing: Vec<String> =
            handler.require_env.iter().filter(|name| !is_set(name)).map(|name| format!("`{name}`")).collect();
        let Some((last, others)) = missing.split_last() else { return Ok(()) };
        let names = if others.is_empty() {
            format!("{last} is not set: set it")
        } else {
            format!("{} and {last} are not set: set them", others.join(", "))
        };
        Err(Halt::Failed(format!("{names} in the environment, it is in `require-env` of `{}`", handler.key.value)))
    }

    fn step(&mut self, step: &Step, touches: bool) -> Result<(), Halt> {
        if self.setting.exec.cancel.is_set() {
            return Err(Halt::Cancelled);
        }
        if let Some(condition) = &step.condition
            && !expr::holds(condition, &self.scope)?
        {
            return Ok(());
        }
        self.ran += 1;
        self.touched |= touches;
        match step::run(step, &self.scope, self.setting, &mut self.output) {
            StepEnd::Failed(note) => Err(Halt::Failed(note)),
            StepEnd::Cancelled => Err(Halt::Cancelled),
            StepEnd::Done { changed, capture } => {
                self.changed |= changed;
                if !step.changed.is_empty() {
                    // What there was to change was found before it was changed.
                    self.changes = Some(self.changed || self.changes == Some(true));
                }
                self.keep(step, capture)
            }
        }
    }

    /// Keeps a capture for the steps after it, if it is what was recorded.
    fn keep(&mut self, step: &Step, capture: Option<Value>) -> Result<(), Halt> {
        if let Some(stage) = &step.matches {
            self.compare(&stage.value, capture.as_ref())?;
        }
        if let (Some(name), Some(value)) = (&step.capture, capture) {
            self.scope.set(name, &value);
            self.captures.insert(name.clone(), value);
        }
        Ok(())
    }

    fn compare(&mut self, stage: &str, capture: Option<&Value>) -> Result<(), Halt> {
        let Some(capture) = capture else {
            return Err(Halt::Failed(format!("`matches = \"{stage}\"` compares a capture: give the step a `capture`")));
        };
        let digest = terraform::digest(capture);
        self.changes = Some(digest.changes);
        if !digest.changes {
            return Err(Halt::Nothing);
        }
        let what = match (self.job.recorded)(stage) {
            Some(recorded) if recorded == digest.hex => return Ok(()),
            Some(_) => format!("what would change now is not what `{stage}` recorded for this commit"),
            None => format!("`{stage}` recorded nothing to compare with for this commit"),
        };
        let remedy = match (self.job.remedy)(stage) {
            Some(line) => format!("write `{line}`"),
            None => format!("run `{stage}` again"),
        };
        Err(Halt::Stale(format!("{PLAN_STALE}: {what}: {remedy}, have it reviewed, then do this again")))
    }

    fn succeeded(&mut self) -> Outcome {
        if self.ran == 0 {
            return Outcome::new(Status::Skipped, "nothing to do: no step's `if` holds");
        }
        let handler = self.job.handler;
        let mut outcome = Outcome::new(Status::Success, "");
        if let Some(recorded) = handler.record.as_ref().and_then(|name| self.captures.get(name)) {
            let digest = terraform::digest(recorded);
            self.changes = Some(digest.changes);
            outcome.digest = Some(digest.hex);
        }
        outcome.changes = self.changes;
        let note = self.text(handler.note.as_ref()).unwrap_or_else(|error| Some(error.to_string()));
        outcome.note = note.unwrap_or_default();
        match self.text(handler.link.as_ref()) {
            Ok(link) => outcome.link = link,
            Err(error) if outcome.note.is_empty() => outcome.note = error.to_string(),
            Err(error) => outcome.note = format!("{} ({error})", outcome.note),
        }
        if handler.fail_on_changed && (self.changed || self.changes == Some(true)) {
            (outcome.status, outcome.reason) = (Status::Failure, Some(CHANGES));
            let note = Some(outcome.note).filter(|note| !note.is_empty());
            outcome.note = note.map_or(CHANGES_FOUND.to_owned(), |note| format!("{CHANGES_FOUND}: {note}"));
        }
        outcome
    }

    fn halted(&self, halt: Halt) -> Outcome {
        let handler = self.job.handler;
        let mut outcome = match halt {
            Halt::Failed(note) => Outcome::new(Status::Failure, note),
            Halt::Stale(note) => Outcome { reason: Some(PLAN_STALE), ..Outcome::new(Status::Failure, note) },
            Halt::Nothing => {
                let stage = handler.stage.as_ref().unwrap_or(&handler.key);
                Outcome::new(Status::Skipped, format!("nothing to {}", stage.value))
            }
            // Then nobody knows how much of it was done.
            Halt::Cancelled if self.ran > 0 => Outcome::new(Status::Dropped, CUT_SHORT),
            Halt::Cancelled => Outcome::cancelled(),
        };
        outcome.changes = self.changes;
        // What it is made of may be missing now, which is not what this outcome is about.
        outcome.link = self.text(handler.link.as_ref()).unwrap_or_default();
        outcome
    }

    /// A template of the handler over all captures; None where there is none, or nothing in it.
    fn text(&self, template: Option<&Template>) -> Result<Option<String>, expr::Error> {
        let text = template.map(|template| expr::render(template, &self.scope)).transpose()?;
        let text = text.map(|text| self.setting.exec.redactor.redact(text.trim()));
        Ok(text.filter(|text| !text.is_empty()))
    }
}

#[cfg(test)]
mod tests;
