//! From text to the shape types: TOML first, then a reader that goes on after a wrong value, so that one pass finds all of
//! them. It knows neither what the keys mean nor which names there are.

mod given;
mod value;

use std::cell::RefCell;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::report::{Report, lower_first};
use crate::diagnostic::Code;
pub(super) use given::{Given, Named, Node, Texts, Tree};
pub(super) use value::words;

/// The newest version of the language that this binary reads.
const VERSION: i64 = 1;

/// The event of a comment.
const COMMENTED: &str = "issue_comment";

/// Reads `text` as a `T`. `None` where it is no TOML at all, or was written for a newer `ci`: all else is a problem of
/// one place, and the rest is read.
pub(super) fn document<T: for<'de> Deserialize<'de>>(
    report: &mut Report,
    also: impl FnOnce(&DeTable<'_>, &mut Report),
) -> Option<T> {
    let source = report.source.clone();
    let (document, errors) = DeTable::parse_recoverable(&source.text);
    if !version_is_known(document.get_ref(), report) {
        return None;
    }
    if !errors.is_empty() {
        syntax(report);
        return None;
    }
    let document = document.into_inner();
    also(&document, report);
    let root = DeValue::Table(document);
    let shared = RefCell::new(std::mem::replace(report, Report::new(source.clone())));
    let read = T::deserialize(value::Value::root(&root, 0..source.text.len(), &shared)).ok();
    *report = shared.into_inner();
    read
}

/// The most errors of syntax that are told. Each costs another look at the rest of the file.
const SYNTAX_ERRORS: usize = 20;

/// Reports what is no TOML. After an error all that follows may look wrong, up to the next header: there it begins anew.
fn syntax(report: &mut Report) {
    let source = report.source.clone();
    let mut from = 0;
    for _ in 0..SYNTAX_ERRORS {
        let rest = &source.text[from..];
        let (_, errors) = DeTable::parse_recoverable(rest);
        let place = |error: &toml::de::Error| error.span().unwrap_or(0..0);
        let Some(first) = errors.iter().min_by_key(|error| place(error).start) else { return };
        let span = place(first);
        let at = from + span.start..from + span.end;
        match bare_word(first.message(), rest.get(span.clone()).unwrap_or_default()) {
            Some(help) => report.error(Code::Syntax, &at, "a text stands in quotes").help(help),
            None => report.error(Code::Syntax, &at, lower_first(first.message())).help(remedy(first.message())),
        };
        let after = span.start.min(rest.len());
        let Some(header) = rest.get(after..).and_then(|rest| rest.find("\n[")) else { return };
        from += after + header + 1;
    }
}

/// What to write instead of a word without quotes, which looks like a number or a boolean to TOML.
fn bare_word(message: &str, word: &str) -> Option<String> {
    let expected = ["invalid float", "invalid boolean", "string values must be quoted"];
    let is_word = word.starts_with(char::is_alphabetic) && !word.contains(['"', '\'', '\\']);
    if !is_word || !expected.iter().any(|beginning| message.starts_with(beginning)) {
        return None;
    }
    let boolean = word.to_ascii_lowercase();
    Some(match &*boolean {
        "true" | "false" => format!("write `{boolean}`"),
        _ => format!("write `\"{word}\"`"),
    })
}

fn remedy(message: &str) -> &'static str {
    if message == "duplicate key" {
        "write a key or a table once; of `[[rules]]` and `[[tests]]`, with two brackets, there may be many"
    } else if message.contains("escape") {
        "in single quotes a backslash stands for itself: `pattern = '/plan(\\s+.+)?'`"
    } else {
        "ci.toml is written in TOML: <https://toml.io>"
    }
}

/// A text at the top of a document, if it is there; nothing is reported.
pub(super) fn text_at_top(text: &str, key: &str) -> Option<String> {
    let (document, _) = DeTable::parse_recoverable(text);
    document.get_ref().get(key)?.get_ref().as_str().map(str::to_owned)
}

/// What a ci.toml is about that cannot be used.
#[derive(Debug)]
pub(crate) struct Outline {
    /// The keys of its commands.
    pub(crate) commands: Vec<String>,
    /// Whether it is about comments too that do not look like commands: by a command that begins with another sign than
    /// `/`, or by a rule about whatever is written.
    pub(crate) heeds_prose: bool,
}

/// What can be told of a document; nothing is reported.
pub(super) fn outline(text: &str) -> Outline {
    let (document, _) = DeTable::parse_recoverable(text);
    let top = |key: &str| document.get_ref().get(key).map(Spanned::get_ref);
    let commands: Vec<_> = top("commands").and_then(DeValue::as_table).into_iter().flatten().collect();
    let without_sign = |command: &DeValue<'_>| {
        let pattern = command.get("pattern").and_then(|pattern| pattern.get_ref().as_str());
        pattern.is_some_and(|pattern| !pattern.trim_start_matches('^').starts_with('/'))
    };
    let about_comments = |rule: &DeValue<'_>| match rule.get("on").map(Spanned::get_ref) {
        Some(DeValue::Array(events)) => events.iter().any(|event| event.get_ref().as_str() == Some(COMMENTED)),
        Some(event) => event.as_str() == Some(COMMENTED),
        None => false,
    };
    let mut rules = top("rules").and_then(DeValue::as_array).into_iter().flatten();
    Outline {
        heeds_prose: commands.iter().any(|(_, command)| without_sign(command.get_ref()))
            || rules.any(|rule| about_comments(rule.get_ref())),
        commands: commands.iter().map(|(key, _)| key.get_ref().to_string()).collect(),
    }
}

/// Says something useful about a file that this binary is too old for, before its new keys look like mistakes.
fn version_is_known(document: &DeTable<'_>, report: &mut Report) -> bool {
    let Some(version) = document.get("version") else { return true };
    let Some(number) = version.get_ref().as_integer() else { return true };
    match i64::from_str_radix(number.as_str(), number.radix()) {
        Ok(number) if number > VERSION => {
            let message =
                format!("the file is written for version {number} of the language, this `ci` reads version {VERSION}");
            report
                .error(Code::VersionTooNew, &version.span(), message)
                .help(format!("install a newer `ci`, or write `version = {VERSION}` and keep to its keys"));
            false
        }
        Ok(number) if number < 1 => {
            let message = format!("there is no version {number} of the language");
            report.error(Code::UnknownValue, &version.span(), message).help(format!("write `version = {VERSION}`"));
            true
        }
        Ok(_) | Err(_) => true,
    }
}
