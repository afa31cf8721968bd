//! Usage events into the core's.

use partnerkit::{EventDraft, Given};
use pyo3::exceptions::{PyOverflowError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBool;
use uuid::Uuid;

use crate::value::{Text, timestamp};

/// An event as a host reports it: a `UsageEvent`, or any object with its attributes. What an
/// attribute holds is the core's to judge; an object without them is no event.
pub fn event(event: &Bound<'_, PyAny>) -> PyResult<EventDraft> {
    let attribute = |name: &str| {
        let missing = || PyTypeError::new_err(format!("an event has an attribute '{name}'"));
        event.getattr_opt(name)?.ok_or_else(missing)
    };
    Ok(EventDraft {
        id: given_text(&attribute("id")?),
        reseller: given_id(&attribute("reseller")?),
        metric: given_text(&attribute("metric")?),
        quantity: given_whole(&attribute("quantity")?)?,
        at: given_instant(&attribute("at")?)?,
    })
}

fn given_text(value: &Bound<'_, PyAny>) -> Given {
    if value.is_none() {
        return Given::Nothing;
    }
    value.extract::<Text>().ok().and_then(Text::ok).map_or(Given::Other, Given::Text)
}

fn given_id(value: &Bound<'_, PyAny>) -> Given {
    value.extract::<Uuid>().map_or_else(|_| given_text(value), |id| Given::Text(id.to_string()))
}

/// Whatever Python takes for an index is a whole number, but for its truth values.
fn given_whole(value: &Bound<'_, PyAny>) -> PyResult<Given> {
    if value.is_none() {
        return Ok(Given::Nothing);
    }
    if value.is_instance_of::<PyBool>() {
        return Ok(Given::Other);
    }
    let py = value.py();
    let whole = match value.extract::<i64>() {
        Err(error) if error.is_instance_of::<PyOverflowError>(py) => {
            value.lt(0).map(|negative| if negative { i128::MIN } else { i128::MAX })
        }
        extracted => extracted.map(i128::from),
    };
    whole.map(Given::Whole).or_else(|error| other(py, error))
}

fn given_instant(value: &Bound<'_, PyAny>) -> PyResult<Given> {
    if value.is_none() {
        return Ok(Given::Nothing);
    }
    match timestamp(value) {
        Ok(at) => Ok(Given::Whole(at.as_millis().into())),
        Err(error) => other(value.py(), error),
    }
}

/// What Python raises for a value that is none of the type; anything else is the host's own.
fn other(py: Python<'_>, error: PyErr) -> PyResult<Given> {
    let of_value = error.is_instance_of::<PyTypeError>(py)
        || error.is_instance_of::<PyValueError>(py)
        || error.is_instance_of::<PyOverflowError>(py);
    if of_value { Ok(Given::Other) } else { Err(error) }
}
