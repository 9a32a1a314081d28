//! One line a diagnostic, for editors, `grep` and logs.

use std::fmt::Write;

use annotate_snippets::normalize_untrusted_str;

use super::Diagnostic;
use super::place::Place;

pub(super) fn report(diagnostics: &[&Diagnostic]) -> String {
    diagnostics.iter().fold(String::new(), |mut text, diagnostic| {
        text.push_str(&line(diagnostic));
        text.push('\n');
        text
    })
}

fn line(diagnostic: &Diagnostic) -> String {
    let Diagnostic { code, severity, source, span, message, help, .. } = diagnostic;
    let place = Place::of(source, span);
    let mut line =
        format!("{}:{}:{}: {}[{}]: {message}", source.name, place.line, place.column, severity.word(), code.as_str());
    if let Some(help) = help {
        // Writing to a string cannot fail.
        let _ = write!(line, " ({help})");
    }
    // Messages quote the file, and a file may hold anything: line ends, and escapes that move a terminal's cursor.
    normalize_untrusted_str(&line.lines().collect::<Vec<_>>().join(" "))
}
