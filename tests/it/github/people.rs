//! Who may what.

use serde_json::json;

use super::server::Response;
use super::state::{State, user};

/// The role of somebody whose permission cannot be looked up.
pub(crate) const UNREADABLE: &str = "unreadable";

pub(super) fn permission(state: &State, login: &str) -> Response {
    // An outsider may read a public repository.
    let role = state.roles.get(login).map_or("read", String::as_str);
    if role == UNREADABLE {
        return Response::error(403, "Resource not accessible by integration");
    }
    let permission = match role {
        "admin" => "admin",
        "maintain" | "write" => "write",
        _ => "read",
    };
    Response::json(200, &json!({ "permission": permission, "role_name": role, "user": user(login) }))
}

pub(super) fn membership(state: &State, team: &str, login: &str) -> Response {
    let member = state.teams.get(team).is_some_and(|members| members.iter().any(|member| member == login));
    match member {
        true => Response::json(200, &json!({ "state": "active", "role": "member" })),
        false => Response::error(404, "Not Found"),
    }
}
