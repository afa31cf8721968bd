//! A handle of the core in a Python object.

use std::ops::Deref;

use pyo3::Python;

/// It is dropped without holding the GIL: dropping the last handle closes the store, which may wait
/// for another process, or for a thread that is about to fork and needs the GIL to continue.
pub struct Handle<T: Send>(Option<T>);

impl<T: Send> From<T> for Handle<T> {
    fn from(handle: T) -> Self {
        Self(Some(handle))
    }
}

impl<T: Send> Deref for Handle<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect("there until it is dropped")
    }
}

impl<T: Send> Drop for Handle<T> {
    fn drop(&mut self) {
        let last = self.0.take();
        // If there is no interpreter any more, dropping the closure drops the handle.
        let _ = Python::try_attach(|py| py.detach(|| drop(last)));
    }
}

/// On which threads a platform and its agencies may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threads {
    Any,
    /// On the thread whose transactions the storage joins: on another one it would write beside
    /// them.
    Callers,
}
