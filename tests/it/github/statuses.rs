//! Commit statuses and check runs.

use serde_json::{Value, json};

use super::git;
use super::routes::{list as listed, page};
use super::server::{Request, Response};
use super::state::{State, Status, user};

pub(super) fn create(state: &mut State, login: &str, request: &Request, sha: &str) -> Response {
    let fields = request.json();
    if git::ask(&state.bare, &["cat-file", "-e", &format!("{sha}^{{commit}}")]).is_none() {
        return Response::error(422, &format!("No commit found for SHA: {sha}"));
    }
    let description = fields["description"].as_str().unwrap_or_default();
    if description.chars().count() > 140 {
        return Response::invalid("Status", "custom", "description");
    }
    let same = |status: &&Status| status.sha == sha && status.context == fields["context"].as_str().unwrap_or_default();
    if state.statuses.iter().filter(same).count() >= 1_000 {
        return Response::invalid("Status", "custom", "context");
    }
    let status = state.status_as(login, sha, &fields);
    Response::json(201, &shown(&status))
}

/// Newest first, those left out that a lagging replica does not know yet.
pub(super) fn list(state: &mut State, request: &Request, sha: &str) -> Response {
    state.lags.statuses.read();
    let shows = |status: &&Status| status.sha == sha && state.lags.statuses.shows(status.id);
    let there: Vec<&Status> = state.statuses.iter().rev().filter(shows).collect();
    listed(request, &there, |status| shown(status))
}

pub(super) fn check_runs(state: &State, request: &Request, sha: &str) -> Response {
    let runs = state.checks.get(sha).cloned().unwrap_or_default();
    page(request, &runs, Value::clone, |page| json!({ "total_count": runs.len(), "check_runs": page }))
}

fn shown(status: &Status) -> Value {
    json!({
        "id": status.id, "state": status.state, "context": status.context, "description": status.description,
        "target_url": status.target_url, "creator": user(&status.creator), "created_at": status.created_at,
        "updated_at": status.created_at,
    })
}
