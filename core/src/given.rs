//! A value as another language gives it, and how the fields of a form are read from such values.

use std::collections::{BTreeMap, btree_map};
use std::fmt;
use std::slice;

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess, Visitor,
};
use serde::{Deserialize, Deserializer, forward_to_deserialize_any};

use crate::error::{Code, FieldError, one_of};
use crate::values::{INSTANT, Timestamp};

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

/// What a value of each type is called where another one was given.
pub(crate) const TEXT: &str = "a text";
pub(crate) const WHOLE: &str = "a whole number";
pub(crate) const TRUTH: &str = "true or false";

/// The error for a value that does not fit a field.
#[derive(Debug)]
pub(crate) struct Misfit {
    /// The field's path in the form, through the records in it.
    pub field: String,
    pub code: Code,
    /// What would fit, in words.
    pub expected: Option<String>,
}

impl From<Code> for Misfit {
    fn from(code: Code) -> Self {
        Self { field: String::new(), code, expected: None }
    }
}

impl Misfit {
    fn under(self, name: &str) -> Self {
        let field =
            if self.field.is_empty() { name.to_owned() } else { format!("{name}.{}", self.field) };
        Self { field, ..self }
    }

    /// The refusal of the field.
    pub fn of(self, field: impl Into<String>) -> FieldError {
        let refused = FieldError::new(field, self.code);
        match self.expected {
            Some(expected) => refused.expecting(expected),
            None => refused,
        }
    }

    /// Of a value in a list or a map, about which the error is.
    fn within(self, whole: &str) -> Self {
        let expected = self.expected.map(|expected| format!("{whole}, each of it {expected}"));
        Self { expected, ..self }
    }

    fn expecting(self, expected: impl fmt::Display) -> Self {
        Self { expected: Some(expected.to_string()), ..self }
    }
}

/// What a type of the core expects, in words that are the same in every language.
fn in_words(expected: &dyn de::Expected) -> String {
    let expected = expected.to_string();
    match &*expected {
        "a string" => TEXT.to_owned(),
        "a boolean" => TRUTH.to_owned(),
        "i64" | "u64" | "u32" | "u16" | "u8" => WHOLE.to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" => "values by name".to_owned(),
        of if of.starts_with("struct ") => "fields by name".to_owned(),
        _ => expected,
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

    fn invalid_type(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::from(Code::Invalid).expecting(in_words(expected))
    }

    fn invalid_value(unexpected: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        let named = |slug: &str| Code::ALL.iter().copied().find(|code| code.slug() == slug);
        match unexpected {
            de::Unexpected::Signed(_) | de::Unexpected::Unsigned(_) => Code::OutOfRange.into(),
            // An enumeration names its own code.
            de::Unexpected::Other(slug) => {
                Self::from(named(slug).unwrap_or(Code::Invalid)).expecting(in_words(expected))
            }
            _ => Self::from(Code::Invalid).expecting(in_words(expected)),
        }
    }

    fn unknown_variant(_: &str, known: &'static [&'static str]) -> Self {
        Self::from(Code::Invalid).expecting(one_of(known.iter().copied()))
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
            Given::Instant(_) | Given::Other => {
                Err(de::Error::invalid_type(de::Unexpected::Other("another type"), &visitor))
            }
            Given::List(items) => visitor.visit_seq(Items(items.iter())),
            Given::Record(fields) => visitor.visit_map(Pairs { pairs: fields.iter(), open: None }),
        }
    }

    /// Of any size, for who can say better than "out of range" what is wrong with it.
    fn deserialize_i128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Given::Whole(whole) => visitor.visit_i128(*whole),
            _ => self.deserialize_any(visitor),
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
        let at = self.0.instant().ok_or_else(|| Misfit::from(Code::Invalid).expecting(INSTANT))?;
        visitor.visit_newtype_struct(at.as_millis().into_deserializer())
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self.0 {
            Given::Text(slug) => visitor.visit_enum(slug.as_str().into_deserializer()),
            _ => Err(de::Error::unknown_variant("", known)),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self.0 {
            Given::Record(fields) => visitor.visit_map(Named::of(fields, names)),
            _ => self.deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
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
        let read = self.0.next().map(|item| seed.deserialize(Reading(item))).transpose();
        read.map_err(|misfit: Misfit| misfit.within("a list"))
    }
}

/// The pairs of a map. An error is about the whole map.
struct Pairs<'de> {
    pairs: btree_map::Iter<'de, String, Given>,
    open: Option<&'de Given>,
}

impl<'de> MapAccess<'de> for Pairs<'de> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Misfit> {
        let Some((name, value)) = self.pairs.next() else { return Ok(None) };
        self.open = Some(value);
        seed.deserialize(BorrowedStrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        let value = self.open.take().ok_or(Code::Invalid)?;
        let read = seed.deserialize(Reading(value));
        read.map_err(|misfit| misfit.within("values by name"))
    }
}

/// The fields of a record. They are read in the order of the form, and errors come in that order;
/// names that the form does not have come last.
struct Named<'de> {
    fields: &'de BTreeMap<String, Given>,
    known: &'static [&'static str],
    left: slice::Iter<'static, &'static str>,
    open: Option<(&'static str, &'de Given)>,
}

impl<'de> Named<'de> {
    fn of(fields: &'de BTreeMap<String, Given>, known: &'static [&'static str]) -> Self {
        Self { fields, known, left: known.iter(), open: None }
    }

    fn unknown(&self) -> Option<&'de String> {
        self.fields.keys().find(|name| !self.known.contains(&name.as_str()))
    }
}

impl<'de> MapAccess<'de> for Named<'de> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Misfit> {
        let fields = self.fields;
        self.open = self.left.find_map(|name| Some((*name, fields.get(*name)?)));
        match (self.open, self.unknown()) {
            (Some((name, _)), _) => seed.deserialize(BorrowedStrDeserializer::new(name)).map(Some),
            (None, Some(unknown)) => Err(Misfit::from(Code::UnknownField).under(unknown)),
            (None, None) => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        let (name, value) = self.open.take().ok_or(Code::Invalid)?;
        seed.deserialize(Reading(value)).map_err(|misfit| misfit.under(name))
    }
}

/// The names of a form's fields, in its order.
pub(crate) fn names<F: DeserializeOwned>() -> &'static [&'static str] {
    let mut names: &'static [&'static str] = &[];
    // Nothing is read: a form is asked only what it would read.
    drop(F::deserialize(Asking(&mut names)));
    names
}

struct Asking<'n>(&'n mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Asking<'_> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Misfit> {
        Err(Code::Invalid.into())
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        *self.0 = names;
        self.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map identifier ignored_any option newtype_struct enum
    }
}

/// Reads the limit of a page. A number that the type cannot hold is its nearest one, which no limit may
/// be: so it is refused with the bounds, like any other.
pub(crate) fn limit<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    let limit = Option::<Wide>::deserialize(deserializer)?;
    Ok(limit.map(|Wide(limit)| u32::try_from(limit.max(0)).unwrap_or(u32::MAX)))
}

/// A whole number of any size; a larger one is the largest.
struct Wide(i128);

impl<'de> Deserialize<'de> for Wide {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_i128(WideVisitor)
    }
}

struct WideVisitor;

impl Visitor<'_> for WideVisitor {
    type Value = Wide;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(WHOLE)
    }

    fn visit_i64<E>(self, whole: i64) -> Result<Wide, E> {
        Ok(Wide(whole.into()))
    }

    fn visit_u64<E>(self, whole: u64) -> Result<Wide, E> {
        Ok(Wide(whole.into()))
    }

    fn visit_i128<E>(self, whole: i128) -> Result<Wide, E> {
        Ok(Wide(whole))
    }
}
