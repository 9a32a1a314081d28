//! Jobs that are killed, without a word, before and after the effect of each of their requests. One `ci sync` then makes
//! the dashboard true, and nothing is there twice.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock};

use crate::github::{Fault, GitHub, Moment};
use crate::github_trouble::{github, nothing_is_left_to_mend, outputs, side_by_side, wait_for};

/// How a row must read once the dashboard was mended, by what was recorded of it before the job died.
fn truth(github: &GitHub, row: &str) -> &'static str {
    let context = format!("ci/{row}");
    let statuses = github.statuses(&github.head(7));
    match statuses.iter().rfind(|status| status.context == context).map(|status| &*status.description) {
        None => "pending: ",
        Some("running") => "failure: ended without reporting",
        Some("running: starting e2e.yml") => {
            "failure: ended without saying whether e2e.yml was started: look at its runs"
        }
        // Its run is another's, and goes on.
        Some("running: started e2e.yml") => "running: started e2e.yml",
        Some("pending: waiting for the lock") => "dropped: did not begin",
        Some("success") => "success: ",
        Some("failure: `false` exited with 1") => "failure: `false` exited with 1",
        Some(other) => panic!("{other}"),
    }
}

/// Lets the job of a comment be killed at its request of this number. Killed before it, the request has no effect.
fn killed(text: &str, at: usize, moment: Moment) -> GitHub {
    let github = github();
    let event = github.comment(7, "alice", text);
    github.take_log();
    let process = Arc::new(OnceLock::new());
    let victim = Arc::clone(&process);
    if moment == Moment::Before {
        github.fail(at, Fault::DropBefore);
    }
    github.watch(move |number, now| {
        if (number, now) == (at, moment) {
            let id: &u32 = victim.wait();
            let id = id.to_string();
            assert!(Command::new("kill").args(["-KILL", &id]).status().unwrap().success());
        }
    });
    let mut job = github.job().on(event).command(["run"]);
    let mut child = job.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    process.set(child.id()).unwrap();
    let ended = child.wait().unwrap();
    // How many requests it takes to write what came in side by side is not always the same.
    let came_so_far = github.take_log().0.len() > at;
    assert!(ended.signal() == Some(9) || !came_so_far, "{text} {moment:?} request {at}: {ended}");
    github.well_again();
    // What the job had sent before it died still has its effect.
    wait_for(|| github.is_idle());
    github
}

/// Kills the job of a comment everywhere, tells GitHub that its run ended, and mends the dashboard once.
fn killed_everywhere(text: &str, row: &str, code: i32, judge: impl Fn(&GitHub, &str) + Sync) {
    let github = github();
    let event = github.comment(7, "alice", text);
    github.take_log();
    github.job().on(event).ci(["run"]).exits(code);
    let requests = github.take_log().0.len();
    let cases = (0..requests).flat_map(|at| [(at, Moment::Before), (at, Moment::After)]);
    side_by_side(cases.collect(), |(at, moment)| {
        let github = killed(text, at, moment);
        let truth = truth(&github, row);
        github.state(|state| state.end_runs("ci.yml", "failure"));
        let synced = github.job().ci(["sync", "--pr", "7"]).exits(0);
        let story = format!("{text} killed {moment:?} request {at}: {synced:#?}");
        assert_eq!(github.row(7, row), truth, "{story}");
        nothing_is_left_to_mend(&github);
        judge(&github, &story);
    });
}

#[test]
fn a_plan_that_was_killed_is_told_truly() {
    killed_everywhere("/plan", "plan-base", 0, |github, story| {
        assert!(outputs(github).len() <= 1, "{story}");
        let again = github.comment(7, "alice", "/plan");
        github.job().on(again).ci(["run"]).exits(0);
        assert_eq!(github.row(7, "plan-base"), "success: ", "{story}");
        nothing_is_left_to_mend(github);
    });
}

#[test]
fn an_apply_that_was_killed_is_told_truly() {
    killed_everywhere("/apply", "apply-base", 0, |github, story| {
        let begun = github.folder().join("applied").exists();
        let told_as_not_begun = ["pending: ", "dropped: did not begin"].contains(&&*github.row(7, "apply-base"));
        assert!(!begun || !told_as_not_begun, "{story}");
        // Whatever it left behind, the next one applies.
        github.job().on(github.comment(7, "alice", "/apply")).ci(["run"]).exits(0);
        assert!(github.row(7, "apply-base").starts_with("success: "), "{story}");
        nothing_is_left_to_mend(github);
    });
}

#[test]
fn what_was_dispatched_by_a_job_that_was_killed_goes_on_once() {
    killed_everywhere("/e2e", "e2e", 0, |github, story| {
        let started = github.state(|state| state.runs.values().filter(|run| run.workflow == "e2e.yml").count());
        assert!(started <= 1, "{started} runs after {story}");
    });
}

#[test]
fn a_job_that_was_killed_leaves_one_issue() {
    killed_everywhere("/verify", "drift", 1, |github, story| {
        let again = github.comment(7, "alice", "/verify");
        github.job().on(again).ci(["run"]).exits(1);
        assert_eq!(github.state(|state| state.issues.len()), 1, "{story}");
        nothing_is_left_to_mend(github);
    });
}
