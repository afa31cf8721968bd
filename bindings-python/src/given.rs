//! Converts Python's values of any type into the core's forms and arguments.

use std::collections::BTreeMap;
use std::path::PathBuf;

use partnerkit::form::{self, Form, Given};
use partnerkit::{EventDraft, Timestamp};
use pyo3::exceptions::{PyOverflowError, PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyDict, PyFloat, PyFrozenSet, PyInt, PyIterator, PyMapping, PySequence, PySet, PyString,
};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::error::validation;
use crate::instant::timestamp;

/// How deeply values may be nested. Forms are not nested deeper, and a list that contains itself
/// would never end.
const DEEPEST: usize = 8;

/// More items than any list may have. A longer list is refused anyway, so the rest is not read.
const MOST: usize = 100_001;

/// A value of any type. It raises only exceptions of the host's code, for example of a property or
/// of `__index__`.
fn given(value: &Bound<'_, PyAny>, depth: usize) -> PyResult<Given> {
    if value.is_none() {
        return Ok(Given::Nothing);
    }
    if let Ok(text) = value.cast::<PyString>() {
        // A text with a lone surrogate is not valid.
        return Ok(text.to_cow().map_or(Given::Other, |text| Given::Text(text.into_owned())));
    }
    if let Ok(truth) = value.cast::<PyBool>() {
        return Ok(Given::Truth(truth.is_true()));
    }
    if value.is_instance_of::<PyInt>() {
        return whole(value);
    }
    if depth == 0 || value.is_instance_of::<PyFloat>() {
        return Ok(Given::Other);
    }
    if let Some(at) = instant(value)? {
        return Ok(Given::Instant(at));
    }
    if let Ok(id) = value.extract::<Uuid>() {
        return Ok(Given::Text(id.to_string()));
    }
    if let Some(fields) = fields(value)? {
        return record(&fields, depth);
    }
    if is_list(value)? {
        let items = value.try_iter()?.take(MOST).map(|item| given(&item?, depth - 1));
        let items: Vec<_> = items.collect::<PyResult<_>>()?;
        return Ok(if items.len() < MOST { Given::List(items) } else { Given::Other });
    }
    whole(value)
}

fn mapping<'py>(value: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyDict>>> {
    if let Ok(fields) = value.cast::<PyDict>() {
        return Ok(Some(fields.clone()));
    }
    if value.cast::<PyMapping>().is_err() {
        return Ok(None);
    }
    let dict = value.py().get_type::<PyDict>();
    Ok(Some(dict.call1((value,))?.cast_into()?))
}

/// The fields of a mapping or of a dataclass.
fn fields<'py>(value: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyDict>>> {
    if let Some(fields) = mapping(value)? {
        return Ok(Some(fields));
    }
    let Some(of_class) =
        value.get_type().getattr_opt(intern!(value.py(), "__dataclass_fields__"))?
    else {
        return Ok(None);
    };
    let fields = PyDict::new(value.py());
    for name in of_class.try_iter()? {
        let name = name?.cast_into::<PyString>()?;
        fields.set_item(&name, value.getattr(&name)?)?;
    }
    Ok(Some(fields))
}

fn record(fields: &Bound<'_, PyDict>, depth: usize) -> PyResult<Given> {
    let mut record = BTreeMap::new();
    // A property of the host may change the dict while it is read, so it is copied.
    for (name, value) in fields.copy()?.iter() {
        let Given::Text(name) = given(&name, 0)? else { return Ok(Given::Other) };
        record.insert(name, given(&value, depth - 1)?);
    }
    Ok(Given::Record(record))
}

/// Whether a value is meant as a list. `bytes` and similar types are sequences of numbers, but not
/// meant as lists.
fn is_list(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    let is_set = value.is_instance_of::<PySet>() || value.is_instance_of::<PyFrozenSet>();
    Ok(is_set
        || value.cast::<PySequence>().is_ok() && !value.hasattr(intern!(value.py(), "hex"))?)
}

/// The instant of an aware `datetime`.
fn instant(value: &Bound<'_, PyAny>) -> PyResult<Option<Timestamp>> {
    if !value.hasattr(intern!(value.py(), "tzinfo"))? {
        return Ok(None);
    }
    match timestamp(value) {
        Ok(at) => Ok(Some(at)),
        Err(raised) => if_of_value(value.py(), raised).map(|()| None),
    }
}

/// A whole number: any value that Python accepts as an index.
fn whole(value: &Bound<'_, PyAny>) -> PyResult<Given> {
    let py = value.py();
    let whole = match value.extract::<i64>() {
        Err(raised) if raised.is_instance_of::<PyOverflowError>(py) => {
            value.lt(0).map(|negative| if negative { i128::MIN } else { i128::MAX })
        }
        extracted => extracted.map(i128::from),
    };
    match whole {
        Ok(whole) => Ok(Given::Whole(whole)),
        Err(raised) => if_of_value(py, raised).map(|()| Given::Other),
    }
}

/// Ignores the exceptions that Python raises for a value of a wrong type; others come from the
/// host's code.
fn if_of_value(py: Python<'_>, raised: PyErr) -> PyResult<()> {
    let of_value = raised.is_instance_of::<PyTypeError>(py)
        || raised.is_instance_of::<PyValueError>(py)
        || raised.is_instance_of::<PyOverflowError>(py);
    if of_value { Ok(()) } else { Err(raised) }
}

/// A form whose fields were given by name, and possibly the first one by position.
pub fn form<F: Form>(
    first: Option<(&str, &Bound<'_, PyAny>)>,
    fields: Option<&Bound<'_, PyDict>>,
    py: Python<'_>,
) -> PyResult<F> {
    let mut form = BTreeMap::new();
    if let Some(fields) = fields {
        // A property of the host's may change what it is read from.
        for (name, value) in fields.copy()?.iter() {
            let name = name.cast::<PyString>()?.to_string_lossy().into_owned();
            form.insert(name, given(&value, DEEPEST - 1)?);
        }
    }
    if let Some((name, value)) = first {
        form.insert(name.to_owned(), given(value, DEEPEST)?);
    }
    form::read(form).map_err(|refused| validation(py, refused))
}

/// The type of an operation's argument.
pub trait Argument: Sized {
    /// What is expected where there may be several.
    const SEVERAL: &str = "a list";

    /// Converts a value into the argument with this name.
    fn of(name: &str, value: &Bound<'_, PyAny>) -> PyResult<Self>;
}

/// A required argument.
pub fn argument<T: Argument>(name: &str, value: &Bound<'_, PyAny>) -> PyResult<T> {
    T::of(name, value)
}

/// An optional argument, which may also be `None`.
pub fn optional<T: Argument>(name: &str, value: Option<&Bound<'_, PyAny>>) -> PyResult<Option<T>> {
    value.filter(|value| !value.is_none()).map(|value| T::of(name, value)).transpose()
}

/// The error for what only a program can have given: no list, no dict, no path. It names the argument, and never contains the value.
fn wrong(name: &str, expected: &str, value: &Bound<'_, PyAny>) -> PyErr {
    let class = value.get_type().name().map_or_else(|_| String::new(), |name| name.to_string());
    PyTypeError::new_err(format!("{name}: expected {expected}, not {class}"))
}

/// A value, which the core reads: one of another type is a refused field.
fn read_value<T: DeserializeOwned>(name: &str, value: &Bound<'_, PyAny>) -> PyResult<T> {
    form::value(name, &given(value, 1)?).map_err(|refused| validation(value.py(), refused))
}

/// A text. A lone surrogate is replaced by a character that no stored value may contain, and so
/// differs from everything it is compared with.
impl Argument for String {
    fn of(name: &str, value: &Bound<'_, PyAny>) -> PyResult<Self> {
        let Ok(text) = value.cast::<PyString>() else {
            // No other type is a text, not even one that the core would get as text.
            let given = if value.is_none() { Given::Nothing } else { Given::Other };
            return form::value(name, &given).map_err(|refused| validation(value.py(), refused));
        };
        Ok(match text.to_cow() {
            Ok(text) => text.into_owned(),
            Err(_) => text.to_string_lossy().replace(char::REPLACEMENT_CHARACTER, "\0"),
        })
    }
}

/// A text, which is refused if it has a lone surrogate.
pub fn whole_text(name: &str, value: &Bound<'_, PyAny>) -> PyResult<String> {
    read_value(name, value)
}

/// Values that the core reads as in a form: an instant is an aware `datetime`, or a text in RFC 3339.
macro_rules! values {
    ($($Type:ty),*) => {
        $(impl Argument for $Type {
            fn of(name: &str, value: &Bound<'_, PyAny>) -> PyResult<Self> {
                read_value(name, value)
            }
        })*
    };
}

values!(bool, Timestamp, i64, u8, u16, u32, u64);

/// A `uuid.UUID`, or its text; `None` for text that is no id.
pub fn id(name: &str, value: &Bound<'_, PyAny>) -> PyResult<Option<Uuid>> {
    if let Ok(text) = value.cast::<PyString>() {
        return Ok(Uuid::try_parse(&text.to_string_lossy()).ok());
    }
    match value.extract() {
        Ok(id) => Ok(Some(id)),
        Err(_) => String::of(name, value).map(|_| None),
    }
}

/// Ids, each with what it is the id of: text that is no id is the id of none.
macro_rules! ids {
    ($($Type:ty: $of:literal),*) => {
        $(impl $crate::given::Argument for $Type {
            fn of(
                name: &str,
                value: &pyo3::Bound<'_, pyo3::PyAny>,
            ) -> pyo3::PyResult<Self> {
                let id = $crate::given::id(name, value)?.map(Self::from_uuid);
                id.ok_or_else(|| $crate::error::not_found(value.py(), $of))
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
                value: &pyo3::Bound<'_, pyo3::PyAny>,
            ) -> pyo3::PyResult<Self> {
                let text = <String as $crate::given::Argument>::of(name, value)?;
                let refused = |refusal: partnerkit::Refusal| refusal.of(name).into();
                Self::parse(&text)
                    .map_err(|refusal| $crate::error::validation(value.py(), refused(refusal)))
            }
        })*
    };
}

/// Forms, each a dict. What is wrong with one in a list is that form's own refusal.
macro_rules! forms {
    ($($Type:ty),*) => {
        $(impl $crate::given::Argument for $Type {
            const SEVERAL: &str = "a list of dicts";

            fn of(
                name: &str,
                value: &pyo3::Bound<'_, pyo3::PyAny>,
            ) -> pyo3::PyResult<Self> {
                $crate::given::listed_form(name, value)
            }
        })*
    };
}

pub(crate) use {forms, ids, texts};

impl Argument for PathBuf {
    fn of(name: &str, value: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = value.py();
        value.extract().map_err(|raised: PyErr| {
            let other = raised.is_instance_of::<PyTypeError>(py);
            if other { wrong(name, "str or os.PathLike", value) } else { raised }
        })
    }
}

/// A form in a list.
pub fn listed_form<F: Form + Argument>(name: &str, value: &Bound<'_, PyAny>) -> PyResult<F> {
    let fields = fields(value)?.ok_or_else(|| wrong(name, F::SEVERAL, value))?;
    form(None, Some(&fields), value.py())
}

/// An object with the fields of a `UsageEvent` as attributes, or a dict.
impl Argument for EventDraft {
    const SEVERAL: &str = "a list of events";

    fn of(_: &str, value: &Bound<'_, PyAny>) -> PyResult<Self> {
        event(value)
    }
}

impl<T: Argument> Argument for Vec<T> {
    fn of(name: &str, value: &Bound<'_, PyAny>) -> PyResult<Self> {
        listed(name, T::SEVERAL, value)?.take(MOST).map(|item| T::of(name, &item?)).collect()
    }
}

/// Reads an event. The core checks whether its fields exist and what they contain.
fn event(event: &Bound<'_, PyAny>) -> PyResult<EventDraft> {
    let fields = mapping(event)?;
    let draft = EventDraft::of(|field| {
        let value = match &fields {
            Some(fields) => fields.get_item(field)?,
            None => event.getattr_opt(field)?,
        };
        let value = value.map_or(Ok(Given::Nothing), |value| given(&value, 1))?;
        // A number might be meant as seconds, so it is refused.
        let is_number = matches!(value, Given::Whole(_));
        Ok::<_, PyErr>(if field == "at" && is_number { Given::Other } else { value })
    })?;
    // An object may have attributes of any kind, but the names in a dict are meant.
    let names = fields.iter().flat_map(|fields| fields.keys());
    Ok(draft.naming(names.map(|name| name.to_string())))
}

/// The items of a list or of another iterable, except texts and dicts.
fn listed<'py>(
    name: &str,
    expected: &str,
    value: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyIterator>> {
    let one = value.is_instance_of::<PyString>() || value.is_instance_of::<PyDict>();
    let items = if one { None } else { value.try_iter().ok() };
    items.ok_or_else(|| wrong(name, expected, value))
}
