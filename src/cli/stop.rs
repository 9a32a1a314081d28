//! Why a call ends before its work is done: an exit code and what to say on standard error.

use std::fmt::Display;

use super::ExitStatus;
use crate::forge;

/// The end of a call.
#[derive(Debug)]
pub(super) struct Stop {
    pub(super) status: ExitStatus,
    /// What went wrong and what to do; empty where all was said before.
    message: String,
    help: Option<String>,
}

impl Stop {
    pub(super) fn usage(message: impl Display) -> Self {
        Self { status: ExitStatus::Usage, message: message.to_string(), help: None }
    }

    pub(super) fn failed(message: impl Display) -> Self {
        Self { status: ExitStatus::Failed, message: message.to_string(), help: None }
    }

    pub(super) fn forge(message: impl Display) -> Self {
        Self { status: ExitStatus::Forge, message: message.to_string(), help: None }
    }

    /// An end before there was anything to do, which is no failure.
    pub(super) fn nothing_to_do(message: impl Display) -> Self {
        Self { status: ExitStatus::Done, message: message.to_string(), help: None }
    }

    /// An end of which everything was said already.
    pub(super) fn silent(status: ExitStatus) -> Self {
        Self { status, message: String::new(), help: None }
    }

    pub(super) fn help(mut self, help: impl Display) -> Self {
        self.help = Some(help.to_string());
        self
    }

    pub(super) fn report(&self) {
        if self.message.is_empty() {
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
        Self::forge(error)
    }
}

impl std::fmt::Display for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}
