//! `[[tests]]` as it is written.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Given, Named};
use crate::model::rules::Permission;
use crate::model::span::At;

/// A test of the rules: what happens, who does it, and what must be decided.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(extend("oneOf" = [{ "required": ["comment"] }, { "required": ["event"] }]))]
pub(in crate::config) struct Test {
    /// What it shows, in a line.
    pub(in crate::config) name: Given<At<String>>,
    /// A comment on an open pull request, such as `/plan platform`.
    #[serde(default)]
    pub(in crate::config) comment: Given<At<String>>,
    /// Another event: `NAME`, `NAME.ACTION` such as `pull_request.opened`, or the path of a payload file whose name
    /// begins with the event's, such as `tests/events/push-tag.json`.
    #[serde(default)]
    pub(in crate::config) event: Given<At<String>>,
    /// The branch of the event: a pull request's base, a push's branch, a workflow run's head branch. Default: `main`.
    #[serde(default)]
    pub(in crate::config) branch: Given<At<String>>,
    /// The inputs of a `workflow_dispatch`, such as `{ command = "plan", layers = "platform" }`.
    #[serde(default)]
    pub(in crate::config) inputs: Given<Named<At<String>>>,
    /// Who acts, and what the gates find. What is not named holds.
    #[serde(default, rename = "as")]
    pub(in crate::config) persona: Given<Persona>,
    /// The paths of the files that are changed. Default: none.
    #[serde(default)]
    pub(in crate::config) changed: Given<Vec<Given<At<String>>>>,
    /// What must be decided. What is not named is not compared.
    pub(in crate::config) expect: Given<Expect>,
}

/// Who acts in a test, and what the gates find. What is not named holds.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(in crate::config) struct Persona {
    /// The person's login. Default: one that `users` of every gate holds.
    #[serde(default)]
    pub(in crate::config) login: Given<At<String>>,
    /// What the person may do in the repository. Default: `admin`.
    #[serde(default)]
    pub(in crate::config) permission: Given<Permission>,
    /// The teams that the person is in, `ORG/TEAM`. Default: those that are asked for.
    #[serde(default)]
    pub(in crate::config) teams: Given<Vec<Given<At<String>>>>,
    /// How many approvals the head commit has. Default: as many as are asked for.
    #[serde(default)]
    pub(in crate::config) approvals: Given<u32>,
    /// Whether the checks are green. Default: `true`.
    #[serde(default)]
    pub(in crate::config) checks: Given<bool>,
    /// Whether the pull request is free of conflicts. Default: `true`.
    #[serde(default)]
    pub(in crate::config) mergeable: Given<bool>,
    /// Whether the base holds nothing new under the layers' paths. Default: `true`.
    #[serde(default)]
    pub(in crate::config) up_to_date: Given<bool>,
    /// Whether the layers were planned for this commit. Default: `true`.
    #[serde(default)]
    pub(in crate::config) planned: Given<bool>,
    /// Whether the pull request comes from a fork. Default: `false`.
    #[serde(default)]
    pub(in crate::config) fork: Given<bool>,
}

/// What a test expects. What is not named is not compared.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(in crate::config) struct Expect {
    /// The handler that would run, or `none`.
    #[serde(default)]
    pub(in crate::config) handler: Given<At<String>>,
    /// The layers that it would run for, in their order.
    #[serde(default)]
    pub(in crate::config) layers: Given<Vec<Given<At<String>>>>,
    /// The rows that it would report to, such as `["plan-platform"]`.
    #[serde(default)]
    pub(in crate::config) stages: Given<Vec<Given<At<String>>>>,
    /// The reason code of the refusal, such as `permission`.
    #[serde(default)]
    pub(in crate::config) denied: Given<At<String>>,
}
