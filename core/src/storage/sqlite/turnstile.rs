//! Processes that write in turn. SQLite's own waiting is polling, by which one process can keep
//! another one out for seconds; two locked files beside the database make a queue of it.
//!
//! The files are opened for each turn: a child process shares an open file and its lock, and would
//! keep the turn of a parent that was killed.

use std::cell::Cell;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// The two files. Whoever wants to write waits at the first one while somebody holds the second,
/// so that nobody who has just written can overtake. A process that dies has left both.
pub(super) struct Turnstile {
    next: PathBuf,
    turn: PathBuf,
    /// Locked while it is this process's turn.
    held: Cell<Option<File>>,
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
        let _next = locked(&self.next)?;
        self.held.set(Some(locked(&self.turn)?));
        Ok(())
    }

    /// Gives the turn away.
    pub fn leave(&self) {
        self.held.set(None);
    }
}

/// The file, locked until it is closed.
fn locked(path: &Path) -> Result<File> {
    let failed =
        |error: io::Error| Error::storage(format!("a lock beside the database: {}", error.kind()));
    let file = OpenOptions::new().create(true).write(true).truncate(false).open(path);
    let file = file.map_err(failed)?;
    loop {
        match file.lock() {
            Ok(()) => return Ok(file),
            // A file system without locks: SQLite's own has to do.
            Err(error) if error.kind() == io::ErrorKind::Unsupported => return Ok(file),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
}
