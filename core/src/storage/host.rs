//! Stores that begin and end transactions, where a [`Storage`] runs a closure in one. Stores in
//! host languages work like this, and for a store in Rust it is the easier way. Otherwise the
//! contract is that of [`Storage`].
//!
//! Implement [`TableStore`], and for its transactions [`TableTransaction`] and
//! [`Verbs`](super::Verbs); [`PlatformBuilder::open_storage`](crate::PlatformBuilder::open_storage)
//! then takes `Arc::new(Tables(store))`.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::{Erasure, ReadWork, Rows, Scope, Storage, WriteWork};
use crate::error::Result;
use crate::values::AgencyId;

/// A store of a host.
pub trait TableStore: Send + Sync {
    /// The schema version of the store's tables, which the host migrates. The tables of this
    /// release have [`VERSION`](crate::schema::VERSION). The core refuses a newer version; for an
    /// older one that this release cannot work with, return the error `configuration`.
    fn schema_version(&self) -> Result<u32>;

    /// Begins a transaction.
    fn begin(&self, agency: &AgencyId, mode: Mode) -> Result<Box<dyn TableTransaction + '_>>;

    /// Makes sure that deleted data can no longer be read from the store's files, and says whether
    /// that has been done. By default there is nothing to do ([`Erasure::Complete`]), because a
    /// database server keeps the files.
    fn scrub(&self) -> Result<Erasure> {
        Ok(Erasure::Complete)
    }

    /// Whether a [`Scope::Join`] on this thread would now become part of a host's transaction.
    fn joined(&self) -> bool {
        false
    }
}

/// What a transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Reading from one snapshot, as part of the host's transaction if there is one.
    Read,
    /// Reading from one snapshot of what is committed, beside the host's transaction; if that is
    /// impossible, as part of it. The core uses it only while [`TableStore::joined`] is true.
    Beside,
    /// Writing.
    Write(Scope),
}

/// A transaction. It ends with `commit` or `rollback`, and is not used after that.
pub trait TableTransaction: Rows {
    /// Makes everything durable. After an error nothing is durable, unless the error is
    /// `outcome_unknown`. In every case the transaction has ended, and no rollback follows.
    fn commit(self: Box<Self>) -> Result<()>;
    /// Undoes everything.
    fn rollback(self: Box<Self>) -> Result<()>;
}

/// A host's store as a [`Storage`].
pub struct Tables<S>(pub S);

impl<S: TableStore> Tables<S> {
    /// Runs the work in a transaction; whatever happens, the transaction ends.
    fn run(&self, agency: &AgencyId, mode: Mode, work: &mut WriteWork<'_>) -> Result<()> {
        let mut rows = self.0.begin(agency, mode)?;
        let worked = catch_unwind(AssertUnwindSafe(|| work(&mut *rows)));
        match worked {
            Ok(Ok(())) => rows.commit(),
            // The error of the work says more than an error of the rollback.
            Ok(Err(error)) => {
                drop(rows.rollback());
                Err(error)
            }
            Err(panic) => {
                drop(rows.rollback());
                resume_unwind(panic)
            }
        }
    }
}

impl<S: TableStore> Storage for Tables<S> {
    fn read(&self, agency: &AgencyId, work: &mut ReadWork<'_>) -> Result<()> {
        self.run(agency, Mode::Read, work)
    }

    fn read_beside(&self, agency: &AgencyId, work: &mut ReadWork<'_>) -> Result<()> {
        let mode = if self.0.joined() { Mode::Beside } else { Mode::Read };
        self.run(agency, mode, work)
    }

    fn write(&self, agency: &AgencyId, scope: Scope, work: &mut WriteWork<'_>) -> Result<()> {
        self.run(agency, Mode::Write(scope), work)
    }

    fn scrub(&self) -> Result<Erasure> {
        self.0.scrub()
    }

    fn joined(&self) -> bool {
        self.0.joined()
    }

    fn schema_version(&self) -> Result<u32> {
        self.0.schema_version()
    }
}
