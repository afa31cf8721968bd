//! The iterator over a search.

use std::process;
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use partnerkit::{Agency, Reseller, ResellerQuery, Resellers};
use pyo3::prelude::*;

use crate::answer::answer;
use crate::error::call;
use crate::handle::Handle;

/// The resellers that a search finds, page by page.
#[pyclass(frozen, module = "partnerkit")]
pub struct Search {
    /// The process that began the search.
    process: u32,
    resellers: Handle<Mutex<Resellers>>,
}

#[pymethods]
impl Search {
    fn __iter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let found = call(py, || self.next())?;
        found.map(|found| answer(py, &found)).transpose()
    }
}

impl Search {
    pub fn new(agency: &Agency, query: ResellerQuery) -> Self {
        Self { process: process::id(), resellers: Mutex::new(agency.search(query)).into() }
    }

    /// The next reseller. Another thread that asks meanwhile waits, and gets another reseller.
    fn next(&self) -> partnerkit::Result<Option<Reseller>> {
        self.lock()?.next().transpose()
    }

    /// Fails in a child process, where a lock that a thread of the parent held would never be
    /// released.
    fn lock(&self) -> partnerkit::Result<MutexGuard<'_, Resellers>> {
        if self.process == process::id() {
            return Ok(self.resellers.lock().unwrap_or_else(PoisonError::into_inner));
        }
        match self.resellers.try_lock() {
            Ok(resellers) => Ok(resellers),
            Err(TryLockError::Poisoned(resellers)) => Ok(resellers.into_inner()),
            Err(TryLockError::WouldBlock) => Err(partnerkit::Error::storage(
                "another thread was reading this search when the process forked",
            )),
        }
    }
}
