//! The definition of the command line: help, completions and the parser are all made from it.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::model::event::Event;
use crate::model::ids::{RunId, Sha};

use super::{
    check_config, completions, doctor, environment, explain, init, new, parse, run, schema, show, sync, test, try_,
    update,
};

const AFTER_HELP: &str = "\
Exit codes:
  0  done
  1  the work failed
  2  the input is wrong, or the git of this machine cannot do its part
  3  the forge failed
  4  refused: by a gate, or a command that does not fit, such as one of a layer that is not there

Any command of ci.toml can be typed too: `ci plan platform --pr 7` is the comment `/plan platform` on pull request 7.";

/// Runs a repository's infrastructure pipeline from ci.toml and keeps one honest dashboard for each commit.
#[derive(Debug, Parser)]
#[command(name = "ci", version, after_help = AFTER_HELP, max_term_width = 100, disable_help_subcommand = true)]
pub(super) struct Cli {
    #[command(flatten)]
    pub(super) global: Global,

    /// When to use colours.
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, help_heading = "Options of every command")]
    pub(super) color: Color,

    #[command(subcommand)]
    pub(super) command: Command,
}

/// What every command takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Options of every command")]
pub(super) struct Global {
    /// The configuration; else `ci.toml` in this folder or one above.
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,

    /// Work as if started in this folder.
    #[arg(short = 'C', global = true, value_name = "DIR")]
    pub(super) directory: Option<PathBuf>,

    /// Where pull requests live: `github`, `local` or `local:DIR` [default: github where GITHUB_TOKEN or GH_TOKEN is set].
    #[arg(long, global = true, value_name = "FORGE")]
    pub(super) forge: Option<String>,

    /// The repository on GitHub [default: `GITHUB_REPOSITORY`, else the remote `origin`, else that of the event].
    #[arg(long, global = true, value_name = "OWNER/NAME")]
    pub(super) repository: Option<String>,

    /// The repository that an event tells of, where nobody says which is meant.
    #[arg(skip)]
    pub(super) event_repository: Option<String>,

    /// Which ci.toml judges a pull request on GitHub: that at the tip of its base, or the file that stands here.
    #[arg(long, global = true, value_enum, default_value_t = ConfigFrom::Base)]
    pub(super) config_from: ConfigFrom,

    /// Say more about what is done and why.
    #[arg(long, global = true)]
    pub(super) verbose: bool,
}

impl Global {
    /// The same for what an event asks for.
    pub(super) fn about(&self, event: &Event) -> Self {
        Self { event_repository: event.repository().map(str::to_owned), ..self.clone() }
    }
}

/// Which ci.toml counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ConfigFrom {
    /// That at the tip of the pull request's base branch.
    Base,
    /// The file that stands here.
    File,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Color {
    pub(super) fn write_global(self) {
        match self {
            Self::Auto => anstream::ColorChoice::Auto,
            Self::Always => anstream::ColorChoice::Always,
            Self::Never => anstream::ColorChoice::Never,
        }
        .write_global();
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Handle an event: match it, ask the gates, run the handlers, keep the dashboard.
    Run(run::Args),
    /// Decide only, gates included, and print what `ci run` would do.
    Parse(parse::Args),
    /// Create the dashboard of a pull request's head commit.
    Init(init::Args),
    /// Report to a row, for jobs that `ci` does not run.
    Update(update::Args),
    /// Show the dashboard of a pull request.
    Show(show::Args),
    /// Make the rows and the comment of a pull request true again.
    Sync(sync::Args),
    /// Say what is wrong with the token, its permissions and a dashboard, and how to mend it.
    Doctor(doctor::Args),
    /// Report every problem of ci.toml, its templates and its tests.
    CheckConfig(check_config::Args),
    /// Run the `[[tests]]` of ci.toml, a line each.
    Test(test::Args),
    /// Explain a decision, rule by rule and condition by condition, offline.
    Explain(explain::Args),
    /// Do what a comment would do, for real, on this machine.
    Try(try_::Args),
    /// Print the JSON schema of ci.toml.
    Schema(schema::Args),
    /// Write a commented ci.toml to start from.
    New(new::Args),
    /// Print shell completions.
    Completions(completions::Args),
    #[command(external_subcommand)]
    Words(Vec<OsString>),
}

/// Which pull request.
#[derive(Debug, Clone, Args)]
pub(super) struct PullArg {
    /// The pull request's number.
    #[arg(long = "pr", value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) pr: u64,
}

/// A run, as flags name it: without an attempt the one that this process is a part of, where it is that run, else the first.
pub(super) fn run_id(text: &str) -> Result<RunId, String> {
    let (id, attempt) = text.split_once('/').unwrap_or((text, "1"));
    let own = environment::run_id().filter(|own| own.id.to_string() == text);
    match (id.parse(), attempt.parse()) {
        (Ok(id), Ok(attempt)) if id > 0 && attempt > 0 => Ok(own.unwrap_or(RunId { id, attempt })),
        _ => Err("write the number of a run, or its number and attempt as in `123/2`".to_owned()),
    }
}

/// A commit, as flags name it. An abbreviation is refused: which commit it stands for may change.
pub(super) fn sha(text: &str) -> Result<Sha, String> {
    Sha::parse(text).ok_or_else(|| "write the whole sha of a commit, as `git rev-parse HEAD` prints it".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Cli;

    /// A list whose lines are wrapped is none any more.
    #[test]
    fn no_line_below_the_options_is_wrapped() {
        for command in Cli::command().get_subcommands() {
            let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            for line in text.lines() {
                assert!(line.chars().count() <= 100, "{}: {line}", command.get_name());
            }
        }
    }
}
