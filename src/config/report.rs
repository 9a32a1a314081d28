//! Collects what is wrong in one file. It never stops at the first problem, and knows
//! nothing of what the names stand for.

use std::collections::BTreeSet;

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::nearest::nearest;
use crate::model::span::{Source, Span};

/// All that was found so far.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) source: Source,
    diagnostics: Vec<Diagnostic>,
    /// Where errors stand.
    errors: BTreeSet<usize>,
    /// Where unknown keys stand that could not be read as another: what is missing near them was likely meant by them.
    dropped: BTreeSet<usize>,
    /// Keys that were likely meant by those.
    doubled: BTreeSet<&'static str>,
}

impl Report {
    pub(super) fn new(source: Source) -> Self {
        Self {
            source,
            diagnostics: Vec::new(),
            errors: BTreeSet::new(),
            dropped: BTreeSet::new(),
            doubled: BTreeSet::new(),
        }
    }

    /// Adds an error, which the answer can explain further.
    pub(super) fn error(&mut self, code: Code, span: &Span, message: impl Into<String>) -> Note<'_> {
        self.errors.insert(span.start);
        self.push(Severity::Error, code, span, message.into())
    }

    /// Adds a warning, which the answer can explain further.
    pub(super) fn warning(&mut self, code: Code, span: &Span, message: impl Into<String>) -> Note<'_> {
        self.push(Severity::Warning, code, span, message.into())
    }

    fn push(&mut self, severity: Severity, code: Code, span: &Span, message: String) -> Note<'_> {
        let span = within(&self.source.text, span);
        self.diagnostics.push(Diagnostic::new(severity, code, &self.source, span, message));
        Note(&mut self.diagnostics)
    }

    /// Notes that the key at `offset` means nothing, although it is likely another of `meant`, which is there already.
    pub(super) fn dropped(&mut self, offset: usize, meant: Option<&'static str>) {
        self.dropped.insert(offset);
        self.doubled.extend(meant);
    }

    /// Whether a second table was likely meant to be `key`. Then what it holds is not known.
    pub(super) fn is_doubled(&self, key: &str) -> bool {
        self.doubled.contains(key)
    }

    /// Whether a key within `span` means nothing. Then nothing there may be called missing.
    pub(super) fn dropped_within(&self, span: &Span) -> bool {
        self.dropped.range(span.clone()).next().is_some()
    }

    /// Whether an error stands within `span`.
    pub(super) fn is_wrong_within(&self, span: &Span) -> bool {
        self.errors.range(span.clone()).next().is_some()
    }

    /// The first line of `span`: a long entry is shown by its head.
    pub(super) fn head(&self, span: &Span) -> Span {
        let text = self.source.text.get(span.clone()).unwrap_or_default();
        let end = text.find(['\n', '\r']).unwrap_or(text.len());
        span.start..span.start + end
    }

    pub(super) fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Everything, in the order of the file.
    pub(super) fn into_diagnostics(mut self) -> Vec<Diagnostic> {
        self.diagnostics.sort_by_key(|one| (one.span.start, one.span.end));
        self.diagnostics
    }
}

/// The problem that was just added, to be explained further.
pub(super) struct Note<'r>(&'r mut Vec<Diagnostic>);

impl Note<'_> {
    /// Says what to write instead.
    pub(super) fn help(self, help: impl Into<String>) -> Self {
        if let Some(last) = self.0.last_mut() {
            last.help = Some(help.into());
        }
        self
    }

    /// Points at another place of the same file.
    pub(super) fn related(self, span: &Span, what: impl Into<String>) -> Self {
        if let Some(last) = self.0.last_mut() {
            last.related.push((span.clone(), what.into()));
        }
        self
    }
}

/// The span cut to the text and to whole characters, so that no report can fail on it.
fn within(text: &str, span: &Span) -> Span {
    let is_edge = |offset: &usize| text.is_char_boundary(*offset);
    let end = (span.end.min(text.len())..=text.len()).find(is_edge).unwrap_or(text.len());
    let start = (0..=span.start.min(end)).rev().find(is_edge).unwrap_or_default();
    start..end
}

/// "did you mean `x`?", or else the names that there are.
pub(super) fn hint<'n>(wrong: &str, what: &str, names: impl IntoIterator<Item = &'n str> + Clone) -> String {
    match nearest(wrong, names.clone()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => listed(what, names),
    }
}

/// "the stages are `a`, `b`", with an end.
pub(super) fn listed<'n>(what: &str, names: impl IntoIterator<Item = &'n str>) -> String {
    const MOST: usize = 24;
    let mut names = names.into_iter();
    let shown: Vec<_> = names.by_ref().take(MOST).map(|name| format!("`{name}`")).collect();
    match (shown.is_empty(), names.next()) {
        (true, _) => format!("there are no {what}"),
        (false, None) => format!("the {what} are {}", shown.join(", ")),
        (false, Some(_)) => format!("the {what} are {}, …", shown.join(", ")),
    }
}

/// The text as it stands within a sentence.
pub(super) fn lower_first(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_lowercase().chain(characters).collect())
}
