//! What is wrong in a file: a stable code, the place, what it is, and what to write instead. Reports for people and for
//! machines are made from the same values. It does not know what a rule or a layer is.

mod code;
mod github;
mod human;
mod json;
mod place;
mod sarif;
mod short;
#[cfg(test)]
mod tests;

pub(crate) use code::Code;

use crate::model::span::{Source, Span};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// Likely a mistake; the file is used all the same.
    Warning,
    /// The file cannot be used.
    Error,
}

impl Severity {
    /// The word that people, GitHub and SARIF all know it by.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One problem of one file.
#[derive(Debug, Clone)]
pub(crate) struct Diagnostic {
    pub(crate) code: Code,
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

impl Diagnostic {
    /// A problem that makes the file unusable.
    pub(crate) fn error(code: Code, source: &Source, span: Span, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, source, span, message.into())
    }

    /// A problem of whichever weight.
    pub(crate) fn new(severity: Severity, code: Code, source: &Source, span: Span, message: String) -> Self {
        let source = source.clone();
        Self { code, severity, source, span, message, label: None, help: None, related: Vec::new() }
    }

    /// Says what stands beside the carets.
    #[must_use]
    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Says what to write instead.
    #[must_use]
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// How diagnostics are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Source lines with carets, and a count at the end.
    Human,
    /// One line each: `ci.toml:12:3: error[unknown-key]: message (help)`.
    Short,
    /// One JSON document with a version.
    Json,
    /// Workflow commands, which GitHub Actions shows on the changed lines:
    /// <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#setting-an-error-message>
    Github,
    /// SARIF 2.1.0 for code scanning:
    /// <https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning>
    Sarif,
}

/// Shows the diagnostics by file and place, however they came. The text ends with a line end, or is empty where there
/// is nothing to say; `color` matters to people alone.
pub(crate) fn report(diagnostics: &[Diagnostic], format: Format, color: bool) -> String {
    let mut sorted: Vec<&Diagnostic> = diagnostics.iter().collect();
    sorted.sort_by(|a, b| order(a).cmp(&order(b)));
    match format {
        Format::Human => human::report(&sorted, color),
        Format::Short => short::report(&sorted),
        Format::Json => json::report(&sorted),
        Format::Github => github::report(&sorted),
        Format::Sarif => sarif::report(&sorted),
    }
}

fn order(diagnostic: &Diagnostic) -> (&str, usize, usize, &str, &str) {
    (&diagnostic.source.name, diagnostic.span.start, diagnostic.span.end, diagnostic.code.as_str(), &diagnostic.message)
}
