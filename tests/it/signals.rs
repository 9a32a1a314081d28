//! Cancelled work says so in its row: the runner signals only the step's shell, which has become `ci` by `exec`.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use crate::project::{Project, binary, clean};

const CONFIG: &str = r#"
version = 1

[stages.long]
name = "Long work"

[commands.long]
pattern = "/long"

[[rules]]
command = "long"
gate    = "anyone"
run     = "long"

[handlers.long]
stage = "long"
steps = [{ run = ["sh", "-c", "trap 'echo cleaned up; exit 1' INT; echo started; while kill -0 $PPID; do sleep 0.1; done"] }]

[stages.next]
name = "What stands behind it"

[commands.next]
pattern = "/next"

[[rules]]
command = "next"
gate    = "anyone"
run     = "next"

[handlers.next]
stage = "next"
steps = [{ run = ["touch", "started"] }]
"#;

fn cancelled_by(signal: &str) -> Project {
    let project = Project::with(CONFIG);
    let mut shell = Command::new("bash");
    clean(&mut shell);
    shell.current_dir(project.path()).args(["-e", "-c", &format!("exec {} try $'/long\\n/next'", binary())]);
    let mut child = shell.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    // The command itself is shown before it runs, so the line must end with what it prints.
    assert!(lines.any(|line| line.unwrap().ends_with("│ started")), "the work did not begin");
    let killed = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    assert!(rest.iter().any(|line| line.contains("cleaned up")), "{rest:?}");
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert_eq!(project.row(1, "long"), "dropped: cancelled");
    project
}

#[test]
fn an_interrupt_is_told() {
    cancelled_by("-INT");
}

#[test]
fn a_termination_is_told() {
    cancelled_by("-TERM");
}

#[test]
fn what_stands_behind_a_cancelled_command_does_not_start() {
    let project = cancelled_by("-INT");
    assert_eq!(project.row(1, "next"), "dropped: cancelled");
    assert!(!project.path().join("started").exists());
}

#[test]
fn a_kill_leaves_a_row_that_sync_mends() {
    let project = Project::with(CONFIG);
    let mut command = project.command();
    let mut child = command.args(["try", "/long"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().ends_with("│ started")), "the work did not begin");
    assert_eq!(project.row(1, "long"), "running: ");
    child.kill().unwrap();
    child.wait().unwrap();
    // The work is in a process group of its own; here it ends by itself when `ci` is gone.
    drop(lines);
    project.ci(["sync", "--pr", "1"]).exits(0);
    assert_eq!(project.row(1, "long"), "failure: ended without reporting");
}
