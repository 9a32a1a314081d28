//! The plain lines of a comment: what a reader sees as ordinary text of a paragraph at the top level.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// Every line of every top-level paragraph that holds nothing but plain text, trimmed. A line whose source differs
/// from what it shows (escapes, entities) is left out: what is not written plainly is not meant as a command.
pub(super) fn plain_lines(body: &str) -> Vec<String> {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_GFM;
    let mut lines = Vec::new();
    let mut line = Line::default();
    let mut depth = 0_usize;
    let mut in_paragraph = false;
    for (event, range) in Parser::new_ext(body, options).into_offset_iter() {
        match event {
            Event::Start(Tag::Paragraph) if depth == 0 => {
                in_paragraph = true;
                depth += 1;
            }
            Event::End(TagEnd::Paragraph) if depth == 1 && in_paragraph => {
                lines.extend(std::mem::take(&mut line).finish(body));
                in_paragraph = false;
                depth = 0;
            }
            Event::Start(_) => {
                line.tainted = true;
                depth += 1;
            }
            Event::End(_) => {
                line.tainted = true;
                depth = depth.saturating_sub(1);
            }
            Event::Text(text) if in_paragraph && depth == 1 => line.push(&text, range),
            Event::SoftBreak | Event::HardBreak if in_paragraph => {
                let next = Line { tainted: depth > 1, ..Line::default() };
                lines.extend(std::mem::replace(&mut line, next).finish(body));
            }
            Event::Text(_)
            | Event::Code(_)
            | Event::InlineMath(_)
            | Event::DisplayMath(_)
            | Event::Html(_)
            | Event::InlineHtml(_)
            | Event::FootnoteReference(_)
            | Event::SoftBreak
            | Event::HardBreak
            | Event::Rule
            | Event::TaskListMarker(_) => line.tainted = true,
        }
        if depth == 0 {
            line = Line::default();
        }
    }
    lines
}

#[derive(Default)]
struct Line {
    shown: String,
    source: Option<std::ops::Range<usize>>,
    /// Whether something other than plain text stands in it.
    tainted: bool,
}

impl Line {
    fn push(&mut self, text: &str, range: std::ops::Range<usize>) {
        self.shown.push_str(text);
        let start = self.source.take().map_or(range.start, |source| source.start);
        self.source = Some(start..range.end);
    }

    fn finish(self, body: &str) -> Option<String> {
        let shown = self.shown.trim();
        let source = self.source?;
        // From the begin of the line, so that a backslash before the text counts too.
        let start = body.get(..source.start)?.rfind(['\n', '\r']).map_or(0, |end| end + 1);
        let written = body.get(start..source.end)?.trim();
        (!self.tainted && !shown.is_empty() && shown == written).then(|| shown.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::plain_lines;

    #[test]
    fn only_plain_paragraph_lines_are_seen() {
        assert_eq!(plain_lines("/plan\n/apply platform  \n/e2e"), ["/plan", "/apply platform", "/e2e"]);
        for hidden in [
            "`/plan`",
            "```\n/plan\n```",
            "    /plan",
            "> /plan",
            "> quoted\n/plan",
            "- /plan",
            "1. /plan",
            "# /plan",
            "/plan\n---",
            "**/plan**",
            "/plan *now*",
            "[/plan](https://example.com)",
            "<!-- /plan -->",
            "<b>/plan</b>",
            "<div>\n/plan\n</div>",
            "/a | b\n--|--\n/plan | x",
            "\\/plan",
            "&#47;plan",
            "~~/plan~~",
            "*multi\n/plan\nline*",
        ] {
            assert!(!plain_lines(hidden).iter().any(|line| line.starts_with("/plan")), "{hidden:?}");
        }
        assert_eq!(plain_lines("*em*\n/plan"), ["/plan"]);
        assert_eq!(plain_lines("<b>x</b>\n\n/plan"), ["/plan"]);
        assert_eq!(plain_lines("/plan a_b_c [x"), ["/plan a_b_c [x"]);
        assert_eq!(plain_lines("/plan\r\n/apply\r\n"), ["/plan", "/apply"]);
    }
}
