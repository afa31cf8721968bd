//! Instants: aware `datetime`s in UTC.

use jiff::SignedDuration;
use jiff::civil::date;
use partnerkit::Timestamp;
use pyo3::exceptions::{PyOverflowError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDelta, PyDeltaAccess};

use crate::class::{imported, once};

const DAY: i64 = 86_400_000;

fn epoch(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static EPOCH: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let make = || instant(py, Timestamp::from_millis(0)).map(Bound::unbind);
    once(py, &EPOCH, make).map(|epoch| epoch.bind(py))
}

/// An aware `datetime` in UTC. It is made from the ten bytes of a pickle, a format that every
/// release of Python has to read, at a third of the cost of making it from seven numbers.
pub fn instant(py: Python<'_>, at: Timestamp) -> PyResult<Bound<'_, PyAny>> {
    let out_of_range = || PyOverflowError::new_err("an instant lies outside datetime's range");
    let bytes = PyBytes::new(py, &pickled(at).ok_or_else(out_of_range)?);
    imported!(py, "datetime", "datetime")?.call1((bytes, imported!(py, "datetime", "UTC")?))
}

/// The pickled year, month, day, hour, minute, second and microsecond of a `datetime`; `None` if
/// they are out of its range.
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
