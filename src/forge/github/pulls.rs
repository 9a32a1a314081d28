//! Pull requests and what they change. See <https://docs.github.com/en/rest/pulls/pulls>.

use std::collections::HashMap;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::route::Route;
use super::{GitHub, wire};
use crate::forge::{Error, Result, both};
use crate::model::event::Pull;
use crate::model::ids::{PullNumber, Sha};

/// The most files of a pull request that GitHub lists.
const PULL_FILES: usize = 3_000;
/// The most files of a comparison that GitHub lists.
const COMPARED_FILES: usize = 300;
/// The most pull requests that are listed: enough for people to choose from.
const OPEN_PULLS: u32 = 30;
/// GitHub finds out whether a pull request merges only when it is asked; the pauses until it is asked again.
const MERGEABLE: [u64; 5] = [300, 700, 1_500, 3_000, 4_500];

impl GitHub {
    pub(super) fn get_pull(&self, number: PullNumber) -> Result<Pull> {
        let value: Value = self.ask(&self.call(Route::Pull, &[&number]))?;
        pull(&value)
    }

    pub(super) fn list_open_pulls(&self) -> Result<Vec<Pull>> {
        let call = self.call(Route::Pulls, &[]).query("state", "open");
        let call = call.query("sort", "updated").query("direction", "desc").query("per_page", OPEN_PULLS);
        self.ask::<Vec<Value>>(&call)?.iter().map(pull).collect()
    }

    pub(super) fn find_merged_pull(&self, sha: &Sha) -> Result<Option<Pull>> {
        let pulls = self.list::<Vec<Value>>(self.call(Route::PullsOfCommit, &[sha]))?;
        let brought = |value: &&Value| {
            let commit = value.get("merge_commit_sha").and_then(Value::as_str).and_then(Sha::parse);
            commit.as_ref() == Some(sha) && value.get("merged_at").is_some_and(|at| !at.is_null())
        };
        let mut brought = pulls.iter().filter(brought);
        match (brought.next(), brought.next()) {
            (Some(value), None) => pull(value).map(Some),
            // Two that were merged as one commit are no reason to write to either.
            (None, _) | (Some(_), Some(_)) => Ok(None),
        }
    }

    pub(super) fn list_changed_files(&self, pull: &Pull) -> Result<Vec<String>> {
        let files = self.list::<Vec<wire::File>>(self.call(Route::PullFiles, &[&pull.number]))?;
        if files.len() >= PULL_FILES {
            let value: Value = self.ask(&self.call(Route::Pull, &[&pull.number]))?;
            let all = value.get("changed_files").and_then(Value::as_u64).unwrap_or(u64::MAX);
            if usize::try_from(all).is_ok_and(|all| all > files.len()) {
                return Err(Error::Server(format!(
                    "pull request {} changes {all} files, of which GitHub lists only {PULL_FILES}",
                    pull.number
                )));
            }
        }
        Ok(paths(files))
    }

    pub(super) fn list_base_changes(&self, pull: &Pull) -> Result<Vec<String>> {
        let range = format!("{}...{}", pull.head_sha, pull.base_ref);
        let compared: wire::Comparison = self.ask(&self.call(Route::Compare, &[&range]))?;
        if compared.files.len() < COMPARED_FILES {
            return Ok(paths(compared.files));
        }
        let fork = compared.merge_base_commit;
        let fork = fork.ok_or_else(|| Error::Server(format!("the comparison `{range}` names no merge base")))?;
        self.differing_files(&fork.sha, pull)
    }

    /// The paths of which a commit and the tip of the base have not the same contents.
    fn differing_files(&self, fork: &Sha, pull: &Pull) -> Result<Vec<String>> {
        let (before, after) = both(|| self.files_of(fork.as_str()), || self.files_of(&pull.base_ref));
        let (before, mut after) = match (before?, after?) {
            (Some(before), Some(after)) => (before, after),
            (None, _) | (_, None) => {
                return Err(Error::Server(format!(
                    "`{}` has changed too much since `{}` left it for GitHub to list; merge it into `{}`",
                    pull.base_ref,
                    pull.head_sha.short(),
                    pull.head_ref
                )));
            }
        };
        let mut changed: Vec<String> = Vec::new();
        for (path, contents) in before {
            if after.remove(&path).is_none_or(|now| now != contents) {
                changed.push(path);
            }
        }
        changed.extend(after.into_keys());
        changed.sort_unstable();
        Ok(changed)
    }

    /// Mode and contents of every file of a commit; `None` where there are more than GitHub lists.
    fn files_of(&self, commit: &str) -> Result<Option<HashMap<String, (String, String)>>> {
        let tree: wire::Tree = self.ask(&self.call(Route::Tree, &[&commit]).query("recursive", 1))?;
        let files = tree.tree.into_iter().filter(|entry| entry.kind != "tree");
        let files = files.map(|entry| (entry.path, (entry.mode, entry.sha))).collect();
        Ok((!tree.truncated).then_some(files))
    }

    pub(super) fn is_mergeable(&self, pull: &Pull) -> Result<Option<bool>> {
        let ask = || -> Result<Option<bool>> {
            let value: Value = self.ask(&self.call(Route::Pull, &[&pull.number]))?;
            Ok(value.get("mergeable").and_then(Value::as_bool))
        };
        for pause in MERGEABLE {
            if let Some(mergeable) = ask()? {
                return Ok(Some(mergeable));
            }
            thread::sleep(Duration::from_millis(pause));
        }
        ask()
    }
}

fn pull(value: &Value) -> Result<Pull> {
    Pull::read(value).ok_or_else(|| Error::Server("a pull request without a number or a head commit".to_owned()))
}

/// The paths that were written to, both of those of a renamed file.
fn paths(files: Vec<wire::File>) -> Vec<String> {
    files.into_iter().flat_map(|file| [file.previous_filename, Some(file.filename)]).flatten().collect()
}
