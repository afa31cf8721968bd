//! Converts the core's answers into JavaScript's values, with one serializer for every record.
//!
//! - A struct is made by the package's factory of its name, which takes the fields in their order.
//! - A variant without a value is its slug.
//! - `Timestamp` is a `Date`, and bytes are the text of a UUID. Every other named value is converted
//!   like the value in it.
//! - A 64-bit integer with a sign is a `bigint`, because usage may pass 2^53. Every other number is
//!   a `number`: versions, counts of rows and bounds of fields stay far below.

mod factories;

use std::fmt;

use napi::bindgen_prelude::JsValue;
use napi::{Env, Error};
use serde::ser::{self, Impossible, Serialize, Serializer};
use uuid::Uuid;

use crate::raw::{Arguments, Maker, Value};
pub use factories::Factories;
use factories::Factory;

/// The largest number of milliseconds that a `Date` can hold, before and after 1970.
const LAST_DATE: i64 = 8_640_000_000_000_000;

/// An answer as a value of JavaScript.
pub fn answer<T>(env: &Env, factories: &Factories, answer: &T) -> napi::Result<Value>
where
    T: Serialize + ?Sized,
{
    let serializer = Answer { env, make: Maker::of(env), factories, expected: Expected::Anything };
    answer.serialize(serializer).map_err(|Raised(raised)| raised)
}

#[derive(Clone, Copy)]
struct Answer<'a> {
    env: &'a Env,
    make: Maker,
    factories: &'a Factories,
    expected: Expected,
}

/// How a 64-bit integer is converted, if its type does not decide that.
#[derive(Clone, Copy)]
enum Expected {
    Anything,
    /// It is a bound of a field, which a `number` holds.
    Number,
    /// It is an instant, in milliseconds since the epoch.
    Instant,
    /// It is an instant, and `null` if a `Date` cannot represent it.
    Until,
}

type Answered = Result<Value, Raised>;

impl Answer<'_> {
    fn expecting(self, expected: Expected) -> Self {
        Self { expected, ..self }
    }

    fn instant(self, millis: i64) -> Answered {
        Ok(self.make.date(millis as f64)?)
    }
}

/// Serializes numbers that a `number` holds.
macro_rules! numbers {
    ($($method:ident: $Type:ty),* $(,)?) => {
        $(fn $method(self, value: $Type) -> Answered {
            Ok(self.make.number(f64::from(value))?)
        })*
    };
}

impl<'a> Serializer for Answer<'a> {
    type Ok = Value;
    type Error = Raised;
    type SerializeSeq = Sequence<'a>;
    type SerializeMap = Mapping<'a>;
    type SerializeStruct = Filling<'a>;
    type SerializeTuple = Impossible<Value, Raised>;
    type SerializeTupleStruct = Impossible<Value, Raised>;
    type SerializeTupleVariant = Impossible<Value, Raised>;
    type SerializeStructVariant = Impossible<Value, Raised>;

    /// Ids come as bytes, and enumerations with values as records: see the core's `wire`.
    fn is_human_readable(&self) -> bool {
        false
    }

    numbers! {
        serialize_i8: i8,
        serialize_i16: i16,
        serialize_i32: i32,
        serialize_u8: u8,
        serialize_u16: u16,
        serialize_u32: u32,
        serialize_f32: f32,
        serialize_f64: f64,
    }

    fn serialize_bool(self, value: bool) -> Answered {
        Ok(self.make.truth(value)?)
    }

    fn serialize_u64(self, value: u64) -> Answered {
        Ok(self.make.number(value as f64)?)
    }

    fn serialize_i64(self, value: i64) -> Answered {
        match self.expected {
            Expected::Anything => Ok(self.make.integer(value)?),
            Expected::Number => Ok(self.make.number(value as f64)?),
            Expected::Instant => self.instant(value),
            Expected::Until if value.abs() > LAST_DATE => self.serialize_none(),
            Expected::Until => self.instant(value),
        }
    }

    fn serialize_char(self, value: char) -> Answered {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Answered {
        Ok(self.make.text(value)?)
    }

    fn serialize_bytes(self, value: &[u8]) -> Answered {
        let uuid = Uuid::from_slice(value).map_err(<Raised as ser::Error>::custom)?;
        self.serialize_str(uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer()))
    }

    fn serialize_none(self) -> Answered {
        Ok(self.make.null()?)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Answered {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Answered {
        Ok(self.make.undefined()?)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Answered {
        self.serialize_none()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, slug: &'static str) -> Answered {
        self.serialize_str(slug)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Answered {
        value.serialize(match name {
            "Timestamp" => self.expecting(Expected::Instant),
            "Until" => self.expecting(Expected::Until),
            _ => self,
        })
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        of: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Answered {
        Err(no_form(of))
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Sequence<'a>, Raised> {
        Ok(Sequence { answer: self, items: Vec::with_capacity(length.unwrap_or_default()) })
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Raised> {
        Err(no_form("a tuple"))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Mapping<'a>, Raised> {
        Ok(Mapping { made: self.make.object()?, answer: self, key: None })
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Filling<'a>, Raised> {
        let factory = self.factories.get(name).ok_or_else(|| no_form(name))?;
        let values = Vec::with_capacity(factory.fields());
        Ok(Filling { answer: self.expecting(Expected::Anything), name, factory, values })
    }

    fn serialize_tuple_struct(
        self,
        name: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, Raised> {
        Err(no_form(name))
    }

    fn serialize_tuple_variant(
        self,
        of: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Raised> {
        Err(no_form(of))
    }

    fn serialize_struct_variant(
        self,
        of: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Raised> {
        Err(no_form(of))
    }
}

/// The fields of a record, in order, for its factory.
struct Filling<'a> {
    answer: Answer<'a>,
    name: &'static str,
    factory: &'a Factory,
    values: Vec<Value>,
}

impl<'a> Filling<'a> {
    /// Adds the next field, which must be the one of this name.
    fn fill(
        &mut self,
        name: &str,
        value: impl FnOnce(Answer<'a>) -> Answered,
    ) -> Result<(), Raised> {
        if self.factory.field(self.values.len()) != Some(name) {
            return Err(differs(self.name, name));
        }
        let expected = if name == "params" { Expected::Number } else { Expected::Anything };
        self.values.push(value(self.answer.expecting(expected))?);
        Ok(())
    }
}

/// The error for a value that is not a record: the core must answer with records, which every
/// language has.
fn no_form(of: &str) -> Raised {
    ser::Error::custom(format_args!("{of} has no form in JavaScript"))
}

/// The error for a factory that does not match the core's record, which is a defect of the package.
fn differs(name: &str, at: &str) -> Raised {
    ser::Error::custom(format_args!("the package's record '{name}' differs at '{at}'"))
}

impl ser::SerializeStruct for Filling<'_> {
    type Ok = Value;
    type Error = Raised;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Raised> {
        self.fill(name, |answer| value.serialize(answer))
    }

    /// A field that JSON leaves out is `null`.
    fn skip_field(&mut self, name: &'static str) -> Result<(), Raised> {
        self.fill(name, |answer| answer.serialize_none())
    }

    fn end(self) -> Answered {
        let Self { answer, name, factory, values } = self;
        if let Some(missing) = factory.field(values.len()) {
            return Err(differs(name, missing));
        }
        Ok(factory.make(answer.env)?.call(Arguments(values))?.raw())
    }
}

/// The items of an array.
struct Sequence<'a> {
    answer: Answer<'a>,
    items: Vec<Value>,
}

impl ser::SerializeSeq for Sequence<'_> {
    type Ok = Value;
    type Error = Raised;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Raised> {
        self.items.push(value.serialize(self.answer)?);
        Ok(())
    }

    fn end(self) -> Answered {
        Ok(self.answer.make.list(&self.items)?)
    }
}

/// The pairs of an object.
struct Mapping<'a> {
    answer: Answer<'a>,
    made: Value,
    key: Option<Value>,
}

impl ser::SerializeMap for Mapping<'_> {
    type Ok = Value;
    type Error = Raised;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Raised> {
        self.key = Some(key.serialize(self.answer)?);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Raised> {
        let value = value.serialize(self.answer)?;
        let key = self.key.take().ok_or_else(|| <Raised as ser::Error>::custom("no key"))?;
        Ok(self.answer.make.set(self.made, key, value)?)
    }

    fn end(self) -> Answered {
        Ok(self.made)
    }
}

/// What Node-API raised while a value was made.
#[derive(Debug)]
struct Raised(Error);

impl From<Error> for Raised {
    fn from(raised: Error) -> Self {
        Self(raised)
    }
}

impl fmt::Display for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Raised {}

impl ser::Error for Raised {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(Error::from_reason(message.to_string()))
    }
}
