//! Processes that write in turn. SQLite's own waiting is polling, by which one process can keep
//! another one out for seconds; two locked files beside the database make a queue of it.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

use crate::error::{Error, Result};

/// The two files. Whoever wants to write waits at the first one while somebody holds the second,
/// so that nobody who has just written can overtake. A process that dies has left both.
pub(super) struct Turnstile {
    next: File,
    hold: File,
}

impl Turnstile {
    pub fn beside(database: &Path) -> Result<Self> {
        Ok(Self { next: open(database, "-next")?, hold: open(database, "-turn")? })
    }

    /// Waits for this process's turn.
    pub fn enter(&self) -> Result<()> {
        lock(&self.next)?;
        let held = lock(&self.hold);
        unlock(&self.next);
        held
    }

    /// Gives the turn away.
    pub fn leave(&self) {
        unlock(&self.hold);
    }
}

fn open(database: &Path, suffix: &str) -> Result<File> {
    let mut name = database.as_os_str().to_owned();
    name.push(suffix);
    let file = OpenOptions::new().create(true).write(true).truncate(false).open(name);
    file.map_err(|error| Error::storage(format!("a lock beside the database: {}", error.kind())))
}

fn lock(file: &File) -> Result<()> {
    loop {
        match file.lock() {
            Ok(()) => return Ok(()),
            // A file system without locks: SQLite's own has to do.
            Err(error) if error.kind() == io::ErrorKind::Unsupported => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                return Err(Error::storage(format!(
                    "a lock beside the database: {}",
                    error.kind()
                )));
            }
        }
    }
}

fn unlock(file: &File) {
    // What cannot be unlocked was not locked.
    let _ = file.unlock();
}
