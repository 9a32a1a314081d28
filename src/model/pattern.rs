//! Regular expressions and globs, compiled once where ci.toml is read.

use globset::{Glob, GlobMatcher};
use regex::{Regex, RegexBuilder};

/// A command's pattern: a regular expression that must match a whole line.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    source: String,
    regex: Regex,
}

/// The most memory that one compiled pattern may take, in bytes.
const PATTERN_SIZE: usize = 1 << 20;

impl Pattern {
    /// Compiles `source`; the error says what is wrong in the words of the `regex` crate.
    pub(crate) fn new(source: &str) -> Result<Self, regex::Error> {
        // Compiled alone first, so that a pattern such as `a)|(b` cannot escape the group around it.
        RegexBuilder::new(source).size_limit(PATTERN_SIZE).build()?;
        let regex = RegexBuilder::new(&format!("^(?:{source})$")).size_limit(PATTERN_SIZE).build()?;
        Ok(Self { source: source.to_owned(), regex })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.source
    }

    /// The named groups, in order.
    pub(crate) fn groups(&self) -> impl Iterator<Item = &str> {
        self.regex.capture_names().flatten()
    }

    /// The text of every named group (absent ones as `None`) where the whole line matches.
    pub(crate) fn captures<'t>(&self, line: &'t str) -> Option<Vec<(&str, Option<&'t str>)>> {
        let found = self.regex.captures(line)?;
        Some(self.groups().map(|name| (name, found.name(name).map(|group| group.as_str()))).collect())
    }
}

/// A glob over paths, branches or names, as `.gitignore` and GitHub's workflow filters write them: `*` stays within a
/// folder, `**` does not.
#[derive(Debug, Clone)]
pub(crate) struct Wildcard {
    source: String,
    matcher: GlobMatcher,
}

impl Wildcard {
    /// Compiles `source`; the error says what is wrong in the words of the `globset` crate.
    pub(crate) fn new(source: &str) -> Result<Self, globset::Error> {
        let glob = globset::GlobBuilder::new(source).literal_separator(true).backslash_escape(true).build()?;
        Ok(Self { source: source.to_owned(), matcher: Glob::compile_matcher(&glob) })
    }

    /// Matches every file below a folder; `.` is the root.
    pub(crate) fn below(dir: &str) -> Result<Self, globset::Error> {
        Self::new(&if dir == "." { "**".to_owned() } else { format!("{}/**", globset::escape(dir)) })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.source
    }

    pub(crate) fn matches(&self, text: &str) -> bool {
        self.matcher.is_match(text)
    }
}

#[cfg(test)]
mod tests {
    use super::{Pattern, Wildcard};

    #[test]
    fn a_pattern_matches_whole_lines_only() {
        let pattern = Pattern::new(r"/plan(\s+(?<layers>.+))?|/p").unwrap();
        assert!(pattern.captures("/plan").is_some());
        assert!(pattern.captures("/p").is_some());
        assert!(pattern.captures("please /plan").is_none());
        assert_eq!(pattern.captures("/plan a b").unwrap(), [("layers", Some("a b"))]);
        assert!(Pattern::new("a)|(b").is_err());
    }

    #[test]
    fn a_star_stays_within_a_folder() {
        let glob = Wildcard::new("envs/*/data/**").unwrap();
        assert!(glob.matches("envs/prod/data/main.tf"));
        assert!(!glob.matches("envs/a/b/data/main.tf"));
    }
}
