//! One job, by the kind of its handler.

use std::sync::PoisonError;

use serde_json::Value;

use super::Work;
use super::folders::{Folders, Turn};
use super::lock::{self, Locked};
use super::outputs::Outputs;
use crate::cli::ended::{STARTED, STARTING};
use crate::cli::{console, facts};
use crate::exec::Exec;
use crate::exec::job::{Outcome, PLAN_STALE, REPORTED, StepsJob, run_steps};
use crate::expr::{self, Scope};
use crate::forge;
use crate::gate::Trouble;
use crate::model::board::Status;
use crate::model::decision::Job;
use crate::model::rules::{Checkout, Handler, Kind, Layer, Rules, Table, Template};
use crate::render;

/// The reason code of work that did not take place because another pull request holds the layer.
pub(super) const LOCKED: &str = "locked";

/// The reason code of work that broke off since the forge failed.
pub(super) const FORGE: &str = Trouble::Outage.code();

/// Whether a job sets its rows running when it begins. A report only says how something else ended.
pub(super) fn keeps_row(rules: &Rules, job: &Job) -> bool {
    rules.handlers.get(&job.handler).is_some_and(|handler| match handler.kind {
        Kind::Steps(_) | Kind::Dispatch { .. } | Kind::Delegate(_) | Kind::Api { .. } => true,
        Kind::Report(_) | Kind::Reply(_) | Kind::Unlock(_) => false,
    })
}

/// Whether a job's outcome is that of its rows.
pub(super) fn reports(rules: &Rules, job: &Job) -> bool {
    rules.handlers.get(&job.handler).is_some_and(|handler| !matches!(handler.kind, Kind::Delegate(_)))
}

/// Whether a job may find that it may not begin, since somebody else is at its layer.
pub(super) fn locks(rules: &Rules, job: &Job) -> bool {
    job.layer.is_some() && rules.handlers.get(&job.handler).is_some_and(|handler| handler.lock)
}

/// What a job says while it starts work that goes on elsewhere.
pub(super) fn starts(rules: &Rules, job: &Job) -> Option<String> {
    match &rules.handlers.get(&job.handler)?.kind {
        Kind::Dispatch { workflow, .. } => Some(format!("{STARTING}{workflow}")),
        Kind::Steps(_) | Kind::Report(_) | Kind::Delegate(_) | Kind::Reply(_) | Kind::Api { .. } | Kind::Unlock(_) => {
            None
        }
    }
}

/// What jobs are done with.
pub(super) struct Means<'a> {
    pub(super) exec: &'a Exec<'a>,
    pub(super) outputs: &'a Outputs,
    pub(super) folders: &'a Folders,
}

/// Hears that nothing stands in a job's way, and says so in the journal: without that the job may not begin.
pub(super) type Begins<'a> = &'a dyn Fn() -> forge::Result<()>;

/// Does one job.
pub(super) fn run(work: &Work<'_>, job: &Job, means: &Means<'_>, begins: Begins<'_>) -> Outcome {
    let rules = work.dashboard.rules;
    let Some(handler) = rules.handlers.get(&job.handler) else {
        return Outcome::new(Status::Failure, format!("there is no handler `{}`", job.handler));
    };
    let layer = job.layer.as_ref().and_then(|layer| rules.layers.get(layer));
    let mut scope = work.scope.clone();
    if let Some(layer) = layer {
        scope.set_layer(layer);
    }
    let done = || match &handler.kind {
        Kind::Steps(_) => steps(work, job, (handler, layer), scope.clone(), (means, begins)),
        Kind::Dispatch { workflow, reference, inputs } => dispatch(work, workflow, reference.as_ref(), inputs, &scope),
        Kind::Report(status) => report(work, handler, status, &scope),
        Kind::Delegate(name) => Ok(Outcome::new(Status::Running, format!("left to {name}"))),
        Kind::Reply(name) => reply(work, name, &scope),
        Kind::Api { method, path, body } => api(work, handler, (method, path, body.as_ref()), &scope),
        Kind::Unlock(which) => lock::unlock(work, which),
    };
    // Steps may find that others are at their layer.
    let begun = if matches!(handler.kind, Kind::Steps(_)) { Ok(()) } else { begins() };
    let outcome = begun.map_err(Broken::before_it_began).and_then(|()| done());
    let outcome = outcome.unwrap_or_else(|broken| {
        let outcome = Outcome::new(Status::Failure, means.exec.redactor.redact(&broken.message));
        Outcome { reason: broken.reason, began: broken.began, ..outcome }
    });
    if let Some(title) = handler.issue.as_ref().filter(|_| outcome.began) {
        drift_issue(work, title, &outcome, &scope);
    }
    outcome
}

pub(super) type Tried = Result<Outcome, Broken>;

/// Why a job broke off.
pub(super) struct Broken {
    message: String,
    /// [`FORGE`] where it was not the work's fault.
    reason: Option<&'static str>,
    /// Whether anything may have been done.
    began: bool,
}

impl From<forge::Error> for Broken {
    fn from(error: forge::Error) -> Self {
        Self { message: error.to_string(), reason: Some(FORGE), began: true }
    }
}

impl From<expr::Error> for Broken {
    fn from(error: expr::Error) -> Self {
        Self::of_work(error)
    }
}

impl Broken {
    fn of_work(message: impl std::fmt::Display) -> Self {
        Self { message: message.to_string(), reason: None, began: true }
    }

    fn before_it_began(error: forge::Error) -> Self {
        Self { began: false, ..Self::from(error) }
    }
}

fn steps(
    work: &Work<'_>,
    job: &Job,
    (handler, layer): (&Handler, Option<&Layer>),
    scope: Scope,
    (means, begins): (&Means<'_>, Begins<'_>),
) -> Tried {
    let stale = || stale(work, handler, job).map_err(Broken::before_it_began);
    if let Some(outcome) = stale()? {
        return Ok(outcome);
    }
    let (lock, taken_over) = match lock::take(work, job, handler, layer).map_err(Broken::before_it_began)? {
        Locked::Free { lock, from } => (lock, from),
        Locked::Held(outcome) => return Ok(*outcome),
    };
    let rules = work.dashboard.rules;
    let board = work.dashboard.board(work.recorded);
    let key = job.layer.as_deref();
    let steps = StepsJob {
        label: job.label(),
        handler,
        layer,
        root: match (handler.checkout, work.code) {
            (Checkout::Head, Some(code)) => code,
            (Checkout::Head | Checkout::None, _) => &work.session.project.root,
        },
        scope,
        recorded: &|stage| facts::recorded_digest(&board, stage, key),
        told: &|text| means.outputs.open(work, job, text),
        remedy: &|stage| rules.line_for_stage(stage, key),
    };
    let alone = || -> Tried {
        let turn = match layer {
            Some(layer) => match means.folders.enter(&steps.root.join(&layer.dir.value)) {
                Some(turn) => turn,
                None => return Ok(lock::folder_is_taken(&layer.dir.value)),
            },
            None => Turn::default(),
        };
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        begins().map_err(Broken::before_it_began)?;
        // That may have taken its time.
        Ok(stale()?.unwrap_or_else(|| run_steps(&steps, means.exec)))
    };
    let tried = alone();
    lock::give_back(work.dashboard.forge, lock.as_ref(), tried.as_ref().is_ok_and(|outcome| outcome.touched));
    let mut outcome = tried?;
    if let Some(from) = taken_over {
        outcome.note = if outcome.note.is_empty() { from } else { format!("{}; {from}", outcome.note) };
    }
    Ok(outcome)
}

/// What was reviewed is what is applied: a head that moved since the decision stops whatever is held to a record.
fn stale(work: &Work<'_>, handler: &Handler, job: &Job) -> forge::Result<Option<Outcome>> {
    let Some(stage) = handler.held_to() else { return Ok(None) };
    let Some(pull) = work.pull else { return Ok(None) };
    let now = work.dashboard.forge.pull(pull.number)?;
    if now.head_sha == pull.head_sha {
        return Ok(None);
    }
    let line = work.dashboard.rules.line_for_stage(stage, job.layer.as_deref());
    let remedy = line.map_or_else(|| format!("run `{}` again", stage.value), |line| format!("comment `{line}`"));
    let note = format!("{PLAN_STALE}: {} was pushed meanwhile; {remedy}", now.head_sha.short());
    Ok(Some(Outcome { reason: Some(PLAN_STALE), ..Outcome::not_begun(Status::Failure, note) }))
}

fn dispatch(
    work: &Work<'_>,
    workflow: &str,
    reference: Option<&Template>,
    inputs: &Table<Template>,
    scope: &Scope,
) -> Tried {
    let reference = match reference {
        Some(template) => expr::render(template, scope)?,
        None => {
            let default = work.event.text("/repository/default_branch").unwrap_or("main");
            work.pull.map_or(default, |pull| &pull.head_ref).to_owned()
        }
    };
    let mut given = indexmap::IndexMap::new();
    for (name, template) in inputs {
        given.insert(name.clone(), expr::render(template, scope)?);
    }
    let dispatched = work.dashboard.forge.dispatch(workflow, &reference, &given)?;
    // Until that run has ended the row is its, and not that of the run which started it and ends first.
    let run = Some((dispatched.run, dispatched.url));
    let note = match work.session.local() {
        Ok(Some(_)) => format!("{workflow} was asked for, and the local forge starts none: report with `ci update`"),
        Ok(None) | Err(_) => format!("{STARTED}{workflow}"),
    };
    Ok(Outcome { run, ..Outcome::new(Status::Running, note) })
}

fn report(work: &Work<'_>, handler: &Handler, status: &Template, scope: &Scope) -> Tried {
    let word = expr::render(status, scope)?;
    let status =
        Status::parse(word.trim()).ok_or_else(|| Broken::of_work(format!("`{}` is no status", word.trim())))?;
    let note = match status {
        Status::Dropped => word.trim().to_owned(),
        Status::Pending | Status::Running | Status::Success | Status::Failure | Status::Skipped => String::new(),
    };
    let mut outcome = Outcome { reason: Some(REPORTED), ..Outcome::new(status, note) };
    if let Some(note) = &handler.note {
        outcome.note = expr::render(note, scope)?;
    }
    outcome.link = handler.link.as_ref().map(|link| expr::render(link, scope)).transpose()?;
    // What another run did is that run's outcome, so that one of an older run does not take the row.
    outcome.run = work.event.workflow_run().map(|run| (Some(run.id), run.url));
    Ok(outcome)
}

fn reply(work: &Work<'_>, name: &str, scope: &Scope) -> Tried {
    let board = work.dashboard.board(work.recorded);
    let body = render::reply(work.dashboard.templates, name, work.dashboard.rules, Some(&board), scope)
        .map_err(Broken::of_work)?;
    post_once(work.dashboard, &body)?;
    if let (Ok(Some(_)), Some((_, text)), Some(_)) = (work.session.local(), body.split_once('\n'), work.dashboard.pull)
    {
        // Nobody looks for it among the files of the local forge.
        console::note(text.trim_end());
    }
    Ok(Outcome::new(Status::Success, ""))
}

/// Posts a comment, or edits the one of ours that begins with the same line.
pub(in crate::cli) fn post_once(dashboard: &crate::cli::board::Dashboard<'_>, body: &str) -> forge::Result<()> {
    let Some(pull) = dashboard.pull else {
        console::text(body);
        return Ok(());
    };
    let tag = body.lines().next().unwrap_or_default();
    let account = dashboard.forge.account()?;
    let comments = dashboard.forge.comments(pull, None)?;
    let known = comments.iter().find(|comment| comment.author == account && comment.body.lines().next() == Some(tag));
    match known {
        Some(comment) => dashboard.forge.edit_comment(comment.id, body),
        None => dashboard.forge.create_comment(pull, body),
    }
    .map(|_| ())
}

fn api(
    work: &Work<'_>,
    handler: &Handler,
    (method, path, body): (&str, &Template, Option<&Value>),
    scope: &Scope,
) -> Tried {
    let repository = work.dashboard.forge.repository();
    let (owner, repo) = repository.split_once('/').unwrap_or(("", &repository));
    let number = work.dashboard.pull.map_or_else(String::new, |pull| pull.to_string());
    let path = expr::render(path, scope)?;
    let path = path.replace("{owner}", owner).replace("{repo}", repo).replace("{pr}", &number);
    let home = format!("/repos/{repository}/");
    if !path.starts_with(&home) || path.split('/').any(|part| part == "..") {
        return Err(Broken::of_work(format!("the path `{path}` is not below `{home}`")));
    }
    let body = body.map(|body| rendered(body, scope)).transpose()?;
    work.dashboard.forge.api(method, &path, body.as_ref())?;
    // Where somebody reports how it ends, it has only begun.
    let reported = work.dashboard.rules.handlers.values().any(|other| {
        matches!(other.kind, Kind::Report(_))
            && other.stage.as_ref().map(|stage| &stage.value) == handler.stage.as_ref().map(|stage| &stage.value)
    });
    let mut outcome = Outcome::new(if reported { Status::Running } else { Status::Success }, "asked for");
    // No run does it, so none that ends leaves it undone.
    outcome.run = reported.then(|| (None, work.run_url.to_owned()));
    Ok(outcome)
}

/// A JSON value whose texts are templates.
fn rendered(value: &Value, scope: &Scope) -> Result<Value, expr::Error> {
    Ok(match value {
        Value::String(source) => Value::String(expr::render(&Template { source: source.clone(), span: 0..0 }, scope)?),
        Value::Array(items) => Value::Array(items.iter().map(|item| rendered(item, scope)).collect::<Result<_, _>>()?),
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .map(|(key, value)| Ok((key.clone(), rendered(value, scope)?)))
                .collect::<Result<_, expr::Error>>()?,
        ),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    })
}

/// The issue about drift: opened where there is some, closed where there is none. A decoration.
fn drift_issue(work: &Work<'_>, title: &Template, outcome: &Outcome, scope: &Scope) {
    let told = expr::render(title, scope).map_err(Broken::from).and_then(|title| {
        let failed = outcome.status == Status::Failure;
        let body = failed.then(|| render::drift(&outcome.note, outcome.output.as_deref(), work.run_url));
        match outcome.status {
            Status::Success | Status::Skipped | Status::Failure => {
                Ok(work.dashboard.forge.issue(&title, body.as_deref())?)
            }
            Status::Pending | Status::Running | Status::Dropped => Ok(()),
        }
    });
    if let Err(broken) = told {
        console::warning(&format!("the issue could not be kept: {}", broken.message));
    }
}
