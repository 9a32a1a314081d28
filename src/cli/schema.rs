//! `ci schema`: the JSON schema of ci.toml.

use super::stop::Stop;
use super::{ExitStatus, console};
use crate::config;

/// Print the JSON schema of ci.toml, for editors.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  ci schema > ci.schema.json   then begin ci.toml with `#:schema ./ci.schema.json`")]
pub(super) struct Args {
    /// Print the reference of every key instead, as markdown.
    #[arg(long)]
    reference: bool,
}

pub(super) fn run(args: &Args) -> Result<ExitStatus, Stop> {
    if args.reference {
        console::text(&config::reference());
    } else {
        console::line(format!("{:#}", config::schema()));
    }
    Ok(ExitStatus::Done)
}
