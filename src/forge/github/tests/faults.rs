//! What goes wrong on the way: dropped connections, answers cut short, servers that are unwell, redirects.

use std::io::Write;
use std::time::{Duration, Instant};

use serde_json::json;

use super::script::{Act, Script, TOKEN, no, ok, status};
use crate::forge::{Error, Forge};
use crate::model::ids::{PullNumber, Sha};
use crate::model::journal::{NewStatus, State};

const BUDGET: Duration = Duration::from_secs(20);
const SHA: &str = "1111111111111111111111111111111111111111";

fn pull() -> String {
    json!({
        "number": 5, "state": "open", "user": { "login": "ann" },
        "head": { "sha": SHA, "ref": "work", "repo": null },
        "base": { "ref": "main", "repo": { "full_name": "o/n" } },
    })
    .to_string()
}

fn comment(body: &str) -> serde_json::Value {
    json!({
        "id": 7, "node_id": "IC_7", "body": body, "user": { "login": "ci-bot" },
        "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z",
        "html_url": "https://github.com/o/n/pull/5#issuecomment-7", "issue_url": "https://api.github.com/repos/o/n/issues/5",
    })
}

#[test]
fn a_read_outlives_dropped_connections_cut_answers_and_bad_gateways() {
    let whole = status(200, &[], &pull());
    let cut = whole[..whole.len() - 20].to_owned();
    let unfinished = status(200, &[], &pull()[..40]);
    let script = Script::new([
        ("GET", Act::Drop),
        ("GET", Act::Cut(cut)),
        ("GET", Act::Say(unfinished)),
        ("GET", Act::Say(status(502, &[], "<html>bad gateway</html>"))),
        ("GET", ok(pull())),
    ]);
    let pull = script.client(BUDGET).pull(PullNumber(5)).unwrap();
    assert_eq!((pull.head_sha.as_str(), pull.fork, pull.merged), (SHA, true, false));
    assert_eq!(script.lines(), ["GET /repos/o/n/pulls/5"; 5]);
}

#[test]
fn one_connection_serves_one_request_after_another_whatever_is_answered() {
    let script = Script::new([
        ("GET", ok(pull())),
        ("GET", no(404, "Not Found")),
        ("DELETE", Act::Say(status(204, &[], ""))),
        ("GET", no(503, "busy")),
        ("GET", ok(pull())),
    ]);
    let github = script.client(BUDGET);
    let found = [github.pull(PullNumber(5)).is_ok(), github.pull(PullNumber(6)).is_ok()];
    let deleted = github.delete_comment(7).is_ok();
    assert_eq!((found, deleted, github.pull(PullNumber(5)).is_ok()), ([true, false], true, true));
    assert_eq!((script.lines().len(), script.connections()), (5, 1));
}

#[test]
fn a_status_whose_answer_was_lost_is_simply_created_again() {
    let created = json!({
        "id": 3, "state": "success", "context": "ci/plan", "description": null, "target_url": null,
        "created_at": "2026-01-01T00:00:00Z", "creator": { "login": "ci-bot" },
    });
    let script = Script::new([("POST", Act::Drop), ("POST", ok(created))]);
    let status =
        NewStatus { state: State::Success, context: "ci/plan".into(), description: "x".into(), target_url: "u".into() };
    let github = script.client(BUDGET);
    assert_eq!(github.append(&Sha::parse(SHA).unwrap(), &status).unwrap().id, 3);
    assert_eq!(github.account().unwrap(), "ci-bot", "what was created tells whose account it is");
    assert_eq!(script.lines(), vec![format!("POST /repos/o/n/statuses/{SHA}"); 2]);
    assert_eq!(script.seen()[0].body["state"], "success");
}

#[test]
fn a_comment_whose_answer_was_lost_is_looked_for_and_not_posted_twice() {
    let mut forged = comment("<!-- tag -->\nhello");
    (forged["id"], forged["user"]["login"]) = (6.into(), "eve".into());
    let script = Script::new([
        ("POST /repos", Act::Drop),
        ("POST /graphql", ok(json!({ "data": { "viewer": { "login": "ci-bot" } } }))),
        ("GET", ok(json!([comment("other"), forged, comment("<!-- tag -->\r\nhello\r\n")]))),
    ]);
    let posted = script.client(BUDGET).create_comment(PullNumber(5), "<!-- tag -->\nhello").unwrap();
    assert_eq!((posted.id, posted.pull), (7, PullNumber(5)));
    let lines = script.lines();
    assert!(lines[2].starts_with("GET /repos/o/n/issues/5/comments?since=20"), "{lines:?}");
}

#[test]
fn a_comment_that_was_not_posted_is_posted_again() {
    let script = Script::new([
        ("POST /repos", Act::Say(status(502, &[], ""))),
        ("POST /graphql", ok(json!({ "data": { "viewer": { "login": "ci-bot" } } }))),
        ("GET", ok(json!([]))),
        ("GET", ok(json!([comment("another text")]))),
        ("POST /repos", Act::Say(status(201, &[], &comment("hello").to_string()))),
    ]);
    assert_eq!(script.client(BUDGET).create_comment(PullNumber(5), "hello").unwrap().id, 7);
    script.lines();
}

#[test]
fn a_call_of_unknown_effect_is_not_sent_twice() {
    let script = Script::new([("POST", Act::Drop)]);
    let error = script.client(BUDGET).api("POST", "/repos/o/n/pulls/5/requested_reviewers", None).unwrap_err();
    assert!(matches!(&error, Error::Transport(text) if text.contains("not sent again")), "{error}");
    assert_eq!(script.lines().len(), 1);
    let script = Script::new([("PUT", Act::Drop), ("PUT", Act::Say(status(204, &[], "")))]);
    script.client(BUDGET).api("PUT", "/repos/o/n/topics", Some(&json!({}))).unwrap();
    assert_eq!(script.lines().len(), 2);
}

#[test]
fn a_call_stays_below_its_repository() {
    let script = Script::new([]);
    for path in ["/repos/o/other/x", "/user", "/repos/o/n/../other", "/repos/o/n/%2e%2E/other", "/repos/o/n"] {
        let error = script.client(BUDGET).api("GET", path, None).unwrap_err();
        assert!(matches!(error, Error::Invalid(_)), "{path}");
    }
    assert!(script.lines().is_empty());
}

#[test]
fn trouble_that_does_not_end_is_given_up_within_the_budget() {
    // Pauses are drawn by lot: at the least 0.15, 0.3 and 0.6 seconds, so that a fifth try is beyond the budget, and a fourth
    // mostly.
    let script = Script::new(vec![("GET", no(503, "no server is available")); 4]);
    let error = script.client(Duration::from_millis(1_200)).pull(PullNumber(5)).unwrap_err();
    assert!(matches!(&error, Error::Server(text) if text.contains("503 no server is available")), "{error}");
    assert!(script.seen().len() >= 3, "{:?}", script.seen());
}

#[test]
fn a_server_that_says_nothing_is_not_waited_for_longer_than_the_budget() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let script = Script::new([]);
    let mut settings = script.settings(Duration::from_millis(700));
    settings.api = format!("http://{}", listener.local_addr().unwrap());
    let begun = Instant::now();
    let error = crate::forge::github::GitHub::new(settings).unwrap().pull(PullNumber(5)).unwrap_err();
    assert!(matches!(error, Error::Transport(_)), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(2));
}

#[test]
fn an_answer_that_trickles_in_is_not_read_for_longer_than_the_budget() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut settings = Script::new([]).settings(Duration::from_millis(700));
    settings.api = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut next = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n");
        while next.is_ok() {
            std::thread::sleep(Duration::from_millis(100));
            next = stream.write_all(b" ");
        }
    });
    let begun = Instant::now();
    let error = crate::forge::github::GitHub::new(settings).unwrap().pull(PullNumber(5)).unwrap_err();
    assert!(matches!(error, Error::Transport(_)), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(2));
}

#[test]
fn where_nobody_listens_it_is_tried_again_and_then_told() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut settings = Script::new([]).settings(Duration::from_millis(500));
    settings.api = format!("http://{free}");
    let error = crate::forge::github::GitHub::new(settings).unwrap().pull(PullNumber(5)).unwrap_err();
    assert!(matches!(&error, Error::Transport(text) if text.contains("GET /repos/o/n/pulls/5")), "{error}");
}

#[test]
fn a_redirect_is_followed_within_the_origin_and_the_token_goes_nowhere_else() {
    let elsewhere = Script::new([]);
    let away = format!("{}/repositories/1", elsewhere.address);
    let script = Script::new([
        ("GET /repos", Act::Say(status(301, &[("location", "/repositories/1/pulls/5")], ""))),
        ("GET /repositories", ok(pull())),
        ("GET /repos", Act::Say(status(302, &[("location", away.as_str())], ""))),
    ]);
    let github = script.client(BUDGET);
    assert_eq!(github.pull(PullNumber(5)).unwrap().number, PullNumber(5));
    let error = github.pull(PullNumber(6)).unwrap_err();
    assert!(matches!(&error, Error::Server(text) if text.contains("the token is not sent")), "{error}");
    assert!(elsewhere.lines().is_empty());
    assert!(script.seen().iter().all(|request| request.headers.contains(&format!("authorization: bearer {TOKEN}"))));
}

#[test]
fn a_post_is_not_turned_into_a_get_by_a_redirect() {
    let script = Script::new([("POST", Act::Say(status(302, &[("location", "/x")], "")))]);
    let error = script.client(BUDGET).api("POST", "/repos/o/n/x", None).unwrap_err();
    assert!(matches!(error, Error::Server(_)), "{error}");
    assert_eq!(script.lines(), ["POST /repos/o/n/x"]);
}

#[test]
fn a_limit_that_ends_within_the_budget_is_waited_for_and_one_that_does_not_is_told() {
    let soon = jiff::Timestamp::now().as_second() + 1;
    let limited = |reset: i64| {
        let headers = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", &reset.to_string())];
        Act::Say(status(403, &headers, r#"{"message":"API rate limit exceeded"}"#))
    };
    let script = Script::new([("GET", limited(soon)), ("GET", ok(pull())), ("GET", limited(soon + 600))]);
    let github = script.client(BUDGET);
    assert!(github.pull(PullNumber(5)).is_ok());
    let error = github.pull(PullNumber(5)).unwrap_err();
    let Error::Limited { until, message } = error else { panic!("{error}") };
    assert!((until.as_second() - soon - 600).abs() <= 1, "{until}");
    assert!(message.contains("API rate limit exceeded"), "{message}");
}

#[test]
fn the_token_stands_in_no_message_and_in_one_header_alone() {
    let script = Script::new([("GET", no(401, "Bad credentials"))]);
    let github = script.client(BUDGET);
    let error = github.pull(PullNumber(5)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "not allowed: `GET /repos/o/n/pulls/5`: 401 Bad credentials; the token is wrong or has expired"
    );
    let seen = script.seen();
    assert_eq!(seen[0].headers.matches(TOKEN).count(), 1);
    assert!(seen[0].headers.contains(&format!("user-agent: ci/{}", env!("CARGO_PKG_VERSION"))));
    assert!(seen[0].headers.contains("accept: application/vnd.github+json"));
    assert!(seen[0].headers.contains("x-github-api-version: 2022-11-28"));
    assert!(!format!("{:?} {:?}", script.settings(BUDGET), github.remote().unwrap().authorization).contains(TOKEN));
    let mut settings = script.settings(BUDGET);
    settings.token = crate::forge::Secret::new("a\nb");
    let error = crate::forge::github::GitHub::new(settings).err().unwrap();
    assert!(
        matches!(&error, Error::Invalid(text) if !text.contains("a\nb") && text.contains("GITHUB_TOKEN")),
        "{error}"
    );
}
