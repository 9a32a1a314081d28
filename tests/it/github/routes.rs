//! Which function answers which request, who asks, and how lists are cut into pages.

use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use super::server::{Request, Response, decoded};
use super::state::{Account, State, Writes};
use super::{REPOSITORY, actions, comments, git, graphql, issues, openapi, people, pulls, refs, statuses};

/// Answers one request.
pub(super) fn answer(state: &Mutex<State>, request: &Request) -> Response {
    let lock = || state.lock().unwrap_or_else(PoisonError::into_inner);
    if request.path().starts_with(&format!("/{REPOSITORY}.git/")) {
        let state = lock();
        let (allowed, bare) = (git::may_fetch(&state, request), state.bare.clone());
        drop(state);
        return match allowed {
            true => git::serve(&bare, request),
            false => Response::status(401).header("www-authenticate", "Basic realm=\"GitHub\""),
        };
    }
    let mut state = lock();
    let token = request.header("authorization").and_then(|header| header.strip_prefix("Bearer "));
    let Some(account) = token.and_then(|token| state.tokens.get(token)).cloned() else {
        return Response::error(401, "Bad credentials");
    };
    let path = request.path().strip_prefix("/api/v3").unwrap_or(request.path());
    if path == "/graphql" || path == "/api/graphql" {
        return graphql::answer(&mut state, &account, request);
    }
    let status = path.contains("/statuses/");
    let may = request.method == "GET"
        || match account.may_write {
            Writes::All => true,
            Writes::Statuses => status,
            Writes::Comments => path.contains("/comments"),
            Writes::Nothing => false,
        };
    if !may {
        let lacks = if status { "statuses=write" } else { "issues=write; pull_requests=write" };
        return Response::error(403, "Resource not accessible by integration")
            .header("x-accepted-github-permissions", lacks);
    }
    let parts: Vec<String> = path.split('/').skip(1).map(decoded).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    if let Some(breach) = openapi::breach(request, &parts) {
        return Response { unknown: true, ..Response::error(422, &breach) };
    }
    route(&mut state, &account, request, &parts).unwrap_or_else(|| {
        let response = Response::error(404, "Not Found");
        Response { unknown: true, ..response }
    })
}

fn route(state: &mut State, account: &Account, request: &Request, parts: &[&str]) -> Option<Response> {
    let login = account.login.as_str();
    let number = |text: &str| text.parse::<u64>().ok();
    if let ["orgs", org, "teams", team, "memberships", user] = parts {
        return Some(people::membership(state, &format!("{org}/{team}"), user));
    }
    let ["repos", owner, name, rest @ ..] = parts else { return None };
    if format!("{owner}/{name}") != REPOSITORY {
        return Some(Response::error(404, "Not Found"));
    }
    Some(match (request.method.as_str(), rest) {
        ("GET", ["pulls"]) => pulls::list(state, request),
        ("GET", ["pulls", pull]) => pulls::get(state, number(pull)?),
        ("GET", ["pulls", pull, "files"]) => pulls::files(state, request, number(pull)?),
        ("GET", ["pulls", pull, "reviews"]) => pulls::reviews(state, request, number(pull)?),
        ("POST", ["pulls", pull, "requested_reviewers"]) => pulls::request_review(state, request, number(pull)?),
        ("GET", ["commits", sha, "pulls"]) => pulls::of_commit(state, request, sha),
        ("GET", ["compare", range]) => pulls::compare(state, range),
        ("GET", ["git", "trees", commit]) => refs::tree(state, commit),
        ("POST", ["statuses", sha]) => statuses::create(state, login, request, sha),
        ("GET", ["commits", sha, "statuses"]) => statuses::list(state, request, sha),
        ("GET", ["commits", sha, "check-runs"]) => statuses::check_runs(state, request, sha),
        ("GET", ["issues", issue, "comments"]) => comments::list(state, request, Some(number(issue)?)),
        ("POST", ["issues", issue, "comments"]) => comments::create(state, login, request, number(issue)?),
        ("GET", ["issues", "comments"]) => comments::list(state, request, None),
        ("GET", ["issues", "comments", comment]) => comments::get(state, number(comment)?),
        ("PATCH", ["issues", "comments", comment]) => comments::edit(state, login, request, number(comment)?),
        ("DELETE", ["issues", "comments", comment]) => comments::delete(state, login, number(comment)?),
        ("POST", ["issues", "comments", comment, "reactions"]) => {
            comments::react(state, login, request, number(comment)?)
        }
        ("GET", ["issues", "comments", comment, "reactions"]) => comments::reactions(state, request, number(comment)?),
        ("DELETE", ["issues", "comments", comment, "reactions", reaction]) => {
            comments::take_back(state, login, number(comment)?, number(reaction)?)
        }
        ("GET", ["collaborators", user, "permission"]) => people::permission(state, user),
        ("GET", ["actions", "runs", run, "attempts", attempt]) => {
            actions::attempt(state, number(run)?, attempt.parse().ok()?)
        }
        ("GET", ["actions", "workflows", workflow, "runs"]) => actions::runs(state, request, workflow),
        ("POST", ["actions", "workflows", workflow, "dispatches"]) => {
            actions::dispatch(state, login, request, workflow)
        }
        ("GET", ["issues"]) => issues::list(state, request),
        ("POST", ["issues"]) => issues::create(state, login, request),
        ("PATCH", ["issues", issue]) => issues::edit(state, request, number(issue)?),
        ("GET", ["git", "ref", name @ ..]) => refs::get(state, &name.join("/")),
        ("GET", ["git", "matching-refs", name @ ..]) => refs::matching(state, &name.join("/")),
        ("POST", ["git", "refs"]) => refs::create(state, request),
        ("PATCH", ["git", "refs", name @ ..]) => refs::move_to(state, request, &name.join("/")),
        ("GET", ["git", "commits", sha]) => refs::commit(state, sha),
        ("POST", ["git", "commits"]) => refs::create_commit(state, request),
        _ => return None,
    })
}

/// One page of a list, each item as `shown` and the whole as `wrap` shows it. The link to the next one names the
/// repository by its number and another host, as GitHub's do.
pub(super) fn page<T>(
    request: &Request,
    all: &[T],
    shown: impl Fn(&T) -> Value,
    wrap: impl FnOnce(Vec<Value>) -> Value,
) -> Response {
    let number = |name: &str, default: usize| request.query(name).and_then(|text| text.parse().ok()).unwrap_or(default);
    // More than a hundred are cut without a word.
    let (size, at) = (number("per_page", 30).clamp(1, 100), number("page", 1).max(1));
    let last = all.len().div_ceil(size).max(1);
    let begin = ((at - 1) * size).min(all.len());
    let response = Response::json(200, &wrap(all[begin..(begin + size).min(all.len())].iter().map(shown).collect()));
    if at >= last {
        return response;
    }
    let path = request.path().split(REPOSITORY).nth(1).unwrap_or_default();
    let link = |page: usize, relation: &str| {
        format!("<https://api.github.com/repositories/4711{path}?per_page={size}&page={page}>; rel=\"{relation}\"")
    };
    response.header("link", &format!("{}, {}", link(at + 1, "next"), link(last, "last")))
}

/// One page of a plain list.
pub(super) fn list<T>(request: &Request, all: &[T], shown: impl Fn(&T) -> Value) -> Response {
    page(request, all, shown, Value::from)
}
