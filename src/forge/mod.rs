//! Where pull requests, comments and commit statuses live: the trait that commands speak to, and its implementations.
//! A forge stores and answers; it decides nothing.

pub(crate) mod git;
pub(crate) mod github;
pub(crate) mod local;
mod retry;
mod secret;
pub(crate) mod worktree;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use indexmap::IndexMap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::event::Pull;
use crate::model::ids::{PullNumber, RunId, Sha};
use crate::model::journal::{NewStatus, StatusRecord};
use crate::model::rules::Permission;

pub(crate) use retry::Patience;
pub(crate) use secret::Secret;

/// Why a forge did not do what it was asked. Callers branch on the kind; the text is for people.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum Error {
    /// It is not there (404, 410).
    #[error("not found: {0}")]
    NotFound(String),
    /// The account may not (401, 403).
    #[error("not allowed: {0}")]
    Denied(String),
    /// A rate limit, until then.
    #[error("rate limited until {until}: {message}")]
    Limited { until: Timestamp, message: String },
    /// Somebody else was first (409).
    #[error("conflict: {0}")]
    Conflict(String),
    /// The request itself is wrong (422).
    #[error("refused as invalid: {0}")]
    Invalid(String),
    /// The forge is unwell (5xx), or its files are.
    #[error("the forge failed: {0}")]
    Server(String),
    /// It could not be reached.
    #[error("the forge could not be reached: {0}")]
    Transport(String),
    /// It was not asked: a program of this machine cannot do its part. The text says where and what to do.
    #[error("{0}")]
    Here(String),
}

impl Error {
    /// Whether the forge is unwell, so that asking again later may help.
    pub(crate) fn is_outage(&self) -> bool {
        matches!(self, Self::Server(_) | Self::Transport(_) | Self::Limited { .. })
    }
}

/// What a forge answers.
pub(crate) type Result<T> = std::result::Result<T, Error>;

/// How many requests may be under way side by side: GitHub holds more against a client.
const SIDE_BY_SIDE: usize = 8;

/// Asks two things at the same time.
pub(crate) fn both<A: Send, B>(one: impl FnOnce() -> A + Send, other: impl FnOnce() -> B) -> (A, B) {
    std::thread::scope(|threads| {
        let one = threads.spawn(one);
        let other = other();
        (one.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), other)
    })
}

/// Asks the same of many things, several at the same time; the answers stand in the order of the questions.
pub(crate) fn side_by_side<T: Sync, A: Send>(things: &[T], ask: impl Fn(&T) -> A + Sync) -> Vec<A> {
    let next = AtomicUsize::new(0);
    let take = || {
        let mut answers = Vec::new();
        while let Some((at, thing)) = {
            let at = next.fetch_add(1, Ordering::Relaxed);
            things.get(at).map(|thing| (at, thing))
        } {
            answers.push((at, ask(thing)));
        }
        answers
    };
    let mut answers = std::thread::scope(|threads| {
        let helpers: Vec<_> = (1..things.len().min(SIDE_BY_SIDE)).map(|_| threads.spawn(take)).collect();
        let mut answers = take();
        for helper in helpers {
            answers.extend(helper.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        answers
    });
    answers.sort_by_key(|(at, _)| *at);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

/// Whether a text that came back from a forge is this one: line ends and the end of it may come back differently.
pub(crate) fn same_text(back: &str, sent: &str) -> bool {
    let plain = |text: &str| text.replace("\r\n", "\n").trim_end().to_owned();
    plain(back) == plain(sent)
}

/// A comment on a pull request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PostedComment {
    pub(crate) id: u64,
    pub(crate) pull: PullNumber,
    pub(crate) author: String,
    pub(crate) body: String,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    /// Its page.
    pub(crate) url: String,
    #[serde(default)]
    pub(crate) minimized: bool,
}

/// A reaction to a comment. See <https://docs.github.com/en/rest/reactions/reactions>.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Reaction {
    /// 👀: seen.
    #[serde(rename = "eyes")]
    Eyes,
    /// 🚀: done.
    #[serde(rename = "rocket")]
    Rocket,
    /// 😕: not done.
    #[serde(rename = "confused")]
    Confused,
}

impl Reaction {
    /// As GitHub spells it.
    fn word(self) -> &'static str {
        match self {
            Self::Eyes => "eyes",
            Self::Rocket => "rocket",
            Self::Confused => "confused",
        }
    }
}

/// An approving or dismissing review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Review {
    pub(crate) author: String,
    /// `APPROVED`, `CHANGES_REQUESTED`, `COMMENTED`, `DISMISSED`.
    pub(crate) state: String,
    pub(crate) sha: Sha,
    pub(crate) submitted_at: Timestamp,
}

/// A check run or a commit status of the head commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Check {
    pub(crate) name: String,
    /// A check run's conclusion, or a status's state; `None` while it has not ended.
    pub(crate) conclusion: Option<String>,
    /// The workflow run that it belongs to.
    #[serde(default)]
    pub(crate) run: Option<u64>,
}

/// A workflow run that was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dispatched {
    /// Its id, where the forge tells.
    pub(crate) run: Option<RunId>,
    /// Its page.
    pub(crate) url: String,
}

/// ci.toml and its templates as they stand at the tip of a branch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Declared {
    /// The text of ci.toml; `None` where the branch has none.
    pub(crate) config: Option<String>,
    /// The templates by file name.
    pub(crate) templates: BTreeMap<String, String>,
}

/// Where git fetches the code of a commit from.
#[derive(Clone)]
pub(crate) struct Remote {
    /// The repository's address, without credentials.
    pub(crate) url: String,
    /// The value of the `Authorization` header; it goes to git through the environment alone.
    pub(crate) authorization: Option<Secret>,
    pub(crate) patience: Patience,
}

/// Who holds the lock of a layer. A pull request keeps its locks from work to work, but each takes them anew, so that it can
/// be told whether what holds them still works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lock {
    pub(crate) layer: String,
    pub(crate) pull: Option<PullNumber>,
    pub(crate) by: String,
    pub(crate) run: Option<RunId>,
    /// The work that holds it, as its entries in the journal name it. `None` once that has ended and the layer is held for
    /// the pull request alone.
    #[serde(default)]
    pub(crate) work: Option<String>,
    /// The commit that is applied, whose journal tells whether that began.
    #[serde(default)]
    pub(crate) sha: Option<Sha>,
    pub(crate) at: Timestamp,
    /// Whether the pull request changed the layer, or may have: then it is not abandoned when this work comes to nothing.
    #[serde(default)]
    pub(crate) applied: bool,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Conclusion {
    /// In GitHub's words.
    pub(crate) word: String,
    /// When, as far as the forge tells.
    pub(crate) at: Option<Timestamp>,
}

/// What came of asking for a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It is ours now, or was before.
    Ours,
    /// It is somebody else's.
    Held(Lock),
}

/// A forge.
pub(crate) trait Forge: Sync {
    /// What it is, for messages, e.g. ``the local forge in `.ci/forge` ``.
    fn describe(&self) -> String;
    /// `owner/name`.
    fn repository(&self) -> String;
    /// The login that our own writes carry.
    fn account(&self) -> Result<String>;
    /// The page of a run, for links.
    fn run_url(&self, run: RunId) -> String;

    /// The page of a pull request, for links.
    fn pull_url(&self, pull: PullNumber) -> String;
    /// The page of a comment, for links.
    fn comment_url(&self, pull: Option<PullNumber>, comment: u64) -> String;
    /// The comment that a link leads to, where it is one to a comment of this forge.
    fn comment_at(&self, url: &str) -> Option<u64>;
    /// Where the code of a head commit is fetched from; `None` where work is done in the folder as it stands.
    fn remote(&self) -> Option<Remote>;
    /// The file `config` and the templates in the folder `templates` (both relative to the repository's root) at the tip
    /// of a branch.
    fn declared(&self, branch: &str, config: &str, templates: &str) -> Result<Declared>;

    /// A pull request.
    fn pull(&self, number: PullNumber) -> Result<Pull>;
    /// Open pull requests, those first in which something happened last; at most thirty.
    fn open_pulls(&self) -> Result<Vec<Pull>>;
    /// The merged pull request that brought this commit to its branch.
    fn merged_pull(&self, sha: &Sha) -> Result<Option<Pull>>;
    /// The paths of the files that a pull request changes.
    fn changed_files(&self, pull: &Pull) -> Result<Vec<String>>;
    /// The paths of the files that changed on the base since the head left it.
    fn base_changes(&self, pull: &Pull) -> Result<Vec<String>>;
    /// Whether it merges without conflict; `None` while that is being found out.
    fn mergeable(&self, pull: &Pull) -> Result<Option<bool>>;

    /// Creates a commit status. Refused as invalid over 140 characters of description.
    fn append(&self, sha: &Sha, status: &NewStatus) -> Result<StatusRecord>;
    /// Every status of a commit, newest first.
    fn statuses(&self, sha: &Sha) -> Result<Vec<StatusRecord>>;

    /// Creates a comment. Refused as invalid over 65,536 characters.
    fn create_comment(&self, pull: PullNumber, body: &str) -> Result<PostedComment>;
    /// Replaces a comment's text. Denied where it is another's.
    fn edit_comment(&self, id: u64, body: &str) -> Result<PostedComment>;
    /// Deletes a comment. Denied where it is another's.
    fn delete_comment(&self, id: u64) -> Result<()>;
    /// A comment.
    fn comment(&self, id: u64) -> Result<PostedComment>;
    /// The comments of a pull request that were changed since then, lowest id first.
    fn comments(&self, pull: PullNumber, since: Option<Timestamp>) -> Result<Vec<PostedComment>>;
    /// The comments of all pull requests that were changed since then.
    fn recent_comments(&self, since: Timestamp) -> Result<Vec<PostedComment>>;
    /// Hides a comment as outdated.
    fn minimize(&self, id: u64) -> Result<()>;
    /// Reacts to a comment; a reaction that is there already is left.
    fn react(&self, comment: u64, reaction: Reaction) -> Result<()>;
    /// Takes a reaction of ours back, if it is there.
    fn take_back(&self, comment: u64, reaction: Reaction) -> Result<()>;

    /// What a person may do here.
    fn permission(&self, login: &str) -> Result<Permission>;
    /// Whether a person is in `ORG/TEAM`.
    fn team_member(&self, team: &str, login: &str) -> Result<bool>;
    /// The reviews of a pull request, oldest first.
    fn reviews(&self, pull: PullNumber) -> Result<Vec<Review>>;
    /// The checks of a commit, without its commit statuses under our own context.
    fn checks(&self, sha: &Sha) -> Result<Vec<Check>>;

    /// Now, by the clock that its times are of, as far as that is known.
    fn now(&self) -> Timestamp;
    /// How a run ended; `None` where it has not ended.
    fn run_conclusion(&self, run: RunId) -> Result<Option<Conclusion>>;
    /// Starts a workflow.
    fn dispatch(&self, workflow: &str, reference: &str, inputs: &IndexMap<String, String>) -> Result<Dispatched>;
    /// One call of the API under the repository, whose answer is thrown away.
    fn api(&self, method: &str, path: &str, body: Option<&Value>) -> Result<()>;
    /// Opens the issue of this title, or brings its text up to date; closes it where `body` is `None`.
    fn issue(&self, title: &str, body: Option<&str>) -> Result<()>;

    /// Takes the lock of `lock.layer` where nobody else holds it, atomically.
    fn take_lock(&self, lock: &Lock) -> Result<Taken>;
    /// Takes the lock of `lock.layer` from `held`; whether it did, for meanwhile somebody else may hold it, or nobody.
    fn replace_lock(&self, held: &Lock, lock: &Lock) -> Result<bool>;
    /// What holds the lock of a layer, for people: the reference or the file.
    fn lock_name(&self, layer: &str) -> String;
    /// The layers whose lock somebody holds or held: of no other there is anything to ask [`Self::lock`].
    fn locked(&self) -> Result<BTreeSet<String>>;
    /// The lock of a layer, where somebody holds it.
    fn lock(&self, layer: &str) -> Result<Option<Lock>>;
    /// Releases a lock where it is still held so; whether it did.
    fn release_lock(&self, held: &Lock) -> Result<bool>;
}
