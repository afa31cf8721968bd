//! Errors of the core as Python exceptions, and the one way in which the core is called.

use std::any::Any;
use std::cell::RefCell;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use partnerkit::{Code, Error, ErrorKind, FieldError, FieldErrors};
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyType};
use serde::Serialize;

use crate::answer::answer;
use crate::class::{class, imported};

thread_local! {
    /// The exception that a storage written in Python raised during the call on this thread,
    /// because the core's error cannot hold it.
    static RAISED: RefCell<Option<PyErr>> = const { RefCell::new(None) };
}

/// Calls the core while other Python threads run.
pub fn call<T: Send>(
    py: Python<'_>,
    work: impl FnOnce() -> partnerkit::Result<T> + Send,
) -> PyResult<T> {
    // If a storage calls the library itself, the inner call must not change the exception of the
    // outer one.
    let outer = RAISED.take();
    let result = py.detach(|| catch_unwind(AssertUnwindSafe(work)));
    let raised = RAISED.replace(outer);
    if let Some(interrupt) = raised.as_ref().filter(|raised| is_interrupt(py, raised)) {
        return Err(interrupt.clone_ref(py));
    }
    match result {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(exception(py, &error, raised)),
        Err(panic) => Err(internal(py, &panic_text(&*panic))),
    }
}

/// Whether it is `KeyboardInterrupt`, `SystemExit` or the like, which nothing here may handle.
fn is_interrupt(py: Python<'_>, raised: &PyErr) -> bool {
    !raised.is_instance_of::<PyException>(py)
}

/// Forgets the exception that an earlier try of the call has raised, because a new transaction
/// begins.
pub fn forget_raised(py: Python<'_>) {
    RAISED.with_borrow_mut(|raised| {
        if raised.as_ref().is_some_and(|raised| !is_interrupt(py, raised)) {
            *raised = None;
        }
    });
}

/// Converts the exception of a storage written in Python into the core's error, and keeps the
/// exception for the caller. Only the first one is kept, because later failures are its
/// consequences.
pub fn from_storage(py: Python<'_>, raised: PyErr) -> Error {
    let is = |class: PyResult<&Bound<'_, PyType>>| {
        class.is_ok_and(|class| raised.is_instance(py, class))
    };
    let error = if is(class!(py, errors::AbortedError)) {
        Error::aborted("the host's storage raised AbortedError")
    } else if is(class!(py, errors::InsideTransactionError)) {
        Error::inside_transaction()
    } else if is(class!(py, errors::OutcomeUnknownError)) {
        Error::outcome_unknown("the host's storage raised OutcomeUnknownError")
    } else if is(class!(py, errors::ConfigurationError)) {
        Error::configuration(raised.value(py))
    } else {
        let name = raised.get_type(py).name().map(|name| name.to_string());
        let name = name.unwrap_or_else(|_| "an exception".to_owned());
        Error::storage(format_args!("the host's storage raised {name}"))
    };
    RAISED.with_borrow_mut(|slot| {
        slot.get_or_insert(raised);
    });
    error
}

/// The exception for one refused field whose value the core's type cannot hold.
pub fn refused(py: Python<'_>, field: &str, code: Code) -> PyErr {
    exception(py, &FieldErrors::from(FieldError::new(field, code)).into(), None)
}

/// The exception for a record that does not exist.
pub fn not_found(py: Python<'_>, what: &str) -> PyErr {
    build(py, ErrorKind::NotFound.slug(), &format!("no such {what}"), no_fields(py), (None, None))
}

/// The exception for settings that cannot work.
pub fn configuration(py: Python<'_>, message: &str) -> PyErr {
    build(py, ErrorKind::Configuration.slug(), message, no_fields(py), (None, None))
}

fn internal(py: Python<'_>, message: &str) -> PyErr {
    build(py, "internal", message, no_fields(py), (None, None))
}

/// The exception for an error of the core.
pub fn exception(py: Python<'_>, error: &Error, raised: Option<PyErr>) -> PyErr {
    let kind = error.kind();
    let built = answer(py, error.fields()).map(|fields| {
        let wait = error.retry_after().map(|wait| wait.as_secs_f64());
        let details = (error.current_version(), wait);
        build(py, kind.slug(), &error.to_string(), fields, details)
    });
    let exception = built.unwrap_or_else(|failed| failed);
    let of_storage = matches!(
        kind,
        ErrorKind::Storage
            | ErrorKind::Aborted
            | ErrorKind::OutcomeUnknown
            | ErrorKind::InsideTransaction
            | ErrorKind::Configuration
    );
    if of_storage && raised.is_some() {
        exception.set_cause(py, raised);
    }
    exception
}

/// The exception for refused fields, which is not raised here.
pub fn validation(py: Python<'_>, errors: FieldErrors) -> PyErr {
    exception(py, &errors.into(), None)
}

/// For each of several forms a record or an exception, which is not raised.
pub fn answers<'py, T: Serialize>(
    py: Python<'py>,
    answers: Vec<Result<T, FieldErrors>>,
) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let of_form = |of_form| match of_form {
        Ok(made) => answer(py, &made),
        Err(errors) => Ok(validation(py, errors).into_value(py).into_bound(py).into_any()),
    };
    answers.into_iter().map(of_form).collect()
}

fn no_fields(py: Python<'_>) -> Bound<'_, PyAny> {
    PyList::empty(py).into_any()
}

fn build(
    py: Python<'_>,
    kind: &str,
    message: &str,
    fields: Bound<'_, PyAny>,
    (current_version, retry_after): (Option<u64>, Option<f64>),
) -> PyErr {
    let built = imported!(py, "partnerkit.errors", "_from_core")
        .and_then(|build| build.call1((kind, message, fields, current_version, retry_after)));
    built.map_or_else(|failed| failed, PyErr::from_value)
}

/// The HTTP status of each kind of error.
#[pyfunction]
pub fn http_statuses() -> HashMap<&'static str, u16> {
    ErrorKind::ALL.iter().map(|kind| (kind.slug(), kind.http_status())).collect()
}

/// The message of a panic.
pub fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned())
}
