//! One JSON document for other programs. Fields are only added while its version stays.

use serde_json::{Value, json};

use super::Diagnostic;
use super::place::Place;

/// The version of the document.
const VERSION: u32 = 1;

pub(super) fn report(diagnostics: &[&Diagnostic]) -> String {
    let diagnostics: Vec<Value> = diagnostics.iter().map(|diagnostic| entry(diagnostic)).collect();
    format!("{:#}\n", json!({ "version": VERSION, "diagnostics": diagnostics }))
}

fn entry(diagnostic: &Diagnostic) -> Value {
    let Place { line, column, end_line, end_column } = Place::of(&diagnostic.source, &diagnostic.span);
    let related: Vec<Value> = diagnostic
        .related
        .iter()
        .map(|(span, message)| {
            let Place { line, column, end_line, end_column } = Place::of(&diagnostic.source, span);
            json!({ "line": line, "column": column, "end_line": end_line, "end_column": end_column, "message": message })
        })
        .collect();
    json!({
        "code": diagnostic.code.as_str(),
        "severity": diagnostic.severity.word(),
        "file": diagnostic.source.name,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
        "message": diagnostic.message,
        "label": diagnostic.label,
        "help": diagnostic.help,
        "related": related,
    })
}
