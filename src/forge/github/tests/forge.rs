//! What each method of the forge asks for, and how it reads the answers.

use std::time::Duration;

use serde_json::{Value, json};

use super::script::{Act, Script, no, ok, status};
use crate::forge::{Conclusion, Error, Forge};
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
    assert!(
        matches!(&first, Error::NotFound(text) if text == "`GraphQL, for ci.toml and its templates`: why"),
        "{first}"
    );
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
        (
            "GET",
            ok(
                json!({ "id": 9, "status": "completed", "conclusion": "cancelled", "updated_at": "2026-11-23T14:00:00Z" }),
            ),
        ),
        ("GET", no(404, "Not Found")),
    ]);
    let github = script.client(BUDGET);
    let ended = || github.run_conclusion(RunId { id: 9, attempt: 2 });
    let cancelled = Conclusion { word: "cancelled".to_owned(), at: "2026-11-23T14:00:00Z".parse().ok() };
    assert_eq!([ended().unwrap(), ended().unwrap()], [None, Some(cancelled)]);
    assert!(matches!(ended(), Err(Error::NotFound(_))));
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

fn pull(number: u64, more: &Value) -> Value {
    let mut pull = json!({
        "number": number, "state": "closed", "user": { "login": "ann" }, "labels": [{ "name": "infra" }],
        "head": { "sha": SHA, "ref": "work", "repo": { "full_name": "o/n" } },
        "base": { "ref": "main", "repo": { "full_name": "o/n" } },
    });
    pull.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    pull
}

fn work(github: &impl Forge) -> crate::model::event::Pull {
    github.pull(PullNumber(5)).unwrap()
}

#[test]
fn a_commit_was_brought_by_the_one_pull_request_that_was_merged_as_it() {
    let merged = json!({ "merged_at": "2026-01-01T00:00:00Z", "merge_commit_sha": SHA });
    let open = json!({ "merged_at": null, "merge_commit_sha": SHA });
    let script = Script::new([
        ("GET", ok(json!([pull(4, &open), pull(5, &merged)]))),
        ("GET", ok(json!([pull(5, &merged), pull(6, &merged)]))),
        ("GET", ok(json!([]))),
    ]);
    let github = script.client(BUDGET);
    let found = github.merged_pull(&sha()).unwrap().unwrap();
    assert_eq!((found.number, found.merged, found.labels), (PullNumber(5), true, vec!["infra".to_owned()]));
    assert_eq!((github.merged_pull(&sha()).unwrap(), github.merged_pull(&sha()).unwrap()), (None, None));
    assert!(script.lines()[0].starts_with(&format!("GET /repos/o/n/commits/{SHA}/pulls")));
}

#[test]
fn whether_it_merges_is_asked_again_while_github_finds_out() {
    let script = Script::new([
        ("GET", ok(pull(5, &json!({})))),
        ("GET", ok(pull(5, &json!({ "mergeable": null, "mergeable_state": "clean" })))),
        ("GET", ok(pull(5, &json!({ "mergeable": true, "mergeable_state": "blocked" })))),
        ("GET", ok(pull(5, &json!({ "mergeable": false })))),
    ]);
    let github = script.client(BUDGET);
    let pull = work(&github);
    assert_eq!([github.mergeable(&pull).unwrap(), github.mergeable(&pull).unwrap()], [Some(true), Some(false)]);
    script.lines();
}

fn files(count: usize) -> Value {
    (0..count).map(|at| json!({ "filename": format!("f{at}") })).collect()
}

#[test]
fn renamed_files_changed_in_both_places_and_lists_that_are_not_whole_are_no_answer() {
    let renamed = json!([{ "filename": "new", "previous_filename": "old", "status": "renamed" }]);
    let script = Script::new([
        ("GET /repos/o/n/pulls/5", ok(pull(5, &json!({})))),
        ("GET /repos/o/n/pulls/5/files?per_page=100", ok(renamed)),
        ("GET /repos/o/n/pulls/5/files", ok(files(3_000))),
        ("GET /repos/o/n/pulls/5", ok(pull(5, &json!({ "changed_files": 3_000 })))),
        ("GET /repos/o/n/pulls/5/files", ok(files(3_000))),
        ("GET /repos/o/n/pulls/5", ok(pull(5, &json!({ "changed_files": 3_001 })))),
        ("GET /repos/o/n/compare/1111111111111111111111111111111111111111...main", ok(json!({ "files": files(2) }))),
    ]);
    let github = script.client(BUDGET);
    let pull = work(&github);
    assert_eq!(github.changed_files(&pull).unwrap(), ["old", "new"]);
    assert_eq!(github.changed_files(&pull).unwrap().len(), 3_000);
    let error = github.changed_files(&pull).unwrap_err().to_string();
    assert!(error.contains("changes 3001 files, of which GitHub lists only 3000"), "{error}");
    assert_eq!(github.base_changes(&pull).unwrap(), ["f0", "f1"]);
    script.lines();
}

#[test]
fn where_a_base_changed_more_than_a_comparison_lists_its_whole_trees_are_compared() {
    let many = || ok(json!({ "files": files(300), "merge_base_commit": { "sha": "2".repeat(40) } }));
    let entry = |path: &str, sha: &str| json!({ "path": path, "type": "blob", "mode": "100644", "sha": sha });
    let folder = json!({ "path": "a", "type": "tree", "mode": "040000", "sha": "5" });
    let script = Script::new([
        ("GET /repos/o/n/pulls/5", ok(pull(5, &json!({})))),
        ("GET /repos/o/n/compare/", many()),
        (
            "GET /repos/o/n/git/trees/2222222222222222222222222222222222222222?recursive=1",
            ok(json!({
                "tree": [folder, entry("a/kept", "1"), entry("a/changed", "1"), entry("a/gone", "1")]
            })),
        ),
        (
            "GET /repos/o/n/git/trees/main?recursive=1",
            ok(json!({
                "tree": [entry("a/kept", "1"), entry("a/changed", "2"), entry("a/new", "1")], "truncated": false
            })),
        ),
        ("GET /repos/o/n/compare/", many()),
        ("GET /repos/o/n/git/trees/2", ok(json!({ "tree": [], "truncated": false }))),
        ("GET /repos/o/n/git/trees/main", ok(json!({ "tree": [], "truncated": true }))),
    ]);
    let github = script.client(BUDGET);
    let pull = work(&github);
    assert_eq!(github.base_changes(&pull).unwrap(), ["a/changed", "a/gone", "a/new"]);
    let error = github.base_changes(&pull).unwrap_err().to_string();
    assert!(error.contains("merge it into `work`"), "{error}");
    script.lines();
}

#[test]
fn reviews_count_once_they_are_submitted_and_by_people_who_are_still_there() {
    let review =
        |login: Value, at: Value| json!({ "user": login, "state": "APPROVED", "commit_id": SHA, "submitted_at": at });
    let ann = || json!({ "login": "ann" });
    let listed = json!([
        review(ann(), json!("2026-01-01T00:00:00Z")),
        review(ann(), Value::Null),
        review(Value::Null, Value::Null)
    ]);
    let script = Script::new([("GET /repos/o/n/pulls/5/reviews?per_page=100", ok(listed))]);
    let reviews = script.client(BUDGET).reviews(PullNumber(5)).unwrap();
    assert_eq!(reviews.iter().map(|review| review.author.as_str()).collect::<Vec<_>>(), ["ann"]);
}

#[test]
fn comments_are_read_by_number_and_hidden_by_the_id_that_came_with_them() {
    let comment = |id: u64, login: Value| {
        json!({
            "id": id, "node_id": format!("IC_{id}"), "body": "b", "user": login, "html_url": "u",
            "minimized": if id == 7 { json!({ "reason": "outdated" }) } else { Value::Null },
            "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z",
            "issue_url": "https://api.github.com/repos/o/n/issues/5",
        })
    };
    let hidden = || ok(json!({ "data": { "minimizeComment": { "minimizedComment": { "isMinimized": true } } } }));
    let script = Script::new([
        (
            "GET /repos/o/n/issues/5/comments?since=2026-01-01T00%3A00%3A00Z&per_page=100",
            ok(json!([comment(8, json!({ "login": "ann" })), comment(7, Value::Null),])),
        ),
        ("POST /graphql", hidden()),
        ("GET /repos/o/n/issues/comments/9", ok(comment(9, json!({ "login": "ann" })))),
        ("POST /graphql", hidden()),
        ("POST /repos/o/n/issues/comments/8/reactions", ok(json!({ "id": 1 }))),
        ("PATCH /repos/o/n/issues/comments/8", no(403, "Must have admin rights to Repository.")),
        ("DELETE /repos/o/n/issues/comments/8", no(404, "Not Found")),
    ]);
    let github = script.client(BUDGET);
    let listed = github.comments(PullNumber(5), "2026-01-01T00:00:00.9Z".parse().ok()).unwrap();
    let told: Vec<_> =
        listed.iter().map(|comment| (comment.id, comment.author.as_str(), comment.pull.0, comment.minimized)).collect();
    assert_eq!(told, [(7, "", 5, true), (8, "ann", 5, false)]);
    github.minimize(8).unwrap();
    github.minimize(9).unwrap();
    github.react(8, crate::forge::Reaction::Eyes).unwrap();
    assert!(matches!(github.edit_comment(8, "x"), Err(Error::Denied(_))));
    assert!(matches!(github.delete_comment(8), Err(Error::NotFound(_))));
    script.lines();
    let seen = script.seen();
    assert_eq!((&seen[1].body["variables"]["id"], &seen[3].body["variables"]["id"]), (&json!("IC_8"), &json!("IC_9")));
    assert_eq!(seen[4].body, json!({ "content": "eyes" }));
}
