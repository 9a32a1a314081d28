//! What the tests of this folder share: a world to run steps in, and steps to run. It holds no test.

use std::ffi::OsString;
use std::sync::Mutex;
use std::time::Duration;

use indexmap::IndexMap;
use tempfile::TempDir;

use super::cancel::Cancel;
use super::job::{Outcome, StepsJob, run_steps};
use super::redact::Redactor;
use super::{Console, Escalation, Exec, Grace};
use crate::expr::Scope;
use crate::model::pattern::Wildcard;
use crate::model::rules::{Checkout, Condition, Handler, Kind, Step, Template};
use crate::model::span::At;

/// Long enough that a test which needs all of it hangs visibly.
pub(super) const LONG: Duration = Duration::from_secs(600);

/// Keeps the lines, and calls `seen` for each.
pub(super) struct Collected {
    pub(super) lines: Mutex<Vec<String>>,
    seen: Box<dyn Fn(&str) + Sync>,
}

impl Console for Collected {
    fn begin(&self, label: &str, title: &str) {
        self.lines.lock().unwrap().push(format!("{label} > {title}"));
    }

    fn line(&self, label: &str, line: &str) {
        self.lines.lock().unwrap().push(format!("{label} | {line}"));
        (self.seen)(line);
    }

    fn end(&self, label: &str) {
        self.lines.lock().unwrap().push(format!("{label} <"));
    }
}

/// All that a handler needs around it.
pub(super) struct World {
    pub(super) root: TempDir,
    pub(super) cancel: Cancel,
    pub(super) console: Collected,
    pub(super) environment: Vec<(OsString, OsString)>,
    pub(super) grace: Grace,
    pub(super) scope: Scope,
    /// What every stage recorded.
    pub(super) recorded: Option<String>,
}

impl World {
    pub(super) fn new() -> Self {
        Self::seeing(|_| {})
    }

    pub(super) fn seeing(seen: impl Fn(&str) + Sync + 'static) -> Self {
        let slow = Escalation { interrupt: LONG, terminate: LONG };
        Self {
            root: tempfile::tempdir().unwrap(),
            cancel: Cancel::new(),
            console: Collected { lines: Mutex::new(Vec::new()), seen: Box::new(seen) },
            environment: vec![("PATH".into(), std::env::var_os("PATH").unwrap())],
            grace: Grace { timed_out: slow, cancelled: slow, drain: LONG },
            scope: Scope::default(),
            recorded: None,
        }
    }

    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.environment.push((name.into(), value.into()));
    }

    pub(super) fn run(&self, handler: &Handler) -> Outcome {
        let environment = self.environment.iter();
        let environment = environment.filter_map(|(n, v)| Some((n.to_str()?.to_owned(), v.to_str()?.to_owned())));
        let globs = [Wildcard::new("*TOKEN*").unwrap(), Wildcard::new("*SECRET*").unwrap()];
        let (redactor, _) = Redactor::new(&globs, environment, "").unwrap();
        let exec = Exec {
            redactor: &redactor,
            cancel: &self.cancel,
            console: &self.console,
            environment: &self.environment,
            grace: self.grace,
        };
        let job = StepsJob {
            label: "platform",
            handler,
            layer: None,
            root: self.root.path(),
            scope: self.scope.clone(),
            recorded: &|_| self.recorded.clone(),
            told: &|_| {},
            remedy: &|stage| Some(format!("/{stage} platform")),
        };
        run_steps(&job, &exec)
    }

    pub(super) fn lines(&self) -> Vec<String> {
        self.console.lines.lock().unwrap().clone()
    }
}

pub(super) fn template(source: &str) -> Template {
    Template { source: source.to_owned(), span: 0..0 }
}

pub(super) fn condition(source: &str) -> Condition {
    Condition { source: source.to_owned(), span: 0..0 }
}

pub(super) fn step(argv: &[&str]) -> Step {
    Step {
        run: argv.iter().map(|text| template(text)).collect(),
        dir: None,
        env: IndexMap::new(),
        ok: vec![0],
        changed: Vec::new(),
        output: false,
        capture: None,
        quiet: false,
        timeout: None,
        condition: None,
        matches: None,
        token: false,
        oidc: false,
    }
}

pub(super) fn sh(script: &str) -> Step {
    step(&["sh", "-c", script])
}

pub(super) fn handler(steps: Vec<Step>) -> Handler {
    Handler {
        key: At::new("apply".to_owned(), 0..0),
        kind: Kind::Steps(steps),
        stage: Some(At::new("apply".to_owned(), 0..0)),
        each: true,
        dir: template("."),
        env: IndexMap::new(),
        require_env: Vec::new(),
        timeout: LONG,
        lock: false,
        note: None,
        link: None,
        sha: None,
        record: None,
        issue: None,
        fail_on_changed: false,
        checkout: Checkout::Head,
        mode: None,
    }
}
