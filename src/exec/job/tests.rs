//! Whole handlers with real processes.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::Duration;

use serde_json::json;

use super::{Outcome, PLAN_STALE};
use crate::exec::Escalation;
use crate::exec::fixture::{World, condition, handler, sh, step, template};
use crate::model::board::Status;
use crate::model::rules::{Handler, Step};
use crate::model::span::At;
use crate::terraform;

fn failed(outcome: &Outcome) -> &str {
    assert_eq!(outcome.status, Status::Failure, "{outcome:?}");
    &outcome.note
}

#[test]
fn a_plan_becomes_note_digest_output_and_link() {
    let world = World::new();
    let mut plan = handler(vec![
        Step { ok: vec![0, 2], changed: vec![2], output: true, ..sh("echo out; echo err >&2; exit 2") },
        Step { capture: Some("plan".to_owned()), quiet: true, ..sh(r#"echo '{"add": 2}'"#) },
        Step { condition: Some(condition("plan.add == 0")), ..sh("echo never; exit 1") },
        Step { env: [("ADD".to_owned(), template("{{ plan.add }}"))].into(), ..sh("echo adds $ADD") },
    ]);
    plan.note = Some(template("{{ plan.add }} to add"));
    plan.link = Some(template("https://example.com/{{ plan.add }}"));
    plan.record = Some("plan".to_owned());
    let outcome = world.run(&plan);
    assert_eq!((outcome.status, outcome.note.as_str()), (Status::Success, "2 to add"));
    assert_eq!(outcome.digest, Some(terraform::digest(&json!({"add": 2})).hex));
    assert_eq!((outcome.changes, outcome.changed), (Some(true), true));
    assert_eq!(outcome.captures["plan"], json!({"add": 2}));
    assert_eq!(outcome.link.as_deref(), Some("https://example.com/2"));
    let mut output: Vec<&str> = outcome.output.as_deref().unwrap().lines().collect();
    output.sort_unstable();
    assert_eq!(output, ["err", "out"]);
    let lines = world.lines();
    assert_eq!(lines.first().unwrap(), "platform > sh -c echo out; echo err >&2; exit 2");
    assert_eq!(lines[lines.len() - 2..], ["platform | adds 2".to_owned(), "platform <".to_owned()]);
    assert!(!lines.iter().any(|line| line.contains("add\"")), "quiet means quiet: {lines:?}");
}

#[test]
fn a_note_that_cannot_be_rendered_does_not_undo_the_work() {
    let mut plan = handler(vec![sh(":")]);
    plan.note = Some(template("{{ missing.name }}"));
    let outcome = World::new().run(&plan);
    assert_eq!(outcome.status, Status::Success);
    assert!(outcome.note.contains("cannot evaluate `{{ missing.name }}`"), "{}", outcome.note);
}

#[test]
fn a_failure_says_which_step_and_why_and_ends_the_rest() {
    let world = World::new();
    let steps =
        vec![sh("echo 'warming up' >&2; echo 'Error: no such bucket' >&2; echo ╵ >&2; exit 1"), sh("echo next")];
    assert_eq!(failed(&world.run(&handler(steps))), "`sh` exited with 1: Error: no such bucket");
    assert!(!world.lines().contains(&"platform | next".to_owned()));
    assert_eq!(failed(&world.run(&handler(vec![sh("kill -KILL $$")]))), "`sh` was killed by SIGKILL");
    let note = "`no-such-tool plan` was not found: install it, or write the program's path in `run`";
    assert_eq!(failed(&world.run(&handler(vec![step(&["no-such-tool", "plan"])]))), note);
    fs::write(world.root.path().join("tool"), "").unwrap();
    let note = "`tool` cannot be executed: is its file executable?";
    assert_eq!(failed(&world.run(&handler(vec![step(&["./tool"])]))), note);
}

#[test]
fn what_a_failed_step_printed_is_output() {
    let mut world = World::new();
    world.set("A_SECRET", "hunter2-secret");
    let planned = || Step { output: true, ..sh("echo planned") };
    let fails = || sh("echo before it; echo why hunter2-secret >&2; exit 1");
    let output = |steps| world.run(&handler(steps)).output;
    let printed = output(vec![sh("echo said nothing of note"), planned(), fails()]).unwrap();
    assert!(printed.starts_with("planned\n") && printed.contains("before it\n"), "{printed}");
    assert!(printed.contains("why ***\n") && !printed.contains("of note"), "{printed}");
    assert_eq!(output(vec![Step { quiet: true, ..fails() }]), None);
    assert_eq!(output(vec![sh("echo went well")]), None);
}

#[test]
fn time_outs_say_whose() {
    let mut world = World::new();
    world.grace.timed_out = Escalation { interrupt: Duration::ZERO, terminate: Duration::ZERO };
    let slow = Step { timeout: Some(Duration::from_millis(20)), ..sh("trap '' INT TERM; sleep 600") };
    let note = "`sh` was stopped: it took longer than its `timeout` of 20ms";
    assert_eq!(failed(&world.run(&handler(vec![slow]))), note);
    let whole = Handler { timeout: Duration::from_millis(20), ..handler(vec![sh("sleep 600")]) };
    assert_eq!(failed(&world.run(&whole)), "`sh` was stopped: the handler's `timeout` of 20ms was over");
}

#[test]
fn only_what_was_recorded_is_applied() {
    let mut world = World::new();
    let planned = terraform::digest(&json!({"add": 2})).hex;
    let capture = |text: &str| Step {
        capture: Some("plan".to_owned()),
        matches: Some(At::new("plan".to_owned(), 0..0)),
        ..sh(&format!("echo '{text}'"))
    };
    let apply = |text: &str| handler(vec![capture(text), sh("echo applied")]);

    let outcome = world.run(&apply(r#"{"add": 2}"#));
    assert_eq!(outcome.reason, Some(PLAN_STALE));
    assert!(
        failed(&outcome)
            .starts_with("plan-stale: `plan` recorded nothing to compare with for this commit: write `/plan platform`")
    );

    world.recorded = Some(planned);
    let outcome = world.run(&apply(r#"{"add": 3}"#));
    assert_eq!(outcome.reason, Some(PLAN_STALE));
    assert!(failed(&outcome).starts_with("plan-stale: what would change now is not what `plan` recorded"));
    assert!(!world.lines().contains(&"platform | applied".to_owned()));

    let outcome = world.run(&apply(r#"{"add": 2}"#));
    assert_eq!((outcome.status, outcome.reason), (Status::Success, None));
    assert!(world.lines().contains(&"platform | applied".to_owned()));
}

#[test]
fn what_ran_behind_the_first_of_two_comparisons_may_have_changed_something() {
    let mut world = World::new();
    world.recorded = Some(terraform::digest(&json!({"add": 2})).hex);
    let compared = |text: &str| Step {
        capture: Some("plan".to_owned()),
        matches: Some(At::new("plan".to_owned(), 0..0)),
        ..sh(&format!("echo '{text}'"))
    };
    let stale = compared(r#"{"add": 3}"#);
    let before = world.run(&handler(vec![stale.clone(), sh("echo applied")]));
    assert_eq!((before.reason, before.touched), (Some(PLAN_STALE), false));
    let between = world.run(&handler(vec![compared(r#"{"add": 2}"#), sh("echo applied"), stale]));
    assert_eq!((between.reason, between.touched), (Some(PLAN_STALE), true));
}

#[test]
fn a_plan_without_changes_is_done() {
    let world = World::new();
    let plan = r#"{"format_version": "1.2", "terraform_version": "1.11.0", "resource_changes": []}"#;
    assert!(!terraform::digest(&serde_json::from_str(plan).unwrap()).changes);
    let capture = Step {
        capture: Some("plan".to_owned()),
        matches: Some(At::new("plan".to_owned(), 0..0)),
        ..sh(&format!("echo '{plan}'"))
    };
    let outcome = world.run(&handler(vec![capture, sh("exit 1")]));
    assert_eq!((outcome.status, outcome.note.as_str()), (Status::Skipped, "nothing to apply"));
    assert_eq!(outcome.changes, Some(false));
}

#[test]
fn drift_is_a_failure() {
    let drift = Step { ok: vec![0, 2], changed: vec![2], ..sh("exit 2") };
    let verify = Handler { fail_on_changed: true, note: Some(template("1 to change")), ..handler(vec![drift]) };
    assert_eq!(failed(&World::new().run(&verify)), "changes found: 1 to change");
    let clean = Step { ok: vec![0, 2], changed: vec![2], ..sh(":") };
    let outcome = World::new().run(&Handler { fail_on_changed: true, ..handler(vec![clean]) });
    assert_eq!((outcome.status, outcome.changes), (Status::Success, Some(false)));
}

#[test]
fn steps_whose_if_does_not_hold_are_passed_over() {
    let never = Step { condition: Some(condition("args.missing == 'x'")), ..sh("exit 1") };
    let outcome = World::new().run(&handler(vec![never]));
    assert_eq!(outcome.status, Status::Skipped);
}

#[test]
fn all_that_is_missing_is_named_before_anything_runs() {
    let mut world = World::new();
    world.set("TF_VAR_a", "");
    world.set("TF_VAR_b", "set");
    let mut plan = handler(vec![sh("echo ran")]);
    plan.require_env = ["TF_VAR_a", "TF_VAR_b", "TF_VAR_c"].map(str::to_owned).to_vec();
    let expected =
        "`TF_VAR_a` and `TF_VAR_c` are not set: set them in the environment, it is in `require-env` of `apply`";
    assert_eq!(failed(&world.run(&plan)), expected);
    assert!(world.lines().is_empty());
}

#[test]
fn steps_see_neither_tokens_unless_they_say_so_nor_the_files_of_the_runner() {
    let mut world = World::new();
    let tokens = [
        "GITHUB_TOKEN",
        "GH_TOKEN",
        "CI_MEMBERS_TOKEN",
        "ACTIONS_RUNTIME_TOKEN",
        "ACTIONS_ID_TOKEN_REQUEST_URL",
        "GITHUB_OUTPUT",
        "GITHUB_ENV",
        "GITHUB_PATH",
        "GITHUB_STEP_SUMMARY",
    ];
    tokens.iter().for_each(|name| world.set(name, "1"));
    world.set("KEPT", "1");
    let seen = |step: Step| {
        let plan = handler(vec![Step { capture: Some("names".to_owned()), ..step }]);
        let names = world.run(&plan).captures["names"].as_str().unwrap().to_owned();
        let known = |line: &&str| tokens.iter().chain(&["KEPT", "OWN"]).any(|name| line.starts_with(name));
        let mut names: Vec<String> = names.lines().filter(known).map(str::to_owned).collect();
        names.sort();
        names.join(" ")
    };
    let env = || step(&["env"]);
    assert_eq!(seen(env()), "KEPT=1");
    assert_eq!(seen(Step { token: true, ..env() }), "GH_TOKEN=1 GITHUB_TOKEN=1 KEPT=1");
    assert_eq!(seen(Step { oidc: true, ..env() }), "ACTIONS_ID_TOKEN_REQUEST_URL=1 KEPT=1");
    assert_eq!(seen(Step { env: [("OWN".to_owned(), template("a b"))].into(), ..env() }), "KEPT=1 OWN=a b");
}

#[test]
fn values_never_become_code_or_control_characters() {
    let mut world = World::new();
    world.scope.set("args", json!({"name": "$(touch pwned); `id`", "bad": "a\u{0}b", "line": "a\nb"}));
    let outcome = world.run(&handler(vec![Step { output: true, ..step(&["echo", "{{ args.name }}"]) }]));
    assert_eq!(outcome.output.as_deref(), Some("$(touch pwned); `id`\n"));
    assert!(!world.root.path().join("pwned").exists());
    for bad in ["{{ args.bad }}", "{{ args.line }}"] {
        let outcome = world.run(&handler(vec![step(&["echo", bad])]));
        assert!(failed(&outcome).contains("control character"), "{}", outcome.note);
    }
    let env = Step { env: [("X".to_owned(), template("{{ args.bad }}"))].into(), ..sh(":") };
    assert!(failed(&world.run(&handler(vec![env]))).contains("`X` would hold the control character"));
}

#[test]
fn folders_and_programs_are_those_of_the_work_tree() {
    let world = World::new();
    let root = world.root.path();
    fs::create_dir_all(root.join("platform/deep")).unwrap();
    fs::write(root.join("platform/deep/tool"), "#!/bin/sh\npwd\n").unwrap();
    fs::set_permissions(root.join("platform/deep/tool"), fs::Permissions::from_mode(0o755)).unwrap();
    symlink("/", root.join("platform/out")).unwrap();
    let tool = Step { dir: Some(template("deep")), capture: Some("pwd".to_owned()), ..step(&["./tool"]) };
    let outcome = world.run(&Handler { dir: template("platform"), ..handler(vec![tool]) });
    assert_eq!(outcome.captures["pwd"], json!(root.canonicalize().unwrap().join("platform/deep")));
    for (dir, deeper) in [("..", "."), ("platform", "out"), ("platform/out/etc", "."), ("/etc", ".")] {
        let leaves = Step { dir: Some(template(deeper)), ..sh("echo escaped") };
        let outcome = world.run(&Handler { dir: template(dir), ..handler(vec![leaves]) });
        assert!(failed(&outcome).contains("leaves the work tree"), "{}", outcome.note);
    }
}

#[test]
fn secrets_leave_by_no_way() {
    let mut world = World::new();
    world.set("API_SECRET", "hunter2/hunter2");
    world.scope.set("args", json!({"name": "hunter2/hunter2"}));
    let leak = r#"s=$API_SECRET; printf %.5s "$s"; echo "${s#?????}"; echo "Error: $s" >&2; printf %s "$s" | base64"#;
    let mut plan = handler(vec![
        Step { output: true, ..sh(leak) },
        Step { capture: Some("json".to_owned()), ..sh(r#"echo '{"hunter2/hunter2": "hunter2\/hunter2"}'"#) },
        Step { capture: Some("text".to_owned()), ..sh("echo hunter2/hunter2") },
        step(&["echo", "{{ args.name }}"]),
    ]);
    plan.note = Some(template("{{ text }} {{ args.name }} {{ json }}"));
    plan.link = Some(template("https://example.com/hunter2%2Fhunter2"));
    let outcome = world.run(&plan);
    assert_eq!(outcome.captures["json"], json!({"***": "***"}));
    let all = format!("{outcome:?} {:?}", world.lines());
    assert!(!all.contains("hunter2") && !all.contains("aHVudGVyMi9odW50ZXIy"), "{all}");
    let outcome = world.run(&handler(vec![sh("echo 'Error: hunter2/hunter2' >&2; exit 1")]));
    assert_eq!(failed(&outcome), "`sh` exited with 1: Error: ***");
    let outcome = world.run(&handler(vec![step(&["{{ args.name }}"])]));
    assert!(!failed(&outcome).contains("hunter2"), "{}", outcome.note);
}

#[test]
fn a_hundred_megabytes_stay_within_bounds() {
    let world = World::new();
    let flood =
        Step { output: true, ..sh("head -c 100000000 /dev/zero | tr '\\0' x | fold -w 10000; echo; echo the end") };
    let outcome = world.run(&handler(vec![flood]));
    let output = outcome.output.unwrap();
    assert!(output.len() <= (4 << 20) + 100, "{}", output.len());
    assert!(output.starts_with("xxx") && output.ends_with("\nthe end\n") && output.contains("bytes left out"));
}

#[test]
fn a_capture_is_whole_or_a_failure() {
    let world = World::new();
    let capture = |bytes: usize| Step {
        capture: Some("all".to_owned()),
        quiet: true,
        ..sh(&format!("trap 'exit 1' INT; head -c {bytes} /dev/zero | tr '\\0' x"))
    };
    let outcome = world.run(&handler(vec![capture(64 << 20)]));
    assert_eq!(outcome.captures["all"].as_str().map(str::len), Some(64 << 20));
    let outcome = world.run(&handler(vec![capture((64 << 20) + 1)]));
    assert_eq!(failed(&outcome), "`sh` was stopped: `capture = \"all\"` takes 64 MiB at most");
}

#[test]
fn a_capture_that_somebody_else_may_still_write_to_is_a_failure() {
    let mut world = World::new();
    world.grace.drain = Duration::ZERO;
    let daemon = "setsid sh -c 'echo $$ >pid; exec sleep 600' & until [ -s pid ]; do sleep 0.01; done; echo half";
    let outcome = world.run(&handler(vec![Step { capture: Some("all".to_owned()), ..sh(daemon) }]));
    let why = "`capture = \"all\"` of `sh` may not be whole: something that it left behind keeps stdout open";
    assert_eq!(failed(&outcome), why);
    let pid = fs::read_to_string(world.root.path().join("pid")).unwrap();
    std::process::Command::new("kill").arg(pid.trim()).status().unwrap();
}

/// Lets a step begin, cancels, and gives what came of it.
fn cancelled_under_way(end: &str) -> (Status, String) {
    let world = World::new();
    let ready = world.root.path().join("ready");
    let wait = format!("trap '{end}' INT; touch {}; while :; do sleep 0.01; done", ready.display());
    let steps = handler(vec![sh(&wait)]);
    std::thread::scope(|scope| {
        let outcome = scope.spawn(|| world.run(&steps));
        while !ready.exists() {
            std::thread::yield_now();
        }
        world.cancel.trigger();
        let outcome = outcome.join().unwrap();
        (outcome.status, outcome.note)
    })
}

#[test]
fn what_ended_well_although_it_was_cancelled_is_done() {
    assert_eq!(cancelled_under_way("exit 0"), (Status::Success, String::new()));
    assert_eq!(cancelled_under_way("exit 1"), (Status::Dropped, "cancelled while it ran".to_owned()));
}

#[test]
fn cancelling_interrupts_what_runs_and_starts_nothing_more() {
    let world = World::new();
    let ready = world.root.path().join("ready");
    let cancel = world.cancel.clone();
    let wait = format!("trap 'echo unlocked; exit 0' INT; touch {}; while :; do sleep 0.01; done", ready.display());
    let steps = handler(vec![Step { output: true, ..sh(&wait) }, sh("echo next")]);
    std::thread::scope(|scope| {
        let outcome = scope.spawn(|| world.run(&steps));
        while !ready.exists() {
            std::thread::yield_now();
        }
        cancel.trigger();
        let outcome = outcome.join().unwrap();
        assert_eq!((outcome.status, outcome.note.as_str()), (Status::Dropped, "cancelled while it ran"));
        assert_eq!(outcome.output.as_deref(), Some("unlocked\n"));
    });
    assert!(!world.lines().contains(&"platform | next".to_owned()));
    assert_eq!(world.run(&steps).note, "cancelled");
}
