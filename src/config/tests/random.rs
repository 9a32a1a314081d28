//! No text makes `load` panic: neither noise, nor a ci.toml that was cut up.

use proptest::prelude::*;
use proptest::sample::Index;

use super::super::DEFAULT;
use super::load_text;

/// One change to the lines of a file.
#[derive(Debug, Clone)]
enum Change {
    Delete(Index),
    Double(Index),
    Swap(Index, Index),
    Insert(Index, String),
    Replace(Index, Index, String),
}

/// What stands in such files, so that changes get past the first parser.
const PIECES: [&str; 31] = [
    "{{",
    "}}",
    "{% for x in ",
    "[[rules]]",
    "[layers.",
    "]",
    "\"",
    "'",
    "\"\"\"",
    "=",
    "{",
    "}",
    ",",
    "layer",
    "0.5",
    "true",
    "args",
    "(?<",
    ")",
    "\\",
    "[",
    "\n",
    "\r",
    "é",
    "'/(|'",
    "..",
    "|",
    "steps = []",
    "version = 2",
    "|upper",
    "1979-05-27",
];

fn change() -> impl Strategy<Value = Change> {
    let place = any::<Index>;
    let piece = prop_oneof!["\\PC{0,6}", prop::sample::select(&PIECES[..]).prop_map(str::to_owned),];
    prop_oneof![
        place().prop_map(Change::Delete),
        place().prop_map(Change::Double),
        (place(), place()).prop_map(|(one, other)| Change::Swap(one, other)),
        (place(), piece.clone()).prop_map(|(at, text)| Change::Insert(at, text)),
        (place(), place(), piece).prop_map(|(line, at, text)| Change::Replace(line, at, text)),
    ]
}

fn changed(changes: &[Change]) -> String {
    let mut lines: Vec<String> = DEFAULT.lines().map(str::to_owned).collect();
    for change in changes {
        let count = lines.len();
        match change {
            Change::Delete(at) => drop(lines.remove(at.index(count))),
            Change::Double(at) => lines.insert(at.index(count), lines[at.index(count)].clone()),
            Change::Swap(one, other) => lines.swap(one.index(count), other.index(count)),
            Change::Insert(at, text) => lines.insert(at.index(count), text.clone()),
            Change::Replace(line, at, text) => {
                let line = &mut lines[line.index(count)];
                let at = line.floor_char_boundary(at.index(line.len() + 1));
                let end = line.ceil_char_boundary((at + text.len()).min(line.len()));
                line.replace_range(at..end, text);
            }
        }
    }
    lines.join("\n")
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn noise_does_not_panic(text in "\\PC{0,200}") {
        load_text(&text);
    }

    #[test]
    fn a_cut_up_file_does_not_panic(changes in prop::collection::vec(change(), 1..8)) {
        let text = changed(&changes);
        let loaded = load_text(&text);
        prop_assert!(loaded.rules.is_some() || !loaded.diagnostics.is_empty());
        for one in &loaded.diagnostics {
            prop_assert!(one.source.text.get(one.span.clone()).is_some(), "{one:?}");
        }
    }
}

/// What is nested as deep as a value may be does not exhaust the stack.
#[test]
fn deep_templates_do_not_panic() {
    for (open, inner, close) in [
        ("", ".a", ""),
        ("", "|upper", ""),
        ("", "[0]", ""),
        ("", "+1", ""),
        ("(", "", ")"),
        ("[", "", "]"),
        ("not ", "", ""),
    ] {
        for depth in [100, 2000, 100_000] {
            let expression = format!("{}event{}{}", open.repeat(depth), inner.repeat(depth), close.repeat(depth));
            load_text(&format!(
                "version = 1\n[[rules]]\non = \"push\"\nif = \"{expression}\"\nrun = \"x\"\n[handlers.x]\nreply = \"help\"\n"
            ));
        }
    }
}
