//! What other tools found in a commit: check runs and commit statuses. See
//! <https://docs.github.com/en/rest/checks/runs>.

use std::collections::HashSet;

use super::page::Page;
use super::route::Route;
use super::{GitHub, wire};
use crate::forge::{Check, Result, both};
use crate::model::ids::Sha;
use crate::model::journal::State;

impl Page for wire::CheckRuns {
    type Entry = wire::CheckRun;
    fn entries(self) -> Vec<wire::CheckRun> {
        self.check_runs
    }
}

impl GitHub {
    pub(super) fn list_checks(&self, sha: &Sha) -> Result<Vec<Check>> {
        let runs = || self.list::<wire::CheckRuns>(self.call(Route::CheckRuns, &[sha]).query("filter", "latest"));
        let (runs, statuses) = both(runs, || self.list_statuses(sha));
        let mut checks: Vec<Check> = runs?.into_iter().map(check).collect();
        let mut seen = HashSet::new();
        // Newest first: what a context said before does not count.
        let newest = statuses?.into_iter().filter(|record| seen.insert(record.status.context.clone()));
        checks.extend(newest.map(|record| Check {
            conclusion: conclusion(record.status.state).map(str::to_owned),
            name: record.status.context,
            run: None,
        }));
        Ok(checks)
    }
}

fn check(run: wire::CheckRun) -> Check {
    let workflow_run = run.details_url.as_deref().and_then(workflow_run);
    Check { name: run.name, conclusion: run.conclusion, run: workflow_run }
}

/// The run in an address like `https://github.com/O/N/actions/runs/1/job/2`.
fn workflow_run(details: &str) -> Option<u64> {
    let (_, rest) = details.split_once("/actions/runs/")?;
    rest.split(['/', '?', '#']).next()?.parse().ok()
}

fn conclusion(state: State) -> Option<&'static str> {
    match state {
        State::Pending => None,
        State::Success => Some("success"),
        State::Failure => Some("failure"),
        State::Error => Some("error"),
    }
}
