//! `ci check-config`: every problem of ci.toml, its templates and its tests.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::args::Global;
use super::project::{self, Reading};
use super::stop::Stop;
use super::{ExitStatus, console, environment};
use crate::diagnostic::{Diagnostic, Severity, report};
use crate::model::rules::Rules;
use crate::render::Templates;
use crate::{cases, config};

const EXAMPLES: &str = "\
Examples:
  ci check-config
  ci check-config infra/ci.toml --format github   annotations on the pull request
  ci check-config --format sarif > ci.sarif       for code scanning";

/// Report every problem of ci.toml, its templates and its tests.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The files [default: ci.toml in this folder or above].
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,

    /// How to report.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// With the lines of the file, as a compiler does.
    Human,
    /// A line each.
    Short,
    /// One versioned document.
    Json,
    /// Annotations of GitHub Actions.
    Github,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
}

impl From<Format> for crate::diagnostic::Format {
    fn from(format: Format) -> Self {
        match format {
            Format::Human => Self::Human,
            Format::Short => Self::Short,
            Format::Json => Self::Json,
            Format::Github => Self::Github,
            Format::Sarif => Self::Sarif,
        }
    }
}

pub(super) fn run(global: &Global, args: &Args) -> Result<ExitStatus, Stop> {
    let files = if args.files.is_empty() {
        let path = project::find(global)?;
        vec![(project::shown(&path, global), path)]
    } else {
        let folder = project::directory(global);
        args.files.iter().map(|file| (file.display().to_string(), folder.join(file))).collect()
    };
    let mut problems = Vec::new();
    for (name, path) in &files {
        problems.extend(problems_of(path, name)?);
    }
    let colored = args.format == Format::Human && console::colored();
    console::text(&report(&problems, args.format.into(), colored));
    let wrong = problems.iter().any(|problem| problem.severity == Severity::Error);
    if problems.is_empty() && args.format == Format::Human {
        let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
        console::line(format!("no problems in {}", names.join(", ")));
    }
    Ok(if wrong { ExitStatus::Usage } else { ExitStatus::Done })
}

fn problems_of(path: &Path, name: &str) -> Result<Vec<Diagnostic>, Stop> {
    let Reading { root, loaded, templates, .. } = project::read(path, name)?;
    let mut problems = loaded.diagnostics;
    if let Err(more) = Templates::new(templates) {
        // Syntax is judged where ci.toml is read as well: the same problem is told once.
        problems.extend(
            more.into_iter()
                .filter(|problem| {
                    !problems.iter().any(|known| known.code == problem.code && known.span == problem.span)
                })
                .collect::<Vec<_>>(),
        );
    }
    if let Some(rules) = &loaded.rules {
        problems.extend(failing_tests(rules, &root));
        problems.extend(config::missing_folders(rules, |folder| folders_in(&root.join(folder))));
    }
    Ok(problems)
}

fn failing_tests(rules: &Rules, root: &Path) -> Vec<Diagnostic> {
    let failing = rules.tests.iter().filter_map(|test| {
        let payload = cases::payload_path(test).map(|path| environment::payload(&root.join(path))).transpose();
        let differences = match payload {
            Ok(payload) => cases::run(rules, test, payload),
            Err(stop) => vec![stop.to_string()],
        };
        (!differences.is_empty()).then(|| cases::diagnostic(rules, test, &differences))
    });
    failing.collect()
}

fn folders_in(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter(|entry| entry.path().is_dir()).filter_map(|entry| entry.file_name().into_string().ok()).collect()
}
