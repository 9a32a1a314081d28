//! Work that another job of the workflow does: `ci run` sets its rows running, `ci update` says how it ended.

use std::collections::HashSet;

use crate::github::{GitHub, Job};
use crate::place::{Place, on_both, ran};
use crate::project::Project;

const CONFIG: &str = r#"
version = 1

[[rules]]
on  = "push"
if  = "event.ref == 'refs/heads/other'"
run = "plan"

[layers.low]
dir = "low"

[layers.high]
dir   = "high"
after = ["low"]

[stages.plan]
name = "Plan: {{ layer }}"
each = "layer"

[commands.plan]
pattern     = '/plan(\s+(?<layers>.+))?'
args.layers = { type = "layers", default = "all" }

[[rules]]
command = "plan"
gate    = "anyone"
run     = "plan"

[handlers.plan]
each     = "layer"
stage    = "plan"
delegate = "digger"
"#;

fn rows_run_until_they_are_reported<P: Place>() {
    let place = P::with(CONFIG);
    // The run goes on: the job that does the work is one of its jobs.
    ran(place.comment(7, "alice", "/plan")).exits(0);
    // Which layer comes first is for whoever does the work.
    assert_eq!(place.row("plan-low"), "running: ");
    assert_eq!(place.row("plan-high"), "running: ");
    // Nobody knows of an end of it before.
    let synced = place.ci(&["sync", "--pr", "7"]).exits(0);
    assert!(synced.stdout.contains("all is true already"), "{}", synced.stdout);
    place.ci(&["update", "--pr", "7", "--stage", "plan", "--status", "success"]).exits(0);
    let synced = place.ci(&["sync", "--pr", "7"]).exits(0);
    assert!(synced.stdout.contains("all is true already"), "{}", synced.stdout);
    for row in ["plan-low", "plan-high"] {
        assert!(place.row(row).starts_with("success: "), "{}", place.row(row));
    }
}

on_both!(rows_run_until_they_are_reported, each_job_of_the_matrix_is_run_alone_whichever_line_it_comes_from);

/// A workflow that fans out names one job to each runner.
fn each_job_of_the_matrix_is_run_alone_whichever_line_it_comes_from<P: Place>() {
    let place = P::with(&CONFIG.replace("delegate = \"digger\"", "steps    = [{ run = [\"true\"] }]"));
    let alone = |job: &str| {
        let mut command = place.comment(7, "alice", "/plan low\n/plan high");
        command.args(["--only", job]);
        place.run(command)
    };
    for row in ["high", "low"] {
        alone(&format!("plan/{row}")).exits(0);
        assert_eq!(place.row(&format!("plan-{row}")), "success: ");
    }
    // What matches no rule has no job, which is no mistake.
    let mut pushed = place.pushed_to_main();
    pushed.args(["--only", "plan/low"]);
    place.run(pushed).exits(0);
    let told = alone("plan/middle").exits(2);
    assert!(told.stderr.contains("there is no job `plan/middle`"), "{told:#?}");
}

const TWO: &str = r#"
version = 1

[stages.plan]
name = "Plan"
[stages.format]
name = "Format"
[stages.lint]
name = "Lint"

[commands.plan]
pattern = "/plan"
[commands.check]
pattern   = '/check(\s+(?<what>fast|all))?'
args.what = { default = "all" }

[[rules]]
command = "plan"
gate    = "anyone"
run     = "plan"
[[rules]]
command = "check"
gate    = "anyone"
run     = ["lint", "format"]

[handlers.plan]
stage = "plan"
steps = [{ run = ["false"] }]

[handlers.lint]
stage = "lint"
steps = [{ run = ["sh", "-c", "${LINT:-true}"] }]

[handlers.format]
stage    = "format"
delegate = "format"
"#;

/// The modes that a job tells those after it.
fn modes(github: &GitHub, text: &str, (lint, code): (&str, i32)) -> Vec<String> {
    let job = github.job().on(github.comment(7, "alice", text)).env("LINT", lint).env("CI_RETRY_BUDGET", "1");
    told(&job, text, code)
}

/// The modes that this job, which a comment starts, tells those after it.
fn told(job: &Job<'_>, text: &str, code: i32) -> Vec<String> {
    let outputs = Job::outputs(job.github());
    std::fs::write(&outputs, "").unwrap();
    job.ci(["run"]).exits(code);
    let written = std::fs::read_to_string(&outputs).unwrap();
    let modes = written.lines().skip_while(|line| !line.starts_with("modes")).nth(1).unwrap();
    let modes: serde_json::Value = serde_json::from_str(modes).unwrap();
    if let Some(run) = modes.get("run") {
        // `ci run --only` does a job for all lines that ask for it.
        let names: Vec<&str> =
            run["matrix"]["include"].as_array().unwrap().iter().map(|job| job["job"].as_str().unwrap()).collect();
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len(), "{run}");
    }
    if let Some(format) = modes.get("format") {
        assert_eq!(format["stages"], "format");
        let asked: Vec<&serde_json::Value> =
            format["matrix"]["include"].as_array().unwrap().iter().map(|job| &job["args"]["what"]).collect();
        let mut wanted: Vec<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix("/check"))
            .map(|what| if what.is_empty() { "all" } else { what.trim() })
            .collect();
        // What is asked for twice is done once.
        wanted.dedup();
        assert_eq!(asked, wanted, "{text}");
    }
    modes.as_object().unwrap().keys().cloned().collect()
}

#[test]
fn each_job_hears_of_its_work_whichever_line_and_handler_it_is() {
    let github = GitHub::start(TWO);
    github.commit("work", "wanted", "something");
    assert_eq!(modes(&github, "/check", ("true", 0)), ["run", "format"]);
    // What came before it has failed, and still its row runs.
    assert_eq!(modes(&github, "/plan\n/check", ("true", 1)), ["run", "format"]);
    assert_eq!(github.row(7, "format"), "running: ");
    assert_eq!(modes(&github, "/plan", ("true", 1)), ["run"]);
    assert_eq!(modes(&github, "/check\n/check fast", ("true", 0)), ["run", "format"]);
    assert_eq!(modes(&github, "/check fast\n/check fast", ("true", 0)), ["run", "format"]);
    assert!(modes(&github, "/check it", ("true", 4)).is_empty());
}

#[test]
fn what_is_left_to_others_is_told_although_the_summary_cannot_be_written() {
    let github = GitHub::start(TWO);
    github.commit("work", "wanted", "something");
    let missing = github.folder().join("missing/summary.md");
    let job =
        github.job().on(github.comment(7, "alice", "/check")).env("GITHUB_STEP_SUMMARY", missing.to_str().unwrap());
    assert_eq!(told(&job, "/check", 1), ["run", "format"]);
    assert_eq!(github.row(7, "format"), "running: ");
}

#[test]
fn no_job_hears_of_work_that_was_not_got_to() {
    let github = GitHub::start(TWO);
    github.commit("work", "wanted", "something");
    // What comes before it did not succeed.
    assert_eq!(modes(&github, "/check", ("false", 1)), ["run"]);
    assert_eq!(github.row(7, "format"), "dropped: after lint failed");
    assert_eq!(modes(&github, "/check", ("true", 0)), ["run", "format"]);
    // Nothing is begun that the dashboard could not be kept of.
    github.down_after("POST /repos/acme/infra/statuses/");
    assert!(modes(&github, "/check", ("true", 3)).is_empty());
}

#[test]
fn what_waits_names_the_work_of_its_own_layer() {
    let before = "[handlers.lint]\neach = \"layer\"\ndelegate = \"lint\"\n";
    let own = CONFIG.replace("delegate = \"digger\"", "steps    = [{ run = [\"true\"] }]");
    let project = Project::with(&(own.replace("run     = \"plan\"", "run     = [\"lint\", \"plan\"]") + before));
    let checked = project.ci(["check-config"]).exits(0);
    assert!(checked.stdout.contains("warning[unreachable-handler]"), "{}", checked.stdout);
    let explained = project.ci(["explain", "--comment", "/plan"]).exits(0).stdout;
    assert!(explained.contains("plan/high → row plan-high, after lint/low, lint/high, plan/low\n"), "{explained}");
    let told = project.ci(["try", "/plan"]).stderr;
    for layer in ["low", "high"] {
        assert!(
            told.contains(&format!("plan/{layer}: lint/{layer} is still to end: ask for this by itself then\n")),
            "{told}"
        );
    }
}

const REPORTED: &str = r#"
version = 1

[stages.e2e]
name = "E2E Tests"

[[rules]]
on  = "workflow_run"
run = "reported"

[handlers.reported]
stage  = "e2e"
report = "{{ event.workflow_run.conclusion }}"
sha    = "{{ event.workflow_run.head_sha }}"
"#;

/// Pull request 7 as the local forge keeps it.
fn pull_at(sha: &str) -> String {
    format!(r#"{{"number":7,"head_sha":"{sha}","head_ref":"work","base_ref":"main","author":"alice"}}"#)
}

#[test]
fn who_only_tells_of_a_failure_has_not_failed() {
    let project = Project::with(REPORTED);
    let sha = "1".repeat(40);
    project.write(".ci/forge/pulls/7.json", &pull_at(&sha));
    project.ci(["update", "--pr", "7", "--stage", "e2e", "--status", "running", "--sha", &sha]).exits(0);
    let run = format!(r#"{{"action":"completed","workflow_run":{{"conclusion":"failure","head_sha":"{sha}"}}}}"#);
    project.write("workflow_run.json", &run);
    project.ci(["run", "--event", "workflow_run.json"]).exits(0);
    let shown = project.ci(["show", "--pr", "7", "--sha", &sha, "--format", "json"]).exits(0);
    let board: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!(board["rows"][0]["status"], "failure");
}

/// Who reports of what an event was about does not say what the pull request is now.
#[test]
fn a_report_of_an_older_event_leaves_the_pull_request_as_it_is() {
    let project = Project::with(REPORTED);
    let new = pull_at(&"2".repeat(40));
    project.write(".ci/forge/pulls/7.json", &new);
    let event = serde_json::json!({ "action": "opened", "number": 7, "pull_request": {
        "number": 7, "state": "open", "user": { "login": "alice" },
        "head": { "sha": "1".repeat(40), "ref": "work", "repo": { "full_name": "acme/infra" } },
        "base": { "ref": "main", "repo": { "full_name": "acme/infra" } },
    } });
    project.write("event.json", &event.to_string());
    let mut command = project.command();
    command.args(["update", "--pr", "7", "--stage", "e2e", "--status", "running"]);
    command.env("GITHUB_EVENT_NAME", "pull_request").env("GITHUB_EVENT_PATH", project.path().join("event.json"));
    ran(command).exits(0);
    assert_eq!(project.read(".ci/forge/pulls/7.json"), new);
}
