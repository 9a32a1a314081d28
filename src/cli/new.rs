//! `ci new`: a commented ci.toml to start from.

use std::io::Write as _;

use super::args::Global;
use super::project::{self, NAME};
use super::stop::Stop;
use super::{ExitStatus, console};
use crate::config;

/// Write a commented ci.toml to start from. A file that is there is never overwritten.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  ci new\n  ci -C infra new")]
pub(super) struct Args {}

pub(super) fn run(global: &Global, _args: &Args) -> Result<ExitStatus, Stop> {
    let path = project::directory(global).join(NAME);
    let shown = path.strip_prefix(".").unwrap_or(&path).display();
    let file = std::fs::OpenOptions::new().write(true).create_new(true).open(&path);
    let mut file = file.map_err(|error| {
        if error.kind() == std::io::ErrorKind::AlreadyExists {
            return Stop::usage(format!("`{shown}` is there already"))
                .help("`ci check-config` says whether it is right");
        }
        Stop::failed(format!("cannot create `{shown}`: {error}"))
    })?;
    // The repository's own file names a schema beside it, which a new project does not have.
    let text = config::DEFAULT.split_once('\n').filter(|(first, _)| first.starts_with("#:schema"));
    let text = text.map_or(config::DEFAULT, |(_, rest)| rest);
    file.write_all(text.as_bytes()).map_err(|error| Stop::failed(format!("cannot write `{shown}`: {error}")))?;
    console::line(format!("wrote `{shown}`: change its layers to yours, then run `ci check-config`"));
    Ok(ExitStatus::Done)
}
