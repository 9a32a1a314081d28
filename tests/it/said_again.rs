//! What a run says once more: a job reports what came of its work, and at its end, or at the end of its run, that it succeeded.

use crate::place::{GitHub, Local, Place};

/// Other jobs plan and apply.
const OF_OTHERS: &str = r#"
version = 1

[stages.plan]

[stages.apply]
after = ["plan"]
READ_ONLY

[stages.e2e]
after = ["apply"]

[commands.plan]
pattern = '/plan'

[commands.apply]
pattern = '/apply'

[commands.e2e]
pattern = '/e2e'

[[rules]]
command = "plan"
gate    = "anyone"
run     = "plan"

[[rules]]
command = "apply"
gate    = "anyone"
run     = "apply"

[[rules]]
command = "e2e"
gate    = "anyone"
run     = "e2e"

[[rules]]
on  = "workflow_run"
if  = "event.workflow_run.path == '.github/workflows/plan.yml'"
run = "plan-reported"

[[rules]]
on  = "workflow_run"
if  = "event.workflow_run.path == '.github/workflows/apply.yml'"
run = "apply-reported"

[handlers.plan]
stage = "plan"
PLAN

[handlers.plan-reported]
stage  = "plan"
report = "{{ event.workflow_run.conclusion }}"
sha    = "{{ event.workflow_run.head_sha }}"

[handlers.apply]
stage = "apply"
APPLY

[handlers.apply-reported]
stage  = "apply"
report = "{{ event.workflow_run.conclusion }}"
sha    = "{{ event.workflow_run.head_sha }}"

[handlers.e2e]
stage = "e2e"
steps = [{ run = ["true"] }]
"#;

fn dispatched(read_only: &str) -> String {
    let config = OF_OTHERS.replace("READ_ONLY", read_only);
    config.replace("\nPLAN", "\ndispatch = \"plan.yml\"").replace("\nAPPLY", "\ndispatch = \"apply.yml\"")
}

fn delegated(layers: &str) -> String {
    let config = OF_OTHERS.replace("READ_ONLY", layers).replace("\nPLAN", "\ndelegate = \"digger\"");
    config.replace("\nAPPLY", "\nsteps = [{ run = [\"true\"] }]")
}

/// A command starts a workflow, whose jobs report by `ci update`; at its end a rule reports its conclusion.
fn runs(place: &GitHub, line: &str, reports: &[&[&str]]) {
    place.says(line).exits(0);
    let started = |state: &mut crate::github::State| {
        state.runs.values().filter(|run| run.conclusion.is_none()).map(|run| run.id).max().unwrap()
    };
    let run = place.state(started);
    for report in reports {
        place.job().run(run).ci([&["update", "--pr", "7"], *report].concat()).exits(0);
    }
    let event = place.run_ends(run, "success");
    place.job().on(event).ci(["run"]).exits(0);
}

/// `/plan` is done by another job of the same run, which reports so.
fn plans(place: &GitHub, reports: &[&[&'static str]]) {
    let of = |report: &&[&'static str]| [&["--stage", "plan", "--status", "success"], *report].concat();
    place.others_do("/plan", &reports.iter().map(of).collect::<Vec<_>>());
}

#[test]
fn what_a_job_found_is_known_though_it_says_how_it_ended() {
    let place = GitHub::with(&delegated(""));
    plans(&place, &[&["--changes", "false"], &[]]);
    assert_eq!(place.row(7, "apply"), "skipped: nothing to apply");
    plans(&place, &[&["--changes", "true"], &[]]);
    place.says("/apply").exits(0);
    plans(&place, &[&["--changes", "true"], &[]]);
    assert_eq!(place.row(7, "apply"), "pending: changes were found since");
}

#[test]
fn what_a_job_found_of_each_layer_is_known_though_it_says_how_it_ended() {
    let place = GitHub::with(&delegated("\n[layers.a]\ndir = \"a\"\n\n[layers.b]\ndir = \"b\""));
    let found: [&[&str]; 3] = [&["--layer", "a", "--changes", "true"], &["--layer", "b", "--changes", "false"], &[]];
    plans(&place, &found);
    place.says("/apply").exits(0);
    plans(&place, &found);
    assert_eq!(place.row(7, "apply"), "pending: changes were found since");
}

#[test]
fn what_a_workflow_found_is_known_though_its_end_is_reported() {
    let place = GitHub::with(&dispatched(""));
    place.ci(&["check-config"]).exits(0);
    let found = |changes| ["--stage", "plan", "--status", "success", "--changes", changes];
    runs(&place, "/plan", &[&found("false")]);
    assert_eq!(place.row(7, "apply"), "skipped: nothing to apply");
    runs(&place, "/plan", &[&found("true")]);
    assert_eq!(place.row(7, "apply"), "pending: ");
}

/// One workflow applies and then tests, and says so of each.
#[test]
fn what_a_workflow_applied_and_tested_is_not_to_be_tested_again_since_its_end_is_reported() {
    for read_only in ["", "read-only = false"] {
        let place = GitHub::with(&dispatched(read_only));
        runs(&place, "/plan", &[]);
        let of = |stage, status| ["--stage", stage, "--status", status];
        runs(&place, "/apply", &[&of("apply", "success"), &of("e2e", "running"), &of("e2e", "success")]);
        let rows = ["plan", "apply", "e2e"].map(|row| place.row(7, row));
        assert_eq!(place.board(7)["next"]["kind"], "ready", "{read_only:?} {rows:?}");
        runs(&place, "/apply", &[]);
        assert_eq!(place.row(7, "e2e"), "pending: changes were made since");
    }
}

/// `/apply` says nothing of what it does, and follows what was found anew.
#[test]
fn what_was_applied_anew_is_tested_anew_though_nothing_says_what_an_apply_does() {
    let record =
        "record = { changes = \"changes\" }\nsteps = [{ run = [\"cat\", \"STORE/world\"], capture = \"changes\" }]";
    let config = delegated("").replace("delegate = \"digger\"", record);
    let place = Local::with(&config);
    place.put("world", "x\n");
    for line in ["/plan", "/apply", "/e2e"] {
        place.says(line).exits(0);
    }
    assert_eq!(place.board(7)["next"]["kind"], "ready");
    place.put("world", "y\n");
    for line in ["/plan", "/apply"] {
        place.says(line).exits(0);
    }
    assert_eq!(place.row("e2e"), "pending: changes were made since");
}

/// Others apply what was found; asked once more they have nothing left to do, and say `skipped`.
#[test]
fn what_others_applied_is_done_though_they_skip_it_once_more() {
    for read_only in ["", "read-only = false"] {
        let config = dispatched(read_only).replace("dispatch = \"plan.yml\"", "delegate = \"digger\"");
        let place = GitHub::with(&config.replace("dispatch = \"apply.yml\"", "delegate = \"digger\""));
        let does = |line: &str, report: &[&str]| place.others_do(line, &[[&["--stage", &line[1..]], report].concat()]);
        does("/plan", &["--status", "success", "--changes", "true"]);
        does("/apply", &["--status", "success"]);
        place.says("/e2e").exits(0);
        assert_eq!(place.board(7)["next"]["kind"], "ready");
        does("/apply", &["--status", "skipped"]);
        let rows = ["plan", "apply", "e2e"].map(|row| place.row(7, row));
        assert_eq!(place.board(7)["next"]["kind"], "ready", "{read_only:?} {rows:?}");
    }
}

/// The jobs of a matrix report to one row, one after the other: one found changes, the next none.
#[test]
fn what_one_job_of_a_run_found_is_not_taken_back_by_another() {
    let place = GitHub::with(&delegated(""));
    plans(&place, &[&["--changes", "true"], &["--changes", "false"]]);
    assert_eq!(place.row(7, "apply"), "pending: ");
}

#[test]
fn what_goes_on_has_changed_nothing_yet() {
    let place = GitHub::with(&delegated(""));
    for (status, changes) in [("success", "some"), ("running", "false"), ("pending", "true"), ("skipped", "true")] {
        let report = ["update", "--pr", "7", "--stage", "plan", "--status", status, "--changes", changes];
        let wrong = place.ci(&report).exits(2);
        let remedy = if changes == "some" { "possible values: true, false" } else { "help: " };
        assert!(wrong.stderr.contains(remedy), "{status} {changes}: {}", wrong.stderr);
    }
}
