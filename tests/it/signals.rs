//! Cancelled work says so in its row: the runner signals only the step's shell, which has become `ci` by `exec`.

use std::io::{BufRead as _, BufReader, Lines};
use std::process::{Child, ChildStderr, Command, Stdio};

use crate::place::{Local, Place, on_both};
use crate::project::clean;

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
steps = [{ run = ["touch", "STORE/started"] }]
"#;

/// Starts a command and waits until its work has begun.
fn begin(command: &mut Command) -> (Child, Lines<BufReader<ChildStderr>>) {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    // The command itself is shown before it runs, so the line must end with what it prints.
    assert!(lines.any(|line| line.unwrap().ends_with("│ started")), "the work did not begin");
    (child, lines)
}

/// The same command as a runner starts it.
fn by_a_shell(command: &Command) -> Command {
    let mut shell = Command::new("bash");
    clean(&mut shell);
    shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.current_dir(command.get_current_dir().unwrap()).args(["-e", "-c", "exec \"$0\" \"$@\""]);
    shell.arg(command.get_program()).args(command.get_args());
    shell
}

fn cancelled_by<P: Place>(signal: &str) {
    let place = P::with(CONFIG);
    place.put("begun", "");
    let (mut child, lines) = begin(&mut by_a_shell(&place.comment(7, "alice", "/long\n/next")));
    let killed = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    assert!(rest.iter().any(|line| line.contains("cleaned up")), "{rest:?}");
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert_eq!(place.row("long"), "dropped: cancelled while it ran");
    // What stands behind a cancelled command does not start.
    assert_eq!(place.row("next"), "dropped: cancelled");
    assert_eq!(place.stored("started"), None);
}

fn an_interrupt_is_told<P: Place>() {
    cancelled_by::<P>("-INT");
}

fn a_termination_is_told<P: Place>() {
    cancelled_by::<P>("-TERM");
}

/// What came too late to be cancelled was done: an apply is not to be taken for one that may have stopped half-way.
fn work_that_ends_well_all_the_same_is_done<P: Place>() {
    let place = P::with(&CONFIG.replace("echo cleaned up; exit 1", "echo all done; exit 0"));
    let (child, lines) = begin(&mut by_a_shell(&place.comment(7, "alice", "/long")));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    let ended = child.wait_with_output().unwrap().status;
    assert_eq!((ended.code(), place.row("long").as_str()), (Some(0), "success: "), "{rest:?}");
}

/// What the step's shell started goes on after it, until it is killed.
fn work_that_is_killed_half_way_is_not_done_although_its_shell_ends_well<P: Place>() {
    for pipe in ["", " >/dev/null 2>&1"] {
        let half = format!("(trap '' INT TERM; echo started; exec{pipe}; sleep 60; touch STORE/done) & wait");
        let place = P::with(
            &CONFIG
                .replace("echo cleaned up; exit 1", "exit 0")
                .replace("echo started; while kill -0 $PPID; do sleep 0.1; done", &half),
        );
        let (child, lines) = begin(&mut by_a_shell(&place.comment(7, "alice", "/long")));
        assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
        let rest: Vec<String> = lines.map(Result::unwrap).collect();
        let code = child.wait_with_output().unwrap().status.code();
        let row = place.row("long");
        assert_eq!((code, row.as_str()), (Some(1), "dropped: cancelled while it ran"), "{pipe}: {rest:?}");
        assert_eq!(place.stored("done"), None);
    }
}

fn a_kill_leaves_a_row_that_sync_mends<P: Place>() {
    let place = P::with(CONFIG);
    let (mut child, lines) = begin(&mut place.comment(7, "alice", "/long"));
    assert_eq!(place.row("long"), "running: ");
    place.kill(&mut child);
    // The work is in a process group of its own; here it ends by itself when `ci` is gone, and the run with it.
    drop(lines);
    place.settles();
    let shown = place.ci(&["show", "--pr", "7"]).exits(0);
    if P::LOOKS_FREELY {
        let told = "long: its run has ended without a word; `ci sync --pr 7` mends the row";
        assert!(shown.stderr.contains(told), "{shown:#?}");
    }
    place.ci(&["sync", "--pr", "7"]).exits(0);
    assert_eq!(place.row("long"), "failure: ended without reporting");
    assert!(place.dashboard().contains("ended without reporting"), "{}", place.dashboard());
}

/// `ci sync` mends the head alone.
#[test]
fn no_remedy_is_told_for_an_earlier_commit() {
    let place = Local::with(CONFIG);
    let (mut child, lines) = begin(&mut place.comment(7, "alice", "/long"));
    place.kill(&mut child);
    drop(lines);
    place.settles();
    let earlier = place.head(7);
    place.push(7, "README.md", "more");
    let told = place.ci(&["show", "--pr", "7", "--sha", &earlier]).exits(0).stderr;
    assert!(told.contains("long: its run has ended without a word") && !told.contains("ci sync"), "{told}");
}

on_both!(
    an_interrupt_is_told,
    a_termination_is_told,
    work_that_ends_well_all_the_same_is_done,
    work_that_is_killed_half_way_is_not_done_although_its_shell_ends_well,
    a_kill_leaves_a_row_that_sync_mends
);
