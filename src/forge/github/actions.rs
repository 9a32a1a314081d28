//! Workflow runs: how they ended, how they are started; and calls of the API that ci.toml spells out. See
//! <https://docs.github.com/en/rest/actions/workflows>.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use indexmap::IndexMap;
use jiff::{SignedDuration, Timestamp};
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use ureq::http::Method;

use super::client::Repeat;
use super::page::Page;
use super::route::{Call, JSON, Route, Speaks};
use super::{GitHub, wire};
use crate::forge::{Conclusion, Dispatched, Error, Forge, Result};
use crate::model::ids::RunId;

/// The pauses between looks for a run: it shows up in lists only after a while.
const LOOKS: [Duration; 4] =
    [Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(3), Duration::from_secs(5)];
/// The field of a request by which newer servers tell which run they started.
const DETAILS: &str = "return_run_details";
/// By how much GitHub's times may be off: it tells whole seconds, of runs and of its clock.
const SLACK: SignedDuration = SignedDuration::from_secs(2);

impl Page for wire::Runs {
    type Entry = wire::Run;
    fn entries(self) -> Vec<wire::Run> {
        self.workflow_runs
    }
}

impl GitHub {
    /// The end of an attempt is when it changed last, of which GitHub itself makes how long it took; see `Duration` in
    /// <https://github.com/cli/cli/blob/trunk/pkg/cmd/run/shared/shared.go>. It changes again if the run is run once more.
    pub(super) fn conclusion(&self, run: RunId) -> Result<Option<Conclusion>> {
        // A run that was started again shows its newest attempt, so the attempt is asked for.
        let found: wire::Run = self.ask(&self.call(Route::RunAttempt, &[&run.id, &run.attempt]))?;
        let ended = found.status.as_deref() == Some("completed");
        let word = ended.then_some(found.conclusion).flatten();
        Ok(word.map(|word| Conclusion { word, at: found.updated_at }))
    }

    pub(super) fn start_workflow(
        &self,
        workflow: &str,
        reference: &str,
        inputs: &IndexMap<String, String>,
    ) -> Result<Dispatched> {
        let begun = Instant::now();
        let look = || super::look(&LOOKS, || self.run_since(workflow, reference, begun)).map(|run| run.map(Some));
        let mut body = json!({ "ref": reference, "inputs": inputs, DETAILS: true });
        let call = self.call(Route::Dispatch, &[&workflow]);
        let mut answer = self.create::<Option<wire::Started>>(&call.clone().body(&body), &look);
        if let (Err(Error::Invalid(text)), Value::Object(fields)) = (&answer, &mut body)
            && text.contains(DETAILS)
        {
            fields.shift_remove(DETAILS);
            answer = self.create(&call.body(&body), &look);
        }
        let details = match answer? {
            Some(details) => Some(details),
            // Older servers answer without a word.
            None => look()?.flatten(),
        };
        let Some(details) = details else {
            return Ok(Dispatched { run: None, url: self.page_url(format_args!("actions/workflows/{workflow}")) });
        };
        self.started.lock().unwrap_or_else(PoisonError::into_inner).insert(details.workflow_run_id);
        let run = RunId { id: details.workflow_run_id, attempt: 1 };
        let url = Some(details.html_url).filter(|url| !url.is_empty()).unwrap_or_else(|| self.run_url(run));
        Ok(Dispatched { run: Some(run), url })
    }

    /// The first run of a workflow that we started since then and do not know yet.
    fn run_since(&self, workflow: &str, reference: &str, begun: Instant) -> Result<Option<wire::Started>> {
        let account = self.account()?;
        // By GitHub's clock, as the last answer told it.
        let ago = SignedDuration::try_from(begun.elapsed()).unwrap_or(SignedDuration::MAX);
        let since = self.client.now().saturating_sub(ago.saturating_add(SLACK)).unwrap_or(Timestamp::MIN);
        let branch = reference.strip_prefix("refs/heads/").unwrap_or(reference);
        let call = self.call(Route::RunsOfWorkflow, &[&workflow]).query("event", "workflow_dispatch");
        let call = call.query("branch", branch).query("created", since.strftime(">=%Y-%m-%dT%H:%M:%SZ"));
        let runs = self.list::<wire::Runs>(call)?;
        let known = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        let ours = |run: &wire::Run| {
            let late = run.created_at.is_none_or(|at| at.as_second() >= since.as_second());
            late && !known.contains(&run.id) && run.actor.as_ref().is_none_or(|actor| actor.login == account)
        };
        let first = runs.into_iter().filter(ours).min_by_key(|run| run.id);
        Ok(first.map(|run| wire::Started { workflow_run_id: run.id, html_url: run.html_url }))
    }

    /// Nothing is known of what a `POST` makes, so one whose answer was lost is not sent again.
    pub(super) fn any_call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<()> {
        let home = format!("/repos/{}/", self.repository());
        if !path.starts_with(&home)
            || path.split(['/', '?']).any(|part| part == ".." || part.to_ascii_lowercase().contains("%2e"))
        {
            return Err(Error::Invalid(format!("`{path}` is not below `{home}`")));
        }
        let method = Method::from_bytes(method.as_bytes())
            .map_err(|_| Error::Invalid(format!("`{method}` is no method of HTTP")))?;
        let repeat = if method == Method::POST { Repeat::Never } else { Repeat::Freely };
        let call = Call {
            method,
            path: path.to_owned(),
            query: Vec::new(),
            body: body.cloned(),
            speaks: Speaks::Own,
            needs: None,
            accept: JSON,
            named: None,
        };
        self.client.send::<IgnoredAny>(&self.api, &call, &repeat).map(|_| ())
    }
}
