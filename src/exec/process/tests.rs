//! Real processes, real signals.

use std::fs;
use std::ops::ControlFlow;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use super::{Bounds, End, Ended, Pipe, Stop, lives, run};
use crate::exec::cancel::Cancel;
use crate::exec::fixture::LONG;
use crate::exec::{Escalation, Grace};

const NOW: Escalation = Escalation { interrupt: Duration::ZERO, terminate: Duration::ZERO };
const SLOW: Escalation = Escalation { interrupt: LONG, terminate: LONG };

fn grace() -> Grace {
    Grace { timed_out: SLOW, cancelled: SLOW, drain: LONG }
}

/// Runs a script until its end, and calls `seen` with all of stdout so far.
fn sh(script: &str, deadline: Option<Instant>, cancel: &Cancel, grace: Grace, seen: impl Fn(&str)) -> (Ended, String) {
    let (end, text) = whole(script, deadline, cancel, grace, seen);
    (end.how, text)
}

fn whole(script: &str, deadline: Option<Instant>, cancel: &Cancel, grace: Grace, seen: impl Fn(&str)) -> (End, String) {
    let mut text = String::new();
    let mut sink = |pipe, bytes: &[u8]| {
        if pipe == Pipe::Stdout {
            text.push_str(&String::from_utf8_lossy(bytes));
            seen(&text);
        }
        ControlFlow::Continue(())
    };
    let bounds = Bounds { deadline, cancel, grace };
    let end = run(Command::new("sh").args(["-c", script]), &bounds, &mut sink).unwrap();
    (end, text)
}

/// Whether a process runs; one that is dead and not yet reaped by whoever inherited it does not.
fn runs(pid: &str) -> bool {
    let state = Command::new("ps").args(["-o", "stat=", "-p", pid.trim()]).output().unwrap().stdout;
    !state.is_empty() && !state.starts_with(b"Z")
}

/// Waits until a process that was killed is gone.
fn gone(pid: &str) {
    while runs(pid) {
        std::thread::yield_now();
    }
}

/// Raises the flag once the text holds a word.
fn upon(word: &'static str, cancel: &Cancel) -> impl Fn(&str) {
    let cancel = cancel.clone();
    move |text: &str| {
        if text.contains(word) && !cancel.is_set() {
            cancel.trigger();
        }
    }
}

#[test]
fn codes_and_signals_are_told_apart() {
    let cancel = Cancel::new();
    assert_eq!(sh("exit 3", None, &cancel, grace(), |_| {}).0, Ended::Exited(3));
    assert_eq!(sh("kill -SEGV $$", None, &cancel, grace(), |_| {}).0, Ended::Signalled(11));
}

#[test]
fn the_first_signal_is_an_interrupt_and_what_it_prints_is_read() {
    let cancel = Cancel::new();
    let script = "trap 'echo state unlocked; exit 1' INT; echo ready; while :; do sleep 0.01; done";
    let (ended, text) = sh(script, None, &cancel, grace(), upon("ready", &cancel));
    assert_eq!((ended, text.as_str()), (Ended::Stopped(Stop::Cancelled), "ready\nstate unlocked\n"));
}

#[test]
fn one_who_ignores_signals_is_killed_with_all_its_group() {
    let cancel = Cancel::new();
    let script = "trap '' INT TERM; sh -c 'echo $$; exec sleep 600' & echo $$ ready; wait; sleep 600";
    let both = |text: &str| text.contains("ready") && text.lines().count() == 2;
    let again = cancel.clone();
    let seen = move |text: &str| {
        if both(text) && !again.is_set() {
            again.trigger();
        }
    };
    let grace = Grace { cancelled: NOW, ..grace() };
    let (ended, text) = sh(script, None, &cancel, grace, seen);
    assert_eq!(ended, Ended::Stopped(Stop::Cancelled));
    text.lines().for_each(|line| gone(line.split(' ').next().unwrap()));
}

/// The process ends well when it is asked to. What it started does so too and takes its time, or has to be killed; whether it
/// holds a pipe makes no difference.
#[test]
fn the_code_of_a_process_counts_where_nobody_was_killed() {
    // What a shell starts beside itself does not hear an interrupt.
    let patient = Grace { cancelled: Escalation { interrupt: Duration::ZERO, terminate: LONG }, ..grace() };
    let hasty = Grace { cancelled: NOW, ..grace() };
    for pipe in ["", ">/dev/null 2>&1"] {
        for (asked, grace, code) in [("sleep 0.2; exit 0", patient, Some(0)), ("", hasty, None)] {
            let beside = format!("trap '{asked}' TERM; echo ready; exec {pipe}; while :; do sleep 0.01; done");
            let script = format!("trap 'exit 0' INT TERM; ({beside}) & wait; exit 1");
            let cancel = Cancel::new();
            let (end, _) = whole(&script, None, &cancel, grace, upon("ready", &cancel));
            assert_eq!((end.how, end.code), (Ended::Stopped(Stop::Cancelled), code), "{script}");
        }
    }
}

#[test]
fn asking_again_is_more_urgent() {
    let cancel = Cancel::new();
    // It says which signals came; each new ask sends the next one, however long the times between would be.
    let script = "trap 'echo int' INT; trap 'echo term' TERM; echo ready; while :; do sleep 0.01; done";
    let asked = cancel.clone();
    let seen = move |text: &str| {
        let due = ["ready", "int", "term"].iter().filter(|word| text.contains(**word)).count();
        if asked.asked() < due {
            asked.trigger();
        }
    };
    let (ended, text) = sh(script, None, &cancel, grace(), seen);
    assert_eq!((ended, text.as_str()), (Ended::Stopped(Stop::Cancelled), "ready\nint\nterm\n"));
}

#[test]
fn time_outs_end_what_ignores_them() {
    let cancel = Cancel::new();
    let grace = Grace { timed_out: NOW, ..grace() };
    let script = "trap '' INT TERM; sleep 600";
    let (ended, _) = sh(script, Some(Instant::now()), &cancel, grace, |_| {});
    assert_eq!(ended, Ended::Stopped(Stop::TimedOut));
}

#[test]
fn a_cancel_hurries_what_is_being_stopped() {
    let cancel = Cancel::new();
    let asked = Escalation { interrupt: Duration::ZERO, terminate: LONG };
    let bounds = Bounds { deadline: None, cancel: &cancel, grace: Grace { cancelled: asked, ..grace() } };
    let mut text = String::new();
    let hurry = upon("int", &cancel);
    let mut sink = |pipe, bytes: &[u8]| {
        if pipe == Pipe::Stdout {
            text.push_str(&String::from_utf8_lossy(bytes));
            hurry(&text);
        }
        ControlFlow::Break(())
    };
    let script = "trap 'echo int' INT; trap 'echo term; exit 0' TERM; echo ready; while :; do sleep 0.01; done";
    let end = run(Command::new("sh").args(["-c", script]), &bounds, &mut sink).unwrap();
    assert_eq!((end.how, text.as_str()), (Ended::Stopped(Stop::Refused), "ready\nint\nterm\n"));
}

/// It ignores what it hears; were it given the time of the cancel alone, the test would not end.
#[test]
fn a_cancel_gives_no_more_time_to_what_is_being_stopped() {
    let cancel = Cancel::new();
    let bounds = Bounds { deadline: None, cancel: &cancel, grace: Grace { timed_out: NOW, ..grace() } };
    let mut sink = |_, _: &[u8]| {
        cancel.trigger();
        ControlFlow::Break(())
    };
    let script = "trap '' INT TERM; echo ready; while :; do sleep 0.01; done";
    let end = run(Command::new("sh").args(["-c", script]), &bounds, &mut sink).unwrap();
    assert_eq!((end.how, end.code), (Ended::Stopped(Stop::Refused), None));
}

#[test]
fn what_is_left_behind_is_killed_and_not_waited_for() {
    let cancel = Cancel::new();
    let grace = Grace { drain: Duration::ZERO, ..grace() };
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("pid");
    let path = file.display();
    // The pipe stays open: with a member of the group, and with one who left it.
    let member = format!("sleep 600 & echo $! >{path}");
    assert_eq!(sh(&member, None, &cancel, grace, |_| {}).0, Ended::Exited(0));
    gone(&fs::read_to_string(&file).unwrap());

    fs::remove_file(&file).unwrap();
    let leaver = format!("setsid sh -c 'echo $$ >{path}; exec sleep 600' & until [ -s {path} ]; do sleep 0.01; done");
    assert_eq!(sh(&leaver, None, &cancel, grace, |_| {}).0, Ended::Exited(0));
    let pid = fs::read_to_string(&file).unwrap();
    assert!(runs(&pid), "{pid} was out of our reach");
    Command::new("kill").arg(pid.trim()).status().unwrap();
}

#[test]
fn one_whose_output_is_refused_is_stopped() {
    let cancel = Cancel::new();
    let bounds = Bounds { deadline: None, cancel: &cancel, grace: grace() };
    let mut count = 0;
    let mut sink = |_, bytes: &[u8]| {
        count += bytes.len();
        if count > 1_000_000 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let ended = run(&mut Command::new("yes"), &bounds, &mut sink).unwrap().how;
    assert_eq!(ended, Ended::Stopped(Stop::Refused));
}

/// In a container nobody may wait for what has lost its parent.
#[test]
fn who_is_dead_and_not_waited_for_does_not_live() {
    let start = |script: &str| Command::new("sh").args(["-c", script]).process_group(0).spawn().unwrap();
    let (mut dead, mut alive) = (start("exit 0"), start("exec sleep 60"));
    let (pid, group) = (Pid::from_child(&dead), Pid::from_child(&alive));
    waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT).unwrap();
    assert_eq!([lives(pid), lives(group)], [false, true]);
    alive.kill().unwrap();
    alive.wait().unwrap();
    dead.wait().unwrap();
}

/// Its first thread has ended, so that it reads as dead in `/proc`; another one goes on. Python is what the tests need anyway.
#[test]
fn a_process_whose_first_thread_has_ended_lives_and_is_killed() {
    let cancel = Cancel::new();
    let python = "import ctypes, os, signal, threading, time\n\
        [signal.signal(each, signal.SIG_IGN) for each in (signal.SIGINT, signal.SIGTERM)]\n\
        def go_on():\n    \
            while open(f\"/proc/{os.getpid()}/stat\").read().rsplit(\")\")[-1].split()[0] != \"Z\": time.sleep(0.01)\n    \
            print(\"ready\", os.getpid(), flush=True)\n    \
            time.sleep(60)\n\
        threading.Thread(target=go_on).start()\n\
        ctypes.CDLL(None).pthread_exit(None)\n";
    let script = format!("exec python3 -c '{python}'");
    let (end, text) = whole(&script, None, &cancel, Grace { cancelled: NOW, ..grace() }, upon("ready", &cancel));
    assert_eq!((end.how, end.code), (Ended::Stopped(Stop::Cancelled), None));
    gone(text.trim().rsplit(' ').next().unwrap());
}
