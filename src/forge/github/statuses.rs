//! Commit statuses. See <https://docs.github.com/en/rest/commits/statuses>.

use std::collections::HashSet;

use serde::Deserialize;

use super::GitHub;
use super::route::Route;
use super::wire;
use crate::forge::{Error, Result};
use crate::model::ids::Sha;
use crate::model::journal::{NewStatus, State, StatusRecord};

impl GitHub {
    /// One whose answer was lost is simply created again: entries that say the same are one.
    pub(super) fn create_status(&self, sha: &Sha, status: &NewStatus) -> Result<StatusRecord> {
        let created: wire::Status = match self.ask(&self.call(Route::CreateStatus, &[sha]).body(status)) {
            // It is told as if the request were wrong.
            Err(Error::Invalid(text)) if text.contains("No commit found") => return Err(Error::NotFound(text)),
            created => created?,
        };
        let record = record(created).ok_or_else(|| Error::Server("a status of an unknown state".to_owned()))?;
        self.learn_account(&record.creator);
        Ok(record)
    }

    pub(super) fn list_statuses(&self, sha: &Sha) -> Result<Vec<StatusRecord>> {
        let listed = self.list::<Vec<wire::Status>>(self.call(Route::Statuses, &[sha]))?;
        let mut records: Vec<StatusRecord> = listed.into_iter().filter_map(record).collect();
        // Whatever is created while pages are read pushes older ones onto the next page, where they are read again.
        let mut seen = HashSet::new();
        records.retain(|record| seen.insert(record.id));
        records.sort_by_key(|record| std::cmp::Reverse(record.id));
        Ok(records)
    }
}

fn record(status: wire::Status) -> Option<StatusRecord> {
    Some(StatusRecord {
        id: status.id,
        creator: status.creator.map_or_else(String::new, |user| user.login),
        created_at: status.created_at,
        status: NewStatus {
            state: State::deserialize(status.state).ok()?,
            context: status.context.unwrap_or_default(),
            description: status.description.unwrap_or_default(),
            target_url: status.target_url.unwrap_or_default(),
        },
    })
}
