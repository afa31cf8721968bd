//! The index of the log is made anew from the log by whoever finds it unsound: at the first
//! opening, or for the instant in which its head is being written. SQLite has its locks against
//! that, which a second copy in the same process does not meet: made anew from the log of a moment
//! ago, the index would hide what has been committed meanwhile, and the next commit overwrite it.
//! So nobody may make it anew while this process writes, or closes what would lift the locks of
//! who is at it; and at the first opening, only where no second copy is there.

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

/// How often others are given the time to finish, or to make the index sound.
const PATIENCE: usize = 100;

/// Whether others may make the index anew. Dropped after the connection, in whose way it is.
pub(in super::super) struct Recovery {
    index: Arc<File>,
    forbidden_by: Cell<Option<u32>>,
}

impl Recovery {
    pub fn of(index: Arc<File>) -> Self {
        Self { index, forbidden_by: Cell::new(None) }
    }

    /// Waits for who is at it. Others that write meanwhile forbid it, too.
    pub fn forbid(&self) -> Result<()> {
        self.forbidden_by.set(Some(process::id()));
        RECOVERY.lock(&self.index, Lock::Share)
    }

    /// The same, and a connection of our own hears at once that it may not.
    fn forbid_alone(&self) -> Result<()> {
        self.forbidden_by.set(Some(process::id()));
        for _ in 0..PATIENCE {
            if RECOVERY.try_lock(&self.index, Lock::Alone) != Tried::InTheWay {
                return Ok(());
            }
            thread::sleep(PAUSE);
        }
        // Nobody else writes in this turn; but a child of one that was killed when it wrote still
        // shares its lock.
        self.forbid()
    }

    pub fn allow(&self) {
        // A child shares its parent's locks, and must not lift them.
        if self.forbidden_by.take() == Some(process::id()) {
            RECOVERY.unlock(&self.index);
        }
    }

    /// Looks at the database for the first time, in turn. If the index has to be made anew, this
    /// connection does so where nobody else in the process has the file open; otherwise they do.
    pub fn settle(&self, hold: &Hold, connection: &Connection) -> Result<()> {
        for _ in 0..PATIENCE {
            // Nobody is at it now, and this connection cannot be.
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
        // Somebody has the file open and does not look at it.
        look(connection)
    }
}

impl Drop for Recovery {
    fn drop(&mut self) {
        self.allow();
    }
}
