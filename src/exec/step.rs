//! One step of a handler: its values rendered, its process run, its output redacted, shown, kept and captured. It does
//! not know what comes before or after it, or which row it reports to.

use std::io;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail};
use serde_json::Value;

use super::process::{self, Bounds, End, Ended, Pipe, Stop};
use super::redact::{Redactor, Stream};
use super::text::{Complaint, HeadTail, Lines};
use super::{Exec, folder};
use crate::expr::{self, Scope};
use crate::model::rules::{Handler, Step, Template};

/// The most that a capture holds, in bytes.
const CAPTURE: usize = 64 << 20;

/// The most that is kept of what a step printed in case it fails, in bytes.
const PRINTED: usize = 64 << 10;

/// The most characters of a command line that are shown as a title.
const TITLE: usize = 200;

/// What a step shares with the others of its handler.
pub(super) struct Setting<'a> {
    pub(super) exec: &'a Exec<'a>,
    pub(super) label: &'a str,
    pub(super) handler: &'a Handler,
    pub(super) root: &'a Path,
    /// When the first step began.
    pub(super) began: Instant,
}

/// How a step ended. Texts are redacted.
#[derive(Debug, PartialEq)]
pub(super) enum StepEnd {
    Done {
        /// Whether the exit code says that there are changes.
        changed: bool,
        capture: Option<Value>,
    },
    /// What failed, and how.
    Failed(String),
    Cancelled,
}

/// Runs a step; what it prints is added to `output` where the step says so, or where it fails.
pub(super) fn run(step: &Step, scope: &Scope, setting: &Setting<'_>, output: &mut HeadTail) -> StepEnd {
    let redactor = setting.exec.redactor;
    match attempt(step, scope, setting, output) {
        Ok(StepEnd::Failed(note)) => StepEnd::Failed(redactor.redact(&note)),
        Ok(end) => end,
        Err(error) => StepEnd::Failed(redactor.redact(&format!("{error:#}"))),
    }
}

fn attempt(step: &Step, scope: &Scope, setting: &Setting<'_>, output: &mut HeadTail) -> anyhow::Result<StepEnd> {
    let exec = setting.exec;
    let argv = argv(step, scope)?;
    let name = name(&argv, exec.redactor);
    let mut command = command(&argv, step, scope, setting)?;
    let limit = Limit::of(step, setting);
    if limit.deadline.is_some_and(|deadline| deadline <= Instant::now()) {
        bail!("`{name}` was not started: {}", limit.over());
    }
    let bounds = Bounds { deadline: limit.deadline, cancel: exec.cancel, grace: exec.grace };
    if !step.quiet {
        exec.console.begin(setting.label, &title(&argv, exec.redactor));
    }
    let mut printed = HeadTail::within(PRINTED);
    let mut recorder = Recorder::new(step, setting, if step.output { &mut *output } else { &mut printed });
    let ended = process::run(&mut command, &bounds, &mut |pipe, bytes| recorder.take(pipe, bytes));
    recorder.finish();
    if !step.quiet {
        exec.console.end(setting.label);
    }
    let ended = ended.map_err(|error| not_started(&name, &error))?;
    let end = recorder.conclude(step, ended, &name, &limit);
    if matches!(end, StepEnd::Failed(_)) {
        output.push(printed.text().as_bytes());
    }
    Ok(end)
}

/// The rendered argv. What stands in ci.toml may hold line feeds, as scripts do; what values bring in may not.
fn argv(step: &Step, scope: &Scope) -> anyhow::Result<Vec<String>> {
    let render = |template: &Template| {
        let text = expr::render(template, scope)?;
        let foreign = |c: &char| *c == '\0' || (c.is_control() && !template.source.contains(*c));
        match text.chars().find(foreign) {
            Some(c) => {
                bail!("`{}` renders to a text with the control character {c:?}, which is refused", template.source)
            }
            None => Ok(text),
        }
    };
    step.run.iter().map(render).collect()
}

/// The process that a step says: program, arguments, folder and environment.
fn command(argv: &[String], step: &Step, scope: &Scope, setting: &Setting<'_>) -> anyhow::Result<Command> {
    let (program, arguments) = argv.split_first().context("`run` is empty")?;
    if program.is_empty() {
        bail!("the program of `run` is empty");
    }
    let below = expr::render(&setting.handler.dir, scope)?;
    let deeper = step.dir.as_ref().map(|dir| expr::render(dir, scope)).transpose()?;
    let folder = folder::inside(setting.root, &[&below, deeper.as_deref().unwrap_or(".")])?;
    // Whether a relative program is looked for from here or from there is not the same on every system.
    let mut command = match program.contains('/') {
        true => Command::new(folder.join(program)),
        false => Command::new(program),
    };
    command.args(arguments).current_dir(folder).env_clear();
    let inherited = setting.exec.environment.iter().filter(|(name, _)| inherits(name.as_encoded_bytes(), step));
    command.envs(inherited.map(|(name, value)| (name, value)));
    for (name, value) in setting.handler.env.iter().chain(&step.env) {
        let value = expr::render(value, scope)?;
        if value.contains('\0') {
            bail!("the environment variable `{name}` would hold the control character '\\0', which is refused");
        }
        command.env(name, value);
    }
    Ok(command)
}

/// Whether a step sees a variable of our own environment.
fn inherits(name: &[u8], step: &Step) -> bool {
    match name {
        b"CI_MEMBERS_TOKEN" => false,
        // Steps run the pull request's code: it must not speak to the jobs that follow in our name.
        b"GITHUB_OUTPUT" | b"GITHUB_ENV" | b"GITHUB_PATH" | b"GITHUB_STATE" | b"GITHUB_STEP_SUMMARY" => false,
        b"GITHUB_TOKEN" | b"GH_TOKEN" => step.token,
        name if name.starts_with(b"ACTIONS_ID_TOKEN_") => step.oidc,
        name => !name.starts_with(b"ACTIONS_"),
    }
}

/// The program as people know it, with its subcommand. Redacted before it is cut, lest half a secret is left.
fn name(argv: &[String], redactor: &Redactor) -> String {
    let mut words = argv.iter().map(|text| redactor.redact(text));
    let program = words.next().unwrap_or_default();
    let program = program.rsplit('/').next().unwrap_or_default();
    let word = |text: &String| {
        text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
    };
    match words.next().filter(word) {
        Some(subcommand) => format!("{program} {subcommand}"),
        None => program.to_owned(),
    }
}

/// The command line in one line.
fn title(argv: &[String], redactor: &Redactor) -> String {
    let line = redactor.redact(&argv.join(" "));
    line.chars().map(|c| if c.is_control() { ' ' } else { c }).take(TITLE).collect()
}

fn not_started(name: &str, error: &io::Error) -> anyhow::Error {
    if error.kind() == io::ErrorKind::NotFound {
        return anyhow!("`{name}` was not found: install it, or write the program's path in `run`");
    }
    if error.kind() == io::ErrorKind::PermissionDenied {
        return anyhow!("`{name}` cannot be executed: is its file executable?");
    }
    anyhow!("cannot run `{name}`: {error}")
}

/// The time that a step has: its own, or what is left of its handler's.
struct Limit {
    deadline: Option<Instant>,
    /// Its own, where that ends first.
    own: Option<Duration>,
    whole: Duration,
}

impl Limit {
    fn of(step: &Step, setting: &Setting<'_>) -> Self {
        let whole = setting.handler.timeout;
        let last = setting.began.checked_add(whole);
        let own = step.timeout.and_then(|own| Some((own, Instant::now().checked_add(own)?)));
        match own.filter(|(_, own)| last.is_none_or(|last| *own < last)) {
            Some((own, deadline)) => Self { deadline: Some(deadline), own: Some(own), whole },
            None => Self { deadline: last, own: None, whole },
        }
    }

    /// What to say when it is over.
    fn over(&self) -> String {
        match self.own {
            Some(own) => format!("it took longer than its `timeout` of {}", human(own)),
            None => format!("the handler's `timeout` of {} was over", human(self.whole)),
        }
    }
}

/// A duration as ci.toml writes it: `2h`, `1h 30m`, `45s`, `200ms`.
fn human(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let parts = [(seconds / 3600, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")];
    let parts: Vec<String> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count}{unit}")).collect();
    if parts.is_empty() { format!("{}ms", duration.as_millis()) } else { parts.join(" ") }
}

/// Takes what a process prints to where it goes.
struct Recorder<'a> {
    setting: &'a Setting<'a>,
    quiet: bool,
    stdout: Side<'a>,
    stderr: Side<'a>,
    /// The stage's output, or what only a failure adds to it.
    kept: &'a mut HeadTail,
    /// The whole stdout, where it is captured.
    capture: Option<Vec<u8>>,
    /// Whether there was more of it than a capture holds.
    overflow: bool,
    complaint: Complaint,
}

/// One pipe on its way to whole, redacted lines.
struct Side<'r> {
    stream: Stream<'r>,
    lines: Lines,
}

impl<'r> Side<'r> {
    fn new(redactor: &'r Redactor) -> Self {
        Self { stream: redactor.stream(), lines: Lines::default() }
    }
}

impl<'a> Recorder<'a> {
    fn new(step: &Step, setting: &'a Setting<'a>, kept: &'a mut HeadTail) -> Self {
        let redactor = setting.exec.redactor;
        Self {
            setting,
            quiet: step.quiet,
            stdout: Side::new(redactor),
            stderr: Side::new(redactor),
            kept,
            capture: step.capture.as_ref().map(|_| Vec::new()),
            overflow: false,
            complaint: Complaint::default(),
        }
    }

    fn take(&mut self, pipe: Pipe, bytes: &[u8]) -> ControlFlow<()> {
        if let (Pipe::Stdout, Some(capture)) = (pipe, &mut self.capture) {
            if self.overflow || capture.len() + bytes.len() > CAPTURE {
                self.overflow = true;
                return ControlFlow::Break(());
            }
            capture.extend_from_slice(bytes);
        }
        self.pass(pipe, |side, each| {
            let hidden = side.stream.push(bytes);
            side.lines.push(&hidden, each);
        });
        ControlFlow::Continue(())
    }

    /// Passes on what was held back for want of an end.
    fn finish(&mut self) {
        for pipe in [Pipe::Stdout, Pipe::Stderr] {
            self.pass(pipe, |side, each| {
                let hidden = side.stream.finish();
                side.lines.push(&hidden, &mut *each);
                side.lines.finish(each);
            });
        }
    }

    fn pass(&mut self, pipe: Pipe, feed: impl FnOnce(&mut Side<'a>, &mut dyn FnMut(&str))) {
        let Self { setting, quiet, stdout, stderr, kept, complaint, .. } = self;
        let side = match pipe {
            Pipe::Stdout if *quiet => return,
            Pipe::Stdout => stdout,
            Pipe::Stderr => stderr,
        };
        feed(side, &mut |line| {
            if pipe == Pipe::Stderr {
                complaint.look(line);
            }
            if !*quiet {
                setting.exec.console.line(setting.label, line);
                kept.push(line.as_bytes());
                kept.push(b"\n");
            }
        });
    }

    fn conclude(self, step: &Step, end: End, name: &str, limit: &Limit) -> StepEnd {
        let well = |code: &i32| step.ok.contains(code) || step.changed.contains(code);
        let how = match (end.how, end.code.filter(well)) {
            // What ended well with all that it started, although it was asked to stop, is done.
            (Ended::Stopped(Stop::Cancelled), Some(code)) => Ended::Exited(code),
            (Ended::Stopped(Stop::Cancelled), None) => return StepEnd::Cancelled,
            (how, _) => how,
        };
        let capture = step.capture.as_deref().unwrap_or_default();
        // Also where it ended well before it could be stopped: a part must not pass for the whole.
        if self.overflow {
            let most = CAPTURE >> 20;
            return StepEnd::Failed(format!(
                "`{name}` was stopped: `capture = \"{capture}\"` takes {most} MiB at most"
            ));
        }
        let how = match how {
            Ended::Exited(code) if well(&code) => {
                if self.capture.is_some() && !end.whole {
                    let why = "something that it left behind keeps stdout open";
                    return StepEnd::Failed(format!("`capture = \"{capture}\"` of `{name}` may not be whole: {why}"));
                }
                let redactor = self.setting.exec.redactor;
                let capture = self.capture.map(|bytes| captured(bytes, redactor));
                return StepEnd::Done { changed: step.changed.contains(&code), capture };
            }
            Ended::Exited(code) => format!("`{name}` exited with {code}"),
            Ended::Signalled(signal) => match signal_hook::low_level::signal_name(signal) {
                Some(signal) => format!("`{name}` was killed by {signal}"),
                None => format!("`{name}` was killed by signal {signal}"),
            },
            Ended::Stopped(Stop::TimedOut) => {
                return StepEnd::Failed(format!("`{name}` was stopped: {}", limit.over()));
            }
            Ended::Stopped(Stop::Cancelled | Stop::Refused) => format!("`{name}` was stopped"),
        };
        StepEnd::Failed(match self.complaint.line() {
            Some(line) => format!("{how}: {line}"),
            None => how,
        })
    }
}

/// A capture as templates see it: JSON where it is, else trimmed text.
fn captured(bytes: Vec<u8>, redactor: &Redactor) -> Value {
    match serde_json::from_slice(&bytes) {
        Ok(value) => redactor.redact_json(value),
        Err(_) => Value::String(redactor.redact(String::from_utf8_lossy(&bytes).trim())),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::human;

    #[test]
    fn durations_read_as_they_are_written() {
        let cases = [(7200, "2h"), (5400, "1h 30m"), (45, "45s"), (3605, "1h 5s")];
        for (seconds, text) in cases {
            assert_eq!(human(Duration::from_secs(seconds)), text);
        }
        assert_eq!(human(Duration::from_millis(200)), "200ms");
    }
}
