//! Finds the file that a path means. It is resolved once, so that a later change of the working
//! directory or another name of the file does not lead to other files. A path that cannot be a
//! database is refused before anything is created.

use std::fs;
use std::io::{Error as IoError, ErrorKind};
use std::path::{Path, PathBuf, is_separator};

use crate::error::{Error, Result};

/// How many symbolic links are followed in a row.
const MOST_LINKS: usize = 40;

/// The path in the part of a URL after `sqlite:`.
pub(crate) fn path_of(url: &str) -> Result<&Path> {
    let slashes = url.bytes().take_while(|byte| *byte == b'/').count();
    if slashes == 2 || slashes == 3 {
        return Err(Error::configuration(
            "after `sqlite:` two or three slashes mean different things to different programs: \
             write `sqlite:FILE` or `sqlite:/FOLDER/FILE`; a store in memory is `memory:`",
        ));
    }
    if url.contains('?') {
        return Err(Error::configuration(
            "`sqlite:` takes the path of a file, without URL parameters",
        ));
    }
    Ok(Path::new(url))
}

/// The canonical path of a database that exists or can be created there.
pub(super) fn found(path: &Path) -> Result<PathBuf> {
    named(path)?;
    let database = resolved(path)?;
    match fs::metadata(&database) {
        Ok(file) if file.is_dir() => return Err(is_folder()),
        Ok(file) if !file.is_file() => {
            return Err(Error::storage("the database's path is not a regular file"));
        }
        Ok(file) => writable(&database, &file, "the database")?,
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(not_found(error)),
    }
    let folder = database.parent().unwrap_or(&database);
    // The log and the lock files are created in the same folder.
    writable(folder, &fs::metadata(folder).map_err(not_found)?, "the database's folder")?;
    Ok(database)
}

/// Refuses names that have a special meaning to SQLite or other libraries, and so are not files.
fn named(path: &Path) -> Result<()> {
    let name = path.as_os_str().as_encoded_bytes();
    if name.is_empty() {
        return Err(Error::configuration("`sqlite:` needs the path of a file"));
    }
    if name.contains(&0) {
        return Err(Error::configuration("a path must not contain the character U+0000"));
    }
    if name == b":memory:" {
        return Err(Error::configuration("for a store in memory use `memory:`, without `sqlite:`"));
    }
    if name.starts_with(b"file:") {
        return Err(Error::configuration("`sqlite:` takes a plain path, not a `file:` URI"));
    }
    Ok(())
}

/// The absolute path without symbolic links, also for a file that does not exist yet.
fn resolved(path: &Path) -> Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        match fs::canonicalize(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            found => return found.map_err(not_found),
        }
        let (folder, name) = parts(&path)?;
        let folder = fs::canonicalize(folder).map_err(|error| match error.kind() {
            ErrorKind::NotFound => Error::storage("the database's folder does not exist"),
            _ => not_found(error),
        })?;
        match fs::read_link(&path) {
            Ok(target) => path = folder.join(target),
            Err(_) => return Ok(folder.join(name)),
        }
    }
    Err(Error::storage("the database's path has too many symbolic links"))
}

/// The folder and the name of a file.
fn parts(path: &Path) -> Result<(&Path, &Path)> {
    let ends_as_folder =
        path.as_os_str().as_encoded_bytes().last().is_some_and(|last| is_separator((*last).into()));
    let name = path.file_name().filter(|_| !ends_as_folder).ok_or_else(is_folder)?;
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    Ok((folder.unwrap_or(Path::new(".")), Path::new(name)))
}

/// Checks whether something can be written without opening it, because closing a file lifts the
/// process's locks on it.
#[cfg(unix)]
fn writable(path: &Path, _: &fs::Metadata, what: &str) -> Result<()> {
    use nix::fcntl::{AT_FDCWD, AtFlags};
    use nix::unistd::{AccessFlags, faccessat};

    let can = faccessat(AT_FDCWD, path, AccessFlags::W_OK, AtFlags::AT_EACCESS);
    can.map_err(|error| cannot_be_written(what, IoError::from(error).kind()))
}

#[cfg(not(unix))]
fn writable(_: &Path, metadata: &fs::Metadata, what: &str) -> Result<()> {
    // The read-only flag of a folder has no meaning here.
    if metadata.is_file() && metadata.permissions().readonly() {
        return Err(cannot_be_written(what, ErrorKind::PermissionDenied));
    }
    Ok(())
}

fn cannot_be_written(what: &str, why: ErrorKind) -> Error {
    Error::storage(format!("{what} cannot be written to: {why}"))
}

fn is_folder() -> Error {
    Error::storage("the database's path names a folder, not a file")
}

fn not_found(error: IoError) -> Error {
    Error::storage(format!("the database's path could not be read: {}", error.kind()))
}
