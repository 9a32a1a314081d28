//! A job on GitHub that is cancelled.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::github_trouble::{github, nothing_is_left_to_mend, wait_for};
use crate::project::binary;

fn signal(signal: &str, process: u32) {
    let sent = Command::new("kill").args([signal, &process.to_string()]).status().unwrap();
    assert!(sent.success());
}

/// The runner signals only the process that the step's shell became: first an interrupt, then a termination.
#[test]
fn a_cancelled_job_says_so_at_once() {
    let github = github();
    let event = github.comment(7, "alice", "/plan");
    let work = "trap 'touch $RUNNER_TEMP/released; exit 1' INT; touch $RUNNER_TEMP/begun; while :; do sleep 0.05; done";
    let mut shell = Command::new("bash");
    github.job().on(event).env("WORK", work).set(&mut shell);
    shell.args(["-e", "-c", &format!("exec {} run", binary())]).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = shell.spawn().unwrap();
    wait_for(|| github.folder().join("begun").exists());
    let begun = Instant::now();
    signal("-INT", child.id());
    wait_for(|| github.folder().join("released").exists());
    // It may have ended by then.
    let _ended = Command::new("kill").args(["-TERM", &child.id().to_string()]).stderr(Stdio::null()).status().unwrap();
    child.wait().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_eq!(github.row(7, "plan-base"), "dropped: cancelled");
    nothing_is_left_to_mend(&github);
}
