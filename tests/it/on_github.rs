//! Stories on GitHub: the real binary as a step of a job, against a server that behaves as GitHub does.

use std::time::Duration;

use crate::github::{GitHub, Job, Log};

/// What every ci.toml of the stories on GitHub begins with: rows, and an end-to-end test that another workflow does.
macro_rules! rows {
    () => {
        r#"
version = 1

[stages.plan]
name = "Plan: {{ layer }}"
each = "layer"
[stages.e2e]
name = "E2E Tests"
[stages.lint]
name = "Lint"

[commands.e2e]
pattern = '/e2e'

[handlers.e2e]
stage    = "e2e"
dispatch = "e2e.yml"
ref      = "{{ pr.head.ref }}"
inputs   = { sha = "{{ pr.head.sha }}" }
"#
    };
}
pub(crate) use rows;

/// Four layers whose plan and apply are plain programs.
pub(crate) const CONFIG: &str = concat!(
    rows!(),
    r#"
[layers.bootstrap]
dir = "bootstrap"
[layers.platform]
dir   = "platform"
after = ["bootstrap"]
[layers.data-staging]
dir   = "data-staging"
after = ["platform"]
[layers.data-prod]
dir   = "data-prod"
after = ["data-staging"]

[stages.apply]
name  = "Apply"
after = ["plan"]

[commands.plan]
pattern     = '/plan(\s+(?<layers>.+))?'
args.layers = { type = "layers", default = "all" }
[commands.apply]
pattern     = '/apply(\s+(?<layers>.+))?'
args.layers = { type = "layers", default = "planned" }
[commands.help]
pattern = '/help'

[gates.writers]
permission = "write"
[gates.apply]
permission = "write"
planned    = "plan"
checks     = "green"
mergeable  = true
up-to-date = true
approvals  = 1

[[rules]]
on     = "pull_request"
types  = ["opened", "synchronize"]
layers = "changed"
run    = "plan"
[[rules]]
command = "plan"
gate    = "writers"
run     = "plan"
[[rules]]
command = "apply"
gate    = "apply"
run     = "apply"
[[rules]]
command = "e2e"
gate    = "writers"
run     = "e2e"
[[rules]]
command = "help"
gate    = "anyone"
run     = "help"
[[rules]]
on  = "workflow_run"
if  = "event.workflow_run.path == '.github/workflows/e2e.yml'"
run = "e2e-reported"

[handlers.plan]
each   = "layer"
stage  = "plan"
dir    = "{{ layer.dir }}"
steps  = [
  { run = ["sh", "-c", "touch \"$RUNNER_TEMP/begun-{{ layer }}\"; sleep ${WORK:-0}; cat wanted"], output = true },
  { run = ["sh", "-c", "printf '\"%s\"' \"$(cat wanted)\"; touch \"$RUNNER_TEMP/ended-{{ layer }}\""], capture = "plan", quiet = true },
]
note   = "wants {{ plan }}"
record = { changes = "plan" }

[handlers.apply]
each  = "layer"
stage = "apply"
dir   = "{{ layer.dir }}"
lock  = true
steps = [
  { run = ["sh", "-c", "printf '\"%s\"' \"$(cat wanted)\""], capture = "plan", quiet = true, matches = "plan" },
  { run = ["sh", "-c", "cat wanted > \"$RUNNER_TEMP/applied-{{ layer }}\""], output = true },
]

[handlers.e2e-reported]
stage  = "e2e"
report = "{{ event.workflow_run.conclusion }}"
sha    = "{{ event.workflow_run.head_sha }}"
link   = "{{ event.workflow_run.html_url }}"

[handlers.help]
reply = "help"
"#
);

const LAYERS: [&str; 4] = ["bootstrap", "platform", "data-staging", "data-prod"];

/// A GitHub whose pull request 7 wants something of every layer.
pub(crate) fn github() -> GitHub {
    wanting(GitHub::start(CONFIG))
}

/// Lets pull request 7 want something of every layer.
pub(crate) fn wanting(github: GitHub) -> GitHub {
    for layer in LAYERS {
        github.commit("work", &format!("{layer}/wanted"), &format!("{layer} as on work\n"));
    }
    github
}

#[test]
fn a_dashboard_is_made_once() {
    let github = github();
    let made = github.job().ci(["init", "--pr", "7"]).exits(0);
    assert!(made.stdout.contains("is written"), "{made:?}");
    let again = github.job().ci(["init", "--pr", "7"]).exits(0);
    assert!(again.stdout.contains("stands already"), "{again:?}");
    assert!(github.dashboard(7).body.contains("| Plan: platform |"), "{}", github.dashboard(7).body);
}

#[test]
fn a_row_is_reported() {
    let github = github();
    github.job().ci(["update", "--pr", "7", "--stage", "lint", "--status", "success", "--note", "clean"]).exits(0);
    assert_eq!(github.row(7, "lint"), "success: clean");
    let statuses = github.statuses(&github.head(7));
    assert!(statuses.iter().any(|status| status.context == "ci/lint" && status.state == "success"), "{statuses:#?}");
    assert!(statuses.iter().any(|status| status.context == "ci/dashboard"), "{statuses:#?}");
}

#[test]
fn a_plan_is_reviewed_and_applied() {
    let github = github();
    let planned = github.job().on(github.comment(7, "alice", "/plan")).ci(["run"]).exits(0);
    assert_eq!(github.row(7, "plan-platform"), "success: wants platform as on work", "{planned:#?}");
    let refused = github.job().on(github.comment(7, "alice", "/apply")).ci(["run"]).exits(4);
    assert!(refused.stderr.contains("approvals"), "{refused:#?}");
    github.state(|state| state.approve(7, "bob"));
    github.job().on(github.comment(7, "alice", "/apply")).ci(["run"]).exits(0);
    assert_eq!(github.row(7, "apply"), "success: 4 of 4 layers");
    let applied = std::fs::read_to_string(github.folder().join("applied-platform")).unwrap();
    assert_eq!(applied, "platform as on work\n");
    let summary = std::fs::read_to_string(Job::summary(&github)).unwrap();
    assert!(summary.contains("4 of 4 layers"), "{summary}");
}

/// Requests and round trips of what is done over and over, however many comments there are.
#[test]
fn it_costs_what_it_may() {
    std::thread::scope(|threads| {
        for others in [0, 120, 1_000] {
            threads.spawn(move || costs_with(others));
        }
    });
}

fn costs_with(others: usize) {
    let github = github();
    github.job().ci(["init", "--pr", "7"]).exits(0);
    github.state(|state| (0..others).for_each(|at| drop(state.comment_as("alice", 7, &format!("comment {at}")))));
    // Long enough that what is sent side by side is seen to be, on a busy machine too.
    github.latency(Duration::from_millis(200));
    github.take_log();

    let report = ["update", "--pr", "7", "--stage", "lint", "--status", "success"];
    github.job().on(github.pull_event(7, "opened")).ci(report).exits(0);
    let log = github.take_log();
    let declared = 1;
    // What is sent side by side needs a second one; no request needs one of its own.
    assert!(log.connections() <= 2, "{:#?}", log.lines());
    assert_eq!((log.requests(), log.round_trips()), (5 + declared, 4 + declared), "{:#?}", log.lines());

    // Work that takes longer than a round trip, as all does.
    github.job().on(github.comment(7, "alice", "/plan")).env("WORK", "1").ci(["run"]).exits(0);
    let log = github.take_log();
    let (before, after) = around_the_work(&github, &log);
    assert!(before <= 4 && after <= 4, "{before} before and {after} after the work: {:#?}", log.lines());

    github.job().on(github.comment(7, "alice", "I would not /plan this")).ci(["run"]).exits(0);
    assert_eq!(github.take_log().requests(), 0);
}

/// The round trips before the first step began and after the last one ended.
fn around_the_work(github: &GitHub, log: &Log) -> (usize, usize) {
    let at = |file: &str| std::fs::metadata(github.folder().join(file)).unwrap().modified().unwrap();
    (log.until(at("begun-bootstrap")).round_trips(), log.from(at("ended-data-prod")).round_trips())
}
