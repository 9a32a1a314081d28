//! Stories of trouble on GitHub: many writers, faults, lists that lag, and an outage. Whatever happens, the rows are true.

use std::process::{Child, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use serde_json::Value;

use crate::github::{BOT, Comment, Fault, GitHub, Job};
use crate::on_github::rows;
use crate::project::Ran;

/// One layer, and work that a story can hold up.
pub(crate) const CONFIG: &str = concat!(
    rows!(),
    r#"
[layers.base]
dir = "base"

[stages.drift]
name = "Drift"
[stages.apply]
name = "Apply: {{ layer }}"
each = "layer"

[commands.plan]
pattern = "/plan"
[commands.apply]
pattern = "/apply"
[commands.both]
pattern = "/both"
[commands.verify]
pattern = "/verify"

[[rules]]
command = "plan"
gate    = "anyone"
run     = "plan"
[[rules]]
command = "e2e"
gate    = "anyone"
run     = "e2e"
[[rules]]
command = "apply"
gate    = "anyone"
run     = "apply"
[[rules]]
command = "both"
gate    = "anyone"
run     = ["plan", "e2e"]
[[rules]]
command = "verify"
gate    = "anyone"
run     = "verify"

[handlers.plan]
each  = "layer"
stage = "plan"
dir   = "{{ layer.dir }}"
steps = [{ run = ["sh", "-c", "cat wanted; eval \"${WORK:-true}\""], output = true }]

[handlers.apply]
each  = "layer"
stage = "apply"
lock  = true
steps = [{ run = ["sh", "-c", "touch $RUNNER_TEMP/applied; eval \"${WORK:-true}\""] }]

[handlers.verify]
stage = "drift"
issue = "Drift"
steps = [{ run = ["false"], output = true }]
"#
);

/// A GitHub whose pull request 7 wants something of the one layer.
pub(crate) fn github() -> GitHub {
    let github = GitHub::start(CONFIG);
    github.commit("work", "base/wanted", "something\n");
    github
}

/// Tells each case to a thread that is free.
pub(crate) fn side_by_side<T: Send>(cases: Vec<T>, story: impl Fn(T) + Sync) {
    let cases = Mutex::new(cases.into_iter());
    let next = || cases.lock().unwrap().next();
    std::thread::scope(|threads| {
        for _ in 0..6 {
            threads.spawn(|| {
                while let Some(case) = next() {
                    story(case);
                }
            });
        }
    });
}

/// The comments of ours that are no dashboard.
pub(crate) fn outputs(github: &GitHub) -> Vec<Comment> {
    let dashboard = github.dashboard(7).id;
    github.comments(7).into_iter().filter(|comment| comment.author == BOT && comment.id != dashboard).collect()
}

/// The one comment and the pointer say what the journal says.
#[track_caller]
pub(crate) fn nothing_is_left_to_mend(github: &GitHub) {
    let synced = github.job().ci(["sync", "--pr", "7"]).exits(0);
    assert!(synced.stdout.contains("all is true already"), "{synced:#?}");
    let (dashboard, statuses) = (github.dashboard(7), github.statuses(&github.head(7)));
    let pointer = statuses.iter().rfind(|status| status.context == "ci/dashboard").unwrap();
    assert!(pointer.target_url.ends_with(&format!("#issuecomment-{}", dashboard.id)), "{pointer:#?}");
    let board = github.board(7);
    assert_eq!(pointer.state, overall(&board), "{pointer:#?}\n{board:#}");
}

/// What the pointer is to say of a board: `ci show` tells the rows, not what they come to.
fn overall(board: &Value) -> &'static str {
    let rows = board["rows"].as_array().unwrap();
    let any = |words: &[&str]| rows.iter().any(|row| words.contains(&row["status"].as_str().unwrap()));
    if any(&["failure"]) {
        "failure"
    } else if any(&["pending", "running", "dropped"]) {
        "pending"
    } else {
        "success"
    }
}

pub(crate) fn start(job: &Job<'_>, arguments: &[&str]) -> Child {
    job.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn all_exit_well(children: Vec<Child>) {
    // All are waited for before any is judged, so that none goes on without its server.
    let all: Vec<Ran> = children.into_iter().map(|child| Ran::of(child.wait_with_output().unwrap())).collect();
    all.into_iter().for_each(|ran| drop(ran.exits(0)));
}

/// A GitHub whose ci.toml has so many stages, each with a row.
pub(crate) fn many_stages(count: usize) -> GitHub {
    let stages: Vec<String> = (0..count).map(|at| format!("[stages.s{at}]\nname = \"Stage {at}\"\n")).collect();
    let head = "version = 1\n[dashboard]\nmarker = \"infra-dashboard\"\nhistory = 200\n";
    GitHub::start(&format!("{head}{}", stages.concat()))
}

/// What the process of this number reports.
fn report(at: usize) -> (&'static str, String) {
    (if at % 7 == 3 { "skipped" } else { "success" }, format!("note-{at}."))
}

/// Lets so many processes report a stage each, all at once.
pub(crate) fn report_all(github: &GitHub, count: usize) {
    let children = (0..count).map(|at| {
        let (status, note) = report(at);
        let stage = format!("s{at}");
        let job = github.job().env("CI_RETRY_BUDGET", "120");
        start(&job, &["update", "--pr", "7", "--stage", &stage, "--status", status, "--note", &note])
    });
    all_exit_well(children.collect());
}

/// Every row is as it was reported, in the journal and in the comment, and nothing is there twice.
pub(crate) fn all_is_reported(github: &GitHub, count: usize) {
    let (board, body) = (github.board(7), github.dashboard(7).body);
    for at in 0..count {
        let (status, note) = report(at);
        let row = board["rows"].as_array().unwrap().iter().find(|row| row["id"] == format!("s{at}")).unwrap();
        assert_eq!((row["status"].as_str(), row["note"].as_str()), (Some(status), Some(&*note)), "{row:#}");
        assert!(body.contains(&note), "the comment lacks {note}");
    }
    assert_eq!(board["history"].as_array().unwrap().len(), count);
    let ours = github.comments(7).into_iter().filter(|comment| comment.author == BOT).count();
    assert_eq!(ours, 1);
    nothing_is_left_to_mend(github);
}

fn many_writers_in_trouble(count: usize) {
    let github = many_stages(count);
    github.job().ci(["init", "--pr", "7"]).exits(0);
    github.latency(Duration::from_millis(50));
    github.fail_at_random(5, 17);
    github.take_log();
    report_all(&github, count);
    github.well_again();
    github.latency(Duration::ZERO);
    all_is_reported(&github, count);
}

#[test]
fn twenty_writers_in_trouble_lose_nothing() {
    many_writers_in_trouble(20);
}

#[test]
fn a_hundred_writers_in_trouble_lose_nothing() {
    many_writers_in_trouble(100);
}

#[test]
fn lists_that_lag_lose_nothing() {
    let github = many_stages(8);
    github.state(|state| state.lags.statuses.by = 5);
    report_all(&github, 8);
    github.state(|state| state.lags.statuses.by = 0);
    all_is_reported(&github, 8);
}

#[test]
fn first_runs_at_once_make_one_dashboard() {
    for _ in 0..3 {
        let github = many_stages(5);
        report_all(&github, 5);
        all_is_reported(&github, 5);
    }
}

const FAULTS: [Fault; 7] = [
    Fault::BadGateway,
    Fault::BadGatewayAfter,
    Fault::Unavailable,
    Fault::TooMany,
    Fault::DropBefore,
    Fault::DropAfter,
    Fault::CutShort,
];

/// One fault of each kind: nothing was done and no answer came or one, it was done, half of the answer came.
const KINDS: [Fault; 4] = [Fault::DropBefore, Fault::Unavailable, Fault::BadGatewayAfter, Fault::CutShort];

/// Each fault at each request.
fn each_at_each(faults: &[Fault], requests: usize) -> Vec<(usize, Fault)> {
    (0..requests).flat_map(|at| faults.iter().map(move |fault| (at, *fault))).collect()
}

#[test]
fn no_fault_of_one_request_spoils_a_report() {
    let told = ["update", "--pr", "7", "--stage", "lint", "--status", "success", "--note", "clean"];
    let github = github();
    github.job().ci(told).exits(0);
    let requests = github.take_log().0.len();
    side_by_side(each_at_each(&FAULTS, requests), |(at, fault)| {
        let github = self::github();
        github.fail(at, fault);
        let ran = github.job().ci(told);
        assert_eq!(ran.code, 0, "{fault:?} at {at}: {ran:#?}\n{:#?}", github.take_log().lines());
        assert_eq!(github.row(7, "lint"), "success: clean");
        assert!(outputs(&github).is_empty());
        nothing_is_left_to_mend(&github);
    });
}

#[test]
fn no_fault_of_one_request_spoils_a_plan() {
    let github = github();
    let event = github.comment(7, "alice", "/plan");
    github.take_log();
    github.job().on(event).ci(["run"]).exits(0);
    let requests = github.take_log().0.len();
    side_by_side(each_at_each(&KINDS, requests), |(at, fault)| {
        let github = self::github();
        let event = github.comment(7, "alice", "/plan");
        github.fail(at, fault);
        let ran = github.job().on(event).ci(["run"]);
        assert_eq!(ran.code, 0, "{fault:?} at {at}: {ran:#?}\n{:#?}", github.take_log().lines());
        assert_eq!(github.row(7, "plan-base"), "success: ", "{fault:?} at {at}: {ran:#?}");
        assert_eq!(outputs(&github).len(), 1, "{fault:?} at {at}: {ran:#?}");
        nothing_is_left_to_mend(&github);
    });
}

/// Waits until it is so.
#[track_caller]
pub(crate) fn wait_for(mut so: impl FnMut() -> bool) {
    let begun = std::time::Instant::now();
    while !so() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it does not come");
        std::thread::sleep(Duration::from_millis(10));
    }
}
