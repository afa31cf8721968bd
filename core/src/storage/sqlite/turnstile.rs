//! Processes that write in turn. SQLite's own waiting is polling, by which one process can keep
//! another one out for seconds; two locked files beside the database make a queue of it.
//!
//! A child of `fork` shares an open file and its lock, which ends when somebody unlocks it or the
//! last of them has closed it. So the process that has locked a file unlocks it, and no other one
//! does; and files are opened for each turn, so that a child keeps no turn of a parent that is
//! killed later.

use std::cell::Cell;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::process;

use crate::error::{Error, Result};

/// The two files. Whoever wants to write waits at the first one while somebody holds the second,
/// so that nobody who has just written can overtake. A process that dies has left both.
pub(super) struct Turnstile {
    next: PathBuf,
    turn: PathBuf,
    /// Locked while it is this process's turn.
    held: Cell<Option<Locked>>,
}

impl Turnstile {
    pub fn beside(database: &Path) -> Self {
        let file = |suffix| {
            let mut name = database.as_os_str().to_owned();
            name.push(suffix);
            name.into()
        };
        Self { next: file("-next"), turn: file("-turn"), held: Cell::new(None) }
    }

    /// Waits for this process's turn.
    pub fn enter(&self) -> Result<()> {
        let _next = Locked::wait(&self.next)?;
        self.held.set(Some(Locked::wait(&self.turn)?));
        Ok(())
    }

    /// Gives the turn away.
    pub fn leave(&self) {
        self.held.set(None);
    }
}

/// A file, locked until this is dropped.
struct Locked {
    file: File,
    by: u32,
}

impl Locked {
    fn wait(path: &Path) -> Result<Self> {
        let failed = |error: io::Error| {
            Error::storage(format!("a lock beside the database: {}", error.kind()))
        };
        let file = OpenOptions::new().create(true).write(true).truncate(false).open(path);
        let file = file.map_err(failed)?;
        loop {
            match file.lock() {
                Ok(()) => break,
                // A file system without locks: SQLite's own has to do.
                Err(error) if error.kind() == io::ErrorKind::Unsupported => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(Self { file, by: process::id() })
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        // In a child the lock is still the parent's.
        if self.by == process::id() {
            // Closing it follows; where that does not do, nothing else would.
            let _ = self.file.unlock();
        }
    }
}
