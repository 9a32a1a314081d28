//! Events, as GitHub delivers them.

use serde_json::{Value, json};

use super::state::{now, user};
use super::{GitHub, REPOSITORY, actions, comments, git, pulls};

/// An event: its name and its payload.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) name: &'static str,
    pub(crate) payload: Value,
}

impl GitHub {
    /// Somebody comments on a pull request.
    pub(crate) fn comment(&self, pull: u64, login: &str, body: &str) -> Event {
        let (comment, open) = self.state(|state| {
            let comment = state.comment_as(login, pull, body);
            (comments::shown(state, &comment), state.pull(pull).open)
        });
        let issue_state = if open { "open" } else { "closed" };
        let payload = json!({
            "action": "created", "comment": comment, "sender": user(login), "repository": repository(),
            "issue": { "number": pull, "state": issue_state, "title": "a change", "pull_request": { "url": "" } },
        });
        Event { name: "issue_comment", payload }
    }

    /// Something happens to a pull request: `opened`, `synchronize`, `closed`.
    pub(crate) fn pull_event(&self, pull: u64, action: &str) -> Event {
        let shown = self.state(|state| pulls::shown(state, &state.pulls[&pull]));
        let sender = shown["user"].clone();
        let payload = json!({
            "action": action, "number": pull, "pull_request": shown, "sender": sender, "repository": repository(),
        });
        Event { name: "pull_request", payload }
    }

    /// A commit comes to `main`.
    pub(crate) fn push_event(&self) -> Event {
        let after = git::tip(&self.bare(), "main");
        let payload = json!({
            "ref": "refs/heads/main", "after": after, "sender": user("alice"), "repository": repository(),
        });
        Event { name: "push", payload }
    }

    /// Somebody lets a run that ended run once more.
    pub(crate) fn run_again(&self, run: u64) {
        self.state(|state| {
            let run = state.runs.get_mut(&run).unwrap();
            run.earlier.extend(run.conclusion.take());
            run.updated_at = now();
        });
    }

    /// A workflow run ends.
    pub(crate) fn run_ends(&self, run: u64, conclusion: &str) -> Event {
        self.state(|state| state.end_run(run, conclusion));
        self.run_event(run, "completed")
    }

    /// Something happens to a workflow run: `requested`, `in_progress`.
    pub(crate) fn run_event(&self, run: u64, action: &str) -> Event {
        let run = self.state(|state| actions::shown(state, &state.runs[&run]));
        let payload = json!({
            "action": action, "workflow_run": run, "sender": user("alice"), "repository": repository(),
        });
        Event { name: "workflow_run", payload }
    }
}

fn repository() -> Value {
    json!({ "full_name": REPOSITORY, "default_branch": "main" })
}
