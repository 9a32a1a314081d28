//! Commit statuses as files: `statuses/SHA/ID.json`. They are created and listed, never changed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Local, now};
use crate::forge::{Error, Result};
use crate::model::ids::Sha;
use crate::model::journal::{DESCRIPTION, NewStatus, StatusRecord};

/// The most statuses that GitHub takes for one commit and context.
const STATUSES: u64 = 1_000;

/// What stands in `statuses/SHA/ID.json`.
#[derive(Debug, Serialize, Deserialize)]
struct File {
    creator: String,
    created_at: Timestamp,
    status: NewStatus,
}

impl Local {
    pub(super) fn append_status(&self, sha: &Sha, status: &NewStatus) -> Result<StatusRecord> {
        let length = status.description.chars().count();
        if length > DESCRIPTION {
            let text = format!("the description has {length} characters; at most {DESCRIPTION} are taken");
            return Err(Error::Invalid(text));
        }
        self.check_room(sha, &status.context)?;
        let file = File { creator: self.account.clone(), created_at: now(), status: status.clone() };
        let id = self.store.append(&family(sha), &file)?;
        Ok(record(id, file))
    }

    pub(super) fn list_statuses(&self, sha: &Sha) -> Result<Vec<StatusRecord>> {
        let family = family(sha);
        let mut records = Vec::new();
        for id in self.store.appended(&family)?.rev() {
            let file = self.store.read::<File>(&format!("{family}/{id}.json"))?;
            records.extend(file.map(|file| record(id, file)));
        }
        Ok(records)
    }

    /// The files are opened only where there are enough of them for one context to be full.
    fn check_room(&self, sha: &Sha, context: &str) -> Result<()> {
        if *self.store.appended(&family(sha))?.end() < STATUSES {
            return Ok(());
        }
        let records = self.list_statuses(sha)?;
        let taken: u64 = records.iter().map(|record| u64::from(record.status.context == context)).sum();
        if taken < STATUSES {
            return Ok(());
        }
        Err(Error::Invalid(format!(
            "commit `{}` has {STATUSES} statuses of `{context}`; no more are taken",
            sha.short()
        )))
    }
}

fn family(sha: &Sha) -> String {
    format!("statuses/{sha}")
}

fn record(id: u64, file: File) -> StatusRecord {
    StatusRecord { id, creator: file.creator, created_at: file.created_at, status: file.status }
}
