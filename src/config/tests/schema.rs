//! The committed schema and reference are what the types say, and the schema tells right from wrong as `load` does, as
//! far as a schema can. `CI_REWRITE=1 cargo test --lib config` writes both files anew.

use serde_json::Value;

use super::super::{DEFAULT, reference, schema};
use super::bad;
use crate::diagnostic::Code;

fn compare(file: &str, expected: &str) {
    let path = format!("{}/schema/{file}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("CI_REWRITE").is_some() {
        std::fs::write(&path, expected).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == expected, "schema/{file} is out of date: run `CI_REWRITE=1 cargo test --lib config`");
}

#[test]
fn the_committed_schema_is_the_types() {
    compare("ci.schema.json", &format!("{}\n", serde_json::to_string_pretty(&schema()).unwrap()));
}

#[test]
fn the_committed_reference_is_the_types() {
    compare("reference.md", &reference());
}

/// The schema keywords that refuse a file.
fn refusals(text: &str) -> Vec<String> {
    let file: Value = serde_json::to_value(toml::from_str::<toml::Table>(text).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema()).unwrap();
    validator.iter_errors(&file).map(|error| error.kind().keyword().to_owned()).collect()
}

#[test]
fn the_schema_takes_the_default_pipeline() {
    assert_eq!(refusals(DEFAULT), Vec::<String>::new());
}

#[test]
fn the_schema_refuses_what_a_schema_can() {
    let reasons = [
        (Code::VersionTooNew, "maximum"),
        (Code::UnknownKey, "additionalProperties"),
        (Code::MissingKey, "required"),
        (Code::WrongType, "type"),
        (Code::UnknownValue, "oneOf"),
        (Code::NoKind, "oneOf"),
        (Code::TwoKinds, "oneOf"),
        (Code::BadName, "propertyNames"),
    ];
    for code in
        Code::ALL.iter().filter(|code| !matches!(code, Code::Syntax | Code::TemplateError | Code::UnusedTemplate))
    {
        let text = std::fs::read_to_string(bad(*code)).unwrap();
        let refusals = refusals(&text);
        match reasons.iter().find(|(refused, _)| refused == code) {
            Some((_, reason)) => assert!(refusals.iter().any(|keyword| keyword == reason), "{code:?}: {refusals:?}"),
            // All else is well-formed: only names, places and the rest of the file make it wrong.
            None => assert_eq!(refusals, Vec::<String>::new(), "{code:?}"),
        }
    }
}
