//! What Python does around each `fork`: the core keeps still meanwhile.

use std::cell::RefCell;

use partnerkit::Forking;
use pyo3::prelude::*;

thread_local! {
    /// Held by a thread that forks.
    static FORKING: RefCell<Option<Forking>> = const { RefCell::new(None) };
}

/// Waits until no thread is where a fork would harm the child, and lets none go there.
#[pyfunction]
pub fn before_fork(py: Python<'_>) {
    py.detach(|| FORKING.set(Some(partnerkit::before_fork())));
}

/// Lets all go on, in the parent and in the child.
#[pyfunction]
pub fn after_fork() {
    drop(FORKING.take());
}
