//! Workflow runs.

use serde_json::{Value, json};

use super::routes::page;
use super::server::{Request, Response};
use super::state::{Run, State, now, user};
use super::{REPOSITORY, git};

pub(super) fn attempt(state: &State, id: u64, attempt: usize) -> Response {
    let Some(run) = state.runs.get(&id).filter(|run| (1..=run.earlier.len() + 1).contains(&attempt)) else {
        return Response::error(404, "Not Found");
    };
    let mut run = run.clone();
    if attempt <= run.earlier.len() {
        run.conclusion = Some(run.earlier[attempt - 1].clone());
        run.earlier.truncate(attempt - 1);
    }
    Response::json(200, &shown(state, &run))
}

/// Those left out that a lagging replica does not know yet.
pub(super) fn runs(state: &mut State, request: &Request, workflow: &str) -> Response {
    state.lags.runs.read();
    let branch = request.query("branch");
    let wanted = |run: &&Run| run.workflow == workflow && branch.as_ref().is_none_or(|branch| *branch == run.branch);
    let there = state.runs.values().rev().filter(|run| state.lags.runs.shows(run.id)).filter(wanted);
    let runs: Vec<&Run> = there.collect();
    page(request, &runs, |run| shown(state, run), |page| json!({ "total_count": runs.len(), "workflow_runs": page }))
}

pub(super) fn dispatch(state: &mut State, login: &str, request: &Request, workflow: &str) -> Response {
    let fields = request.json();
    let branch = fields["ref"].as_str().unwrap_or_default().to_owned();
    let Some(sha) = git::ask(&state.bare, &["rev-parse", "--verify", &format!("refs/heads/{branch}")]) else {
        return Response::error(422, &format!("No ref found for: {branch}"));
    };
    let run = Run {
        id: state.next_id(),
        workflow: workflow.to_owned(),
        branch,
        sha: sha.trim().to_owned(),
        event: "workflow_dispatch".to_owned(),
        actor: login.to_owned(),
        inputs: fields["inputs"].clone(),
        conclusion: None,
        earlier: Vec::new(),
        created_at: now(),
        updated_at: now(),
    };
    let shown = shown(state, &run);
    let details = json!({ "workflow_run_id": run.id, "run_url": shown["url"], "html_url": shown["html_url"] });
    state.lags.runs.made(run.id);
    state.runs.insert(run.id, run);
    let wanted = fields["return_run_details"] == true && state.run_details;
    if wanted { Response::json(200, &details) } else { Response::status(204) }
}

pub(super) fn shown(state: &State, run: &Run) -> Value {
    let url = &state.url;
    // GitHub says which have its branch, whatever it was that started it.
    let of = |pull: &&super::state::Pull| pull.open && pull.branch == run.branch;
    let pulls: Vec<Value> = state.pulls.values().filter(of).map(|pull| json!({ "number": pull.number })).collect();
    json!({
        "id": run.id, "run_attempt": run.earlier.len() + 1, "path": format!(".github/workflows/{}", run.workflow), "event": run.event,
        "status": if run.conclusion.is_some() { "completed" } else { "in_progress" }, "conclusion": run.conclusion,
        "head_branch": run.branch, "head_sha": run.sha, "head_repository": { "full_name": REPOSITORY },
        "actor": user(&run.actor), "created_at": run.created_at, "run_started_at": run.created_at,
        "updated_at": run.updated_at, "pull_requests": pulls,
        "url": format!("{url}/repos/{REPOSITORY}/actions/runs/{}", run.id),
        "html_url": format!("{url}/{REPOSITORY}/actions/runs/{}", run.id),
    })
}
