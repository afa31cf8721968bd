//! The functions that Python calls around each `fork`, so that no thread is interrupted in the
//! core.

use std::cell::RefCell;

use partnerkit::Forking;
use pyo3::prelude::*;

thread_local! {
    /// Held by a thread that forks.
    static FORKING: RefCell<Option<Forking>> = const { RefCell::new(None) };
}

/// Waits until no thread does work that a fork must not interrupt, and lets none start such work.
#[pyfunction]
pub fn before_fork(py: Python<'_>) {
    py.detach(|| FORKING.set(Some(partnerkit::before_fork())));
}

/// Lets all threads continue, in the parent and in the child.
#[pyfunction]
pub fn after_fork() {
    drop(FORKING.take());
}
