//! What refusals mean and how they are told.

use jiff::Timestamp;
use proptest::prelude::{any, proptest};
use ureq::http::{HeaderMap, HeaderName, StatusCode};

use crate::forge::Error;
use crate::forge::github::answer::Raw;
use crate::forge::github::route::{Call, Route};
use crate::forge::retry::{Spent, Trouble, Verdict, decide};
use std::time::Duration;

fn raw(status: u16, headers: &[(&str, &str)], body: &str) -> Raw {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
    }
    Raw { status: StatusCode::from_u16(status).unwrap(), headers: map, body: body.as_bytes().to_owned() }
}

fn call() -> Call {
    Call::new(Route::CreateStatus, &[&"o", &"n", &"abc"])
}

fn now() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

fn trouble(status: u16, headers: &[(&str, &str)], body: &str) -> Trouble {
    raw(status, headers, body).trouble(&call(), now()).unwrap()
}

fn refused(status: u16, headers: &[(&str, &str)], body: &str) -> Error {
    match trouble(status, headers, body) {
        Trouble::Final(error) => error,
        other @ (Trouble::Unwell { .. } | Trouble::Limited { .. }) => panic!("{other:?}"),
    }
}

#[test]
fn refusals_keep_what_github_says() {
    let body = r#"{"message":"Validation Failed","errors":[{"resource":"Status","code":"custom","field":"description","message":"description is too long (maximum is 140 characters)"},{"resource":"X","code":"missing_field","field":"context"},"plain"],"documentation_url":"https://docs.github.com/rest"}"#;
    let error = refused(422, &[], body);
    assert_eq!(
        error.to_string(),
        "refused as invalid: `POST /repos/o/n/statuses/abc`: 422 Validation Failed (description is too long \
         (maximum is 140 characters); context: missing_field; plain), see https://docs.github.com/rest"
    );
    assert!(matches!(refused(404, &[], ""), Error::NotFound(text) if text.ends_with("404 Not Found")));
    assert!(matches!(refused(410, &[], "{}"), Error::NotFound(_)));
    assert!(matches!(refused(409, &[], "{}"), Error::Conflict(_)));
    assert!(matches!(refused(304, &[], ""), Error::Server(_)));
}

#[test]
fn a_missing_permission_is_named_as_a_workflow_writes_it() {
    let body = r#"{"message":"Resource not accessible by integration"}"#;
    let told = |headers: &[(&str, &str)]| refused(403, headers, body).to_string();
    assert!(told(&[]).ends_with("integration; add `statuses: write` to `permissions`"), "{}", told(&[]));
    let header = "issues=write; pull_requests=write,contents=read";
    let several = told(&[("x-accepted-github-permissions", header)]);
    assert!(several.ends_with("add `issues: write` or `pull-requests: write` and `contents: read` to `permissions`"));
    assert!(!refused(403, &[], r#"{"message":"Must have admin rights"}"#).to_string().contains("add"));
}

#[test]
fn limits_are_told_from_refusals() {
    let wait = |status, headers: &[(&str, &str)], body: &str| match trouble(status, headers, body) {
        Trouble::Limited { wait, .. } => wait,
        other @ (Trouble::Final(_) | Trouble::Unwell { .. }) => panic!("{other:?}"),
    };
    assert_eq!(wait(403, &[("retry-after", "7")], ""), Some(Duration::from_secs(7)));
    assert_eq!(wait(429, &[("retry-after", "Thu, 01 Jan 2026 00:00:09 GMT")], ""), Some(Duration::from_secs(9)));
    assert_eq!(wait(429, &[], ""), None);
    let secondary = r#"{"message":"You have exceeded a secondary rate limit. Please wait"}"#;
    assert_eq!(wait(403, &[("x-ratelimit-remaining", "4000")], secondary), None);
    // By GitHub's own clock, whatever ours says.
    let headers = [
        ("x-ratelimit-remaining", "0"),
        ("x-ratelimit-reset", "1767229210"),
        ("date", "Thu, 01 Jan 2026 01:00:00 GMT"),
    ];
    assert_eq!(wait(403, &headers, ""), Some(Duration::from_secs(10)));
}

#[test]
fn a_503_did_nothing_and_a_502_may_have() {
    let may_have = |status| matches!(trouble(status, &[], ""), Trouble::Unwell { may_have_worked: true, .. });
    assert!(may_have(500) && may_have(502) && may_have(504) && may_have(408) && !may_have(503));
}

#[test]
fn a_proxys_page_is_told_in_short() {
    let page = format!("<html>\n{}</html>", "é ".repeat(4_000));
    let Trouble::Unwell { error, .. } = trouble(502, &[], &page) else { panic!() };
    assert!(error.to_string().len() < 600, "{error}");
}

fn spent(attempts: u32, request: u64, unwell: u64) -> Spent {
    Spent { attempts, request: Duration::from_secs(request), unwell: Duration::from_secs(unwell) }
}

fn unwell(wait: Option<u64>) -> Trouble {
    let wait = wait.map(Duration::from_secs);
    Trouble::Unwell { error: Error::Server("x".into()), wait, may_have_worked: false }
}

const BUDGET: Duration = Duration::from_secs(120);

fn after(trouble: &Trouble, spent: Spent) -> Option<Duration> {
    match decide(trouble, spent, BUDGET, now(), 0.5) {
        Verdict::Again(after) => Some(after),
        Verdict::Stop(_) => None,
    }
}

#[test]
fn pauses_grow_and_what_github_asks_for_is_kept() {
    let pauses: Vec<u128> =
        (1..=8).map(|attempts| after(&unwell(None), spent(attempts, 0, 0)).unwrap().as_millis()).collect();
    assert_eq!(pauses, [225, 450, 900, 1_800, 3_600, 7_200, 11_250, 11_250]);
    assert_eq!(after(&unwell(Some(40)), spent(1, 0, 0)), Some(Duration::from_secs(40)));
    assert_eq!(after(&unwell(Some(40)), spent(2, 81, 81)), None);
}

#[test]
fn what_is_refused_is_not_sent_again() {
    assert_eq!(after(&Trouble::Final(Error::Denied("x".into())), spent(1, 0, 0)), None);
}

#[test]
fn trouble_of_others_ends_the_patience_but_not_the_first_tries() {
    assert!(after(&unwell(None), spent(2, 1, 500)).is_some());
    assert_eq!(after(&unwell(None), spent(3, 2, 500)), None);
}

#[test]
fn a_limit_beyond_the_budget_says_until_when() {
    let limited = |wait: Option<u64>| Trouble::Limited { message: "m".into(), wait: wait.map(Duration::from_secs) };
    assert!(after(&limited(Some(100)), spent(1, 0, 0)).is_some());
    assert!(after(&limited(None), spent(1, 0, 0)).is_some(), "a minute where only the message tells");
    assert_eq!(after(&limited(None), spent(2, 61, 61)), None);
    let Verdict::Stop(Error::Limited { until, .. }) = decide(&limited(Some(3_600)), spent(1, 0, 0), BUDGET, now(), 0.5)
    else {
        panic!()
    };
    assert_eq!(until, "2026-01-01T01:00:00Z".parse().unwrap());
}

proptest! {
    #[test]
    fn no_answer_panics_and_the_budget_is_never_exceeded(
        status in 100_u16..=599, retry in any::<String>(), reset in any::<i64>(), body in any::<String>(),
        attempts in 1_u32..1_000, request in any::<u32>(), unwell in any::<u32>(), chance in any::<f64>(),
    ) {
        let mut answer = raw(status, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", &reset.to_string())], &body);
        if let Ok(value) = retry.parse() {
            answer.headers.insert("retry-after", value);
        }
        let Some(trouble) = answer.trouble(&call(), now()) else {
            assert!((200..300).contains(&status));
            return Ok(());
        };
        let spent = spent(attempts, request.into(), unwell.into());
        if let Verdict::Again(after) = decide(&trouble, spent, BUDGET, now(), chance) {
            assert!(spent.request + after <= BUDGET);
        }
    }
}
