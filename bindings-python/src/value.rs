//! Single values: texts, instants, ids, slugs, whole numbers, countries, codes.

use std::borrow::Cow;
use std::collections::BTreeSet;

use jiff::SignedDuration;
use jiff::civil::date;
use partnerkit::{Code, Metric, Phone, ResellerId, Status, Timestamp};
use pyo3::exceptions::{PyOverflowError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDelta, PyDeltaAccess, PyDict, PySequence, PyString, PyType};
use serde::Serialize;
use uuid::Uuid;

use crate::answer::answer;
use crate::error::{no_text, not_found, refused, validation};

const DAY: i64 = 86_400_000;

fn epoch(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static EPOCH: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    EPOCH.import(py, "partnerkit.records", "EPOCH")
}

/// An aware `datetime` in UTC. It is made as from a pickle, which every release of Python has to
/// read: from ten bytes, at a third of the cost of seven numbers.
pub fn instant(py: Python<'_>, at: Timestamp) -> PyResult<Bound<'_, PyAny>> {
    static DATETIME: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    static UTC: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let out_of_range = || PyOverflowError::new_err("an instant lies outside datetime's range");
    let bytes = PyBytes::new(py, &pickled(at).ok_or_else(out_of_range)?);
    let datetime = DATETIME.import(py, "datetime", "datetime")?;
    datetime.call1((bytes, UTC.import(py, "datetime", "UTC")?))
}

/// Year, month, day, hour, minute, second, microsecond as a `datetime` pickles them, unless they
/// lie outside of its range.
fn pickled(at: Timestamp) -> Option<[u8; 10]> {
    let since_1970 = SignedDuration::from_millis(at.as_millis());
    let at = date(1970, 1, 1).at(0, 0, 0, 0).checked_add(since_1970).ok()?;
    let year = u16::try_from(at.year()).ok().filter(|year| *year > 0)?;
    let [year_high, year_low] = year.to_be_bytes();
    let [_, high, middle, low] = (at.subsec_nanosecond() / 1_000).to_be_bytes();
    let [month, day] = [at.month(), at.day()].map(|number| number as u8);
    let [hour, minute, second] = [at.hour(), at.minute(), at.second()].map(|number| number as u8);
    Some([year_high, year_low, month, day, hour, minute, second, high, middle, low])
}

/// The instant of an aware `datetime`, to the millisecond.
pub fn timestamp(at: &Bound<'_, PyAny>) -> PyResult<Timestamp> {
    let py = at.py();
    if at.getattr("tzinfo").is_ok_and(|zone| zone.is_none()) {
        return Err(PyValueError::new_err("a datetime must be aware of its time zone"));
    }
    let delta = at.sub(epoch(py)?)?;
    let delta = delta.cast::<PyDelta>()?;
    let millis = i64::from(delta.get_days()) * DAY
        + i64::from(delta.get_seconds()) * 1_000
        + i64::from(delta.get_microseconds() / 1_000);
    Ok(Timestamp::from_millis(millis))
}

/// A `uuid.UUID`, or its text. Text that is no id is the id of no reseller.
pub struct Id(pub ResellerId);

impl<'a, 'py> FromPyObject<'a, 'py> for Id {
    type Error = PyErr;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(text) = value.cast::<PyString>() {
            let id = Uuid::try_parse(&text.to_string_lossy());
            return id
                .map(|id| Self(ResellerId::from_uuid(id)))
                .map_err(|_| not_found(value.py(), "reseller"));
        }
        Ok(Self(ResellerId::from_uuid(value.extract()?)))
    }
}

/// The metric with a slug; the package's enumeration is one of strings.
pub fn metric(py: Python<'_>, slug: &str) -> PyResult<Metric> {
    Metric::from_slug(slug).ok_or_else(|| refused(py, "metric", Code::UnknownMetric))
}

/// The status with a slug.
pub fn status(py: Python<'_>, slug: &str) -> PyResult<Status> {
    Status::from_slug(slug).ok_or_else(|| refused(py, "status", Code::Invalid))
}

/// A whole number; one that the core's type cannot hold is refused as the field's.
pub fn number<'py, T>(field: &str, value: &Bound<'py, PyAny>) -> PyResult<T>
where
    T: for<'a> FromPyObject<'a, 'py, Error = PyErr>,
{
    let py = value.py();
    value.extract().map_err(|error: PyErr| {
        let too_large = error.is_instance_of::<PyOverflowError>(py);
        if too_large { refused(py, field, Code::OutOfRange) } else { error }
    })
}

/// The version that a record is expected to have.
pub struct Version(pub u64);

impl<'a, 'py> FromPyObject<'a, 'py> for Version {
    type Error = PyErr;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        number("version", &value).map(Self)
    }
}

/// How many rows to give. A number that no core could take is left for it to refuse.
pub fn limit(value: &Bound<'_, PyAny>) -> PyResult<u32> {
    let limit: i64 = number("limit", value)?;
    Ok(u32::try_from(limit).unwrap_or(if limit < 0 { 0 } else { u32::MAX }))
}

/// Text as typed: the one way in for what is kept or looked for. Python's may hold a lone
/// surrogate, which is half a character and no text. Python's own error would show the whole
/// input, and that may be a password.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub struct Text(Option<String>);

impl Text {
    /// The text of a form's field; what is none is empty, and the form notes that.
    pub fn noted(self, field: &str, no_text: &mut BTreeSet<String>) -> String {
        self.0.unwrap_or_else(|| {
            no_text.insert(field.to_owned());
            String::new()
        })
    }

    /// The text of an argument; what is none is refused as `invalid`.
    pub fn of(self, py: Python<'_>, field: &str) -> PyResult<String> {
        self.0.ok_or_else(|| no_text(py, [field.to_owned()]))
    }

    /// The text, where there is one.
    pub fn ok(self) -> Option<String> {
        self.0
    }
}

impl Default for Text {
    fn default() -> Self {
        Self(Some(String::new()))
    }
}

impl<'a, 'py> FromPyObject<'a, 'py> for Text {
    type Error = PyErr;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        Ok(Self(value.cast::<PyString>()?.to_cow().ok().map(Cow::into_owned)))
    }
}

/// Text that is only compared with what the core knows: there a lone surrogate makes it differ.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub struct Typed(pub String);

impl<'a, 'py> FromPyObject<'a, 'py> for Typed {
    type Error = PyErr;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        Ok(Self(value.cast::<PyString>()?.to_string_lossy().into_owned()))
    }
}

/// A list. pyo3's own would make room first for as many items as its length says, and that may be
/// any number.
pub struct Listed<T>(pub Vec<T>);

impl<'a, 'py, T> FromPyObject<'a, 'py> for Listed<T>
where
    T: for<'b> FromPyObject<'b, 'py>,
{
    type Error = PyErr;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if value.is_instance_of::<PyString>() {
            return Err(PyTypeError::new_err("a list of texts was expected, not one text"));
        }
        let mut items = Vec::new();
        for item in value.cast::<PySequence>()?.try_iter()? {
            items.push(item?.extract().map_err(Into::into)?);
        }
        Ok(Self(items))
    }
}

/// A value by its name in a mapping, or by its attribute of any other object.
pub fn member<'py>(of: &Bound<'py, PyAny>, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
    match of.cast::<PyDict>() {
        Ok(mapping) => mapping.get_item(name),
        Err(_) => of.getattr_opt(name),
    }
}

/// Refuses names that mean nothing, as a Python function does.
pub fn only(given: &Bound<'_, PyDict>, known: &[&str]) -> PyResult<()> {
    for name in given.keys() {
        let Typed(name) = name.extract()?;
        if !known.contains(&name.as_str()) {
            return Err(PyTypeError::new_err(format!("unexpected name '{name}'")));
        }
    }
    Ok(())
}

/// Every country of the telephone numbering plan, by code: for a form's drop-down.
#[pyfunction]
pub fn phone_countries(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    answer(py, &py.detach(partnerkit::phone_countries))
}

/// A phone number as people of its country write it. Raises ValidationError with `phone` for
/// what is no international number.
#[pyfunction]
pub fn national_format(py: Python<'_>, phone: Typed) -> PyResult<String> {
    let format = || Phone::parse(&phone.0, None).map(|phone| phone.national_format());
    let refused = |refusal: partnerkit::Refusal| validation(py, refusal.of("phone").into());
    // Without Python's lock: it may wait for a thread that is about to fork.
    py.detach(format).map_err(refused)
}

/// Every code of a refused field, with its English text: for translations.
#[pyfunction]
pub fn field_codes(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    let codes = Code::ALL.iter().map(|code| CodeRecord { slug: code.slug(), text: code.text() });
    answer(py, &codes.collect::<Vec<_>>())
}

#[derive(Serialize)]
#[serde(rename = "Code")]
struct CodeRecord {
    slug: &'static str,
    text: &'static str,
}
