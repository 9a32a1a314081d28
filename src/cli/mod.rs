//! The command line: what people and workflows type, and the exit codes they get. One file holds one command, with its
//! arguments and its function; what they share stands beside them.

mod args;
mod base;
mod board;
mod check_config;
mod completions;
mod console;
mod doctor;
mod ended;
mod environment;
mod explain;
mod facts;
mod handle;
mod init;
mod line;
mod new;
mod output;
mod parse;
mod place;
mod project;
mod run;
mod schema;
mod session;
mod show;
mod stop;
mod sync;
mod test;
mod try_;
mod update;
mod words;
mod work;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};
use stop::Stop;

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
    /// A gate refused, or a command does not fit, such as one of an unknown layer.
    Refused,
}

impl ExitStatus {
    /// The worse of two, where several commands ran: failed work, then a failed forge, then a refusal.
    fn and(self, other: Self) -> Self {
        let rank = |status| match status {
            Self::Usage => 4,
            Self::Failed => 3,
            Self::Forge => 2,
            Self::Refused => 1,
            Self::Done => 0,
        };
        if rank(other) > rank(self) { other } else { self }
    }
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
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitStatus {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors: clap prints them to standard output.
            let wrong = error.use_stderr();
            let printed = error.print();
            return if wrong || printed.is_err() { ExitStatus::Usage } else { ExitStatus::Done };
        }
    };
    cli.color.write_global();
    dispatch(cli).unwrap_or_else(|stop| {
        stop.report();
        stop.status
    })
}

fn dispatch(cli: Cli) -> Result<ExitStatus, Stop> {
    let global = cli.global;
    match cli.command {
        Command::Run(args) => run::run(&global, &args),
        Command::Parse(args) => parse::run(&global, &args).map_err(Stop::made_again),
        Command::Init(args) => init::run(&global, &args).map_err(Stop::made_again),
        Command::Update(args) => update::run(&global, &args).map_err(Stop::made_again),
        Command::Show(args) => show::run(&global, &args).map_err(Stop::made_again),
        Command::Sync(args) => sync::run(&global, &args).map_err(Stop::made_again),
        Command::Doctor(args) => doctor::run(&global, &args),
        Command::CheckConfig(args) => check_config::run(&global, &args),
        Command::Test(args) => test::run(&global, &args),
        Command::Explain(args) => explain::run(&global, &args),
        Command::Try(args) => try_::run(&global, &args),
        Command::Schema(args) => schema::run(&args),
        Command::New(args) => new::run(&global, &args),
        Command::Completions(args) => completions::run(&args),
        Command::Words(words) => words::run(&global, &words),
    }
}
