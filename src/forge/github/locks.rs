//! The locks of layers: a git reference each, whose creation is atomic and whose commit says who holds it. A commit on
//! top of it hands the layer over or says that it is free again, and only if nobody else put one there: the reference is
//! never deleted, which nothing could make depend on what it says. See <https://docs.github.com/en/rest/git/refs>.

use std::collections::BTreeSet;

use serde::de::IgnoredAny;
use serde_json::json;

use super::route::Route;
use super::{GitHub, wire};
use crate::forge::{Error, Lock, Result, Taken};
use crate::model::ids::Sha;

/// The tree without files, which every git repository knows without being told.
const EMPTY_TREE: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

/// The references of locks stand below it.
const LOCKS: &str = "ci/locks";

/// How often a lock is tried to be taken that others take and release at the same time.
const TRIES: usize = 3;

/// What a reference says.
struct Standing {
    /// `None` where the layer is free again.
    lock: Option<Lock>,
    commit: Sha,
}

impl GitHub {
    pub(super) fn take(&self, lock: &Lock) -> Result<Taken> {
        Ok(match self.claim(lock)? {
            Some((held, _)) if held != *lock => Taken::Held(held),
            Some(_) | None => Taken::Ours,
        })
    }

    pub(super) fn replace_held(&self, held: &Lock, lock: &Lock) -> Result<bool> {
        let Some(Standing { lock: Some(now), commit }) = self.standing(&lock.layer)? else { return Ok(false) };
        if now != *held {
            return Ok(now == *lock);
        }
        match self.advance(&lock.layer, &message(lock)?, lock.sha.as_ref(), &commit) {
            Ok(()) => Ok(true),
            Err(error) if is_refusal(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// By the references, which are all on one page however many there are.
    pub(super) fn ever_held(&self) -> Result<BTreeSet<String>> {
        let found: Vec<wire::Ref> = match self.ask(&self.call(Route::MatchingRefs, &[&LOCKS])) {
            Ok(found) => found,
            Err(Error::NotFound(_) | Error::Conflict(_)) => return Ok(BTreeSet::new()),
            Err(error) => return Err(error),
        };
        // What is asked for is how names begin.
        let layer = |found: &wire::Ref| found.name.strip_prefix(&format!("refs/{LOCKS}/")).map(str::to_owned);
        Ok(found.iter().filter_map(layer).collect())
    }

    pub(super) fn held(&self, layer: &str) -> Result<Option<Lock>> {
        Ok(self.standing(layer)?.and_then(|standing| standing.lock))
    }

    pub(super) fn release(&self, held: &Lock) -> Result<bool> {
        let Some(Standing { lock: Some(now), commit }) = self.standing(&held.layer)? else { return Ok(false) };
        if now != *held {
            return Ok(false);
        }
        match self.advance(&held.layer, &free(&held.layer), held.sha.as_ref(), &commit) {
            Ok(()) => Ok(true),
            // Whoever took it meanwhile keeps it, another run of this pull request too.
            Err(error) if is_refusal(&error) => match self.standing(&held.layer)? {
                Some(now) if now.commit == commit => Err(error),
                Some(_) | None => Ok(false),
            },
            Err(error) => Err(error),
        }
    }

    /// Takes the lock where nobody holds it; who does, and the commit that says so.
    fn claim(&self, lock: &Lock) -> Result<Option<(Lock, Sha)>> {
        let mut refused = None;
        for _ in 0..TRIES {
            let made = match self.standing(&lock.layer)? {
                Some(Standing { lock: Some(held), commit }) => return Ok(Some((held, commit))),
                Some(Standing { lock: None, commit }) => {
                    self.advance(&lock.layer, &message(lock)?, lock.sha.as_ref(), &commit)
                }
                None => self.create_lock(lock),
            };
            match made {
                Ok(()) => return Ok(None),
                // Mostly somebody holds it now. If not, this is no name that may be used.
                Err(error) if is_refusal(&error) => refused = Some(error),
                Err(error) => return Err(error),
            }
        }
        refused.map_or(Ok(None), Err)
    }

    fn standing(&self, layer: &str) -> Result<Option<Standing>> {
        let found: wire::Ref = match self.ask(&self.call(Route::Ref, &[&name(layer)])) {
            Ok(found) => found,
            // A repository without commits is a conflict.
            Err(Error::NotFound(_) | Error::Conflict(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let commit: wire::Commit = self.ask(&self.call(Route::Commit, &[&found.object.sha]))?;
        let lock = match commit.message.trim_end().split_once('\n') {
            None if commit.message.trim_end() == free(layer) => None,
            written => Some(serde_json::from_str(written.map_or("", |(_, rest)| rest.trim())).map_err(|error| {
                Error::Server(format!(
                    "what `refs/{}` says cannot be read: {error}; delete it with `git push`",
                    name(layer)
                ))
            })?),
        };
        Ok(Some(Standing { lock, commit: commit.sha }))
    }

    fn create_lock(&self, lock: &Lock) -> Result<()> {
        let commit = self.commit(&message(lock)?, lock.sha.as_ref(), None)?;
        let body = json!({ "ref": format!("refs/{}", name(&lock.layer)), "sha": commit });
        self.ask::<IgnoredAny>(&self.call(Route::CreateRef, &[]).body(body)).map(|_| ())
    }

    /// Puts a commit on top of the one that the reference names, and of no other.
    fn advance(&self, layer: &str, message: &str, sha: Option<&Sha>, parent: &Sha) -> Result<()> {
        let commit = self.commit(message, sha, Some(parent))?;
        let call = self.call(Route::MoveRef, &[&name(layer)]).body(json!({ "sha": commit, "force": false }));
        self.ask::<IgnoredAny>(&call).map(|_| ())
    }

    /// Makes a commit without files. Where that cannot be, it has those of the commit `sha`.
    fn commit(&self, message: &str, sha: Option<&Sha>, parent: Option<&Sha>) -> Result<Sha> {
        let parents: Vec<&Sha> = parent.into_iter().collect();
        let create = |tree: &str| -> Result<wire::Commit> {
            let body = json!({ "message": message, "tree": tree, "parents": parents });
            self.ask(&self.call(Route::CreateCommit, &[]).body(body))
        };
        match (create(EMPTY_TREE), sha) {
            (Ok(commit), _) => Ok(commit.sha),
            // A repository whose ids are of another kind knows another empty tree: any tree will do.
            (Err(Error::Invalid(_) | Error::NotFound(_)), Some(sha)) => {
                let applied: wire::Commit = self.ask(&self.call(Route::Commit, &[sha]))?;
                Ok(create(applied.tree.sha.as_str())?.sha)
            }
            (Err(error), _) => Err(error),
        }
    }
}

/// Whether a reference was not made or moved since somebody else did so meanwhile, or since it may not be.
fn is_refusal(error: &Error) -> bool {
    matches!(error, Error::Invalid(_) | Error::NotFound(_) | Error::Conflict(_))
}

pub(super) fn name(layer: &str) -> String {
    format!("{LOCKS}/{layer}")
}

fn free(layer: &str) -> String {
    format!("Layer {layer} is free")
}

fn message(lock: &Lock) -> Result<String> {
    let whom = lock.pull.map_or_else(|| lock.by.clone(), |pull| format!("pull request {pull}, by {}", lock.by));
    let json = serde_json::to_string(lock).map_err(|error| Error::Server(error.to_string()))?;
    Ok(format!("Lock of layer {} for {whom}\n\n{json}\n", lock.layer))
}
