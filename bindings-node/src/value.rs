//! Values that are passed between Rust and JavaScript. They belong to no environment, so that
//! threads can pass them.

use napi::bindgen_prelude::{
    Array, BigInt, FromNapiValue, Null, Object, ToNapiValue, Uint8Array, Unknown,
};
use napi::{Env, Error, JsValue, Result, ValueType, sys};
use partnerkit::schema::{Column, Index, Kind, Row, Table, Value};
use uuid::Uuid;

use crate::room::Room;

/// How deeply lists may be nested: answers, their rows, and the values of these. The limit is
/// needed because an array can contain itself.
const DEEPEST: u32 = 3;

/// A JavaScript value, copied.
#[derive(Debug, Clone, PartialEq)]
pub enum Js {
    Null,
    Bool(bool),
    Number(f64),
    /// A `BigInt`: a `number` does not hold every 64-bit integer.
    Integer(i64),
    Text(String),
    Bytes(Vec<u8>),
    /// A `Date`, by its milliseconds.
    Instant(i64),
    List(Vec<Js>),
    Object(Vec<(&'static str, Js)>),
}

impl From<&str> for Js {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&Value> for Js {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Integer(integer) => Self::Integer(*integer),
            Value::Text(text) => Self::Text(text.clone()),
            Value::Bytes(bytes) => Self::Bytes(bytes.clone()),
            Value::Uuid(uuid) => Self::Text(uuid.to_string()),
        }
    }
}

impl<T: Into<Js>> From<Option<T>> for Js {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl Js {
    /// Copies a value that a host may return: null, booleans, numbers, dates, texts, bytes, and lists
    /// of these.
    pub fn of(value: Unknown<'_>) -> Result<Self> {
        Self::within(value, DEEPEST, &mut Room::new())
    }

    /// Copies a value with lists nested at most `depth` deep, for which there is still room.
    fn within(value: Unknown<'_>, depth: u32, room: &mut Room) -> Result<Self> {
        match value.get_type()? {
            ValueType::Undefined | ValueType::Null => Ok(Self::Null),
            ValueType::Boolean => cast(value).map(Self::Bool),
            ValueType::String => cast(value).map(Self::Text),
            ValueType::Number => cast(value).map(Self::Number),
            ValueType::Object if value.is_date()? => {
                let millis = cast::<napi::JsDate<'_>>(value)?.value_of()?;
                Ok(if millis.is_nan() { Self::Null } else { Self::Instant(millis as i64) })
            }
            ValueType::BigInt => match cast::<BigInt>(value)?.get_i64() {
                (integer, true) => Ok(Self::Integer(integer)),
                _ => Err(Error::from_reason("an integer is larger than 64 bits")),
            },
            ValueType::Object if value.is_array()? => {
                let array: Array<'_> = cast(value)?;
                if !room.takes(array.len()) {
                    return Err(Error::from_reason("a list is longer than any answer"));
                }
                let deeper = depth.checked_sub(1);
                let depth = deeper.ok_or_else(|| Error::from_reason("lists are too deep"))?;
                let item = |i| match array.get::<Unknown<'_>>(i)? {
                    Some(item) => Self::within(item, depth, room),
                    None => Ok(Self::Null),
                };
                (0..array.len()).map(item).collect::<Result<_>>().map(Self::List)
            }
            ValueType::Object if value.is_typedarray()? => {
                cast::<Uint8Array>(value).map(|bytes| Self::Bytes(bytes.to_vec()))
            }
            _ => Err(Error::from_reason(
                "a storage answers with null, booleans, BigInts, texts and bytes only",
            )),
        }
    }

    /// The value in an environment.
    #[allow(unsafe_code, reason = "napi declares its conversions unsafe")]
    pub fn made(self, env: &Env) -> Result<sys::napi_value> {
        // SAFETY: this is JavaScript's thread, and `env` is its environment.
        unsafe { Self::to_napi_value(env.raw(), self) }
    }

    pub fn row(row: &[Value]) -> Self {
        Self::List(row.iter().map(Self::from).collect())
    }

    pub fn rows(rows: &[Row]) -> Self {
        Self::List(rows.iter().map(|row| Self::row(row)).collect())
    }

    pub fn texts<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self::List(texts.into_iter().map(|text| Self::from(text.as_ref())).collect())
    }

    /// The row of a table; `None` if it does not have the table's shape.
    pub fn into_row(self, table: &Table) -> Option<Row> {
        let Self::List(values) = self else { return None };
        if values.len() != table.columns.len() {
            return None;
        }
        values.into_iter().zip(table.columns).map(|(value, column)| value.fit(column)).collect()
    }

    fn fit(self, column: &Column) -> Option<Value> {
        match (self, column.kind) {
            (Self::Null, _) if column.nullable => Some(Value::Null),
            (Self::Integer(integer), Kind::Integer) => Some(Value::Integer(integer)),
            (Self::Text(text), Kind::Text) => Some(Value::Text(text)),
            (Self::Bytes(bytes), Kind::Bytes) => Some(Value::Bytes(bytes)),
            (Self::Text(text), Kind::Uuid) => Uuid::try_parse(&text).ok().map(Value::Uuid),
            _ => None,
        }
    }

    /// A table of the schema, as data.
    pub fn table(table: &Table) -> Self {
        let Table { name, columns, key, indexes, home: _, parent: _, refers: _ } = table;
        let column = |column: &Column| {
            let Column { name, kind, nullable, derived: _ } = column;
            let kind = match kind {
                Kind::Integer => "integer",
                Kind::Text => "text",
                Kind::Bytes => "bytes",
                Kind::Uuid => "uuid",
            };
            let nullable = Self::Bool(*nullable);
            Self::Object(vec![
                ("name", Self::from(*name)),
                ("kind", Self::from(kind)),
                ("nullable", nullable),
            ])
        };
        let index = |index: &Index| {
            let Index { name, columns, unique } = index;
            Self::Object(vec![
                ("name", Self::from(*name)),
                ("columns", Self::texts(*columns)),
                ("unique", Self::Bool(*unique)),
            ])
        };
        Self::Object(vec![
            ("name", Self::from(*name)),
            ("columns", Self::List(columns.iter().map(column).collect())),
            ("key", Self::texts(*key)),
            ("indexes", Self::List(indexes.iter().map(index).collect())),
        ])
    }
}

#[allow(unsafe_code, reason = "napi declares its conversions unsafe")]
fn cast<T: FromNapiValue>(value: Unknown<'_>) -> Result<T> {
    // SAFETY: every caller has checked the value's type.
    unsafe { value.cast() }
}

/// A result that is ignored: for example, a database's client returns an object of its own for
/// COMMIT.
pub struct Whatever;

#[allow(unsafe_code, reason = "napi declares its conversions unsafe")]
impl FromNapiValue for Whatever {
    unsafe fn from_napi_value(_: sys::napi_env, _: sys::napi_value) -> Result<Self> {
        Ok(Self)
    }
}

#[allow(unsafe_code, reason = "napi declares its conversions unsafe")]
impl FromNapiValue for Js {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> Result<Self> {
        // SAFETY: as the caller promises.
        Self::of(unsafe { Unknown::from_raw_unchecked(env, value) })
    }
}

#[allow(unsafe_code, reason = "napi declares its conversions unsafe")]
impl ToNapiValue for Js {
    unsafe fn to_napi_value(env: sys::napi_env, value: Self) -> Result<sys::napi_value> {
        // SAFETY: all of these functions require a valid environment, which the caller promises.
        unsafe {
            match value {
                Self::Null => Null::to_napi_value(env, Null),
                Self::Bool(value) => bool::to_napi_value(env, value),
                Self::Number(value) => f64::to_napi_value(env, value),
                Self::Integer(value) => BigInt::to_napi_value(env, value.into()),
                Self::Text(value) => String::to_napi_value(env, value),
                Self::Bytes(value) => Uint8Array::to_napi_value(env, value.into()),
                Self::Instant(millis) => Ok(Env::from_raw(env).create_date(millis as f64)?.raw()),
                Self::List(values) => Vec::to_napi_value(env, values),
                Self::Object(fields) => {
                    let scope = Env::from_raw(env);
                    let mut object = Object::new(&scope)?;
                    for (name, value) in fields {
                        object.set(name, value)?;
                    }
                    Ok(object.raw())
                }
            }
        }
    }
}
