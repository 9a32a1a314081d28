//! Places in a source text. They stay byte offsets until a report makes them lines and columns.

use std::ops::{Deref, Range};
use std::sync::Arc;

/// A range of bytes in a source text.
pub(crate) type Span = Range<usize>;

/// A value and the place where it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) span: Span,
}

impl<T> At<T> {
    pub(crate) fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }
}

impl<T> Deref for At<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// A text that was read, under the name that people know it by.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// The path as it was given, for messages.
    pub(crate) name: String,
    /// The whole text.
    pub(crate) text: Arc<str>,
    /// The byte offset at which each line begins.
    starts: Arc<[usize]>,
}

impl Source {
    pub(crate) fn new(name: impl Into<String>, text: impl Into<Arc<str>>) -> Self {
        let text = text.into();
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { name: name.into(), text, starts }
    }

    /// The line, from 1, that holds the byte at `offset`.
    pub(crate) fn line(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset).max(1)
    }

    /// The column, from 1 and in characters, of the byte at `offset`.
    pub(crate) fn column(&self, offset: usize) -> usize {
        let start = self.starts[self.line(offset) - 1];
        self.text.get(start..offset).map_or(1, |before| before.chars().count() + 1)
    }

    /// The byte offset at which a line, counted from 1, begins.
    pub(crate) fn line_start(&self, line: usize) -> usize {
        self.starts.get(line.saturating_sub(1)).copied().unwrap_or(self.text.len())
    }

    /// The text of a line, counted from 1, without its end.
    pub(crate) fn line_text(&self, line: usize) -> &str {
        let start = self.line_start(line);
        let end = self.starts.get(line).copied().unwrap_or(self.text.len());
        self.text[start..end].trim_end_matches(['\n', '\r'])
    }
}

#[cfg(test)]
mod tests {
    use super::Source;

    #[test]
    fn offsets_become_lines_and_columns() {
        let source = Source::new("ci.toml", "one\nzwö = 1\n");
        assert_eq!((source.line(0), source.column(0)), (1, 1));
        assert_eq!((source.line(4), source.column(4)), (2, 1));
        assert_eq!(source.column(source.text.find('=').unwrap()), 5);
        assert_eq!(source.line_text(2), "zwö = 1");
        assert_eq!(source.line(source.text.len()), 3);
    }
}
