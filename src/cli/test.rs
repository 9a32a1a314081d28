//! `ci test`: the `[[tests]]` of ci.toml, a line each.

use super::args::Global;
use super::project;
use super::stop::Stop;
use super::{ExitStatus, console, environment};
use crate::cases;

/// Run the `[[tests]]` of ci.toml, a line each.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  ci test\n  ci test apply   those whose name holds the word")]
pub(super) struct Args {
    /// Only tests whose name holds this.
    #[arg(value_name = "TEXT")]
    filter: Option<String>,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<ExitStatus, Stop> {
    let project = project::open(global)?;
    let rules = &project.rules;
    let wanted = |name: &str| args.filter.as_ref().is_none_or(|filter| name.contains(filter.as_str()));
    if let (Some(filter), false) = (&args.filter, rules.tests.iter().any(|test| wanted(&test.name))) {
        return Err(Stop::usage(format!("no test's name holds `{filter}`")).help("`ci test` runs them all"));
    }
    let (mut passed, mut failed) = (0, 0);
    for test in rules.tests.iter().filter(|test| wanted(&test.name)) {
        let payload =
            cases::payload_path(test).map(|path| environment::payload(&project.root.join(path))).transpose()?;
        let differences = cases::run(rules, test, payload);
        if differences.is_empty() {
            passed += 1;
            console::line(format!("ok    {}", test.name));
        } else {
            failed += 1;
            console::line(format!("FAIL  {}", test.name));
            let line = rules.source.line(test.span.start);
            for difference in differences {
                console::line(format!("      {}:{line}: {difference}", rules.source.name));
            }
        }
    }
    console::line(format!("\n{passed} passed, {failed} failed"));
    Ok(if failed == 0 { ExitStatus::Done } else { ExitStatus::Failed })
}
