//! Where no lock belongs to an open file: a database cannot be held against another copy of SQLite
//! in the same process.

use std::path::Path;
use std::process;

use rusqlite::Connection;

use super::connection::{look, open_writer};
use crate::error::Result;

/// That nothing is held.
pub(super) struct Hold {
    process: u32,
}

impl Hold {
    /// Holds nothing of what is a database.
    pub fn of(database: &Path) -> Result<Option<Self>> {
        look(&open_writer(database)?)?;
        Ok(Some(Self { process: process::id() }))
    }

    /// Whether this process has it, or a parent.
    pub fn is_here(&self) -> bool {
        self.process == process::id()
    }

    /// Nothing can be forbidden.
    pub fn recovery(&self) -> Result<Recovery> {
        Ok(Recovery)
    }
}

/// What SQLite does as it does it.
pub(super) struct Recovery;

impl Recovery {
    /// Forbids nothing.
    pub fn forbid(&self) -> Result<()> {
        Ok(())
    }

    /// Allows what was allowed.
    pub fn allow(&self) {}

    /// Looks at the database for the first time.
    pub fn settle(&self, _: &Hold, connection: &Connection) -> Result<()> {
        look(connection)
    }
}

/// That there is nothing to close.
pub(super) struct Swept;
