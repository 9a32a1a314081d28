//! What is done apart: by other workflows, by jobs side by side, and for layers that no file tells of.

use crate::github_trouble::wait_for;
use crate::place::{GitHub, Local, Place, ran};
use crate::repeated::APPLY;

/// A plan that other work does, which says `skipped` where it finds nothing to do.
const ELSEWHERE: &str = r#"
version = 1

[layers.a]
dir = "a"

[layers.b]
dir = "b"

[stages.plan]
name = "Plan: {{ layer }}"
each = "layer"

[stages.apply]
name  = "Apply"
after = ["plan"]

[commands.plan]
pattern = '/plan'

[commands.apply]
pattern     = '/apply(\s+(?<layers>.+))?'
args.layers = { type = "layers", default = "planned" }

[gates.apply]
planned = "plan"

[[rules]]
command = "plan"
gate    = "anyone"
run     = "plan"

[[rules]]
command = "apply"
gate    = "apply"
run     = "apply"

[handlers.plan]
stage    = "plan"
each     = "layer"
PLAN

[handlers.apply]
stage = "apply"
each  = "layer"
steps = [{ run = ["true"] }]
"#;

/// What the dashboard says, step by step, to whoever does it: `/plan` finds nothing again.
#[track_caller]
fn comes_to_ready(place: &GitHub, mut plans: impl FnMut()) {
    let mut said = Vec::new();
    while place.board(7)["next"]["kind"] != "ready" {
        let next = place.board(7)["next"].clone();
        said.push((place.row(7, "plan-a"), place.row(7, "apply"), next["text"].as_str().unwrap().to_owned()));
        assert!(said.len() < 6, "it goes round and round: {said:#?}");
        match next["command"].as_str().unwrap() {
            "/plan" => plans(),
            other => said.last_mut().unwrap().2.push_str(&place.says(other).stderr),
        }
    }
}

#[test]
fn what_a_dispatched_plan_finds_nothing_for_has_nothing_to_apply() {
    let place =
        GitHub::with(&ELSEWHERE.replace("PLAN", "dispatch = \"plan.yml\"\ninputs   = { layer = \"{{ layer }}\" }"));
    let plans = || {
        place.says("/plan").exits(0);
        let open = |state: &mut crate::github::State| -> Vec<(u64, String)> {
            let open = state.runs.values().filter(|run| run.workflow == "plan.yml" && run.conclusion.is_none());
            open.map(|run| (run.id, run.inputs["layer"].as_str().unwrap().to_owned())).collect()
        };
        for (run, layer) in place.state(open) {
            let row = format!("plan-{layer}");
            let report = ["update", "--pr", "7", "--stage", &row, "--status", "skipped", "--note", "no changes"];
            place.job().run(run).ci(report).exits(0);
            place.state(|state| state.end_run(run, "success"));
        }
    };
    plans();
    assert_eq!(place.row(7, "plan-a"), "skipped: no changes");
    comes_to_ready(&place, plans);
}

#[test]
fn what_a_delegated_plan_finds_nothing_for_once_it_runs_has_nothing_to_apply() {
    let place = GitHub::with(&ELSEWHERE.replace("PLAN", "delegate = \"digger\""));
    let plans = |status: &str| place.others_do("/plan", &[vec!["--stage", "plan", "--status", status]]);
    plans("failure");
    plans("skipped");
    comes_to_ready(&place, || plans("skipped"));
}

/// Two lines of one comment, for which a workflow fans out: one job of a matrix for each, side by side.
#[test]
fn what_ran_beside_an_apply_of_its_run_is_to_be_done_again() {
    let check = r#"steps = [{ run = ["true"] }]"#;
    let slow = r#"steps = [{ run = ["sh", "-c", "cat STORE/world > STORE/tested; until test -f STORE/go; do sleep 0.05; done"] }]"#;
    assert!(APPLY.contains(check));
    let place = GitHub::with(&APPLY.replace(check, slow));
    place.put("world", "x\n");
    place.says("/plan").exits(0);
    let event = place.comment(7, "alice", "/apply\n/check");
    std::fs::write(crate::github::Job::outputs(&place), "").unwrap();
    let parsed = place.job().on(event.clone()).command(["parse"]);
    let run = crate::place::run_of(&parsed);
    ran(parsed).exits(0);
    let outputs = std::fs::read_to_string(crate::github::Job::outputs(&place)).unwrap();
    let modes = outputs.lines().skip_while(|line| !line.starts_with("modes<<")).nth(1).unwrap();
    let modes: serde_json::Value = serde_json::from_str(modes).unwrap();
    let matrix = modes["run"]["matrix"]["include"].as_array().unwrap();
    let names: Vec<&str> = matrix.iter().map(|entry| entry["job"].as_str().unwrap()).collect();
    assert_eq!(names, ["apply/a", "check"]);
    let only = |name: &str| place.job().run(run).on(event.clone()).command(["run", "--only", name]);
    let mut checking = only("check").spawn().unwrap();
    wait_for(|| place.stored("tested").is_some_and(|tested| !tested.is_empty()));
    ran(only("apply/a")).exits(0);
    place.put("go", "");
    assert!(checking.wait().unwrap().success());
    place.state(|state| state.end_run(run, "success"));
    assert_eq!((place.stored("world").as_deref(), place.stored("tested").as_deref()), (Some(""), Some("x\n")));
    assert_ne!(place.board(7)["next"]["kind"], "ready", "checked before it was applied: {}", place.row(7, "check"));
}

/// Plans and checks what the files of a pull request change, and on command what else people name.
const NAMED: &str = r#"
version = 1

[layers.a]
dir = "a"

[layers.b]
dir = "b"

[stages.plan]
name = "Plan: {{ layer }}"
each = "layer"

[stages.apply]
name  = "Apply"
after = ["plan"]

[stages.check]
name  = "Check: {{ layer }}"
each  = "layer"
after = ["apply"]

[commands.plan]
pattern     = '/plan(\s+(?<layers>.+))?'
args.layers = { type = "layers", default = "all" }

[commands.apply]
pattern     = '/apply(\s+(?<layers>.+))?'
args.layers = { type = "layers", default = "planned" }

[commands.check]
pattern     = '/check(\s+(?<layers>.+))?'
args.layers = { type = "layers", default = "all" }

[[rules]]
on     = "pull_request"
layers = "changed"
run    = EVENT

[[rules]]
command = "plan"
gate    = "anyone"
run     = "plan"

[[rules]]
command = "apply"
gate    = "anyone"
run     = "apply"

[[rules]]
command = "check"
gate    = "anyone"
run     = "check"

[handlers.plan]
stage  = "plan"
each   = "layer"
record = { changes = "changes" }
steps  = [{ run = ["sh", "-c", "cat STORE/{{ layer }}"], capture = "changes" }, { run = ["grep", "-q", "x", "STORE/{{ layer }}"], ok = [0, 1], changed = [0] }]

[handlers.apply]
stage = "apply"
each  = "layer"
LOCK
steps = [
  { run = ["cat", "STORE/{{ layer }}"], capture = "changes", matches = "plan" },
  { run = ["sh", "-c", "printf '' > STORE/{{ layer }}"] },
]

[handlers.check]
stage = "check"
each  = "layer"
steps = [{ run = ["touch", "STORE/checked-{{ layer }}"] }]
"#;

/// A pull request that touches `a` alone, where `b` is to be applied all the same, since it drifted.
fn of_a_alone(event: &str, lock: &str) -> Local {
    let place = Local::with(&NAMED.replace("EVENT", event).replace("LOCK", lock));
    place.put("a", "");
    place.put("b", "x\n");
    place.push(7, "a/main.tf", "words\n");
    place.run(place.of_pull(7, "synchronize")).exits(0);
    place
}

#[test]
fn what_was_applied_is_checked_though_the_files_of_its_layer_did_not_change() {
    let place = of_a_alone(r#"["plan", "check"]"#, "");
    place.says("/plan b").exits(0);
    place.says("/apply b").exits(0);
    assert_eq!(place.stored("b").as_deref(), Some(""));
    place.run(place.of_pull(7, "reopened")).exits(0);
    let rows = ["plan-b", "apply", "check-a", "check-b"].map(|row| place.row(row));
    assert_eq!(place.stored("checked-b"), None);
    assert_ne!(place.board(7)["next"]["kind"], "ready", "applied, never checked: {rows:?}");
}

#[test]
fn what_was_found_is_applied_though_the_files_of_its_layer_did_not_change() {
    for lock in ["", "lock = true"] {
        let place = of_a_alone(r#"["plan", "apply", "check"]"#, lock);
        place.says("/plan b").exits(0);
        let before = place.board(7)["next"]["text"].clone();
        place.run(place.of_pull(7, "labeled")).exits(0);
        let rows = ["plan-a", "plan-b", "apply", "check-a", "check-b"].map(|row| place.row(row));
        assert_ne!(place.board(7)["next"]["kind"], "ready", "{before}, never applied: {rows:?}");
    }
}

/// A workflow of its own plans each pull request, and `ci` hears of it by `ci update` alone.
#[test]
fn what_a_plan_that_is_only_reported_finds_nothing_for_has_nothing_to_apply() {
    let plan = "[handlers.plan]\nstage    = \"plan\"\neach     = \"layer\"\nPLAN\n";
    let command = "[commands.plan]\npattern = '/plan'\n";
    let rule = "[[rules]]\ncommand = \"plan\"\ngate    = \"anyone\"\nrun     = \"plan\"\n";
    for part in [plan, command, rule] {
        assert!(ELSEWHERE.contains(part), "{part}");
    }
    let config = ELSEWHERE.replace(plan, "").replace(command, "").replace(rule, "");
    for before in [None, Some("failure"), Some("success")] {
        let place = GitHub::with(&config);
        place.ci(&["check-config"]).exits(0);
        let sha = place.head(7);
        for status in before.into_iter().chain(["skipped"]) {
            let report = ["update", "--pr", "7", "--sha", &sha, "--stage", "plan", "--status", status];
            place.ci(&report).exits(0);
        }
        let next = place.board(7)["next"].clone();
        let said = next["command"].as_str().map(|line| place.says(line).stderr);
        let rows = ["plan-a", "plan-b", "apply"].map(|row| place.row(7, row));
        assert_eq!(place.board(7)["next"]["kind"], "ready", "{before:?}, {rows:?}: {} {said:?}", next["text"]);
    }
}

/// The files are linted before they are planned, and a workflow of its own plans.
#[test]
fn what_a_plan_after_a_lint_finds_nothing_for_has_nothing_to_apply() {
    for lint in [false, true] {
        let mut config = ELSEWHERE.replace("PLAN", "delegate = \"digger\"");
        if lint {
            config = config
                .replace("[stages.plan]\n", "[stages.lint]\noptional = true\n\n[stages.plan]\nafter = [\"lint\"]\n");
        }
        let place = GitHub::with(&config);
        place.ci(&["check-config"]).exits(0);
        if lint {
            place.ci(&["update", "--pr", "7", "--stage", "lint", "--status", "success"]).exits(0);
        }
        for status in ["failure", "skipped"] {
            place.others_do("/plan", &[vec!["--stage", "plan", "--status", status]]);
        }
        let next = place.board(7)["next"].clone();
        let rows = ["plan-a", "plan-b", "apply"].map(|row| place.row(7, row));
        let said = next["command"].as_str().map(|line| place.says(line).stderr);
        assert_eq!(next["kind"], "ready", "lint {lint}: {rows:?}: {} {said:?}", next["text"]);
    }
}

/// A team that plans nothing: a workflow of its own deploys, and the tests ask that it was deployed.
#[test]
fn what_was_deployed_first_is_tested_though_a_gate_asks_for_it() {
    for how in ["delegate = \"deployer\"", "dispatch = \"deploy.yml\""] {
        for gate in ["", "planned = \"deploy\""] {
            let place = GitHub::with(&format!(
                r#"
version = 1

[layers.a]
dir = "a"

[stages.deploy]

[stages.e2e]
after = ["deploy"]

[commands.deploy]
pattern = '/deploy'

[commands.e2e]
pattern = '/e2e'

[gates.e2e]
permission = "write"
{gate}

[[rules]]
command = "deploy"
gate    = "anyone"
run     = "deploy"

[[rules]]
command = "e2e"
gate    = "e2e"
run     = "e2e"

[handlers.deploy]
stage = "deploy"
{how}

[handlers.e2e]
stage = "e2e"
steps = [{{ run = ["true"] }}]
"#
            ));
            place.ci(&["check-config"]).exits(0);
            for status in ["success", "skipped"] {
                let job = Place::comment(&place, 7, "alice", "/deploy");
                let run = crate::place::run_of(&job);
                ran(job).exits(0);
                let open: Vec<u64> = place.state(|state| {
                    let open =
                        state.runs.values().filter(|run| run.workflow == "deploy.yml" && run.conclusion.is_none());
                    open.map(|run| run.id).collect()
                });
                let run = open.first().copied().unwrap_or(run);
                place.job().run(run).ci(["update", "--pr", "7", "--stage", "deploy", "--status", status]).exits(0);
                place.state(|state| state.end_run(run, "success"));
            }
            let next = place.board(7)["next"].clone();
            let rows = ["deploy", "e2e"].map(|row| place.row(7, row));
            assert_ne!(next["kind"], "ready", "deployed, never tested: {how} {gate}: {rows:?}");
        }
    }
}

/// A plan that others do says itself whether it found something: then an apply that failed before has nothing left to do, and
/// may be done all the same.
#[test]
fn what_others_report_says_whether_there_is_something_to_follow() {
    let place = GitHub::with(&ELSEWHERE.replace("PLAN", "delegate = \"digger\""));
    let plans = |changes: &str| {
        place.others_do("/plan", &[vec!["--stage", "plan", "--status", "success", "--changes", changes]]);
    };
    plans("false");
    assert_eq!(place.row(7, "apply"), "skipped: nothing to apply");
    plans("true");
    assert_eq!(place.row(7, "apply"), "pending: ");
    place.ci(&["update", "--pr", "7", "--stage", "apply", "--status", "failure"]).exits(0);
    plans("false");
    comes_to_ready(&place, || plans("false"));
    // A job that did not run since another failed is skipped, too.
    plans("true");
    let skipped = ["update", "--pr", "7", "--stage", "apply", "--status", "skipped"];
    place.ci(&skipped).exits(0);
    assert_eq!(place.row(7, "apply"), "pending: skipped, though changes were found");
    place.ci(&[&skipped[..], &["--changes", "false"]].concat()).exits(0);
    assert_eq!(place.board(7)["next"]["kind"], "ready");
}
