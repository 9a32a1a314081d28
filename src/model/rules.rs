//! The valid configuration: what `ci.toml` means, with the places where it says so.

mod handler;
mod test;

use std::collections::HashSet;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::pattern::{Pattern, Wildcard};
use super::span::{At, Source, Span};

pub(crate) use handler::{Checkout, Handler, Kind, Step, Unlock, held_to};
pub(crate) use test::{Expect, Persona, Test, TestInput};

/// A table of named things, in the order of the file.
pub(crate) type Table<T> = IndexMap<String, T>;

/// Everything that `ci.toml` says, checked: each name that refers to something refers to something that is there.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    pub(crate) source: Source,
    pub(crate) dashboard: Dashboard,
    /// Globs over names of environment variables whose values are secrets.
    pub(crate) redact: Vec<Wildcard>,
    pub(crate) layers: Table<Layer>,
    pub(crate) stages: Table<Stage>,
    pub(crate) commands: Table<Command>,
    pub(crate) gates: Table<Gate>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) handlers: Table<Handler>,
    pub(crate) tests: Vec<Test>,
}

/// `[dashboard]`.
#[derive(Debug, Clone)]
pub(crate) struct Dashboard {
    pub(crate) marker: String,
    pub(crate) title: String,
    /// Commit statuses are named `CONTEXT/ROW`, those of one layer of a row `CONTEXT/ROW/LAYER`; `CONTEXT/dashboard` says how
    /// all stands, and is the one to require for merging.
    pub(crate) context: String,
    pub(crate) authors: Vec<String>,
    pub(crate) old_commits: OldCommits,
    /// The most lines of history that the comment shows.
    pub(crate) history: usize,
}

/// What becomes of the dashboards of earlier commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum OldCommits {
    /// They are hidden as outdated.
    #[default]
    Minimize,
    /// They stay as they are.
    Keep,
}

/// A template as it stands in a value of ci.toml, e.g. `{{ pr.head.sha }}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template {
    pub(crate) source: String,
    pub(crate) span: Span,
}

/// An expression as it stands in an `if`, e.g. `args.action == 'plan'`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Condition {
    pub(crate) source: String,
    pub(crate) span: Span,
}

/// `[layers.KEY]`.
#[derive(Debug, Clone)]
pub(crate) struct Layer {
    pub(crate) key: At<String>,
    pub(crate) name: String,
    /// Relative to the work tree, without a `/` at its end.
    pub(crate) dir: At<String>,
    /// Empty where none is given.
    pub(crate) engine: String,
    pub(crate) paths: Vec<Wildcard>,
    pub(crate) after: Vec<At<String>>,
    /// Handler to gate: held to that gate as well.
    pub(crate) gates: Table<At<String>>,
    pub(crate) vars: Table<String>,
}

/// `[stages.KEY]`: a row of the dashboard, or one row a layer.
#[derive(Debug, Clone)]
pub(crate) struct Stage {
    pub(crate) key: At<String>,
    /// The row's title, over `layer` where `each`.
    pub(crate) name: Template,
    /// `each = "layer"`: one row for each layer.
    pub(crate) each: bool,
    pub(crate) after: Vec<At<String>>,
    pub(crate) optional: bool,
    pub(crate) show: Show,
    /// Whether its work changes nothing, where ci.toml says so.
    pub(crate) read_only: Option<bool>,
}

/// What the work of a stage does to the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It only looks, as a plan does: of what it finds its latest word counts.
    Looks,
    /// It only looks whether all is as it should be. That it is says nothing of what there is to do after it.
    Checks,
    /// It changes something.
    Changes,
    /// Nothing says.
    Unknown,
}

impl Effect {
    /// Whether it is known to change nothing.
    pub(crate) fn is_read_only(self) -> bool {
        matches!(self, Self::Looks | Self::Checks)
    }
}

/// When a row is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Show {
    /// From the first moment on, as pending.
    #[default]
    Always,
    /// Only once something was reported for it.
    WhenReported,
}

/// `[commands.KEY]`.
#[derive(Debug, Clone)]
pub(crate) struct Command {
    pub(crate) key: At<String>,
    pub(crate) pattern: Pattern,
    pub(crate) help: String,
    /// The line that people see, `/KEY` where none is given.
    pub(crate) usage: String,
    /// One for each named group of the pattern.
    pub(crate) args: Table<Arg>,
}

/// `args.NAME` of a command.
#[derive(Debug, Clone, Default)]
pub(crate) struct Arg {
    pub(crate) kind: ArgKind,
    pub(crate) default: Option<String>,
}

impl Arg {
    /// Whether it names layers.
    pub(crate) fn of_layers(&self) -> bool {
        matches!(self.kind, ArgKind::Layer | ArgKind::Layers)
    }
}

impl Command {
    /// Whether an argument of it names layers.
    pub(crate) fn takes_layers(&self) -> bool {
        self.args.values().any(Arg::of_layers)
    }
}

/// What an argument may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ArgKind {
    /// Letters, digits and `._/@-`, not beginning with `-`.
    #[default]
    Word,
    /// The name of one layer.
    Layer,
    /// Names of layers, with spaces or commas between them; `all` and `planned` are understood too.
    Layers,
    /// A whole number.
    Number,
}

/// What a person may do in the repository, by `GET /repos/{owner}/{repo}/collaborators/{username}/permission`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Permission {
    /// Nothing: not even reading.
    None,
    /// May read and comment.
    Read,
    /// May manage issues and pull requests.
    Triage,
    /// May push.
    Write,
    /// May manage the repository, without dangerous actions.
    Maintain,
    /// May do all.
    Admin,
}

impl Permission {
    /// The word that ci.toml and GitHub use.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Read => "read",
            Self::Triage => "triage",
            Self::Write => "write",
            Self::Maintain => "maintain",
            Self::Admin => "admin",
        }
    }
}

/// `[gates.KEY]`: all that stands must hold.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    pub(crate) key: At<String>,
    pub(crate) permission: Option<Permission>,
    pub(crate) users: Vec<String>,
    /// `ORG/TEAM`.
    pub(crate) teams: Vec<String>,
    pub(crate) approvals: u32,
    pub(crate) checks: Option<Checks>,
    pub(crate) mergeable: bool,
    pub(crate) up_to_date: bool,
    /// A stage that must have succeeded for this commit and layer.
    pub(crate) planned: Option<At<String>>,
    /// Whether pull requests from forks pass.
    pub(crate) forks: bool,
}

/// Which checks of the head commit must have succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Checks {
    /// Every one but our own.
    Green,
    /// Those named.
    Named(Vec<String>),
}

/// `[[rules]]`.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    /// The whole entry.
    pub(crate) span: Span,
    /// Names of events; empty for a rule with `command`.
    pub(crate) on: Vec<At<String>>,
    pub(crate) command: Option<At<String>>,
    pub(crate) types: Option<At<Vec<String>>>,
    pub(crate) branches: Option<At<Vec<Wildcard>>>,
    pub(crate) paths: Option<At<Vec<Wildcard>>>,
    pub(crate) labels: Option<At<Vec<String>>>,
    pub(crate) draft: Option<At<bool>>,
    pub(crate) fork: Option<At<bool>>,
    pub(crate) condition: Option<Condition>,
    pub(crate) layers: Option<At<Select>>,
    pub(crate) gate: Option<At<GateRef>>,
    pub(crate) action: Action,
}

/// Which layers a run is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Select {
    /// Every layer.
    All,
    /// Those whose `paths` match a changed file.
    Changed,
    /// Those whose plan succeeded for this commit.
    Planned,
    /// Those named.
    Named(Vec<String>),
}

/// The gate of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum GateRef {
    /// `gate = "anyone"`: nothing is asked, on purpose.
    Anyone,
    /// A gate of ci.toml.
    Named(String),
}

/// What a rule does.
#[derive(Debug, Clone)]
pub(crate) enum Action {
    /// Runs handlers, in order.
    Run(Vec<At<String>>),
    /// Is read as a command line.
    Say(Template),
}

/// The stage that plans, where nothing says that another does.
pub(crate) const PLAN: &str = "plan";

/// The stage that applies, where nothing says that it does not.
pub(crate) const APPLY: &str = "apply";

impl Rules {
    /// The ids of the rows of a stage: one, or one a layer.
    pub(crate) fn rows_of_stage(&self, stage: &str) -> Vec<String> {
        match self.stages.get(stage) {
            Some(found) if found.each => self.layers.keys().map(|layer| format!("{stage}-{layer}")).collect(),
            Some(_) => vec![stage.to_owned()],
            None => Vec::new(),
        }
    }

    /// What the work of a stage does: what `read-only` says; else what its handlers tell; else the names `plan` and `apply`.
    pub(crate) fn effect(&self, stage: &str) -> Effect {
        let read_only = self.stages.get(stage).and_then(|stage| stage.read_only);
        let working: Vec<&Handler> = self.working_for(stage).collect();
        let all = |does: fn(&Handler) -> bool| !working.is_empty() && working.iter().all(|handler| does(handler));
        // A plan may lock what is held to it.
        let is_held_to = |handler: &Handler| handler.matched().any(|held| held.value == stage);
        let acts = |handler: &&Handler| {
            handler.held_to().is_some() || (handler.lock && !self.handlers.values().any(is_held_to))
        };
        if read_only == Some(false) || (read_only.is_none() && working.iter().any(acts)) {
            Effect::Changes
        } else if all(|handler| handler.fail_on_changed && handler.record.is_none()) {
            Effect::Checks
        } else if read_only.is_some()
            || stage == PLAN
            || all(|handler| handler.fail_on_changed || handler.record.is_some())
        {
            Effect::Looks
        } else if stage == APPLY {
            Effect::Changes
        } else {
            Effect::Unknown
        }
    }

    /// The stages that one comes after: by its `after`, and since its work is held to what they recorded.
    pub(crate) fn before<'r>(&'r self, stage: &'r Stage) -> Vec<&'r At<String>> {
        let mut before: Vec<&At<String>> = stage.after.iter().collect();
        for held in self.working_for(&stage.key.value).flat_map(Handler::matched) {
            if held.value != stage.key.value && before.iter().all(|known| known.value != held.value) {
                before.push(held);
            }
        }
        before
    }

    /// Whether a stage comes after another, directly or through others.
    pub(crate) fn comes_after(&self, stage: &str, first: &str) -> bool {
        self.behind(stage, |_| true).contains(&first)
    }

    /// Whether a stage comes after what only looks as a plan does, directly or through what is known to check or change something.
    pub(crate) fn follows_a_plan(&self, stage: &str) -> bool {
        let passes = |effect| matches!(effect, Effect::Checks | Effect::Changes);
        self.behind(stage, |between| passes(self.effect(between))).iter().any(|key| self.effect(key) == Effect::Looks)
    }

    /// The stages that one comes after, directly or through those that let it through.
    fn behind(&self, stage: &str, passes: impl Fn(&str) -> bool) -> HashSet<&str> {
        let before = |key: &str| self.stages.get(key).map(|stage| self.before(stage)).unwrap_or_default();
        let mut behind = HashSet::new();
        let mut open = before(stage);
        while let Some(key) = open.pop() {
            if behind.insert(&*key.value) && passes(&key.value) {
                open.extend(before(&key.value));
            }
        }
        behind
    }

    /// Whether a handler's work is known to change something.
    pub(crate) fn changes(&self, handler: &Handler) -> bool {
        let locks = handler.lock || handler.held_to().is_some();
        handler.stage.as_ref().map_or(locks, |stage| self.effect(&stage.value) == Effect::Changes)
    }

    /// The stage to whose record all is held that does a stage's work.
    pub(crate) fn held_to(&self, stage: &str) -> Option<&str> {
        let mut stages = self.working_for(stage).map(|handler| handler.held_to().map(|stage| stage.value.as_str()));
        let first = stages.next()??;
        stages.all(|other| other == Some(first)).then_some(first)
    }

    /// The handlers that do a stage's work, and do not only report it.
    pub(crate) fn working_for<'r>(&'r self, stage: &str) -> impl Iterator<Item = &'r Handler> {
        self.handlers.values().filter(move |handler| handler.works_for(stage))
    }
}
