//! The storage contract: what a backend has to do, and nothing of why.
//!
//! The rules live in the core; a backend moves rows. It gives a short snapshot to read from and
//! a transaction to write in, answers conflicts as values, and locks rows by key: a few verbs on
//! tables that are data ([`Rows`]), nothing for any one of them. What each verb must do under
//! faults and races is proven by `storage::conformance`, which is the definition where this text
//! leaves a doubt.

#[cfg(feature = "conformance")]
pub mod conformance;
mod home;
pub mod host;
pub mod memory;
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

/// What is done with a snapshot. It may be run again with another, as what is done in a transaction.
pub type ReadWork<'w> = dyn FnMut(&mut dyn Rows) -> Result<()> + Send + 'w;
/// What is done in a transaction. It may be run again after [`Error::aborted`], and then does
/// exactly the same: time, ids and hashes are drawn before.
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

    /// The same on what is committed, beside a host's transaction that is open on this thread.
    /// Only a store that joins one has anything to do here, and where it can read in no other
    /// way, what the host sees will do.
    fn read_beside(&self, agency: &AgencyId, work: &mut ReadWork<'_>) -> Result<()> {
        self.read(agency, work)
    }

    /// Runs the work in a transaction and commits it; an error or a panic of the work undoes
    /// everything. Runs the work once: trying again is the core's business.
    fn write(&self, agency: &AgencyId, scope: Scope, work: &mut WriteWork<'_>) -> Result<()>;

    /// Makes sure that nothing that was deleted can be read from the store's files any more, if
    /// nobody is in the way. A database server's own files are beyond anybody's reach here: a
    /// store without files of its own has nothing to do, and answers [`Erasure::Complete`].
    fn scrub(&self) -> Result<Erasure> {
        Ok(Erasure::Complete)
    }

    /// Writes a copy of everything into a new file that opens as a store of its own, for a
    /// store in a file.
    fn backup(&self, _path: &Path) -> Result<()> {
        Err(Error::configuration(
            "this store is not in a file: a server is backed up with its own tools",
        ))
    }

    /// Whether a [`Scope::Join`] on this thread would now become part of a host's transaction.
    fn joined(&self) -> bool {
        false
    }

    /// The version of the schema that the store has, asked before it is first used. Not for
    /// stores that bring themselves up to date: they refuse a newer one on their own.
    fn schema_version(&self) -> Result<u32> {
        Ok(VERSION)
    }
}

/// Whose transaction a write is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// A transaction of its own, whatever the host has open, or the error
    /// [`inside_transaction`](crate::Error::inside_transaction) where none can be had.
    Own,
    /// Part of the host's transaction if there is one, as a savepoint: an error of the work
    /// leaves the host's transaction usable. Otherwise a transaction of its own.
    Join,
}

/// How far a deletion has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Erasure {
    /// What was deleted can be read nowhere.
    Complete,
    /// No query finds it, but a reader or an open transaction still keeps it in the store's
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
