//! What is wrong in a file: a stable code, the place, what it is, and what to write instead. Reports for people and for
//! machines are made from the same values. It does not know what a rule or a layer is.

use crate::model::span::{Source, Span};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// Likely a mistake; the file is used all the same.
    Warning,
    /// The file cannot be used.
    Error,
}

/// One problem of one file.
#[derive(Debug, Clone)]
pub(crate) struct Diagnostic {
    /// Stable, kebab-case.
    pub(crate) code: &'static str,
    pub(crate) severity: Severity,
    /// The file that `span` points into.
    pub(crate) source: Source,
    pub(crate) span: Span,
    /// What is wrong, naming the thing.
    pub(crate) message: String,
    /// What stands beside the carets.
    pub(crate) label: Option<String>,
    /// What to write instead.
    pub(crate) help: Option<String>,
    /// Other places of the same file that matter, with what each is.
    pub(crate) related: Vec<(Span, String)>,
}
