//! Issues that are kept by their title. See <https://docs.github.com/en/rest/issues/issues>.

use std::time::Duration;

use serde::de::IgnoredAny;
use serde_json::json;

use super::route::Route;
use super::{GitHub, wire};
use crate::forge::{Forge, Result};

/// The pauses between looks: a list may lag behind what was written.
const LOOKS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(2)];

impl GitHub {
    /// There is at most one open issue of ours of a title.
    pub(super) fn keep_issue(&self, title: &str, body: Option<&str>) -> Result<()> {
        match (self.find_issue(title)?, body) {
            (Some(issue), Some(body)) => self.edit_issue(issue.number, json!({ "body": body })),
            (Some(issue), None) => {
                self.edit_issue(issue.number, json!({ "state": "closed", "state_reason": "completed" }))
            }
            (None, Some(body)) => {
                let call = self.call(Route::CreateIssue, &[]).body(json!({ "title": title, "body": body }));
                self.create::<wire::Issue>(&call, &|| super::look(&LOOKS, || self.find_issue(title))).map(|_| ())
            }
            (None, None) => Ok(()),
        }
    }

    fn edit_issue(&self, number: u64, change: serde_json::Value) -> Result<()> {
        self.ask::<IgnoredAny>(&self.call(Route::EditIssue, &[&number]).body(change)).map(|_| ())
    }

    /// Listed, not searched for: the index of the search lags by minutes.
    fn find_issue(&self, title: &str) -> Result<Option<wire::Issue>> {
        let account = self.account()?;
        let call = self.call(Route::Issues, &[]).query("state", "open").query("creator", &account);
        let ours = |issue: &wire::Issue| {
            let author = issue.user.as_ref().is_some_and(|user| user.login == account);
            author && issue.title == title && issue.pull_request.is_none()
        };
        Ok(self.list::<Vec<wire::Issue>>(call)?.into_iter().filter(ours).min_by_key(|issue| issue.number))
    }
}
