//! What reaches a stage through those between: what a plan found is applied, whatever stands between the two.

use crate::place::{GitHub, Local, Place};

/// A check of policies between a plan and its apply.
const BETWEEN: &str = r#"
version = 1

[layers.a]
dir = "a"

[stages.plan]
each = "layer"

[stages.policy]
each  = "layer"
after = ["plan"]
POLICY

[stages.apply]
each  = "layer"
after = ["policy"]

[commands.plan]
pattern = '/plan'

[commands.policy]
pattern = '/policy'

[commands.apply]
pattern = '/apply'

[[rules]]
command = "plan"
gate    = "anyone"
run     = "plan"

[[rules]]
command = "policy"
gate    = "anyone"
run     = "policy"

[[rules]]
command = "apply"
gate    = "anyone"
run     = "apply"

[handlers.plan]
each   = "layer"
stage  = "plan"
record = { changes = "changes" }
steps  = [{ run = ["cat", "STORE/world"], capture = "changes" }, { run = ["grep", "-q", "x", "STORE/world"], ok = [0, 1], changed = [0] }]

[handlers.policy]
each  = "layer"
stage = "policy"
WORK

[handlers.apply]
each  = "layer"
stage = "apply"
steps = [{ run = ["cat", "STORE/world"], capture = "changes"MATCHES }, { run = ["sh", "-c", "printf '' > STORE/world"] }]
"#;

/// The policies are checked by a step.
const STEPS: &str = "steps = [{ run = [\"true\"] }]";

/// Of what ci.toml says of the policies, how they are checked, and whether the apply is held to the plan.
fn config(policy: &str, work: &str, is_held: bool) -> String {
    let matches = if is_held { ", matches = \"plan\"" } else { "" };
    BETWEEN.replace("POLICY", policy).replace("WORK", work).replace("MATCHES", matches)
}

#[test]
fn what_is_found_anew_is_to_be_applied_though_something_stands_between() {
    for policy in ["", "read-only = true"] {
        for is_held in [false, true] {
            let place = Local::with(&config(policy, STEPS, is_held));
            place.ci(&["check-config"]).exits(0);
            for before in ["x\n", ""] {
                place.put("world", before);
                for line in ["/plan", "/policy", "/apply"] {
                    place.says(line).exits(0);
                }
                place.put("world", "x\n");
                for line in ["/plan", "/policy"] {
                    place.says(line).exits(0);
                    let apply = place.row("apply-a");
                    assert!(apply.starts_with("pending: "), "{policy:?} {is_held} {before:?} {line}: {apply}");
                }
            }
        }
    }
}

/// A check that holds found nothing wrong, which says nothing of what a plan found.
#[test]
fn what_is_found_is_to_be_applied_though_a_check_between_found_nothing_wrong() {
    let fails = "fail-on-changed = true\nsteps = [{ run = [\"true\"], changed = [1] }]";
    for is_held in [false, true] {
        let place = Local::with(&config("", fails, is_held));
        place.ci(&["check-config"]).exits(0);
        place.put("world", "x\n");
        for line in ["/plan", "/policy"] {
            place.says(line).exits(0);
        }
        assert_eq!(place.row("apply-a"), "pending: ", "{is_held}");
        place.put("world", "");
        for line in ["/plan", "/policy"] {
            place.says(line).exits(0);
        }
        assert_eq!(place.row("plan-a"), "success: ");
        assert_eq!(place.row("apply-a"), "skipped: nothing to apply");
    }
}

/// The job that checks the policies says that it changed nothing.
#[test]
fn what_is_found_is_to_be_applied_though_others_between_changed_nothing() {
    for policy in ["", "read-only = true"] {
        for is_held in [false, true] {
            let place = GitHub::with(&config(policy, "delegate = \"conftest\"", is_held));
            place.put("world", "x\n");
            place.says("/plan").exits(0);
            let report = ["update", "--pr", "7", "--stage", "policy", "--status", "success", "--changes", "false"];
            place.ci(&report).exits(0);
            assert_eq!(place.row(7, "apply-a"), "pending: ", "{policy:?} {is_held}");
        }
    }
}

/// Files that are formatted as they should be leave a plan to be made.
#[test]
fn a_lint_that_found_nothing_wrong_leaves_what_comes_after_it_to_be_done() {
    let lint = "[stages.lint]\n\n[stages.plan]\nafter = [\"lint\"]\n";
    let config = config("", STEPS, true).replace("[stages.plan]\n", lint)
        + "\n[commands.lint]\npattern = '/lint'\n\n\
        [[rules]]\ncommand = \"lint\"\ngate = \"anyone\"\nrun = \"lint\"\n\n\
        [handlers.lint]\nstage = \"lint\"\nfail-on-changed = true\nsteps = [{ run = [\"true\"], changed = [1] }]\n";
    let place = Local::with(&config);
    place.ci(&["check-config"]).exits(0);
    place.put("world", "x\n");
    place.says("/lint").exits(0);
    let rows = ["lint", "plan-a", "policy-a", "apply-a"].map(|row| place.row(row));
    assert_eq!(rows, ["success: ", "pending: ", "pending: ", "pending: "]);
}

/// Nothing but the comparison says that the plan comes first.
#[test]
fn what_is_held_to_a_plan_comes_after_it() {
    let config = config("", STEPS, true).replace("after = [\"policy\"]\n", "");
    let place = Local::with(&config);
    place.ci(&["check-config"]).exits(0);
    place.put("world", "x\n");
    for line in ["/plan", "/apply"] {
        place.says(line).exits(0);
    }
    place.put("world", "x\n");
    place.says("/plan").exits(0);
    assert_eq!(place.row("apply-a"), "pending: changes were found since");
}

/// The gate of what is done once for all asks for a stage with a row for each layer.
#[test]
fn a_stage_succeeded_once_each_of_its_rows_is_done() {
    let layers = "[layers.a]\ndir = \"a\"\n\n[layers.b]\ndir = \"b\"\n";
    let e2e = "\n[stages.e2e]\nafter = [\"apply\"]\n\n[commands.e2e]\npattern = '/e2e'\n\n[gates.e2e]\nplanned = \"apply\"\n\n\
               [[rules]]\ncommand = \"e2e\"\ngate = \"e2e\"\nrun = \"e2e\"\n\n\
               [handlers.e2e]\nstage = \"e2e\"\nsteps = [{ run = [\"true\"] }]\n";
    let apply = "pattern = '/apply(\\s+(?<layers>.+))?'\nargs.layers = { type = \"layers\" }";
    let config =
        config("", STEPS, false).replace("[layers.a]\ndir = \"a\"\n", layers).replace("pattern = '/apply'", apply);
    let place = Local::with(&(config + e2e));
    place.ci(&["check-config"]).exits(0);
    place.put("world", "x\n");
    for line in ["/plan", "/policy", "/apply a"] {
        place.says(line).exits(0);
    }
    place.says("/e2e").exits(4);
    place.says("/apply b").exits(0);
    place.says("/e2e").exits(0);
    assert_eq!(place.board(7)["next"]["kind"], "ready");
}

/// A check that has nothing to look at holds nothing back, as the plan before it was made.
#[test]
fn a_stage_with_nothing_to_do_opens_the_gate_that_asks_for_it() {
    let gate = "[gates.apply]\nplanned = \"policy\"\n\n[[rules]]\ncommand = \"apply\"\ngate    = \"apply\"";
    let config = config("", STEPS, true).replace("[[rules]]\ncommand = \"apply\"\ngate    = \"anyone\"", gate);
    let place = Local::with(&config);
    place.ci(&["check-config"]).exits(0);
    place.put("world", "");
    let refused = place.says("/apply").exits(4);
    assert!(refused.stderr.contains("policy succeeded"), "{}", refused.stderr);
    place.says("/plan").exits(0);
    assert_eq!(place.row("policy-a"), "skipped: nothing to do");
    place.says("/apply").exits(0);
}

/// Two layers, of which the pull request changes one; the policies are checked once for all of them.
#[test]
fn a_layer_that_is_not_changed_is_not_to_be_applied_though_a_check_of_all_stands_between() {
    let layers = "[layers.a]\ndir = \"a\"\n\n[layers.b]\ndir = \"b\"\n";
    let apply = "pattern = '/apply(\\s+(?<layers>.+))?'\nargs.layers = { type = \"layers\", default = \"planned\" }";
    let gate = "[gates.apply]\nplanned = \"plan\"\n\n\
                [[rules]]\non = \"pull_request\"\nlayers = \"changed\"\nrun = \"plan\"\n\n\
                [[rules]]\ncommand = \"apply\"\ngate    = \"apply\"";
    for each in ["each  = \"layer\"\nafter = [\"policy\"]", "after = [\"policy\"]"] {
        let config = config("read-only = true", STEPS, false)
            .replace("[layers.a]\ndir = \"a\"\n", layers)
            .replace("pattern = '/apply'", apply)
            .replace("[[rules]]\ncommand = \"apply\"\ngate    = \"anyone\"", gate)
            .replace("[stages.policy]\neach  = \"layer\"\n", "[stages.policy]\n")
            .replace("[handlers.policy]\neach  = \"layer\"\n", "[handlers.policy]\n")
            .replace("each  = \"layer\"\nafter = [\"policy\"]", each)
            .replace("STORE/world", "STORE/world-{{ layer }}");
        let place = Local::with(&config);
        place.ci(&["check-config"]).exits(0);
        place.put("world-a", "x\n");
        place.put("world-b", "");
        place.push(7, "a/main.tf", "1");
        place.run(place.of_pull(7, "opened")).exits(0);
        for line in ["/policy", "/apply"] {
            place.says(line).exits(0);
        }
        let next = place.board(7)["next"].clone();
        assert_eq!(next["kind"], "ready", "{each:?}: {}", next["text"]);
    }
}

/// One rule plans and checks the policies: no layer has changes.
#[test]
fn nothing_is_to_be_applied_where_a_plan_found_nothing_though_the_policies_were_checked() {
    let fails = "fail-on-changed = true\nsteps = [{ run = [\"true\"], changed = [1] }]";
    for (policy, work) in [("read-only = true", STEPS), ("", fails), ("read-only = true", fails)] {
        let rule = "[[rules]]\non = \"pull_request\"\nrun = [\"plan\", \"policy\"]\n\n[[rules]]\ncommand = \"apply\"";
        let place = Local::with(&config(policy, work, false).replace("[[rules]]\ncommand = \"apply\"", rule));
        place.ci(&["check-config"]).exits(0);
        place.put("world", "");
        place.run(place.of_pull(7, "opened")).exits(0);
        assert_eq!(place.row("apply-a"), "skipped: nothing to apply", "{policy:?} {work:?}");
    }
}

/// An image is built before the plan; the pull request changes no layer.
#[test]
fn a_change_of_no_layer_becomes_ready_though_an_image_is_built_first() {
    let build = "[stages.build]\nread-only = false\n\n[stages.plan]\nafter = [\"build\"]\n";
    let rule = "[[rules]]\non = \"pull_request\"\nlayers = \"changed\"\nrun = [\"build\", \"plan\"]\n\n[[rules]]\ncommand = \"apply\"";
    let config = config("read-only = true", STEPS, true)
        .replace("[stages.plan]\n", build)
        .replace("[[rules]]\ncommand = \"apply\"", rule);
    let place = Local::with(&(config + "\n[handlers.build]\nstage = \"build\"\nsteps = [{ run = [\"true\"] }]\n"));
    place.put("world", "");
    place.push(7, "README.md", "only words");
    place.run(place.of_pull(7, "opened")).exits(0);
    let rows = ["build", "plan-a", "policy-a", "apply-a"].map(|row| place.row(row));
    assert_eq!(place.board(7)["next"]["kind"], "ready", "{rows:?}");
}

const E2E: &str = r#"
[stages.e2e]
after = ["apply"]

[commands.e2e]
pattern = '/e2e'

[[rules]]
command = "e2e"
gate    = "anyone"
run     = "e2e"

[handlers.e2e]
stage = "e2e"
steps = [{ run = ["true"] }]
"#;

/// Two layers are applied one by one, each tested; a check stands between the plan and what does not say what it does.
#[test]
fn what_is_applied_behind_a_check_is_tested_anew() {
    let fails = "fail-on-changed = true\nsteps = [{ run = [\"true\"], changed = [1] }]";
    let layers = "[layers.a]\ndir = \"a\"\n\n[layers.b]\ndir = \"b\"\n";
    let deploy = "pattern = '/deploy(\\s+(?<layers>.+))?'\nargs.layers = { type = \"layers\" }";
    for (policy, work) in [("read-only = true", STEPS), ("", fails)] {
        let config = (config(policy, work, false) + E2E)
            .replace("[layers.a]\ndir = \"a\"\n", layers)
            .replace("\"apply\"", "\"deploy\"")
            .replace(".apply]", ".deploy]")
            .replace("pattern = '/apply'", deploy)
            .replace("STORE/world", "STORE/world-{{ layer }}");
        let place = Local::with(&config);
        let checked = place.ci(&["check-config"]).exits(0);
        assert!(checked.stdout.contains("unknown-effect") && checked.stdout.contains("`deploy`"), "{}", checked.stdout);
        place.put("world-a", "x\n");
        place.put("world-b", "x\n");
        for line in ["/plan", "/policy", "/deploy a", "/e2e", "/deploy b"] {
            place.says(line).exits(0);
        }
        assert_eq!(place.row("e2e"), "pending: changes were made since", "{policy:?}");
    }
}

/// What is planned is applied to one environment, and then to the next, which does not say what it does.
#[test]
fn what_is_applied_behind_another_apply_is_tested_anew() {
    let config = config("read-only = false", STEPS, false) + E2E;
    let config = config.replace("\"policy\"", "\"staging\"").replace(".policy]", ".staging]");
    let config = config.replace("\"apply\"", "\"prod\"").replace(".apply]", ".prod]");
    let place = Local::with(&config.replace("'/policy'", "'/staging'").replace("'/apply'", "'/prod'"));
    place.put("world", "x\n");
    for line in ["/plan", "/staging", "/prod", "/e2e", "/prod"] {
        place.says(line).exits(0);
    }
    assert_eq!(place.row("e2e"), "pending: changes were made since");
}

/// An apply fails halfway; what is left is planned anew, and the gate asks for the policies of it.
#[test]
fn what_failed_is_done_again_once_what_comes_before_it_is() {
    let gate = "[gates.apply]\nplanned = \"policy\"\n\n[[rules]]\ncommand = \"apply\"\ngate    = \"apply\"";
    let config = config("read-only = true", STEPS, false)
        .replace("[[rules]]\ncommand = \"apply\"\ngate    = \"anyone\"", gate)
        .replace("printf '' > STORE/world", "! test -e STORE/broken && printf '' > STORE/world");
    let place = Local::with(&config);
    place.ci(&["check-config"]).exits(0);
    place.put("world", "x\n");
    for line in ["/plan", "/policy"] {
        place.says(line).exits(0);
    }
    place.put("broken", "");
    place.says("/apply").exits(1);
    place.take_away("broken");
    place.says("/plan").exits(0);
    for line in ["/policy", "/apply"] {
        let next = place.board(7)["next"].clone();
        assert_eq!(next["command"], line, "{next:#}");
        place.says(line).exits(0);
    }
    assert_eq!(place.board(7)["next"]["kind"], "ready");
}

/// The apply of one layer is done and tested, which failed; another layer was never applied, or its apply was cancelled.
#[test]
fn what_failed_of_one_layer_does_not_ask_for_another() {
    let takes = |name: &str| format!("pattern = '/{name}(\\s+(?<layers>.+))?'\nargs.layers = {{ type = \"layers\" }}");
    let e2e = E2E.replace("stages.e2e]\n", "stages.e2e]\neach = \"layer\"\n");
    let e2e =
        e2e.replace("handlers.e2e]\n", "handlers.e2e]\neach = \"layer\"\n").replace("pattern = '/e2e'", &takes("e2e"));
    let config = (config("read-only = true", STEPS, false) + &e2e)
        .replace("[layers.a]\ndir = \"a\"\n", "[layers.a]\ndir = \"a\"\n\n[layers.b]\ndir = \"b\"\n")
        .replace("pattern = '/apply'", &takes("apply"))
        .replace("each  = \"layer\"\nafter = [\"policy\"]", "after = [\"policy\"]");
    for other in [None, Some("cancelled")] {
        let place = GitHub::with(&config);
        let update = |stage: &str, layer: &str, status: &str| {
            place.ci(&["update", "--pr", "7", "--stage", stage, "--layer", layer, "--status", status]).exits(0);
        };
        for (stage, layer) in [("plan", "a"), ("plan", "b"), ("policy", "a"), ("policy", "b"), ("apply", "a")] {
            update(stage, layer, "success");
        }
        other.into_iter().for_each(|status| update("apply", "b", status));
        update("e2e", "a", "failure");
        let next = place.board(7)["next"].clone();
        assert_eq!(next["command"], "/e2e a", "{other:?} {next:#}");
    }
}

/// An apply failed; its plan is on its way again already, or fell out and cannot be asked for.
#[test]
fn what_failed_is_named_where_what_comes_before_it_cannot_be() {
    let lint = "[stages.lint]\n\n[stages.plan]\nafter = [\"lint\"]\n";
    let config = config("", STEPS, false).replace("[stages.plan]\n", lint).replace("[\"policy\"]", "[\"plan\"]")
        + "\n[[rules]]\non = \"pull_request\"\nrun = \"lint\"\n\n\
           [handlers.lint]\nstage = \"lint\"\nsteps = [{ run = [\"true\"] }]\n";
    let place = GitHub::with(&config);
    let update = |row: &str, status: &str| {
        let told = ["update", "--pr", "7", "--stage", row, "--status", status, "--note", "told"];
        place.ci(&told).exits(0);
    };
    for (row, status) in [("lint", "success"), ("plan", "success"), ("apply", "failure"), ("plan", "queued")] {
        update(row, status);
    }
    assert_eq!(place.board(7)["next"]["command"], "/apply");
    for (row, status) in [("lint", "cancelled"), ("plan", "failure")] {
        update(row, status);
    }
    assert_eq!(place.board(7)["next"]["command"], "/plan");
}
