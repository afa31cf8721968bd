//! A fair lock between processes that write. SQLite polls for its write lock, so one process can
//! keep another out for seconds; two lock files beside the database form a queue instead.
//!
//! A child of `fork` shares an open file and its lock, which ends when one of them unlocks it or
//! the last one closes it. So only the process that has locked a file unlocks it; and files are
//! opened for each turn, so that a child does not keep the turn of a parent that is killed later.

use std::cell::Cell;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::process;

use crate::error::{Error, Result};

/// The two lock files. A process that wants to write waits for the first one and, while it has
/// that, for the second. So a process that has just written cannot overtake a waiting one. A
/// process that dies releases both.
pub(super) struct Turnstile {
    next: PathBuf,
    turn: PathBuf,
    /// The locked second file, while it is this process's turn.
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

    /// Ends this process's turn.
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
            Error::storage(format!(
                "the lock file beside the database could not be used: {}",
                error.kind()
            ))
        };
        let file = OpenOptions::new().create(true).write(true).truncate(false).open(path);
        let file = file.map_err(failed)?;
        loop {
            match file.lock() {
                Ok(()) => break,
                // The file system has no such locks, so SQLite's own have to do.
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
        // In a child, the lock still belongs to the parent.
        if self.by == process::id() {
            // If this fails, closing the file unlocks it.
            let _ = self.file.unlock();
        }
    }
}
