//! What must not be done twice, and what two may want at once: dispatches, issues, locks.

use std::time::Duration;

use indexmap::IndexMap;
use serde_json::{Value, json};

use super::script::{Act, Script, no, ok, status};
use crate::forge::{Error, Forge, Lock, Taken};
use crate::model::ids::{PullNumber, RunId, Sha};

const BUDGET: Duration = Duration::from_secs(30);
const SHA: &str = "1111111111111111111111111111111111111111";
const OTHER: &str = "2222222222222222222222222222222222222222";

fn viewer() -> Act {
    ok(json!({ "data": { "viewer": { "login": "ci-bot" } } }))
}

fn run(id: u64, ago: i64, actor: &str) -> Value {
    let at = jiff::Timestamp::now() - jiff::SignedDuration::from_secs(ago);
    json!({
        "id": id, "html_url": format!("https://github.com/o/n/actions/runs/{id}"), "actor": { "login": actor },
        "created_at": at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    })
}

fn runs(runs: &[Value]) -> Act {
    ok(json!({ "total_count": runs.len(), "workflow_runs": runs }))
}

fn nothing() -> Act {
    Act::Say(status(204, &[], ""))
}

fn inputs() -> IndexMap<String, String> {
    IndexMap::from_iter([("scope".to_owned(), "smoke".to_owned())])
}

const DISPATCH: &str = "POST /repos/o/n/actions/workflows/e2e.yml/dispatches";
const RUNS: &str = "GET /repos/o/n/actions/workflows/e2e.yml/runs?event=workflow_dispatch&branch=work&created=%3E%3D20";

#[test]
fn a_dispatch_tells_the_run_that_it_started() {
    let page = "https://github.com/o/n/actions/runs/4";
    let details = json!({ "workflow_run_id": 4, "run_url": "https://api.github.com/x", "html_url": page });
    let script = Script::new([(DISPATCH, ok(details))]);
    let started = script.client(BUDGET).dispatch("e2e.yml", "work", &inputs()).unwrap();
    assert_eq!((started.run, started.url.as_str()), (Some(RunId { id: 4, attempt: 1 }), page));
    script.lines();
    let body = json!({ "ref": "work", "inputs": { "scope": "smoke" }, "return_run_details": true });
    assert_eq!(script.seen()[0].body, body);
}

#[test]
fn where_a_dispatch_tells_no_run_it_is_looked_for_and_none_is_taken_twice() {
    // Those of "now" are dated ahead, for the test takes a while.
    let mine = [run(2, 600, "ci-bot"), run(6, -30, "ann"), run(5, -30, "ci-bot")];
    let refused = r#"Invalid request. "return_run_details" is not a permitted key."#;
    let script = Script::new([
        (DISPATCH, no(422, refused)),
        (DISPATCH, nothing()),
        ("POST /graphql", viewer()),
        (RUNS, runs(&[])),
        (RUNS, runs(&mine)),
        (DISPATCH, nothing()),
        (RUNS, runs(&[&mine[..], &[run(7, -30, "ci-bot")]].concat())),
    ]);
    let github = script.client(BUDGET);
    let started = || github.dispatch("e2e.yml", "work", &inputs()).unwrap().run.unwrap().id;
    assert_eq!([started(), started()], [5, 7]);
    script.lines();
    assert_eq!(script.seen()[1].body, json!({ "ref": "work", "inputs": { "scope": "smoke" } }));
}

#[test]
fn a_dispatch_whose_answer_was_lost_is_not_sent_again_where_its_run_is_found() {
    let script =
        Script::new([(DISPATCH, Act::Drop), ("POST /graphql", viewer()), (RUNS, runs(&[run(5, -30, "ci-bot")]))]);
    let started = script.client(BUDGET).dispatch("e2e.yml", "work", &inputs()).unwrap();
    assert_eq!(started.run.map(|run| run.id), Some(5));
    assert_eq!(script.lines().len(), 3);
}

fn issue(number: u64, title: &str, login: &str) -> Value {
    json!({ "number": number, "title": title, "user": { "login": login } })
}

#[test]
fn one_issue_a_title_is_opened_updated_and_closed() {
    let list = "GET /repos/o/n/issues?state=open&creator=ci-bot&per_page=100";
    let pull = json!({ "number": 1, "title": "Drift: a", "user": { "login": "ci-bot" }, "pull_request": {} });
    let others = json!([pull, issue(2, "Drift: a", "ann"), issue(3, "Drift: b", "ci-bot")]);
    let ours = json!([issue(4, "Drift: a", "ci-bot")]);
    let script = Script::new([
        ("POST /graphql", viewer()),
        (list, ok(&others)),
        ("POST /repos/o/n/issues", ok(issue(4, "Drift: a", "ci-bot"))),
        (list, ok(&ours)),
        ("PATCH /repos/o/n/issues/4", ok(json!({}))),
        (list, ok(&ours)),
        ("PATCH /repos/o/n/issues/4", ok(json!({}))),
        (list, ok(&others)),
    ]);
    let github = script.client(BUDGET);
    for body in [Some("one"), Some("two"), None, None] {
        github.issue("Drift: a", body).unwrap();
    }
    script.lines();
    let bodies: Vec<Value> = script.seen().into_iter().map(|request| request.body).filter(|b| !b.is_null()).collect();
    assert_eq!(
        bodies[1..],
        [
            json!({ "title": "Drift: a", "body": "one" }),
            json!({ "body": "two" }),
            json!({ "state": "closed", "state_reason": "completed" }),
        ]
    );
}

#[test]
fn an_issue_whose_answer_was_lost_is_not_opened_twice() {
    let list = "GET /repos/o/n/issues?state=open";
    let script = Script::new([
        ("POST /graphql", viewer()),
        (list, ok(json!([]))),
        ("POST /repos/o/n/issues", Act::Drop),
        (list, ok(json!([issue(4, "t", "ci-bot")]))),
    ]);
    script.client(BUDGET).issue("t", Some("b")).unwrap();
    assert_eq!(script.lines().len(), 4);
}

fn lock(pull: u64) -> Lock {
    Lock {
        layer: "platform".to_owned(),
        pull: Some(PullNumber(pull)),
        by: "ann".to_owned(),
        run: Some(RunId { id: 1, attempt: 1 }),
        work: None,
        sha: Sha::parse(SHA),
        at: "2026-01-01T00:00:00Z".parse().unwrap(),
        applied: false,
    }
}

const REF: &str = "GET /repos/o/n/git/ref/ci/locks/platform";

fn reference(sha: &str) -> Act {
    ok(json!({ "ref": "refs/ci/locks/platform", "object": { "sha": sha } }))
}

fn free(sha: &str) -> Act {
    ok(json!({ "sha": sha, "tree": { "sha": SHA }, "message": "Layer platform is free" }))
}

fn commit(sha: &str, lock: &Lock) -> Act {
    let message = format!("Lock of layer platform\n\n{}", serde_json::to_string(lock).unwrap());
    ok(json!({ "sha": sha, "tree": { "sha": SHA }, "message": message }))
}

#[test]
fn a_free_lock_is_a_new_reference_whose_commit_says_who_holds_it() {
    let script = Script::new([
        (REF, no(404, "Not Found")),
        ("POST /repos/o/n/git/commits", commit(OTHER, &lock(5))),
        ("POST /repos/o/n/git/refs", reference(OTHER)),
    ]);
    assert_eq!(script.client(BUDGET).take_lock(&lock(5)).unwrap(), Taken::Ours);
    script.lines();
    let seen = script.seen();
    let message = seen[1].body["message"].as_str().unwrap();
    assert!(message.starts_with("Lock of layer platform for pull request 5, by ann\n\n{"), "{message}");
    let written = message.split_once("\n\n").unwrap().1;
    assert_eq!(serde_json::from_str::<Lock>(written).unwrap(), lock(5));
    assert_eq!(seen[2].body, json!({ "ref": "refs/ci/locks/platform", "sha": OTHER }));
}

#[test]
fn a_lock_that_another_created_first_is_theirs_and_one_whose_answer_was_lost_is_ours() {
    for (holder, taken) in [(6, Taken::Held(lock(6))), (5, Taken::Ours)] {
        let script = Script::new([
            (REF, no(404, "Not Found")),
            ("POST /repos/o/n/git/commits", commit(OTHER, &lock(5))),
            ("POST /repos/o/n/git/refs", Act::Drop),
            ("POST /repos/o/n/git/refs", no(422, "Reference already exists")),
            (REF, reference(OTHER)),
            ("GET /repos/o/n/git/commits", commit(OTHER, &lock(holder))),
        ]);
        assert_eq!(script.client(BUDGET).take_lock(&lock(5)).unwrap(), taken);
        script.lines();
    }
}

#[test]
fn a_lock_is_taken_over_on_top_of_the_one_that_was_seen_and_of_no_other() {
    let took = |moved: Act| {
        let script = Script::new([
            (REF, reference(OTHER)),
            ("GET /repos/o/n/git/commits", commit(OTHER, &lock(6))),
            ("POST /repos/o/n/git/commits", commit(SHA, &lock(5))),
            ("PATCH /repos/o/n/git/refs/ci/locks/platform", moved),
        ]);
        let took = script.client(BUDGET).replace_lock(&lock(6), &lock(5)).unwrap();
        script.lines();
        assert_eq!(script.seen()[2].body["parents"], json!([OTHER]));
        assert_eq!(script.seen()[3].body, json!({ "sha": SHA, "force": false }));
        took
    };
    assert!(took(reference(SHA)));
    assert!(!took(no(422, "Update is not a fast forward")));
    let script = Script::new([(REF, reference(OTHER)), ("GET /repos/o/n/git/commits", commit(OTHER, &lock(7)))]);
    assert!(!script.client(BUDGET).replace_lock(&lock(6), &lock(5)).unwrap());
    script.lines();
}

#[test]
fn a_lock_that_may_not_be_made_is_not_held() {
    let rule = "Repository rule violations found";
    let tries = (0..3).flat_map(|_| {
        [
            (REF, no(404, "Not Found")),
            ("POST /repos/o/n/git/commits", commit(OTHER, &lock(5))),
            ("POST /repos/o/n/git/refs", no(422, rule)),
        ]
    });
    let script = Script::new(tries);
    let error = script.client(BUDGET).take_lock(&lock(5)).unwrap_err();
    assert!(matches!(&error, Error::Invalid(text) if text.contains(rule)), "{error}");
    script.lines();
}

#[test]
fn a_lock_is_released_by_its_pull_request_alone() {
    let held = |holder| [(REF, reference(OTHER)), ("GET /repos/o/n/git/commits", commit(OTHER, &lock(holder)))];
    let script = Script::new(held(6));
    assert!(!script.client(BUDGET).release_lock(&lock(5)).unwrap());
    script.lines();
    let (create, patch) = ("POST /repos/o/n/git/commits", "PATCH /repos/o/n/git/refs/ci/locks/platform");
    let script = Script::new(held(5).into_iter().chain([(create, free(SHA)), (patch, reference(SHA))]));
    assert!(script.client(BUDGET).release_lock(&lock(5)).unwrap());
    script.lines();
    assert_eq!(script.seen()[2].body["parents"], json!([OTHER]));
    assert_eq!(script.seen()[3].body, json!({ "sha": SHA, "force": false }));
    let refused = |why| [(create, free(SHA)), (patch, no(422, why))];
    // Taken over meanwhile, by another pull request or another run of this one.
    let next_run = Lock { run: Some(RunId { id: 90, attempt: 1 }), ..lock(5) };
    for holder in [lock(6), next_run] {
        let taken = [(REF, reference(SHA)), ("GET /repos/o/n/git/commits", commit(SHA, &holder))];
        let script = Script::new(held(5).into_iter().chain(refused("Update is not a fast forward")).chain(taken));
        assert!(!script.client(BUDGET).release_lock(&lock(5)).unwrap());
        script.lines();
    }
    let script = Script::new(held(5).into_iter().chain(refused("Repository rule violations found")).chain(held(5)));
    let released = script.client(BUDGET).release_lock(&lock(5));
    assert!(matches!(released, Err(Error::Invalid(_))), "{released:?}");
    script.lines();
}

#[test]
fn what_was_released_is_taken_on_top_of_that() {
    let script = Script::new([
        (REF, reference(OTHER)),
        ("GET /repos/o/n/git/commits", free(OTHER)),
        ("POST /repos/o/n/git/commits", commit(SHA, &lock(5))),
        ("PATCH /repos/o/n/git/refs/ci/locks/platform", reference(SHA)),
    ]);
    assert_eq!(script.client(BUDGET).take_lock(&lock(5)).unwrap(), Taken::Ours);
    script.lines();
    assert_eq!(script.seen()[2].body["parents"], json!([OTHER]));
}

#[test]
fn a_lock_that_cannot_be_read_is_nobodys_to_take() {
    let unreadable = ok(json!({ "sha": OTHER, "tree": { "sha": SHA }, "message": "by hand" }));
    let script = Script::new([(REF, reference(OTHER)), ("GET /repos/o/n/git/commits", unreadable)]);
    let error = script.client(BUDGET).take_lock(&lock(5)).unwrap_err();
    assert!(matches!(&error, Error::Server(text) if text.contains("refs/ci/locks/platform")), "{error}");
}
