//! A serde deserializer over parsed TOML that reports every wrong value where it stands and goes on. Unknown keys never
//! fail: they are reported, and one that is nearly a known key is read as that one, so that its absence is no second
//! problem. It is ours because toml's own stops at the first error and has its errors as text only.

mod parts;

use std::cell::RefCell;

use serde::de::{self, Deserializer, IntoDeserializer, Unexpected, Visitor};
use serde::forward_to_deserialize_any;
use toml::Spanned;
use toml::de::DeValue;

use self::parts::{Elements, Entries, Place};
use super::given::AT;
use crate::config::report::{Report, hint};
use crate::diagnostic::Code;
use crate::model::span::Span;

/// What a key takes, in words.
const TABLE: &str = "a table";
const LIST: &str = "a list";
const BOOLEAN: &str = "`true` or `false`";
const TEXT: &str = "a text";
const NUMBER: &str = "a whole number";

/// What to do about a number that is too large.
const SMALLER: &str = "write a smaller number";

/// A value of the document.
#[derive(Clone)]
pub(super) struct Value<'d, 'i> {
    value: &'d DeValue<'i>,
    span: Span,
    /// The key whose value it is, or is part of.
    key: &'d str,
    report: &'d RefCell<Report>,
}

impl<'d, 'i> Value<'d, 'i> {
    pub(super) fn root(value: &'d DeValue<'i>, span: Span, report: &'d RefCell<Report>) -> Self {
        Self { value, span, key: "", report }
    }

    fn inner(&self, key: &'d str, value: &'d Spanned<DeValue<'i>>) -> Self {
        Self { value: value.get_ref(), span: value.span(), key, report: self.report }
    }

    /// Reports an error unless that was done further in.
    fn checked<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        result.map_err(|error| {
            let mut report = self.report.borrow_mut();
            match error {
                Error::Expected(what) => {
                    let message = format!("`{}` takes {what}, not {}", self.key, described(self.value));
                    let note = report.error(Code::WrongType, &self.span, message);
                    if let Some(help) = remedy(self.key, self.value, &what) {
                        note.help(help);
                    }
                }
                Error::Word { found, expected } => {
                    let help = hint(&found, "values", expected.iter().copied());
                    let message = format!("`{}` does not take `{found}`", self.key);
                    report.error(Code::UnknownValue, &self.span, message).help(help);
                }
                Error::Range { help } => {
                    let message = format!("`{}`: the number is out of range", self.key);
                    report.error(Code::WrongType, &self.span, message).help(help);
                }
                Error::Other(message) => {
                    let message = format!("`{}`: {message}", self.key);
                    report.error(Code::WrongType, &self.span, message);
                }
                Error::Reported => {}
            }
            Error::Reported
        })
    }

    fn wrong<T>(&self, expected: &str) -> Result<T, Error> {
        self.checked(Err(Error::Expected(expected.to_owned())))
    }

    fn number(&self) -> Option<i64> {
        let number = self.value.as_integer()?;
        i64::from_str_radix(number.as_str(), number.radix()).ok()
    }
}

/// What people call the value.
fn described(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(true) => "`true`",
        DeValue::Boolean(false) => "`false`",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// How to make what was written what is taken, where that is plain.
fn remedy(key: &str, found: &DeValue<'_>, expected: &str) -> Option<String> {
    Some(match (expected, found) {
        (LIST, DeValue::String(text)) if key == "run" && text.contains(char::is_whitespace) => words(text),
        (TEXT, DeValue::Array(_)) => "write one text, in quotes".to_owned(),
        (TEXT, _) => "write it in quotes".to_owned(),
        (LIST, DeValue::String(text)) if !text.contains(['"', '\\', '\n']) => format!("write `[\"{text}\"]`"),
        (LIST, _) => "write a list: `[…, …]`".to_owned(),
        (TABLE, _) => "write a table: `{ KEY = … }`, or a header of its own".to_owned(),
        (BOOLEAN | NUMBER, DeValue::String(_)) => "write it without quotes".to_owned(),
        (BOOLEAN | NUMBER, _) => return None,
        // Else the words that are taken.
        (words, _) if words.starts_with('`') => "write the word in quotes".to_owned(),
        _ => return None,
    })
}

/// A command line as a list of words. Where a shell would make something of it, that is for people to tell.
pub(in crate::config) fn words(line: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || c == ' ' || "-_./=:,@+%".contains(c);
    if line.chars().all(plain) {
        let words: Vec<String> = line.split_whitespace().map(|word| format!("\"{word}\"")).collect();
        return format!("write `[{}]`", words.join(", "));
    }
    "write the program and each of its arguments as a text of its own: `[\"PROGRAM\", \"ARGUMENT\"]`".to_owned()
}

/// All of the text that a value takes, with the entries below its header.
fn extent(value: &DeValue<'_>, span: Span) -> Span {
    let wider = |whole: Span, part: Span| whole.start.min(part.start)..whole.end.max(part.end);
    match value {
        DeValue::Table(table) => table.values().map(|inner| extent(inner.get_ref(), inner.span())).fold(span, wider),
        DeValue::Array(array) => array.iter().map(|inner| extent(inner.get_ref(), inner.span())).fold(span, wider),
        DeValue::String(_) | DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {
            span
        }
    }
}

/// What is wrong, until it is reported: then nothing is left to say.
#[derive(Debug)]
pub(super) enum Error {
    /// A value of another type.
    Expected(String),
    /// A word that is none of those the key takes.
    Word { found: String, expected: &'static [&'static str] },
    /// A number that the key does not take, and which it takes.
    Range { help: &'static str },
    /// Anything else.
    Other(String),
    /// It was reported where it arose.
    Reported,
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Expected(what) => write!(f, "expected {what}"),
            Self::Word { found, .. } => write!(f, "unknown value `{found}`"),
            Self::Range { help } => write!(f, "the number is out of range: {help}"),
            Self::Other(message) => f.write_str(message),
            Self::Reported => f.write_str("already reported"),
        }
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self::Other(message.to_string())
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::Expected(expected.to_string())
    }

    fn invalid_value(found: Unexpected<'_>, _: &dyn de::Expected) -> Self {
        let negative = matches!(found, Unexpected::Signed(number) if number < 0);
        Self::Range { help: if negative { "write 0 or more" } else { SMALLER } }
    }

    fn unknown_variant(found: &str, expected: &'static [&'static str]) -> Self {
        Self::Word { found: found.to_owned(), expected }
    }
}

impl<'de> Deserializer<'de> for Value<'_, '_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let result = match self.value {
            DeValue::String(text) => visitor.visit_str(text),
            DeValue::Integer(_) => match self.number() {
                Some(number) => visitor.visit_i64(number),
                None => Err(Error::Range { help: SMALLER }),
            },
            DeValue::Float(number) => visitor.visit_f64(number.as_str().parse().unwrap_or(f64::NAN)),
            DeValue::Boolean(value) => visitor.visit_bool(*value),
            DeValue::Datetime(date) => visitor.visit_string(date.to_string()),
            DeValue::Array(array) => visitor.visit_seq(Elements { of: &self, rest: array.iter() }),
            DeValue::Table(_) => visitor.visit_map(Entries::all(&self)),
        };
        self.checked(result)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Error> {
        if name == AT {
            let span = extent(self.value, self.span.clone());
            return visitor.visit_seq(Place::new(span, self));
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if !self.value.is_table() {
            return self.wrong(TABLE);
        }
        self.checked(visitor.visit_map(Entries::known(&self, fields)))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.value.is_table() { self.deserialize_any(visitor) } else { self.wrong(TABLE) }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.value.is_array() { self.deserialize_any(visitor) } else { self.wrong(LIST) }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.value.is_bool() { self.deserialize_any(visitor) } else { self.wrong(BOOLEAN) }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.value.is_str() { self.deserialize_any(visitor) } else { self.wrong(TEXT) }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_string(visitor)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.value.is_integer() { self.deserialize_any(visitor) } else { self.wrong(NUMBER) }
    }

    fn deserialize_i32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_u8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.value.as_str() {
            Some(text) => self.checked(visitor.visit_enum(text.into_deserializer())),
            None => self.wrong(&format!("`{}`", variants.join("`, `"))),
        }
    }

    forward_to_deserialize_any! {
        i8 i16 i128 u16 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct identifier ignored_any
    }
}
