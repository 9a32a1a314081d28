//! What stands on the server.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::lag::Lags;
use super::server::Response;
use super::{BOT, COMMENTS_ONLY, READ_ONLY, REPOSITORY, STATUSES_ONLY, TOKEN};

/// Everything but the commits, which stand in the repository.
pub(crate) struct State {
    pub(crate) bare: PathBuf,
    /// Where the server listens, for links.
    pub(crate) url: String,
    pub(crate) tokens: BTreeMap<String, Account>,
    /// Role names by login; whoever is not here has `read`, as on a public repository.
    pub(crate) roles: BTreeMap<String, String>,
    /// The members of `ORG/TEAM`.
    pub(crate) teams: BTreeMap<String, Vec<String>>,
    pub(crate) pulls: BTreeMap<u64, Pull>,
    pub(crate) comments: BTreeMap<u64, Comment>,
    pub(crate) statuses: Vec<Status>,
    /// Check runs by commit, as GitHub lists them.
    pub(crate) checks: BTreeMap<String, Vec<Value>>,
    pub(crate) runs: BTreeMap<u64, Run>,
    pub(crate) issues: BTreeMap<u64, Issue>,
    /// The heads of which somebody asked whether they merge.
    pub(crate) asked_to_merge: BTreeSet<(u64, String)>,
    /// Calls of the API that ci.toml spells out.
    pub(crate) review_requests: Vec<Value>,
    /// Whether dispatch answers which run it started.
    pub(crate) run_details: bool,
    pub(crate) lags: Lags,
    /// Whether anybody may fetch.
    pub(crate) public: bool,
    /// How many requests of the hour are left; `None` where there is no limit, as on most Enterprise Servers.
    pub(crate) left: Option<u32>,
    /// By how much its clock is ahead, in what answers say.
    pub(crate) ahead: SignedDuration,
    ids: u64,
}

/// Whose token it is.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) login: String,
    pub(crate) may_write: Writes,
}

/// What a token may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writes {
    All,
    Statuses,
    Comments,
    Nothing,
}

/// A pull request.
#[derive(Debug, Clone)]
pub(crate) struct Pull {
    pub(crate) number: u64,
    pub(crate) author: String,
    pub(crate) branch: String,
    pub(crate) head_sha: String,
    /// The repository of the head.
    pub(crate) head_repository: String,
    pub(crate) base: String,
    pub(crate) open: bool,
    /// The commit that merging made.
    pub(crate) merged: Option<String>,
    pub(crate) draft: bool,
    pub(crate) mergeable: Option<bool>,
    pub(crate) reviews: Vec<Value>,
}

/// A comment.
#[derive(Debug, Clone)]
pub(crate) struct Comment {
    pub(crate) id: u64,
    pub(crate) issue: u64,
    pub(crate) author: String,
    pub(crate) body: String,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) minimized: bool,
    /// Who reacted, and how.
    pub(crate) reactions: Vec<(String, String)>,
}

/// A commit status.
#[derive(Debug, Clone)]
pub(crate) struct Status {
    pub(crate) id: u64,
    pub(crate) sha: String,
    pub(crate) state: String,
    pub(crate) context: String,
    pub(crate) description: String,
    pub(crate) target_url: String,
    pub(crate) creator: String,
    pub(crate) created_at: Timestamp,
}

/// A workflow run.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) id: u64,
    pub(crate) workflow: String,
    pub(crate) branch: String,
    pub(crate) sha: String,
    pub(crate) event: String,
    pub(crate) actor: String,
    pub(crate) inputs: Value,
    /// `None` while it has not ended.
    pub(crate) conclusion: Option<String>,
    /// The conclusions of the attempts before, oldest first.
    pub(crate) earlier: Vec<String>,
    pub(crate) created_at: Timestamp,
    /// When anything of it changed last: at its end, that it ended.
    pub(crate) updated_at: Timestamp,
}

/// An issue that is no pull request.
#[derive(Debug, Clone)]
pub(crate) struct Issue {
    pub(crate) number: u64,
    pub(crate) title: String,
    pub(crate) body: String,
    pub(crate) author: String,
    pub(crate) open: bool,
}

impl State {
    pub(super) fn new(bare: &Path) -> Self {
        let account = |login: &str, may_write| Account { login: login.to_owned(), may_write };
        let tokens = [
            (TOKEN, account(BOT, Writes::All)),
            (READ_ONLY, account(BOT, Writes::Nothing)),
            (STATUSES_ONLY, account(BOT, Writes::Statuses)),
            (COMMENTS_ONLY, account(BOT, Writes::Comments)),
            ("ghp_of_alice", account("alice", Writes::All)),
            ("ghp_of_mallory", account("mallory", Writes::All)),
        ];
        let roles = [("alice", "write"), ("bob", "maintain"), ("root", "admin"), (BOT, "write")];
        Self {
            bare: bare.to_owned(),
            url: String::new(),
            tokens: tokens.map(|(token, account)| (token.to_owned(), account)).into(),
            roles: roles.map(|(login, role)| (login.to_owned(), role.to_owned())).into(),
            teams: BTreeMap::new(),
            pulls: BTreeMap::new(),
            comments: BTreeMap::new(),
            statuses: Vec::new(),
            checks: BTreeMap::new(),
            runs: BTreeMap::new(),
            issues: BTreeMap::new(),
            asked_to_merge: BTreeSet::new(),
            review_requests: Vec::new(),
            run_details: true,
            lags: Lags::default(),
            public: false,
            left: Some(4_999),
            ahead: SignedDuration::ZERO,
            ids: 1_000,
        }
    }

    /// An answer, with what all answers say about the server.
    pub(super) fn about_itself(&self, response: Response) -> Response {
        let now = now();
        let date = (now + self.ahead).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let response = response.header("date", &date).header("x-github-request-id", "1");
        match self.left {
            Some(left) if !response.has("x-ratelimit-remaining") => response
                .header("x-ratelimit-limit", "5000")
                .header("x-ratelimit-remaining", &left.to_string())
                .header("x-ratelimit-reset", &(now.as_second() + 1_800).to_string()),
            Some(_) | None => response,
        }
    }

    /// Ids grow, whatever they are of.
    pub(super) fn next_id(&mut self) -> u64 {
        self.ids += 1;
        self.ids
    }

    pub(super) fn open_pull(&mut self, number: u64, branch: &str, sha: &str) {
        let pull = Pull {
            number,
            author: "alice".to_owned(),
            branch: branch.to_owned(),
            head_sha: sha.to_owned(),
            head_repository: REPOSITORY.to_owned(),
            base: "main".to_owned(),
            open: true,
            merged: None,
            draft: false,
            mergeable: Some(true),
            reviews: Vec::new(),
        };
        self.pulls.insert(number, pull);
    }

    pub(super) fn pushed(&mut self, branch: &str, sha: &str) {
        for pull in self.pulls.values_mut().filter(|pull| pull.branch == branch && pull.open) {
            sha.clone_into(&mut pull.head_sha);
        }
    }

    pub(crate) fn pull(&mut self, number: u64) -> &mut Pull {
        self.pulls.get_mut(&number).unwrap_or_else(|| panic!("no pull request {number}"))
    }

    /// Writes a comment in somebody's name.
    pub(crate) fn comment_as(&mut self, author: &str, issue: u64, body: &str) -> Comment {
        let (id, now) = (self.next_id(), now());
        let comment = Comment {
            id,
            issue,
            author: author.to_owned(),
            body: body.to_owned(),
            created_at: now,
            updated_at: now,
            minimized: false,
            reactions: Vec::new(),
        };
        self.lags.comments.made(id);
        self.comments.insert(id, comment.clone());
        comment
    }

    /// Creates a status in somebody's name.
    pub(crate) fn status_as(&mut self, creator: &str, sha: &str, fields: &Value) -> Status {
        let text = |key: &str| fields[key].as_str().unwrap_or_default().to_owned();
        let status = Status {
            id: self.next_id(),
            sha: sha.to_owned(),
            state: text("state"),
            context: text("context"),
            description: text("description"),
            target_url: text("target_url"),
            creator: creator.to_owned(),
            created_at: now(),
        };
        self.lags.statuses.made(status.id);
        self.statuses.push(status.clone());
        status
    }

    /// Lets the runs of a workflow that go on end.
    pub(crate) fn end_runs(&mut self, workflow: &str, conclusion: &str) {
        let of_it = self.runs.values().filter(|run| run.workflow == workflow).map(|run| run.id);
        of_it.collect::<Vec<_>>().into_iter().for_each(|id| self.end_run(id, conclusion));
    }

    /// A run ends, unless it has ended.
    pub(crate) fn end_run(&mut self, id: u64, conclusion: &str) {
        let run = self.runs.get_mut(&id).unwrap_or_else(|| panic!("no run {id}"));
        if run.conclusion.is_none() {
            (run.conclusion, run.updated_at) = (Some(conclusion.to_owned()), now());
        }
    }

    /// An hour goes by since the journal was written, and since a run ended so many seconds later.
    pub(crate) fn an_hour_goes_by(&mut self, run: u64, seconds: i64) {
        let hour = SignedDuration::from_hours(1);
        self.statuses.iter_mut().for_each(|status| status.created_at -= hour);
        self.runs.get_mut(&run).unwrap().updated_at = now() - hour + SignedDuration::from_secs(seconds);
    }

    /// Approves a pull request's head in somebody's name.
    pub(crate) fn approve(&mut self, number: u64, login: &str) {
        let (id, at) = (self.next_id(), now() + std::time::Duration::from_secs(1));
        let pull = self.pull(number);
        pull.reviews.push(json!({
            "id": id, "user": user(login), "state": "APPROVED", "commit_id": pull.head_sha, "submitted_at": at,
        }));
    }
}

/// How GitHub describes an account.
pub(super) fn user(login: &str) -> Value {
    let id: u64 = login.bytes().fold(7, |sum, byte| (sum * 31 + u64::from(byte)) % 1_000_003);
    json!({ "login": login, "id": id, "type": if login.ends_with("[bot]") { "Bot" } else { "User" } })
}

/// Now, in whole seconds as GitHub tells them.
pub(super) fn now() -> Timestamp {
    Timestamp::from_second(Timestamp::now().as_second()).unwrap()
}
