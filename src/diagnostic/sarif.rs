//! SARIF 2.1.0, as GitHub's code scanning takes it. Every code that occurs is a rule of the driver.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::place::Place;
use super::{Code, Diagnostic};
use crate::model::span::Span;

pub(super) fn report(diagnostics: &[&Diagnostic]) -> String {
    let occurring: BTreeMap<&str, Code> = diagnostics.iter().map(|one| (one.code.as_str(), one.code)).collect();
    let codes: Vec<&str> = occurring.keys().copied().collect();
    let rules: Vec<Value> = occurring.into_values().map(rule).collect();
    let results: Vec<Value> = diagnostics.iter().map(|diagnostic| result(diagnostic, &codes)).collect();
    let document = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": env!("CARGO_PKG_NAME"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{document:#}\n")
}

/// Code scanning wants all three texts of a rule.
fn rule(code: Code) -> Value {
    json!({
        "id": code.as_str(),
        "shortDescription": { "text": code.as_str().replace('-', " ") },
        "fullDescription": { "text": code.meaning() },
        "help": { "text": "Each result says what to write instead." },
    })
}

fn result(diagnostic: &Diagnostic, codes: &[&str]) -> Value {
    let mut text = diagnostic.message.clone();
    if let Some(help) = &diagnostic.help {
        text = format!("{text}\nhelp: {help}");
    }
    let mut result = json!({
        "ruleId": diagnostic.code.as_str(),
        "ruleIndex": codes.partition_point(|code| *code < diagnostic.code.as_str()),
        "level": diagnostic.severity.word(),
        "message": { "text": text },
        "locations": [location(diagnostic, &diagnostic.span, diagnostic.label.as_deref())],
    });
    if !diagnostic.related.is_empty() {
        let related = diagnostic.related.iter().map(|(span, message)| location(diagnostic, span, Some(message)));
        result["relatedLocations"] = related.collect();
    }
    result
}

fn location(diagnostic: &Diagnostic, span: &Span, message: Option<&str>) -> Value {
    let Place { line, column, end_line, end_column } = Place::of(&diagnostic.source, span);
    let mut location = json!({
        "physicalLocation": {
            "artifactLocation": { "uri": uri(&diagnostic.source.name) },
            "region": { "startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column },
        },
    });
    if let Some(message) = message {
        location["message"] = json!({ "text": message });
    }
    location
}

/// A path as a URI: relative to the repository's root, or with `file:` where it is absolute.
fn uri(path: &str) -> String {
    let path = path.strip_prefix("./").unwrap_or(path);
    let encoded: String = path.bytes().map(encode).collect();
    if path.starts_with('/') { format!("file://{encoded}") } else { encoded }
}

fn encode(byte: u8) -> String {
    match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => char::from(byte).to_string(),
        b'\\' if cfg!(windows) => "/".to_owned(),
        other => format!("%{other:02X}"),
    }
}
