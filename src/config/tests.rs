//! The whole of `load`, on whole files.

use std::collections::BTreeMap;

use super::{Code, DEFAULT, Loaded, load};
use crate::model::span::Source;

fn load_text(text: &str) -> Loaded {
    load(Source::new("ci.toml", text), &BTreeMap::new())
}

/// `LINE: CODE: MESSAGE (HELP)` of each problem.
fn lines(loaded: &Loaded) -> Vec<String> {
    let line = |one: &crate::diagnostic::Diagnostic| {
        let help = one.help.as_deref().unwrap_or_default();
        format!("{}: {}: {} ({help})", one.source.line(one.span.start), one.code, one.message)
    };
    loaded.diagnostics.iter().map(line).collect()
}

#[test]
fn the_default_pipeline_has_no_fault() {
    let loaded = load_text(DEFAULT);
    assert_eq!(lines(&loaded), Vec::<String>::new());
    let rules = loaded.rules.unwrap();
    assert_eq!(rules.layers.keys().collect::<Vec<_>>(), ["bootstrap", "platform", "data-staging", "data-prod"]);
    assert_eq!(rules.commands.keys().next().map(String::as_str), Some("plan"));
    assert_eq!(rules.handlers["plan"].timeout.as_secs(), 1800);
    assert_eq!(rules.handlers["plan"].record.as_deref(), Some("plan"));
}

/// A file with one kind of problem for each code, and nothing else in it.
#[test]
fn every_code_has_a_file_that_shows_it_alone() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/configs/bad");
    let mut wrong = Vec::new();
    for code in Code::ALL {
        let name = format!("{folder}/{}.toml", code.as_str());
        let Ok(text) = std::fs::read_to_string(&name) else {
            wrong.push(format!("{} has no file", code.as_str()));
            continue;
        };
        let loaded = load_text(&text);
        let alone = !loaded.diagnostics.is_empty() && loaded.diagnostics.iter().all(|one| one.code == code.as_str());
        if !alone {
            wrong.push(format!("{}: {:#?}", code.as_str(), lines(&loaded)));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}
