//! Output as it is kept: its head and its tail within a bound, and cut into lines. What comes in is redacted already;
//! it does not know where it goes.

use std::collections::VecDeque;

/// The most that is kept of a stage's output, in bytes.
const KEPT: usize = 4 << 20;

/// The longest line that is passed on as one, in bytes.
const LINE: usize = 64 << 10;

/// The head and the tail of a text of any length.
#[derive(Debug)]
pub(crate) struct HeadTail {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    /// Of each half.
    half: usize,
    left_out: u64,
}

impl Default for HeadTail {
    fn default() -> Self {
        Self::within(KEPT)
    }
}

impl HeadTail {
    /// One that keeps at most `bytes`.
    pub(crate) fn within(bytes: usize) -> Self {
        Self { head: Vec::new(), tail: VecDeque::new(), half: bytes / 2, left_out: 0 }
    }

    /// Adds to the end.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let (head, rest) = bytes.split_at(bytes.len().min(self.half - self.head.len()));
        self.head.extend_from_slice(head);
        let surplus = (self.tail.len() + rest.len()).saturating_sub(self.half);
        let old = surplus.min(self.tail.len());
        self.tail.drain(..old);
        self.tail.extend(&rest[surplus - old..]);
        self.left_out += surplus as u64;
    }

    /// Whether nothing was added.
    pub(crate) fn is_empty(&self) -> bool {
        self.head.is_empty()
    }

    /// The text; where bytes were left out, a line says how many. The cut is moved to ends of lines where it can be.
    pub(crate) fn text(&self) -> String {
        let tail: Vec<u8> = self.tail.iter().copied().collect();
        if self.left_out == 0 {
            return String::from_utf8_lossy(&[&*self.head, &*tail].concat()).into_owned();
        }
        let head_end = self.head.iter().rposition(|byte| *byte == b'\n').map_or(self.head.len(), |at| at + 1);
        let tail_start = tail.iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let left_out = self.left_out + (self.head.len() - head_end) as u64 + tail_start as u64;
        let (head, tail) =
            (String::from_utf8_lossy(&self.head[..head_end]), String::from_utf8_lossy(&tail[tail_start..]));
        let newline = if head.ends_with('\n') { "" } else { "\n" };
        format!("{head}{newline}… {left_out} bytes left out …\n{tail}")
    }
}

/// Cuts bytes that arrive in pieces into lines of text. A carriage return ends a line too, as in progress bars; lines
/// without end come in parts.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    partial: Vec<u8>,
    /// Whether the byte before was a carriage return.
    returned: bool,
}

impl Lines {
    /// Takes a piece and passes on the lines that it ends.
    pub(crate) fn push(&mut self, bytes: &[u8], mut each: impl FnMut(&str)) {
        for part in bytes.split_inclusive(|byte| matches!(byte, b'\n' | b'\r')) {
            let returned = std::mem::take(&mut self.returned);
            if part == b"\n" && returned && self.partial.is_empty() {
                continue;
            }
            match part.split_last() {
                Some((end @ (b'\n' | b'\r'), line)) => {
                    self.returned = *end == b'\r';
                    self.partial.extend_from_slice(line);
                    each(&String::from_utf8_lossy(&self.partial));
                    self.partial.clear();
                }
                Some(_) | None => self.partial.extend_from_slice(part),
            }
            if self.partial.len() > LINE {
                self.break_off(&mut each);
            }
        }
    }

    /// Passes on what has no end yet.
    pub(crate) fn finish(&mut self, mut each: impl FnMut(&str)) {
        if !self.partial.is_empty() {
            each(&String::from_utf8_lossy(&std::mem::take(&mut self.partial)));
        }
    }

    /// Passes on a line without end, but for a last character that is not complete.
    fn break_off(&mut self, each: &mut impl FnMut(&str)) {
        let end = match std::str::from_utf8(&self.partial) {
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Ok(_) | Err(_) => self.partial.len(),
        };
        each(&String::from_utf8_lossy(&self.partial[..end]));
        self.partial.drain(..end);
    }
}

/// What of stderr says best what went wrong: the first error that says where it is, else the first that calls itself an
/// error, else the last line with words. Terraform tells first that there are problems, and then which.
#[derive(Debug, Default)]
pub(crate) struct Complaint {
    located: Option<String>,
    first: Option<String>,
    /// The error whose lines are being read.
    error: Option<Error>,
    last: Option<String>,
}

#[derive(Debug)]
struct Error {
    text: String,
    /// How long its last line is, where the sentence may go on in the next.
    open: Option<usize>,
}

/// The most characters of what stderr says that a note takes.
const NOTE: usize = 300;

/// Whoever wraps lines fills them about as far as this.
const WRAPPED: usize = 72;

impl Complaint {
    /// Looks at one more line.
    pub(crate) fn look(&mut self, line: &str) {
        if self.located.is_some() {
            return;
        }
        let plain = plain(line);
        // Terraform draws a frame around its errors.
        let framed = plain.strip_prefix('│').map(|text| text.strip_prefix(' ').unwrap_or(text));
        let indented = framed.unwrap_or(&plain).starts_with(' ');
        let words = plain.trim_matches(|c: char| c.is_whitespace() || matches!(c, '│' | '╷' | '╵' | '|'));
        if words.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("error:")) {
            let error = Error { text: short(words), open: Some(words.chars().count()) };
            if let Some(before) = self.error.replace(error) {
                self.first.get_or_insert(before.text);
            }
        } else if let Some(error) = &mut self.error {
            match place(words).filter(|_| indented) {
                Some(place) => self.located = Some(format!("{}, {place}", error.text)),
                None => error.go_on(words, indented),
            }
        } else if words.chars().any(char::is_alphanumeric) {
            self.last = Some(short(words));
        }
    }

    /// What it is, where there is anything.
    pub(crate) fn line(self) -> Option<String> {
        self.located.or(self.first).or(self.error.map(|error| error.text)).or(self.last)
    }
}

impl Error {
    /// Adds a line, where the sentence was only wrapped: its first word had no room in the line before.
    fn go_on(&mut self, words: &str, indented: bool) {
        let first = words.split(' ').next().unwrap_or_default();
        let no_room = |open: &usize| !first.is_empty() && !indented && open + 1 + first.chars().count() > WRAPPED;
        self.open = self.open.filter(no_room).map(|_| words.chars().count());
        if self.open.is_some() {
            self.text = short(&format!("{} {words}", self.text));
        }
    }
}

/// `FILE line NUMBER`, of the line of an error of Terraform that says where it is.
fn place(words: &str) -> Option<String> {
    let (file, rest) = words.strip_prefix("on ")?.split_once(" line ")?;
    let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
    (!number.is_empty()).then(|| format!("{file} line {number}"))
}

fn short(text: &str) -> String {
    text.chars().take(NOTE).collect()
}

/// The text without escape sequences and control characters.
fn plain(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' if characters.next_if_eq(&'[').is_some() => {
                // A control sequence ends with the first character from `@` to `~`.
                let _ = characters.find(|c| matches!(c, '@'..='~'));
            }
            '\t' => out.push(' '),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Complaint, HeadTail, Lines};

    #[test]
    fn short_text_is_kept_whole() {
        let mut kept = HeadTail::within(8);
        assert!(kept.is_empty());
        kept.push("abcd".as_bytes());
        kept.push("éf\n".as_bytes());
        assert_eq!((kept.text().as_str(), kept.left_out), ("abcdéf\n", 0));
    }

    #[test]
    fn of_long_text_head_and_tail_are_kept() {
        let mut kept = HeadTail::within(24);
        (0..100).for_each(|number| kept.push(format!("line {number}\n").as_bytes()));
        let total: u64 = (0..100).map(|number| format!("line {number}\n").len() as u64).sum();
        // "line 0\n" and "line 99\n" of 12 bytes each way.
        assert_eq!(kept.text(), format!("line 0\n… {} bytes left out …\nline 99\n", total - 15));
        assert_eq!(kept.left_out, total - 24);
        kept.push(&[b'x'; 100]);
        assert_eq!(kept.text(), format!("line 0\n… {} bytes left out …\nxxxxxxxxxxxx", total + 100 - 19));
    }

    #[test]
    fn lines_are_whole_whatever_the_pieces() {
        let text = "one\r\ntwo\n\nthree\rfour é".as_bytes();
        for size in 1..=text.len() {
            let (mut lines, mut seen) = (Lines::default(), Vec::new());
            text.chunks(size).for_each(|piece| lines.push(piece, |line| seen.push(line.to_owned())));
            lines.finish(|line| seen.push(line.to_owned()));
            assert_eq!(seen, ["one", "two", "", "three", "four é"], "in pieces of {size}");
        }
    }

    #[test]
    fn lines_without_end_come_in_parts() {
        let (mut lines, mut parts) = (Lines::default(), Vec::new());
        "é".repeat(100_000)
            .as_bytes()
            .chunks(1001)
            .for_each(|piece| lines.push(piece, |line| parts.push(line.to_owned())));
        assert!(parts.len() > 2);
        lines.finish(|line| parts.push(line.to_owned()));
        assert_eq!(parts.concat(), "é".repeat(100_000));
    }

    fn said(text: &str) -> String {
        let mut complaint = Complaint::default();
        text.lines().for_each(|line| complaint.look(line));
        complaint.line().unwrap()
    }

    #[test]
    fn the_error_is_found_in_what_surrounds_it() {
        let mut complaint = Complaint::default();
        for line in [
            "warming up",
            "\u{1b}[31m╷\u{1b}[0m",
            "│ \u{1b}[1mError: \u{1b}[0mNo such thing",
            "│ ",
            "│   on main.tf",
            "╵",
        ] {
            complaint.look(line);
        }
        assert_eq!(complaint.line().as_deref(), Some("Error: No such thing"));
        assert_eq!(said("first\nlast words\n---"), "last words");
        assert_eq!(said("Error: one\nError: two\nat the end"), "Error: one");
    }

    #[test]
    fn an_error_that_says_where_it_is_says_more_than_one_before_it() {
        let problems = "Error: Terraform encountered problems during initialisation, including problems\n\
                        with the configuration, described below.\n\nThe Terraform configuration must be valid\n";
        let wrapped = "Error: Terraform encountered problems during initialisation, including problems with the \
                       configuration, described below.";
        assert_eq!(said(problems), wrapped);
        let block = "Error: Unclosed configuration block\n\n  on main.tf line 4, in resource \"x\":\n   4: resource\n";
        let other = "Error: Missing name for resource\n\n  on other.tf line 5:\n";
        assert_eq!(
            said(&format!("{problems}\n{block}\n{other}")),
            "Error: Unclosed configuration block, main.tf line 4"
        );
        let framed: String = format!("{problems}{block}").lines().map(|line| format!("│ {line}\n")).collect();
        assert_eq!(said(&framed), "Error: Unclosed configuration block, main.tf line 4");
        // What is not wrapped stands for itself.
        assert_eq!(said("Error: no such bucket\ncalled from here"), "Error: no such bucket");
    }
}
