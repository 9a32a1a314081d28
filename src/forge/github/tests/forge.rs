//! What each method of the forge asks for, and how it reads the answers.

use std::time::Duration;

use serde_json::{Value, json};

use super::script::{Act, Script, no, ok, status};
use crate::forge::{Error, Forge};
use crate::model::ids::{PullNumber, RunId, Sha};
use crate::model::rules::Permission;

const BUDGET: Duration = Duration::from_secs(20);
const SHA: &str = "1111111111111111111111111111111111111111";

fn sha() -> Sha {
    Sha::parse(SHA).unwrap()
}

fn statuses(ids: impl IntoIterator<Item = u64>) -> Value {
    ids.into_iter()
        .map(|id| {
            let creator = json!({ "login": "ci-bot" });
            json!({ "id": id, "state": "error", "context": "c", "created_at": "2026-01-01T00:00:00Z", "creator": creator })
        })
        .collect()
}

fn page(body: &Value, links: &str) -> Act {
    Act::Say(status(200, &[("link", links)], &body.to_string()))
}

#[test]
fn a_list_that_grows_while_it_is_read_loses_no_entry() {
    // Two pages when the first was read, newest first; then one more status came.
    let first = r#"<https://api.github.com/x?page=2>; rel="next", <https://api.github.com/x?page=3>; rel="last""#;
    let script = Script::new([
        (
            "GET /repos/o/n/commits/1111111111111111111111111111111111111111/statuses?per_page=100&page=2",
            page(&statuses([4, 3]), r#"<https://api.github.com/x?page=3>; rel="next""#),
        ),
        (
            "GET /repos/o/n/commits/1111111111111111111111111111111111111111/statuses?per_page=100&page=3",
            page(&statuses([3, 2]), r#"<https://api.github.com/x?page=4>; rel="next""#),
        ),
        (
            "GET /repos/o/n/commits/1111111111111111111111111111111111111111/statuses?per_page=100&page=4",
            ok(statuses([1])),
        ),
        (
            "GET /repos/o/n/commits/1111111111111111111111111111111111111111/statuses?per_page=100",
            page(&statuses([6, 5]), first),
        ),
    ]);
    let listed = script.client(BUDGET).statuses(&sha()).unwrap();
    assert_eq!(listed.iter().map(|record| record.id).collect::<Vec<_>>(), [6, 5, 4, 3, 2, 1]);
    assert_eq!(script.lines().len(), 4);
}

#[test]
fn a_permission_is_the_finer_role_unless_an_organisation_made_it_up() {
    let script = Script::new([
        ("GET", ok(json!({ "permission": "write", "role_name": "maintain" }))),
        ("GET", ok(json!({ "permission": "write", "role_name": "release-captain" }))),
        ("GET", ok(json!({ "permission": "read" }))),
        ("GET", no(404, "Not Found")),
    ]);
    let github = script.client(BUDGET);
    let of = |login| github.permission(login).unwrap();
    assert_eq!(of("app[bot]"), Permission::Maintain);
    assert_eq!((of("b"), of("c"), of("d")), (Permission::Write, Permission::Read, Permission::None));
    assert_eq!(script.lines()[0], "GET /repos/o/n/collaborators/app%5Bbot%5D/permission");
}

#[test]
fn teams_are_read_with_the_token_for_members_alone() {
    let script = Script::new([
        ("GET", ok(json!({ "state": "active" }))),
        ("GET", ok(json!({ "state": "pending" }))),
        ("GET", no(404, "Not Found")),
    ]);
    let error = script.client(BUDGET).team_member("org/ops", "ann").unwrap_err();
    assert!(matches!(&error, Error::Denied(text) if text.contains("CI_MEMBERS_TOKEN")), "{error}");
    let mut settings = script.settings(BUDGET);
    settings.members_token = Some(crate::forge::Secret::new("ghp_members"));
    let github = crate::forge::github::GitHub::new(settings).unwrap();
    let member = |login| github.team_member("org/ops", login).unwrap();
    assert_eq!([member("ann"), member("bob"), member("eve")], [true, false, false]);
    assert_eq!(script.lines()[0], "GET /orgs/org/teams/ops/memberships/ann");
    assert!(script.seen().iter().all(|request| request.headers.contains("authorization: bearer ghp_members")));
}

#[test]
fn rules_and_templates_come_in_one_request_and_what_is_cut_short_in_another() {
    let blob = |text: &str| json!({ "text": text, "isTruncated": false, "isBinary": false });
    let entries = json!([
        { "name": "help.md.j2", "object": blob("hi") },
        { "name": "note.txt", "object": blob("no template") },
        { "name": "folder.j2", "object": {} },
        { "name": "long.md.j2", "object": { "text": "sta", "isTruncated": true, "isBinary": false } },
    ]);
    let files = json!({ "config": blob("version = 1"), "templates": { "entries": entries } });
    let script = Script::new([
        ("POST /graphql", ok(json!({ "data": { "repository": files } }))),
        (
            "GET /repos/o/n/contents/in/templates/long.md.j2?ref=refs%2Fheads%2Fmain",
            Act::Say(status(200, &[], "start")),
        ),
        ("POST /graphql", ok(json!({ "data": { "repository": { "config": null, "templates": null } } }))),
    ]);
    let github = script.client(BUDGET);
    let declared = github.declared("main", "in/ci.toml", "in/templates").unwrap();
    assert_eq!(declared.config.as_deref(), Some("version = 1"));
    let templates: Vec<_> = declared.templates.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    assert_eq!(templates, [("help.md.j2", "hi"), ("long.md.j2", "start")]);
    assert_eq!(github.declared("main", "ci.toml", "templates").unwrap(), crate::forge::Declared::default());
    script.lines();
    assert_eq!(script.seen()[0].body["variables"]["config"], "refs/heads/main:in/ci.toml");
    assert!(script.seen()[1].headers.contains("accept: application/vnd.github.raw+json"));
}

#[test]
fn errors_of_graphql_are_errors_though_the_status_is_200() {
    let failed = |kind: Value| ok(json!({ "data": null, "errors": [{ "type": kind, "message": "why" }] }));
    let script = Script::new([
        ("POST", failed(Value::Null)),
        ("POST", ok(json!({ "data": { "viewer": { "login": "ci-bot" } } }))),
        ("POST", failed(json!("NOT_FOUND"))),
        ("POST", failed(json!("FORBIDDEN"))),
    ]);
    let github = script.client(BUDGET);
    assert_eq!(github.account().unwrap(), "ci-bot");
    assert_eq!(github.account().unwrap(), "ci-bot", "asked once");
    let declared = || github.declared("main", "ci.toml", "templates").unwrap_err();
    let first = declared();
    assert!(matches!(&first, Error::NotFound(text) if text == "`query Declared`: why"), "{first}");
    assert!(matches!(declared(), Error::Denied(_)));
    assert_eq!(script.lines(), ["POST /graphql"; 4]);
}

#[test]
fn checks_are_check_runs_and_the_newest_status_of_each_context() {
    let runs = json!({ "total_count": 2, "check_runs": [
        { "name": "build", "conclusion": "success", "details_url": "https://github.com/o/n/actions/runs/12/job/3" },
        { "name": "lint", "conclusion": null, "details_url": "https://example.org/x" },
    ] });
    let mut listed = statuses([9, 8, 7]);
    listed[0]["state"] = "pending".into();
    listed[2]["context"] = "d".into();
    let script = Script::new([
        (
            "GET /repos/o/n/commits/1111111111111111111111111111111111111111/check-runs?filter=latest&per_page=100",
            ok(runs),
        ),
        ("GET /repos/o/n/commits/1111111111111111111111111111111111111111/statuses", ok(listed)),
    ]);
    let checks = script.client(BUDGET).checks(&sha()).unwrap();
    let told: Vec<_> = checks.iter().map(|c| (c.name.as_str(), c.conclusion.as_deref(), c.run)).collect();
    assert_eq!(
        told,
        [("build", Some("success"), Some(12)), ("lint", None, None), ("c", None, None), ("d", Some("error"), None),]
    );
    script.lines();
}

#[test]
fn a_run_that_is_asked_about_is_asked_about_by_its_attempt() {
    let script = Script::new([
        ("GET", ok(json!({ "id": 9, "status": "in_progress", "conclusion": null }))),
        ("GET", ok(json!({ "id": 9, "status": "completed", "conclusion": "cancelled" }))),
        ("GET", no(404, "Not Found")),
    ]);
    let github = script.client(BUDGET);
    let ended = || github.run_conclusion(RunId { id: 9, attempt: 2 }).unwrap();
    assert_eq!([ended(), ended(), ended()], [None, Some("cancelled".to_owned()), None]);
    assert_eq!(script.lines(), ["GET /repos/o/n/actions/runs/9/attempts/2"; 3]);
}

#[test]
fn links_lead_to_pages_and_comments_are_found_by_them() {
    let github = Script::new([]).client(BUDGET);
    assert_eq!(github.run_url(RunId { id: 9, attempt: 1 }), "https://github.com/o/n/actions/runs/9");
    assert_eq!(github.run_url(RunId { id: 9, attempt: 2 }), "https://github.com/o/n/actions/runs/9/attempts/2");
    let url = github.comment_url(Some(PullNumber(5)), 7);
    assert_eq!(url, "https://github.com/o/n/pull/5#issuecomment-7");
    assert_eq!(github.comment_at(&url), Some(7));
    assert_eq!(github.comment_at(&github.comment_url(None, 8)), None);
    assert_eq!(github.comment_at("https://github.com/o/nn/pull/5#issuecomment-7"), None);
    let remote = github.remote().unwrap();
    assert_eq!(remote.url, "https://github.com/o/n.git");
}
