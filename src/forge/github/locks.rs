//! The locks of layers: a git reference each, whose creation is atomic and whose commit says who holds it. A commit on
//! top of it hands it over, and only if nobody else did. See <https://docs.github.com/en/rest/git/refs>.

use serde::de::IgnoredAny;
use serde_json::json;

use super::route::Route;
use super::{GitHub, wire};
use crate::forge::{Error, Lock, Result, Taken};
use crate::model::ids::{PullNumber, Sha};

/// The tree without files, which every git repository knows without being told.
const EMPTY_TREE: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

/// How often a lock is tried to be made that others make and release at the same time.
const CLAIMS: usize = 3;

/// A lock, and the commit that says so.
pub(super) struct Held {
    pub(super) lock: Lock,
    commit: Sha,
}

impl GitHub {
    pub(super) fn take(&self, lock: &Lock) -> Result<Taken> {
        Ok(match self.claim(lock)? {
            Some(held) if !held.lock.same_holder(lock) => Taken::Held(held.lock),
            Some(_) | None => Taken::Ours,
        })
    }

    pub(super) fn replace_held(&self, held: &Lock, lock: &Lock) -> Result<bool> {
        let Some(now) = self.claim(lock)? else { return Ok(true) };
        if now.lock != *held {
            return Ok(now.lock == *lock);
        }
        let commit = self.commit_of(lock, Some(&now.commit))?;
        let call = self.call(Route::MoveRef, &[&name(&lock.layer)]).body(json!({ "sha": commit, "force": false }));
        match self.ask::<IgnoredAny>(&call) {
            Ok(_) => Ok(true),
            // Somebody moved or removed it meanwhile.
            Err(Error::Invalid(_) | Error::NotFound(_) | Error::Conflict(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    pub(super) fn read_lock(&self, layer: &str) -> Result<Option<Held>> {
        let found: wire::Ref = match self.ask(&self.call(Route::Ref, &[&name(layer)])) {
            Ok(found) => found,
            // A repository without commits is a conflict.
            Err(Error::NotFound(_) | Error::Conflict(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let commit: wire::Commit = self.ask(&self.call(Route::Commit, &[&found.object.sha]))?;
        let written = commit.message.split_once('\n').map_or("", |(_, rest)| rest.trim());
        let lock = serde_json::from_str(written).map_err(|error| {
            Error::Server(format!(
                "what `refs/{}` says cannot be read: {error}; delete it with `git push`",
                name(layer)
            ))
        })?;
        Ok(Some(Held { lock, commit: commit.sha }))
    }

    pub(super) fn release(&self, layer: &str, pull: Option<PullNumber>) -> Result<bool> {
        if self.read_lock(layer)?.is_none_or(|held| held.lock.pull != pull) {
            return Ok(false);
        }
        match self.ask::<IgnoredAny>(&self.call(Route::DeleteRef, &[&name(layer)])) {
            Ok(_) | Err(Error::NotFound(_)) => Ok(true),
            // GitHub says 422 of a reference that is not there.
            Err(Error::Invalid(text)) if text.contains("does not exist") => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Makes the reference where there is none; what stands there already.
    fn claim(&self, lock: &Lock) -> Result<Option<Held>> {
        let mut refused = None;
        for _ in 0..CLAIMS {
            if let Some(held) = self.read_lock(&lock.layer)? {
                return Ok(Some(held));
            }
            match self.create_lock(lock) {
                Ok(()) => return Ok(None),
                // Mostly there is one now. If not, it is gone again, or this is no name that may be used.
                Err(error @ (Error::Invalid(_) | Error::Conflict(_))) => refused = Some(error),
                Err(error) => return Err(error),
            }
        }
        refused.map_or(Ok(None), Err)
    }

    fn create_lock(&self, lock: &Lock) -> Result<()> {
        let commit = self.commit_of(lock, None)?;
        let body = json!({ "ref": format!("refs/{}", name(&lock.layer)), "sha": commit });
        self.ask::<IgnoredAny>(&self.call(Route::CreateRef, &[]).body(body)).map(|_| ())
    }

    fn commit_of(&self, lock: &Lock, parent: Option<&Sha>) -> Result<Sha> {
        let (message, parents) = (message(lock)?, parent.into_iter().collect::<Vec<_>>());
        let create = |tree: &str| -> Result<wire::Commit> {
            let body = json!({ "message": message, "tree": tree, "parents": parents });
            self.ask(&self.call(Route::CreateCommit, &[]).body(body))
        };
        match (create(EMPTY_TREE), &lock.sha) {
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

fn name(layer: &str) -> String {
    format!("ci/locks/{layer}")
}

fn message(lock: &Lock) -> Result<String> {
    let whom = lock.pull.map_or_else(|| lock.by.clone(), |pull| format!("pull request {pull}, by {}", lock.by));
    let json = serde_json::to_string(lock).map_err(|error| Error::Server(error.to_string()))?;
    Ok(format!("Lock of layer {} for {whom}\n\n{json}\n", lock.layer))
}
