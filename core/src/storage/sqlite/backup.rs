//! A copy of the database while others use it: SQLite's online backup of one snapshot. With a
//! write-ahead log a reader blocks nobody, so the backup needs no pauses, and it need not start
//! again because somebody has written.

use std::fs;
use std::io;
use std::path::Path;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::failure::storage_error;
use crate::error::{Error, Result};

/// Copies all pages in one step, and so from one snapshot.
const EVERY_PAGE: i32 = -1;

/// Writes a copy of what a reader sees to a path where nothing exists yet. It is written to a
/// temporary file beside it, which gets its name when it is complete.
pub(super) fn write(reader: &Connection, path: &Path) -> Result<()> {
    if path.symlink_metadata().is_ok() {
        return Err(is_there());
    }
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    let folder = folder.unwrap_or(Path::new("."));
    // Only its owner can read it, whatever the permissions of the database are.
    let partial =
        tempfile::Builder::new().prefix(".backup-").suffix(".partial").tempfile_in(folder);
    let partial = partial.map_err(failed)?.into_temp_path();
    copy(reader, &partial)?;
    partial.persist_noclobber(path).map_err(|unplaced| match unplaced.error.kind() {
        io::ErrorKind::AlreadyExists => is_there(),
        _ => failed(unplaced.error),
    })?;
    keep_name(folder).map_err(failed)
}

/// Copies all pages. They are on the disk when this returns.
fn copy(reader: &Connection, path: &Path) -> Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut target = Connection::open_with_flags(path, flags).map_err(storage_error)?;
    // An unfinished copy is deleted, so it needs no journal.
    target.pragma_update(None, "journal_mode", "OFF").map_err(storage_error)?;
    let backup = Backup::new(reader, &mut target).map_err(storage_error)?;
    match backup.step(EVERY_PAGE).map_err(storage_error)? {
        StepResult::Done => {}
        _ => return Err(Error::aborted("the database was locked")),
    }
    drop(backup);
    target.close().map_err(|(_, error)| storage_error(error))
}

/// Syncs the folder, which stores the name of the file.
fn keep_name(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { fs::File::open(folder)?.sync_all() } else { Ok(()) }
}

fn is_there() -> Error {
    Error::io("a file with the backup's name already exists")
}

fn failed(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::NotFound => Error::io("the backup's folder does not exist"),
        kind => Error::io(format!("the backup could not be written: {kind}")),
    }
}
