//! Single values: instants, countries, codes; and what settings are given as.

use jiff::SignedDuration;
use jiff::civil::date;
use partnerkit::{Code, Phone, Timestamp};
use pyo3::exceptions::{PyOverflowError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDelta, PyDeltaAccess, PyDict, PySequence, PyString};
use serde::Serialize;

use crate::answer::answer;
use crate::class::imported;
use crate::error::validation;
use crate::given::argument;

const DAY: i64 = 86_400_000;

fn epoch(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    imported!(py, "partnerkit.records", "EPOCH")
}

/// An aware `datetime` in UTC. It is made as from a pickle, which every release of Python has to
/// read: from ten bytes, at a third of the cost of seven numbers.
pub fn instant(py: Python<'_>, at: Timestamp) -> PyResult<Bound<'_, PyAny>> {
    let out_of_range = || PyOverflowError::new_err("an instant lies outside datetime's range");
    let bytes = PyBytes::new(py, &pickled(at).ok_or_else(out_of_range)?);
    imported!(py, "datetime", "datetime")?.call1((bytes, imported!(py, "datetime", "UTC")?))
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

/// Refuses names that mean nothing, as a Python function does.
pub fn only(given: &Bound<'_, PyDict>, known: &[&str]) -> PyResult<()> {
    for name in given.keys() {
        let name = name.cast::<PyString>()?.to_string_lossy().into_owned();
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
pub fn national_format(py: Python<'_>, phone: &Bound<'_, PyAny>) -> PyResult<String> {
    let phone: String = argument("phone", phone)?;
    let format = || Phone::parse(&phone, None).map(|phone| phone.national_format());
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
