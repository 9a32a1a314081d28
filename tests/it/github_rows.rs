//! Rows on GitHub that others fill: dispatched workflows, runs that end without a word, two pull requests with one head.

use serde_json::json;

use crate::github::{Event, GitHub, Job};
use crate::github_trouble::github as unreported;
use crate::on_github::{CONFIG, github, wanting};
use crate::place::Place as _;

/// Comments `/e2e`, and gives the run that it started.
fn dispatched(github: &GitHub) -> u64 {
    github.job().on(github.comment(7, "alice", "/e2e")).ci(["run"]).exits(0);
    github.state(|state| state.runs.values().filter(|run| run.workflow == "e2e.yml").map(|run| run.id).max()).unwrap()
}

/// Handles the end of a run.
#[track_caller]
fn ends(github: &GitHub, run: u64, conclusion: &str) -> crate::project::Ran {
    github.job().on(github.run_ends(run, conclusion)).ci(["run"]).exits(0)
}

/// Where a row of pull request 7 leads to.
pub(crate) fn link(github: &GitHub, id: &str) -> String {
    let board = github.board(7);
    let row = board["rows"].as_array().unwrap().iter().find(|row| row["id"] == id).cloned().unwrap();
    row["link"].as_str().unwrap_or_else(|| panic!("no link in {row:#}")).to_owned()
}

#[test]
fn a_dispatched_run_is_running_until_it_reports() {
    let github = github();
    let run = dispatched(&github);
    assert_eq!(github.row(7, "e2e"), "running: started e2e.yml");
    assert!(link(&github, "e2e").ends_with(&format!("/actions/runs/{run}")), "{}", link(&github, "e2e"));
    let inputs = github.state(|state| state.runs[&run].inputs.clone());
    assert_eq!(inputs, json!({ "sha": github.head(7) }));
    ends(&github, run, "success");
    assert_eq!(github.row(7, "e2e"), "success: ");
    assert!(link(&github, "e2e").ends_with(&format!("/actions/runs/{run}")), "{}", link(&github, "e2e"));
}

/// No rule reports it: what the run that was started came to is what came of the row.
#[test]
fn a_dispatched_run_that_reports_nothing_is_told_by_its_conclusion() {
    for (conclusion, row) in [
        ("success", "success: "),
        ("failure", "failure: "),
        ("timed_out", "failure: timed_out"),
        ("cancelled", "dropped: cancelled"),
    ] {
        let github = unreported();
        let run = dispatched(&github);
        github.state(|state| state.end_run(run, conclusion));
        github.job().ci(["sync", "--pr", "7"]).exits(0);
        assert_eq!(github.row(7, "e2e"), row);
        let told = ends(&github, dispatched(&github), conclusion);
        assert!(!told.stderr.contains("nothing to do"), "{told:#?}");
        assert_eq!(github.row(7, "e2e"), row);
    }
    let github = unreported();
    let run = dispatched(&github);
    let report = ["update", "--pr", "7", "--stage", "e2e", "--status", "failure", "--note", "two tests"];
    github.job().run(run).ci(report).exits(0);
    ends(&github, run, "success");
    assert_eq!(github.row(7, "e2e"), "failure: two tests");
    // That it runs is not how it ended.
    let run = dispatched(&github);
    github.job().run(run).ci(["update", "--pr", "7", "--stage", "e2e", "--status", "running"]).exits(0);
    ends(&github, run, "success");
    assert_eq!(github.row(7, "e2e"), "failure: ended without reporting");
    // Nobody knows how long it took to that.
    let board = github.board(7);
    let e2e = board["rows"].as_array().unwrap().iter().find(|row| row["id"] == "e2e").unwrap();
    assert_eq!(e2e["seconds"], serde_json::Value::Null);
}

#[test]
fn a_row_whose_run_is_gone_does_not_run_for_ever() {
    let github = unreported();
    let run = dispatched(&github);
    github.state(|state| state.runs.remove(&run));
    // It may have been started a moment ago.
    github.job().ci(["sync", "--pr", "7"]).exits(0);
    assert_eq!(github.row(7, "e2e"), "running: started e2e.yml");
    github.a_year_goes_by(7);
    github.job().ci(["sync", "--pr", "7"]).exits(0);
    assert_eq!(github.row(7, "e2e"), "dropped: its run is gone");
}

/// Nobody here knows whether it goes on.
#[test]
fn a_run_of_another_repository_is_not_gone() {
    let github = github();
    let job = github.job().env("GITHUB_REPOSITORY", "acme/deployer").env("GITHUB_RUN_ID", "424242");
    job.ci(["--repository", "acme/infra", "update", "--pr", "7", "--stage", "lint", "--status", "running"]).exits(0);
    github.a_year_goes_by(7);
    github.job().ci(["sync", "--pr", "7"]).exits(0);
    assert!(github.row(7, "lint").starts_with("running"), "{}", github.row(7, "lint"));
}

/// A run that goes on has no conclusion.
#[test]
fn a_run_that_goes_on_has_nothing_to_report() {
    let github = github();
    let run = dispatched(&github);
    github.take_log();
    for action in ["requested", "in_progress"] {
        let told = github.job().on(github.run_event(run, action)).ci(["run"]).exits(0);
        assert!(told.stderr.contains("e2e-reported: nothing to report: the event has no status yet"), "{told:#?}");
    }
    let log = github.take_log();
    assert!(
        log.lines().iter().all(|line| line.starts_with("GET") || line.starts_with("POST /graphql")),
        "{:#?}",
        log.lines()
    );
    assert_eq!(github.row(7, "e2e"), "running: started e2e.yml");
    ends(&github, run, "success");
    assert_eq!(github.row(7, "e2e"), "success: ");
}

#[test]
fn what_was_asked_of_people_goes_on_when_the_run_that_asked_has_ended() {
    let github = GitHub::start(
        r#"
version = 1

[stages.review]
name = "Review"

[commands.review]
pattern = "/review"

[[rules]]
command = "review"
gate    = "anyone"
run     = "review"
[[rules]]
on  = "pull_request_review"
run = "reviewed"

[handlers.review]
stage = "review"
api   = "POST /repos/{owner}/{repo}/pulls/{pr}/requested_reviewers"
body  = { reviewers = ["bob"] }

[handlers.reviewed]
stage  = "review"
report = "{{ 'success' if event.review.state == 'approved' else 'failure' }}"
sha    = "{{ event.review.commit_id }}"
"#,
    );
    github.commit("work", "wanted", "something");
    github.job().on(github.comment(7, "alice", "/review")).ci(["run"]).exits(0);
    let run = github.state(|state| state.runs.keys().max().copied()).unwrap();
    ends(&github, run, "success");
    github.job().ci(["sync", "--pr", "7"]).exits(0);
    assert_eq!(github.row(7, "review"), "running: asked for");
    let mut event = github.pull_event(7, "submitted");
    event.name = "pull_request_review";
    event.payload["review"] = json!({ "state": "approved", "commit_id": github.head(7) });
    github.job().on(event).ci(["run"]).exits(0);
    assert_eq!(github.row(7, "review"), "success: ");
}

#[test]
fn what_an_older_run_reports_does_not_take_the_row() {
    let github = github();
    let (older, newer) = (dispatched(&github), dispatched(&github));
    ends(&github, older, "failure");
    assert_eq!(github.row(7, "e2e"), "running: started e2e.yml");
    ends(&github, newer, "success");
    assert_eq!(github.row(7, "e2e"), "success: ");
    ends(&github, older, "failure");
    assert_eq!(github.row(7, "e2e"), "success: ");
}

#[test]
fn what_a_run_of_a_fork_reports_does_not_count() {
    let github = github();
    let run = dispatched(&github);
    let mut event = github.run_ends(run, "success");
    let theirs = &mut event.payload["workflow_run"];
    theirs["id"] = json!(run + 1_000_000);
    theirs["head_repository"] = json!({ "full_name": "mallory/infra" });
    let told = github.job().on(event).ci(["run"]).exits(0);
    assert!(told.stderr.contains("another repository"), "{told:#?}");
    assert_eq!(github.row(7, "e2e"), "running: started e2e.yml");
}

/// Of a row for all layers, and of a stage with a row for each.
#[test]
fn a_layer_can_be_reported() {
    let github = github();
    let report = |more: &[&str]| github.job().ci([&["update", "--pr", "7", "--status", "success"], more].concat());
    let told = |more: &[&str]| report(more).exits(0).stdout;
    assert!(told(&["--stage", "apply", "--layer", "platform"]).ends_with(": pending (platform: success)\n"));
    github.job().ci(["update", "--pr", "7", "--stage", "apply", "--layer", "bootstrap", "--status", "error"]).exits(0);
    // GitHub shows the newest status of a name, so that a layer has one of its own.
    let statuses = github.statuses(&github.head(7));
    let shown = |name: &str| statuses.iter().rfind(|status| status.context == name).map(|status| &*status.state);
    let names = ["ci/apply", "ci/apply/bootstrap", "ci/apply/platform"];
    assert_eq!(names.map(shown), [None, Some("failure"), Some("success")]);
    let board = github.board(7);
    let apply = board["rows"].as_array().unwrap().iter().find(|row| row["id"] == "apply").unwrap();
    let cells = apply["cells"].as_array().unwrap().iter().map(|cell| (cell["layer"].as_str(), cell["status"].as_str()));
    assert_eq!(cells.collect::<Vec<_>>(), [(Some("bootstrap"), Some("failure")), (Some("platform"), Some("success"))]);
    assert!(told(&["--stage", "plan", "--layer", "platform"]).starts_with("plan-platform of "));
    assert!(github.row(7, "plan-platform").starts_with("success: "));
    assert_eq!(github.row(7, "plan-bootstrap"), "pending: ");
    let slips = [
        (["--stage", "apply", "--layer", "platfrom"], "there is no layer `platfrom`\n  help: did you mean `platform`?"),
        (["--stage", "plan-platform", "--layer", "bootstrap"], "`plan-platform` is not of the layer `bootstrap`"),
    ];
    for (slip, told) in slips {
        let ran = report(&slip).exits(2);
        assert!(ran.stderr.contains(told), "{ran:#?}");
    }
}

#[test]
fn a_layer_that_left_ci_toml_is_named() {
    let github = github();
    let update = ["update", "--pr", "7", "--stage", "apply", "--layer", "data-prod", "--status", "failure"];
    github.job().ci(update).exits(0);
    let gone = "[layers.data-prod]\ndir   = \"data-prod\"\nafter = [\"data-staging\"]\n";
    github.commit("main", "ci.toml", &crate::github_trust::config(gone, ""));
    let told = github.job().ci(update).exits(0).stderr;
    assert!(told.contains("the layer `data-prod` is in ci.toml no longer"), "{told}");
}

/// A job of ours sets a row running and dies; the run that it belonged to.
fn dies(github: &GitHub, job: Job<'_>) -> u64 {
    job.ci(["update", "--pr", "7", "--stage", "lint", "--status", "running"]).exits(0);
    github.state(|state| state.runs.values().filter(|run| run.workflow == "ci.yml").map(|run| run.id).max()).unwrap()
}

#[test]
fn rows_that_only_waited_did_not_begin() {
    let waits = |github: &GitHub| {
        let job = github.job().on(github.comment(7, "alice", "a word"));
        job.ci(["update", "--pr", "7", "--stage", "lint", "--status", "pending", "--note", "waiting for web"]).exits(0);
        github.state(|state| state.runs.keys().max().copied()).unwrap()
    };
    let github = github();
    let run = waits(&github);
    ends(&github, run, "failure");
    assert_eq!(github.row(7, "lint"), "dropped: did not begin");
    // Whether their run is still known or not.
    let run = waits(&github);
    github.state(|state| state.runs.remove(&run));
    github.a_year_goes_by(7);
    github.job().ci(["sync", "--pr", "7"]).exits(0);
    assert_eq!(github.row(7, "lint"), "dropped: did not begin");
}

#[test]
fn rows_that_never_reported_are_closed_when_their_run_ends() {
    for (conclusion, row) in [
        ("cancelled", "dropped: ended without reporting"),
        ("failure", "failure: ended without reporting"),
        ("success", "failure: ended without reporting"),
    ] {
        let github = github();
        // Of a run that a comment started GitHub does not say which pull request it is about.
        for event in [github.pull_event(7, "opened"), github.comment(7, "alice", "a word")] {
            let run = dies(&github, github.job().on(event));
            assert!(github.row(7, "lint").starts_with("running: "));
            ends(&github, run, conclusion);
            assert_eq!(github.row(7, "lint"), row);
        }
        assert!(github.dashboard(7).body.contains("ended without reporting"), "{}", github.dashboard(7).body);
    }
}

/// Layers are named, and are no rows.
#[test]
fn layers_of_one_row_are_one_row_to_mend() {
    let github = github();
    for layer in ["platform", "bootstrap"] {
        let update = ["update", "--pr", "7", "--stage", "apply", "--layer", layer, "--status", "running"];
        github.job().ci(update).exits(0);
    }
    github.state(|state| state.end_runs("ci.yml", "failure"));
    let synced = github.job().ci(["sync", "--pr", "7"]).exits(0);
    let told = "apply (platform): failure, ended without reporting\n\
                apply (bootstrap): failure, ended without reporting\n\
                mended: 1 row, the dashboard is written\n";
    assert_eq!(synced.stdout, told);
}

#[test]
fn a_row_of_a_commit_that_is_no_head_any_more_is_superseded() {
    let github = github();
    // Of a run that a comment or a schedule started GitHub does not say which pull request it is about, and no head leads to
    // the row.
    let schedule = Event { name: "schedule", payload: json!({ "schedule": "17 5 * * *" }) };
    let events = [github.pull_event(7, "opened"), github.comment(7, "alice", "a word"), schedule];
    for (round, event) in events.into_iter().enumerate() {
        superseded(&github, event, round);
    }
}

fn superseded(github: &GitHub, event: Event, round: usize) {
    let before = github.head(7);
    let run = dies(github, github.job().on(event));
    github.commit("work", "README.md", &format!("more {round}\n"));
    github.job().ci(["init", "--pr", "7"]).exits(0);
    ends(github, run, "cancelled");
    let said = github.statuses(&before).into_iter().rfind(|status| status.context == "ci/lint").unwrap();
    assert_eq!((said.state.as_str(), said.description.as_str()), ("error", "skipped: superseded"));
    assert_eq!(github.row(7, "lint"), "pending: ");
    let old = github.comments(7).into_iter().find(|comment| comment.body.contains(&before)).unwrap();
    assert!(old.minimized && old.body.contains("superseded"), "{old:#?}");
}

#[test]
fn a_run_that_runs_again_has_the_row() {
    let github = github();
    let run = dies(&github, github.job().on(github.comment(7, "alice", "a word")));
    let first = github.run_ends(run, "failure");
    github.run_again(run);
    let again = ["update", "--pr", "7", "--stage", "lint", "--status", "running"];
    github.job().run(run).ci(again).exits(0);
    // That the first attempt ended is heard of only now, and looked up: it is nothing to the second one's row.
    github.job().on(first).ci(["run"]).exits(0);
    github.job().ci(["sync", "--pr", "7"]).exits(0);
    assert!(github.row(7, "lint").starts_with("running: "), "{}", github.row(7, "lint"));
    assert!(
        github.dashboard(7).body.contains(&format!("/actions/runs/{run}/attempts/2")),
        "{:#?}",
        github.dashboard(7)
    );
    ends(&github, run, "failure");
    assert_eq!(github.row(7, "lint"), "failure: ended without reporting");
}

#[test]
fn two_pull_requests_with_one_head_have_a_dashboard_each() {
    let github = github();
    github.open_pull(8, "work");
    for pull in ["7", "8"] {
        github.job().ci(["init", "--pr", pull]).exits(0);
    }
    github.job().on(github.comment(8, "alice", "/plan")).ci(["run"]).exits(0);
    github.job().ci(["update", "--pr", "7", "--stage", "lint", "--status", "success", "--note", "of 7"]).exits(0);
    assert_eq!(github.row(7, "lint"), "success: of 7");
    assert_eq!(github.row(8, "lint"), "pending: ");
    assert_eq!(github.row(7, "plan-platform"), "pending: ");
    assert_ne!(github.dashboard(7).id, github.dashboard(8).id);
    assert!(!github.dashboard(8).body.contains("of 7") && !github.dashboard(7).body.contains("wants platform"));
    // What was planned for the one is not planned for the other.
    github.state(|state| state.approve(7, "bob"));
    let refused = github.job().on(github.comment(7, "alice", "/apply platform")).ci(["run"]).exits(4);
    assert!(refused.stderr.contains("planned"), "{refused:#?}");
}

#[test]
fn what_was_planned_on_command_stands_though_an_event_leaves_its_layer_out() {
    let elsewhere = |layer| CONFIG.replace(layer, &format!("{layer}\npaths = [\"elsewhere/**\"]"));
    let github = wanting(GitHub::start(&elsewhere("dir = \"bootstrap\"")));
    github.job().on(github.pull_event(7, "synchronize")).ci(["run"]).exits(0);
    assert_eq!(github.row(7, "plan-bootstrap"), "skipped: no changes in elsewhere/**");
    github.job().on(github.comment(7, "alice", "/plan bootstrap")).ci(["run"]).exits(0);
    let planned = github.row(7, "plan-bootstrap");
    assert!(planned.starts_with("success"), "{planned}");
    github.job().on(github.pull_event(7, "synchronize")).ci(["run"]).exits(0);
    assert_eq!(github.row(7, "plan-bootstrap"), planned);
}

#[test]
fn what_was_to_be_planned_anew_is_not_planned_where_a_lower_layer_failed() {
    let github = wanting(GitHub::start(&CONFIG.replace("sleep ${WORK:-0};", "test {{ layer }} != ${FAILS:-none} &&")));
    let plans = || github.job().on(github.comment(7, "alice", "/plan bootstrap platform"));
    plans().ci(["run"]).exits(0);
    assert!(github.row(7, "plan-platform").starts_with("success"), "{}", github.row(7, "plan-platform"));
    plans().env("FAILS", "bootstrap").ci(["run"]).exits(1);
    assert_eq!(github.row(7, "plan-platform"), "dropped: after bootstrap failed");
}
