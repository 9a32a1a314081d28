//! A job on GitHub that is cancelled.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::github::{GitHub, Job};
use crate::github_trouble::{github, nothing_is_left_to_mend, wait_for};
use crate::project::{binary, installed};

fn signal(signal: &str, process: u32) {
    let sent = Command::new("kill").args([signal, &process.to_string()]).status().unwrap();
    assert!(sent.success());
}

/// Cancels the job as the runner does: it interrupts only the process that the step's shell became. Seven seconds later it
/// would terminate it, but it ends within five.
fn cancelled(job: &Job<'_>, is_under_way: impl FnMut() -> bool) {
    let mut shell = Command::new("bash");
    job.set(&mut shell);
    shell.args(["-e", "-c", &format!("exec {} run", binary())]).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = shell.spawn().unwrap();
    wait_for(is_under_way);
    let begun = Instant::now();
    signal("-INT", child.id());
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[test]
fn a_cancelled_job_says_so_at_once() {
    let github = github();
    let event = github.comment(7, "alice", "/plan");
    let work = "trap 'touch $RUNNER_TEMP/released; exit 1' INT; touch $RUNNER_TEMP/begun; for i in $(seq 400); do sleep 0.05; done";
    cancelled(&github.job().on(event).env("WORK", work), || github.folder().join("begun").exists());
    assert!(github.folder().join("released").exists());
    assert_eq!(github.row(7, "plan-base"), "dropped: cancelled while it ran");
    nothing_is_left_to_mend(&github);
}

/// One layer whose work goes on for long, with its state where the work tree's end does not take it away.
const TERRAFORM: &str = r#"
version = 1

[dashboard]
marker = "infra-dashboard"

[layers.base]
dir = "base"

[stages.apply]
name = "Apply"

[commands.apply]
pattern = "/apply"

[[rules]]
command = "apply"
gate    = "anyone"
run     = "apply"

[handlers.apply]
stage = "apply"
each  = "layer"
lock  = true
dir   = "{{ layer.dir }}"
steps = [
  { run = ["sh", "-c", "exec terraform init -input=false -backend-config=path=$RUNNER_TEMP/state"] },
  { run = ["terraform", "apply", "-input=false", "-auto-approve"] },
]
"#;

const LONG: &str = r#"
terraform {
  backend "local" {}
}
resource "terraform_data" "first" {}
resource "terraform_data" "long" {
  depends_on = [terraform_data.first]
  provisioner "local-exec" {
    command = "touch $RUNNER_TEMP/begun; for i in $(seq 400); do sleep 0.05; done"
  }
}
"#;

#[test]
fn a_cancelled_terraform_gives_its_state_free() {
    if !installed("terraform") {
        return;
    }
    let github = GitHub::start(TERRAFORM);
    github.commit("work", "base/main.tf", LONG);
    let event = github.comment(7, "alice", "/apply");
    let lock = github.folder().join(".state.lock.info");
    cancelled(&github.job().on(event), || github.folder().join("begun").exists() && lock.exists());
    assert!(!lock.exists(), "terraform had no time to release its lock");
    let state = std::fs::read_to_string(github.folder().join("state")).unwrap();
    assert!(state.contains("\"first\""), "what was done is recorded: {state}");
    assert_eq!(github.row(7, "apply"), "dropped: base: cancelled while it ran");
    nothing_is_left_to_mend(&github);
}
