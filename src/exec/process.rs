//! One process and its group, from its start to its certain end: both pipes are read side by side, and a time-out or a
//! cancellation ends the whole group, first politely. It does not know what a step is, or what its output means.

use std::io::{self, PipeReader, Read};
use std::ops::ControlFlow;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, test_kill_process_group, waitid};

use self::output::Output;
use super::cancel::Cancel;
use super::{Escalation, Grace};

/// One of the two pipes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pipe {
    Stdout,
    Stderr,
}

/// What bounds a process.
pub(super) struct Bounds<'a> {
    /// When it is stopped. None where that is beyond what a clock can tell.
    pub(super) deadline: Option<Instant>,
    pub(super) cancel: &'a Cancel,
    pub(super) grace: Grace,
}

/// The end of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct End {
    pub(super) how: Ended,
    /// The code with which it ended by itself, also where we had begun to stop it. None where somebody of its group had to
    /// be killed: what that one did may be done by half, whatever the code says.
    pub(super) code: Option<i32>,
    /// Whether all of its output was read: not so where somebody who left the group keeps a pipe open.
    pub(super) whole: bool,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// By itself, with this code.
    Exited(i32),
    /// By this signal, which was not ours.
    Signalled(i32),
    /// Because we stopped it.
    Stopped(Stop),
}

/// Why we stopped it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    TimedOut,
    Cancelled,
    /// Whoever took its output wanted no more. It may have ended by itself before this took effect.
    Refused,
}

/// How many pieces of output may wait; a process that writes faster than we read waits in turn.
const QUEUE: usize = 16;

/// How often it is looked whether somebody is left who holds no pipe: nobody tells when such a one ends.
const LOOK: Duration = Duration::from_millis(20);

/// The most bytes that are read at once.
const PIECE: usize = 64 << 10;

enum Happened {
    Read(Pipe, Vec<u8>),
    Closed,
    /// The process ended; its group may live on.
    Ended,
    /// Somebody raised the flag.
    Woken,
}

/// Runs a command in a process group of its own, without stdin, and hands its output to `sink` as it comes. When this
/// returns nothing of the group runs any more, however it ended; output of those who left the group is not waited for.
pub(super) fn run(
    command: &mut Command,
    bounds: &Bounds<'_>,
    sink: &mut dyn FnMut(Pipe, &[u8]) -> ControlFlow<()>,
) -> io::Result<End> {
    let (stdout, stderr) = (Output::new()?, Output::new()?);
    command.stdin(Stdio::null()).stdout(stdout.writer).stderr(stderr.writer).process_group(0);
    let child = command.spawn();
    // The command holds the writing ends: nobody would ever come to the end of what is read.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    drop((stdout.inherited, stderr.inherited));
    let group = Group { child: child?, gone: false };
    let (sender, receiver) = sync_channel(QUEUE);
    let waker = sender.clone();
    // A full queue wakes as well.
    let _watch = bounds.cancel.watch(move || drop(waker.try_send(Happened::Woken)));
    group.report(stdout.reader, stderr.reader, &sender)?;
    drop(sender);
    Run { group, bounds, open: 2, ended: None, stop: None, rung: 0, killed: None, struck: false }.watch(&receiver, sink)
}

/// Whether one of a group, in which somebody is, is more than dead and waited for by nobody: in a container nobody may.
/// Where there is no `/proc` to tell, it may be.
fn lives(group: Pid) -> bool {
    let Ok(processes) = std::fs::read_dir("/proc") else { return true };
    let group = group.as_raw_nonzero().to_string();
    let lives = processes.flatten().filter_map(|process| {
        let stat = std::fs::read(process.path().join("stat")).ok()?;
        // Behind the name, which may hold anything, stand the state, the parent and the group; the threads are the eighteenth.
        let stat = String::from_utf8_lossy(&stat);
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let (state, of, threads) = (*fields.first()?, *fields.get(2)?, *fields.get(17)?);
        // The first thread may be dead, and others not.
        (of == group).then_some(threads != "1" || !["Z", "X"].contains(&state))
    });
    let lives: Vec<bool> = lives.collect();
    lives.is_empty() || lives.contains(&true)
}

/// A child and its group, which do not outlive this value.
struct Group {
    child: Child,
    /// Whether nobody was left of it: then its number may be another's.
    gone: bool,
}

impl Group {
    fn signal(&self, signal: Signal) {
        if self.gone {
            return;
        }
        // It fails where nobody is left, which is fine, and where the process became somebody else's (`sudo`).
        let _ = kill_process_group(Pid::from_child(&self.child), signal);
    }

    /// Whether anybody is left. The process itself, where it has ended, is reaped for that: it would count.
    fn is_left(&mut self) -> bool {
        let _ = self.child.try_wait();
        let group = Pid::from_child(&self.child);
        self.gone = self.gone || test_kill_process_group(group) == Err(Errno::SRCH);
        !self.gone && lives(group)
    }

    /// Kills whoever is left, and says whether anybody was.
    fn kill(&mut self) -> bool {
        let left = self.is_left();
        // Also whom nobody could see.
        self.signal(Signal::KILL);
        left
    }

    /// Starts the threads that read and wait. They end with what they read and wait for; where a process that left the
    /// group holds a pipe, that is after our own end.
    fn report(&self, stdout: PipeReader, stderr: PipeReader, sender: &SyncSender<Happened>) -> io::Result<()> {
        spawn("stdout", sender, move |sender| read(stdout, Pipe::Stdout, sender))?;
        spawn("stderr", sender, move |sender| read(stderr, Pipe::Stderr, sender))?;
        let pid = Pid::from_child(&self.child);
        spawn("wait", sender, move |sender| {
            // Not reaped here, so that the group's id stays ours until it is looked who is left.
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            while waitid(WaitId::Pid(pid), options).is_err_and(|error| error == Errno::INTR) {}
            let _ = sender.send(Happened::Ended);
        })
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
        let _ = self.child.try_wait();
    }
}

fn spawn(
    name: &str,
    sender: &SyncSender<Happened>,
    work: impl FnOnce(&SyncSender<Happened>) + Send + 'static,
) -> io::Result<()> {
    let sender = sender.clone();
    thread::Builder::new().name(name.to_owned()).spawn(move || work(&sender)).map(drop)
}

fn read(mut from: impl Read, pipe: Pipe, sender: &SyncSender<Happened>) {
    let mut buffer = vec![0; PIECE];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => {
                if sender.send(Happened::Read(pipe, buffer[..count].to_vec())).is_err() {
                    return;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    let _ = sender.send(Happened::Closed);
}

/// Why a process is being stopped, and how: since when by which steps.
#[derive(Debug, Clone, Copy)]
struct Stopping {
    why: Stop,
    ladder: (Instant, Escalation),
    /// The same, where it was cancelled when it was being stopped already.
    hurried: Option<(Instant, Escalation)>,
}

/// A process under way.
struct Run<'a> {
    group: Group,
    bounds: &'a Bounds<'a>,
    /// How many pipes are open.
    open: usize,
    /// Since when the process itself has ended.
    ended: Option<Instant>,
    stop: Option<Stopping>,
    /// How many of the signals were sent.
    rung: usize,
    /// Since when the group is killed.
    killed: Option<Instant>,
    /// Whether anybody was left to be killed.
    struck: bool,
}

impl Run<'_> {
    fn watch(
        mut self,
        receiver: &Receiver<Happened>,
        sink: &mut dyn FnMut(Pipe, &[u8]) -> ControlFlow<()>,
    ) -> io::Result<End> {
        loop {
            let next = self.advance(Instant::now());
            if self.over(Instant::now()) {
                // What was read by now counts, though not all that somebody else may still write.
                receiver.try_iter().take(2 * QUEUE).for_each(|happened| self.note(happened, sink));
                return self.conclude();
            }
            let happened = match next {
                Some(at) => receiver.recv_timeout(at.saturating_duration_since(Instant::now())),
                None => receiver.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match happened {
                Ok(happened) => self.note(happened, sink),
                Err(RecvTimeoutError::Timeout) => {}
                // The watch holds a sender, so that this cannot be; if it were, all is read.
                Err(RecvTimeoutError::Disconnected) => return self.conclude(),
            }
        }
    }

    fn note(&mut self, happened: Happened, sink: &mut dyn FnMut(Pipe, &[u8]) -> ControlFlow<()>) {
        match happened {
            Happened::Read(pipe, bytes) => {
                if sink(pipe, &bytes).is_break() {
                    self.stop(Stop::Refused);
                }
            }
            Happened::Closed => self.open = self.open.saturating_sub(1),
            Happened::Ended => self.ended = Some(Instant::now()),
            Happened::Woken => {}
        }
    }

    /// Does what is due now, and returns when something will be due next.
    fn advance(&mut self, now: Instant) -> Option<Instant> {
        let bounds = self.bounds;
        if bounds.cancel.is_set() {
            self.stop(Stop::Cancelled);
        }
        if self.ended.is_none() && bounds.deadline.is_some_and(|deadline| now >= deadline) {
            self.stop(Stop::TimedOut);
        }
        if let Some(killed) = self.killed {
            return killed.checked_add(bounds.grace.drain);
        }
        match (self.stop, self.ended) {
            (Some(stopping), ended) => {
                let next = self.escalate(stopping, now);
                if ended.is_some() && self.open == 0 { now.checked_add(LOOK) } else { next }
            }
            (None, Some(ended)) => self.kill_at(ended.checked_add(bounds.grace.drain), now),
            (None, None) => bounds.deadline,
        }
    }

    /// Begins to stop a process that has not ended yet. Where it has, there is only its output left to be cut off. One that
    /// is cancelled while it is being stopped has no more time from then on than if that were all.
    fn stop(&mut self, why: Stop) {
        let Grace { timed_out, cancelled, .. } = self.bounds.grace;
        let ladder = (Instant::now(), if why == Stop::Cancelled { cancelled } else { timed_out });
        match &mut self.stop {
            Some(stopping) if why == Stop::Cancelled && stopping.why != why => {
                stopping.hurried.get_or_insert(ladder);
            }
            None if self.killed.is_none() => match self.ended {
                None => self.stop = Some(Stopping { why, ladder, hurried: None }),
                Some(_) => self.kill(),
            },
            Some(_) | None => {}
        }
    }

    /// Sends the signals that are due: by the time since the stop, and one more for each time that we are asked again.
    fn escalate(&mut self, stopping: Stopping, now: Instant) -> Option<Instant> {
        let ladders = [Some(stopping.ladder), stopping.hurried];
        let urgent = self.bounds.cancel.asked();
        while let Some(signal) = [Signal::INT, Signal::TERM, Signal::KILL].get(self.rung) {
            let due = ladders.iter().flatten().filter_map(|(since, how)| since.checked_add(how.until(self.rung)));
            let at = due.min();
            if self.rung >= urgent && at.is_none_or(|at| now < at) {
                return at;
            }
            self.rung += 1;
            match *signal {
                Signal::KILL => self.kill(),
                signal => self.group.signal(signal),
            }
        }
        self.killed.and_then(|killed| killed.checked_add(self.bounds.grace.drain))
    }

    fn kill_at(&mut self, at: Option<Instant>, now: Instant) -> Option<Instant> {
        if at.is_some_and(|at| now >= at) {
            self.kill();
            return self.killed.and_then(|killed| killed.checked_add(self.bounds.grace.drain));
        }
        at
    }

    fn kill(&mut self) {
        self.struck |= self.group.kill();
        self.killed = Some(Instant::now());
    }

    /// Whether there is nothing left to wait for, or nothing that may be waited for.
    fn over(&mut self, now: Instant) -> bool {
        let drained = self.killed.and_then(|killed| killed.checked_add(self.bounds.grace.drain));
        (self.ended.is_some() && self.open == 0 && !self.lingers()) || drained.is_some_and(|at| now >= at)
    }

    /// Whether some of the group still end as they were asked to, although the process itself has ended.
    fn lingers(&mut self) -> bool {
        self.stop.is_some() && self.killed.is_none() && self.group.is_left()
    }

    fn conclude(mut self) -> io::Result<End> {
        self.struck |= self.group.kill();
        let status = match self.ended {
            Some(_) => Some(self.group.child.wait()?),
            None => self.group.child.try_wait()?,
        };
        let how = match (self.stop, status) {
            (Some(stopping), _) => Ended::Stopped(stopping.why),
            (None, Some(status)) => ended(status),
            (None, None) => Ended::Signalled(Signal::KILL.as_raw()),
        };
        let code = status.and_then(|status| status.code()).filter(|_| !self.struck);
        Ok(End { how, code, whole: self.open == 0 })
    }
}

fn ended(status: ExitStatus) -> Ended {
    match (status.code(), status.signal()) {
        (Some(code), _) => Ended::Exited(code),
        (None, signal) => Ended::Signalled(signal.unwrap_or_default()),
    }
}

mod output;
#[cfg(test)]
mod tests;
