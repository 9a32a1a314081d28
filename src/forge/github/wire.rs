//! GitHub's answers as far as they are used. What is not named here is left unread; what may be missing is optional.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::model::ids::Sha;

/// Whoever did something. Accounts that are gone are `null` where they stood.
#[derive(Debug, Deserialize)]
pub(super) struct User {
    pub(super) login: String,
}

/// A commit status. See <https://docs.github.com/en/rest/commits/statuses>.
#[derive(Debug, Deserialize)]
pub(super) struct Status {
    pub(super) id: u64,
    /// One of four words; others would be skipped.
    pub(super) state: Value,
    #[serde(default)]
    pub(super) context: Option<String>,
    #[serde(default)]
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) target_url: Option<String>,
    pub(super) created_at: Timestamp,
    #[serde(default)]
    pub(super) creator: Option<User>,
}

/// A comment. See <https://docs.github.com/en/rest/issues/comments>.
#[derive(Debug, Deserialize)]
pub(super) struct Comment {
    pub(super) id: u64,
    #[serde(default)]
    pub(super) node_id: Option<String>,
    #[serde(default)]
    pub(super) body: Option<String>,
    #[serde(default)]
    pub(super) user: Option<User>,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
    #[serde(default)]
    pub(super) html_url: String,
    /// Ends in the number of the issue or pull request.
    #[serde(default)]
    pub(super) issue_url: String,
    /// Why it is hidden, where it is; servers of before 2026 do not tell.
    #[serde(default)]
    pub(super) minimized: Option<Value>,
}

/// A changed file of a pull request or a comparison.
#[derive(Debug, Deserialize)]
pub(super) struct File {
    pub(super) filename: String,
    /// Where it stood before it was renamed.
    #[serde(default)]
    pub(super) previous_filename: Option<String>,
}

/// See <https://docs.github.com/en/rest/commits/commits#compare-two-commits>.
#[derive(Debug, Deserialize)]
pub(super) struct Comparison {
    #[serde(default)]
    pub(super) files: Vec<File>,
    /// Where the two left one another.
    #[serde(default)]
    pub(super) merge_base_commit: Option<Object>,
}

/// Every file of a commit. See <https://docs.github.com/en/rest/git/trees>.
#[derive(Debug, Deserialize)]
pub(super) struct Tree {
    pub(super) tree: Vec<TreeEntry>,
    /// Whether there are more than GitHub lists.
    #[serde(default)]
    pub(super) truncated: bool,
}

/// A file or folder of a commit.
#[derive(Debug, Deserialize)]
pub(super) struct TreeEntry {
    pub(super) path: String,
    /// `tree` for folders.
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) mode: String,
    pub(super) sha: String,
}

/// See <https://docs.github.com/en/rest/pulls/reviews>.
#[derive(Debug, Deserialize)]
pub(super) struct Review {
    #[serde(default)]
    pub(super) user: Option<User>,
    pub(super) state: String,
    #[serde(default)]
    pub(super) commit_id: Option<Sha>,
    /// Missing while the review is being written.
    #[serde(default)]
    pub(super) submitted_at: Option<Timestamp>,
}

/// See <https://docs.github.com/en/rest/collaborators/collaborators#get-repository-permissions-for-a-user>.
#[derive(Debug, Deserialize)]
pub(super) struct Standing {
    /// `admin`, `write`, `read` or `none`.
    #[serde(default)]
    pub(super) permission: String,
    /// The finer role, or the name of one that an organisation made up.
    #[serde(default)]
    pub(super) role_name: String,
}

/// See <https://docs.github.com/en/rest/reactions/reactions>.
#[derive(Debug, Deserialize)]
pub(super) struct Reaction {
    pub(super) id: u64,
    pub(super) user: Option<User>,
}

/// See <https://docs.github.com/en/rest/teams/members#get-team-membership-for-a-user>.
#[derive(Debug, Deserialize)]
pub(super) struct Membership {
    /// `active`, or `pending` while an invitation is open.
    #[serde(default)]
    pub(super) state: String,
}

/// See <https://docs.github.com/en/rest/checks/runs>.
#[derive(Debug, Deserialize)]
pub(super) struct CheckRun {
    pub(super) name: String,
    #[serde(default)]
    pub(super) conclusion: Option<String>,
    /// A page of the workflow run, for those of GitHub Actions.
    #[serde(default)]
    pub(super) details_url: Option<String>,
}

/// A page of check runs.
#[derive(Debug, Deserialize)]
pub(super) struct CheckRuns {
    pub(super) check_runs: Vec<CheckRun>,
}

/// See <https://docs.github.com/en/rest/actions/workflow-runs>.
#[derive(Debug, Deserialize)]
pub(super) struct Run {
    pub(super) id: u64,
    /// `completed` at the end.
    #[serde(default)]
    pub(super) status: Option<String>,
    #[serde(default)]
    pub(super) conclusion: Option<String>,
    #[serde(default)]
    pub(super) html_url: String,
    #[serde(default)]
    pub(super) created_at: Option<Timestamp>,
    #[serde(default)]
    pub(super) updated_at: Option<Timestamp>,
    #[serde(default)]
    pub(super) actor: Option<User>,
}

/// A page of runs.
#[derive(Debug, Deserialize)]
pub(super) struct Runs {
    pub(super) workflow_runs: Vec<Run>,
}

/// What a dispatch answers under `return_run_details`.
#[derive(Debug, Deserialize)]
pub(super) struct Started {
    pub(super) workflow_run_id: u64,
    #[serde(default)]
    pub(super) html_url: String,
}

/// See <https://docs.github.com/en/rest/issues/issues>.
#[derive(Debug, Deserialize)]
pub(super) struct Issue {
    pub(super) number: u64,
    pub(super) title: String,
    #[serde(default)]
    pub(super) user: Option<User>,
    /// There for pull requests, which are listed among the issues.
    #[serde(default)]
    pub(super) pull_request: Option<Value>,
}

/// What a git reference points at.
#[derive(Debug, Deserialize)]
pub(super) struct Ref {
    #[serde(rename = "ref")]
    pub(super) name: String,
    pub(super) object: Object,
}

/// Something of git.
#[derive(Debug, Deserialize)]
pub(super) struct Object {
    pub(super) sha: Sha,
}

/// See <https://docs.github.com/en/rest/git/commits>.
#[derive(Debug, Deserialize)]
pub(super) struct Commit {
    pub(super) sha: Sha,
    pub(super) tree: Object,
    #[serde(default)]
    pub(super) message: String,
}
