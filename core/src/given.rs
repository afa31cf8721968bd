//! A value as another language gives it, and how the fields of a form are read from such values.

use std::collections::{BTreeMap, btree_map};
use std::fmt;
use std::slice;

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{self, DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserializer, forward_to_deserialize_any};

use crate::error::Code;
use crate::values::Timestamp;

/// A value as given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Given {
    /// No value.
    #[default]
    Nothing,
    /// True or false.
    Truth(bool),
    /// A text.
    Text(String),
    /// A whole number; one that does not fit is the largest of this type.
    Whole(i128),
    /// An instant.
    Instant(Timestamp),
    /// Several in order.
    List(Vec<Given>),
    /// Values by name.
    Record(BTreeMap<String, Given>),
    /// A value of another type, for example a fraction or half a surrogate pair.
    Other,
}

impl Given {
    /// An instant, or its text in RFC 3339. A number is not accepted, because it may be in seconds
    /// or milliseconds.
    pub(crate) fn instant(&self) -> Option<Timestamp> {
        match self {
            Self::Instant(at) => Some(*at),
            Self::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// Takes a field out, by its path.
    pub(crate) fn remove(&mut self, path: &str) -> Option<Given> {
        let Self::Record(fields) = self else { return None };
        match path.split_once('.') {
            Some((record, rest)) if fields.contains_key(record) => {
                fields.get_mut(record)?.remove(rest)
            }
            _ => fields.remove(path),
        }
    }
}

impl From<serde_json::Value> for Given {
    fn from(value: serde_json::Value) -> Self {
        use serde_json::Value;
        match value {
            Value::Null => Self::Nothing,
            Value::Bool(truth) => Self::Truth(truth),
            Value::String(text) => Self::Text(text),
            Value::Number(number) => number.as_i128().map_or(Self::Other, Self::Whole),
            Value::Array(items) => Self::List(items.into_iter().map(Self::from).collect()),
            Value::Object(fields) => {
                Self::Record(fields.into_iter().map(|(name, value)| (name, value.into())).collect())
            }
        }
    }
}

/// The error for a value that does not fit a field.
#[derive(Debug)]
pub(crate) struct Misfit {
    /// The field's path in the form, through the records in it.
    pub field: String,
    pub code: Code,
}

impl From<Code> for Misfit {
    fn from(code: Code) -> Self {
        Self { field: String::new(), code }
    }
}

impl Misfit {
    fn under(self, name: &str) -> Self {
        let field =
            if self.field.is_empty() { name.to_owned() } else { format!("{name}.{}", self.field) };
        Self { field, ..self }
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.field, self.code.text())
    }
}

impl std::error::Error for Misfit {}

impl de::Error for Misfit {
    /// Drops the message, which may show the value, and that may be a password.
    fn custom<T: fmt::Display>(_: T) -> Self {
        Code::Invalid.into()
    }

    fn invalid_value(unexpected: de::Unexpected<'_>, _: &dyn de::Expected) -> Self {
        match unexpected {
            de::Unexpected::Signed(_) | de::Unexpected::Unsigned(_) => Code::OutOfRange.into(),
            _ => Code::Invalid.into(),
        }
    }
}

/// A value that is being read.
pub(crate) struct Reading<'de>(pub &'de Given);

impl<'de> Deserializer<'de> for Reading<'de> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Given::Nothing => visitor.visit_unit(),
            Given::Truth(truth) => visitor.visit_bool(*truth),
            Given::Text(text) => visitor.visit_borrowed_str(text),
            Given::Whole(whole) => match (i64::try_from(*whole), u64::try_from(*whole)) {
                (Ok(whole), _) => visitor.visit_i64(whole),
                (_, Ok(whole)) => visitor.visit_u64(whole),
                _ => Err(Code::OutOfRange.into()),
            },
            Given::Instant(_) | Given::Other => Err(Code::Invalid.into()),
            Given::List(items) => visitor.visit_seq(Items(items.iter())),
            Given::Record(fields) => visitor.visit_map(Fields::of(fields, false)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Given::Nothing => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        if name != "Timestamp" {
            return visitor.visit_newtype_struct(self);
        }
        let at = self.0.instant().ok_or(Code::Invalid)?;
        visitor.visit_newtype_struct(at.as_millis().into_deserializer())
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self.0 {
            Given::Text(slug) => visitor.visit_enum(slug.as_str().into_deserializer()),
            _ => Err(Code::Invalid.into()),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        let Given::Record(fields) = self.0 else { return self.deserialize_any(visitor) };
        match fields.keys().find(|name| !names.contains(&name.as_str())) {
            Some(unknown) => Err(Misfit::from(Code::UnknownField).under(unknown)),
            None => visitor.visit_map(Fields::of(fields, true)),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

struct Items<'de>(slice::Iter<'de, Given>);

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Misfit> {
        self.0.next().map(|item| seed.deserialize(Reading(item))).transpose()
    }
}

/// The fields of a record, or the pairs of a map.
struct Fields<'de> {
    fields: btree_map::Iter<'de, String, Given>,
    open: Option<(&'de str, &'de Given)>,
    /// Whether an error is about one field; otherwise it is about the whole value.
    are_named: bool,
}

impl<'de> Fields<'de> {
    fn of(fields: &'de BTreeMap<String, Given>, are_named: bool) -> Self {
        Self { fields: fields.iter(), open: None, are_named }
    }
}

impl<'de> MapAccess<'de> for Fields<'de> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Misfit> {
        self.open = self.fields.next().map(|(name, value)| (name.as_str(), value));
        let name = self.open.map(|(name, _)| BorrowedStrDeserializer::new(name));
        name.map(|name| seed.deserialize(name)).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        let Some((name, value)) = self.open.take() else { return Err(Code::Invalid.into()) };
        let read = seed.deserialize(Reading(value));
        if self.are_named { read.map_err(|misfit| misfit.under(name)) } else { read }
    }
}
