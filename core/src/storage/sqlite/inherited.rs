//! What a child process inherits by `fork`, and closes before it opens a store itself.
//!
//! SQLite counts in memory which locks its process holds. A child has the counts, but not the
//! locks: a connection that it opens to the same file would take none, and what it writes would
//! be lost when the parent closes its own. Closed, the inherited connections take their counts
//! with them. Those that were in use at that moment cannot be closed; then nothing is opened. None
//! is in use where the parent has prepared its fork (`forking`).

use std::process;
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use crate::error::{Error, Result};
use crate::forking::{MOMENT, lock_inherited};

static STORES: Mutex<Stores> = Mutex::new(Stores { process: 0, count: 0, open: Vec::new() });

/// Closes everything, and says whether that went well.
pub(super) type Close<'c> = Box<dyn FnOnce() -> bool + 'c>;

/// What a child process has to close.
pub(super) trait Inherited: Send + Sync {
    /// How to close it; none if the parent was using it.
    fn idle(&self) -> Option<Close<'_>>;
}

/// The stores of one process.
struct Stores {
    process: u32,
    /// How many there are, those included that are just being opened or closed.
    count: usize,
    open: Vec<Weak<dyn Inherited>>,
}

/// That a store is counted. Made before its first connection, dropped after its last.
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

/// Notes down what a child process will have to close.
pub(super) fn note<T: Inherited + 'static>(store: &Arc<T>) -> Result<()> {
    let mut stores = lock().ok_or_else(in_use)?;
    stores.open.retain(|open| open.strong_count() > 0);
    let store: Weak<T> = Arc::downgrade(store);
    stores.open.push(store);
    Ok(())
}

impl Drop for Counted {
    fn drop(&mut self) {
        // One too many makes a child refuse to open a store, which is the safe side.
        if let Some(mut stores) = lock() {
            stores.count -= 1;
        }
    }
}

impl Stores {
    /// Asks first and closes then: where another thread was in SQLite when the process was
    /// forked, it may hold locks of SQLite's own for ever, and any call may wait for them.
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
    Error::storage("a store was in use when this process was forked; prepare it with `before_fork`")
}
