//! Which stages only look, so that what they found last is all that counts of them.

use crate::place::{GitHub, Local, Place};
use crate::repeated::{APPLY, SAYS};

/// A plan that keeps a record, to which nothing is held that comes after it.
const PLAN_ALONE: &str = r#"
version = 1

[stages.plan]

[stages.apply]
after = ["plan"]

[commands.plan]
pattern = '/plan'

[commands.apply]
pattern = '/apply'

[[rules]]
command = "plan"
gate    = "anyone"
run     = "plan"

[[rules]]
command = "apply"
gate    = "anyone"
run     = "apply"

[handlers.plan]
stage  = "plan"
record = { changes = "changes" }
steps  = [{ run = ["cat", "STORE/world"], capture = "changes" }, { run = ["grep", "-q", "x", "STORE/world"], ok = [0, 1], changed = [0] }]

[handlers.apply]
stage = "apply"
steps = [{ run = ["true"] }]
"#;

#[test]
fn what_records_and_applies_does_not_only_look() {
    let place =
        Local::with(&APPLY.replace("[handlers.apply]\n", "[handlers.apply]\nrecord = { changes = \"changes\" }\n"));
    place.ci(&["check-config"]).exits(0);
    place.put("world", "x\n");
    for line in ["/plan", "/apply", "/apply"] {
        place.says(line).exits(0);
    }
    assert_ne!(place.board(7)["next"]["kind"], "ready", "applied, never checked: {}", place.row("check"));
}

/// No plan comes before it: what it is about to do is recorded, and done, while nobody else may.
#[test]
fn what_records_and_does_it_under_a_lock_does_not_only_look() {
    let held = "matches = \"plan\"";
    assert!(APPLY.contains(held) && APPLY.contains("after = [\"plan\"]\n"));
    let apply = "[handlers.apply]\nlock = true\nrecord = { changes = \"changes\" }\n";
    let config = APPLY.replace(&format!(", {held}"), "").replace("after = [\"plan\"]\n", "");
    let place = Local::with(&config.replace("[handlers.apply]\n", apply));
    place.ci(&["check-config"]).exits(0);
    place.put("world", "x\n");
    place.says("/plan").exits(0);
    place.says("/apply").exits(0);
    assert_eq!(place.row("check"), "pending: ");
    place.says("/apply").exits(0);
    let rows = ["apply", "check"].map(|row| place.row(row));
    assert_ne!(place.board(7)["next"]["kind"], "ready", "applied, never checked: {rows:?}");
}

/// A gate of a later stage names it: that says of what acts nothing but that it comes first.
#[test]
fn what_a_gate_asks_for_does_not_only_look() {
    let (_, apply) = APPLY.split_once("[handlers.apply]").unwrap();
    let (_, steps) = apply.split_once("steps = [").unwrap();
    let (steps, _) = steps.split_once("\n]\n").unwrap();
    let config = APPLY.replace(&format!("{steps}\n]\n"), SAYS);
    let open = "command = \"check\"\ngate    = \"anyone\"";
    assert!(config.contains(open));
    let gated = config.replace(open, "command = \"check\"\ngate    = \"applied\"");
    for config in [config, format!("{gated}\n[gates.applied]\nplanned = \"apply\"\n")] {
        let place = Local::with(&config);
        place.ci(&["check-config"]).exits(0);
        place.put("world", "x\n");
        for line in ["/plan", "/apply"] {
            place.says(line).exits(0);
        }
        assert_eq!(place.row("check"), "pending: ");
        place.says("/apply").exits(0);
        let rows = ["plan", "apply", "check"].map(|row| place.row(row));
        assert_ne!(place.board(7)["next"]["kind"], "ready", "applied, never checked: {rows:?}");
    }
}

/// An apply that other work does, and which a check asks for: once it was done, a second try said `skipped`.
#[test]
fn what_a_gate_asks_for_of_other_work_does_not_only_look() {
    let (before, apply) = APPLY.split_once("[handlers.apply]").unwrap();
    let (_, check) = apply.split_once("[handlers.check]").unwrap();
    let config =
        format!("{before}[handlers.apply]\nstage = \"apply\"\ndelegate = \"digger\"\n\n[handlers.check]{check}");
    for gate in ["", "\n[gates.applied]\nplanned = \"apply\"\n"] {
        let open = "command = \"check\"\ngate    = \"anyone\"";
        let gated = if gate.is_empty() {
            config.clone()
        } else {
            config.replace(open, "command = \"check\"\ngate    = \"applied\"")
        };
        let place = GitHub::with(&format!("{gated}{gate}"));
        place.ci(&["check-config"]).exits(0);
        place.put("world", "x\n");
        place.says("/plan").exits(0);
        for status in ["success", "skipped"] {
            place.others_do("/apply", &[vec!["--stage", "apply", "--status", status]]);
        }
        let rows = ["plan", "apply", "check"].map(|row| place.row(7, row));
        assert_ne!(place.board(7)["next"]["kind"], "ready", "applied, never checked: {gate:?} {rows:?}");
    }
}

/// A plan without a record, in a stage whose name does not tell, of which ci.toml says that it only looks.
#[test]
fn a_stage_that_is_read_only_only_looks() {
    let keyless = |stage: &str| {
        let config =
            PLAN_ALONE.replace("record = { changes = \"changes\" }\n", "").replace(", capture = \"changes\"", "");
        let config = config.replace("[\"plan\"]", "[\"diff\"]").replace("\"plan\"", "\"diff\"");
        config
            .replace("stages.plan]\n", stage)
            .replace("commands.plan]", "commands.diff]")
            .replace("handlers.plan]", "handlers.diff]")
    };
    let comes_to = |config: &str| {
        let place = Local::with(config);
        place.ci(&["check-config"]).exits(0);
        place.put("world", "x\n");
        place.says("/plan").exits(0);
        place.put("world", "\n");
        place.says("/plan").exits(0);
        place.row("apply")
    };
    assert_eq!(comes_to(&keyless("stages.diff]\nread-only = true\n")), "skipped: nothing to apply");
    assert_eq!(comes_to(&keyless("stages.diff]\nread-only = false\n")), "pending: ");
    assert_eq!(comes_to(&keyless("stages.diff]\n")), "pending: ", "it may have changed something");
}

/// The work of others in a stage whose name does not tell: it failed once, and then had nothing to do.
#[test]
fn the_work_of_others_that_is_read_only_leaves_nothing_to_apply() {
    let (before, plan) = PLAN_ALONE.split_once("[handlers.plan]").unwrap();
    let (_, apply) = plan.split_once("[handlers.apply]").unwrap();
    let before = before.replace("\"plan\"", "\"diff\"").replace("stages.plan]", "stages.diff]\nread-only = true");
    let before = before.replace("commands.plan]", "commands.diff]");
    let config = format!("{before}[handlers.diff]\nstage = \"diff\"\ndelegate = \"digger\"\n\n[handlers.apply]{apply}");
    let place = GitHub::with(&config);
    place.ci(&["check-config"]).exits(0);
    for (status, apply) in [("failure", "pending: "), ("skipped", "skipped: nothing to apply")] {
        place.others_do("/plan", &[vec!["--stage", "diff", "--status", status]]);
        assert_eq!(place.row(7, "apply"), apply);
    }
}

/// A plan that locks, to which an apply is held, is a plan all the same.
#[test]
fn a_plan_that_locks_only_looks_where_an_apply_is_held_to_it() {
    for stage in ["plan", "preview"] {
        let config = APPLY.replace("[handlers.plan]\n", "[handlers.plan]\nlock = true\n");
        let config = config.replace("\"plan\"", &format!("\"{stage}\"")).replace(".plan]", &format!(".{stage}]"));
        let place = Local::with(&config);
        place.ci(&["check-config"]).exits(0);
        place.put("world", "x\n");
        for line in ["/plan", "/apply", "/check"] {
            place.says(line).exits(0);
        }
        assert_eq!(place.board(7)["next"]["kind"], "ready");
        place.put("world", "x\n");
        place.says("/plan").exits(0);
        place.put("world", "");
        place.says("/plan").exits(0);
        let rows = [stage, "apply", "check"].map(|row| place.row(row));
        assert_eq!(place.board(7)["next"]["kind"], "ready", "nothing is left to do: {rows:?}");
    }
}
