//! The pool of read connections of one process; each is lent to one caller at a time.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

use super::connection::{close_inherited, open_reader};
use crate::error::Result;

pub(super) struct Readers {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    idle: Vec<Connection>,
    /// The number of connections that are lent or just being opened.
    lent: usize,
}

impl Readers {
    pub fn of(path: &Path) -> Self {
        Self { path: path.to_owned(), state: Mutex::default() }
    }

    /// Runs work on a reader that nobody else uses meanwhile.
    pub fn with<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let mut lent = self.lend();
        let reader = match lent.reader.take() {
            Some(reader) => reader,
            None => open_reader(&self.path)?,
        };
        work(lent.reader.insert(reader))
    }

    fn lend(&self) -> Lent<'_> {
        let mut state = self.lock();
        state.lent += 1;
        Lent { readers: self, reader: state.idle.pop() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// In a child process: a function that closes all readers; `None` if the parent was using one.
    pub fn idle(&self) -> Option<impl FnOnce() -> bool + '_> {
        // A lock that a thread of the parent held would never be released, so this does not wait.
        let mut state = self.state.try_lock().ok()?;
        (state.lent == 0).then_some(move || state.idle.drain(..).all(close_inherited))
    }
}

/// A lent reader, which returns to the pool when this is dropped.
struct Lent<'r> {
    readers: &'r Readers,
    reader: Option<Connection>,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut state = self.readers.lock();
        state.lent -= 1;
        state.idle.extend(self.reader.take());
    }
}
