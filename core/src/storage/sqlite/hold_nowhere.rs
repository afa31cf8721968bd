//! For systems without locks of open file descriptions: there a database cannot be held against
//! another copy of SQLite in the same process.

use std::path::Path;
use std::process;

use rusqlite::Connection;

use super::connection::{look, open_writer};
use crate::error::Result;

/// Stands for a hold, but holds nothing.
pub(super) struct Hold {
    process: u32,
}

impl Hold {
    /// Checks that the file is a database, and holds nothing.
    pub fn of(database: &Path) -> Result<Option<Self>> {
        look(&open_writer(database)?)?;
        Ok(Some(Self { process: process::id() }))
    }

    /// Whether this process made it, not its parent.
    pub fn is_here(&self) -> bool {
        self.process == process::id()
    }

    /// A control over rebuilding the index that controls nothing.
    pub fn recovery(&self) -> Result<Recovery> {
        Ok(Recovery)
    }
}

/// Leaves rebuilding the index to SQLite.
pub(super) struct Recovery;

impl Recovery {
    /// Does nothing.
    pub fn forbid(&self) -> Result<()> {
        Ok(())
    }

    /// Does nothing.
    pub fn allow(&self) {}

    /// Reads the database for the first time.
    pub fn settle(&self, _: &Hold, connection: &Connection) -> Result<()> {
        look(connection)
    }
}

/// Stands for the release of databases, of which there are none.
pub(super) struct Swept;
