//! A forge that is a folder of readable JSON files and behaves as GitHub does, so that the whole tool runs on one
//! machine, and many processes may use it at once. It knows nothing of rules, boards or commands.

mod comments;
pub(crate) mod folder;
mod locks;
mod pulls;
mod records;
mod statuses;
mod store;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use indexmap::IndexMap;
use jiff::Timestamp;
use serde_json::Value;

use self::store::{Store, file_url};
use super::git::Repository;
use super::{Check, Declared, Dispatched, Error, Forge, Lock, PostedComment, Reaction, Remote, Result, Review, Taken};
use crate::model::event::Pull;
use crate::model::ids::{PullNumber, RunId, Sha};
use crate::model::journal::{NewStatus, StatusRecord};
use crate::model::rules::Permission;

/// The account that our own writes carry on the local forge.
pub(crate) const ACCOUNT: &str = "ci[bot]";

/// The local forge.
#[derive(Debug)]
pub(crate) struct Local {
    store: Store,
    /// The folder of ci.toml, which paths are relative to.
    root: PathBuf,
    account: String,
    repository: OnceLock<String>,
    /// Locks that say that the runs of this process have not ended.
    runs: Mutex<Vec<File>>,
}

impl Drop for Local {
    fn drop(&mut self) {
        let runs = self.runs.get_mut().unwrap_or_else(PoisonError::into_inner);
        // Children that are left behind, such as git's housekeeping, would hold them too.
        runs.iter().for_each(|run| drop(run.unlock()));
    }
}

impl Local {
    /// Opens the forge in `dir`, which is created where it is missing, for the project in `root`; writes carry
    /// `account`, which is [`ACCOUNT`] but in tests.
    pub(crate) fn open(dir: &Path, root: &Path, account: &str) -> Result<Self> {
        let store = Store::open(dir)?;
        let root = root.canonicalize().map_err(|error| store::failure(root, &error))?;
        Ok(Self { store, root, account: account.to_owned(), repository: OnceLock::new(), runs: Mutex::default() })
    }

    /// What the remote of the project's repository says, else the folder's name.
    fn find_repository(&self) -> String {
        let remote = Repository::find(&self.root).ok().flatten().and_then(|found| found.remote_name().ok().flatten());
        remote.unwrap_or_else(|| {
            let folder = self.root.file_name().map_or_else(|| "root".into(), |name| name.to_string_lossy());
            format!("local/{folder}")
        })
    }
}

impl Forge for Local {
    fn describe(&self) -> String {
        let dir = self.store.path("");
        let shown = dir.strip_prefix(&self.root).unwrap_or(&dir).to_string_lossy().trim_end_matches('/').to_owned();
        format!("the local forge in `{shown}`")
    }

    fn repository(&self) -> String {
        self.repository.get_or_init(|| self.find_repository()).clone()
    }

    fn account(&self) -> Result<String> {
        Ok(self.account.clone())
    }

    fn run_url(&self, run: RunId) -> String {
        file_url(&self.run_dir(run.id).join("summary.md"))
    }

    fn pull_url(&self, pull: PullNumber) -> String {
        self.pull_page(pull)
    }

    fn comment_url(&self, _pull: Option<PullNumber>, comment: u64) -> String {
        self.comment_page(comment)
    }

    fn comment_at(&self, url: &str) -> Option<u64> {
        let id = url.strip_suffix(".json")?.rsplit('/').next()?.parse().ok()?;
        (self.comment_page(id) == url).then_some(id)
    }

    fn remote(&self) -> Option<Remote> {
        None
    }

    fn declared(&self, branch: &str, config: &str, templates: &str) -> Result<Declared> {
        let repository = Repository::find(&self.root)?
            .ok_or_else(|| Error::NotFound(format!("a git repository around `{}`", self.root.display())))?;
        repository.declared(branch, config, templates)
    }

    fn pull(&self, number: PullNumber) -> Result<Pull> {
        self.find_pull(number)?.ok_or_else(|| Error::NotFound(format!("pull request {number}")))
    }

    fn open_pulls(&self) -> Result<Vec<Pull>> {
        self.list_open_pulls()
    }

    fn merged_pull(&self, sha: &Sha) -> Result<Option<Pull>> {
        self.find_merged_pull(sha)
    }

    fn changed_files(&self, pull: &Pull) -> Result<Vec<String>> {
        self.list_changed_files(pull)
    }

    fn base_changes(&self, pull: &Pull) -> Result<Vec<String>> {
        self.list_base_changes(pull)
    }

    fn mergeable(&self, pull: &Pull) -> Result<Option<bool>> {
        self.is_mergeable(pull)
    }

    fn append(&self, sha: &Sha, status: &NewStatus) -> Result<StatusRecord> {
        self.append_status(sha, status)
    }

    fn statuses(&self, sha: &Sha) -> Result<Vec<StatusRecord>> {
        self.list_statuses(sha)
    }

    fn create_comment(&self, pull: PullNumber, body: &str) -> Result<PostedComment> {
        self.post_comment_as(&self.account, pull, body)
    }

    fn edit_comment(&self, id: u64, body: &str) -> Result<PostedComment> {
        self.edit_comment_file(id, body)
    }

    fn delete_comment(&self, id: u64) -> Result<()> {
        self.delete_comment_file(id)
    }

    fn comment(&self, id: u64) -> Result<PostedComment> {
        self.read_comment(id)
    }

    fn comments(&self, pull: PullNumber, since: Option<Timestamp>) -> Result<Vec<PostedComment>> {
        self.select_comments(Some(pull), since)
    }

    fn recent_comments(&self, since: Timestamp) -> Result<Vec<PostedComment>> {
        self.select_comments(None, Some(since))
    }

    fn minimize(&self, id: u64) -> Result<()> {
        self.minimize_comment_file(id)
    }

    fn react(&self, comment: u64, reaction: Reaction) -> Result<()> {
        self.react_to(comment, reaction)
    }

    fn take_back(&self, comment: u64, reaction: Reaction) -> Result<()> {
        self.take_reaction_back(comment, reaction)
    }

    fn permission(&self, login: &str) -> Result<Permission> {
        self.permission_of(login)
    }

    fn team_member(&self, team: &str, login: &str) -> Result<bool> {
        self.in_team(team, login)
    }

    fn reviews(&self, pull: PullNumber) -> Result<Vec<Review>> {
        self.list_reviews(pull)
    }

    fn checks(&self, sha: &Sha) -> Result<Vec<Check>> {
        self.list_checks(sha)
    }

    fn now(&self) -> Timestamp {
        now()
    }

    fn run_conclusion(&self, run: RunId) -> Result<Option<super::Conclusion>> {
        Ok(self.conclusion(run)?.map(|word| super::Conclusion { word, at: None }))
    }

    fn dispatch(&self, workflow: &str, reference: &str, inputs: &IndexMap<String, String>) -> Result<Dispatched> {
        self.record_dispatch(workflow, reference, inputs)
    }

    fn api(&self, method: &str, path: &str, body: Option<&Value>) -> Result<()> {
        self.record_call(method, path, body)
    }

    fn issue(&self, title: &str, body: Option<&str>) -> Result<()> {
        self.set_issue(title, body)
    }

    fn take_lock(&self, lock: &Lock) -> Result<Taken> {
        self.take(lock)
    }

    fn replace_lock(&self, held: &Lock, lock: &Lock) -> Result<bool> {
        self.replace_held(held, lock)
    }

    fn lock_name(&self, layer: &str) -> String {
        self.store.path(&locks::name(layer)).display().to_string()
    }

    fn locked(&self) -> Result<BTreeSet<String>> {
        self.ever_held()
    }

    fn lock(&self, layer: &str) -> Result<Option<Lock>> {
        self.held(layer)
    }

    fn release_lock(&self, held: &Lock) -> Result<bool> {
        self.release(held)
    }
}

/// Now, in whole seconds as GitHub tells them.
fn now() -> Timestamp {
    whole_seconds(Timestamp::now())
}

fn whole_seconds(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}
