//! Pull requests, what they change and who reviewed them.

use serde_json::{Value, json};

use super::routes::list as listed;
use super::server::{Request, Response};
use super::state::{Pull, State, user};
use super::{REPOSITORY, git};

pub(super) fn list(state: &State, request: &Request) -> Response {
    let open: Vec<&Pull> = state.pulls.values().filter(|pull| pull.open).collect();
    listed(request, &open, |pull| shown(state, pull))
}

/// Whether it merges is found out when it is asked for the first time, and told from the second time on.
pub(super) fn get(state: &mut State, number: u64) -> Response {
    let Some(pull) = state.pulls.get(&number) else { return Response::error(404, "Not Found") };
    let mut pull = pull.clone();
    if state.asked_to_merge.insert((number, pull.head_sha.clone())) {
        pull.mergeable = None;
    }
    Response::json(200, &shown(state, &pull))
}

pub(super) fn files(state: &State, request: &Request, number: u64) -> Response {
    let Some(pull) = state.pulls.get(&number) else { return Response::error(404, "Not Found") };
    let files = changed(state, &format!("{}...{}", pull.base, pull.head_sha));
    listed(request, &files[..files.len().min(3_000)], Value::clone)
}

pub(super) fn reviews(state: &State, request: &Request, number: u64) -> Response {
    match state.pulls.get(&number) {
        Some(pull) => listed(request, &pull.reviews, Value::clone),
        None => Response::error(404, "Not Found"),
    }
}

pub(super) fn request_review(state: &mut State, request: &Request, number: u64) -> Response {
    state.review_requests.push(request.json());
    let response = get(state, number);
    Response { status: 201, ..response }
}

/// The pull requests that hold a commit, or that it was made by merging.
pub(super) fn of_commit(state: &State, request: &Request, sha: &str) -> Response {
    let holds = |pull: &&Pull| pull.head_sha == sha || pull.merged.as_deref() == Some(sha);
    let pulls: Vec<&Pull> = state.pulls.values().filter(holds).collect();
    listed(request, &pulls, |pull| shown(state, pull))
}

pub(super) fn compare(state: &State, range: &str) -> Response {
    let Some((base, head)) = range.split_once("...") else { return Response::error(404, "Not Found") };
    let Some(fork) = git::ask(&state.bare, &["merge-base", base, head]) else {
        return Response::error(404, "Not Found");
    };
    let files = changed(state, range);
    let fork = json!({ "sha": fork.trim() });
    Response::json(200, &json!({ "merge_base_commit": fork, "files": files[..files.len().min(300)] }))
}

fn changed(state: &State, range: &str) -> Vec<Value> {
    let names = git::ask(&state.bare, &["diff", "--name-status", "--find-renames", range]).unwrap_or_default();
    let file = |line: &str| match line.split('\t').collect::<Vec<_>>()[..] {
        [_, before, name] => json!({ "filename": name, "previous_filename": before, "status": "renamed" }),
        [kind, name] => {
            let status = if kind == "A" {
                "added"
            } else if kind == "D" {
                "removed"
            } else {
                "modified"
            };
            json!({ "filename": name, "status": status })
        }
        _ => panic!("git lists `{line}`"),
    };
    names.lines().map(file).collect()
}

pub(super) fn shown(state: &State, pull: &Pull) -> Value {
    let url = &state.url;
    json!({
        "number": pull.number, "state": if pull.open { "open" } else { "closed" }, "draft": pull.draft,
        "user": user(&pull.author), "labels": [], "mergeable": pull.mergeable, "mergeable_state": "blocked",
        "merged": pull.merged.is_some(), "merge_commit_sha": pull.merged,
        "merged_at": pull.merged.as_ref().map(|_| "2026-01-02T03:04:05Z"),
        "head": { "sha": pull.head_sha, "ref": pull.branch, "repo": { "full_name": pull.head_repository } },
        "base": { "ref": pull.base, "repo": { "full_name": REPOSITORY } },
        "html_url": format!("{url}/{REPOSITORY}/pull/{}", pull.number),
    })
}
