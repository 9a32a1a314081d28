//! Why a call ends before its work is done: an exit code and what to say on standard error.

use std::fmt::Display;

use super::ExitStatus;
use crate::config::Outline;
use crate::diagnostic::Diagnostic;
use crate::forge;
use crate::gate::Trouble;
use crate::render::Reason;

/// The end of a call.
#[derive(Debug)]
pub(super) struct Stop {
    pub(super) status: ExitStatus,
    /// What went wrong.
    message: String,
    /// What to do.
    help: Option<String>,
    /// Where a ci.toml is why, every problem of which was printed: what it is about, as far as that can be told.
    unusable: Option<Outline>,
    /// Whether the forge is unwell.
    outage: bool,
}

impl Stop {
    pub(super) fn usage(message: impl Display) -> Self {
        Self::of(ExitStatus::Usage, message)
    }

    pub(super) fn failed(message: impl Display) -> Self {
        Self::of(ExitStatus::Failed, message)
    }

    pub(super) fn forge(message: impl Display) -> Self {
        Self::of(ExitStatus::Forge, message)
    }

    pub(super) fn refused(message: impl Display) -> Self {
        Self::of(ExitStatus::Refused, message)
    }

    /// An end before there was anything to do, which is no failure.
    pub(super) fn nothing_to_do(message: impl Display) -> Self {
        Self::of(ExitStatus::Done, message)
    }

    /// An end by a ci.toml or a template with these problems, all of which were printed.
    pub(super) fn unusable(problems: &[Diagnostic], outline: Outline) -> Self {
        let Some(first) = problems.first() else { return Self::usage("ci.toml cannot be used") };
        let (line, name) = (first.source.line(first.span.start), &first.source.name);
        let more = match problems.len() {
            1 => String::new(),
            all => format!(" (the first of {all} problems)"),
        };
        let code = first.code.as_str();
        let stop = Self::usage(format_args!("`{code}` in line {line} of `{name}`: {}{more}", first.message));
        Self { unusable: Some(outline), ..stop }
            .help("mend it there; `ci check-config` shows all that is wrong, where that is checked out")
    }

    fn of(status: ExitStatus, message: impl Display) -> Self {
        Self { status, message: message.to_string(), help: None, unusable: None, outage: false }
    }

    pub(super) fn help(mut self, help: impl Display) -> Self {
        self.help = Some(help.to_string());
        self
    }

    /// The same with what to do, where the forge is why and not this machine, of which the message says it.
    pub(super) fn help_unless_here(self, help: impl Display) -> Self {
        if self.status == ExitStatus::Forge { self.help(help) } else { self }
    }

    /// The same where it is the ci.toml of the base, which stands here, that cannot be used.
    pub(super) fn at_base(mut self, branch: &str) -> Self {
        if self.unusable.is_some() {
            self.message.push_str(&format!(", on the base branch `{branch}`"));
        }
        self
    }

    /// The same of a call that did nothing yet, with what to do in an outage.
    pub(super) fn before_anything(self) -> Self {
        self.in_outage("nothing was run; ask again once the forge is well again")
    }

    /// The same of a call that may be made again, with what to do in an outage.
    pub(super) fn made_again(self) -> Self {
        self.in_outage("call it again once the forge is well again; `ci doctor` looks at the way to it")
    }

    fn in_outage(self, help: &str) -> Self {
        if self.outage && self.help.is_none() { self.help(help) } else { self }
    }

    /// Whether a ci.toml is why.
    pub(super) fn is_unusable(&self) -> bool {
        self.unusable.is_some()
    }

    /// Whether a ci.toml is why that is about no comments but those that look like commands.
    pub(super) fn heeds_commands_alone(&self) -> bool {
        self.unusable.as_ref().is_some_and(|outline| !outline.heeds_prose)
    }

    /// Whether a line was probably meant as a command of the ci.toml that cannot be used.
    pub(super) fn concerns(&self, line: &str) -> bool {
        let word = line.split_whitespace().next().and_then(|word| word.strip_prefix('/'));
        self.unusable.iter().flat_map(|outline| &outline.commands).any(|command| Some(command.as_str()) == word)
    }

    /// The end as the reason why a command was not run.
    pub(super) fn reason(&self) -> Reason {
        let code = match (&self.unusable, self.status) {
            (Some(_), _) => "unusable-config",
            (None, ExitStatus::Done) => "nothing-to-do",
            (None, ExitStatus::Failed) => "failed",
            (None, ExitStatus::Usage) => Trouble::Here.code(),
            (None, ExitStatus::Forge) => Trouble::Outage.code(),
            (None, ExitStatus::Refused) => "refused",
        };
        Reason {
            code: code.to_owned(),
            message: self.message.clone(),
            remedy: self.help.clone().unwrap_or_default(),
            layer: None,
        }
    }

    pub(super) fn report(&self) {
        if self.unusable.is_some() {
            return;
        }
        match self.status {
            ExitStatus::Done => super::console::note(&self.message),
            ExitStatus::Failed | ExitStatus::Usage | ExitStatus::Forge | ExitStatus::Refused => {
                super::console::error(&self.message);
            }
        }
        if let Some(help) = &self.help {
            super::console::help(help);
        }
    }
}

impl From<forge::Error> for Stop {
    fn from(error: forge::Error) -> Self {
        if matches!(error, forge::Error::Here(_)) {
            return Self::usage(error);
        }
        Self { outage: error.is_outage(), ..Self::forge(error) }
    }
}

impl std::fmt::Display for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}
