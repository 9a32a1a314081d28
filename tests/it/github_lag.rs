//! Stories of lists that do not show yet what was written: nothing is made twice for that, and where it cannot be helped,
//! `ci sync` mends it.

use crate::github::{BOT, Fault, GitHub};
use crate::github_trouble::{all_is_reported, github, many_stages, nothing_is_left_to_mend, outputs, report_all};
use crate::project::Ran;

const LINT: [&str; 9] = ["update", "--pr", "7", "--stage", "lint", "--status", "success", "--note", "clean"];

fn comments_on(github: &GitHub, text: &str) -> Ran {
    github.job().on(github.comment(7, "alice", text)).ci(["run"])
}

/// Lets every list lag by so many readings.
fn lag(github: &GitHub, by: usize) {
    github.state(|state| {
        state.lags.statuses.by = by;
        state.lags.comments.by = by;
        state.lags.runs.by = by;
    });
}

/// How many comments are ours.
fn ours(github: &GitHub) -> usize {
    github.comments(7).iter().filter(|comment| comment.author == BOT).count()
}

/// The request of a `ci update` that creates the dashboard, counted from its first.
fn creation() -> usize {
    let github = github();
    github.job().ci(LINT).exits(0);
    let log = github.take_log();
    log.0.iter().position(|asked| asked.method == "POST" && asked.target.ends_with("/issues/7/comments")).unwrap()
}

#[test]
fn two_commands_in_a_row_make_one_dashboard() {
    let github = github();
    lag(&github, 6);
    github.job().ci(LINT).exits(0);
    comments_on(&github, "/plan").exits(0);
    assert_eq!((ours(&github), outputs(&github).len()), (2, 1));
    assert!(github.row(7, "lint").starts_with("success: clean"));
    assert_eq!(github.row(7, "plan-base"), "success: ");
    lag(&github, 0);
    nothing_is_left_to_mend(&github);
}

#[test]
fn first_runs_at_once_make_one_dashboard() {
    let github = many_stages(5);
    lag(&github, 4);
    report_all(&github, 5);
    lag(&github, 0);
    all_is_reported(&github, 5);
}

#[test]
fn a_dashboard_whose_answer_was_lost_is_not_made_twice() {
    let at = creation();
    for fault in [Fault::DropAfter, Fault::BadGatewayAfter, Fault::CutShort] {
        let github = github();
        lag(&github, 1);
        github.fail(at, fault);
        github.job().ci(LINT).exits(0);
        assert_eq!(ours(&github), 1, "{fault:?}: {:#?}", github.take_log().lines());
        nothing_is_left_to_mend(&github);
    }
}

#[test]
fn a_dashboard_that_nobody_could_find_again_is_mended() {
    let at = creation();
    let github = github();
    // It is made, and nothing goes well after that: no pointer names it.
    github.fail(at, Fault::DropAfter);
    github.fail_from(at + 1, Fault::Exhausted(403, 3_000));
    lag(&github, 3);
    github.job().ci(LINT).exits(3);
    github.well_again();
    assert_eq!(ours(&github), 1);
    // The next command does not see it and makes another, which counts from then on.
    comments_on(&github, "/plan").exits(0);
    assert_eq!(ours(&github), 3);
    lag(&github, 0);
    let synced = github.job().ci(["sync", "--pr", "7"]).exits(0);
    assert_eq!((ours(&github), outputs(&github).len()), (2, 1), "{synced:#?}");
    assert!(github.row(7, "lint").starts_with("success: clean"));
    nothing_is_left_to_mend(&github);
}

/// The runs of a workflow that were started.
fn started(github: &GitHub) -> Vec<u64> {
    github.state(|state| state.runs.values().filter(|run| run.workflow == "e2e.yml").map(|run| run.id).collect())
}

/// A run was started once, and the row leads to it.
#[track_caller]
fn one_run_is_known(github: &GitHub) {
    let started = started(github);
    assert_eq!(started.len(), 1, "{:#?}", github.take_log().lines());
    assert_eq!(github.row(7, "e2e"), "running: started e2e.yml");
    let dashboard = github.dashboard(7).body;
    assert!(dashboard.contains(&format!("/actions/runs/{})", started[0])), "{dashboard}");
    nothing_is_left_to_mend(github);
}

#[test]
fn a_run_that_no_list_shows_yet_is_found_and_not_started_twice() {
    // A server that does not say which run it started.
    let github = github();
    github.state(|state| state.run_details = false);
    lag(&github, 1);
    comments_on(&github, "/e2e").exits(0);
    one_run_is_known(&github);

    // One that does, whose answer was lost.
    let github = self::github();
    lag(&github, 1);
    github.fail_on("/dispatches", Fault::DropAfter);
    comments_on(&github, "/e2e").exits(0);
    one_run_is_known(&github);
}

#[test]
fn a_run_that_no_list_shows_in_time_is_not_started_twice_either() {
    let github = github();
    github.state(|state| state.run_details = false);
    lag(&github, 9);
    comments_on(&github, "/e2e").exits(0);
    assert_eq!(started(&github).len(), 1);
    assert!(github.row(7, "e2e").starts_with("running: "), "{}", github.row(7, "e2e"));
    assert!(github.dashboard(7).body.contains("/actions/workflows/e2e.yml"), "{}", github.dashboard(7).body);
    // That the run which started it has ended says nothing of it.
    github.state(|state| state.end_runs("ci.yml", "failure"));
    github.job().ci(["sync", "--pr", "7"]).exits(0);
    assert!(github.row(7, "e2e").starts_with("running: "), "{}", github.row(7, "e2e"));
}
