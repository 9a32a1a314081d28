//! Issues that are no pull requests.

use serde_json::{Value, json};

use super::routes::list as listed;
use super::server::{Request, Response};
use super::state::{Issue, State, user};

pub(super) fn list(state: &State, request: &Request) -> Response {
    let (creator, open) = (request.query("creator"), request.query("state"));
    let wanted = |issue: &&Issue| {
        creator.as_ref().is_none_or(|creator| *creator == issue.author)
            && match open.as_deref() {
                None | Some("open") => issue.open,
                Some("closed") => !issue.open,
                Some(_) => true,
            }
    };
    let mut issues: Vec<Value> = state.issues.values().rev().filter(wanted).map(shown).collect();
    // Pull requests are issues too.
    let pulls = state.pulls.values().filter(|pull| pull.open && creator.is_none());
    issues.extend(pulls.map(|pull| json!({ "number": pull.number, "title": "a change", "pull_request": {} })));
    listed(request, &issues, Value::clone)
}

pub(super) fn create(state: &mut State, login: &str, request: &Request) -> Response {
    let fields = request.json();
    let text = |key: &str| fields[key].as_str().unwrap_or_default().to_owned();
    if text("title").is_empty() {
        return Response::invalid("Issue", "missing_field", "title");
    }
    let number = state.next_id();
    let issue = Issue { number, title: text("title"), body: text("body"), author: login.to_owned(), open: true };
    state.issues.insert(number, issue.clone());
    Response::json(201, &shown(&issue))
}

pub(super) fn edit(state: &mut State, request: &Request, number: u64) -> Response {
    let fields = request.json();
    let Some(issue) = state.issues.get_mut(&number) else { return Response::error(404, "Not Found") };
    if let Some(body) = fields["body"].as_str() {
        body.clone_into(&mut issue.body);
    }
    if let Some(to) = fields["state"].as_str() {
        issue.open = to == "open";
    }
    Response::json(200, &shown(issue))
}

fn shown(issue: &Issue) -> Value {
    json!({
        "number": issue.number, "title": issue.title, "body": issue.body, "user": user(&issue.author),
        "state": if issue.open { "open" } else { "closed" },
    })
}
