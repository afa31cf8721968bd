//! The wire form: what records, answers and errors look like in JSON, with the same names and
//! slugs in every language of the library. The vectors in `tests/vectors` are written in it.
//!
//! Instants are whole milliseconds since 1970 in UTC, ids are texts, enumerations are slugs.
//! Values are read back through the parser that made them; a refused one is an error that names
//! the code and never repeats the text.

use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

use crate::error::{Code, Error, ErrorKind, FieldError, FieldErrors};
use crate::storage::Erasure;
use crate::{
    ChangeKind, Consumption, Denial, DenialReason, EventOutcome, Given, Metric, PartnerType,
    ResellerId, RowOutcome, Status, Total,
};

/// Enumerations as their slugs.
macro_rules! slugs {
    ($($name:ty),*) => {
        $(impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.slug())
            }
        })*
    };
}

slugs!(ChangeKind, Code, DenialReason, ErrorKind, Erasure, Metric, PartnerType, Status);

/// Those that are read, too.
macro_rules! read_slugs {
    ($($name:ty),*) => {
        $(impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let slug = String::deserialize(deserializer)?;
                Self::from_slug(&slug).ok_or_else(|| de::Error::custom("an unknown slug"))
            }
        })*
    };
}

read_slugs!(ChangeKind, Metric, PartnerType, Status);

impl Serialize for ResellerId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ResellerId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| de::Error::custom("not an id"))
    }
}

/// A value of any type: what is wrong with it is said when an event is made of it.
impl<'de> Deserialize<'de> for Given {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Value::deserialize(deserializer)? {
            Value::Null => Self::Nothing,
            Value::String(text) => Self::Text(text),
            Value::Number(number) => number.as_i128().map_or(Self::Other, Self::Whole),
            Value::Bool(_) | Value::Array(_) | Value::Object(_) => Self::Other,
        })
    }
}

impl Serialize for Total {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (name, number) = match self {
            Self::Exact(number) => ("exact", number),
            Self::AtLeast(number) => ("at_least", number),
        };
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(name, number)?;
        map.end()
    }
}

impl Serialize for EventOutcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("kind", self.slug())?;
        if let Self::Rejected(FieldError { field, code, params }) = self {
            map.serialize_entry("field", field)?;
            map.serialize_entry("code", code)?;
            map.serialize_entry("params", &Params(params))?;
        }
        map.end()
    }
}

impl Serialize for Consumption {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            Self::Granted { used, limit, resets_at, duplicate } => {
                map.serialize_entry("granted", &true)?;
                map.serialize_entry("used", used)?;
                map.serialize_entry("limit", limit)?;
                map.serialize_entry("resets_at", resets_at)?;
                map.serialize_entry("duplicate", duplicate)?;
            }
            Self::Denied(Denial { reason, limit, used, requested, resets_at }) => {
                map.serialize_entry("granted", &false)?;
                map.serialize_entry("reason", reason)?;
                map.serialize_entry("used", used)?;
                map.serialize_entry("limit", limit)?;
                map.serialize_entry("requested", requested)?;
                map.serialize_entry("resets_at", resets_at)?;
            }
        }
        map.end()
    }
}

impl Serialize for RowOutcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        match self {
            Self::Created(id) => map.serialize_entry("created", id)?,
            Self::Existing(id) => map.serialize_entry("existing", id)?,
            Self::Rejected(errors) => map.serialize_entry("rejected", errors)?,
        }
        map.end()
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

struct Params<'p>(&'p [(&'static str, i64)]);

impl Serialize for Params<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        params(self.0, serializer)
    }
}

/// The parameters of a field error as one object.
pub(crate) fn params<S: Serializer>(
    params: &[(&'static str, i64)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(params.iter().copied())
}
