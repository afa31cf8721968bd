//! A handle of the core's that a Python object holds.

use std::ops::Deref;

use pyo3::Python;

/// Dropped without Python's lock: the last one closes a store, which may wait for another process,
/// or for a thread that is about to fork and needs the lock to go on.
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
        // Where there is no interpreter any more, the closure is dropped with what it holds.
        let _ = Python::try_attach(|py| py.detach(|| drop(last)));
    }
}
