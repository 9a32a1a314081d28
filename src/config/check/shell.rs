//! What people write for a shell, although there is none: a program gets each argument as it stands.

use crate::config::read::words;
use crate::config::report::Report;
use crate::diagnostic::Code;
use crate::model::rules::{Kind, Rules, Step, Template};

/// What no program makes anything of; of a single `|` or `>`, as in `[ a > b ]`, some do.
const SIGNS: [&str; 6] = ["&&", "||", "2>&1", "2>/dev/null", ">/dev/null", "&>/dev/null"];

/// Warns of each step's first such thing.
pub(super) fn lines(rules: &Rules, report: &mut Report) {
    for handler in rules.handlers.values() {
        let Kind::Steps(steps) = &handler.kind else { continue };
        steps.iter().for_each(|step| of_step(step, report));
    }
}

fn of_step(step: &Step, report: &mut Report) {
    let Some(program) = step.run.first() else { return };
    if is_line(program) {
        let message = format!("`{}` is a whole line, and `run` begins with a program", program.source);
        report.warning(Code::NoShell, &program.span, message).help(words(&program.source));
        return;
    }
    if let Some([_, sign]) = step.run.windows(2).find(|two| is_sign(&two[0], &two[1])) {
        let message = format!("`{}` is an argument here as any other: no shell reads it", sign.source);
        report
            .warning(Code::NoShell, &sign.span, message)
            .help("for what a shell does, run one: `[\"sh\", \"-c\", \"…\"]`");
    }
}

/// A program with spaces in its name can be a path.
fn is_line(program: &Template) -> bool {
    let name = program.source.trim();
    name.contains(char::is_whitespace) && !name.contains(['/', '\\', '{'])
}

/// Whether that is a sign: neither the value of an option nor what is looked for.
fn is_sign(before: &Template, sign: &Template) -> bool {
    let looks_for_it = ["grep", "rg"].iter().any(|program| before.source.ends_with(program));
    SIGNS.contains(&&*sign.source) && !before.source.starts_with('-') && !looks_for_it
}
