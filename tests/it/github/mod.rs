//! A GitHub of our own on loopback: thin routes over a state that behaves as GitHub documents, a real git repository
//! behind it, and a log of all that was asked. Stories run the real binary against it, as a job of GitHub Actions would.
//! A request that it does not know fails the story.

mod actions;
mod comments;
mod events;
mod faults;
pub(crate) mod git;
mod graphql;
mod issues;
mod job;
mod lag;
mod log;
mod openapi;
mod people;
mod proxy;
mod pulls;
mod refs;
mod routes;
mod server;
mod state;
mod statuses;
mod tls;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

pub(crate) use events::Event;
pub(crate) use faults::{Fault, Moment};
pub(crate) use job::Job;
pub(crate) use log::Log;
pub(crate) use people::UNREADABLE;
pub(crate) use proxy::Proxy;
pub(crate) use state::{Comment, Run, State, Status};

use server::Server;

/// `owner/name` of the repository.
pub(crate) const REPOSITORY: &str = "acme/infra";
/// The token of a workflow's job, whose account is `github-actions[bot]`.
pub(crate) const TOKEN: &str = "ghs_of_the_job";
/// The same, but it may only read.
pub(crate) const READ_ONLY: &str = "ghs_read_only";
/// The same, but it may write commit statuses and nothing else.
pub(crate) const STATUSES_ONLY: &str = "ghs_statuses_only";
/// The same, but of all writing it may comment and react to comments alone.
pub(crate) const COMMENTS_ONLY: &str = "ghs_comments_only";
/// The account of [`TOKEN`].
pub(crate) const BOT: &str = "github-actions[bot]";

/// A GitHub with one repository. Its pull request 7 of `alice`, from the branch `work` to `main`, is open.
pub(crate) struct GitHub {
    folder: TempDir,
    server: Arc<Server>,
    /// What every job finds in its environment beside the usual.
    environment: Vec<(&'static str, String)>,
}

/// The host by which nobody finds a GitHub but through a proxy; over TLS it has a certificate for it.
pub(crate) const HOST: &str = "github.example.test";

impl GitHub {
    /// Starts one whose branch `main` holds this ci.toml.
    pub(crate) fn start(config: &str) -> Self {
        Self::start_with(|_| only(config))
    }

    /// Starts one whose branch `main` holds the files that are told for its folder.
    pub(crate) fn start_with(files: impl FnOnce(&Path) -> BTreeMap<String, String>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let files = files(folder.path());
        Self::over(folder, None, &files)
    }

    /// The same over TLS, with a certificate of an authority that nobody knows; its own is in [`Self::authority`].
    pub(crate) fn secure(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (authority, secure) = tls::create(&["127.0.0.1", HOST]);
        std::fs::write(folder.path().join("authority.pem"), authority).unwrap();
        Self::over(folder, Some(secure), &only(config))
    }

    fn over(folder: TempDir, secure: Option<tls::Secure>, files: &BTreeMap<String, String>) -> Self {
        git::create(folder.path(), files);
        let server = Server::start(State::new(&git::bare(folder.path())), secure);
        let github = Self { folder, server, environment: Vec::new() };
        github.open_pull(7, "work");
        github.checkout();
        github
    }

    /// Opens a pull request from a branch that is there.
    pub(crate) fn open_pull(&self, number: u64, branch: &str) {
        let sha = git::tip(&self.bare(), branch);
        self.state(|state| state.open_pull(number, branch, &sha));
    }

    /// Commits a file to a branch, and lets its pull requests know of the new head; the commit.
    pub(crate) fn commit(&self, branch: &str, path: &str, text: &str) -> String {
        self.change(branch, &[(path, Some(text))])
    }

    /// Takes a file away from a branch.
    pub(crate) fn delete(&self, branch: &str, path: &str) {
        self.change(branch, &[(path, None)]);
    }

    /// Commits several files at once; `None` takes one away.
    pub(crate) fn change(&self, branch: &str, files: &[(&str, Option<&str>)]) -> String {
        let sha = git::commit(&self.bare(), branch, files);
        self.state(|state| state.pushed(branch, &sha));
        sha
    }

    /// Checks `main` out anew, as `actions/checkout` does.
    pub(crate) fn checkout(&self) {
        git::checkout(&self.bare(), &self.workspace());
    }

    /// The folder of the checkout.
    pub(crate) fn workspace(&self) -> PathBuf {
        self.folder.path().join("workspace")
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn bare(&self) -> PathBuf {
        git::bare(self.folder.path())
    }

    /// The head commit of a pull request.
    pub(crate) fn head(&self, pull: u64) -> String {
        self.state(|state| state.pull(pull).head_sha.clone())
    }

    /// Reads or changes what stands on the server.
    pub(crate) fn state<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.server.state())
    }

    /// Where it is found: `http://127.0.0.1:PORT`.
    pub(crate) fn url(&self) -> String {
        self.state(|state| state.url.clone())
    }

    /// Where it listens: `127.0.0.1:PORT`.
    pub(crate) fn address(&self) -> &str {
        self.server.address()
    }

    /// The file of the authority that its certificate is of.
    pub(crate) fn authority(&self) -> String {
        self.folder.path().join("authority.pem").display().to_string()
    }

    /// Gives every job from now on a variable.
    pub(crate) fn every_job(&mut self, name: &'static str, value: &str) {
        self.environment.push((name, value.to_owned()));
    }

    /// Makes it a GitHub Enterprise Server, whose APIs stand beside its pages.
    pub(crate) fn enterprise(&mut self) {
        let url = self.url();
        self.every_job("GITHUB_API_URL", &format!("{url}/api/v3"));
        self.every_job("GITHUB_GRAPHQL_URL", &format!("{url}/api/graphql"));
    }

    /// A job of a workflow.
    pub(crate) fn job(&self) -> Job<'_> {
        Job::new(self)
    }

    /// Lets every request take so long.
    pub(crate) fn latency(&self, latency: Duration) {
        self.server.faults().latency = latency;
    }

    /// Lets the request of this number (from 0, counted from now) go wrong.
    pub(crate) fn fail(&self, number: usize, fault: Fault) {
        let at = self.server.requests() + number;
        self.server.faults().at.insert(at, fault);
    }

    /// Lets so many of a hundred requests go wrong, at random.
    pub(crate) fn fail_at_random(&self, percent: u8, seed: u64) {
        self.server.faults().random(percent, seed);
    }

    /// Lets the request of this number (from 0, counted from now) and all later ones go wrong.
    pub(crate) fn fail_from(&self, number: usize, fault: Fault) {
        let from = self.server.requests() + number;
        self.server.faults().from = Some((from, fault));
    }

    /// Lets every request go unanswered.
    pub(crate) fn down(&self) {
        self.fail_from(0, Fault::DropBefore);
    }

    /// Lets the next request that holds this, such as a part of its path, go wrong.
    pub(crate) fn fail_on(&self, part: &str, fault: Fault) {
        self.server.faults().on = Some((part.to_owned(), fault));
    }

    /// Lets every request go unanswered behind the first one that holds this, such as `POST` and a part of its path.
    pub(crate) fn down_after(&self, part: &str) {
        self.server.faults().last = Some(part.to_owned());
    }

    /// Calls this before and after the effect of each request, with its number from now on.
    pub(crate) fn watch(&self, watcher: impl FnMut(usize, Moment) + Send + 'static) {
        self.server.faults().watch(self.server.requests(), Box::new(watcher));
    }

    /// Whether nobody is connected, so that nothing that was sent is still to be done.
    pub(crate) fn is_idle(&self) -> bool {
        self.server.is_idle()
    }

    /// Forgets faults and watchers.
    pub(crate) fn well_again(&self) {
        self.server.faults().clear();
    }

    /// What was asked since the log was taken last.
    pub(crate) fn take_log(&self) -> Log {
        self.server.take_log()
    }

    /// The comments of a pull request that are there, lowest id first.
    pub(crate) fn comments(&self, pull: u64) -> Vec<Comment> {
        self.state(|state| state.comments.values().filter(|comment| comment.issue == pull).cloned().collect())
    }

    /// The statuses of a commit, oldest first.
    pub(crate) fn statuses(&self, sha: &str) -> Vec<Status> {
        self.state(|state| state.statuses.iter().filter(|status| status.sha == sha).cloned().collect())
    }

    /// The one dashboard of a pull request's head, as a comment of ours.
    #[track_caller]
    pub(crate) fn dashboard(&self, pull: u64) -> Comment {
        let start = format!("<!-- infra-dashboard:{} -->", self.head(pull));
        let comments = self.comments(pull);
        let mut found = comments.iter().filter(|comment| comment.body.starts_with(&start) && comment.author == BOT);
        match (found.next(), found.next()) {
            (Some(one), None) => one.clone(),
            (found, _) => panic!("{} dashboards in {comments:#?}", if found.is_none() { "no" } else { "several" }),
        }
    }

    /// The board of a pull request, by `ci show --format json`.
    #[track_caller]
    pub(crate) fn board(&self, pull: u64) -> Value {
        let shown = self.job().ci(["show", "--pr", &pull.to_string(), "--format", "json"]).exits(0);
        serde_json::from_str(&shown.stdout).unwrap()
    }

    /// What a row says, as `STATUS: NOTE`.
    #[track_caller]
    pub(crate) fn row(&self, pull: u64, id: &str) -> String {
        crate::project::row(&self.board(pull), id)
    }
}

/// The files of a repository that has nothing but this ci.toml.
fn only(config: &str) -> BTreeMap<String, String> {
    [("ci.toml".to_owned(), config.to_owned())].into()
}

impl Drop for GitHub {
    fn drop(&mut self) {
        self.server.stop();
        let unknown = self.server.unknown();
        if !std::thread::panicking() {
            assert!(unknown.is_empty(), "requests that no route takes: {unknown:#?}");
        }
    }
}
