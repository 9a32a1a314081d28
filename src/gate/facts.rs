//! The facts that gates and conditions ask for, and what is made of raw answers: which reviews count, which checks are
//! green.

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;

use crate::model::ids::Sha;
use crate::model::pattern::Wildcard;
use crate::model::rules::{Checks, Permission, Persona};

/// As many approvals as any gate may ask for.
pub(super) const ENOUGH: u32 = u32::MAX;

/// A fact, or why it could not be found out.
pub(crate) type Known<T> = Result<T, Unknown>;

/// Why a fact could not be found out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("nothing out: {message}")]
pub(crate) struct Unknown {
    pub(crate) message: String,
    /// Whether the token may not read it, so that asking again is of no use.
    pub(crate) unreadable: bool,
    /// What is out of order, so that nobody who asks is to blame.
    pub(crate) trouble: Option<Trouble>,
}

/// What keeps a fact from being found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Trouble {
    /// The forge is unwell or not done yet: asking again later is all that helps.
    Outage,
    /// The git of this machine, which others can mend.
    Here,
}

impl Unknown {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), unreadable: false, trouble: None }
    }
}

/// What can be asked. Each question is asked only where its answer matters.
pub(crate) trait Facts {
    /// What a person may do in the repository.
    fn permission(&self, login: &str) -> Known<Permission>;
    /// Whether a person is in `ORG/TEAM`.
    fn team_member(&self, team: &str, login: &str) -> Known<bool>;
    /// How many approvals count for what was recorded by `stage` for `layer`.
    fn approvals(&self, stage: Option<&str>, layer: Option<&str>) -> Known<u32>;
    /// Where the wanted checks stand.
    fn checks(&self, wanted: &Checks) -> Known<Standing>;
    /// Whether the pull request merges without conflict.
    fn mergeable(&self) -> Known<bool>;
    /// Whether the base holds nothing new under these paths (all paths where there are none).
    fn up_to_date(&self, paths: &[Wildcard]) -> Known<bool>;
    /// Whether `stage` succeeded for this commit and layer.
    fn planned(&self, stage: &str, layer: Option<&str>) -> Known<bool>;
    /// A changed file that one of these globs matches.
    fn changed(&self, paths: &[Wildcard]) -> Known<Option<String>>;
    /// Those of these layers of which the pull request changed what they stand for, or may have, whatever their files are
    /// now. Nobody knows but a forge.
    fn applied(&self, _layers: &[&str]) -> Known<BTreeSet<String>> {
        Ok(BTreeSet::new())
    }
}

/// Where checks stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) failing: Vec<String>,
    pub(crate) waiting: Vec<String>,
    pub(crate) missing: Vec<String>,
}

impl Standing {
    /// None at all is green.
    pub(crate) fn green(&self) -> bool {
        self.failing.is_empty() && self.waiting.is_empty() && self.missing.is_empty()
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.green() {
            return f.write_str("green");
        }
        let groups = [("failing", &self.failing), ("not ended", &self.waiting), ("not there", &self.missing)];
        let said = groups.iter().filter(|(_, names)| !names.is_empty());
        let said: Vec<String> = said.map(|(word, names)| format!("{word}: {}", names.join(", "))).collect();
        f.write_str(&said.join("; "))
    }
}

/// A check as gates see it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CheckState<'a> {
    pub(crate) name: &'a str,
    /// The conclusion of a check run or the state of a status; `None` or `pending` while it has not ended.
    pub(crate) conclusion: Option<&'a str>,
}

/// Judges checks, our own being left out before. Neutral and skipped are green.
pub(crate) fn standing<'a>(wanted: &Checks, checks: impl IntoIterator<Item = CheckState<'a>>) -> Standing {
    let mut found = Standing::default();
    if let Checks::Named(names) = wanted {
        found.missing.clone_from(names);
    }
    for check in checks {
        if let Checks::Named(names) = wanted {
            if !names.iter().any(|name| name == check.name) {
                continue;
            }
            found.missing.retain(|name| name != check.name);
        }
        match check.conclusion {
            Some("success" | "neutral" | "skipped") => {}
            None | Some("pending") => found.waiting.push(check.name.to_owned()),
            Some(_) => found.failing.push(check.name.to_owned()),
        }
    }
    found
}

/// One review, as gates see it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReviewState<'a> {
    pub(crate) author: &'a str,
    pub(crate) state: &'a str,
    pub(crate) sha: &'a Sha,
    pub(crate) at: Timestamp,
}

/// Who approves: people whose latest approving, rejecting or dismissed review approves the head commit, not its
/// author, and newer than `since`. Whether they may write is for the caller to ask. `reviews` are oldest first.
pub(crate) fn approvers<'a>(
    reviews: impl IntoIterator<Item = ReviewState<'a>>,
    head: &Sha,
    author: &str,
    since: Option<Timestamp>,
) -> Vec<&'a str> {
    let mut latest: Vec<ReviewState<'a>> = Vec::new();
    for review in reviews {
        // A plain comment does not take an approval back.
        if matches!(review.state, "APPROVED" | "CHANGES_REQUESTED" | "DISMISSED") {
            latest.retain(|known| !known.author.eq_ignore_ascii_case(review.author));
            latest.push(review);
        }
    }
    let counts = |review: &&ReviewState<'_>| {
        review.state == "APPROVED"
            && review.sha == head
            && !review.author.eq_ignore_ascii_case(author)
            && since.is_none_or(|since| review.at > since)
    };
    latest.iter().filter(counts).map(|review| review.author).collect()
}

/// Facts as a persona of `[[tests]]`, `ci explain` or `ci try` gives them: what is not named holds.
#[derive(Debug, Clone, Default)]
pub(crate) struct PersonaFacts {
    pub(crate) persona: Persona,
    /// The changed files; every file where `None`.
    pub(crate) changed: Option<Vec<String>>,
}

impl Facts for PersonaFacts {
    fn permission(&self, _login: &str) -> Known<Permission> {
        Ok(self.persona.permission.unwrap_or(Permission::Admin))
    }

    fn team_member(&self, team: &str, _login: &str) -> Known<bool> {
        Ok(self.persona.teams.as_ref().is_none_or(|teams| teams.iter().any(|known| known == team)))
    }

    fn approvals(&self, _stage: Option<&str>, _layer: Option<&str>) -> Known<u32> {
        Ok(self.persona.approvals.unwrap_or(ENOUGH))
    }

    fn checks(&self, wanted: &Checks) -> Known<Standing> {
        let failing = match (self.persona.checks, wanted) {
            (None | Some(true), _) => Vec::new(),
            (Some(false), Checks::Named(names)) => names.clone(),
            (Some(false), Checks::Green) => vec!["a check".to_owned()],
        };
        Ok(Standing { failing, ..Standing::default() })
    }

    fn mergeable(&self) -> Known<bool> {
        Ok(self.persona.mergeable.unwrap_or(true))
    }

    fn up_to_date(&self, _paths: &[Wildcard]) -> Known<bool> {
        Ok(self.persona.up_to_date.unwrap_or(true))
    }

    fn planned(&self, _stage: &str, _layer: Option<&str>) -> Known<bool> {
        Ok(self.persona.planned.unwrap_or(true))
    }

    fn changed(&self, paths: &[Wildcard]) -> Known<Option<String>> {
        let Some(changed) = &self.changed else { return Ok(Some("any file".to_owned())) };
        Ok(changed.iter().find(|path| paths.iter().any(|glob| glob.matches(path))).cloned())
    }
}
