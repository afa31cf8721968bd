//! The write-ahead log: kept short, and emptied when something was deleted for good.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;

use super::connection::BUSY;
use super::failure::storage_error;
use crate::error::Result;
use crate::storage::Erasure;

/// How many pages the log gets before they are moved into the database. A page that is written
/// often is moved once for all of its versions in between.
const CHECKPOINT_PAGES: u32 = 4_000;
/// How many bytes of the file are kept when the log begins anew.
const KEPT: u32 = 32 << 20;
/// From this length on readers are waited for, so that the log can begin anew.
const LONG: u64 = 2 * KEPT as u64;
/// How long at most. Readers are short; one that is not keeps the log growing, not the writers
/// waiting.
const PATIENCE: Duration = Duration::from_millis(30);
/// After how many more rows the length is looked at again.
const LOOK_AFTER: u64 = 256;
/// After how many more bytes they are waited for again.
const AGAIN: u64 = KEPT as u64 / 2;

pub(super) struct Log {
    path: PathBuf,
    /// At which length to try again.
    due: Cell<u64>,
    /// How many rows had been written when the length was looked at: looking costs a tenth of a
    /// small commit.
    looked_at: Cell<u64>,
}

impl Log {
    /// That of a database, which this connection writes.
    pub fn of(database: &Path, writer: &Connection) -> Result<Self> {
        let set = |name, value: u32| writer.pragma_update(None, name, value);
        set("wal_autocheckpoint", CHECKPOINT_PAGES).map_err(storage_error)?;
        set("journal_size_limit", KEPT).map_err(storage_error)?;
        let mut path = database.as_os_str().to_owned();
        path.push("-wal");
        Ok(Self { path: path.into(), due: Cell::new(LONG), looked_at: Cell::new(0) })
    }

    /// SQLite moves pages into the database as it goes, but begins the log anew only when no
    /// reader needs it: with a reader at any moment that is never. Called after each commit.
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
        // A failure is no caller's: the commit stands, and the next one tries again.
        let restarted = checkpoint(writer, "RESTART", PATIENCE);
        self.due.set(if matches!(restarted, Ok(Erasure::Complete)) {
            LONG
        } else {
            length + AGAIN
        });
    }

    /// Moves everything into the database and cuts the log off, unless a reader still needs it:
    /// nobody waits for that one.
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
