//! Holds a database against another copy of SQLite in the same process, such as Python's own.
//!
//! POSIX locks belong to the process: another copy of SQLite does not notice our locks, and lifts
//! all of them when it closes the file. So when it opens the database, it would believe that it is
//! the first user, and rebuild the log's index while we use it; and when it closes the database, it
//! would believe that it is the last user, and delete the log with committed transactions. Locks of
//! an open file description are noticed by everybody, and nobody else lifts them. One such lock on
//! each of the two files, on the bytes that SQLite itself locks, prevents both. It cannot keep two
//! copies from writing, or one from reading what the other is about to overwrite.
//!
//! Our own SQLite lifts the other copy's locks, too, when it closes the file, and the hold then
//! stands in for them. So the hold stays until nobody else in the process has the file open, even
//! after our last connection is closed. Because of the hold that connection cannot delete the log,
//! so this module does.

mod bytes;
mod descriptors;
mod recovery;

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

use super::connection::BUSY;
use crate::error::{Error, Result};
use crate::forking::lock_inherited;
use bytes::{DATABASE, ENTRANCE, INDEX, Lock, PAUSE, Tried};
use descriptors::{Descriptors, Inode, inode};
pub(super) use recovery::Recovery;

/// The first bytes of a database.
const MAGIC: &[u8] = b"SQLite format 3\0";
/// The offset of the two format versions in a database, and their values if it has a write-ahead
/// log.
const FORMAT_VERSIONS: u64 = 18;
const WITH_LOG: [u8; 2] = [2, 2];

/// How often to try to keep others out of a database; a connection that is opening or closing
/// blocks it for a moment.
const TRIES: usize = 20;

static HELD: Mutex<Held> = Mutex::new(Held { process: 0, databases: Vec::new() });

/// The databases that one process holds.
struct Held {
    process: u32,
    databases: Vec<Database>,
}

struct Database {
    inode: Inode,
    path: PathBuf,
    file: File,
    /// The index of the write-ahead log, if it is held.
    index: Option<Arc<File>>,
    holders: usize,
}

/// Keeps a database held. It is dropped after the last connection to it.
pub(super) struct Hold {
    inode: Inode,
    process: u32,
}

impl Hold {
    /// Holds a database that is about to be opened. `None` if the file does not exist or has no
    /// log.
    pub fn of(database: &Path) -> Result<Option<Self>> {
        let mut held = lock()?;
        held.leave_to_parent();
        let Some(inode) = there(fs::metadata(database))?.map(|file| inode(&file)) else {
            return Ok(None);
        };
        let known = match held.databases.iter().position(|known| known.inode == inode) {
            Some(position) => &mut held.databases[position],
            None => {
                held.databases.push(Database::at(database)?);
                held.databases.last_mut().expect("just pushed")
            }
        };
        let is_held = known.hold()?;
        known.holders += usize::from(is_held);
        Ok(is_held.then(|| Self { inode, process: process::id() }))
    }

    /// Whether this process took the hold, not its parent.
    pub fn is_here(&self) -> bool {
        self.process == process::id()
    }

    /// The control over who may rebuild the index of the log.
    pub fn recovery(&self) -> Result<Recovery> {
        let index = self.of_held(|known| known.index.clone())?;
        Ok(Recovery::of(index.ok_or_else(not_held)?))
    }

    /// Keeps everybody from opening the database, if in this process only one connection has it
    /// open.
    fn keep_others_out(&self) -> Option<Closed> {
        self.of_held(|known| known.keep_others_out(OF_A_CONNECTION)).ok().flatten()
    }

    fn of_held<T>(&self, ask: impl FnOnce(&Database) -> T) -> Result<T> {
        let held = lock()?;
        let known = held.databases.iter().find(|known| known.inode == self.inode);
        known.map(ask).ok_or_else(not_held)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        // A child shares its parent's locks, and must not lift them.
        if !self.is_here() {
            return;
        }
        let Ok(mut held) = lock() else { return };
        if let Some(known) = held.databases.iter_mut().find(|known| known.inode == self.inode) {
            known.holders -= 1;
        }
        held.sweep();
    }
}

/// When dropped, releases the databases that nobody in this process has open any more.
pub(super) struct Swept;

impl Drop for Swept {
    fn drop(&mut self) {
        if let Ok(mut held) = lock()
            && held.process == process::id()
        {
            held.sweep();
        }
    }
}

impl Held {
    /// In a child process: closes the inherited files, which leaves their locks to the parent.
    fn leave_to_parent(&mut self) {
        if self.process != process::id() {
            *self = Self { process: process::id(), databases: Vec::new() };
        }
    }

    fn sweep(&mut self) {
        let let_go = |known: Database| if known.holders > 0 { Some(known) } else { known.let_go() };
        self.databases = self.databases.drain(..).filter_map(let_go).collect();
    }
}

/// A connection has two descriptors: one for the database and one for the index.
const OF_A_CONNECTION: usize = 2;

impl Database {
    fn at(path: &Path) -> Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open(path).map_err(failed)?;
        let inode = inode(&file.metadata().map_err(failed)?);
        Ok(Self { inode, path: path.to_owned(), file, index: None, holders: 0 })
    }

    /// Locks both files, and answers whether there is a log.
    fn hold(&mut self) -> Result<bool> {
        // From now on nobody deletes the log.
        DATABASE.lock(&self.file, Lock::Share)?;
        let has_log = has_log(&self.file);
        let locked = if has_log { self.lock_index() } else { Ok(()) };
        if self.index.is_none() {
            DATABASE.unlock(&self.file);
        }
        locked.map(|()| has_log)
    }

    /// Locks the index of the log. The first user truncates it, as SQLite does, because it may be
    /// stale after a loss of power.
    fn lock_index(&mut self) -> Result<()> {
        let path = beside(&self.path, "-shm");
        if self.index.as_ref().is_some_and(|index| is(index, &path)) {
            return Ok(());
        }
        let index = match there(OpenOptions::new().read(true).write(true).open(&path))? {
            None => new_index(&path, &self.file)?,
            Some(found) => found,
        };
        // If the index was held before, there may be another copy of SQLite whose lock ours has
        // lifted, so it must not be truncated.
        let is_first = self.index.is_none() && INDEX.try_lock(&index, Lock::Alone) == Tried::Locked;
        if is_first {
            index.set_len(0).map_err(failed)?;
        }
        INDEX.lock(&index, Lock::Share)?;
        self.index = Some(Arc::new(index));
        Ok(())
    }

    /// Keeps everybody from opening the database, if this process has exactly `so_many` descriptors
    /// of it besides our own.
    fn keep_others_out(&self, so_many: usize) -> Option<Closed> {
        let closed = Closed::of(&self.file)?;
        let mut own = vec![&self.file, &closed.0];
        own.extend(self.index.as_deref());
        (Descriptors::beside(&own)? == so_many).then_some(closed)
    }

    /// Releases the database, unless somebody else in this process has the file open. If no process
    /// has it open and the log is empty, deletes the log as SQLite does.
    fn let_go(self) -> Option<Self> {
        if self.file.metadata().is_ok_and(|file| file.nlink() == 0) {
            return None;
        }
        if self.index.is_none() {
            return (Descriptors::beside(&[&self.file]) != Some(0)).then_some(self);
        }
        let Some(closed) = self.keep_others_out(0) else { return Some(self) };
        if DATABASE.try_lock(&self.file, Lock::Alone) == Tried::Locked {
            self.delete_log();
        }
        let (inode, path) = (self.inode, self.path.clone());
        self.close();
        drop(closed);
        // Closing has lifted the lock of a copy that opened the file just now. So it is held again.
        let nobody_came = Descriptors::of(&[inode]).is_some_and(|found| found.is_empty());
        if nobody_came { None } else { Self::held_again(&path, inode) }
    }

    fn delete_log(&self) {
        let (log, index) = (beside(&self.path, "-wal"), beside(&self.path, "-shm"));
        let is_ours = is(&self.file, &self.path)
            && self.index.as_ref().is_some_and(|locked| is(locked, &index));
        let is_empty = match fs::metadata(&log) {
            Ok(log) => log.len() == 0,
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        };
        if is_ours && is_empty {
            // A file that remains does no harm.
            let _ = fs::remove_file(index).and_then(|()| fs::remove_file(log));
        }
    }

    /// Lifts the locks explicitly, because a child of `fork` may share the open files.
    fn close(self) {
        DATABASE.unlock(&self.file);
        if let Some(index) = &self.index {
            INDEX.unlock(index);
        }
    }

    fn held_again(path: &Path, inode: Inode) -> Option<Self> {
        let mut again = Self::at(path).ok().filter(|again| again.inode == inode)?;
        again.hold().is_ok_and(|is_held| is_held).then_some(again)
    }
}

/// Keeps everybody from opening a database, by a lock on the byte that SQLite locks first.
struct Closed(File);

impl Closed {
    /// `None` if somebody else is just opening or closing the database.
    fn of(database: &File) -> Option<Self> {
        let again = format!("/proc/self/fd/{}", database.as_raw_fd());
        let file = OpenOptions::new().read(true).write(true).open(again).ok()?;
        for _ in 0..TRIES {
            if ENTRANCE.try_lock(&file, Lock::Alone) != Tried::InTheWay {
                return Some(Self(file));
            }
            thread::sleep(PAUSE);
        }
        None
    }
}

impl Drop for Closed {
    fn drop(&mut self) {
        ENTRANCE.unlock(&self.0);
    }
}

fn lock() -> Result<MutexGuard<'static, Held>> {
    let opened = || {
        Error::storage(
            "a store was being opened at the fork of this process; call `before_fork` first",
        )
    };
    lock_inherited(&HELD, BUSY).ok_or_else(opened)
}

fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Whether the file is a database with a write-ahead log.
fn has_log(database: &File) -> bool {
    let (mut magic, mut versions) = ([0; MAGIC.len()], [0; 2]);
    database.read_exact_at(&mut magic, 0).is_ok()
        && database.read_exact_at(&mut versions, FORMAT_VERSIONS).is_ok()
        && (magic.as_slice(), versions) == (MAGIC, WITH_LOG)
}

/// Creates an index with the permissions of the database.
fn new_index(path: &Path, database: &File) -> Result<File> {
    let of = database.metadata().map_err(failed)?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(of.mode() & 0o777);
    let index = options.open(path).map_err(failed)?;
    // Only root may do this, and only root has to.
    let _ = fchown(&index, Some(of.uid()), Some(of.gid()));
    Ok(index)
}

/// Whether an open file is the file at a path.
fn is(file: &File, path: &Path) -> bool {
    let at_path = fs::metadata(path).map(|file| inode(&file)).ok();
    at_path.is_some() && at_path == file.metadata().map(|file| inode(&file)).ok()
}

/// Turns the error for a missing file into `None`.
fn there<T>(found: io::Result<T>) -> Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

fn not_held() -> Error {
    Error::storage("the database's files are not locked by this process")
}

fn failed(error: io::Error) -> Error {
    Error::storage(format!("the database's files could not be locked: {}", error.kind()))
}
