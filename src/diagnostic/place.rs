//! From byte offsets to lines and columns, for every report alike. Spans that no longer fit the text are brought back
//! into it, so that a wrong span makes a vague report instead of none.

use crate::model::span::{Source, Span};

/// Where a span begins and ends, counted from 1 and in characters; the end is the place after the last character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) end_line: usize,
    pub(super) end_column: usize,
}

impl Place {
    pub(super) fn of(source: &Source, span: &Span) -> Self {
        let span = within(&source.text, span);
        Self {
            line: source.line(span.start),
            column: source.column(span.start),
            end_line: source.line(span.end),
            end_column: source.column(span.end),
        }
    }
}

/// The span, moved to where the text has characters: not beyond its end, not backwards, not inside a character.
pub(super) fn within(text: &str, span: &Span) -> Span {
    let start = boundary_before(text, span.start);
    let end = boundary_before(text, span.end).max(start);
    start..end
}

fn boundary_before(text: &str, offset: usize) -> usize {
    let mut at = offset.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::{Place, within};
    use crate::model::span::Source;

    #[test]
    fn a_span_that_does_not_fit_is_brought_back() {
        let text = "zwö\n";
        assert_eq!(within(text, &(3..4)), 2..4);
        assert_eq!(within(text, &(90..99)), 5..5);
        #[expect(clippy::reversed_empty_ranges, reason = "the point of the test")]
        let backwards = 4..1;
        assert_eq!(within(text, &backwards), 4..4);
    }

    #[test]
    fn columns_are_characters_and_lines_end_where_they_end() {
        let source = Source::new("ci.toml", "a = 1\r\nö = 'ü'\n");
        let place = Place::of(&source, &(7..16));
        assert_eq!(place, Place { line: 2, column: 1, end_line: 2, end_column: 8 });
        let end = Place::of(&source, &(17..17));
        assert_eq!((end.line, end.column), (3, 1));
    }
}
