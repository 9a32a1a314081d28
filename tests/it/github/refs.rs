//! Git references, commits and trees, as they stand in the repository.

use serde_json::{Value, json};

use super::git;
use super::server::{Request, Response};
use super::state::State;

pub(super) fn get(state: &State, name: &str) -> Response {
    match git::ask(&state.bare, &["rev-parse", "--verify", "--quiet", &format!("refs/{name}")]) {
        Some(sha) => Response::json(200, &shown(name, sha.trim())),
        None => Response::error(404, "Not Found"),
    }
}

/// Those whose names begin so, on one page however many they are.
pub(super) fn matching(state: &State, start: &str) -> Response {
    let listed =
        git::ask(&state.bare, &["for-each-ref", "--format=%(refname:lstrip=1) %(objectname)"]).unwrap_or_default();
    let refs = listed.lines().filter_map(|line| line.split_once(' ')).filter(|(name, _)| name.starts_with(start));
    Response::json(200, &refs.map(|(name, sha)| shown(name, sha)).collect())
}

pub(super) fn create(state: &State, request: &Request) -> Response {
    let fields = request.json();
    let (Some(name), Some(sha)) = (fields["ref"].as_str(), fields["sha"].as_str()) else {
        return Response::invalid("Reference", "missing_field", "ref");
    };
    // An empty old value: it must not be there yet.
    match git::ask(&state.bare, &["update-ref", name, sha, ""]) {
        Some(_) => Response::json(201, &shown(name.trim_start_matches("refs/"), sha)),
        None if git::ask(&state.bare, &["rev-parse", "--verify", "--quiet", name]).is_some() => {
            Response::error(422, "Reference already exists")
        }
        None => Response::error(422, "Object does not exist"),
    }
}

pub(super) fn move_to(state: &State, request: &Request, name: &str) -> Response {
    let fields = request.json();
    let sha = fields["sha"].as_str().unwrap_or_default();
    let Some(old) = git::ask(&state.bare, &["rev-parse", "--verify", "--quiet", &format!("refs/{name}")]) else {
        return Response::error(422, "Reference does not exist");
    };
    let forward = git::ask(&state.bare, &["merge-base", "--is-ancestor", old.trim(), sha]).is_some();
    if !forward && fields["force"] != true {
        return Response::error(422, "Update is not a fast forward");
    }
    match git::ask(&state.bare, &["update-ref", &format!("refs/{name}"), sha]) {
        Some(_) => Response::json(200, &shown(name, sha)),
        None => Response::error(422, "Object does not exist"),
    }
}

fn shown(name: &str, sha: &str) -> Value {
    json!({ "ref": format!("refs/{name}"), "object": { "type": "commit", "sha": sha } })
}

pub(super) fn commit(state: &State, sha: &str) -> Response {
    match git::ask(&state.bare, &["log", "-1", "--format=%B", sha]) {
        Some(message) => Response::json(200, &described(state, sha, message.trim_end())),
        None => Response::error(404, "Not Found"),
    }
}

pub(super) fn create_commit(state: &State, request: &Request) -> Response {
    let fields = request.json();
    let tree = fields["tree"].as_str().unwrap_or_default();
    let mut arguments = vec!["commit-tree", tree];
    for parent in fields["parents"].as_array().into_iter().flatten() {
        arguments.extend(["-p", parent.as_str().unwrap()]);
    }
    let sha = git::write(&state.bare, &arguments, fields["message"].as_str().unwrap_or_default());
    if sha.is_empty() {
        return Response::invalid("Commit", "invalid", "tree");
    }
    Response::json(201, &described(state, &sha, fields["message"].as_str().unwrap_or_default()))
}

fn described(state: &State, sha: &str, message: &str) -> Value {
    let tree = git::ask(&state.bare, &["rev-parse", &format!("{sha}^{{tree}}")]).unwrap_or_default();
    json!({ "sha": sha, "message": message, "tree": { "sha": tree.trim() } })
}

pub(super) fn tree(state: &State, commit: &str) -> Response {
    let Some(listed) = git::ask(&state.bare, &["ls-tree", "-r", "-t", commit]) else {
        return Response::error(404, "Not Found");
    };
    let entry = |line: &str| {
        let (what, path) = line.split_once('\t')?;
        let [mode, kind, sha] = what.split(' ').collect::<Vec<_>>().try_into().ok()?;
        Some(json!({ "path": path, "mode": mode, "type": kind, "sha": sha }))
    };
    let tree: Vec<Value> = listed.lines().filter_map(entry).collect();
    Response::json(200, &json!({ "sha": commit, "tree": tree, "truncated": false }))
}
