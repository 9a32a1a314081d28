//! The forms in which a secret may show up in text, as patterns over bytes: as it is, JSON-escaped, URL-encoded and in
//! base64. It does not know where secrets come from, or what is done with what was found.

use std::fmt::Write as _;

/// The longest stretch of a secret that becomes one pattern. Longer ones are cut up and found piece by piece, so that
/// no pattern, and no match, is large.
const PIECE: usize = 256;

/// The least that is worth hiding, in characters: less would also hide what is no secret.
pub(super) const SHORTEST: usize = 6;

/// A regular expression for one stretch of a secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Form {
    /// The fewest bytes that it matches.
    pub(super) shortest: usize,
    /// The most bytes that it matches.
    pub(super) longest: usize,
    pub(super) pattern: String,
}

/// The forms of one line of a secret in which its characters can still be told apart: each may be written as it is,
/// JSON-escaped or URL-encoded. Libraries differ in which characters they encode, therefore each is free.
pub(super) fn text(line: &str) -> Vec<Form> {
    let characters: Vec<char> = line.chars().collect();
    pieces(&characters)
        .map(|piece| {
            let mut form = Form { shortest: 0, longest: 0, pattern: String::new() };
            piece.iter().for_each(|character| form.push(*character));
            form
        })
        .collect()
}

impl Form {
    fn push(&mut self, character: char) {
        self.shortest += 1;
        // No encoder touches these.
        if character.is_ascii_alphanumeric() || matches!(character, '-' | '.' | '_') {
            self.longest += 1;
            self.pattern.push_str(&regex::escape(character.encode_utf8(&mut [0; 4])));
            return;
        }
        let mut utf8 = [0; 4];
        let utf8 = character.encode_utf8(&mut utf8).as_bytes();
        let (mut raw, mut url, mut json) = (String::new(), String::new(), String::new());
        for byte in utf8 {
            push_byte(&mut raw, *byte);
            url.push('%');
            push_hex(&mut url, &format!("{byte:02x}"));
        }
        let mut units = [0; 2];
        let units = character.encode_utf16(&mut units);
        for unit in &*units {
            json.push_str(r"\\u");
            push_hex(&mut json, &format!("{unit:04x}"));
        }
        // The longer ones first: of two alternatives that fit, the first is taken.
        let _ = write!(self.pattern, "(?:{json}|{url}{}|{raw})", short(character));
        self.longest += (3 * utf8.len()).max(6 * units.len());
    }
}

/// The forms of one character that are its own: JSON's short escapes, and the plus sign of URL-encoded forms.
fn short(character: char) -> &'static str {
    match character {
        '"' => r#"|\\""#,
        '\\' => r"|\\\\",
        '/' => r"|\\/",
        '\t' => r"|\\t",
        ' ' => r"|\+",
        _ => "",
    }
}

fn push_byte(pattern: &mut String, byte: u8) {
    let _ = write!(pattern, r"\x{byte:02x}");
}

/// Hexadecimal digits in either case.
fn push_hex(pattern: &mut String, digits: &str) {
    for digit in digits.chars() {
        let _ = match digit.is_ascii_alphabetic() {
            true => write!(pattern, "[{digit}{}]", digit.to_ascii_uppercase()),
            false => write!(pattern, "{digit}"),
        };
    }
}

/// The widths at which tools break base64 into lines: `openssl` and PEM, `base64`.
const WIDTHS: [usize; 2] = [64, 76];

/// The base64 forms of a secret: at each of the three places where it can begin in a longer text, in both alphabets,
/// with or without padding, and broken into lines where it stands alone.
pub(super) fn base64(secret: &[u8]) -> Vec<Form> {
    let mut forms = Vec::new();
    for before in 0..3 {
        // Letters that hold bits of what stands before or after the secret are not always the same ones.
        let letters = encode(&[&[0; 3][..before], secret].concat());
        let first = (before * 8).div_ceil(6);
        let whole = ((before + secret.len()) * 8) / 6;
        let known = letters.get(first..whole).unwrap_or_default();
        let partial = !((before + secret.len()) * 8).is_multiple_of(6);
        forms.extend(letter_pieces(known, partial));
        if before == 0 {
            let broken =
                |width: usize| known.chunks(width).filter(|line| line.len() < known.len() && line.len() >= SHORTEST);
            forms.extend(WIDTHS.into_iter().flat_map(broken).flat_map(|line| letter_pieces(line, false)));
        }
    }
    forms
}

/// The patterns of a row of base64 letters; `partial` says that one more letter holds bits of the secret.
fn letter_pieces(letters: &[u8], partial: bool) -> Vec<Form> {
    let mut forms: Vec<Form> = pieces(letters)
        .map(|piece| {
            let pattern = piece.iter().map(|letter| match letter {
                b'+' => "[+-]".to_owned(),
                b'/' => "[/_]".to_owned(),
                letter => char::from(*letter).to_string(),
            });
            Form { shortest: piece.len(), longest: piece.len(), pattern: pattern.collect() }
        })
        .collect();
    if let Some(last) = forms.last_mut().filter(|_| partial) {
        last.pattern.push_str("[A-Za-z0-9+/_-]?={0,2}");
        last.longest += 3;
    }
    forms
}

/// Cuts a row into stretches of about [`PIECE`], the last of which is never too short to be found.
fn pieces<T>(row: &[T]) -> impl Iterator<Item = &[T]> {
    let count = row.len().div_ceil(PIECE).max(1);
    row.chunks(row.len().div_ceil(count).max(1))
}

/// Standard base64, without padding.
pub(super) fn encode(bytes: &[u8]) -> Vec<u8> {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut letters = Vec::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = group.iter().enumerate().fold(0_u32, |bits, (at, byte)| bits | u32::from(*byte) << (16 - 8 * at));
        letters.extend((0..=group.len()).map(|at| LETTERS[(bits >> (18 - 6 * at)) as usize & 63]));
    }
    letters
}

#[cfg(test)]
mod tests {
    use super::encode;

    /// The test vectors of RFC 4648, section 10, without padding.
    #[test]
    fn base64_is_that_of_the_standard() {
        let vectors = [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE")];
        for (text, letters) in vectors {
            assert_eq!(encode(text.as_bytes()), letters.as_bytes());
        }
        assert_eq!(encode(&[0xfb, 0xff]), b"+/8");
    }
}
