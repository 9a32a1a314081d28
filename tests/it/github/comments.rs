//! Comments and reactions to them.

use serde_json::{Value, json};

use super::REPOSITORY;
use super::routes::list as listed;
use super::server::{Request, Response};
use super::state::{Comment, State, now, user};

/// Those of one issue, or of all; those left out that a lagging replica does not know yet.
pub(super) fn list(state: &mut State, request: &Request, issue: Option<u64>) -> Response {
    state.lags.comments.read();
    let since = request.query("since").map(|since| since.parse::<jiff::Timestamp>().unwrap());
    let wanted = |comment: &&Comment| {
        issue.is_none_or(|issue| comment.issue == issue) && since.is_none_or(|since| comment.updated_at >= since)
    };
    let there = state.comments.values().filter(|comment| state.lags.comments.shows(comment.id)).filter(wanted);
    listed(request, &there.collect::<Vec<_>>(), |comment| shown(state, comment))
}

pub(super) fn create(state: &mut State, login: &str, request: &Request, issue: u64) -> Response {
    if !state.pulls.contains_key(&issue) && !state.issues.contains_key(&issue) {
        return Response::error(404, "Not Found");
    }
    let body = request.json()["body"].as_str().unwrap_or_default().to_owned();
    if let Some(refused) = too_long(&body) {
        return refused;
    }
    if body.trim().is_empty() {
        return Response::invalid("IssueComment", "missing_field", "body");
    }
    let comment = state.comment_as(login, issue, &body);
    Response::json(201, &shown(state, &comment))
}

pub(super) fn get(state: &State, id: u64) -> Response {
    match state.comments.get(&id) {
        Some(comment) => Response::json(200, &shown(state, comment)),
        None => Response::error(404, "Not Found"),
    }
}

pub(super) fn edit(state: &mut State, login: &str, request: &Request, id: u64) -> Response {
    let body = request.json()["body"].as_str().unwrap_or_default().to_owned();
    if let Some(refused) = too_long(&body).or_else(|| of_another(state, login, id)) {
        return refused;
    }
    let Some(comment) = state.comments.get_mut(&id) else { return Response::error(404, "Not Found") };
    (comment.body, comment.updated_at) = (body, now());
    let comment = comment.clone();
    Response::json(200, &shown(state, &comment))
}

pub(super) fn delete(state: &mut State, login: &str, id: u64) -> Response {
    if let Some(refused) = of_another(state, login, id) {
        return refused;
    }
    match state.comments.remove(&id) {
        Some(_) => Response::status(204),
        None => Response::error(404, "Not Found"),
    }
}

pub(super) fn react(state: &mut State, login: &str, request: &Request, id: u64) -> Response {
    let content = request.json()["content"].as_str().unwrap_or_default().to_owned();
    let Some(comment) = state.comments.get_mut(&id) else { return Response::error(404, "Not Found") };
    let reaction = (login.to_owned(), content.clone());
    let there = comment.reactions.contains(&reaction);
    if !there {
        comment.reactions.push(reaction);
    }
    Response::json(if there { 200 } else { 201 }, &reaction_shown(id, login, &content))
}

pub(super) fn reactions(state: &State, request: &Request, id: u64) -> Response {
    let Some(comment) = state.comments.get(&id) else { return Response::error(404, "Not Found") };
    let wanted = request.query("content");
    let given: Vec<_> =
        comment.reactions.iter().filter(|(_, content)| wanted.as_ref().is_none_or(|word| *word == *content)).collect();
    listed(request, &given, |(login, content)| reaction_shown(id, login, content))
}

fn reaction_shown(comment: u64, login: &str, content: &str) -> Value {
    json!({ "id": reaction_id(comment, content), "content": content, "user": user(login) })
}

pub(super) fn take_back(state: &mut State, login: &str, id: u64, reaction: u64) -> Response {
    let Some(comment) = state.comments.get_mut(&id) else { return Response::error(404, "Not Found") };
    let before = comment.reactions.len();
    comment.reactions.retain(|(who, content)| who != login || reaction_id(id, content) != reaction);
    if comment.reactions.len() < before { Response::status(204) } else { Response::error(404, "Not Found") }
}

/// Each account reacts once in the same way.
fn reaction_id(comment: u64, content: &str) -> u64 {
    let known = ["eyes", "rocket", "confused"].iter().position(|known| *known == content);
    comment * 10 + u64::try_from(known.unwrap()).unwrap()
}

fn too_long(body: &str) -> Option<Response> {
    (body.chars().count() > 65_536).then(|| Response::invalid("IssueComment", "unprocessable", "data"))
}

fn of_another(state: &State, login: &str, id: u64) -> Option<Response> {
    let another = state.comments.get(&id).is_some_and(|comment| comment.author != login);
    another.then(|| Response::error(403, "Must have admin rights to Repository."))
}

pub(super) fn shown(state: &State, comment: &Comment) -> Value {
    let url = &state.url;
    json!({
        "id": comment.id, "node_id": format!("IC_{}", comment.id), "body": comment.body,
        "user": user(&comment.author), "created_at": comment.created_at, "updated_at": comment.updated_at,
        "html_url": format!("{url}/{REPOSITORY}/pull/{}#issuecomment-{}", comment.issue, comment.id),
        "issue_url": format!("{url}/repos/{REPOSITORY}/issues/{}", comment.issue),
        "author_association": "NONE",
    })
}
