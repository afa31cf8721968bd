//! The storage contract's test suite, for storages written in Python.
//!
//! The suite starts threads that Python does not know. Python forgets such a thread, with all its
//! thread-local data (for example a database connection), whenever it returns from Python code.
//! This module makes Python remember the thread until it ends, as it does with its own threads.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use partnerkit::storage::Storage;
use partnerkit::storage::conformance::{Harness, cases, run};
use partnerkit::storage::host::{Mode, TableStore, TableTransaction, Tables};
use partnerkit::{AgencyId, Result};
use pyo3::exceptions::PyAssertionError;
use pyo3::prelude::*;

use crate::error::{call, panic_text};
use crate::storage::PythonStore;

/// The names of all cases.
#[pyfunction]
pub fn conformance_cases() -> Vec<&'static str> {
    cases().iter().map(|case| case.name).collect()
}

/// Runs one case. The harness has two methods: `storage()` returns an empty TableStore, and
/// `thread_ends()` is called at the end of each thread that the case starts. Raises AssertionError
/// if the storage fails the case.
#[pyfunction]
pub fn run_conformance_case(py: Python<'_>, name: &str, harness: Py<PyAny>) -> PyResult<()> {
    let harness = PythonHarness(harness);
    let result = py.detach(|| {
        let before = remembered::set(Some(remembered::Thread::Pythons));
        let result = catch_unwind(AssertUnwindSafe(|| run(name, &harness)));
        remembered::set(before);
        result
    });
    result.map_err(|panic| PyAssertionError::new_err(panic_text(&*panic)))
}

/// Panics inside a call of the core, for tests.
#[pyfunction]
pub fn panic_for_tests(py: Python<'_>, message: String) -> PyResult<()> {
    call(py, || resume_unwind(Box::new(message)))
}

struct PythonHarness(Py<PyAny>);

impl Harness for PythonHarness {
    fn storage(&self) -> Arc<dyn Storage> {
        let store = Python::attach(|py| self.0.call_method0(py, "storage"));
        let store = store.unwrap_or_else(|error| panic!("storage() raised {error}"));
        Arc::new(Tables(RememberingStore(PythonStore::new(store))))
    }

    fn thread_ends(&self) {
        let ended = Python::attach(|py| self.0.call_method0(py, "thread_ends"));
        remembered::forget();
        ended.unwrap_or_else(|error| panic!("thread_ends() raised {error}"));
    }
}

/// A store that makes Python remember each thread before it calls Python there.
struct RememberingStore(PythonStore);

impl TableStore for RememberingStore {
    fn schema_version(&self) -> Result<u32> {
        remembered::remember();
        self.0.schema_version()
    }

    fn begin(&self, agency: &AgencyId, mode: Mode) -> Result<Box<dyn TableTransaction + '_>> {
        remembered::remember();
        self.0.begin(agency, mode)
    }

    fn joined(&self) -> bool {
        remembered::remember();
        self.0.joined()
    }
}

/// The only place with unsafe code, because `Python::attach` cannot keep a thread's state from one
/// call to the next.
#[allow(unsafe_code)]
mod remembered {
    use super::Cell;
    use pyo3::ffi;

    /// Why Python remembers a thread.
    #[derive(Clone, Copy)]
    pub enum Thread {
        /// It is a thread of Python's own.
        Pythons,
        /// We hold its state, and must release it.
        Ours(ffi::PyGILState_STATE),
    }

    thread_local! {
        static THREAD: Cell<Option<Thread>> = const { Cell::new(None) };
    }

    pub fn set(thread: Option<Thread>) -> Option<Thread> {
        THREAD.replace(thread)
    }

    /// Makes Python remember this thread, which is not attached.
    pub fn remember() {
        if THREAD.get().is_none() {
            // SAFETY: the interpreter runs, because it is waiting for the case that started this
            // thread. `PyGILState_Ensure` may be called on any thread, and leaves it attached;
            // `PyEval_SaveThread` detaches it, and keeps the state that was made.
            let before = unsafe {
                let before = ffi::PyGILState_Ensure();
                ffi::PyEval_SaveThread();
                before
            };
            set(Some(Thread::Ours(before)));
        }
    }

    /// Lets Python forget this thread, which is not attached.
    pub fn forget() {
        if let Some(Thread::Ours(before)) = set(None) {
            // SAFETY: as above. The inner pair attaches the thread with the state that is held
            // and leaves it attached, so that the outer release gives back what `remember` took.
            unsafe {
                ffi::PyGILState_Ensure();
                ffi::PyGILState_Release(ffi::PyGILState_STATE::PyGILState_LOCKED);
                ffi::PyGILState_Release(before);
            }
        }
    }
}
