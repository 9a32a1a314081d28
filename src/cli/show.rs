//! `ci show`: the dashboard of a pull request.

mod gates;

use super::args::{Global, PullArg, sha};
use super::session::{About, Session};
use super::stop::Stop;
use super::{ExitStatus, console, ended};
use crate::model::ids::{PullNumber, Sha};
use crate::render;

const EXAMPLES: &str = "\
Examples:
  ci show --pr 7
  ci show --pr 7 --format html > dashboard.html   as GitHub shows it, to see what a template does";

/// Show the dashboard of a pull request.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    pull: PullArg,

    /// The commit [default: the pull request's head].
    #[arg(long, value_name = "SHA", value_parser = sha)]
    sha: Option<Sha>,

    /// How to show it [default: terminal on a terminal, else md].
    #[arg(long, value_enum)]
    format: Option<Format>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// The comment itself.
    Md,
    /// Versioned data.
    Json,
    /// One page that looks as GitHub shows it.
    Html,
    /// A table.
    Terminal,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<ExitStatus, Stop> {
    let number = PullNumber(args.pull.pr);
    let session = Session::open(global, About::pull(number))?;
    // The journal of a commit that is named can be read whatever is known of the pull request.
    let (sha, pull) = match &args.sha {
        Some(named) => (named.clone(), session.known_pull(number).ok()),
        None => {
            let pull = session.known_pull(number)?;
            (pull.head_sha.clone(), Some(pull))
        }
    };
    let project = &session.project;
    let local = session.local()?.is_some();
    let dashboard = session.dashboard(sha, Some(number))?;
    let recorded = dashboard.read()?;
    let board = dashboard.board(&recorded);
    let pull = pull.filter(|pull| pull.head_sha == dashboard.sha);
    // Nothing mends what an earlier commit's rows say, and nobody asks it any more.
    let remedy = if pull.is_some() { format!("; `ci sync --pr {number}` mends the row") } else { String::new() };
    let page = dashboard.page(&board, &recorded);
    let standard = if console::width().is_some() { Format::Terminal } else { Format::Md };
    match args.format.unwrap_or(standard) {
        Format::Md => console::line(dashboard.markdown(&recorded)),
        Format::Json => console::json(&render::json(&page)),
        Format::Html => {
            let title = format!("{} #{number}", project.rules.dashboard.title);
            console::text(&render::html(&dashboard.markdown(&recorded), &title));
        }
        Format::Terminal => {
            console::text(&render::terminal(&page, console::width().unwrap_or(100), console::colored()));
            if let Some(pull) = pull {
                let actor = session.actor()?;
                let found = gates::found(&dashboard, (&board, &recorded), &pull, &actor);
                console::text(&render::gates(&found, &actor, console::colored()));
            }
        }
    }
    if local && args.sha.is_none() {
        tell_what_stands_here(&session, &dashboard.sha);
    }
    // There it costs nothing to look.
    for entry in if local { ended::outcomes(&dashboard)? } else { Vec::new() } {
        let subject = dashboard.subject(&entry);
        console::note(format!("{subject}: its run has ended without a word{remedy}"));
    }
    Ok(ExitStatus::Done)
}

/// A local pull request's head is what stood here when it was last worked for.
fn tell_what_stands_here(session: &Session, shown: &Sha) {
    if let Some(here) = session.workspace_sha().ok().filter(|here| here != shown) {
        let (shown, here) = (shown.short(), here.short());
        console::note(format!("this is of {shown}; here stands {here}, which the next `ci try` makes the head"));
    }
}
