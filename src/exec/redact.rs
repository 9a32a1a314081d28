//! Hides secrets in whatever leaves a process: text, streams that arrive in pieces, and JSON. Secrets are the values of
//! environment variables whose names ci.toml lists. It does not know who prints or keeps what it returns.

use std::collections::BTreeSet;
use std::ops::Range;

use anyhow::Context as _;
use regex::bytes::{Regex, RegexBuilder};
use serde_json::Value;

use super::forms::{self, Form, SHORTEST};
use crate::model::pattern::Wildcard;

/// What stands where a secret stood.
const STARS: &str = "***";

/// The longest line that is held back until its end is known, in bytes.
const LINE: usize = 64 << 10;

/// The most memory that the compiled patterns may take, in bytes.
const PATTERNS: usize = 256 << 20;

/// Finds secrets, in all their forms.
#[derive(Debug, Clone)]
pub(crate) struct Redactor {
    /// Nothing where there is no secret.
    secrets: Option<Regex>,
    /// The most bytes that one match can have.
    longest: usize,
}

impl Redactor {
    /// Hides the values of those variables of `environment` whose name matches one of `globs`, as it stands or in
    /// upper case (`*PASSWORD*` means `TF_VAR_db_password` too). Values that stand in `literal`, the text of the
    /// ci.toml in force, are no secrets. Returns the names whose values are too short to be hidden as well.
    ///
    /// # Errors
    /// If the secrets are so large that no pattern can be made of them: then nothing may run.
    pub(crate) fn new(
        globs: &[Wildcard],
        environment: impl Iterator<Item = (String, String)>,
        literal: &str,
    ) -> anyhow::Result<(Self, Vec<String>)> {
        let mut found = BTreeSet::new();
        let mut short = BTreeSet::new();
        for (name, value) in environment {
            let upper = name.to_uppercase();
            if !globs.iter().any(|glob| glob.matches(&name) || glob.matches(&upper)) {
                continue;
            }
            let value = value.trim_end();
            if value.trim().is_empty() || literal.contains(value.trim()) {
                continue;
            }
            let forms = forms_of(value, literal);
            if forms.is_empty() {
                short.insert(name);
            }
            found.extend(forms);
        }
        Ok((Self::of(found)?, short.into_iter().collect()))
    }

    fn of(forms: BTreeSet<Form>) -> anyhow::Result<Self> {
        let longest = forms.iter().map(|form| form.longest).max().unwrap_or(0);
        // Where two begin at the same place the longer one is wanted, which is the first one.
        let patterns: Vec<&str> = forms.iter().rev().map(|form| form.pattern.as_str()).collect();
        if patterns.is_empty() {
            return Ok(Self { secrets: None, longest });
        }
        let secrets = RegexBuilder::new(&patterns.join("|")).unicode(false).size_limit(PATTERNS).build();
        let secrets =
            secrets.context("the secrets in the environment are too large to be hidden: unset those unused")?;
        Ok(Self { secrets: Some(secrets), longest })
    }

    /// The text without its secrets.
    pub(crate) fn redact(&self, text: &str) -> String {
        let mut out = Vec::with_capacity(text.len());
        let spans = self.spans(text.as_bytes(), 0);
        cover(text.as_bytes(), text.len(), &spans, false, &mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    /// The value without secrets in its texts, numbers and keys.
    pub(crate) fn redact_json(&self, value: Value) -> Value {
        if self.secrets.is_none() {
            return value;
        }
        match value {
            Value::Null | Value::Bool(_) => value,
            Value::Number(ref number) => match self.redact(&number.to_string()) {
                text if text.contains(STARS) => Value::String(text),
                _ => value,
            },
            Value::String(text) => Value::String(self.redact(&text)),
            Value::Array(items) => items.into_iter().map(|item| self.redact_json(item)).collect(),
            Value::Object(entries) => {
                let mut out = serde_json::Map::with_capacity(entries.len());
                for (key, value) in entries {
                    let mut key = self.redact(&key);
                    // Two keys that look the same now must not become one: nothing may vanish from a plan.
                    while out.contains_key(&key) {
                        key.push('*');
                    }
                    out.insert(key, self.redact_json(value));
                }
                Value::Object(out)
            }
        }
    }

    /// A stream of bytes, redacted as they come.
    pub(crate) fn stream(&self) -> Stream<'_> {
        Stream { redactor: self, carry: Vec::new(), hidden: 0, bound: LINE.max(2 * self.longest) }
    }

    /// Where secrets stand; those that touch or overlap are one. The first `hidden` bytes count as one.
    fn spans(&self, bytes: &[u8], hidden: usize) -> Vec<Range<usize>> {
        let mut spans: Vec<Range<usize>> = (hidden > 0).then_some(0..hidden).into_iter().collect();
        let mut from = 0;
        while let Some(found) = self.secrets.as_ref().and_then(|secrets| secrets.find_at(bytes, from)) {
            match spans.last_mut() {
                Some(last) if found.start() <= last.end => last.end = last.end.max(found.end()),
                Some(_) | None => spans.push(found.range()),
            }
            // Not from its end: secrets may overlap.
            from = found.start() + 1;
        }
        spans
    }
}

/// The forms of one value: of each line, and in base64 of the whole too.
fn forms_of(value: &str, literal: &str) -> Vec<Form> {
    let lines = value.split(['\n', '\r']).map(str::trim);
    let lines: Vec<&str> = lines.filter(|line| line.chars().count() >= SHORTEST && !literal.contains(line)).collect();
    if lines.is_empty() {
        return Vec::new();
    }
    let mut forms = forms::base64(value.as_bytes());
    for line in lines {
        forms.extend(forms::text(line));
        if line != value {
            forms.extend(forms::base64(line.as_bytes()));
        }
    }
    forms
}

/// Writes the bytes before `cut` with stars for each span that begins there, and returns where the last of these spans
/// ends. `begun` says that the stars of a span at 0 were written before.
fn cover(bytes: &[u8], cut: usize, spans: &[Range<usize>], begun: bool, out: &mut Vec<u8>) -> usize {
    let mut at = 0;
    for span in spans.iter().take_while(|span| span.start < cut) {
        out.extend_from_slice(&bytes[at..span.start]);
        if !(begun && span.start == 0) {
            out.extend_from_slice(STARS.as_bytes());
        }
        at = span.end;
    }
    out.extend_from_slice(bytes.get(at..cut).unwrap_or_default());
    at
}

/// Redacts bytes that arrive in pieces: what is returned never holds a secret, wherever the pieces were cut.
#[derive(Debug)]
pub(crate) struct Stream<'r> {
    redactor: &'r Redactor,
    /// What was not returned yet.
    carry: Vec<u8>,
    /// How many bytes at the begin of `carry` belong to a secret whose stars were returned.
    hidden: usize,
    bound: usize,
}

impl Stream<'_> {
    /// Takes a piece and returns what can be told by now: whole lines, and of endless lines all but so much of the end
    /// as a secret could still begin in.
    pub(crate) fn push(&mut self, piece: &[u8]) -> Vec<u8> {
        if self.redactor.secrets.is_none() {
            return piece.to_vec();
        }
        let held = self.carry.len();
        self.carry.extend_from_slice(piece);
        // No form of a secret holds the end of a line.
        match piece.iter().rposition(|byte| matches!(byte, b'\n' | b'\r')) {
            Some(end) => self.emit(held + end + 1),
            None if self.carry.len() > self.bound => self.emit(self.carry.len() + 1 - self.redactor.longest),
            None => Vec::new(),
        }
    }

    /// Returns what was held back. Nothing follows.
    pub(crate) fn finish(&mut self) -> Vec<u8> {
        self.emit(self.carry.len())
    }

    fn emit(&mut self, cut: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(cut);
        let spans = self.redactor.spans(&self.carry, self.hidden);
        let end = cover(&self.carry, cut, &spans, self.hidden > 0, &mut out);
        self.hidden = end.saturating_sub(cut);
        self.carry.drain(..cut);
        out
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::Redactor;
    use crate::exec::forms::encode;
    use crate::model::pattern::Wildcard;

    fn hiding(secrets: &[&str]) -> Redactor {
        let environment = secrets.iter().enumerate().map(|(at, value)| (format!("SECRET_{at}"), (*value).to_owned()));
        Redactor::new(&[Wildcard::new("SECRET_*").unwrap()], environment, "").unwrap().0
    }

    #[test]
    fn names_choose_and_ci_toml_and_short_values_are_exempt() {
        let globs = [Wildcard::new("*TOKEN*").unwrap(), Wildcard::new("*PASSWORD*").unwrap()];
        let environment = [
            ("GH_TOKEN", "gho_abcdef"),
            ("TF_VAR_db_password", "correct horse"),
            ("SHORT_TOKEN", "12345"),
            ("EMPTY_TOKEN", ""),
            ("PUBLIC_TOKEN", "eu-central-1"),
            ("HOME", "/home/runner"),
        ];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter();
        let (redactor, short) = Redactor::new(&globs, environment, "region = \"eu-central-1\"").unwrap();
        assert_eq!(short, ["SHORT_TOKEN"]);
        let text = "gho_abcdef, correct horse, 12345, eu-central-1, /home/runner";
        assert_eq!(redactor.redact(text), "***, ***, 12345, eu-central-1, /home/runner");
    }

    #[test]
    fn every_form_is_hidden() {
        let redactor = hiding(&["p/ss \"wörd\"+\\<1>", "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\n-----END KEY-----\n"]);
        let cases = [
            (r#"p/ss "wörd"+\<1>"#, "***"),
            (r#"{"x":"p/ss \"wörd\"+\\<1>"}"#, r#"{"x":"***"}"#),
            // Go and Python escape more than they must.
            (r#"p/ss \"wörd\"+\\\u003c1\u003e"#, "***"),
            (r#"p\/ss \"w\u00F6rd\"+\\<1>"#, "***"),
            ("p%2Fss%20%22w%C3%B6rd%22%2B%5C%3C1%3E", "***"),
            ("p/ss+%22w%c3%b6rd%22%2b%5c%3c1%3e", "***"),
            // `printf %s | base64`, url-safe, and inside a longer text at each place.
            ("cC9zcyAid8O2cmQiK1w8MT4=", "***"),
            ("cC9zcyAid8O2cmQiK1w8MT4", "***"),
            ("before MIIEvQIBADANBgkq after", "before *** after"),
            (r"-----BEGIN KEY-----\nMIIEvQIBADANBgkq\n", r"***\n***\n"),
        ];
        for (text, expected) in cases {
            assert_eq!(redactor.redact(text), expected, "{text}");
        }
    }

    #[test]
    fn base64_is_hidden_at_any_place_and_over_lines() {
        // python3 -c 'base64.b64encode(b"user:hunter2-hunter2")', with "u:", "us:" and "use:" before it.
        let redactor = hiding(&["hunter2-hunter2"]);
        for text in ["dTpodW50ZXIyLWh1bnRlcjI=", "dXM6aHVudGVyMi1odW50ZXIy", "dXNlOmh1bnRlcjItaHVudGVyMg=="] {
            let hidden = redactor.redact(text);
            assert!(hidden.contains("***") && hidden.len() <= 10, "{text} became {hidden}");
        }
        // seq -s, 1 40 | base64
        let long: Vec<String> = (1..=40).map(|number| number.to_string()).collect();
        let wrapped = "MSwyLDMsNCw1LDYsNyw4LDksMTAsMTEsMTIsMTMsMTQsMTUsMTYsMTcsMTgsMTksMjAsMjEsMjIs\n\
                       MjMsMjQsMjUsMjYsMjcsMjgsMjksMzAsMzEsMzIsMzMsMzQsMzUsMzYsMzcsMzgsMzksNDAK\n";
        let hidden = hiding(&[&long.join(",")]).redact(wrapped);
        assert!(hidden.len() <= 12, "{hidden}");
    }

    #[test]
    fn overlapping_secrets_leave_nothing_of_either() {
        assert_eq!(hiding(&["abcdef", "defghi", "abcdefgh"]).redact("-abcdefghi-"), "-***-");
    }

    #[test]
    fn json_is_hidden_in_keys_values_and_numbers() {
        let value = json!({"hunter2!": [{"a": "x hunter2!"}, 12_345_678, 7, null], "***": true});
        let hidden = hiding(&["hunter2!", "12345678"]).redact_json(value);
        assert_eq!(hidden, json!({"***": [{"a": "x ***"}, "***", 7, null], "****": true}));
    }

    #[test]
    fn bytes_that_are_no_text_pass_through() {
        let redactor = hiding(&["hunter2!"]);
        let mut stream = redactor.stream();
        let mut out = stream.push(b"\xff\xfehunter2!\xff\n\xc3");
        out.extend(stream.finish());
        assert_eq!(out, b"\xff\xfe***\xff\n\xc3");
    }

    fn one_star(text: &str) -> String {
        let mut text = text.to_owned();
        while text.contains("**") {
            text = text.replace("**", "*");
        }
        text
    }

    fn contains(text: &[u8], secret: &str) -> bool {
        text.windows(secret.len()).any(|window| window == secret.as_bytes())
    }

    proptest! {
        // Stars are left out of the alphabet: what we write ourselves is no leak.
        #[test]
        fn no_secret_slips_through(
            secrets in prop::collection::vec("[abAB%\\\\\"/+ é1-]{6,14}", 1..4),
            noise in prop::collection::vec("[abAB%\\\\\"/+ é1\n-]{0,20}", 1..12),
            cuts in prop::collection::vec(1_usize..9, 1..40),
            bound in 0_usize..64,
        ) {
            let secrets: Vec<&str> = secrets.iter().map(|s| s.trim()).filter(|s| s.chars().count() >= 6).collect();
            let redactor = hiding(&secrets);
            let mut text = String::new();
            for (at, noise) in noise.iter().enumerate() {
                text.push_str(noise);
                text.push_str(secrets.get(at % 4).copied().unwrap_or_default());
            }
            let mut stream = redactor.stream();
            // Far below what is used, so that the bound is met in the midst of secrets.
            stream.bound = redactor.longest + bound;
            let (mut out, mut rest) = (Vec::new(), text.as_bytes());
            for cut in cuts.iter().cycle() {
                let (piece, left) = rest.split_at(rest.len().min(*cut));
                out.extend(stream.push(piece));
                rest = left;
                if rest.is_empty() { break }
            }
            out.extend(stream.finish());
            let whole = redactor.redact(&text);
            // No part of one is left either: the pieces make no difference but for how many stars there are.
            prop_assert_eq!(one_star(&String::from_utf8_lossy(&out)), one_star(&whole));
            for secret in secrets {
                prop_assert!(!contains(&out, secret), "{secret:?} in {:?}", String::from_utf8_lossy(&out));
                prop_assert!(!contains(whole.as_bytes(), secret), "{secret:?} in {whole:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn no_encoding_brings_a_secret_through(
            secret in "[a-z\"\\\\/+&<=é\u{1F600}]{6,60}",
            before in prop::collection::vec(any::<u8>(), 0..7),
            after in prop::collection::vec(any::<u8>(), 0..7),
        ) {
            let redactor = hiding(&[&secret]);
            prop_assert_eq!(redactor.redact(&serde_json::to_string(&secret).unwrap()), "\"***\"");
            let url = secret.chars().map(|c| match c {
                c if c.is_ascii_alphanumeric() => c.to_string(),
                c => c.to_string().bytes().map(|byte| format!("%{byte:02X}")).collect(),
            });
            prop_assert_eq!(redactor.redact(&url.collect::<String>()), "***");

            let letters = encode(&[&*before, secret.as_bytes(), &*after].concat());
            let hidden = redactor.redact(std::str::from_utf8(&letters).unwrap());
            // What is left holds what stands around the secret, and at most a few bits of its ends.
            let around = (before.len() * 8).div_ceil(6) + (after.len() * 8).div_ceil(6);
            prop_assert!(hidden.contains("***") && hidden.len() <= 3 + around + 1, "{hidden}");
        }
    }
}
