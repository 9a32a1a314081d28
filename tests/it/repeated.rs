//! Work that is done again, or was to be done and did not begin: what it leaves to those that come after it.

use crate::place::{GitHub, Local, Place};

/// A world that is to be emptied. `offline` lets an apply fail before it compares.
pub(crate) const APPLY: &str = r#"
version = 1

[layers.a]
dir = "a"

[stages.plan]
name = "Plan"

[stages.apply]
name = "Apply"
after = ["plan"]

[stages.check]
name = "Check"
after = ["apply"]

[commands.plan]
pattern = '/plan'

[commands.apply]
pattern = '/apply'

[commands.check]
pattern = '/check'

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
steps  = [{ run = ["sh", "-c", "cat STORE/world"], capture = "changes" }, { run = ["grep", "-q", "x", "STORE/world"], ok = [0, 1], changed = [0] }]

[handlers.apply]
stage = "apply"
each  = "layer"
steps = [
  { run = ["sh", "-c", "! test -f STORE/offline"] },
  { run = ["cat", "STORE/world"], capture = "changes", matches = "plan" },
  { run = ["sh", "-c", "printf '' > STORE/world"] },
]

[handlers.check]
stage = "check"
steps = [{ run = ["true"] }]
"#;

/// The steps of `/apply` say themselves whether there is something to change.
pub(crate) const SAYS: &str = r#"
  { run = ["grep", "-q", "x", "STORE/world"], ok = [0, 1], changed = [0] },
  { run = ["sh", "-c", "! test -f STORE/offline; printf '' > STORE/world"] },
  { run = ["sh", "-c", "! test -f STORE/offline"] },
]
"#;

#[test]
fn what_was_applied_is_not_forgotten_since_applying_again_failed() {
    let (_, apply) = APPLY.split_once("[handlers.apply]").unwrap();
    let (_, steps) = apply.split_once("steps = [").unwrap();
    let (steps, _) = steps.split_once("\n]\n").unwrap();
    let place = Local::with(&APPLY.replace(&format!("{steps}\n]\n"), SAYS));
    place.put("world", "x\n");
    for line in ["/plan", "/apply", "/plan"] {
        place.says(line).exits(0);
    }
    assert_eq!(place.row("check"), "pending: ");
    place.put("offline", "");
    place.says("/apply").exits(1);
    let rows = ["apply", "check"].map(|row| place.row(row));
    assert_ne!(place.board(7)["next"]["kind"], "ready", "applied, never checked, and the last apply failed: {rows:?}");
}

#[test]
fn what_failed_before_it_could_change_anything_has_nothing_checked_again() {
    let place = Local::with(APPLY);
    place.put("world", "x\n");
    for line in ["/plan", "/apply", "/check"] {
        place.says(line).exits(0);
    }
    assert_eq!(place.board(7)["next"]["kind"], "ready");
    place.put("offline", "");
    place.says("/apply").exits(1);
    place.take_away("offline");
    place.says("/apply").exits(0);
    assert_eq!(place.row("check"), "success: ");
}

#[test]
fn what_waited_for_a_layer_that_failed_leaves_nothing_where_there_is_nothing_to_do() {
    let config = APPLY
        .replace("dir = \"a\"\n", "dir = \"a\"\n\n[layers.b]\ndir = \"b\"\nafter = [\"a\"]\n")
        .replace("STORE/world", "STORE/{{ layer }}")
        .replace(
            "'/apply'",
            "'/apply(\\s+(?<layers>.+))?'\nargs.layers = { type = \"layers\", default = \"planned\" }",
        );
    let place = Local::with(&config);
    place.put("a", "x\n");
    place.put("b", "");
    place.says("/plan").exits(0);
    place.put("offline", "");
    place.says("/apply").exits(1);
    place.take_away("offline");
    place.says("/apply a").exits(0);
    assert!(place.row("apply").starts_with("success"), "{}", place.row("apply"));
}

#[test]
fn what_somebody_did_again_outside_is_done() {
    let place = GitHub::with(APPLY);
    place.put("world", "x\n");
    place.says("/plan").exits(0);
    let sha = place.head(7);
    let report = |status: &str| {
        let mut job = place.command(&["update", "--pr", "7", "--sha", &sha, "--stage", "check", "--status", status]);
        let reported = job.env_remove("GITHUB_RUN_ID").env_remove("GITHUB_EVENT_PATH").output().unwrap();
        assert!(reported.status.success(), "{reported:?}");
    };
    report("running");
    report("success");
    place.says("/apply").exits(0);
    assert_eq!(place.row(7, "check"), "pending: changes were made since");
    // Tested again, and said so.
    report("success");
    assert_eq!(place.row(7, "check"), "success: ");
}

/// Two things that are done whichever layers were touched.
const WHOLE: &str = r#"
version = 1

[layers.a]
dir = "a"

[layers.b]
dir = "b"

[stages.fmt]
name = "Format"

[stages.test]
name = "Test"

[commands.fmt]
pattern = '/fmt'

[commands.test]
pattern = '/test'

[[rules]]
on     = "pull_request"
layers = "changed"
run    = ["fmt", "test"]

[[rules]]
command = "fmt"
gate    = "anyone"
run     = "fmt"

[[rules]]
command = "test"
gate    = "anyone"
run     = "test"

[handlers.fmt]
stage = "fmt"
steps = [{ run = ["sh", "-c", "test -f STORE/once || { touch STORE/once; kill -INT $PPID; sleep 60; exit 1; }"] }]

[handlers.test]
stage = "test"
steps = [{ run = ["sh", "-c", "touch STORE/tested"] }]
"#;

#[test]
fn what_was_cancelled_before_it_began_is_not_done_since_no_layer_was_touched() {
    let place = Local::with(WHOLE);
    place.put("there", "");
    place.push(7, "README.md", "words\n");
    // Cancelled while the first of two works.
    place.run(place.of_pull(7, "synchronize"));
    place.says("/fmt").exits(0);
    assert_eq!(place.stored("tested"), None);
    let told = place.row("test");
    assert_ne!(place.board(7)["next"]["kind"], "ready", "never tested, and `{told}`");
}

/// An apply that looks afterwards whether anything is left to be done.
#[test]
fn what_was_applied_is_checked_though_a_last_step_finds_nothing_left_to_change() {
    let last = r#"  { run = ["sh", "-c", "printf '' > STORE/world"] },"#;
    let looks = r#"  { run = ["grep", "-q", "x", "STORE/world"], ok = [0, 1], changed = [0] },"#;
    assert!(APPLY.contains(last));
    let place = Local::with(&APPLY.replace(last, &format!("{last}\n{looks}")));
    place.ci(&["check-config"]).exits(0);
    place.put("world", "x\n");
    for line in ["/plan", "/apply"] {
        place.says(line).exits(0);
    }
    assert_eq!(place.stored("world").as_deref(), Some(""));
    let rows = ["plan", "apply", "check"].map(|row| place.row(row));
    assert_ne!(place.board(7)["next"]["kind"], "ready", "applied, never checked: {rows:?}");
}

/// A lint that fell out once, since what it waits for failed, says no more of changes than any other lint.
#[test]
fn what_fell_out_once_has_nothing_done_again_since_it_is_repeated() {
    let lint = r#"
[stages.format]
name = "Format"

[stages.lint]
name  = "Lint"

[commands.lint]
pattern = '/lint'

[[rules]]
command = "lint"
gate    = "anyone"
run     = ["format", "lint"]

[handlers.format]
stage = "format"
steps = [{ run = ["sh", "-c", "! test -f STORE/unformatted"] }]

[handlers.lint]
stage = "lint"
steps = [{ run = ["true"] }]
"#;
    let config =
        APPLY.replace("name = \"Apply\"\nafter = [\"plan\"]", "name = \"Apply\"\nafter = [\"plan\", \"lint\"]");
    assert_ne!(config, APPLY);
    for fell_out in [false, true] {
        let place = Local::with(&format!("{config}{lint}"));
        place.ci(&["check-config"]).exits(0);
        place.put("world", "x\n");
        if fell_out {
            place.put("unformatted", "");
            place.says("/lint").exits(1);
            place.take_away("unformatted");
        }
        for line in ["/lint", "/plan", "/apply", "/check"] {
            place.says(line).exits(0);
        }
        assert_eq!(place.board(7)["next"]["kind"], "ready");
        place.says("/lint").exits(0);
        let rows = ["lint", "plan", "apply", "check"].map(|row| place.row(row));
        assert_eq!(place.board(7)["next"]["kind"], "ready", "it fell out before: {fell_out}, {rows:?}");
    }
}

/// Applied in full by work that then broke off, so that applying again has nothing left to do: that is as good as done.
#[test]
fn what_a_gate_asks_for_is_done_where_nothing_was_left_to_do() {
    let open = "command = \"check\"\ngate    = \"anyone\"";
    let last = r#"  { run = ["sh", "-c", "printf '' > STORE/world"] },"#;
    assert!(APPLY.contains(open) && APPLY.contains(last));
    let broken = r#"  { run = ["sh", "-c", "printf '' > STORE/world; ! test -f STORE/broken"] },"#;
    let config = APPLY.replace(open, "command = \"check\"\ngate    = \"applied\"").replace(last, broken);
    let config = config.replace("[handlers.apply]\n", "[handlers.apply]\nlock  = true\n");
    let place = Local::with(&format!("{config}\n[gates.applied]\nplanned = \"apply\"\n"));
    place.ci(&["check-config"]).exits(0);
    place.put("world", "x\n");
    place.put("broken", "");
    place.says("/plan").exits(0);
    place.says("/apply").exits(1);
    place.take_away("broken");
    let mut said = Vec::new();
    while place.board(7)["next"]["kind"] != "ready" {
        let next = place.board(7)["next"].clone();
        let line = next["command"].as_str().unwrap().to_owned();
        let ran = place.says(&line);
        said.push((
            next["text"].as_str().unwrap().to_owned(),
            ["plan", "apply", "check"].map(|row| place.row(row)),
            ran.stderr,
        ));
        assert!(said.len() < 6, "it goes round and round: {said:#?}");
    }
}
