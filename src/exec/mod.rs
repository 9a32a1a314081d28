//! Processes: what a handler's steps say is done here, with redaction before anything leaves, time-outs, process groups
//! and cancellation. It does not know what the forge is, how a row is written or how a terminal looks: text goes to a
//! [`Console`], results come back as values.

pub(crate) mod cancel;
#[cfg(test)]
mod fixture;
mod folder;
mod forms;
pub(crate) mod job;
pub(crate) mod pool;
mod process;
pub(crate) mod redact;
mod step;
pub(crate) mod text;

use std::ffi::OsString;
use std::time::Duration;

use cancel::Cancel;
use redact::Redactor;

/// Where live text goes. Calls come from several threads, those with one label from one thread at a time.
///
/// Text is redacted, and a line holds neither line feed nor carriage return; all else is what the process wrote, and
/// therefore untrusted. On GitHub Actions a line such as `::add-path::…` or `##[…]` is a command to the runner, wherever
/// it comes from, so whoever writes there must first write `::stop-commands::TOKEN`, with a token from a random source
/// and new in each run, and `::TOKEN::` before each command of its own (`::group::` and the like), and stop them again.
/// On a terminal, escape sequences other than colours must not be passed on.
pub(crate) trait Console: Sync {
    /// A step begins; `title` is its command line.
    fn begin(&self, label: &str, title: &str);
    /// A line of the step under way.
    fn line(&self, label: &str, line: &str);
    /// The step has ended.
    fn end(&self, label: &str);
}

/// What every step needs of the world around it.
#[derive(Clone, Copy)]
pub(crate) struct Exec<'a> {
    pub(crate) redactor: &'a Redactor,
    pub(crate) cancel: &'a Cancel,
    pub(crate) console: &'a dyn Console,
    /// The environment of this process, from which steps inherit all but tokens.
    pub(crate) environment: &'a [(OsString, OsString)],
    pub(crate) grace: Grace,
}

/// How long processes may take to end once they were asked to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grace {
    /// After a time-out.
    pub(crate) timed_out: Escalation,
    /// After a cancellation: GitHub's runner ends everything 9 seconds after its first signal, and the rows are still to
    /// be written then.
    pub(crate) cancelled: Escalation,
    /// How long output is still read after the process ended, while others keep its pipes open.
    pub(crate) drain: Duration,
}

/// The time between the signals that end a process group.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Escalation {
    /// From SIGINT to SIGTERM.
    pub(crate) interrupt: Duration,
    /// From SIGTERM to SIGKILL.
    pub(crate) terminate: Duration,
}

impl Escalation {
    /// From the first signal to the one that many after it.
    fn until(self, signal: usize) -> Duration {
        match signal {
            0 => Duration::ZERO,
            1 => self.interrupt,
            _ => self.interrupt.saturating_add(self.terminate),
        }
    }
}

impl Default for Grace {
    fn default() -> Self {
        Self {
            timed_out: Escalation { interrupt: Duration::from_secs(10), terminate: Duration::from_secs(5) },
            cancelled: Escalation { interrupt: Duration::from_secs(5), terminate: Duration::from_secs(1) },
            drain: Duration::from_secs(1),
        }
    }
}
