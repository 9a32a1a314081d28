//! Markdown as one self-contained page that looks as GitHub shows a comment, light and dark, for people who edit
//! templates. It trusts the markdown no more than GitHub does: of raw HTML only the tags below survive, without attributes,
//! and nothing is loaded from anywhere.

use pulldown_cmark::{CodeBlockKind, CowStr, Event, LinkType, Options, Parser, Tag, TagEnd};

/// The page's style sheet, after GitHub's.
const STYLE: &str = include_str!("page.css");

/// Raw HTML that GitHub lets through and our templates may use.
const TAGS: [&str; 20] = [
    "details", "summary", "br", "hr", "sub", "sup", "code", "kbd", "b", "i", "em", "strong", "del", "ins", "p", "pre",
    "samp", "var", "q", "s",
];

/// The page for a comment's markdown.
pub(crate) fn html(markdown: &str, title: &str) -> String {
    let mut body = String::with_capacity(markdown.len() * 2);
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS | Options::ENABLE_GFM;
    pulldown_cmark::html::push_html(&mut body, Tame { inner: Parser::new_ext(markdown, options) });
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <div class=\"avatar\" aria-hidden=\"true\">⚙</div>\n<article class=\"comment\">\n\
         <header><strong>github-actions</strong> <span class=\"label\">bot</span></header>\n\
         <div class=\"markdown-body\">\n{body}</div>\n</article>\n</main>\n</body>\n</html>\n",
        escape(title)
    )
}

/// The events of the markdown with everything taken out that a page must not show.
struct Tame<I> {
    inner: I,
}

impl<'a, I: Iterator<Item = Event<'a>>> Iterator for Tame<I> {
    type Item = Event<'a>;

    #[expect(clippy::wildcard_enum_match_arm, reason = "what can do no harm passes as it is")]
    fn next(&mut self) -> Option<Event<'a>> {
        Some(match self.inner.next()? {
            Event::Start(Tag::HtmlBlock) => Event::Html(allowed(&self.raw()).into()),
            Event::InlineHtml(raw) | Event::Html(raw) => Event::InlineHtml(allowed(&raw).into()),
            Event::Start(Tag::CodeBlock(kind)) => Event::Html(self.code_block(&kind).into()),
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => Event::Start(Tag::Link {
                link_type: LinkType::Inline,
                dest_url: address(dest_url),
                title: CowStr::from(""),
                id: CowStr::from(""),
            }),
            Event::End(TagEnd::Image) => Event::End(TagEnd::Link),
            event => event,
        })
    }
}

impl<'a, I: Iterator<Item = Event<'a>>> Tame<I> {
    /// The text of the block that just began, up to its end.
    fn raw(&mut self) -> String {
        let mut raw = String::new();
        for event in self.inner.by_ref() {
            if matches!(event, Event::End(TagEnd::HtmlBlock | TagEnd::CodeBlock)) {
                break;
            }
            if let Event::Html(text) | Event::Text(text) = event {
                raw.push_str(&text);
            }
        }
        raw
    }

    fn code_block(&mut self, kind: &CodeBlockKind<'_>) -> String {
        let diff = matches!(kind, CodeBlockKind::Fenced(language) if &**language == "diff");
        let text = self.raw();
        let lines: String = text.split_inclusive('\n').map(|line| code_line(line, diff)).collect();
        format!("<pre><code>{lines}</code></pre>\n")
    }
}

/// A line of code, coloured as GitHub colours a diff.
fn code_line(line: &str, diff: bool) -> String {
    let class = match line.as_bytes().first() {
        Some(b'+') if diff => "added",
        Some(b'-') if diff => "removed",
        Some(b'!') if diff => "changed",
        Some(b'@') if diff => "hunk",
        Some(_) | None => return escape(line),
    };
    format!("<span class=\"{class}\">{}</span>\n", escape(line.trim_end_matches('\n')))
}

/// Raw HTML without comments, and with every tag that is not one of [`TAGS`] shown as text.
fn allowed(raw: &str) -> String {
    let mut shown = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('<') {
        shown.push_str(&escape(&rest[..at]));
        rest = &rest[at..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = comment.find("-->").map_or("", |end| &comment[end + 3..]);
        } else if let Some((tag, after)) = tag(rest) {
            shown.push_str(&tag);
            rest = after;
        } else {
            shown.push_str("&lt;");
            rest = &rest[1..];
        }
    }
    shown + &escape(rest)
}

/// An allowed tag at the start of `raw`, and what follows it. Of attributes only the `open` of details is kept.
fn tag(raw: &str) -> Option<(String, &str)> {
    let (inside, after) = raw.strip_prefix('<')?.split_once('>')?;
    let (slash, inside) = inside.strip_prefix('/').map_or(("", inside), |inside| ("/", inside));
    let mut words = inside.trim_end_matches('/').split_ascii_whitespace();
    let name = words.next()?.to_ascii_lowercase();
    let name = TAGS.iter().find(|known| **known == name)?;
    let open = if slash.is_empty() && *name == "details" && words.any(|word| word == "open") { " open" } else { "" };
    Some((format!("<{slash}{name}{open}>"), after))
}

/// An address that a page may link to, else none.
fn address(address: CowStr<'_>) -> CowStr<'_> {
    let scheme = address.split_once(':').map_or("", |(scheme, _)| scheme);
    let known = ["http", "https", "file", "mailto"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    if known || address.starts_with('#') { address } else { CowStr::from("") }
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            _ => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::{allowed, html};

    #[test]
    fn only_tame_html_survives() {
        assert_eq!(allowed("<details open onclick=x><summary>a</summary>"), "<details open><summary>a</summary>");
        assert_eq!(allowed("<!-- infra-dashboard:1 --><br/>"), "<br>");
        assert_eq!(allowed("<script>alert(1)</script>"), "&lt;script&gt;alert(1)&lt;/script&gt;");
        assert_eq!(allowed("<img src=x"), "&lt;img src=x");
        let page = html("<script>x</script>\n\n[a](javascript:x) ![b](https://c/d.png)\n\n<b onclick=x>c</b>", "<t>");
        assert!(!page.contains("<script") && !page.contains("javascript:") && !page.contains("<img"), "{page}");
        assert!(page.contains("<title>&lt;t&gt;</title>") && page.contains("<b>c</b>"), "{page}");
    }

    #[test]
    fn a_diff_is_coloured() {
        let page = html("```diff\n+ <a>\n- b\n c\n```", "t");
        let lines = "<span class=\"added\">+ &lt;a&gt;</span>\n<span class=\"removed\">- b</span>\n c\n";
        assert!(page.contains(lines), "{page}");
    }
}
