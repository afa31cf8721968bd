//! Packs an answer of the core into one text: the JSON of one array without objects or arrays in it.
//! The package reads it with the reader of the operation's type (`lib/values.ts`, and
//! `lib/records.ts`, which is generated). The text is made on the thread of the call, so that the event
//! loop has only to parse it: one crossing for a page of records instead of some thousand.
//!
//! - A record is its fields in their order; a field that JSON leaves out is null.
//! - A list is its length and its items, a map its length, keys and values.
//! - A record, a list or a map that may be missing is null, or true and what it consists of.
//! - An instant is its milliseconds since 1970; an id is a text; a variant without a value is its slug.
//! - An integer beyond 2^53 is a text of digits.

use std::fmt;

use serde::ser::{self, Impossible, Serialize, Serializer};
use uuid::Uuid;

/// The largest number of milliseconds that a `Date` can hold, before and after 1970.
const LAST_DATE: u64 = 8_640_000_000_000_000;

/// The largest integer that a `number` holds exactly, as each smaller one.
const LAST_EXACT: u64 = 1 << 53;

/// Packs an answer.
pub fn packed<T: Serialize + ?Sized>(answer: &T) -> Result<String, Unpackable> {
    let mut text = vec![b'['];
    answer.serialize(Packer::new(&mut text))?;
    text.pop_if(|last| *last == b',');
    text.push(b']');
    String::from_utf8(text).map_err(ser::Error::custom)
}

struct Packer<'t> {
    text: &'t mut Vec<u8>,
    /// Whether there could be null in place of the value.
    may_be_missing: bool,
    /// Whether it is an instant that means "never" if no `Date` can hold it.
    may_be_never: bool,
}

type Packed = Result<(), Unpackable>;

impl<'t> Packer<'t> {
    fn new(text: &'t mut Vec<u8>) -> Self {
        Self { text, may_be_missing: false, may_be_never: false }
    }

    /// Adds a single value.
    fn single<T: Serialize + ?Sized>(self, value: &T) -> Packed {
        serde_json::to_writer(&mut *self.text, value).map_err(ser::Error::custom)?;
        self.text.push(b',');
        Ok(())
    }

    /// Adds what stands before the parts of a value.
    fn parts(self, length: Option<usize>) -> Result<Parts<'t>, Unpackable> {
        if self.may_be_missing {
            Packer::new(self.text).single(&true)?;
        }
        if let Some(length) = length {
            Packer::new(self.text).single(&length)?;
        }
        Ok(Parts(self.text))
    }
}

/// Serializes numbers that a `number` holds.
macro_rules! numbers {
    ($($method:ident: $Type:ty),* $(,)?) => {
        $(fn $method(self, value: $Type) -> Packed {
            self.single(&value)
        })*
    };
}

impl<'t> Serializer for Packer<'t> {
    type Ok = ();
    type Error = Unpackable;
    type SerializeSeq = Parts<'t>;
    type SerializeMap = Parts<'t>;
    type SerializeStruct = Parts<'t>;
    type SerializeTuple = Impossible<(), Unpackable>;
    type SerializeTupleStruct = Impossible<(), Unpackable>;
    type SerializeTupleVariant = Impossible<(), Unpackable>;
    type SerializeStructVariant = Impossible<(), Unpackable>;

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
        serialize_u64: u64,
        serialize_bool: bool,
    }

    fn serialize_i64(self, value: i64) -> Packed {
        match value.unsigned_abs() {
            size if self.may_be_never && size > LAST_DATE => self.serialize_none(),
            size if size > LAST_EXACT => self.single(&value.to_string()),
            _ => self.single(&value),
        }
    }

    fn serialize_f32(self, _: f32) -> Packed {
        Err(no_form("a fraction"))
    }

    fn serialize_f64(self, _: f64) -> Packed {
        Err(no_form("a fraction"))
    }

    fn serialize_char(self, value: char) -> Packed {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Packed {
        self.single(value)
    }

    fn serialize_bytes(self, value: &[u8]) -> Packed {
        let uuid = Uuid::from_slice(value).map_err(<Unpackable as ser::Error>::custom)?;
        self.serialize_str(uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer()))
    }

    fn serialize_none(self) -> Packed {
        self.single(&())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Packed {
        value.serialize(Packer { may_be_missing: true, ..self })
    }

    /// Nothing is no value at all.
    fn serialize_unit(self) -> Packed {
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Packed {
        Ok(())
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, slug: &'static str) -> Packed {
        self.serialize_str(slug)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Packed {
        value.serialize(Packer { may_be_never: name == "Until", ..self })
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        of: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Packed {
        Err(no_form(of))
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Parts<'t>, Unpackable> {
        self.parts(Some(length.ok_or_else(|| no_form("a list of unknown length"))?))
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Unpackable> {
        Err(no_form("a tuple"))
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Parts<'t>, Unpackable> {
        self.parts(Some(length.ok_or_else(|| no_form("a map of unknown length"))?))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Parts<'t>, Unpackable> {
        self.parts(None)
    }

    fn serialize_tuple_struct(
        self,
        name: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, Unpackable> {
        Err(no_form(name))
    }

    fn serialize_tuple_variant(
        self,
        of: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Unpackable> {
        Err(no_form(of))
    }

    fn serialize_struct_variant(
        self,
        of: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Unpackable> {
        Err(no_form(of))
    }
}

/// The text after what stands before the fields of a record, or the items of a list or a map.
struct Parts<'t>(&'t mut Vec<u8>);

impl Parts<'_> {
    fn add<T: Serialize + ?Sized>(&mut self, value: &T) -> Packed {
        value.serialize(Packer::new(self.0))
    }
}

impl ser::SerializeStruct for Parts<'_> {
    type Ok = ();
    type Error = Unpackable;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, _: &'static str, value: &T) -> Packed {
        self.add(value)
    }

    fn skip_field(&mut self, _: &'static str) -> Packed {
        Packer::new(self.0).serialize_none()
    }

    fn end(self) -> Packed {
        Ok(())
    }
}

impl ser::SerializeSeq for Parts<'_> {
    type Ok = ();
    type Error = Unpackable;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Packed {
        self.add(value)
    }

    fn end(self) -> Packed {
        Ok(())
    }
}

impl ser::SerializeMap for Parts<'_> {
    type Ok = ();
    type Error = Unpackable;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Packed {
        self.add(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Packed {
        self.add(value)
    }

    fn end(self) -> Packed {
        Ok(())
    }
}

/// The error for a value that is not a record: the core must answer with records, which every
/// language has.
fn no_form(of: &str) -> Unpackable {
    ser::Error::custom(format_args!("{of} has no form in JavaScript"))
}

/// Why an answer cannot be packed, which is a defect of the library.
#[derive(Debug)]
pub struct Unpackable(String);

impl fmt::Display for Unpackable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unpackable {}

impl ser::Error for Unpackable {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}
