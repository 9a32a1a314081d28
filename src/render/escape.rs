//! Untrusted text in markdown: escaped for its place, so that it never becomes markup, a mention, a link, or leaves its
//! line or fence. It knows GitHub's markdown; it does not know what the texts mean.
//!
//! GitHub turns `@name`, `#12` and bare addresses into links after the markdown was parsed, where a backslash or an
//! entity is gone already. A zero-width space inside them is what keeps them text.

use minijinja::{Environment, Error, Output, State, UndefinedBehavior, Value};

/// Keeps `@name`, `#12`, `www.` and `https://` from becoming links; it shows as nothing.
const BREAK: &str = "&#8203;";

/// Escapes text for any place within a line: paragraph, heading, list item, table cell. White space of every kind, line
/// breaks too, becomes single spaces; control characters and those that turn the direction of text are left out. What
/// stands in a pair of single backticks, as our own messages write names, is shown as code.
pub(super) fn text(untrusted: &str) -> String {
    with_code(&one_line(untrusted), literal, code)
}

/// Escapes what stands in pairs of single backticks with `inside`, and the rest, or all where the backticks do not pair,
/// with `outside`.
fn with_code(plain: &str, outside: fn(&str) -> String, inside: fn(&str) -> String) -> String {
    let parts: Vec<&str> = plain.split('`').collect();
    let between = parts.len().saturating_sub(2);
    let paired = parts.len() % 2 == 1 && parts.iter().skip(1).take(between).all(|part| !part.trim().is_empty());
    if !paired {
        return outside(plain);
    }
    parts.iter().enumerate().map(|(at, part)| if at % 2 == 1 { inside(part) } else { outside(part) }).collect()
}

/// Escapes one line of text, backticks too.
fn literal(plain: &str) -> String {
    let mut escaped = String::with_capacity(plain.len() + plain.len() / 8);
    let mut before = None;
    let mut rest = plain.chars();
    while let Some(c) = rest.next() {
        let after = rest.clone().next();
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '|' => escaped.push_str("&#124;"),
            '$' => escaped.push_str("&#36;"),
            '@' => escaped.extend(["@", BREAK]),
            '#' => escaped.extend(["\\#", BREAK]),
            '_' if is_alphanumeric(before) && is_alphanumeric(after) => escaped.push('_'),
            '\\' | '`' | '*' | '_' | '[' | ']' | '~' => escaped.extend(['\\', c]),
            ':' if rest.as_str().starts_with("//") => escaped.extend([":", BREAK]),
            '+' | '-' | '=' | ':' if before.is_none() => escaped.extend(['\\', c]),
            '.' | ')' if opens_list(&escaped) => escaped.extend(['\\', c]),
            // Found in the source, before entities are read: the break stands within what is looked for.
            '.' if ends_with(&escaped, "www") => escaped.extend([BREAK, "."]),
            '-' if ends_with(&escaped, "gh") => escaped.extend(["-", BREAK]),
            _ => escaped.push(c),
        }
        before = Some(c);
    }
    escaped
}

/// The text as it would be read on one line: white space is single spaces, and what does not show is left out.
pub(super) fn one_line(untrusted: &str) -> String {
    let mut line = String::with_capacity(untrusted.len());
    for c in untrusted.chars() {
        if c.is_whitespace() {
            if !line.is_empty() && !line.ends_with(' ') {
                line.push(' ');
            }
        } else if !unseen(c) {
            line.push(c);
        }
    }
    line.truncate(line.trim_end().len());
    line
}

/// Control characters, and marks that turn the direction of the text around them.
fn unseen(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

fn is_alphanumeric(c: Option<char>) -> bool {
    c.is_some_and(char::is_alphanumeric)
}

/// Whether `1` stands before a `.` or `)` at the start of a line, which would begin a list.
fn opens_list(escaped: &str) -> bool {
    !escaped.is_empty() && escaped.len() < 10 && escaped.bytes().all(|b| b.is_ascii_digit())
}

fn ends_with(escaped: &str, word: &str) -> bool {
    let at = escaped.len().checked_sub(word.len());
    at.and_then(|at| escaped.get(at..)).is_some_and(|end| end.eq_ignore_ascii_case(word))
}

/// Text as code. Backticks where they can hold it, else the element, whose text is escaped.
pub(super) fn code(untrusted: &str) -> String {
    let plain = one_line(untrusted);
    if plain.is_empty() {
        String::new()
    } else if plain.contains(['`', '|', '\\', '$', '<']) {
        format!("<code>{}</code>", literal(&plain))
    } else {
        format!("`{plain}`")
    }
}

/// Escapes text for one line of raw HTML, such as a `<summary>`, in which markdown is not read.
pub(super) fn html(untrusted: &str) -> String {
    with_code(&one_line(untrusted), html_literal, |code| format!("<code>{}</code>", html_literal(code)))
}

fn html_literal(plain: &str) -> String {
    let mut escaped = String::with_capacity(plain.len() + plain.len() / 8);
    for c in plain.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '@' => escaped.extend(["@", BREAK]),
            '#' => escaped.extend(["#", BREAK]),
            '-' if ends_with(&escaped, "gh") => escaped.extend(["-", BREAK]),
            _ => escaped.push(c),
        }
    }
    escaped
}

/// A link to an address of the web (or of a file, for the local forge); where there is none, the text alone.
pub(super) fn link(untrusted: &str, address: Option<&str>) -> String {
    let shown = text(untrusted);
    match address.and_then(target) {
        Some(target) => format!("[{shown}]({target})"),
        None => shown,
    }
}

/// An address as it may stand between the parentheses of a link: `http`, `https` and `file` alone, with everything
/// percent-encoded that could end the link, its cell or its line.
fn target(address: &str) -> Option<String> {
    let address = address.trim();
    let (scheme, rest) = address.split_once("://")?;
    let known = ["http", "https", "file"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    if !known || rest.is_empty() {
        return None;
    }
    let mut encoded = String::with_capacity(address.len());
    for byte in address.bytes() {
        match byte {
            b'&' => encoded.push_str("&amp;"),
            b'-' | b'.' | b'_' | b'~' | b':' | b'/' | b'?' | b'#' | b'@' | b'+' | b',' | b'=' | b'%' => {
                encoded.push(char::from(byte));
            }
            _ if byte.is_ascii_alphanumeric() => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    Some(encoded)
}

/// The longest beginning of at most `most` bytes.
pub(super) fn prefix(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    &text[..end.unwrap_or_default()]
}

/// The longest end of at most `most` bytes.
pub(super) fn suffix(text: &str, most: usize) -> &str {
    let start = (text.len().saturating_sub(most)..text.len()).find(|at| text.is_char_boundary(*at));
    &text[start.unwrap_or(text.len())..]
}

/// The longest run of backticks that a text keeps; longer ones would make a fence that no comment holds.
const RUN: usize = 60;

/// A fenced block that its text cannot leave: the fence is longer than any run of backticks inside. Escape sequences of
/// terminals and other control characters are left out.
pub(super) fn fence(untrusted: &str, language: &str) -> String {
    let mut plain = without_controls(untrusted);
    let too_long = "`".repeat(RUN + 1);
    if plain.contains(&too_long) {
        plain = plain.replace(&too_long[1..], &format!("{}\u{200b}", &too_long[1..]));
    }
    let ticks = "`".repeat(longest_run(&plain).max(2) + 1);
    let language: String = language.chars().filter(char::is_ascii_alphanumeric).collect();
    format!("{ticks}{language}\n{}\n{ticks}", plain.trim_end_matches('\n'))
}

/// The length of the longest run of backticks.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// Leaves out what a terminal would obey: `ESC [ … letter`, `ESC ] … BEL`, and control characters. A carriage return ends
/// a line, as a progress bar means it.
pub(super) fn without_controls(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\u{1b}' => match rest.next_if(|next| matches!(next, '[' | ']')) {
                Some('[') => while rest.next().is_some_and(|c| !('@'..='~').contains(&c)) {},
                Some(_) => while rest.next().is_some_and(|c| !matches!(c, '\u{7}' | '\u{1b}' | '\n')) {},
                None => {}
            },
            '\r' if rest.peek() == Some(&'\n') => {}
            '\r' => plain.push('\n'),
            '\n' | '\t' => plain.push(c),
            _ if unseen(c) => {}
            _ => plain.push(c),
        }
    }
    plain
}

/// Makes every value that a template prints escaped text, unless one of our own filters made markdown of it. The filters
/// and blocks with which a template could switch that off are taken away.
pub(super) fn install(environment: &mut Environment<'_>) {
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::Custom("markdown".into()));
    environment.set_formatter(print);
    for hole in ["safe", "tojson", "escape", "e"] {
        environment.remove_filter(hole);
    }
    environment.add_filter("code", |value: &Value| Value::from_safe_string(code(&shown(value))));
    environment.add_filter("html", |value: &Value| Value::from_safe_string(html(&shown(value))));
    environment.add_filter("fence", |value: &Value, language: Option<&str>| {
        Value::from_safe_string(fence(&shown(value), language.unwrap_or_default()))
    });
    environment.add_filter("link", |value: &Value, address: &Value| {
        let shown = if value.is_safe() { value.to_string() } else { text(&shown(value)) };
        Value::from_safe_string(match address.as_str().and_then(target) {
            Some(target) => format!("[{shown}]({target})"),
            None => shown,
        })
    });
}

/// A value's text; what is absent is empty.
fn shown(value: &Value) -> String {
    if value.is_none() || value.is_undefined() { String::new() } else { value.to_string() }
}

fn print(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    if value.is_safe() {
        return out.write_str(value.as_str().unwrap_or_default()).map_err(Error::from);
    }
    if value.is_undefined() && state.undefined_behavior() == UndefinedBehavior::Strict {
        return Err(minijinja::ErrorKind::UndefinedError.into());
    }
    out.write_str(&text(&shown(value))).map_err(Error::from)
}

#[cfg(test)]
mod tests {
    use super::{code, fence, html, link, text};

    #[test]
    fn each_kind_of_markup_stays_text() {
        let cases = [
            ("a | b\nc", "a &#124; b c"),
            ("<b> & &lt;", "&lt;b&gt; &amp; &amp;lt;"),
            ("@acme/admins a@b.c", "@&#8203;acme/admins a@&#8203;b.c"),
            ("fixes #12, GH-3", "fixes \\#&#8203;12, GH-&#8203;3"),
            ("https://a.b WWW.a.b", "https:&#8203;//a.b WWW&#8203;.a.b"),
            ("://", ":&#8203;//"),
            ("*a* _b_ ~~c~~ [d](e) \\", "\\*a\\* \\_b\\_ \\~\\~c\\~\\~ \\[d\\](e) \\\\"),
            ("null_resource.a", "null_resource.a"),
            ("- item", "\\- item"),
            ("12. item", "12\\. item"),
            ("`terraform plan` failed", "`terraform plan` failed"),
            ("`a|b` and `", "\\`a&#124;b\\` and \\`"),
            ("`a|b`", "<code>a&#124;b</code>"),
            ("\u{202e}a\u{0}", "a"),
        ];
        for (untrusted, escaped) in cases {
            assert_eq!(text(untrusted), escaped);
        }
        assert_eq!(html("`x` <b> *c* @a"), "<code>x</code> &lt;b&gt; *c* @&#8203;a");
        assert_eq!(code("<!-- x"), "<code>&lt;!-- x</code>");
    }

    #[test]
    fn an_address_cannot_leave_its_link() {
        let target = "[x](https://a.b/c%29%5B%5D%28d?e=1&amp;f=%7C#g%0Ah)";
        assert_eq!(link("x", Some("https://a.b/c)[](d?e=1&f=|#g\nh")), target);
        for other in ["javascript:alert(1)", "data:text/html,x", "//a.b", "/a", "https://", ""] {
            assert_eq!(link("x", Some(other)), "x");
        }
    }

    #[test]
    fn a_fence_is_longer_than_what_is_inside() {
        assert_eq!(fence("a\n````\nb\n", "diff"), "`````diff\na\n````\nb\n`````");
        assert_eq!(fence("\u{1b}[1mbold\u{1b}[0m\rnext\r\n", "x`y"), "```xy\nbold\nnext\n```");
        assert!(fence(&"`".repeat(100_000), "").lines().next().is_some_and(|ticks| ticks.len() <= 61));
    }
}
