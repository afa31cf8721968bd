//! The write-ahead log: keeping it short, and emptying it when data was deleted permanently.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;

use super::connection::BUSY;
use super::failure::storage_error;
use super::options::SqliteOptions;
use crate::error::Result;
use crate::storage::Erasure;

/// How many bytes a page takes in the log.
const PAGE: u64 = 4_096 + 24;
/// How long the writer waits at most. Readers are short; a long one lets the log grow, but does not
/// block writers.
const PATIENCE: Duration = Duration::from_millis(30);
/// After how many written rows the length is checked again.
const LOOK_AFTER: u64 = 256;

pub(super) struct Log {
    path: PathBuf,
    /// How many bytes the file keeps when the log restarts from its beginning.
    kept: u64,
    /// The length at which to try again.
    due: Cell<u64>,
    /// How many rows had been written at the last check of the length, which costs a tenth of a
    /// small commit.
    looked_at: Cell<u64>,
}

impl Log {
    /// The log of a database that this connection writes.
    pub fn of(database: &Path, writer: &Connection, options: SqliteOptions) -> Result<Self> {
        let set = |name, value: i64| writer.pragma_update(None, name, value);
        // With this number of pages the log is moved into the database (checkpoint).
        let pages = (options.checkpoint / PAGE).clamp(1, i32::MAX as u64);
        set("wal_autocheckpoint", pages as i64).map_err(storage_error)?;
        let kept = pages * PAGE;
        set("journal_size_limit", kept as i64).map_err(storage_error)?;
        let mut path = database.as_os_str().to_owned();
        path.push("-wal");
        let (due, looked_at) = (Cell::new(long(kept)), Cell::new(0));
        Ok(Self { path: path.into(), kept, due, looked_at })
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
            long(self.kept)
        } else {
            length + self.kept / 2
        });
    }

    /// Moves everything into the database and truncates the log, unless a reader still needs it; it
    /// does not wait for the reader.
    pub fn empty(&self, writer: &Connection) -> Result<Erasure> {
        checkpoint(writer, "TRUNCATE", Duration::ZERO)
    }
}

/// From which length on the writer waits for readers, so that the log can restart.
fn long(kept: u64) -> u64 {
    2 * kept
}

fn checkpoint(writer: &Connection, mode: &str, patience: Duration) -> Result<Erasure> {
    writer.busy_timeout(patience).map_err(storage_error)?;
    let busy = |row: &rusqlite::Row<'_>| row.get::<_, bool>(0);
    let done = writer.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], busy);
    writer.busy_timeout(BUSY).map_err(storage_error)?;
    Ok(if done.map_err(storage_error)? { Erasure::Pending } else { Erasure::Complete })
}
