//! A handle of the core in an object of JavaScript.

use std::ops::Deref;

use crate::pool::{BRIEF, Key};

/// It is dropped on a thread of ours: dropping the last handle closes the store, which may wait for
/// another process, and the event loop must not.
pub struct Handle<T: Send + 'static>(Option<T>);

/// Nobody cancels it.
const DROPPING: Key = (0, 0);

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
        // If there is no thread for it, dropping the closure drops the handle.
        drop(BRIEF.run(DROPPING, Box::new(move || drop(last))));
        // Perhaps no call begins any more that would do it.
        BRIEF.go();
    }
}
