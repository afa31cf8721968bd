//! The database, held against another copy of SQLite in the same process, such as Python's own.
//!
//! POSIX locks are the process's: another copy of SQLite does not meet ours, and lifts all of
//! them when it closes the file. So, when it opens the database, it would take itself for the
//! first one and begin the log's index anew under ours; and when it closes it, for the last one
//! and delete the log, with what has been acknowledged. Locks of an open file description are
//! met by everybody else, and nobody else lifts them: one on each of the two files, as SQLite
//! itself holds them, keeps both from happening. What they cannot do is keep two copies from
//! writing, or one from reading what the other is about to overwrite.
//!
//! When any descriptor of a file is closed, the process's POSIX locks on it are gone. So these two
//! are kept for as long as anybody has the database open, whoever that is.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::{Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;

use super::connection::BUSY;
use crate::error::{Error, Result};
use crate::forking::lock_inherited;

/// What SQLite locks in share for as long as a connection is open: see "The SQLite Database File
/// Format", and `SHARED_FIRST` and `UNIX_SHM_DMS` in its source.
const DATABASE: Bytes = Bytes { first: 0x4000_0002, count: 510 };
const INDEX: Bytes = Bytes { first: 128, count: 1 };

/// Where a database says how it is written and read, and what it says if it has a log.
const FORMAT_VERSIONS: u64 = 18;
const WITH_LOG: [u8; 2] = [2, 2];

/// How many databases that are not held are remembered: see above.
const MOST_IDLE: usize = 64;

static HELD: Mutex<Held> = Mutex::new(Held { process: 0, databases: Vec::new() });

/// What one process holds.
struct Held {
    process: u32,
    databases: Vec<Database>,
}

struct Database {
    inode: Inode,
    file: File,
    /// The index of its log.
    index: Option<File>,
    holders: usize,
}

/// Which file it is, whatever its name.
type Inode = (u64, u64);

#[derive(Clone, Copy)]
struct Bytes {
    first: libc::off_t,
    count: libc::off_t,
}

/// That a database is held. Dropped before its last connection.
pub(super) struct Hold {
    inode: Inode,
    process: u32,
}

/// Who takes a hold.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// Somebody who is about to open the database.
    Before,
    /// Somebody who has a connection to it.
    After,
}

impl Hold {
    /// Holds a database. None if there is none with a log: it has to be opened first, so that it
    /// gets one, or opened again if somebody has deleted the log meanwhile.
    pub fn of(database: &Path, when: When) -> Result<Option<Self>> {
        let mut held = lock()?;
        held.leave_to_parent();
        let Some(inode) = there(fs::metadata(database))?.map(|file| inode(&file)) else {
            return Ok(None);
        };
        let known = match held.databases.iter().position(|known| known.inode == inode) {
            Some(position) => &mut held.databases[position],
            None => {
                let file = File::open(database).map_err(failed)?;
                held.databases.push(Database { inode, file, index: None, holders: 0 });
                held.databases.last_mut().expect("just pushed")
            }
        };
        let is_held = known.hold(database, when)?;
        known.holders += usize::from(is_held);
        Ok(is_held.then(|| Self { inode, process: process::id() }))
    }

    /// Whether this process has taken it, or a parent.
    pub fn is_here(&self) -> bool {
        self.process == process::id()
    }
}

impl Database {
    /// Locks both files, and says whether there is a log.
    fn hold(&mut self, database: &Path, when: When) -> Result<bool> {
        // From now on nobody deletes the log.
        lock_bytes(&self.file, DATABASE)?;
        let is_there = has_log(&self.file) && self.lock_index(database, when)?;
        if !is_there && self.holders == 0 {
            self.let_go();
        }
        Ok(is_there)
    }

    /// Locks the index of the log. Whoever opens it first begins it anew, as SQLite does: after
    /// a loss of power it may be that of another time.
    fn lock_index(&mut self, database: &Path, when: When) -> Result<bool> {
        let path = index_of(database);
        if !self.index.as_ref().is_some_and(|index| is(index, &path)) {
            self.index = match there(OpenOptions::new().read(true).write(true).open(&path))? {
                None if when == When::Before => Some(new_index(&path, &self.file)?),
                found => found,
            };
        }
        let Some(index) = &self.index else { return Ok(false) };
        let is_first = when == When::Before
            && self.holders == 0
            && set_lock(index, INDEX, libc::F_WRLCK).is_ok();
        if is_first {
            index.set_len(0).map_err(failed)?;
        }
        lock_bytes(index, INDEX)?;
        Ok(true)
    }

    fn let_go(&self) {
        // Should it fail, the log is left for the next one to empty.
        let _ = set_lock(&self.file, DATABASE, libc::F_UNLCK);
        if let Some(index) = &self.index {
            let _ = set_lock(index, INDEX, libc::F_UNLCK);
        }
    }

    /// Whether somebody may have the database open: the last connection deletes the index.
    fn may_be_open(&self) -> bool {
        let is_there = |file: &File| file.metadata().is_ok_and(|file| file.nlink() > 0);
        self.holders > 0 || is_there(&self.file) && self.index.as_ref().is_some_and(is_there)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        // A child shares its parent's locks, and must not lift them.
        if !self.is_here() {
            return;
        }
        let Ok(mut held) = lock() else { return };
        let known = held.databases.iter_mut().find(|known| known.inode == self.inode);
        let Some(known) = known else { return };
        known.holders -= 1;
        if known.holders == 0 {
            known.let_go();
        }
    }
}

/// Closes the files of databases that nobody has open any more when it is dropped: after the last
/// connection.
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
    /// In a child process: closes what was inherited, which leaves it to the parent.
    fn leave_to_parent(&mut self) {
        if self.process != process::id() {
            *self = Self { process: process::id(), databases: Vec::new() };
        }
    }

    fn sweep(&mut self) {
        self.databases.retain(Database::may_be_open);
        let mut idle = self.databases.iter().filter(|known| known.holders == 0).count();
        self.databases.retain(|known| {
            let too_many = known.holders == 0 && idle > MOST_IDLE;
            idle -= usize::from(too_many);
            !too_many
        });
    }
}

fn lock() -> Result<MutexGuard<'static, Held>> {
    let opened = || Error::storage("a store was being opened when this process was forked");
    lock_inherited(&HELD, BUSY).ok_or_else(opened)
}

fn index_of(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-shm");
    name.into()
}

/// Whether a database says that it has a write-ahead log.
fn has_log(database: &File) -> bool {
    let mut versions = [0; 2];
    database.read_exact_at(&mut versions, FORMAT_VERSIONS).is_ok() && versions == WITH_LOG
}

/// A new index, for those who may use the database.
fn new_index(path: &Path, database: &File) -> Result<File> {
    let of = database.metadata().map_err(failed)?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(of.mode() & 0o777);
    let index = options.open(path).map_err(failed)?;
    // Only who may do anything can do this, and only such a one has to.
    let _ = fchown(&index, Some(of.uid()), Some(of.gid()));
    Ok(index)
}

fn inode(file: &fs::Metadata) -> Inode {
    (file.dev(), file.ino())
}

/// Whether an open file is the one at a path.
fn is(file: &File, path: &Path) -> bool {
    let at_path = fs::metadata(path).map(|file| inode(&file)).ok();
    at_path.is_some() && at_path == file.metadata().map(|file| inode(&file)).ok()
}

/// What may be missing.
fn there<T>(found: io::Result<T>) -> Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

/// Waits for whoever is just closing the file.
fn lock_bytes(file: &File, bytes: Bytes) -> Result<()> {
    let until = Instant::now() + BUSY;
    loop {
        match set_lock(file, bytes, libc::F_RDLCK) {
            Err(Errno::EAGAIN | Errno::EACCES) if Instant::now() < until => {
                thread::sleep(Duration::from_millis(1));
            }
            Err(Errno::EAGAIN | Errno::EACCES) => {
                return Err(Error::storage("another program keeps the database locked"));
            }
            // A system or a file system without such locks: SQLite's own have to do.
            _ => return Ok(()),
        }
    }
}

fn set_lock(file: &File, bytes: Bytes, kind: libc::c_int) -> nix::Result<()> {
    let lock = libc::flock {
        l_type: kind as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: bytes.first,
        l_len: bytes.count,
        l_pid: 0,
    };
    fcntl(file, FcntlArg::F_OFD_SETLK(&lock)).map(drop)
}

fn failed(error: io::Error) -> Error {
    Error::storage(format!("the database's files cannot be held: {}", error.kind()))
}
