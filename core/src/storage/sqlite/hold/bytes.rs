//! Locks on bytes of a file that belong to the open file description (OFD locks). Everybody else
//! notices them, including other copies of SQLite in this process, and nobody else lifts them.

use std::fs::File;
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;

use super::super::connection::BUSY;
use crate::error::{Error, Result};

/// The bytes that SQLite locks in share while a connection is open, and exclusively before it
/// deletes the log: see "The SQLite Database File Format", and `SHARED_FIRST` and `UNIX_SHM_DMS` in
/// its source.
pub const DATABASE: Bytes = Bytes { first: 0x4000_0002, count: 510 };
pub const INDEX: Bytes = Bytes { first: 128, count: 1 };
/// The byte that SQLite locks in share for a moment before it locks those of the database.
pub const ENTRANCE: Bytes = Bytes { first: 0x4000_0000, count: 1 };
/// The byte of the index that SQLite locks exclusively while it rebuilds the index from the log:
/// `WAL_RECOVER_LOCK`.
pub const RECOVERY: Bytes = Bytes { first: 122, count: 1 };

/// How long to wait between two tries.
pub const PAUSE: Duration = Duration::from_millis(1);

#[derive(Clone, Copy)]
pub struct Bytes {
    first: libc::off_t,
    count: libc::off_t,
}

#[derive(Clone, Copy)]
pub enum Lock {
    Share,
    Alone,
}

/// The outcome of trying to lock something.
#[derive(PartialEq, Eq)]
pub enum Tried {
    Locked,
    InTheWay,
    /// The system or the file system has no such locks, so SQLite's own have to do.
    NoSuchLock,
}

impl Bytes {
    pub fn try_lock(self, file: &File, lock: Lock) -> Tried {
        let kind = match lock {
            Lock::Share => libc::F_RDLCK,
            Lock::Alone => libc::F_WRLCK,
        };
        match self.set(file, kind) {
            Ok(()) => Tried::Locked,
            Err(Errno::EAGAIN | Errno::EACCES) => Tried::InTheWay,
            Err(_) => Tried::NoSuchLock,
        }
    }

    /// Waits for the lock, which nobody keeps for long.
    pub fn lock(self, file: &File, lock: Lock) -> Result<()> {
        let until = Instant::now() + BUSY;
        while self.try_lock(file, lock) == Tried::InTheWay {
            if Instant::now() >= until {
                return Err(Error::storage("another program keeps the database locked"));
            }
            thread::sleep(PAUSE);
        }
        Ok(())
    }

    /// If this fails, closing the file unlocks it.
    pub fn unlock(self, file: &File) {
        let _ = self.set(file, libc::F_UNLCK);
    }

    fn set(self, file: &File, kind: libc::c_int) -> nix::Result<()> {
        let lock = libc::flock {
            l_type: kind as libc::c_short,
            l_whence: libc::SEEK_SET as libc::c_short,
            l_start: self.first,
            l_len: self.count,
            l_pid: 0,
        };
        fcntl(file, FcntlArg::F_OFD_SETLK(&lock)).map(drop)
    }
}
