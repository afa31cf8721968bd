//! Where no lock belongs to an open file: a database cannot be held against another copy of SQLite
//! in the same process.

use std::path::Path;
use std::process;

use crate::error::Result;

/// That nothing is held.
pub(super) struct Hold {
    process: u32,
}

/// When it is not.
pub(super) enum When {
    Before,
    After,
}

impl Hold {
    /// Holds nothing.
    pub fn of(_: &Path, _: When) -> Result<Option<Self>> {
        Ok(Some(Self { process: process::id() }))
    }

    /// Whether this process has it, or a parent.
    pub fn is_here(&self) -> bool {
        self.process == process::id()
    }
}

/// That there is nothing to close.
pub(super) struct Swept;
