//! What the local forge only writes down, because nothing here carries it out: dispatched workflows, calls of the API,
//! issues; and the folders of runs, and the paths that steps wrote.

use std::collections::BTreeSet;
use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::PoisonError;

use indexmap::IndexMap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::store::{failure, file_url};
use super::{Local, now};
use crate::forge::{Dispatched, Error, Result};
use crate::inherited::inherited;
use crate::model::ids::RunId;

/// What stands in `dispatches/ID.json`.
#[derive(Debug, Serialize)]
struct Dispatch<'a> {
    workflow: &'a str,
    #[serde(rename = "ref")]
    reference: &'a str,
    inputs: &'a IndexMap<String, String>,
    at: Timestamp,
}

/// What stands in `api/ID.json`.
#[derive(Debug, Serialize)]
struct Call<'a> {
    method: &'a str,
    path: &'a str,
    body: Option<&'a Value>,
    at: Timestamp,
}

/// What stands in `issues/N.json`.
#[derive(Debug, Serialize, Deserialize)]
struct Issue {
    title: String,
    open: bool,
    body: String,
    updated_at: Timestamp,
}

impl Local {
    /// Takes the next number for a run and makes its folder. This process holds a lock there until it ends, and should it
    /// be killed its children do: the system lets go of it when the last of them dies, however that dies, so that others
    /// can tell whether the run has ended.
    pub(crate) fn next_run_id(&self) -> Result<u64> {
        let id = self.store.append_folder("runs")?;
        let path = self.alive(id);
        let lock = File::create(&path).and_then(|file| file.lock().map(|()| file));
        let lock = lock.and_then(inherited).map_err(|error| failure(&path, &error))?;
        self.runs.lock().unwrap_or_else(PoisonError::into_inner).push(lock.into());
        // Rows link there from now on, and whoever is killed writes nothing more.
        self.save_summary(id, &not_ended(id))?;
        Ok(id)
    }

    pub(super) fn alive(&self, id: u64) -> PathBuf {
        self.run_dir(id).join("alive.lock")
    }

    /// How a run ended: nobody can tell of a process that is gone, so it is a failure.
    pub(super) fn conclusion(&self, run: RunId) -> Result<Option<String>> {
        let path = self.alive(run.id);
        // Shared, so that nobody takes another who asks for the run.
        match File::open(&path).map(|file| file.try_lock_shared()) {
            Ok(Ok(())) => Ok(Some("failure".to_owned())),
            Ok(Err(TryLockError::WouldBlock)) => Ok(None),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(Error::NotFound(format!("run {}", run.id))),
            Ok(Err(TryLockError::Error(error))) | Err(error) => Err(failure(&path, &error)),
        }
    }

    /// Keeps the page of a run.
    pub(crate) fn save_summary(&self, id: u64, markdown: &str) -> Result<()> {
        let path = self.run_dir(id).join("summary.md");
        std::fs::write(&path, markdown).map_err(|error| failure(&path, &error))
    }

    /// The folder of a run.
    pub(crate) fn run_dir(&self, id: u64) -> PathBuf {
        self.store.path(&format!("runs/{id}"))
    }

    /// The paths that steps of all runs wrote, relative to the root.
    pub(crate) fn written(&self) -> Result<BTreeSet<String>> {
        Ok(self.store.read("written.json")?.unwrap_or_default())
    }

    /// Adds paths that steps wrote.
    pub(crate) fn add_written(&self, paths: &BTreeSet<String>) -> Result<()> {
        if paths.is_empty() {
            return Ok(());
        }
        self.store.alone("written", || {
            let mut all = self.written()?;
            all.extend(paths.iter().cloned());
            self.store.replace("written.json", &all)
        })
    }

    pub(super) fn record_dispatch(
        &self,
        workflow: &str,
        reference: &str,
        inputs: &IndexMap<String, String>,
    ) -> Result<Dispatched> {
        let id = self.store.append("dispatches", &Dispatch { workflow, reference, inputs, at: now() })?;
        Ok(Dispatched { run: None, url: file_url(&self.store.path(&format!("dispatches/{id}.json"))) })
    }

    pub(super) fn record_call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<()> {
        self.store.append("api", &Call { method, path, body, at: now() })?;
        Ok(())
    }

    pub(super) fn set_issue(&self, title: &str, body: Option<&str>) -> Result<()> {
        self.store.alone("issues", || {
            let found = self.find_issue(title)?;
            let Some(body) = body else {
                // Closed, it keeps the text that says why it was open.
                return found.map_or(Ok(()), |(id, issue)| {
                    self.store.replace(&issue_name(id), &Issue { open: false, updated_at: now(), ..issue })
                });
            };
            let issue = Issue { title: title.to_owned(), open: true, body: body.to_owned(), updated_at: now() };
            match found {
                Some((id, _)) => self.store.replace(&issue_name(id), &issue),
                None => self.store.append("issues", &issue).map(|_| ()),
            }
        })
    }

    fn find_issue(&self, title: &str) -> Result<Option<(u64, Issue)>> {
        for id in self.store.appended("issues")? {
            let issue = self.store.read::<Issue>(&issue_name(id))?;
            if let Some(issue) = issue.filter(|issue| issue.title == title) {
                return Ok(Some((id, issue)));
            }
        }
        Ok(None)
    }
}

/// The page of a run until it ends.
fn not_ended(id: u64) -> String {
    format!(
        "## Run {id}\n\nIt began at {:.0} and goes on, or it was killed before it could say what came of it. What it \
         printed stands where it was started.\n",
        now()
    )
}

fn issue_name(id: u64) -> String {
    format!("issues/{id}.json")
}
