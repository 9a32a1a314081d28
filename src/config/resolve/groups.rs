//! The groups of a pattern that give their text to nobody.

use std::ops::Range;

/// An open bracket of the pattern.
struct Open {
    at: usize,
    /// Whether it captures without a name.
    unnamed: bool,
    /// Whether a named group stands within: then it is there to make that one optional.
    holds_named: bool,
}

/// The outermost groups without a name that hold none with a name. `pattern` is known to be a regular expression.
pub(super) fn unnamed_groups(pattern: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    let mut classes = 0_usize;
    let mut characters = pattern.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => drop(characters.next()),
            '[' => classes += 1,
            ']' => classes = classes.saturating_sub(1),
            '(' if classes == 0 => open.push(opened(pattern, at)),
            ')' if classes == 0 => {
                let Some(group) = open.pop() else { continue };
                if group.unnamed && !group.holds_named {
                    found.retain(|inner| inner.start < group.at);
                    found.push(group.at..at + 1);
                }
                if let Some(outer) = open.last_mut() {
                    outer.holds_named |= group.holds_named;
                }
            }
            _ => {}
        }
    }
    found
}

fn opened(pattern: &str, at: usize) -> Open {
    let rest = &pattern[at + 1..];
    let named = rest.starts_with("?<") || rest.starts_with("?P<");
    Open { at, unnamed: !rest.starts_with('?'), holds_named: named }
}

#[cfg(test)]
mod tests {
    use super::unnamed_groups;

    #[test]
    fn groups_without_a_name() {
        let found =
            |pattern: &str| unnamed_groups(pattern).into_iter().map(|at| pattern[at].to_owned()).collect::<Vec<_>>();
        assert_eq!(found(r"/plan(\s+(?<layers>.+))?"), Vec::<String>::new());
        assert_eq!(found(r"/plan(?:\s+all)? \([(]x[)]\)"), Vec::<String>::new());
        assert_eq!(found(r"/e2e( (smoke|all))?(\s+(?<x>.))?"), ["( (smoke|all))"]);
    }
}
