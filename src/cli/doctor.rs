//! `ci doctor`: whether all is well between this project and its forge: the token, the rules, and the dashboard of a pull
//! request. It looks and mends nothing; every finding that is none of "good" says what mends it.

mod github;
mod pull;

use serde::Serialize;
use serde_json::json;

use super::args::Global;
use super::place::Place;
use super::session::{About, Session};
use super::stop::Stop;
use super::{ExitStatus, console};
use crate::model::ids::PullNumber;
use crate::render::Reason;

const EXAMPLES: &str = "\
Examples:
  ci doctor             the token, what it may do, the rules
  ci doctor --pr 7      and the dashboard of pull request 7

Exit codes: 0 where nothing is wrong, 1 where there is a problem, 3 where GitHub does not answer.";

/// Say what is wrong between this project and GitHub, and how to mend it.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The pull request whose dashboard is looked at.
    #[arg(long = "pr", value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pr: Option<u64>,

    /// How to show it.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A line for each finding, its remedy below.
    Human,
    /// Versioned data.
    Json,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Severity {
    /// As it should be.
    Good,
    /// Worth knowing; everything works.
    Warning,
    /// Something does not work, or is not true.
    Problem,
}

/// Something that was looked at.
#[derive(Debug, Clone, Serialize)]
struct Finding {
    severity: Severity,
    /// What it is about, for programs.
    about: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
    /// Whether it is the forge that is unwell.
    #[serde(skip)]
    outage: bool,
}

impl Finding {
    fn good(about: &'static str, message: impl Into<String>) -> Self {
        Self { severity: Severity::Good, about, message: message.into(), remedy: None, outage: false }
    }

    fn warning(about: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, about, message: message.into(), remedy: Some(remedy.into()), outage: false }
    }

    fn problem(about: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { severity: Severity::Problem, about, message: message.into(), remedy: Some(remedy.into()), outage: false }
    }
}

pub(super) fn run(global: &Global, args: &Args) -> Result<ExitStatus, Stop> {
    let findings = examine(global, args.pr.map(PullNumber))?;
    match args.format {
        Format::Human => findings.iter().for_each(show),
        Format::Json => console::json(&json!({ "version": 1, "findings": findings })),
    }
    let problems: Vec<&Finding> = findings.iter().filter(|finding| finding.severity == Severity::Problem).collect();
    Ok(match &problems[..] {
        [] => ExitStatus::Done,
        all if all.iter().all(|problem| problem.outage) => ExitStatus::Forge,
        _ => ExitStatus::Failed,
    })
}

/// Looks at one thing after another, as far as what comes later can be looked at.
fn examine(global: &Global, pull: Option<PullNumber>) -> Result<Vec<Finding>, Stop> {
    let place = Place::choose(global)?;
    let mut findings = Vec::new();
    match &place {
        Place::Local { .. } => {
            let message = "the local one; for GitHub set GITHUB_TOKEN or write `--forge github`";
            findings.push(Finding::good("forge", message));
        }
        Place::GitHub(github) => findings.extend(github::connection(github)),
    }
    if findings.iter().any(|finding| finding.severity == Severity::Problem) {
        return Ok(findings);
    }
    let session = match Session::at(place, global, About { event: None, pull }) {
        Ok(session) => session,
        Err(stop) => {
            findings.push(no_rules(&stop));
            return Ok(findings);
        }
    };
    findings.push(Finding::good("rules", format!("`{}` is right", session.project.rules.source.name)));
    if let Some(github) = session.github() {
        findings.extend(github::permissions(github, &session.project.rules, pull));
    }
    if let Some(number) = pull {
        match pull::dashboard(&session, number) {
            Ok(found) => findings.extend(found),
            Err(error) => {
                let remedy = "is it the right number, and on this forge? What is found above may be why";
                findings.push(Finding::problem("dashboard", error.to_string(), remedy));
            }
        }
    }
    Ok(findings)
}

fn no_rules(stop: &Stop) -> Finding {
    let Reason { message, remedy, .. } = stop.reason();
    match stop.status {
        // The pull request that brings ci.toml.
        ExitStatus::Done => Finding::warning("rules", message, "merge it; until then nothing runs"),
        ExitStatus::Failed | ExitStatus::Usage | ExitStatus::Forge | ExitStatus::Refused => {
            let unknown = "mend what this names, and try again";
            Finding::problem("rules", message, if remedy.is_empty() { unknown } else { &remedy })
        }
    }
}

fn show(finding: &Finding) {
    let sign = match finding.severity {
        Severity::Good => "ok     ",
        Severity::Warning => "warning",
        Severity::Problem => "problem",
    };
    console::told(format_args!("{sign}  {}: {}", finding.about, finding.message));
    if let Some(remedy) = &finding.remedy {
        console::told(format_args!("         → {remedy}"));
    }
}
