//! Host languages keep rows, too: a store of generic rows, and its adapter to the contract.
//!
//! A host implements [`TableStore`] over its own database layer: it moves rows of the tables
//! in [`schema`] and knows nothing of what they mean.

mod transaction;
mod upkeep;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::schema::{self, Row, Table, Value};
use super::{Erasure, Filter, Lock, PageSpec, ReadWork, Scope, Storage, WriteWork};
use crate::error::Result;
use crate::storage::AgencyRow;
use crate::storage::LabelRow;
use crate::storage::entity::Entity;
use crate::values::{AgencyId, LoginDomain};
use transaction::Tx;

/// A store of generic rows.
pub trait TableStore: Send + Sync {
    /// The version of the schema that the store's tables have, as the host has brought them up to
    /// date: [`schema::VERSION`] for those of this release. One of a newer release is refused.
    fn schema_version(&self) -> Result<u32>;

    /// Begins a transaction.
    fn begin(&self, agency: &AgencyId, mode: Mode) -> Result<Box<dyn TableTransaction + '_>>;

    /// Makes sure that nothing that was deleted can be read from the store's files any more.
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
    /// Reading from one snapshot of what is committed, beside the host's transaction; where that
    /// cannot be had, as part of it. Only asked for where [`TableStore::joined`] is true.
    Beside,
    /// Writing.
    Write(Scope),
}

/// A transaction on generic rows. Ends with `commit` or `rollback`, and is not used after that.
///
/// Keys and rows hold values in the order of the table's key and columns. Errors: whatever a
/// concurrent transaction causes (serialization failure, deadlock, a busy database) is
/// [`Error::aborted`](crate::Error::aborted), everything else `storage`.
pub trait TableTransaction {
    /// The rows with these primary keys, in their order, locked if so asked.
    fn get(
        &mut self,
        table: &'static Table,
        keys: &[Row],
        lock: Option<Lock>,
    ) -> Result<Vec<Option<Row>>>;
    /// Rows in ascending order of an index.
    fn scan(&mut self, scan: &Scan) -> Result<Vec<Row>>;
    /// A page of the table of resellers.
    fn search(&mut self, agency: &AgencyId, spec: &PageSpec) -> Result<Vec<Row>>;
    /// How many resellers a filter finds; `cap` stands for that many or more.
    fn count(&mut self, agency: &AgencyId, filter: &Filter, cap: u64) -> Result<u64>;
    /// Inserts rows; `false` for each whose key or unique index is taken, without spoiling the
    /// transaction. Waits for concurrent transactions that have inserted the same.
    fn insert(&mut self, table: &'static Table, rows: &[Row]) -> Result<Vec<bool>>;
    /// Stores rows that exist and are locked; `false` for each whose unique index is taken,
    /// without spoiling the transaction.
    fn update(&mut self, table: &'static Table, rows: &[Row]) -> Result<Vec<bool>>;
    /// Stores rows, whether they exist or not.
    fn put(&mut self, table: &'static Table, rows: &[Row]) -> Result<()>;
    /// Adds the last column of each row to what is stored under its key; what is not stored
    /// counts as 0. A sum beyond 64 bits is [`Error::aborted`](crate::Error::aborted).
    fn add(&mut self, table: &'static Table, rows: &[Row]) -> Result<()>;
    /// Removes the rows with these primary keys.
    fn delete(&mut self, table: &'static Table, keys: &[Row]) -> Result<()>;
    /// Makes everything durable. After an error nothing is, unless it is `outcome_unknown`;
    /// either way the transaction has ended, and no rollback follows.
    fn commit(self: Box<Self>) -> Result<()>;
    /// Undoes everything.
    fn rollback(self: Box<Self>) -> Result<()>;
}

/// Which rows of a table to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// The table.
    pub table: &'static Table,
    /// The columns of the index to follow: the primary key, or one of the table's indexes.
    pub columns: &'static [&'static str],
    /// What the leading columns must equal.
    pub equals: Row,
    /// What the column after those must be greater than.
    pub after: Option<Value>,
    /// At most this many rows.
    pub limit: u32,
}

/// Adapts a store of generic rows to the storage contract.
pub struct Tables<S>(pub S);

impl<S: TableStore> Tables<S> {
    /// Runs the work in a transaction; whatever happens, the transaction ends.
    fn run(
        &self,
        agency: &AgencyId,
        mode: Mode,
        work: impl FnOnce(&mut Tx<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut rows = self.0.begin(agency, mode)?;
        // Who writes keeps the agency from being erased.
        let hold = matches!(mode, Mode::Write(_)).then_some(Lock::KeyShare);
        let mut tx = Tx { rows: &mut *rows, agency, hold, held: None };
        let worked = catch_unwind(AssertUnwindSafe(|| work(&mut tx)));
        match worked {
            Ok(Ok(())) => rows.commit(),
            // Why the work failed says more than why the rollback did.
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

impl<S: TableStore> Tables<S> {
    /// How to read what is committed.
    fn beside(&self) -> Mode {
        if self.0.joined() { Mode::Beside } else { Mode::Read }
    }

    fn label_rows(&self, mode: Mode, labels: &[LoginDomain]) -> Result<Vec<Option<LabelRow>>> {
        let keys: Vec<Row> =
            labels.iter().map(|label| vec![Value::Text(label.to_string())]).collect();
        let mut found = Vec::new();
        self.run(&AgencyId::platform(), mode, |tx| {
            found = tx.records(&keys, None)?;
            Ok(())
        })?;
        Ok(found)
    }
}

impl<S: TableStore> Storage for Tables<S> {
    fn read(&self, agency: &AgencyId, work: &mut ReadWork<'_>) -> Result<()> {
        self.run(agency, Mode::Read, |tx| work(tx))
    }

    fn read_beside(&self, agency: &AgencyId, work: &mut ReadWork<'_>) -> Result<()> {
        self.run(agency, self.beside(), |tx| work(tx))
    }

    fn write(&self, agency: &AgencyId, scope: Scope, work: &mut WriteWork<'_>) -> Result<()> {
        self.run(agency, Mode::Write(scope), |tx| work(tx))
    }

    fn labels(&self, labels: &[LoginDomain]) -> Result<Vec<Option<LabelRow>>> {
        self.label_rows(Mode::Read, labels)
    }

    fn labels_beside(&self, labels: &[LoginDomain]) -> Result<Vec<Option<LabelRow>>> {
        self.label_rows(self.beside(), labels)
    }

    fn agencies(&self, after: Option<&AgencyId>, limit: u32) -> Result<Vec<AgencyRow>> {
        let after = after.map(|id| Value::Text(id.to_string()));
        let table = &schema::AGENCIES;
        let scan = Scan { table, columns: table.key, equals: Row::new(), after, limit };
        let mut found = Vec::new();
        self.run(&AgencyId::platform(), Mode::Read, |tx| {
            for row in tx.rows.scan(&scan)? {
                found.push(AgencyRow::from_row(row)?);
            }
            Ok(())
        })?;
        Ok(found)
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
