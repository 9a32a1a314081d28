//! What is asked in GraphQL, by the names of the operations.

use serde_json::{Value, json};

use super::git;
use super::server::{Request, Response};
use super::state::{Account, State, Writes};

pub(super) fn answer(state: &mut State, account: &Account, request: &Request) -> Response {
    let asked = request.json();
    let (query, variables) = (asked["query"].as_str().unwrap_or_default(), &asked["variables"]);
    let data = match query.split(['(', '{']).next().unwrap().trim() {
        "query Viewer" => json!({ "viewer": { "login": account.login } }),
        "query Declared" => declared(state, variables),
        "mutation Minimize" if account.may_write != Writes::All => {
            return failure("FORBIDDEN", "Resource not accessible by integration");
        }
        "mutation Minimize" => {
            let id = variables["id"].as_str().and_then(|id| id.strip_prefix("IC_")).and_then(|id| id.parse().ok());
            let Some(comment) = id.and_then(|id: u64| state.comments.get_mut(&id)) else {
                return failure("NOT_FOUND", "Could not resolve to a node");
            };
            comment.minimized = true;
            json!({ "minimizeComment": { "minimizedComment": { "isMinimized": true } } })
        }
        other => {
            let response = Response::error(404, &format!("unknown operation `{other}`"));
            return Response { unknown: true, ..response };
        }
    };
    Response::json(200, &json!({ "data": data }))
}

fn failure(kind: &str, message: &str) -> Response {
    Response::json(200, &json!({ "data": null, "errors": [{ "type": kind, "message": message }] }))
}

fn declared(state: &State, variables: &Value) -> Value {
    let blob = |name: &str| {
        git::ask(&state.bare, &["cat-file", "blob", name])
            .map(|text| json!({ "text": text, "isTruncated": false, "isBinary": false }))
    };
    let templates = variables["templates"].as_str().unwrap_or_default();
    let names = git::ask(&state.bare, &["ls-tree", "--name-only", templates]);
    let entries = names.map(|names| {
        let entry = |name: &str| json!({ "name": name, "object": blob(&format!("{templates}/{name}")) });
        names.lines().map(entry).collect::<Vec<_>>()
    });
    json!({ "repository": {
        "config": blob(variables["config"].as_str().unwrap_or_default()),
        "templates": entries.map(|entries| json!({ "entries": entries })),
    } })
}
