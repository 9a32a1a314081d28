//! What people write for a shell, although there is none: a program gets each argument as it stands.

use crate::config::read::words;
use crate::config::report::Report;
use crate::diagnostic::Code;
use crate::model::rules::{Kind, Rules, Step, Template};

/// What stands between two commands, or before a file.
const BETWEEN: [&str; 6] = ["|", "||", "&&", ">", ">>", "<"];

/// What nothing but a shell makes anything of.
const REDIRECTIONS: [&str; 4] = ["2>&1", "2>/dev/null", ">/dev/null", "&>/dev/null"];

/// Programs that may well be given such a sign.
const TAKERS: [&str; 12] = ["[", "awk", "cut", "echo", "egrep", "expr", "fgrep", "grep", "printf", "rg", "test", "tr"];

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
    let rest = step.run.windows(2).zip(2..);
    let mut signs = rest.filter(|(two, next)| is_sign(&program.source, two, step.run.get(*next)));
    if let Some(([_, sign], _)) = signs.next() {
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

/// Whether the second of two is a sign: neither the value of an option nor what the program looks for.
fn is_sign(program: &str, two: &[Template], next: Option<&Template>) -> bool {
    let [before, sign] = two else { return false };
    let word = |text: &str| text.len() > 1 && text.starts_with(|c: char| c.is_ascii_alphabetic() || "./{".contains(c));
    let between = BETWEEN.contains(&&*sign.source) && next.is_some_and(|next| word(&next.source));
    let is_one = between || REDIRECTIONS.contains(&&*sign.source);
    is_one && !before.source.starts_with('-') && !TAKERS.contains(&program)
}
