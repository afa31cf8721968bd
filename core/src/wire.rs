//! The wire form: what records, answers and errors look like in JSON, with the same names and
//! slugs in every language of the library. The vectors in `tests/vectors` are written in it.
//!
//! Instants are whole milliseconds since 1970 in UTC, ids are texts, enumerations are slugs. Values
//! are read back by the parser that made them; if it refuses one, the error has the code, and never
//! the text.
//!
//! The bindings make objects from the same answers, each with a serializer of its own. Such a
//! serializer says that it is not human-readable, knows records, enumerations and instants by their
//! names, and gets an id as bytes. Most languages have no enumerations whose variants have values,
//! so a serializer gets one record for all variants of such an enumeration.

use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

use crate::error::{Code, Error, ErrorKind, FieldErrors, one_of};
use crate::given::Given;
use crate::storage::Erasure;
use crate::{ChangeKind, DenialReason, Metric, PartnerType, Status, Timestamp, UsageField, Window};

mod records;

/// A variant without a value, which is its slug in JSON.
struct Variant {
    of: &'static str,
    place: u32,
    slug: &'static str,
}

impl Serialize for Variant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit_variant(self.of, self.place, self.slug)
    }
}

/// Serializes enumerations as slugs.
macro_rules! slugs {
    ($($name:ident),*) => {
        $(impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let (of, place, slug) = (stringify!($name), *self as u32, self.slug());
                Variant { of, place, slug }.serialize(serializer)
            }
        })*
    };
}

slugs!(ChangeKind, Code, DenialReason, ErrorKind, Erasure, PartnerType, Status, UsageField);

impl Serialize for Metric {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let place = Self::ALL.iter().position(|metric| metric == self).unwrap_or_default() as u32;
        Variant { of: "Metric", place, slug: self.slug() }.serialize(serializer)
    }
}

/// Serializes enumerations as slugs, and reads them.
macro_rules! read_slugs {
    ($($name:ty: $unknown:expr),*) => {
        $(impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let slug = String::deserialize(deserializer)?;
                // What is told is the code, and never the text.
                let code = de::Unexpected::Other($unknown.slug());
                let known = || one_of(Self::ALL.map(Self::slug));
                Self::from_slug(&slug).ok_or_else(|| de::Error::invalid_value(code, &&*known()))
            }
        })*
    };
}

read_slugs!(
    ChangeKind: Code::Invalid,
    Metric: Code::UnknownMetric,
    PartnerType: Code::Invalid,
    Status: Code::Invalid,
    Window: Code::Invalid
);

/// Reads a value of any type. Errors are reported when an event or a form is made from it.
impl<'de> Deserialize<'de> for Given {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(Self::from)
    }
}

impl Serialize for FieldErrors {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.as_slice())
    }
}

impl Serialize for Error {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("kind", &self.kind())?;
        map.serialize_entry("message", &self.to_string())?;
        if !self.fields().is_empty() {
            map.serialize_entry("fields", self.fields())?;
        }
        if let Some(version) = self.current_version() {
            map.serialize_entry("current_version", &version)?;
        }
        if let Some(wait) = self.retry_after() {
            let millis = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            map.serialize_entry("retry_after", &millis)?;
        }
        map.end()
    }
}

/// An instant that may be later than the dates of a language can be; there it means "never".
pub(crate) fn until<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_newtype_struct("Until", &at.as_millis())
}

/// Pairs, from which a binding makes a map.
pub(crate) fn pairs<S: Serializer>(
    pairs: &[(Metric, i64)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    if serializer.is_human_readable() {
        serializer.collect_seq(pairs)
    } else {
        serializer.collect_map(pairs.iter().copied())
    }
}
