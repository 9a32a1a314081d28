//! Workflow commands: GitHub Actions shows them beside the lines of a pull request.
//! The escapes are those of <https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts>.

use super::Diagnostic;
use super::place::Place;

pub(super) fn report(diagnostics: &[&Diagnostic]) -> String {
    diagnostics.iter().map(|diagnostic| command(diagnostic)).collect()
}

fn command(diagnostic: &Diagnostic) -> String {
    let place = Place::of(&diagnostic.source, &diagnostic.span);
    let mut message = diagnostic.message.clone();
    if let Some(label) = &diagnostic.label {
        message = format!("{message}: {label}");
    }
    if let Some(help) = &diagnostic.help {
        message = format!("{message}\nhelp: {help}");
    }
    format!(
        "::{} file={},{},title={}::{}\n",
        diagnostic.severity.word(),
        property(&diagnostic.source.name),
        region(place),
        property(diagnostic.code.as_str()),
        data(&message),
    )
}

/// The runner drops columns where the place has more than one line.
fn region(place: Place) -> String {
    let Place { line, column, end_line, end_column } = place;
    if line == end_line {
        // GitHub's last column belongs to the place.
        let last = (end_column - 1).max(column);
        format!("line={line},endLine={end_line},col={column},endColumn={last}")
    } else {
        format!("line={line},endLine={end_line}")
    }
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
