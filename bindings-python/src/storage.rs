//! A storage written in Python, as the core's `TableStore`.
//!
//! Everything runs on the caller's thread, inside a transaction that the host has open there, if
//! any.

use partnerkit::storage::host::{Mode, TableStore, TableTransaction};
use partnerkit::storage::{Answer, Ask, Erasure, Rows, Scope, Tell};
use partnerkit::{AgencyId, Result};
use pyo3::prelude::*;

use crate::class::class;
use crate::error::{forget_raised, from_storage};
use crate::rows::Attached;

/// Runs Python code for the core.
fn python<T>(work: impl FnOnce(Python<'_>) -> PyResult<T>) -> Result<T> {
    Python::attach(|py| work(py).map_err(|raised| from_storage(py, raised)))
}

/// A `partnerkit.storage.TableStore`.
pub struct PythonStore(Py<PyAny>);

impl PythonStore {
    pub fn new(store: Py<PyAny>) -> Self {
        Self(store)
    }
}

impl TableStore for PythonStore {
    fn schema_version(&self) -> Result<u32> {
        python(|py| self.0.call_method0(py, "schema_version")?.extract(py))
    }

    fn begin(&self, agency: &AgencyId, mode: Mode) -> Result<Box<dyn TableTransaction + '_>> {
        python(|py| {
            forget_raised(py);
            let mode = class!(py, storage::Mode)?.call1((mode_slug(mode),))?;
            let begun = self.0.call_method1(py, "begin", (agency.as_str(), mode))?;
            Ok(Box::new(PythonTransaction(begun)) as _)
        })
    }

    fn scrub(&self) -> Result<Erasure> {
        python(|py| {
            let complete = self.0.call_method0(py, "scrub")?.is_truthy(py)?;
            Ok(if complete { Erasure::Complete } else { Erasure::Pending })
        })
    }

    /// If this raises an exception, `begin` will fail, too, and report it.
    fn joined(&self) -> bool {
        python(|py| self.0.call_method0(py, "joined")?.is_truthy(py)).unwrap_or(false)
    }
}

fn mode_slug(mode: Mode) -> &'static str {
    match mode {
        Mode::Read => "read",
        Mode::Beside => "beside",
        Mode::Write(Scope::Own) => "own",
        Mode::Write(Scope::Join) => "join",
    }
}

/// A `partnerkit.storage.TableTransaction`.
struct PythonTransaction(Py<PyAny>);

impl Rows for PythonTransaction {
    fn ask(&mut self, questions: Vec<Ask>, answers: &mut Vec<Answer>) -> Result<()> {
        Python::attach(|py| Attached(self.0.bind(py)).ask(questions, answers))
    }

    fn tell(&mut self, writes: Vec<Tell>) -> Result<()> {
        Python::attach(|py| Attached(self.0.bind(py)).tell(writes))
    }
}

impl TableTransaction for PythonTransaction {
    fn commit(self: Box<Self>) -> Result<()> {
        python(|py| self.0.call_method0(py, "commit").map(drop))
    }

    fn rollback(self: Box<Self>) -> Result<()> {
        python(|py| self.0.call_method0(py, "rollback").map(drop))
    }
}
