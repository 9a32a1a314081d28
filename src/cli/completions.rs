//! `ci completions`: shell completions, from the definition of the command line.

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::args::Cli;
use super::stop::Stop;
use super::{ExitStatus, console};

/// Print shell completions.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  ci completions bash > ~/.local/share/bash-completion/completions/ci")]
pub(super) struct Args {
    /// The shell.
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

pub(super) fn run(args: &Args) -> Result<ExitStatus, Stop> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "ci", &mut script);
    console::text(&String::from_utf8_lossy(&script));
    Ok(ExitStatus::Done)
}
