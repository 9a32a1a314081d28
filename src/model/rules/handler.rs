//! What is done: handlers, their kinds, and the steps of those that run processes.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Condition, Table, Template};
use crate::model::span::At;

/// `[handlers.KEY]`.
#[derive(Debug, Clone)]
pub(crate) struct Handler {
    pub(crate) key: At<String>,
    pub(crate) kind: Kind,
    /// The stage whose row it reports to.
    pub(crate) stage: Option<At<String>>,
    /// `each = "layer"`: one run for each layer.
    pub(crate) each: bool,
    pub(crate) dir: Template,
    pub(crate) env: Table<Template>,
    pub(crate) require_env: Vec<String>,
    pub(crate) timeout: Duration,
    pub(crate) lock: bool,
    pub(crate) note: Option<Template>,
    pub(crate) link: Option<Template>,
    pub(crate) sha: Option<Template>,
    /// The capture whose digest of changes is kept.
    pub(crate) record: Option<String>,
    pub(crate) issue: Option<Template>,
    pub(crate) fail_on_changed: bool,
    pub(crate) checkout: Checkout,
    /// The word that `ci parse` prints.
    pub(crate) mode: Option<String>,
}

impl Handler {
    /// Whether it does a stage's work, and does not only report it.
    pub(crate) fn works_for(&self, stage: &str) -> bool {
        self.stage.as_ref().is_some_and(|own| own.value == stage) && !matches!(self.kind, Kind::Report(_))
    }

    /// The stage whose record its steps are held to.
    pub(crate) fn held_to(&self) -> Option<&At<String>> {
        self.matched().next()
    }

    /// The stages whose records its steps are compared with.
    pub(crate) fn matched(&self) -> impl Iterator<Item = &At<String>> {
        let steps: &[Step] = match &self.kind {
            Kind::Steps(steps) => steps,
            Kind::Dispatch { .. } | Kind::Report(_) | Kind::Delegate(_) => &[],
            Kind::Reply(_) | Kind::Api { .. } | Kind::Unlock(_) => &[],
        };
        steps.iter().filter_map(|step| step.matches.as_ref())
    }
}

/// The stage whose record the steps of these handlers are held to.
pub(crate) fn held_to<'h>(handlers: &[&'h Handler]) -> Option<&'h str> {
    handlers.iter().find_map(|handler| handler.held_to()).map(|stage| stage.value.as_str())
}

/// Where steps run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Checkout {
    /// In a work tree of the head commit.
    #[default]
    Head,
    /// In the workspace as it stands.
    None,
}

/// How a handler does its work.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// Runs processes.
    Steps(Vec<Step>),
    /// Starts a workflow.
    Dispatch { workflow: String, reference: Option<Template>, inputs: Table<Template> },
    /// Takes a row's status from the event.
    Report(Template),
    /// Leaves the work to another job of the workflow.
    Delegate(String),
    /// Answers with a template.
    Reply(At<String>),
    /// One REST call. `body` is JSON whose texts are templates.
    Api { method: String, path: Template, body: Option<serde_json::Value> },
    /// Releases locks.
    Unlock(Unlock),
}

/// Which locks `unlock` releases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unlock {
    /// All of this pull request, or those of the layers that the command names.
    All,
    /// Those of the layers named here.
    Layers(Vec<String>),
}

/// One process of a handler.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) run: Vec<Template>,
    pub(crate) dir: Option<Template>,
    pub(crate) env: Table<Template>,
    /// Exit codes that mean success.
    pub(crate) ok: Vec<i32>,
    /// Exit codes that mean "there are changes"; they count as success.
    pub(crate) changed: Vec<i32>,
    pub(crate) output: bool,
    pub(crate) capture: Option<String>,
    pub(crate) quiet: bool,
    pub(crate) timeout: Option<Duration>,
    pub(crate) condition: Option<Condition>,
    /// The stage whose recorded digest the capture must have.
    pub(crate) matches: Option<At<String>>,
    pub(crate) token: bool,
    pub(crate) oidc: bool,
}

impl Kind {
    /// Whether it does something in the world that needs a gate: runs processes, starts workflows, calls the API.
    pub(crate) fn acts(&self) -> bool {
        match self {
            Self::Steps(_) | Self::Dispatch { .. } | Self::Delegate(_) | Self::Api { .. } => true,
            Self::Report(_) | Self::Reply(_) | Self::Unlock(_) => false,
        }
    }
}
