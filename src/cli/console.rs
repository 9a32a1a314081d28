//! What is printed, and where: results to standard output, all else to standard error; live lines of steps, as a
//! terminal, a log or GitHub Actions wants them.

use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::sync::Mutex;

use anstream::{eprint, eprintln, print, println};

use super::environment;
use crate::exec::Console;

const RED: &str = "\u{1b}[1;31m";
const YELLOW: &str = "\u{1b}[1;33m";
const CYAN: &str = "\u{1b}[36m";
const DIM: &str = "\u{1b}[2m";
const RESET: &str = "\u{1b}[0m";

/// Prints a line of the result.
pub(super) fn line(text: impl std::fmt::Display) {
    println!("{text}");
}

/// Prints a line of the result that may quote what strangers wrote.
pub(super) fn told(text: impl std::fmt::Display) {
    println!("{}", said(&text.to_string()));
}

/// Prints text of the result as it is.
pub(super) fn text(text: &str) {
    print!("{text}");
}

/// Prints JSON.
pub(super) fn json(value: &serde_json::Value) {
    line(super::output::harmless(&format!("{value:#}")));
}

/// Says something beside the result.
pub(super) fn note(text: impl std::fmt::Display) {
    eprintln!("{}", said(&text.to_string()));
}

/// Prints text beside the result as it is.
pub(super) fn warn_text(text: &str) {
    eprint!("{text}");
}

/// Says what went wrong.
pub(super) fn error(text: &str) {
    eprintln!("{RED}error{RESET}: {}", said(text));
}

/// Says what may be wrong.
pub(super) fn warning(text: &str) {
    eprintln!("{YELLOW}warning{RESET}: {}", said(text));
}

/// Says what to do.
pub(super) fn help(text: &str) {
    eprintln!("  {CYAN}help{RESET}: {}", said(text));
}

/// Whether standard output shows colours.
pub(super) fn colored() -> bool {
    anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never
}

/// Whether standard error shows colours.
pub(super) fn colored_errors() -> bool {
    anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never
}

/// Whether standard output is a terminal, and how wide it is.
pub(super) fn width() -> Option<usize> {
    let columns = || environment::variable("COLUMNS").and_then(|columns| columns.parse().ok());
    std::io::stdout().is_terminal().then(|| columns().unwrap_or(100))
}

/// The live text of steps: each line with its layer on a terminal and in logs; on GitHub Actions guarded, so that no
/// line of a step is taken for a command to the runner.
pub(super) struct Live {
    /// The token that ends the guard, on GitHub Actions.
    guard: Option<String>,
    lock: Mutex<()>,
}

impl Live {
    /// The console of this process.
    pub(super) fn new() -> Self {
        let guard = environment::on_actions().then(super::output::random);
        if let Some(guard) = &guard {
            eprintln!("::stop-commands::{guard}");
        }
        Self { guard, lock: Mutex::new(()) }
    }

    fn print(&self, text: &str) {
        let _one_at_a_time = self.lock.lock();
        eprint!("{text}");
    }

    fn prefix(label: &str) -> String {
        format!("{CYAN}{label}{RESET} {DIM}│{RESET} ")
    }
}

impl Console for Live {
    fn begin(&self, label: &str, title: &str) {
        let title = printable(title);
        match &self.guard {
            // Layers run side by side and groups cannot nest, so a group is one heading with nothing inside.
            Some(guard) => {
                self.print(&format!("::{guard}::\n::group::{label}: {title}\n::endgroup::\n::stop-commands::{guard}\n"))
            }
            None => self.print(&format!("{}{DIM}$ {title}{RESET}\n", Self::prefix(label))),
        }
    }

    fn line(&self, label: &str, line: &str) {
        let line = printable(line);
        match &self.guard {
            Some(_) => self.print(&format!("{label} │ {line}\n")),
            None => self.print(&format!("{}{line}\n", Self::prefix(label))),
        }
    }

    fn end(&self, _label: &str) {}
}

impl Drop for Live {
    fn drop(&mut self) {
        if let Some(guard) = &self.guard {
            eprintln!("::{guard}::");
        }
    }
}

/// Text that may quote what strangers wrote: nothing in it moves a cursor, or is a command to GitHub's runner, which
/// obeys lines that begin with `::` and lines that hold `##[` anywhere.
fn said(text: &str) -> String {
    let lines = text.split('\n').map(|line| {
        let line = printable(line).replace("##[", "## [");
        if line.trim_start().starts_with("::") { format!("…{line}") } else { line }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A line without the control characters that move a cursor or retitle a window; colours stay.
fn printable(line: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find(|c: char| c.is_control() && c != '\t') {
        shown.push_str(&rest[..at]);
        let tail = &rest[at..];
        let color = tail.strip_prefix("\u{1b}[").and_then(|codes| {
            let end = codes.find(|c: char| !c.is_ascii_digit() && c != ';')?;
            codes[end..].starts_with('m').then_some(2 + end + 1)
        });
        match color {
            Some(length) => {
                shown.push_str(&tail[..length]);
                rest = &tail[length..];
            }
            None => {
                let control = tail.chars().next().unwrap_or_default();
                let _infallible = write!(shown, "{}", control.escape_default());
                rest = &tail[control.len_utf8()..];
            }
        }
    }
    shown.push_str(rest);
    shown
}

#[cfg(test)]
mod tests {
    use super::{printable, said};

    #[test]
    fn what_is_said_is_no_command_to_the_runner() {
        assert_eq!(
            said("in `/plan ##[add-path]/tmp`\n::add-path::/tmp"),
            "in `/plan ## [add-path]/tmp`\n…::add-path::/tmp"
        );
    }

    #[test]
    fn only_colours_pass() {
        assert_eq!(printable("\u{1b}[31mred\u{1b}[0m"), "\u{1b}[31mred\u{1b}[0m");
        assert_eq!(printable("\u{1b}]0;title\u{7}x\u{1b}[2J"), "\\u{1b}]0;title\\u{7}x\\u{1b}[2J");
        assert_eq!(printable("a\u{1b}"), "a\\u{1b}");
    }
}
