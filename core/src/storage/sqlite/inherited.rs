//! The connections that a child process inherits by `fork`, which it closes before it opens a store
//! itself.
//!
//! SQLite counts in memory which locks its process holds. A child inherits the counts, but not the
//! locks: if it opened a connection to the same file, that would take no locks, and its writes
//! would be lost when the parent closes its own connection. Closing the inherited connections
//! resets the counts. Connections that were in use at the moment of the `fork` cannot be closed;
//! then no store can be opened. No connection is in use if the parent has prepared the fork
//! (`forking`).

use std::process;
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use crate::error::{Error, Result};
use crate::forking::{MOMENT, lock_inherited};

static STORES: Mutex<Stores> = Mutex::new(Stores { process: 0, count: 0, open: Vec::new() });

/// Closes everything, and returns whether that succeeded.
pub(super) type Close<'c> = Box<dyn FnOnce() -> bool + 'c>;

/// Something that a child process has to close.
pub(super) trait Inherited: Send + Sync {
    /// A function that closes it; `None` if the parent was using it.
    fn idle(&self) -> Option<Close<'_>>;
}

/// The stores of one process.
struct Stores {
    process: u32,
    /// The number of stores, including those that are just being opened or closed.
    count: usize,
    open: Vec<Weak<dyn Inherited>>,
}

/// Counts a store. It is made before the store's first connection, and dropped after its last.
pub(super) struct Counted(());

impl Counted {
    /// Errors: `Storage` if a store of the parent process cannot be closed here.
    pub fn new() -> Result<Self> {
        let mut stores = lock().ok_or_else(in_use)?;
        if stores.process != process::id() {
            stores.close_inherited()?;
        }
        stores.count += 1;
        Ok(Self(()))
    }
}

/// Registers what a child process will have to close.
pub(super) fn note<T: Inherited + 'static>(store: &Arc<T>) -> Result<()> {
    let mut stores = lock().ok_or_else(in_use)?;
    stores.open.retain(|open| open.strong_count() > 0);
    let store: Weak<T> = Arc::downgrade(store);
    stores.open.push(store);
    Ok(())
}

impl Drop for Counted {
    fn drop(&mut self) {
        // If this fails, the count is too high, and a child refuses to open a store, which is safe.
        if let Some(mut stores) = lock() {
            stores.count -= 1;
        }
    }
}

impl Stores {
    /// Checks all stores before closing any: if another thread was inside SQLite at the `fork`,
    /// SQLite's own mutexes may be locked for ever, and any call may wait for them.
    fn close_inherited(&mut self) -> Result<()> {
        let open: Vec<_> = self.open.iter().filter_map(Weak::upgrade).collect();
        let all_known = open.len() == self.count;
        let idle: Option<Vec<_>> = open.iter().map(|store| store.idle()).collect();
        let idle = idle.filter(|_| all_known).ok_or_else(in_use)?;
        if !idle.into_iter().all(|close| close()) {
            return Err(in_use());
        }
        *self = Self { process: process::id(), count: 0, open: Vec::new() };
        Ok(())
    }
}

fn lock() -> Option<MutexGuard<'static, Stores>> {
    lock_inherited(&STORES, MOMENT)
}

fn in_use() -> Error {
    Error::storage("a store was in use at the fork of this process; call `before_fork` first")
}
