//! Who holds a layer: a pull request, from its first apply until it is closed, and one of its runs at a time.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use crate::project::{Project, Ran};

const CONFIG: &str = r#"
version = 1

[layers.web]
dir   = "web"
paths = ["web/desired/**"]

[stages.apply]
name = "Apply"

[commands.apply]
pattern = "/apply"

[[rules]]
command = "apply"
gate    = "anyone"
run     = "apply"

[[rules]]
on  = "push"
run = "apply"

[handlers.apply]
each  = "layer"
stage = "apply"
lock  = true
steps = [{ run = ["sh", "-c", "test ! -e fail && if test -e wait; then echo started; for i in $(seq 400); do test -e wait || break; sleep 0.05; done; fi"] }]
"#;

fn apply(project: &Project, pull: u64) -> Ran {
    project.ci(["try", "/apply", "--pr", &pull.to_string()])
}

/// An apply that has begun and goes on while the file `wait` is there.
fn under_way(project: &Project, pull: u64) -> Child {
    project.write("wait", "");
    let mut command = project.command();
    command.args(["try", "/apply", "--pr", &pull.to_string()]).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().ends_with("│ started")), "the work did not begin");
    child
}

#[test]
fn what_a_dead_run_held_is_taken_over_with_a_line() {
    let project = Project::with(CONFIG);
    project.write("fail", "");
    apply(&project, 1).exits(1);
    std::fs::remove_file(project.path().join("fail")).unwrap();
    apply(&project, 1).exits(0);
    let row = project.row(1, "apply");
    assert!(
        row.starts_with("success: ") && row.contains("took over the lock of another run of this pull request"),
        "{row}"
    );
    // A run of the same pull request that applies nothing does not give away what another one applied.
    project.write("fail", "");
    apply(&project, 1).exits(1);
    std::fs::remove_file(project.path().join("fail")).unwrap();
    apply(&project, 2).exits(4);
    assert!(project.row(2, "apply").contains("locked by pull request 1 (alice)"));
}

#[test]
fn what_a_run_holds_is_not_given_away_for_an_earlier_one_that_failed() {
    let project = Project::with(CONFIG);
    project.write("fail", "");
    apply(&project, 1).exits(1);
    std::fs::remove_file(project.path().join("fail")).unwrap();
    let mut child = under_way(&project, 1);
    apply(&project, 2).exits(4);
    assert!(project.row(2, "apply").contains("locked by pull request 1 (alice)"));
    let second = apply(&project, 1).exits(4);
    assert!(second.stderr.contains("locked by another run of this pull request 1 (alice)"), "{}", second.stderr);
    std::fs::remove_file(project.path().join("wait")).unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn work_without_a_pull_request_holds_a_layer_no_longer_than_it_runs() {
    let project = Project::with(CONFIG);
    project.write("push.json", &format!(r#"{{"ref":"refs/heads/main","after":"{}"}}"#, "1".repeat(40)));
    project.ci(["run", "--event", "push.json"]).exits(0);
    apply(&project, 1).exits(0);
    assert_eq!(project.row(1, "apply"), "success: ");
}
