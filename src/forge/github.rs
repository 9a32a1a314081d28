//! The forge that is GitHub, over its REST API and, where only that knows, GraphQL. It stores and answers; it knows
//! nothing of rules, boards or rows.

mod actions;
mod answer;
mod base;
mod checks;
mod client;
mod comments;
mod graphql;
mod issues;
mod locks;
mod lost;
mod page;
mod people;
mod probe;
mod pulls;
pub(crate) mod route;
mod statuses;
#[cfg(test)]
mod tests;
mod wire;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt::Display;
use std::sync::{Mutex, OnceLock};
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use indexmap::IndexMap;
use jiff::Timestamp;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;

use self::base::Base;
use self::client::{Client, Repeat};
pub(crate) use self::probe::{Probe, Rate};
use self::route::{Call, Route};
use super::{Check, Declared, Dispatched, Error, Forge, Lock, PostedComment, Reaction, Remote, Result, Review, Secret};
use super::{Conclusion, Patience, Taken};
use crate::model::event::Pull;
use crate::model::ids::{PullNumber, RunId, Sha};
use crate::model::journal::{NewStatus, StatusRecord};
use crate::model::rules::Permission;

/// How long trouble is put up with, unless somebody says otherwise.
pub(crate) const RETRY_BUDGET: Duration = Duration::from_secs(120);

/// Where and as whom GitHub is spoken to.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// `GITHUB_API_URL`, e.g. `https://api.github.com` or `https://HOST/api/v3`.
    pub(crate) api: String,
    /// `GITHUB_GRAPHQL_URL`; else it is where it usually stands beside `api`.
    pub(crate) graphql: Option<String>,
    /// `GITHUB_SERVER_URL`, e.g. `https://github.com`, for links and for git.
    pub(crate) server: String,
    /// `owner/name`.
    pub(crate) repository: String,
    pub(crate) token: Secret,
    /// A token that may read who is in a team.
    pub(crate) members_token: Option<Secret>,
    pub(crate) patience: Patience,
}

/// GitHub.
pub(crate) struct GitHub {
    client: Client,
    api: Base,
    graphql: Base,
    server: String,
    owner: String,
    name: String,
    token: Secret,
    /// Whose token it is, once that is known.
    account: OnceLock<String>,
    /// The ids of comments in GraphQL, as far as an answer told them.
    nodes: Mutex<HashMap<u64, String>>,
    /// The workflow runs that were started, so that none is taken for another.
    started: Mutex<HashSet<u64>>,
}

impl GitHub {
    /// Speaks to nobody yet.
    ///
    /// # Errors
    /// If an address, the name of the repository or a token cannot be one.
    pub(crate) fn new(settings: Settings) -> Result<Self> {
        let api = Base::parse(&settings.api, "GITHUB_API_URL")?;
        let graphql = match &settings.graphql {
            Some(address) => Base::parse(address, "GITHUB_GRAPHQL_URL")?,
            None => api.graphql(),
        };
        let named = settings.repository.split_once('/').filter(|(owner, name)| {
            let plain = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
            !owner.is_empty() && plain(owner) && plain(name) && !["", ".", ".."].contains(name)
        });
        let (owner, name) = named
            .ok_or_else(|| Error::Invalid(format!("`{}` is no repository; write `OWNER/NAME`", settings.repository)))?;
        Ok(Self {
            client: Client::new(&api, &settings)?,
            api,
            graphql,
            server: settings.server.trim_end_matches('/').to_owned(),
            owner: owner.to_owned(),
            name: name.to_owned(),
            token: settings.token,
            account: OnceLock::new(),
            nodes: Mutex::default(),
            started: Mutex::default(),
        })
    }

    /// Where its REST API stands.
    pub(crate) fn api_address(&self) -> String {
        self.api.at("")
    }

    /// A request below the repository.
    fn call(&self, route: Route, values: &[&dyn Display]) -> Call {
        let mut all: Vec<&dyn Display> = vec![&self.owner, &self.name];
        all.extend(values);
        Call::new(route, &all)
    }

    /// Sends what may be sent twice, and reads the answer.
    fn ask<T: DeserializeOwned>(&self, call: &Call) -> Result<T> {
        Ok(self.client.send(&self.api, call, &Repeat::Freely)?.value())
    }

    /// Sends what makes something new; where the answer was lost, what it made is looked for before it is sent again.
    fn create<T: DeserializeOwned>(&self, call: &Call, look: &dyn Fn() -> Result<Option<T>>) -> Result<T> {
        Ok(self.client.send(&self.api, call, &Repeat::Look(look))?.value())
    }

    /// What somebody wrote whose token this is tells who that is.
    fn learn_account(&self, login: &str) {
        if !login.is_empty() {
            self.account.get_or_init(|| login.to_owned());
        }
    }

    fn page_url(&self, below: impl Display) -> String {
        format!("{}/{}/{}/{below}", self.server, self.owner, self.name)
    }
}

/// Looks for something that may show up late: after each of the pauses.
fn look<T>(pauses: &[Duration], find: impl Fn() -> Result<Option<T>>) -> Result<Option<T>> {
    for pause in pauses {
        thread::sleep(*pause);
        if let Some(found) = find()? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

impl Forge for GitHub {
    fn describe(&self) -> String {
        format!("`{}` at `{}`", self.repository(), self.api_address())
    }

    fn repository(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }

    fn account(&self) -> Result<String> {
        if let Some(login) = self.account.get() {
            return Ok(login.clone());
        }
        let login = self.viewer()?;
        Ok(self.account.get_or_init(|| login).clone())
    }

    fn run_url(&self, run: RunId) -> String {
        let attempt = if run.attempt > 1 { format!("/attempts/{}", run.attempt) } else { String::new() };
        self.page_url(format_args!("actions/runs/{}{attempt}", run.id))
    }

    fn pull_url(&self, pull: PullNumber) -> String {
        self.page_url(format_args!("pull/{pull}"))
    }

    fn comment_url(&self, pull: Option<PullNumber>, comment: u64) -> String {
        let page = pull.map_or_else(|| format!("{}/{}", self.server, self.repository()), |pull| self.pull_url(pull));
        format!("{page}#issuecomment-{comment}")
    }

    fn comment_at(&self, url: &str) -> Option<u64> {
        let (page, comment) = url.split_once("#issuecomment-")?;
        page.starts_with(&self.page_url("")).then(|| comment.parse().ok()).flatten()
    }

    fn remote(&self) -> Option<Remote> {
        let user = format!("x-access-token:{}", self.token.reveal().trim_end());
        let authorization = Secret::new(format!("Basic {}", BASE64_STANDARD.encode(user)));
        let url = format!("{}/{}/{}.git", self.server, self.owner, self.name);
        Some(Remote { url, authorization: Some(authorization), patience: self.client.patience() })
    }

    fn declared(&self, branch: &str, config: &str, templates: &str) -> Result<Declared> {
        self.declared_at(branch, config, templates)
    }

    fn pull(&self, number: PullNumber) -> Result<Pull> {
        self.get_pull(number)
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
        self.create_status(sha, status)
    }

    fn statuses(&self, sha: &Sha) -> Result<Vec<StatusRecord>> {
        self.list_statuses(sha)
    }

    fn create_comment(&self, pull: PullNumber, body: &str) -> Result<PostedComment> {
        self.post_comment(pull, body)
    }

    fn edit_comment(&self, id: u64, body: &str) -> Result<PostedComment> {
        self.patch_comment(id, body)
    }

    fn delete_comment(&self, id: u64) -> Result<()> {
        self.ask::<IgnoredAny>(&self.call(Route::DeleteComment, &[&id])).map(|_| ())
    }

    fn comment(&self, id: u64) -> Result<PostedComment> {
        self.get_comment(id)
    }

    fn comments(&self, pull: PullNumber, since: Option<Timestamp>) -> Result<Vec<PostedComment>> {
        self.list_comments(pull, since)
    }

    fn recent_comments(&self, since: Timestamp) -> Result<Vec<PostedComment>> {
        self.list_recent_comments(since)
    }

    fn minimize(&self, id: u64) -> Result<()> {
        self.hide_comment(id)
    }

    fn react(&self, comment: u64, reaction: Reaction) -> Result<()> {
        let body = serde_json::json!({ "content": reaction });
        self.ask::<IgnoredAny>(&self.call(Route::React, &[&comment]).body(body)).map(|_| ())
    }

    fn take_back(&self, comment: u64, reaction: Reaction) -> Result<()> {
        self.remove_reaction(comment, reaction)
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
        self.client.now()
    }

    fn run_conclusion(&self, run: RunId) -> Result<Option<Conclusion>> {
        self.conclusion(run)
    }

    fn dispatch(&self, workflow: &str, reference: &str, inputs: &IndexMap<String, String>) -> Result<Dispatched> {
        self.start_workflow(workflow, reference, inputs)
    }

    fn api(&self, method: &str, path: &str, body: Option<&Value>) -> Result<()> {
        self.any_call(method, path, body)
    }

    fn issue(&self, title: &str, body: Option<&str>) -> Result<()> {
        self.keep_issue(title, body)
    }

    fn take_lock(&self, lock: &Lock) -> Result<Taken> {
        self.take(lock)
    }

    fn replace_lock(&self, held: &Lock, lock: &Lock) -> Result<bool> {
        self.replace_held(held, lock)
    }

    fn lock_name(&self, layer: &str) -> String {
        format!("refs/{}", locks::name(layer))
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
