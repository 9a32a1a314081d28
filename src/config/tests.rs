//! The whole of `load`, on whole files.

mod random;
mod schema;
mod slips;

use std::collections::BTreeMap;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::{DEFAULT, Loaded, load};
use crate::cases;
use crate::diagnostic::{Code, Diagnostic, Format, report};
use crate::model::span::{Source, Span};
use crate::render::Templates;

fn load_text(text: &str) -> Loaded {
    load(Source::new("ci.toml", text), &BTreeMap::new())
}

/// `LINE: CODE: MESSAGE (HELP) at WHAT THE CARETS UNDERLINE` of each problem.
fn lines(diagnostics: &[Diagnostic]) -> Vec<String> {
    let line = |one: &Diagnostic| {
        let help = one.help.as_deref().unwrap_or_default();
        let cited = &one.source.text[one.span.clone()];
        format!("{}: {}: {} ({help}) at {cited}", one.source.line(one.span.start), one.code.as_str(), one.message)
    };
    diagnostics.iter().map(line).collect()
}

#[test]
fn the_default_pipeline_has_no_fault() {
    let loaded = load_text(DEFAULT);
    assert_eq!(lines(&loaded.diagnostics), Vec::<String>::new());
    let rules = loaded.rules.unwrap();
    assert_eq!(rules.layers.keys().collect::<Vec<_>>(), ["bootstrap", "platform", "data-staging", "data-prod"]);
    assert_eq!(rules.commands.keys().next().map(String::as_str), Some("plan"));
    assert_eq!(rules.handlers["plan"].timeout.as_secs(), 1800);
    assert_eq!(rules.handlers["plan"].record.as_deref(), Some("plan"));
}

fn bad(code: Code) -> String {
    let ending = if matches!(code, Code::TemplateError | Code::UnusedTemplate) { "md.j2" } else { "toml" };
    format!("{}/tests/configs/bad/{}.{ending}", env!("CARGO_MANIFEST_DIR"), code.as_str())
}

/// All that `ci check-config` would say of a bad file: as a template where it is one, with its tests where it has some.
fn found(code: Code, text: &str) -> Vec<Diagnostic> {
    if code == Code::TemplateError {
        let source = Source::new("templates/dashboard.md.j2", text);
        return Templates::new(BTreeMap::from([("dashboard.md.j2".to_owned(), source)])).unwrap_err();
    }
    if code == Code::UnusedTemplate {
        let source = Source::new("templates/dashbord.md.j2", text);
        let templates = BTreeMap::from([("dashbord.md.j2".to_owned(), source)]);
        return load(Source::new("ci.toml", "version = 1\n"), &templates).diagnostics;
    }
    let Loaded { rules, mut diagnostics } = load_text(text);
    if let Some(rules) = &rules {
        let tests = rules.tests.iter().map(|test| (test, cases::run(rules, test, None)));
        diagnostics.extend(
            tests.filter(|(_, found)| !found.is_empty()).map(|(test, found)| cases::diagnostic(rules, test, &found)),
        );
        diagnostics.extend(super::missing_folders(rules, |folder| {
            let there: &[&str] = if folder == Path::new("envs") { &["prod"] } else { &["envs", "web"] };
            there.iter().map(|name| (*name).to_owned()).collect()
        }));
    }
    diagnostics
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
        let found = found(*code, &text);
        if found.is_empty() || found.iter().any(|one| one.code != *code) {
            wrong.push(format!("{}: {:#?}", code.as_str(), lines(&found)));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// What warns of a secret must not print it, in whatever format, nor must what warns of something else nearby.
#[test]
fn no_report_shows_a_secret() {
    let text = "version = 1\n[[rules]]\non = 'push'\nrun = 'plan'\n[handlers.plan]\n\
        env = { VAULT_TOKEN = \"not-a-good-idea-ü\", OTHER = 'ghp_0123456789012345678901234567890123456' }\n\
        colour = 1\nsteps = [{ run = ['true'] }]\n";
    let found = load_text(text).diagnostics;
    let codes: Vec<Code> = found.iter().map(|one| one.code).collect();
    assert_eq!(codes, [Code::Secret, Code::Secret, Code::UnknownKey]);
    for format in [Format::Human, Format::Short, Format::Json, Format::Github, Format::Sarif] {
        let shown = report(&found, format, false);
        assert!(!shown.contains("good-idea") && !shown.contains("ghp_"), "{shown}");
    }
    let shown = report(&found, Format::Human, false);
    assert!(shown.contains("VAULT_TOKEN = \"*****") && shown.contains("colour = 1"), "{shown}");
}

/// The words of every message, to be read as a whole.
#[test]
fn messages() {
    let shown: Vec<String> = Code::ALL
        .iter()
        .filter_map(|code| Some((*code, std::fs::read_to_string(bad(*code)).ok()?)))
        .flat_map(|(code, text)| lines(&found(code, &text)))
        .collect();
    insta::assert_snapshot!(shown.join("\n"));
}

/// What newcomers write, and the help that they get.
#[test]
fn a_slip_is_answered_with_what_to_write() {
    let start = "version = 1\n[layers.db]\ndir = 'db'\n[stages.plan]\nEACH\n[handlers.plan]\nstage = 'plan'\nHANDLER\n\
        [[rules]]\nRULE\nrun = 'plan'\n[gates.x]\nGATE\n";
    let right = [
        ("EACH", "optional = true"),
        ("HANDLER", "steps = [{ run = ['true'] }]"),
        ("RULE", "on = 'pull_request'"),
        ("GATE", "approvals = 1"),
    ];
    let slips = [
        ("EACH", "each = true", "write the word in quotes"),
        ("GATE", "approvals = -1", "write 0 or more"),
        ("GATE", "approvals = 99999999999", "write a smaller number"),
        ("RULE", "on = 'pull_request'\nif = '{{ pr.draft }}'", "write the expression alone, without `{{ }}`"),
        ("RULE", "on = 'pull_request'\ntypes = ['open']", "did you mean `opened`?"),
        ("RULE", "on = ['workflow_run']\ntypes = ['complete']", "did you mean `completed`?"),
        ("HANDLER", "steps = [{ run = 'sh -c true' }]", r#"write `["sh", "-c", "true"]`"#),
        ("HANDLER", "steps = [{ run = ['terraform state list'] }]", r#"write `["terraform", "state", "list"]`"#),
        ("HANDLER", "steps = [{ run = ['ls', '&&', 'sort'] }]", "run one: `[\"sh\", \"-c\""),
        ("HANDLER", "delegate = other", "write `\"other\"`"),
        ("HANDLER", "delegate = net", "write `\"net\"`"),
        ("HANDLER", "delegate = 'x'\nlock = True", "write `true`"),
        ("RULE", "on = 'pull_request'\npaths = ['/net/**']", "write `net/**`"),
        ("HANDLER", "steps = [{ run = 'cd x && make' }]", "each of its arguments as a text of its own"),
        (
            "HANDLER",
            "steps = [{ run = ['true'] }]\nrecord = { changes = 'out' }",
            "add `capture = \"out\"` to the step whose output is meant",
        ),
        (
            "HANDLER",
            "steps = [{ run = ['true'] }]\nnote = '{{ summary }}'",
            "makes another with `capture = \"summary\"`",
        ),
        ("HANDLER", "steps = [{ run = ['true'] }]\nlock = true", "add `each = \"layer\"`"),
        ("HANDLER", "delegate = 'other'\nlock = true", "take `lock` away"),
    ];
    for (place, slip, help) in slips {
        let fill = |text: String, (at, good): &(&str, &str)| text.replace(at, if *at == place { slip } else { good });
        let found = load_text(&right.iter().fold(start.to_owned(), fill)).diagnostics;
        let helps: Vec<&str> = found.iter().filter_map(|one| one.help.as_deref()).collect();
        assert!(helps.iter().any(|one| one.contains(help)), "{slip}: {:#?}", lines(&found));
    }
}

#[test]
fn a_key_of_the_second_kind_of_two_is_not_called_misplaced() {
    let found = load_text(
        "version = 1\n[handlers.x]\nsteps = [{ run = ['true'] }]\ndispatch = 'x.yml'\ninputs = { a = 'b' }\n",
    );
    let codes: Vec<Code> = found.diagnostics.iter().map(|one| one.code).collect();
    assert!(codes.contains(&Code::TwoKinds) && !codes.contains(&Code::MisplacedKey), "{codes:?}");
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
            wrong.push((key, lines(&loaded.diagnostics)));
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
        if loaded.diagnostics.len() != 1 || loaded.diagnostics[0].code != Code::UnknownKey {
            wrong.push((number + 1, line.to_owned(), lines(&loaded.diagnostics)));
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
        let right =
            one.is_some_and(|one| one.code.as_str().starts_with("unknown-") && one.source.line(one.span.start) == line);
        if loaded.diagnostics.len() != 1 || !right {
            wrong.push((line, lines(&loaded.diagnostics)));
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
        loaded.diagnostics.iter().map(|one| (one.source.line(one.span.start), one.code.as_str())).collect();
    assert_eq!(found, expected, "{:#?}", lines(&loaded.diagnostics));
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
        ("steps   = [", "steps   =", 225),
        ("'/plan(\\s", "\"/plan(\\s", 70),
        ("[stages.plan]", "[stage.plan]", 44),
    ];
    for (right, wrong, line) in broken {
        assert!(DEFAULT.contains(right), "{right}");
        let loaded = load_text(&DEFAULT.replacen(right, wrong, 1));
        let found: Vec<usize> = loaded.diagnostics.iter().map(|one| one.source.line(one.span.start)).collect();
        assert_eq!(found, [line], "{wrong}: {:#?}", lines(&loaded.diagnostics));
    }
    let two = DEFAULT.replacen("engine = \"terraform\"", "engine = terraform", 1).replacen("smoke|", "'smoke|", 1);
    assert_eq!(load_text(&two).diagnostics.len(), 2);
}
