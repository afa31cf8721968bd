//! The iterator over a search.

use std::collections::VecDeque;
use std::process;
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use partnerkit::{Agency, Reseller, ResellerQuery};
use pyo3::prelude::*;

use crate::answer::answer;
use crate::error::call;
use crate::handle::Handle;

/// The resellers that a search finds, page by page.
#[pyclass(frozen, module = "partnerkit")]
pub struct Search {
    agency: Handle<Agency>,
    /// The process that began the search.
    process: u32,
    place: Mutex<Place>,
}

/// The progress of a search.
struct Place {
    read: VecDeque<Reseller>,
    /// The query of the next page; `None` after the last one.
    next: Option<ResellerQuery>,
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
    pub fn new(agency: Agency, query: ResellerQuery) -> Self {
        let place = Place { read: VecDeque::new(), next: Some(query) };
        Self { agency: agency.into(), process: process::id(), place: Mutex::new(place) }
    }

    /// The next reseller. Another thread that calls this meanwhile waits, and gets a different one.
    fn next(&self) -> partnerkit::Result<Option<Reseller>> {
        let mut place = self.lock()?;
        while place.read.is_empty() {
            // After an error, the next call tries the same page again.
            let Some(query) = &place.next else { return Ok(None) };
            let page = self.agency.page(query)?;
            place.next = page.next.map(|cursor| query.clone().after(cursor));
            place.read = page.resellers.into();
        }
        Ok(place.read.pop_front())
    }

    /// Fails in a child process, where a lock that a thread of the parent held would never be
    /// released.
    fn lock(&self) -> partnerkit::Result<MutexGuard<'_, Place>> {
        if self.process == process::id() {
            return Ok(self.place.lock().unwrap_or_else(PoisonError::into_inner));
        }
        match self.place.try_lock() {
            Ok(place) => Ok(place),
            Err(TryLockError::Poisoned(place)) => Ok(place.into_inner()),
            Err(TryLockError::WouldBlock) => Err(partnerkit::Error::storage(
                "another thread was reading this search when the process forked",
            )),
        }
    }
}
