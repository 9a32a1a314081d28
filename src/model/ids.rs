//! Names and numbers that GitHub gives out, each a type of its own, so that none stands in for another.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A commit: 40 (or, in SHA-256 repositories, 64) lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Sha(String);

impl Sha {
    /// Reads a full sha; abbreviations are refused, and so is the all-zero sha of a deleted branch.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let hex = text.bytes().all(|b| b.is_ascii_hexdigit());
        let zero = text.bytes().all(|b| b == b'0');
        (matches!(text.len(), 40 | 64) && hex && !zero).then(|| Self(text.to_ascii_lowercase()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The first seven digits, for people.
    pub(crate) fn short(&self) -> &str {
        &self.0[..7]
    }
}

impl TryFrom<String> for Sha {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("`{text}` is not a full commit sha"))
    }
}

impl From<Sha> for String {
    fn from(sha: Sha) -> Self {
        sha.0
    }
}

impl fmt::Display for Sha {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The number of a pull request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct PullNumber(pub(crate) u64);

impl fmt::Display for PullNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One attempt of one workflow run (`GITHUB_RUN_ID`, `GITHUB_RUN_ATTEMPT`); later ones compare greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct RunId {
    pub(crate) id: u64,
    pub(crate) attempt: u32,
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.id, self.attempt)
    }
}

#[cfg(test)]
mod tests {
    use super::Sha;

    #[test]
    fn only_full_shas_are_shas() {
        assert!(Sha::parse("abc1234").is_none());
        assert!(Sha::parse(&"0".repeat(40)).is_none());
        assert_eq!(Sha::parse(&"A".repeat(40)).unwrap().short(), "aaaaaaa");
    }
}
