//! The storage contract: what a backend has to do.
//!
//! The rules live in the core; a backend moves rows. It gives a short snapshot to read from and a
//! transaction to write in, returns conflicts as values, and locks rows by key. All of this is a
//! few verbs on tables that are described as data ([`Rows`]), so that no backend knows any
//! particular table. What each verb must do under faults and races is proven by
//! `storage::conformance`, which decides where this text leaves a doubt.

#[cfg(feature = "conformance")]
pub mod conformance;
mod home;
pub mod host;
pub mod memory;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod newest;
mod opened;
#[cfg(feature = "postgres")]
pub mod postgres;
mod rows;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod sql;
#[cfg(feature = "sqlite")]
pub mod sqlite;

use std::path::Path;

use crate::error::{Error, Result};
use crate::schema::VERSION;
use crate::values::AgencyId;

pub(crate) use opened::Opened;
pub use rows::{
    Answer, Ask, Batch, Condition, Filter, Get, Inserted, Insertion, Is, Keys, Lock, PageSpec,
    Rows, Scan, Tell, Verbs, remove_by_key,
};

/// Work on a snapshot. It may be run again on another snapshot, like the work of a transaction.
pub type ReadWork<'w> = dyn FnMut(&mut dyn Rows) -> Result<()> + Send + 'w;
/// Work in a transaction. It may be run again after [`Error::aborted`], and then does exactly what
/// it did before, because time, ids and hashes are drawn before the transaction.
///
/// [`Error::aborted`]: crate::Error::aborted
pub type WriteWork<'w> = dyn FnMut(&mut dyn Rows) -> Result<()> + Send + 'w;

/// A place where rows are kept.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use partnerkit::storage::memory::Memory;
/// use partnerkit::storage::{ReadWork, Scope, Storage, WriteWork};
/// use partnerkit::{AgencyId, Platform, Result};
///
/// /// Another store, whose writes are counted.
/// struct Counting<S> {
///     rows: S,
///     writes: AtomicU64,
/// }
///
/// impl<S: Storage> Storage for Counting<S> {
///     fn read(&self, agency: &AgencyId, work: &mut ReadWork<'_>) -> Result<()> {
///         self.rows.read(agency, work)
///     }
///
///     fn write(&self, agency: &AgencyId, scope: Scope, work: &mut WriteWork<'_>) -> Result<()> {
///         self.writes.fetch_add(1, Ordering::Relaxed);
///         self.rows.write(agency, scope, work)
///     }
/// }
///
/// let store = Arc::new(Counting { rows: Memory::new(), writes: AtomicU64::new(0) });
/// let platform = Platform::builder().open_storage(store.clone())?;
/// platform.create_agency("northwind", None)?;
/// assert_eq!(store.writes.load(Ordering::Relaxed), 1);
/// # Ok::<(), partnerkit::Error>(())
/// ```
pub trait Storage: Send + Sync {
    /// Runs the work on one snapshot of an agency's rows.
    fn read(&self, agency: &AgencyId, work: &mut ReadWork<'_>) -> Result<()>;

    /// Runs the work on one snapshot of what is committed, beside a host's transaction that is open
    /// on this thread. Only a store that joins host transactions has to implement it; if it cannot
    /// read beside one, it may show what the host's transaction sees.
    fn read_beside(&self, agency: &AgencyId, work: &mut ReadWork<'_>) -> Result<()> {
        self.read(agency, work)
    }

    /// Runs the work in a transaction and commits it; an error or a panic of the work undoes
    /// everything. It runs the work only once, because the core does the retries.
    fn write(&self, agency: &AgencyId, scope: Scope, work: &mut WriteWork<'_>) -> Result<()>;

    /// Makes sure that deleted data can no longer be read from the store's files, unless a reader
    /// is in the way. It cannot reach a database server's files: a store without files of its own
    /// has nothing to do, and returns [`Erasure::Complete`].
    fn scrub(&self) -> Result<Erasure> {
        Ok(Erasure::Complete)
    }

    /// Writes a copy of a store that is a file into a new file, which can be opened as a store of
    /// its own.
    fn backup(&self, _path: &Path) -> Result<()> {
        Err(Error::configuration(
            "only a store in a SQLite file can be backed up by the library: back up a database \
             server with its own tools",
        ))
    }

    /// Whether a [`Scope::Join`] on this thread would now become part of a host's transaction.
    fn joined(&self) -> bool {
        false
    }

    /// The version of the store's schema, asked for before the first use. A store that migrates
    /// itself need not implement it: it refuses a newer version on its own.
    fn schema_version(&self) -> Result<u32> {
        Ok(VERSION)
    }

    /// Lets go of connections, files and threads that this process has opened; running calls keep
    /// them until they end. [`Platform::close`](crate::Platform::close) calls this, perhaps more than
    /// once, and then drops its handle on the store. A later call, from another platform on this
    /// store, opens them again. By default it does nothing: what the store has is closed when it is
    /// dropped. A store that works in children of `fork` should implement it, because there it is
    /// never dropped if a thread of the parent was in a call at the fork.
    fn close(&self) {}
}

/// Whose transaction a write is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// A transaction of its own, even inside a host's transaction, or the error
    /// [`inside_transaction`](crate::Error::inside_transaction) where that is impossible.
    Own,
    /// Part of the host's transaction if there is one, as a savepoint: an error of the work
    /// leaves the host's transaction usable. Otherwise a transaction of its own.
    Join,
}

/// How far the erasure of deleted data has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Erasure {
    /// Deleted data can be read nowhere.
    Complete,
    /// No query finds the data, but a reader or an open transaction still keeps it in the store's
    /// files; [`Platform::maintain`](crate::Platform::maintain) will finish it.
    Pending,
}

impl Erasure {
    /// The stable slug.
    ///
    /// ```
    /// assert_eq!(partnerkit::Erasure::Pending.slug(), "pending");
    /// ```
    pub fn slug(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Pending => "pending",
        }
    }
}
