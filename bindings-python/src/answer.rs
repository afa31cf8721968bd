//! Converts the core's answers into Python objects, with one serializer for every record.
//!
//! - A struct is the frozen dataclass of its name in the package, and must have its fields in the
//!   same order.
//! - A variant without a value is the member of the enumeration with its name, or its slug if the
//!   package has no such enumeration.
//! - `Timestamp` is an aware `datetime`, and bytes are a `uuid.UUID`. Every other named value is
//!   converted like the value in it.
//! - A sequence in a record is a tuple, because the record is frozen; any other is a list. A map is
//!   a dict.

mod classes;

use std::cell::RefCell;
use std::fmt;

use partnerkit::Timestamp;
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyNone, PyString, PyTuple};
use serde::ser::{self, Impossible, Serialize, Serializer};
use uuid::Uuid;

use crate::instant::instant;
use classes::{Classes, Record};

/// An answer as a Python object.
pub fn answer<'py, T>(py: Python<'py>, answer: &T) -> PyResult<Bound<'py, PyAny>>
where
    T: Serialize + ?Sized,
{
    let (classes, last) = (Classes::get(py)?, Last::default());
    let serializer = Answer { py, classes, last: &last, expected: Expected::Anything };
    answer.serialize(serializer).map_err(|Raised(raised)| raised)
}

/// The last instant that was made, and its milliseconds. Most records have an instant twice,
/// because they were not changed since they were created.
type Last<'py> = RefCell<Option<(i64, Bound<'py, PyAny>)>>;

#[derive(Clone, Copy)]
struct Answer<'a, 'py> {
    py: Python<'py>,
    classes: &'a Classes,
    last: &'a Last<'py>,
    expected: Expected,
}

/// How a value is converted, if its type does not decide that.
#[derive(Clone, Copy)]
enum Expected {
    Anything,
    /// A sequence is a tuple.
    Tuple,
    /// A number is an instant, in milliseconds since the epoch.
    Instant,
    /// A number is an instant, and `None` if `datetime` cannot represent it.
    Until,
}

type Answered<'py> = Result<Bound<'py, PyAny>, Raised>;

impl<'a, 'py> Answer<'a, 'py> {
    fn expecting(self, expected: Expected) -> Self {
        Self { expected, ..self }
    }

    fn instant(self, millis: i64) -> PyResult<Bound<'py, PyAny>> {
        if let Some((known, made)) = &*self.last.borrow()
            && *known == millis
        {
            return Ok(made.clone());
        }
        let made = instant(self.py, Timestamp::from_millis(millis))?;
        self.last.replace(Some((millis, made.clone())));
        Ok(made)
    }

    fn object<T: IntoPyObject<'py>>(self, value: T) -> Answered<'py> {
        Ok(value.into_bound_py_any(self.py)?)
    }
}

/// Serializes values of types that have the same type in Python.
macro_rules! plain {
    ($($method:ident: $Type:ty),* $(,)?) => {
        $(fn $method(self, value: $Type) -> Answered<'py> {
            self.object(value)
        })*
    };
}

impl<'a, 'py> Serializer for Answer<'a, 'py> {
    type Ok = Bound<'py, PyAny>;
    type Error = Raised;
    type SerializeSeq = Sequence<'a, 'py>;
    type SerializeMap = Mapping<'a, 'py>;
    type SerializeStruct = Filling<'a, 'py>;
    type SerializeTuple = Impossible<Self::Ok, Raised>;
    type SerializeTupleStruct = Impossible<Self::Ok, Raised>;
    type SerializeTupleVariant = Impossible<Self::Ok, Raised>;
    type SerializeStructVariant = Impossible<Self::Ok, Raised>;

    /// Ids come as bytes, and enumerations with values as records: see the core's `wire`.
    fn is_human_readable(&self) -> bool {
        false
    }

    plain! {
        serialize_bool: bool,
        serialize_i8: i8,
        serialize_i16: i16,
        serialize_i32: i32,
        serialize_u8: u8,
        serialize_u16: u16,
        serialize_u32: u32,
        serialize_u64: u64,
        serialize_f32: f32,
        serialize_f64: f64,
        serialize_char: char,
    }

    fn serialize_i64(self, value: i64) -> Answered<'py> {
        match self.expected {
            Expected::Anything | Expected::Tuple => self.object(value),
            Expected::Instant => Ok(self.instant(value)?),
            Expected::Until => match self.instant(value) {
                Err(raised) if raised.is_instance_of::<PyOverflowError>(self.py) => {
                    self.serialize_none()
                }
                made => Ok(made?),
            },
        }
    }

    fn serialize_str(self, value: &str) -> Answered<'py> {
        Ok(PyString::new(self.py, value).into_any())
    }

    fn serialize_bytes(self, value: &[u8]) -> Answered<'py> {
        let uuid = Uuid::from_slice(value).map_err(<Raised as ser::Error>::custom)?;
        Ok(self.classes.uuid(self.py, uuid)?)
    }

    fn serialize_none(self) -> Answered<'py> {
        Ok(PyNone::get(self.py).to_owned().into_any())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Answered<'py> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Answered<'py> {
        self.serialize_none()
    }

    fn serialize_unit_struct(self, _: &'static str) -> Answered<'py> {
        self.serialize_none()
    }

    fn serialize_unit_variant(
        self,
        of: &'static str,
        place: u32,
        slug: &'static str,
    ) -> Answered<'py> {
        match self.classes.enumeration(of) {
            Some(members) => members.member(self.py, place, slug).ok_or_else(|| differs(of, slug)),
            None => self.serialize_str(slug),
        }
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Answered<'py> {
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
    ) -> Answered<'py> {
        Err(no_form(of))
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Self::SerializeSeq, Raised> {
        let items = Vec::with_capacity(length.unwrap_or_default());
        Ok(Sequence { answer: self, items })
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Raised> {
        Err(no_form("a tuple"))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Raised> {
        Ok(Mapping { answer: self, made: PyDict::new(self.py), key: None })
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Filling<'a, 'py>, Raised> {
        let record = self.classes.record(name).ok_or_else(|| no_form(name))?;
        Ok(Filling { answer: self, name, record, made: record.empty(self.py)?, filled: 0 })
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

/// An object of a record's class that is being filled field by field.
struct Filling<'a, 'py> {
    answer: Answer<'a, 'py>,
    name: &'static str,
    record: &'a Record,
    made: Bound<'py, PyAny>,
    filled: usize,
}

impl<'a, 'py> Filling<'a, 'py> {
    /// Fills the next field, which must be that of the name.
    fn fill(
        &mut self,
        name: &str,
        value: impl FnOnce(Answer<'a, 'py>) -> Answered<'py>,
    ) -> Result<(), Raised> {
        let field = self.record.field(self.filled, name).ok_or_else(|| differs(self.name, name))?;
        self.filled += 1;
        Ok(field.set(&self.made, value(self.answer.expecting(Expected::Tuple))?)?)
    }
}

/// The error for a value that is not a record: the core must answer with records, which every
/// language has.
fn no_form(of: &str) -> Raised {
    ser::Error::custom(format_args!("{of} has no form in Python"))
}

/// The error for a class that does not match the core's record, which is a defect of the package.
fn differs(name: &str, at: &str) -> Raised {
    ser::Error::custom(format_args!("the package's class '{name}' differs at '{at}'"))
}

impl<'py> ser::SerializeStruct for Filling<'_, 'py> {
    type Ok = Bound<'py, PyAny>;
    type Error = Raised;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Raised> {
        self.fill(name, |answer| value.serialize(answer))
    }

    /// A field that JSON leaves out is `None`.
    fn skip_field(&mut self, name: &'static str) -> Result<(), Raised> {
        self.fill(name, |answer| answer.serialize_none())
    }

    fn end(self) -> Answered<'py> {
        if let Some(missing) = self.record.name(self.filled) {
            return Err(differs(self.name, missing));
        }
        self.record.freeze(&self.made)?;
        Ok(self.made)
    }
}

/// The items of a list or a tuple.
struct Sequence<'a, 'py> {
    answer: Answer<'a, 'py>,
    items: Vec<Bound<'py, PyAny>>,
}

impl<'py> ser::SerializeSeq for Sequence<'_, 'py> {
    type Ok = Bound<'py, PyAny>;
    type Error = Raised;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), Raised> {
        self.items.push(item.serialize(self.answer.expecting(Expected::Anything))?);
        Ok(())
    }

    fn end(self) -> Answered<'py> {
        let Self { answer: Answer { py, expected, .. }, items } = self;
        Ok(match expected {
            Expected::Tuple => PyTuple::new(py, items)?.into_any(),
            _ => PyList::new(py, items)?.into_any(),
        })
    }
}

/// The pairs of a dict.
struct Mapping<'a, 'py> {
    answer: Answer<'a, 'py>,
    made: Bound<'py, PyDict>,
    key: Option<Bound<'py, PyAny>>,
}

impl<'py> ser::SerializeMap for Mapping<'_, 'py> {
    type Ok = Bound<'py, PyAny>;
    type Error = Raised;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Raised> {
        self.key = Some(key.serialize(self.answer.expecting(Expected::Anything))?);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Raised> {
        let value = value.serialize(self.answer.expecting(Expected::Anything))?;
        Ok(self.made.set_item(self.key.take(), value)?)
    }

    fn end(self) -> Answered<'py> {
        Ok(self.made.into_any())
    }
}

/// The exception that Python raised while an object was made.
#[derive(Debug)]
struct Raised(PyErr);

impl From<PyErr> for Raised {
    fn from(raised: PyErr) -> Self {
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
        Self(PyTypeError::new_err(message.to_string()))
    }
}
