//! The command line: what people and workflows type, and the exit codes they get.

use std::ffi::OsString;
use std::process::ExitCode;

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitStatus {
    /// All is done.
    Done,
    /// The work failed.
    Failed,
    /// The input is wrong.
    Usage,
    /// The forge failed.
    Forge,
    /// A gate refused.
    Refused,
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(match status {
            ExitStatus::Done => 0,
            ExitStatus::Failed => 1,
            ExitStatus::Usage => 2,
            ExitStatus::Forge => 3,
            ExitStatus::Refused => 4,
        })
    }
}

/// Runs one call of the binary: parses the arguments, does it, and says how it ended.
pub fn run(_arguments: impl IntoIterator<Item = OsString>) -> ExitStatus {
    ExitStatus::Done
}
