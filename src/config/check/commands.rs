//! Commands that answer to the same line.

use std::collections::{HashMap, HashSet};

use crate::config::report::Report;
use crate::diagnostic::Code;
use crate::model::rules::{Command, Rules};

/// The most lines that are made of one `usage`.
const SAMPLES: usize = 32;

/// A line that one command's `usage` shows may not be another's as well.
pub(super) fn ambiguous(rules: &Rules, report: &mut Report) {
    let mut by_beginning: HashMap<&str, Vec<&Command>> = HashMap::new();
    for command in rules.commands.values() {
        by_beginning.entry(beginning(command.pattern.as_str())).or_default().push(command);
    }
    let mut told: HashSet<(&str, &str)> = HashSet::new();
    for command in rules.commands.values() {
        for line in lines(&command.usage).iter().filter(|line| command.pattern.captures(line).is_some()) {
            let candidates = prefixes(line).filter_map(|prefix| by_beginning.get(prefix)).flatten();
            for other in candidates.filter(|other| other.key.value != command.key.value) {
                if other.pattern.captures(line).is_none() {
                    continue;
                }
                let (one, two) = in_order(command, other);
                if told.insert((&one.key.value, &two.key.value)) {
                    tell(line, one, two, report);
                }
            }
        }
    }
}

fn tell(line: &str, one: &Command, two: &Command, report: &mut Report) {
    report
        .error(
            Code::AmbiguousCommand,
            &two.key.span,
            format!("`{line}` is `{}` and `{}`", one.key.value, two.key.value),
        )
        .related(&one.key.span, "the other command")
        .help("make the patterns differ: a line is one command");
}

fn in_order<'c>(one: &'c Command, two: &'c Command) -> (&'c Command, &'c Command) {
    if one.key.span.start <= two.key.span.start { (one, two) } else { (two, one) }
}

/// Every beginning of a line, the empty one too.
fn prefixes(line: &str) -> impl Iterator<Item = &str> {
    line.char_indices().map(|(at, _)| &line[..at]).chain([line])
}

/// The text that every match of a pattern begins with.
pub(in crate::config) fn beginning(pattern: &str) -> &str {
    if pattern.contains('|') {
        // A choice may be of whole patterns.
        return "";
    }
    let special = |character: char| r"\.+*?()[]{}^$#&~".contains(character);
    let end = pattern.find(special).unwrap_or(pattern.len());
    let (literal, rest) = pattern.split_at(end);
    if rest.starts_with(['?', '*', '{']) {
        // The last character may be absent.
        let last = literal.char_indices().next_back().map_or(0, |(at, _)| at);
        return &literal[..last];
    }
    literal
}

/// The lines that a `usage` stands for: `[…]` with and without, each side of `a|b`.
fn lines(usage: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in usage.split_whitespace() {
        let optional = word.strip_prefix('[').and_then(|word| word.strip_suffix(']'));
        let choices: Vec<&str> = optional.unwrap_or(word).split('|').collect();
        let mut longer: Vec<String> = if optional.is_some() { lines.clone() } else { Vec::new() };
        for line in &lines {
            let space = if line.is_empty() { "" } else { " " };
            longer.extend(choices.iter().map(|choice| format!("{line}{space}{choice}")));
        }
        longer.truncate(SAMPLES);
        lines = longer;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::{beginning, lines};

    #[test]
    fn a_usage_stands_for_lines() {
        assert_eq!(lines("/e2e [smoke|all]"), ["/e2e", "/e2e smoke", "/e2e all"]);
        assert_eq!(lines("/bootstrap plan|apply"), ["/bootstrap plan", "/bootstrap apply"]);
    }

    #[test]
    fn a_pattern_begins_with_its_literal_text() {
        assert_eq!(beginning(r"/plan(\s+(?<layers>.+))?"), "/plan");
        assert_eq!(beginning("/plans?"), "/plan");
        assert_eq!(beginning("/plan|/p"), "");
    }
}
