//! Source lines with carets under what is meant, drawn as rustc draws them. Only the lines that are shown are given to
//! the renderer: what a report costs depends on its diagnostics, not on the length of the file.

use std::borrow::Cow;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet, normalize_untrusted_str};

use super::place::within;
use super::{Code, Diagnostic, Severity};
use crate::model::span::{Source, Span};

/// The lines of one place that are shown; a table may span thousands.
const SHOWN_LINES: usize = 6;

/// Places as near as this are drawn in one picture.
const NEAR_LINES: usize = 8;

pub(super) fn report(diagnostics: &[&Diagnostic], color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let mut text = String::new();
    let secrets: Vec<&Diagnostic> = diagnostics.iter().copied().filter(|one| one.code == Code::Secret).collect();
    for diagnostic in diagnostics {
        text.push_str(&renderer.render(&[group(diagnostic, &secrets)]));
        text.push_str("\n\n");
    }
    if !diagnostics.is_empty() {
        text.push_str(&summary(diagnostics));
        text.push('\n');
    }
    text
}

fn group<'a>(diagnostic: &'a Diagnostic, secrets: &[&Diagnostic]) -> Group<'a> {
    let level = match diagnostic.severity {
        Severity::Warning => Level::WARNING,
        Severity::Error => Level::ERROR,
    };
    let name = normalize_untrusted_str(&diagnostic.source.name);
    let pictures = pictures(diagnostic);
    let snippets = pictures.into_iter().map(|picture| picture.snippet(&diagnostic.source, &name, secrets));
    let group = level.primary_title(&*diagnostic.message).id(diagnostic.code.as_str()).elements(snippets);
    match &diagnostic.help {
        Some(help) => group.element(Level::HELP.message(&**help)),
        None => group,
    }
}

/// One run of lines, and what is marked in them.
struct Picture<'a> {
    first: usize,
    last: usize,
    marks: Vec<Mark<'a>>,
}

struct Mark<'a> {
    kind: AnnotationKind,
    span: Span,
    label: Option<&'a str>,
}

/// The picture of the place itself, then those of related places too far away to be seen in it.
fn pictures(diagnostic: &Diagnostic) -> Vec<Picture<'_>> {
    let source = &diagnostic.source;
    let primary = (AnnotationKind::Primary, &diagnostic.span, diagnostic.label.as_deref());
    let related = diagnostic.related.iter().map(|(span, what)| (AnnotationKind::Context, span, Some(&**what)));
    let mut pictures: Vec<Picture<'_>> = Vec::new();
    for (kind, span, label) in std::iter::once(primary).chain(related) {
        let (span, first, last) = shown(source, span);
        let mark = Mark { kind, span, label };
        match pictures.iter_mut().find(|picture| picture.is_near(first, last)) {
            Some(picture) => {
                picture.first = picture.first.min(first);
                picture.last = picture.last.max(last);
                picture.marks.push(mark);
            }
            None => pictures.push(Picture { first, last, marks: vec![mark] }),
        }
    }
    pictures
}

/// The part of a span that is drawn, and its first and last line.
fn shown(source: &Source, span: &Span) -> (Span, usize, usize) {
    let span = within(&source.text, span);
    let first = source.line(span.start);
    // A span that ends with its line does not reach into the next one.
    let last = source.line(span.end.saturating_sub(1).max(span.start));
    if last < first + SHOWN_LINES {
        (span, first, last)
    } else {
        (span.start..line_end(source, first).max(span.start), first, first)
    }
}

impl<'a> Picture<'a> {
    fn is_near(&self, first: usize, last: usize) -> bool {
        first <= self.last + NEAR_LINES && self.first <= last + NEAR_LINES
    }

    fn snippet(self, source: &'a Source, name: &str, secrets: &[&Diagnostic]) -> Snippet<'a, Annotation<'a>> {
        let start = source.line_start(self.first);
        let end = line_end(source, self.last);
        let annotations = self.marks.into_iter().map(|mark| {
            let span = mark.span.start.min(end) - start..mark.span.end.min(end) - start;
            mark.kind.span(span).label(mark.label)
        });
        let secrets = secrets.iter().filter(|secret| secret.source.name == source.name);
        let hidden: Vec<Span> = secrets
            .map(|secret| secret.span.start.clamp(start, end) - start..secret.span.end.clamp(start, end) - start)
            .filter(|span| !span.is_empty())
            .collect();
        Snippet::source(without(&source.text[start..end], &hidden))
            .line_start(self.first)
            .path(name.to_owned())
            .annotations(annotations)
    }
}

/// The text with stars for all that stands in `hidden`, byte for byte: whoever reads a report, or the log that it is in,
/// need not learn the secret that it warns of.
fn without<'t>(text: &'t str, hidden: &[Span]) -> Cow<'t, str> {
    if hidden.is_empty() {
        return Cow::Borrowed(text);
    }
    let is_hidden = |at: usize| hidden.iter().any(|span| span.contains(&at));
    let shown = text.char_indices().map(|(at, c)| match c {
        '\n' | '\r' | '"' | '\'' => c.to_string(),
        _ if is_hidden(at) => "*".repeat(c.len_utf8()),
        _ => c.to_string(),
    });
    Cow::Owned(shown.collect())
}

fn line_end(source: &Source, line: usize) -> usize {
    source.line_start(line) + source.line_text(line).len()
}

fn summary(diagnostics: &[&Diagnostic]) -> String {
    let count = |severity| diagnostics.iter().filter(|diagnostic| diagnostic.severity == severity).count();
    let counts: Vec<String> = [Severity::Error, Severity::Warning]
        .into_iter()
        .filter_map(|severity| match (count(severity), severity.word()) {
            (0, _) => None,
            (1, word) => Some(format!("1 {word}")),
            (many, word) => Some(format!("{many} {word}s")),
        })
        .collect();
    let mut files: Vec<&str> = diagnostics.iter().map(|diagnostic| &*diagnostic.source.name).collect();
    files.dedup();
    let place = match files[..] {
        [file] => normalize_untrusted_str(file),
        _ => format!("{} files", files.len()),
    };
    format!("{} in {place}", counts.join(", "))
}
