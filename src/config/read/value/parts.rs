//! What a value consists of: the elements of a list, the entries of a table, and a value with its place.

use std::borrow::Cow;

use serde::de::{self, DeserializeSeed, Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;
use toml::Spanned;
use toml::de::DeValue;

use super::{Error, Value};
use crate::config::read::given::AT;
use crate::config::report::hint;
use crate::diagnostic::Code;
use crate::model::nearest::nearest;
use crate::model::span::Span;

/// A value and its place: the two ends of its span, then itself.
pub(super) struct Place<D> {
    ends: std::array::IntoIter<usize, 2>,
    value: Option<D>,
}

impl<D> Place<D> {
    pub(super) fn new(span: Span, value: D) -> Self {
        Self { ends: [span.start, span.end].into_iter(), value: Some(value) }
    }
}

impl<'de, D: Deserializer<'de, Error = Error>> de::SeqAccess<'de> for Place<D> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        if let Some(end) = self.ends.next() {
            return seed.deserialize(end.into_deserializer()).map(Some);
        }
        self.value.take().map(|value| seed.deserialize(value)).transpose()
    }
}

/// The elements of a list.
pub(super) struct Elements<'v, 'd, 'i> {
    pub(super) of: &'v Value<'d, 'i>,
    pub(super) rest: std::slice::Iter<'d, Spanned<DeValue<'i>>>,
}

impl<'de> de::SeqAccess<'de> for Elements<'_, '_, '_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        self.rest.next().map(|element| seed.deserialize(self.of.inner(self.of.key, element))).transpose()
    }
}

/// The entries of a table, in the order of the file.
pub(super) struct Entries<'d, 'i> {
    rest: std::vec::IntoIter<(Key<'d>, Value<'d, 'i>)>,
    value: Option<Value<'d, 'i>>,
}

impl<'d, 'i> Entries<'d, 'i> {
    /// Every entry: the keys are people's own.
    pub(super) fn all(table: &Value<'d, 'i>) -> Self {
        let keys = table.value.as_table().into_iter().flatten();
        let mut entries: Vec<_> = keys
            .map(|(key, value)| {
                (Key { name: Cow::Borrowed(&**key.get_ref()), span: key.span() }, table.inner(key.get_ref(), value))
            })
            .collect();
        entries.sort_by_key(|(key, _)| key.span.start);
        Self { rest: entries.into_iter(), value: None }
    }

    /// The entries whose keys are among `fields`. The others are reported.
    pub(super) fn known(table: &Value<'d, 'i>, fields: &'static [&'static str]) -> Self {
        let here = table.value.as_table();
        let free = |field: &&str| !here.is_some_and(|here| here.contains_key(*field));
        let mut taken: Vec<&str> = Vec::new();
        let mut entries: Vec<_> = Self::all(table).rest.collect();
        entries.retain_mut(|(key, _)| {
            if fields.contains(&&*key.name) {
                return true;
            }
            let open = fields.iter().copied().filter(free).filter(|field| !taken.contains(field));
            let meant = nearest(&key.name, open);
            let mut report = table.report.borrow_mut();
            let help = hint(&key.name, "keys", fields.iter().copied());
            report.error(Code::UnknownKey, &key.span, format!("unknown key `{}`", key.name)).help(help);
            match meant {
                Some(meant) => {
                    taken.push(meant);
                    key.name = Cow::Borrowed(meant);
                }
                None => report.dropped(key.span.start, nearest(&key.name, fields.iter().copied())),
            }
            meant.is_some()
        });
        Self { rest: entries.into_iter(), value: None }
    }
}

impl<'de> de::MapAccess<'de> for Entries<'_, '_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some((key, value)) = self.rest.next() else { return Ok(None) };
        self.value = Some(value);
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        match self.value.take() {
            Some(value) => seed.deserialize(value),
            None => Err(de::Error::custom("a value was asked for before its key")),
        }
    }
}

/// A key of a table.
struct Key<'d> {
    name: Cow<'d, str>,
    span: Span,
}

impl<'de> Deserializer<'de> for Key<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str(&self.name)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Error> {
        if name == AT {
            return visitor.visit_seq(Place::new(self.span.clone(), self));
        }
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq
        tuple tuple_struct map struct enum identifier ignored_any
    }
}
