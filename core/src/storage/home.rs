//! The process a store was opened in. Connections, locks and threads do not cross `fork`: a child
//! that used its parent's would corrupt files, or wait for ever.

use std::process;

use crate::error::{Error, Result};

/// Something that only the process that made it uses, and only that one ends.
pub(crate) struct Home<T> {
    process: u32,
    /// None only while it is dropped.
    kept: Option<T>,
}

impl<T> Home<T> {
    pub fn of(kept: T) -> Self {
        Self { process: process::id(), kept: Some(kept) }
    }

    /// What is kept here.
    ///
    /// Errors: `Storage` in a child process.
    pub fn get(&self) -> Result<&T> {
        self.kept.as_ref().filter(|_| self.is_here()).ok_or_else(|| {
            Error::storage("opened before `fork`; a child process opens a platform of its own")
        })
    }

    fn is_here(&self) -> bool {
        self.process == process::id()
    }
}

impl<T> Drop for Home<T> {
    fn drop(&mut self) {
        if !self.is_here() {
            // Even closing a connection would reach into the parent's.
            std::mem::forget(self.kept.take());
        }
    }
}
