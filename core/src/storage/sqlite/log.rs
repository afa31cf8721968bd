//! The write-ahead log: keeping it short, and emptying it when data was deleted permanently.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;

use super::connection::BUSY;
use super::failure::storage_error;
use crate::error::Result;
use crate::storage::Erasure;

/// The number of pages in the log at which they are moved into the database (checkpoint). Of a page
/// that is written often, only the newest version is moved.
const CHECKPOINT_PAGES: u32 = 4_000;
/// How many bytes the file keeps when the log restarts from its beginning.
const KEPT: u32 = 32 << 20;
/// From this length on, the writer waits for readers, so that the log can restart.
const LONG: u64 = 2 * KEPT as u64;
/// How long the writer waits at most. Readers are short; a long one lets the log grow, but does not
/// block writers.
const PATIENCE: Duration = Duration::from_millis(30);
/// After how many written rows the length is checked again.
const LOOK_AFTER: u64 = 256;
/// After how many more bytes the writer waits for readers again.
const AGAIN: u64 = KEPT as u64 / 2;

pub(super) struct Log {
    path: PathBuf,
    /// The length at which to try again.
    due: Cell<u64>,
    /// How many rows had been written at the last check of the length, which costs a tenth of a
    /// small commit.
    looked_at: Cell<u64>,
}

impl Log {
    /// The log of a database that this connection writes.
    pub fn of(database: &Path, writer: &Connection) -> Result<Self> {
        let set = |name, value: u32| writer.pragma_update(None, name, value);
        set("wal_autocheckpoint", CHECKPOINT_PAGES).map_err(storage_error)?;
        set("journal_size_limit", KEPT).map_err(storage_error)?;
        let mut path = database.as_os_str().to_owned();
        path.push("-wal");
        Ok(Self { path: path.into(), due: Cell::new(LONG), looked_at: Cell::new(0) })
    }

    /// Restarts the log if it is long; called after each commit. SQLite moves pages into the
    /// database on its own, but restarts the log only when no reader needs it, which never happens
    /// if there is always a reader.
    pub fn keep_short(&self, writer: &Connection) {
        let written = writer.total_changes();
        if written < self.looked_at.get() + LOOK_AFTER {
            return;
        }
        self.looked_at.set(written);
        let length = fs::metadata(&self.path).map_or(0, |file| file.len());
        if length < self.due.get() {
            return;
        }
        // A failure does not concern the caller: the commit stands, and the next commit tries
        // again.
        let restarted = checkpoint(writer, "RESTART", PATIENCE);
        self.due.set(if matches!(restarted, Ok(Erasure::Complete)) {
            LONG
        } else {
            length + AGAIN
        });
    }

    /// Moves everything into the database and truncates the log, unless a reader still needs it; it
    /// does not wait for the reader.
    pub fn empty(&self, writer: &Connection) -> Result<Erasure> {
        checkpoint(writer, "TRUNCATE", Duration::ZERO)
    }
}

fn checkpoint(writer: &Connection, mode: &str, patience: Duration) -> Result<Erasure> {
    writer.busy_timeout(patience).map_err(storage_error)?;
    let busy = |row: &rusqlite::Row<'_>| row.get::<_, bool>(0);
    let done = writer.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], busy);
    writer.busy_timeout(BUSY).map_err(storage_error)?;
    Ok(if done.map_err(storage_error)? { Erasure::Pending } else { Erasure::Complete })
}
