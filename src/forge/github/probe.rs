//! What the token may do, found out by trying: GitHub looks at a token's permissions before it looks at what is asked, so
//! a request that cannot be fulfilled tells them apart and changes nothing. 403 is "not allowed"; 404 or 422 is "allowed,
//! but not this". What a fine-grained or workflow token may do cannot be asked in any other way.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::GitHub;
use super::client::{Repeat, Sent};
use super::route::{Call, Route};
use crate::forge::{Error, Result};
use crate::model::ids::PullNumber;

/// A commit that no repository has.
const NO_COMMIT: &str = "0000000000000000000000000000000000000000";

/// Something that the token may have to be allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Probe {
    /// The journal: a status of no known state, on a commit that is not there.
    Statuses,
    /// The dashboard: a comment without text.
    Comments(PullNumber),
    /// Locks: a reference to what is no commit.
    References,
    /// Issues about drift: one without a title.
    Issues,
    /// Starting this workflow: on a branch whose name no branch can have.
    Dispatch(String),
    /// Whether runs have ended: a run that is not there.
    Runs,
    /// The checks of a commit: of one that is not there.
    Checks,
}

/// The requests that are left until the limit begins anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate {
    pub(crate) left: i64,
    pub(crate) limit: i64,
    pub(crate) reset: Option<Timestamp>,
}

impl GitHub {
    /// Reads something that every pull request needs; what the answer says about the limit of requests. A GitHub
    /// Enterprise Server without limits says nothing.
    pub(crate) fn reach(&self) -> Result<Option<Rate>> {
        let call = self.call(Route::Pulls, &[]).query("per_page", 1);
        let read = |raw: &super::answer::Raw| {
            let number = |name: &str| raw.header(name)?.trim().parse::<i64>().ok();
            let reset = number("x-ratelimit-reset").and_then(|second| Timestamp::from_second(second).ok());
            let rate = |left| Some(Rate { left, limit: number("x-ratelimit-limit")?, reset });
            Ok(number("x-ratelimit-remaining").and_then(rate))
        };
        self.client.send_and(&self.api, &call, &Repeat::Freely, &read).map(Sent::value)
    }

    /// By how much GitHub's clock is ahead of ours, as far as an answer told.
    pub(crate) fn clock_ahead(&self) -> Option<SignedDuration> {
        self.client.clock_ahead()
    }

    /// What kind of token it is, by the letters that GitHub begins it with. See
    /// <https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/>.
    pub(crate) fn token_kind(&self) -> &'static str {
        const KINDS: [(&str, &str); 5] = [
            ("ghs_", "a token of an app or of a workflow's job"),
            ("github_pat_", "a fine-grained personal token"),
            ("ghp_", "a classic personal token"),
            ("gho_", "a token of an OAuth app, such as that of `gh`"),
            ("ghu_", "a token of a user of an app"),
        ];
        let kind = KINDS.iter().find(|(start, _)| self.token.reveal().starts_with(start));
        kind.map_or("a token of a kind that is not known", |(_, kind)| kind)
    }

    /// Tries whether the token may do this; the error says what permission is missing.
    pub(crate) fn try_out(&self, probe: &Probe) -> Result<()> {
        match self.ask::<Value>(&self.harmless(probe)) {
            // A server that checks less carefully than GitHub allows it all the same.
            Ok(_) | Err(Error::NotFound(_) | Error::Invalid(_) | Error::Conflict(_)) => Ok(()),
            Err(
                error @ (Error::Denied(_)
                | Error::Limited { .. }
                | Error::Server(_)
                | Error::Transport(_)
                | Error::Here(_)),
            ) => Err(error),
        }
    }

    /// A request that cannot be fulfilled.
    fn harmless(&self, probe: &Probe) -> Call {
        match probe {
            Probe::Statuses => self.call(Route::CreateStatus, &[&NO_COMMIT]).body(json!({ "state": "none" })),
            Probe::Comments(pull) => self.call(Route::CreateComment, &[pull]).body(json!({ "body": "" })),
            Probe::References => {
                self.call(Route::CreateRef, &[]).body(json!({ "ref": "refs/ci/doctor", "sha": "none" }))
            }
            Probe::Issues => self.call(Route::CreateIssue, &[]).body(json!({ "title": "" })),
            Probe::Dispatch(workflow) => self.call(Route::Dispatch, &[workflow]).body(json!({ "ref": ".." })),
            Probe::Runs => self.call(Route::RunAttempt, &[&0, &1]),
            Probe::Checks => self.call(Route::CheckRuns, &[&NO_COMMIT]),
        }
    }
}

impl Probe {
    /// What it is needed for, in words that follow "may not".
    pub(crate) fn purpose(&self) -> String {
        match self {
            Self::Statuses => "write commit statuses, which are the journal".to_owned(),
            Self::Comments(pull) => format!("comment on pull request {pull}, where the dashboard stands"),
            Self::References => "create git references, which are the locks of layers".to_owned(),
            Self::Issues => "open issues about drift".to_owned(),
            Self::Dispatch(workflow) => format!("start the workflow `{workflow}`"),
            Self::Runs => "read workflow runs, which tells rows whose run ended".to_owned(),
            Self::Checks => "read the checks of a commit, which gates ask for".to_owned(),
        }
    }

    /// The line of a workflow's `permissions` that allows it.
    pub(crate) fn needs(&self) -> &'static str {
        match self {
            Self::Statuses => Route::CreateStatus,
            Self::Comments(_) => Route::CreateComment,
            Self::References => Route::CreateRef,
            Self::Issues => Route::CreateIssue,
            Self::Dispatch(_) => Route::Dispatch,
            Self::Runs => Route::RunAttempt,
            Self::Checks => Route::CheckRuns,
        }
        .needs()
    }
}
