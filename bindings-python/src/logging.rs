//! Passes the core's spans to Python's logging: each call is a log record (S53).

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// The fields of a call.
#[derive(Default)]
struct Call(Vec<(&'static str, String)>);

impl Visit for Call {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.push((field.name(), format!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.push((field.name(), value.to_owned()));
    }
}

struct Logging {
    logger: Py<PyAny>,
    level: i32,
    newest: AtomicU64,
}

thread_local! {
    /// The calls that run on this thread; each ends on the thread on which it began. They need no
    /// lock, which a child of `fork` might inherit while it is held.
    static CALLS: RefCell<HashMap<u64, Call>> = RefCell::default();
}

impl Logging {
    /// Writes a readable log record, with each field also as an attribute.
    fn log(&self, py: Python<'_>, Call(fields): Call) -> PyResult<()> {
        let extra = PyDict::new(py);
        let mut text = String::new();
        for (name, value) in &fields {
            let separator = if text.is_empty() { "" } else { " " };
            text += &format!("{separator}{name}={value}");
            extra.set_item(format!("partnerkit_{name}"), value)?;
        }
        let named = PyDict::new(py);
        named.set_item("extra", extra)?;
        self.logger.bind(py).call_method("log", (self.level, "%s", text), Some(&named))?;
        Ok(())
    }
}

impl Subscriber for Logging {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_span() && metadata.target() == "partnerkit"
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let id = self.newest.fetch_add(1, Ordering::Relaxed) + 1;
        let mut call = Call::default();
        span.record(&mut call);
        CALLS.with_borrow_mut(|calls| calls.insert(id, call));
        Id::from_u64(id)
    }

    fn record(&self, id: &Id, values: &Record<'_>) {
        CALLS.with_borrow_mut(|calls| {
            if let Some(call) = calls.get_mut(&id.into_u64()) {
                values.record(call);
            }
        });
    }

    fn try_close(&self, id: Id) -> bool {
        if let Some(call) = CALLS.with_borrow_mut(|calls| calls.remove(&id.into_u64())) {
            // An error in logging must not make the call fail.
            drop(Python::attach(|py| self.log(py, call)));
        }
        true
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// From now on logs every call to the logger `partnerkit`, with operation, agency, reseller,
/// outcome and microseconds, but never a name, an address or a secret. Raises RuntimeError if it
/// was called before.
///
/// ```python
/// import logging
///
/// logging.basicConfig(level=logging.DEBUG)
/// partnerkit.log_calls()
/// agency.overview()  # DEBUG:partnerkit:operation=overview agency=northwind …
/// ```
#[pyfunction]
#[pyo3(signature = (level=10))]
pub fn log_calls(py: Python<'_>, level: i32) -> PyResult<()> {
    let logger = py.import("logging")?.call_method1("getLogger", ("partnerkit",))?.unbind();
    let logging = Logging { logger, level, newest: AtomicU64::new(0) };
    tracing::subscriber::set_global_default(logging)
        .map_err(|_| PyRuntimeError::new_err("calls are logged already"))
}
