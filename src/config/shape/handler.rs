//! `[handlers.X]` as it is written.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Each, Given, Named, Node, Texts};
use crate::model::rules::Checkout;
use crate::model::span::At;

/// A handler: what is done. Exactly one of `steps`, `dispatch`, `report`, `delegate`, `reply`, `api` and `unlock` says
/// how.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(extend("oneOf" = [
    { "required": ["steps"] },
    { "required": ["dispatch"] },
    { "required": ["report"] },
    { "required": ["delegate"] },
    { "required": ["reply"] },
    { "required": ["api"] },
    { "required": ["unlock"] },
]))]
pub(in crate::config) struct Handler {
    /// Kind: processes, one after another.
    #[serde(default)]
    pub(in crate::config) steps: Given<Vec<At<Given<Step>>>>,
    /// Kind: a workflow file that is started, such as `e2e-tests.yml`. The row runs until that run reports or ends.
    #[serde(default)]
    pub(in crate::config) dispatch: Given<At<String>>,
    /// Kind: a status from the event for a row, a template, such as `{{ event.workflow_run.conclusion }}`. Where it comes
    /// to nothing, as while that run goes on, nothing is reported.
    #[serde(default)]
    pub(in crate::config) report: Given<At<String>>,
    /// Kind: another job of the workflow does it, such as `digger`; `ci update` reports, with `--changes` where it
    /// knows.
    #[serde(default)]
    pub(in crate::config) delegate: Given<At<String>>,
    /// Kind: a template that is posted as a comment, such as `help` for `templates/help.md.j2`.
    #[serde(default)]
    pub(in crate::config) reply: Given<At<String>>,
    /// Kind: one REST call below this repository, such as
    /// `POST /repos/{owner}/{repo}/pulls/{pr}/requested_reviewers`.
    #[serde(default)]
    pub(in crate::config) api: Given<At<String>>,
    /// Kind: releases locks: `all` of the pull request, or those of a list of layers. What a run under way holds stays.
    #[serde(default)]
    #[schemars(schema_with = "super::all_or_list")]
    pub(in crate::config) unlock: Given<Texts>,
    /// The stage whose rows it reports to.
    #[serde(default)]
    pub(in crate::config) stage: Given<At<String>>,
    /// `layer`: one run for each layer, lower layers first, with `layer` in its templates.
    #[serde(default)]
    pub(in crate::config) each: Given<Each>,
    /// The folder in which steps run, a template, relative to the work tree. Default: `.`.
    #[serde(default)]
    pub(in crate::config) dir: Given<At<String>>,
    /// Environment variables of the steps; the values are templates.
    #[serde(default)]
    pub(in crate::config) env: Given<Named<At<String>>>,
    /// Names of environment variables that must be set; all that are missing are named in one message.
    #[serde(default)]
    pub(in crate::config) require_env: Given<Vec<Given<At<String>>>>,
    /// The most time that a run may take, such as `90s`, `30m` or `1h30m`. Default: `1h`.
    #[serde(default)]
    pub(in crate::config) timeout: Given<At<String>>,
    /// Whether it takes its layers for the pull request, until that is merged or closed, or until `unlock`; where no step
    /// ran behind `matches`, until it ends. Default: `false`.
    #[serde(default)]
    pub(in crate::config) lock: Given<At<bool>>,
    /// What the row says after success, a template, such as `{{ plan | terraform_summary }}`.
    #[serde(default)]
    pub(in crate::config) note: Given<At<String>>,
    /// Where the row links to, a template. Default: the run.
    #[serde(default)]
    pub(in crate::config) link: Given<At<String>>,
    /// The commit that the status is for, a template. Default: the event's.
    #[serde(default)]
    pub(in crate::config) sha: Given<At<String>>,
    /// What is kept for a later `matches`, such as `{ changes = "plan" }`.
    #[serde(default)]
    pub(in crate::config) record: Given<At<Record>>,
    /// The title of an issue that is opened where there are changes, kept up to date, and closed when there are none; a
    /// template.
    #[serde(default)]
    pub(in crate::config) issue: Given<At<String>>,
    /// Whether changes fail the row, as drift does. That there are none says nothing of what there is to do after it. They do not
    /// keep the same handler from the layers above. Default: `false`.
    #[serde(default)]
    pub(in crate::config) fail_on_changed: Given<At<bool>>,
    /// Where steps run: in a work tree of the head commit, or in the workspace as it stands. Default: `head`.
    #[serde(default)]
    pub(in crate::config) checkout: Given<At<Checkout>>,
    /// The branch or tag on which `dispatch` starts the workflow, a template. Default: the head branch of the pull request,
    /// else the default branch.
    #[serde(default, rename = "ref")]
    pub(in crate::config) reference: Given<At<String>>,
    /// The inputs of `dispatch`; the values are templates.
    #[serde(default)]
    pub(in crate::config) inputs: Given<At<Named<At<String>>>>,
    /// The body of `api`; its texts are templates.
    #[serde(default)]
    pub(in crate::config) body: Given<Node>,
    /// The word by which jobs of the workflow know their work in the outputs `mode` and `modes`. Default: the delegate's
    /// name, else `run`.
    #[serde(default)]
    pub(in crate::config) mode: Given<At<String>>,
}

/// What a handler keeps for a later `matches`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(in crate::config) struct Record {
    /// The capture whose digest of changes is kept.
    pub(in crate::config) changes: Given<At<String>>,
}

/// A step: one process.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(in crate::config) struct Step {
    /// The program and its arguments, templates, without a shell, such as `["terraform", "init"]`.
    #[schemars(length(min = 1))]
    pub(in crate::config) run: Given<At<Vec<Given<At<String>>>>>,
    /// The folder in which it runs, a template, relative to the work tree. Default: the handler's.
    #[serde(default)]
    pub(in crate::config) dir: Given<At<String>>,
    /// Environment variables, beside the handler's; the values are templates.
    #[serde(default)]
    pub(in crate::config) env: Given<Named<At<String>>>,
    /// Exit codes that mean success. Default: `[0]`.
    #[serde(default)]
    pub(in crate::config) ok: Given<Vec<Given<At<i32>>>>,
    /// Exit codes that mean success with changes. Default: `[]`.
    #[serde(default)]
    pub(in crate::config) changed: Given<Vec<Given<At<i32>>>>,
    /// Whether what it prints is the output that people see; of a step that fails it is anyhow, unless `quiet`. Default: `false`.
    #[serde(default)]
    pub(in crate::config) output: Given<bool>,
    /// A name for all that it prints, as JSON when it is, in later steps and in `note`.
    #[serde(default)]
    pub(in crate::config) capture: Given<At<String>>,
    /// Whether what it prints is kept out of the log. Default: `false`.
    #[serde(default)]
    pub(in crate::config) quiet: Given<bool>,
    /// The most time that it may take, such as `5m`. Default: what is left of the handler's.
    #[serde(default)]
    pub(in crate::config) timeout: Given<At<String>>,
    /// An expression; where it does not hold, the step is left out.
    #[serde(default, rename = "if")]
    pub(in crate::config) condition: Given<At<String>>,
    /// A stage: the run goes on only if this step's capture has the digest of changes that was recorded there for this
    /// commit and layer.
    #[serde(default)]
    pub(in crate::config) matches: Given<At<String>>,
    /// Whether it sees `GITHUB_TOKEN` and `GH_TOKEN`. Default: `false`.
    #[serde(default)]
    pub(in crate::config) token: Given<bool>,
    /// Whether it sees the `ACTIONS_ID_TOKEN_*` variables, to log in to a cloud. Default: `false`.
    #[serde(default)]
    pub(in crate::config) oidc: Given<bool>,
}
