//! Control over who may rebuild the index of the log (recovery). SQLite rebuilds the index from the
//! log when it finds it unsound: at the first opening, or in the instant in which its header is
//! being written. SQLite has locks against doing so at the wrong time, but a second copy in the
//! same process does not notice them: an index that it builds from the log of a moment ago would
//! hide later commits, and the next commit would overwrite them. So nobody may rebuild the index
//! while this process writes, or while it closes a file and thereby lifts the locks of a copy that
//! is rebuilding. At the first opening we rebuild it only if there is no second copy.

use std::cell::Cell;
use std::fs::File;
use std::process;
use std::sync::Arc;
use std::thread;

use rusqlite::Connection;

use super::super::connection::{Look, look, look_at_once};
use super::Hold;
use super::bytes::{Lock, PAUSE, RECOVERY, Tried};
use crate::error::Result;

/// How often to wait for others to finish, or to rebuild the index.
const PATIENCE: usize = 100;

/// Forbids others to rebuild the index, and allows it again. It is dropped after the connection,
/// which would otherwise be blocked by it.
pub(in super::super) struct Recovery {
    index: Arc<File>,
    forbidden_by: Cell<Option<u32>>,
}

impl Recovery {
    pub fn of(index: Arc<File>) -> Self {
        Self { index, forbidden_by: Cell::new(None) }
    }

    /// Forbids rebuilding, after waiting for a rebuild in progress. The lock is shared, so that
    /// other writers can forbid it, too.
    pub fn forbid(&self) -> Result<()> {
        self.forbidden_by.set(Some(process::id()));
        RECOVERY.lock(&self.index, Lock::Share)
    }

    /// Forbids rebuilding with an exclusive lock, so that our own connection fails at once, too.
    fn forbid_alone(&self) -> Result<()> {
        self.forbidden_by.set(Some(process::id()));
        for _ in 0..PATIENCE {
            if RECOVERY.try_lock(&self.index, Lock::Alone) != Tried::InTheWay {
                return Ok(());
            }
            thread::sleep(PAUSE);
        }
        // Nobody else writes during this turn, but a child of a writer that was killed may still
        // share its lock.
        self.forbid()
    }

    pub fn allow(&self) {
        // A child shares its parent's locks, and must not lift them.
        if self.forbidden_by.take() == Some(process::id()) {
            RECOVERY.unlock(&self.index);
        }
    }

    /// Reads the database for the first time, during the turn of this process. If the index has to
    /// be rebuilt, this connection does so if nobody else in the process has the file open;
    /// otherwise it waits until they do.
    pub fn settle(&self, hold: &Hold, connection: &Connection) -> Result<()> {
        for _ in 0..PATIENCE {
            // Now nobody is rebuilding the index, and this connection cannot start to.
            self.forbid_alone()?;
            let looked = look_at_once(connection);
            let keeps_out = match &looked {
                Ok(Look::Unsound) => hold.keep_others_out(),
                _ => None,
            };
            self.allow();
            match looked? {
                Look::Done => return Ok(()),
                Look::Unsound if keeps_out.is_some() => return look(connection),
                Look::Unsound | Look::Busy => thread::sleep(PAUSE),
            }
        }
        // Somebody has the file open, but does not rebuild the index.
        look(connection)
    }
}

impl Drop for Recovery {
    fn drop(&mut self) {
        self.allow();
    }
}
