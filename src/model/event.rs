//! A webhook event as GitHub delivers it: its name, its payload, and what every part of the tool asks of it. Payloads
//! are read tolerantly: what is missing or of another shape is absent, never an error.
//! See <https://docs.github.com/en/webhooks/webhook-events-and-payloads>.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ids::{PullNumber, RunId, Sha};

/// The name of what is no event of GitHub's: a command typed at a command line.
pub(crate) const COMMAND_LINE: &str = "command_line";

/// An event.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    /// `GITHUB_EVENT_NAME`, e.g. `issue_comment`.
    pub(crate) name: String,
    pub(crate) payload: Value,
}

/// A pull request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pull {
    pub(crate) number: PullNumber,
    pub(crate) head_sha: Sha,
    pub(crate) head_ref: String,
    pub(crate) base_ref: String,
    pub(crate) author: String,
    #[serde(default)]
    pub(crate) draft: bool,
    /// Whether the head is in another repository.
    #[serde(default)]
    pub(crate) fork: bool,
    #[serde(default)]
    pub(crate) closed: bool,
    #[serde(default)]
    pub(crate) merged: bool,
    #[serde(default)]
    pub(crate) labels: Vec<String>,
}

/// The comment of an `issue_comment` event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Comment {
    pub(crate) id: u64,
    pub(crate) body: String,
    pub(crate) author: String,
    /// Whether the author is an app or a bot.
    pub(crate) bot: bool,
    /// What the comment said before it was edited.
    pub(crate) before: Option<String>,
    pub(crate) url: String,
}

/// The run of a `workflow_run` event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WorkflowRun {
    pub(crate) id: RunId,
    pub(crate) url: String,
    /// Its conclusion, in GitHub's words; `None` while it has not ended.
    pub(crate) conclusion: Option<String>,
    /// The commit that it ran for: of a comment's, that is the tip of the default branch.
    pub(crate) sha: Sha,
    /// The repository whose code it ran, `owner/name`; a fork's is another.
    pub(crate) head_repository: Option<String>,
    /// The event that started it.
    pub(crate) event: String,
    /// When this attempt began.
    pub(crate) since: Option<Timestamp>,
    /// When it ended, where it has.
    pub(crate) until: Option<Timestamp>,
    /// The pull requests whose head it ran for.
    pub(crate) pulls: Vec<PullNumber>,
}

impl Pull {
    /// Reads GitHub's description, as payloads and the REST API have it. `None` of one without a number or a head.
    pub(crate) fn read(pull: &Value) -> Option<Self> {
        let text = |pointer: &str| pull.pointer(pointer).and_then(Value::as_str);
        let flag = |key: &str| pull.get(key).and_then(Value::as_bool).unwrap_or(false);
        Some(Self {
            number: PullNumber(pull.get("number")?.as_u64()?),
            head_sha: Sha::parse(text("/head/sha")?)?,
            head_ref: text("/head/ref").unwrap_or_default().to_owned(),
            base_ref: text("/base/ref").unwrap_or_default().to_owned(),
            author: text("/user/login").unwrap_or_default().to_owned(),
            draft: flag("draft"),
            // A head whose repository is gone (null) was a fork too.
            fork: text("/head/repo/full_name") != text("/base/repo/full_name"),
            closed: text("/state") == Some("closed"),
            // Lists say only when.
            merged: flag("merged") || text("/merged_at").is_some(),
            labels: pull.get("labels").map(labels).unwrap_or_default(),
        })
    }
}

/// The names of labels.
fn labels(list: &Value) -> Vec<String> {
    let names = list.as_array().into_iter().flatten().filter_map(|label| label.get("name").and_then(Value::as_str));
    names.map(str::to_owned).collect()
}

impl Event {
    pub(crate) fn new(name: impl Into<String>, payload: Value) -> Self {
        Self { name: name.into(), payload }
    }

    /// The payload's value at a JSON pointer.
    pub(crate) fn at(&self, pointer: &str) -> Option<&Value> {
        self.payload.pointer(pointer)
    }

    /// The text at a JSON pointer.
    pub(crate) fn text(&self, pointer: &str) -> Option<&str> {
        self.at(pointer).and_then(Value::as_str)
    }

    /// The key of an object that the payload of this event always has and that is missing here, so that it is none. Of
    /// events that are not named here nothing is asked: GitHub may send others tomorrow.
    pub(crate) fn lacks(&self) -> Option<&'static str> {
        let always: &[&str] = match self.name.as_str() {
            "issue_comment" => &["issue", "comment"],
            "pull_request" | "pull_request_target" | "pull_request_review_thread" => &["pull_request"],
            "pull_request_review" => &["pull_request", "review"],
            "pull_request_review_comment" => &["pull_request", "comment"],
            "workflow_run" => &["workflow_run"],
            _ => &[],
        };
        always.iter().copied().find(|key| !self.payload.get(key).is_some_and(Value::is_object))
    }

    /// The kind of activity, e.g. `opened`.
    pub(crate) fn action(&self) -> Option<&str> {
        self.text("/action")
    }

    /// Who caused the event.
    pub(crate) fn sender(&self) -> Option<&str> {
        self.text("/sender/login")
    }

    /// `owner/name`.
    pub(crate) fn repository(&self) -> Option<&str> {
        self.text("/repository/full_name")
    }

    /// The pull request as the payload describes it. `issue_comment` events name only its number.
    pub(crate) fn pull(&self) -> Option<Pull> {
        Pull::read(self.at("/pull_request")?)
    }

    /// A pull request as far as an `issue_comment` tells of the one that it stands on, which it describes as an issue,
    /// without head and base: `assumed` is what the rest is taken to be.
    pub(crate) fn pull_of_issue(&self, assumed: Pull) -> Pull {
        let Some(issue) = self.at("/issue") else { return assumed };
        Pull {
            author: self.text("/issue/user/login").map_or(assumed.author, str::to_owned),
            draft: issue.get("draft").and_then(Value::as_bool).unwrap_or(assumed.draft),
            closed: self.text("/issue/state").map_or(assumed.closed, |state| state == "closed"),
            merged: assumed.merged || self.text("/issue/pull_request/merged_at").is_some(),
            labels: issue.get("labels").map_or(assumed.labels, labels),
            ..assumed
        }
    }

    /// Whether the pull request that a comment stands on was closed then.
    pub(crate) fn is_on_closed(&self) -> bool {
        self.text("/issue/state") == Some("closed")
    }

    /// The number of the pull request that the event is about.
    pub(crate) fn pull_number(&self) -> Option<PullNumber> {
        let number = |pointer: &str| self.at(pointer).and_then(Value::as_u64);
        let issue =
            || self.at("/issue/pull_request").filter(|link| !link.is_null()).and_then(|_| number("/issue/number"));
        number("/pull_request/number").or_else(issue).map(PullNumber)
    }

    /// Whether a person asks: in a comment, by a button, or at a command line.
    pub(crate) fn by_person(&self) -> bool {
        ["issue_comment", "workflow_dispatch", COMMAND_LINE].contains(&self.name.as_str())
    }

    /// The comment of an `issue_comment` event on a pull request.
    pub(crate) fn comment(&self) -> Option<Comment> {
        if self.name != "issue_comment" {
            return None;
        }
        self.pull_number()?;
        let comment = self.at("/comment")?;
        let text = |pointer: &str| comment.pointer(pointer).and_then(Value::as_str);
        let author = text("/user/login")?.to_owned();
        Some(Comment {
            id: comment.get("id")?.as_u64()?,
            body: text("/body").unwrap_or_default().to_owned(),
            bot: text("/user/type") == Some("Bot") || author.ends_with("[bot]"),
            author,
            before: self.text("/changes/body/from").map(str::to_owned),
            url: text("/html_url").unwrap_or_default().to_owned(),
        })
    }

    /// The run of a `workflow_run` event.
    pub(crate) fn workflow_run(&self) -> Option<WorkflowRun> {
        if self.name != "workflow_run" {
            return None;
        }
        let run = self.at("/workflow_run")?;
        let text = |pointer: &str| run.pointer(pointer).and_then(Value::as_str);
        let attempt = run.get("run_attempt").and_then(Value::as_u64).and_then(|attempt| attempt.try_into().ok());
        let pulls = run.get("pull_requests").and_then(Value::as_array);
        let time = |pointer: &str| text(pointer).and_then(|text| text.parse().ok());
        Some(WorkflowRun {
            id: RunId { id: run.get("id")?.as_u64()?, attempt: attempt.unwrap_or(1) },
            url: text("/html_url").unwrap_or_default().to_owned(),
            conclusion: text("/conclusion").map(str::to_owned),
            sha: Sha::parse(text("/head_sha")?)?,
            head_repository: text("/head_repository/full_name").map(str::to_owned),
            event: text("/event").unwrap_or_default().to_owned(),
            since: time("/run_started_at").or_else(|| time("/created_at")),
            until: time("/updated_at").filter(|_| text("/conclusion").is_some()),
            pulls: pulls
                .into_iter()
                .flatten()
                .filter_map(|pull| pull.get("number").and_then(Value::as_u64).map(PullNumber))
                .collect(),
        })
    }

    /// The commit that the event is about, where the payload names one.
    pub(crate) fn sha(&self) -> Option<Sha> {
        self.pull().map(|pull| pull.head_sha).or_else(|| {
            [
                "/after",
                "/workflow_run/head_sha",
                "/check_run/head_sha",
                "/check_suite/head_sha",
                "/sha",
                "/deployment/sha",
            ]
            .iter()
            .find_map(|pointer| Sha::parse(self.text(pointer)?))
        })
    }

    /// The branch that `branches` of a rule is compared with: a pull request's base, a push's branch, a workflow run's
    /// head branch.
    pub(crate) fn branch(&self) -> Option<&str> {
        self.text("/pull_request/base/ref")
            .or_else(|| self.text("/workflow_run/head_branch"))
            .or_else(|| self.text("/ref").map(|name| name.strip_prefix("refs/heads/").unwrap_or(name)))
    }

    /// The inputs of a `workflow_dispatch`.
    pub(crate) fn inputs(&self) -> Option<&serde_json::Map<String, Value>> {
        self.at("/inputs").and_then(Value::as_object)
    }
}
