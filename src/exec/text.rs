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

/// The line of stderr that says best what went wrong: the first that calls itself an error, else the last with words.
#[derive(Debug, Default)]
pub(crate) struct Complaint {
    error: Option<String>,
    last: Option<String>,
}

/// The most characters of a line that a note takes.
const NOTE: usize = 300;

impl Complaint {
    /// Looks at one more line.
    pub(crate) fn look(&mut self, line: &str) {
        if self.error.is_some() {
            return;
        }
        let plain = plain(line);
        // Terraform draws a frame around its errors.
        let plain = plain.trim_matches(|c: char| c.is_whitespace() || matches!(c, '│' | '╷' | '╵' | '|'));
        if !plain.chars().any(char::is_alphanumeric) {
            return;
        }
        let short = plain.chars().take(NOTE).collect();
        match plain.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("error:")) {
            true => self.error = Some(short),
            false => self.last = Some(short),
        }
    }

    /// The line, where there was one.
    pub(crate) fn line(self) -> Option<String> {
        self.error.or(self.last)
    }
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
        let mut complaint = Complaint::default();
        ["first", "last words", "---"].iter().for_each(|line| complaint.look(line));
        assert_eq!(complaint.line().as_deref(), Some("last words"));
    }
}
