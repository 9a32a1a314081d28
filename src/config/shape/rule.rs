//! `[[rules]]` as it is written.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Given, Texts};
use crate::model::span::At;

/// A rule: on an event or a command, under conditions, a handler is run or a command is said.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(extend("allOf" = [
    { "oneOf": [{ "required": ["on"] }, { "required": ["command"] }] },
    { "oneOf": [{ "required": ["run"] }, { "required": ["say"] }] },
]))]
pub(in crate::config) struct Rule {
    /// The event, or a list of events, by GitHub's names, such as `pull_request`.
    #[serde(default)]
    pub(in crate::config) on: Given<Texts>,
    /// The command that it answers, instead of an event.
    #[serde(default)]
    pub(in crate::config) command: Given<At<String>>,
    /// Kinds of activity, the payload's `action`, such as `["opened", "synchronize"]`. Default: any.
    #[serde(default)]
    pub(in crate::config) types: Given<At<Vec<Given<At<String>>>>>,
    /// Globs over the branch: a pull request's base, a push's branch, a workflow run's head branch. Default: any.
    #[serde(default)]
    pub(in crate::config) branches: Given<At<Vec<Given<At<String>>>>>,
    /// Globs over paths, one of which a changed file must match. Default: any.
    #[serde(default)]
    pub(in crate::config) paths: Given<At<Vec<Given<At<String>>>>>,
    /// Labels, one of which the pull request must have. Default: any.
    #[serde(default)]
    pub(in crate::config) labels: Given<At<Vec<Given<At<String>>>>>,
    /// Whether the pull request must be a draft, or must be none. Default: either.
    #[serde(default)]
    pub(in crate::config) draft: Given<At<bool>>,
    /// Whether the pull request must come from a fork, or must not. Default: either.
    #[serde(default)]
    pub(in crate::config) fork: Given<At<bool>>,
    /// An expression that must hold, such as `args.action == 'plan'`. What is missing below `event` is false.
    #[serde(default, rename = "if")]
    pub(in crate::config) condition: Given<At<String>>,
    /// The layers that it is about: `all`, `changed` (their `paths` match a changed file, or the pull request applied them
    /// already), `planned` (their plan succeeded for this commit), or a list of layers. A `layers` argument of the command
    /// goes first. Default: `all`.
    #[serde(default)]
    #[schemars(schema_with = "super::selection")]
    pub(in crate::config) layers: Given<Texts>,
    /// The gate that it is held to, or `anyone` where everybody may, on purpose.
    #[serde(default)]
    pub(in crate::config) gate: Given<At<String>>,
    /// The handler, or a list of handlers in their order: each waits for the one before it to succeed, so what is
    /// delegated or dispatched comes last.
    #[serde(default)]
    pub(in crate::config) run: Given<Texts>,
    /// A command line that is said instead, a template, such as `/plan {{ inputs.layers }}`.
    #[serde(default)]
    pub(in crate::config) say: Given<At<String>>,
}
