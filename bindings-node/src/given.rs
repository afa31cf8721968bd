//! Converts JavaScript's values of any type into the core's forms and arguments.

use std::collections::BTreeMap;

use napi::bindgen_prelude::{Array, BigInt, FromNapiValue, JsObjectValue, Object};
use napi::{
    JsDate, JsString, JsValue, KeyCollectionMode, KeyConversion, KeyFilter, Result, Unknown,
    ValueType,
};
use partnerkit::Timestamp;
use partnerkit::form::{self, Form, Given};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::error::{Failure, Refused};
use crate::names::Names;
use crate::room::Room;

/// How deeply values may be nested. Forms are not nested deeper, and a list that contains itself
/// would never end.
const DEEPEST: usize = 8;

/// More items than any list may have. A longer list is refused anyway, so the rest is not read.
const MOST: u32 = 100_001;

/// The largest integer that every smaller one is told from: 2^53 - 1.
const SAFE: f64 = 9_007_199_254_740_991.0;

/// A value of any type; without names, the names in it are the host's own. It raises only what the
/// host's own code throws, for example in a getter.
fn given(value: Unknown<'_>, names: Option<&Names>, depth: usize) -> Result<Given> {
    within(value, names, depth, &mut Room::new())
}

/// A value for which there is still room.
fn within(
    value: Unknown<'_>,
    names: Option<&Names>,
    depth: usize,
    room: &mut Room,
) -> Result<Given> {
    Ok(match value.get_type()? {
        ValueType::Undefined | ValueType::Null => Given::Nothing,
        ValueType::Boolean => Given::Truth(cast(value)?),
        ValueType::Number => whole(cast(value)?),
        ValueType::BigInt => Given::Whole(integer(&cast::<BigInt>(value)?)),
        // A text with a lone surrogate is not valid.
        ValueType::String => text(value)?.map_or(Given::Other, Given::Text),
        ValueType::Object if depth == 0 && !value.is_date()? => Given::Other,
        ValueType::Object if value.is_array()? => list(cast(value)?, names, depth - 1, room)?,
        ValueType::Object if value.is_date()? => {
            instant(value)?.map_or(Given::Other, Given::Instant)
        }
        ValueType::Object => {
            record(value, names, depth - 1, room)?.map_or(Given::Other, Given::Record)
        }
        _ => Given::Other,
    })
}

#[allow(unsafe_code, reason = "napi declares its conversions unsafe")]
fn cast<T: FromNapiValue>(value: Unknown<'_>) -> Result<T> {
    // SAFETY: every caller has checked the value's type.
    unsafe { value.cast() }
}

/// A text; `None` if it has a lone surrogate.
fn text(value: Unknown<'_>) -> Result<Option<String>> {
    Ok(String::from_utf16(&units(value)?).ok())
}

/// The code units of a text.
fn units(value: Unknown<'_>) -> Result<Vec<u16>> {
    let mut units = cast::<JsString<'_>>(value)?.into_utf16()?.to_vec();
    units.pop(); // a NUL that Node-API writes after them
    Ok(units)
}

fn instant(value: Unknown<'_>) -> Result<Option<Timestamp>> {
    let millis = cast::<JsDate<'_>>(value)?.value_of()?;
    // An invalid date is not a number.
    Ok((!millis.is_nan()).then(|| Timestamp::from_millis(millis as i64)))
}

/// A whole number that is exact.
fn whole(number: f64) -> Given {
    let is_exact = number.fract() == 0.0 && number.abs() <= SAFE;
    if is_exact { Given::Whole(number as i128) } else { Given::Other }
}

fn integer(integer: &BigInt) -> i128 {
    let most = if integer.sign_bit { i128::MIN } else { i128::MAX };
    match integer.words.as_slice() {
        [] => 0,
        [word] if integer.sign_bit => -i128::from(*word),
        [word] => i128::from(*word),
        _ => most,
    }
}

fn list(array: Array<'_>, names: Option<&Names>, depth: usize, room: &mut Room) -> Result<Given> {
    if array.len() >= MOST || !room.takes(array.len()) {
        return Ok(Given::Other);
    }
    let item = |place| match array.get::<Unknown<'_>>(place)? {
        Some(item) => within(item, names, depth, room),
        None => Ok(Given::Nothing),
    };
    (0..array.len()).map(item).collect::<Result<_>>().map(Given::List)
}

/// The own fields of an object, by the core's names; a field that is undefined is not there. `None`
/// for an object of another kind (a `Map`, a `Promise`, bytes): it would look like an empty record.
fn record(
    value: Unknown<'_>,
    names: Option<&Names>,
    depth: usize,
    room: &mut Room,
) -> Result<Option<BTreeMap<String, Given>>> {
    if value.is_typedarray()? || value.is_arraybuffer()? || value.is_promise()? {
        return Ok(None);
    }
    let object = cast::<Object<'_>>(value)?;
    let keys = object.get_all_property_names(
        KeyCollectionMode::OwnOnly,
        KeyFilter::Enumerable,
        KeyConversion::NumbersToStrings,
    )?;
    let keys: Array<'_> = cast(keys.to_unknown())?;
    if !room.takes(keys.len()) {
        return Ok(None);
    }
    let mut fields = BTreeMap::new();
    let mut has_names = false;
    for place in 0..keys.len().min(MOST) {
        let Some(key) = array_item(&keys, place)? else { continue };
        if key.get_type()? != ValueType::String {
            continue; // a symbol
        }
        has_names = true;
        let value: Unknown<'_> = object.get_property(key)?;
        if value.get_type()? == ValueType::Undefined {
            continue;
        }
        // A form has no name with half a character in it; a map of the host's must not have one.
        let name = match (text(key)?, names) {
            (Some(name), _) => name,
            (None, Some(_)) => String::from_utf16_lossy(&units(key)?),
            (None, None) => return Ok(None),
        };
        let (name, inner) = names.map_or((name.clone(), None), |names| names.of(&name));
        fields.insert(name, within(value, inner, depth, room)?);
    }
    Ok((has_names || is_plain(&object)?).then_some(fields))
}

fn array_item<'env>(array: &Array<'env>, place: u32) -> Result<Option<Unknown<'env>>> {
    array.get(place)
}

/// Whether an object has the prototype of `{}`, or none.
fn is_plain(object: &Object<'_>) -> Result<bool> {
    let prototype = object.get_prototype()?;
    if prototype.get_type()? != ValueType::Object {
        return Ok(true);
    }
    let above = cast::<Object<'_>>(prototype)?.get_prototype()?;
    Ok(above.get_type()? != ValueType::Object)
}

/// A form.
pub fn form<F: Form>(name: &str, value: Unknown<'_>, names: &Names) -> Read<F> {
    let is_given = value.get_type()? != ValueType::Undefined;
    let given = if is_given { given(value, Some(names), DEEPEST)? } else { Given::default() };
    match given {
        Given::Record(fields) => read(fields),
        Given::Nothing => read(BTreeMap::new()),
        _ => Err(wrong(name, "a plain object", value)?.into()),
    }
}

fn read<F: Form>(fields: BTreeMap<String, Given>) -> Read<F> {
    Ok(form::read(fields).map_err(Failure::validation)?)
}

/// What was read, or why it was refused.
pub type Read<T> = std::result::Result<T, Refused>;

/// The type of an operation's argument.
pub trait Argument: Sized {
    /// What is expected where there may be several.
    const SEVERAL: &str = "an array";

    /// Converts a value into the argument with this name.
    fn of(name: &str, value: Unknown<'_>) -> Read<Self>;
}

/// A required argument.
pub fn argument<T: Argument>(name: &str, value: Unknown<'_>) -> Read<T> {
    T::of(name, value)
}

/// An optional argument, which may also be null.
pub fn optional<T: Argument>(name: &str, value: Unknown<'_>) -> Read<Option<T>> {
    match value.get_type()? {
        ValueType::Undefined | ValueType::Null => Ok(None),
        _ => T::of(name, value).map(Some),
    }
}

/// A required argument that may be null, but not undefined.
pub fn nullable<T: Argument>(name: &str, value: Unknown<'_>) -> Read<Option<T>> {
    match value.get_type()? {
        ValueType::Null => Ok(None),
        _ => T::of(name, value).map(Some),
    }
}

/// The error for what only a program can have given: no object where the fields of one are needed, no
/// array, no path. It names the argument, and never contains the value.
pub fn wrong(name: &str, expected: &str, value: Unknown<'_>) -> Result<Failure> {
    let of = match value.get_type()? {
        ValueType::Undefined => "undefined",
        ValueType::Null => "null",
        ValueType::Boolean => "a boolean",
        ValueType::Number => "a number",
        ValueType::BigInt => "a bigint",
        ValueType::String => "a string",
        ValueType::Symbol => "a symbol",
        ValueType::Function => "a function",
        ValueType::Object if value.is_array()? => "an array",
        _ => "an object",
    };
    Ok(Failure::of_type(format!("{name}: expected {expected}, not {of}")))
}

/// A value, which the core reads: one of another type is a refused field.
fn read_value<T: DeserializeOwned>(name: &str, value: Unknown<'_>) -> Read<T> {
    Ok(form::value(name, &given(value, None, 0)?).map_err(Failure::validation)?)
}

/// A text. A lone surrogate becomes a character that no stored value may contain, and so differs
/// from everything it is compared with.
impl Argument for String {
    fn of(name: &str, value: Unknown<'_>) -> Read<Self> {
        if value.get_type()? != ValueType::String {
            return read_value(name, value);
        }
        let text = char::decode_utf16(units(value)?);
        Ok(text.map(|read| read.unwrap_or('\0')).collect())
    }
}

/// A text, which is refused if it has a lone surrogate.
pub fn whole_text(name: &str, value: Unknown<'_>) -> Read<String> {
    read_value(name, value)
}

/// Values that the core reads as in a form: an instant is a `Date`, or a text in RFC 3339.
macro_rules! values {
    ($($Type:ty),*) => {
        $(impl Argument for $Type {
            fn of(name: &str, value: Unknown<'_>) -> Read<Self> {
                read_value(name, value)
            }
        })*
    };
}

values!(bool, Timestamp, i64, u8, u16, u32, u64);

/// The text of an id; `None` for text that is no id.
pub fn id(name: &str, value: Unknown<'_>) -> Read<Option<Uuid>> {
    Ok(Uuid::try_parse(&String::of(name, value)?).ok())
}

/// Ids, each with what it is the id of: text that is no id is the id of none.
macro_rules! ids {
    ($($Type:ty: $of:literal),*) => {
        $(impl $crate::given::Argument for $Type {
            fn of(
                name: &str,
                value: napi::Unknown<'_>,
            ) -> $crate::given::Read<Self> {
                let id = $crate::given::id(name, value)?.map(Self::from_uuid);
                Ok(id.ok_or_else(|| $crate::error::Failure::not_found($of))?)
            }
        })*
    };
}

/// Values that are parsed.
macro_rules! texts {
    ($($Type:ty),*) => {
        $(impl $crate::given::Argument for $Type {
            fn of(
                name: &str,
                value: napi::Unknown<'_>,
            ) -> $crate::given::Read<Self> {
                let text = <String as $crate::given::Argument>::of(name, value)?;
                let refused = |refusal| $crate::error::Failure::refusal(name, refusal);
                Ok(Self::parse(&text).map_err(refused)?)
            }
        })*
    };
}

/// Forms, each an object. What is wrong with one in a list is that form's own refusal.
macro_rules! forms {
    ($($Type:ty: $names:expr),*) => {
        $(impl $crate::given::Argument for $Type {
            const SEVERAL: &str = "an array of objects";

            fn of(
                name: &str,
                value: napi::Unknown<'_>,
            ) -> $crate::given::Read<Self> {
                $crate::given::form(name, value, &$names)
            }
        })*
    };
}

pub(crate) use {forms, ids, texts};

impl<T: Argument> Argument for Vec<T> {
    fn of(name: &str, value: Unknown<'_>) -> Read<Self> {
        if value.get_type()? != ValueType::Object || !value.is_array()? {
            return Err(wrong(name, T::SEVERAL, value)?.into());
        }
        let array: Array<'_> = cast(value)?;
        let item = |place| match array_item(&array, place)? {
            Some(item) => T::of(name, item),
            None => Err(Failure::of_type(format!("{name}: the array has a hole")).into()),
        };
        (0..array.len().min(MOST)).map(item).collect()
    }
}

/// A path.
impl Argument for std::path::PathBuf {
    fn of(name: &str, value: Unknown<'_>) -> Read<Self> {
        if value.get_type()? != ValueType::String {
            return Err(wrong(name, "a string", value)?.into());
        }
        Ok(whole_text(name, value)?.into())
    }
}
