//! Exactly what stands in a ci.toml, key by key. The doc comments are the descriptions of the JSON schema and the
//! reference; what the values mean together is not known here.

mod handler;
mod rule;
pub(super) mod test;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

pub(super) use super::read::{Given, Named, Node, Texts, Tree};
use crate::model::rules::{ArgKind, OldCommits, Permission, Show};
use crate::model::span::At;
pub(super) use handler::{Handler, Step};
pub(super) use rule::Rule;
pub(super) use test::Test;

/// What people's own names look like, so that they can stand in outputs, refs and commit statuses.
const NAME: &str = "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$";

/// A pipeline for `ci`: its layers, stages, commands, gates, rules and handlers.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct File {
    /// The version of the language that the file is written in: `1`.
    #[schemars(range(min = 1, max = 1))]
    pub(super) version: Given<u32>,
    /// Globs over names of environment variables whose values are secrets: they are hidden in all that steps print,
    /// capture and return. Default: `["*TOKEN*", "*SECRET*", "*PASSWORD*", "*_KEY"]`.
    #[serde(default)]
    pub(super) redact: Given<Vec<Given<At<String>>>>,
    /// The folder of templates that replace or add to the built-in ones, relative to ci.toml. Default: `templates`, if
    /// it is there.
    #[serde(default)]
    pub(super) templates: Given<At<String>>,
    /// How the dashboard looks, and whose entries count.
    #[serde(default)]
    pub(super) dashboard: Given<Dashboard>,
    /// What is deployed, lowest first. The key is the layer's name in commands and rows.
    #[serde(default)]
    #[schemars(extend("propertyNames" = { "pattern": NAME }))]
    pub(super) layers: Given<Named<Layer>>,
    /// The rows of the dashboard, in this order. The key is the row's name in `ci update --stage`.
    #[serde(default)]
    #[schemars(extend("propertyNames" = { "pattern": NAME }))]
    pub(super) stages: Given<Named<Stage>>,
    /// What people may write in a comment. The key is the command's name in rules.
    #[serde(default)]
    #[schemars(extend("propertyNames" = { "pattern": NAME }))]
    pub(super) commands: Given<Named<Command>>,
    /// Who may, and what must hold. The key is the gate's name in rules.
    #[serde(default)]
    #[schemars(extend("propertyNames" = { "pattern": NAME }))]
    pub(super) gates: Given<Named<Gate>>,
    /// What happens on which event or command: of all that match, the first.
    #[serde(default)]
    pub(super) rules: Given<Vec<At<Given<Rule>>>>,
    /// What is done. The key is the handler's name in rules.
    #[serde(default)]
    #[schemars(extend("propertyNames" = { "pattern": NAME }))]
    pub(super) handlers: Given<Named<Handler>>,
    /// Cases that the rules must decide as they say, run by `ci test` and `ci check-config`.
    #[serde(default)]
    pub(super) tests: Given<Vec<At<Given<Test>>>>,
}

/// How the dashboard looks, and whose entries count.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Dashboard {
    /// The word in the hidden first line of the comment, `<!-- MARKER:FULL_SHA -->`. Default: `infra-dashboard`.
    #[serde(default)]
    pub(super) marker: Given<At<String>>,
    /// The heading. Default: `⚙️ Commit Dashboard`.
    #[serde(default)]
    pub(super) title: Given<At<String>>,
    /// Commit statuses are named `CONTEXT/ROW`, those of one layer of a row `CONTEXT/ROW/LAYER`; `CONTEXT/dashboard` says how
    /// all stands, and is the one to require for merging. Default: `ci`.
    #[serde(default)]
    pub(super) context: Given<At<String>>,
    /// Logins whose journal entries and comments are ours, besides the token's own. Default:
    /// `["github-actions[bot]"]`.
    #[serde(default)]
    pub(super) authors: Given<Vec<Given<At<String>>>>,
    /// What becomes of the dashboards of earlier commits. Default: `minimize`.
    #[serde(default)]
    pub(super) old_commits: Given<OldCommits>,
    /// The most lines of history that the comment shows. Default: `50`.
    #[serde(default)]
    pub(super) history: Given<u32>,
}

/// A layer: something that is deployed on its own.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Layer {
    /// The layer's folder, relative to the root of the repository, such as `envs/prod/data`.
    pub(super) dir: Given<At<String>>,
    /// The program that deploys it, such as `terraform` or `terragrunt`: `{{ layer.engine }}` in handlers. Default:
    /// empty.
    #[serde(default)]
    pub(super) engine: Given<At<String>>,
    /// What people read. Default: the key.
    #[serde(default)]
    pub(super) name: Given<At<String>>,
    /// Globs over paths of files; a change of one changes the layer. Default: `["DIR/**"]`.
    #[serde(default)]
    pub(super) paths: Given<Vec<Given<At<String>>>>,
    /// The layers that this one waits for where they are in the same run, such as `["platform"]`.
    #[serde(default)]
    pub(super) after: Given<Vec<Given<At<String>>>>,
    /// Handlers and the gates that this layer's runs of them are held to as well, such as `{ apply = "production" }`.
    #[serde(default)]
    pub(super) gates: Given<Named<At<String>>>,
    /// Texts of your own: `{{ layer.vars.NAME }}` in handlers.
    #[serde(default)]
    pub(super) vars: Given<Named<At<String>>>,
}

/// A word, or a list of names.
fn words_or_list(words: &[&str]) -> Schema {
    json_schema!({ "anyOf": [{ "enum": words }, { "type": "array", "items": { "type": "string" } }] })
}

fn green_or_list(_: &mut SchemaGenerator) -> Schema {
    words_or_list(&["green"])
}

fn all_or_list(_: &mut SchemaGenerator) -> Schema {
    words_or_list(&["all"])
}

fn selection(_: &mut SchemaGenerator) -> Schema {
    words_or_list(&["all", "changed", "planned"])
}

/// The only word that `each` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Each {
    /// Once for each layer.
    Layer,
}

/// A stage: a row of the dashboard, or a row for each layer.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Stage {
    /// The row's title; a template over `layer` where `each`, such as `Plan: {{ layer }}`. Default: the row's name.
    #[serde(default)]
    pub(super) name: Given<At<String>>,
    /// `layer`: one row for each layer, named `STAGE-LAYER`. Without it layers share one row, which is green once each is
    /// done that reported to it or has something to do: by a stage in `after`, or, where none says which have, all of them.
    #[serde(default)]
    pub(super) each: Given<Each>,
    /// Stages before this one; the stage that a step of its work `matches` is one of them by itself. Where all of their rows were
    /// skipped for want of work, or found and changed nothing, this one is skipped too; where its work `matches` the record of
    /// one of them, that one decides. What was done before they found or made changes is to be done again: what a plan found
    /// reaches through a check between as far as the stage that applies it, and what was applied everything behind that.
    #[serde(default)]
    pub(super) after: Given<Vec<Given<At<String>>>>,
    /// Whether the board can be ready without it. Default: `false`.
    #[serde(default)]
    pub(super) optional: Given<bool>,
    /// When the row is shown. Default: `always`.
    #[serde(default)]
    pub(super) show: Given<Show>,
    /// Whether its work changes nothing, as that of a plan or of a check of policies. Of what it finds the last word counts: a
    /// plan without changes takes back what an earlier one found. What other work did stays done: an apply that is repeated with
    /// nothing left to do leaves the tests of the first to be made. Write `false` for an apply that others do. Default: `true`
    /// where all its handlers keep a `record` or have `fail-on-changed`, and of the stage `plan`; `false` where a step
    /// `matches` another stage, or where one has `lock` and nothing `matches` this one; else nobody knows, and check-config
    /// asks where it counts.
    #[serde(default)]
    pub(super) read_only: Given<bool>,
}

/// A command: a line that people may write in a comment.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Command {
    /// A regular expression that must match the whole line. Named groups are the arguments, such as
    /// `/plan(\s+(?<layers>.+))?`. It should begin with `/` and a letter: where the ci.toml that is checked out does not know a
    /// line, that of the base branch is read for it only where the line begins so.
    pub(super) pattern: Given<At<String>>,
    /// What it does, in a line, for the list of commands. Default: empty.
    #[serde(default)]
    pub(super) help: Given<At<String>>,
    /// How it is written, for the list of commands: `[…]` may be left out, `a|b` is a choice. Default: `/COMMAND`.
    #[serde(default)]
    pub(super) usage: Given<At<String>>,
    /// What the named groups of the pattern may hold. A group that is not named here is a `word` without a default; one called
    /// `layer` or `layers` says its type.
    #[serde(default)]
    pub(super) args: Given<Named<Arg>>,
}

/// An argument of a command.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Arg {
    /// What it may hold. Default: `word`.
    #[serde(default, rename = "type")]
    pub(super) kind: Given<ArgKind>,
    /// What it is where the line does not give it. Default: the empty text; for `layers`, what the rule says.
    #[serde(default)]
    pub(super) default: Given<At<String>>,
}

/// A gate: all that stands must hold, else the command is refused with the reason and the remedy.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Gate {
    /// The least that the person may do in the repository, as GitHub's permission endpoint says.
    #[serde(default)]
    pub(super) permission: Given<Permission>,
    /// Logins, one of which the person must have.
    #[serde(default)]
    pub(super) users: Given<Vec<Given<At<String>>>>,
    /// Teams, `ORG/TEAM`, one of which the person must be in. Needs a token that may read members, in
    /// `CI_MEMBERS_TOKEN`.
    #[serde(default)]
    pub(super) teams: Given<Vec<Given<At<String>>>>,
    /// How many people who may write, other than the author, must have approved the head commit. Default: `0`.
    #[serde(default)]
    pub(super) approvals: Given<u32>,
    /// Checks of the head commit that must be green: `green` for all but our own, or their names. None at all is
    /// green.
    #[serde(default)]
    #[schemars(schema_with = "green_or_list")]
    pub(super) checks: Given<Texts>,
    /// Whether the pull request must be free of conflicts. Default: `false`.
    #[serde(default)]
    pub(super) mergeable: Given<bool>,
    /// Whether the base must hold nothing new under the layer's paths. Default: `false`.
    #[serde(default)]
    pub(super) up_to_date: Given<bool>,
    /// A stage that must have succeeded for this commit and layer, such as `plan`, or whose steps found nothing left to do.
    #[serde(default)]
    pub(super) planned: Given<At<String>>,
    /// Whether pull requests from forks pass. They run nothing otherwise. Default: `false`.
    #[serde(default)]
    pub(super) forks: Given<bool>,
}
