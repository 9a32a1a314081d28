//! The whole of `load`, on whole files.

mod random;
mod schema;

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

use super::{Code, DEFAULT, Loaded, load};
use crate::model::span::{Source, Span};

fn load_text(text: &str) -> Loaded {
    load(Source::new("ci.toml", text), &BTreeMap::new())
}

/// `LINE: CODE: MESSAGE (HELP) at WHAT THE CARETS UNDERLINE` of each problem.
fn lines(loaded: &Loaded) -> Vec<String> {
    let line = |one: &crate::diagnostic::Diagnostic| {
        let help = one.help.as_deref().unwrap_or_default();
        let cited = &one.source.text[one.span.clone()];
        format!("{}: {}: {} ({help}) at {cited}", one.source.line(one.span.start), one.code, one.message)
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

fn bad(code: Code) -> String {
    format!("{}/tests/configs/bad/{}.toml", env!("CARGO_MANIFEST_DIR"), code.as_str())
}

/// A file with one kind of problem for each code, and nothing else in it.
#[test]
fn every_code_has_a_file_that_shows_it_alone() {
    let mut wrong = Vec::new();
    for code in Code::ALL {
        let Ok(text) = std::fs::read_to_string(bad(*code)) else {
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

/// The words of every message, to be read as a whole.
#[test]
fn messages() {
    let shown: Vec<String> = Code::ALL
        .iter()
        .filter_map(|code| std::fs::read_to_string(bad(*code)).ok())
        .flat_map(|text| lines(&load_text(&text)))
        .collect();
    insta::assert_snapshot!(shown.join("\n"));
}

/// Every value of a file, with its key and its place.
fn values(text: &str) -> Vec<(String, Span)> {
    fn below(table: &DeTable<'_>, all: &mut Vec<(String, Span)>) {
        for (key, value) in table {
            of(key.get_ref(), value, all);
        }
    }
    fn of(key: &str, value: &toml::Spanned<DeValue<'_>>, all: &mut Vec<(String, Span)>) {
        match value.get_ref() {
            DeValue::Table(table) => below(table, all),
            DeValue::Array(array) => array.iter().for_each(|value| of(key, value, all)),
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_) => all.push((key.to_owned(), value.span())),
        }
    }
    let mut all = Vec::new();
    below(DeTable::parse(text).unwrap().get_ref(), &mut all);
    all
}

/// One wrong value is one problem, on its line, whatever else of the file leans on it.
#[test]
fn a_wrong_value_has_no_follow_ups() {
    let mut wrong = Vec::new();
    for (key, span) in values(DEFAULT) {
        let mut text = DEFAULT.to_owned();
        text.replace_range(span.clone(), "0.5");
        let loaded = load_text(&text);
        let line = loaded.rules.is_none().then(|| loaded.diagnostics.first()).flatten();
        let line = line.map(|one| one.source.line(one.span.start));
        let free = key == "reviewers"; // the body of a REST call takes any value
        let right = loaded.diagnostics.len() == 1 && line == Some(Source::new("", DEFAULT).line(span.start));
        if !right && !free {
            wrong.push((key, lines(&loaded)));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// One slip of the pen in a key is one problem too.
#[test]
fn a_misspelt_key_has_no_follow_ups() {
    let schema = super::schema().to_string();
    let mut wrong = Vec::new();
    for (number, line) in DEFAULT.lines().enumerate() {
        let Some((key, _)) = line.split_once(['=', ' ', '.']) else { continue };
        if !schema.contains(&format!("\"{key}\":")) || !line.contains('=') {
            continue;
        }
        let misspelt = DEFAULT.replacen(line, &format!("{key}x{}", &line[key.len()..]), 1);
        // The first line like this may be an earlier one: it has the same key.
        let loaded = load_text(&misspelt);
        if loaded.diagnostics.len() != 1 || loaded.diagnostics[0].code != "unknown-key" {
            wrong.push((number + 1, line.to_owned(), lines(&loaded)));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// So is one in a name, although rules, rows, gates and tests lean on it.
#[test]
fn a_misspelt_reference_has_no_follow_ups() {
    let names = [
        "run", "command", "gate", "stage", "after", "planned", "matches", "reply", "changes", "layers", "handler",
        "stages",
    ];
    let mut wrong = Vec::new();
    for (key, span) in values(DEFAULT) {
        let line = Source::new("", DEFAULT).line(span.start);
        let text = DEFAULT.lines().nth(line - 1).unwrap();
        let is_name = names.contains(&&*key) && DEFAULT[span.clone()].starts_with('"');
        if !is_name || text.contains("inputs =") || text.contains("{ run =") && key == "run" {
            continue;
        }
        let mut text = DEFAULT.to_owned();
        text.insert(span.end - 1, 'q');
        let loaded = load_text(&text);
        let one = loaded.diagnostics.first();
        let right = one.is_some_and(|one| one.code.starts_with("unknown-") && one.source.line(one.span.start) == line);
        if loaded.diagnostics.len() != 1 || !right {
            wrong.push((line, lines(&loaded)));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Each line of the file that ends with a code is that mistake, and there is no other.
#[test]
fn twenty_mistakes_are_twenty_diagnostics() {
    let text = include_str!("../../tests/configs/twenty-mistakes.toml");
    let expected: Vec<(usize, &str)> =
        text.lines().enumerate().filter_map(|(number, line)| Some((number + 1, line.rsplit_once("# ")?.1))).collect();
    let loaded = load_text(text);
    let found: Vec<(usize, &str)> =
        loaded.diagnostics.iter().map(|one| (one.source.line(one.span.start), one.code)).collect();
    assert_eq!(found, expected, "{:#?}", lines(&loaded));
    assert_eq!(found.len(), 20);
}

/// What breaks TOML is told where it is, and not again for all that follows.
#[test]
fn a_broken_line_has_no_follow_ups() {
    let broken = [
        ("engine = \"terraform\"", "engine = \"terraform", 23),
        ("[layers.platform]", "[layers.bootstrap]", 25),
        ("after  = [\"bootstrap\"]", "after  = [\"bootstrap\"", 30),
        ("dir    = \"platform\"", "dir    \"platform\"", 26),
        ("[[rules]]", "[rules]", 136),
        ("steps   = [", "steps   =", 224),
        ("'/plan(\\s", "\"/plan(\\s", 70),
        ("[stages.plan]", "[stage.plan]", 44),
    ];
    for (right, wrong, line) in broken {
        assert!(DEFAULT.contains(right), "{right}");
        let loaded = load_text(&DEFAULT.replacen(right, wrong, 1));
        let found: Vec<usize> = loaded.diagnostics.iter().map(|one| one.source.line(one.span.start)).collect();
        assert_eq!(found, [line], "{wrong}: {:#?}", lines(&loaded));
    }
    let two = DEFAULT.replacen("engine = \"terraform\"", "engine = terraform", 1).replacen("smoke|", "'smoke|", 1);
    assert_eq!(load_text(&two).diagnostics.len(), 2);
}
