//! Snapshots and transactions of one agency's records. Both hold the agency before anything else.
//!
//! Methods of [`Reads`] and [`Tx`] that belong to a noun (`claim_labels`, `lock_usage`, …) are in
//! the noun's `rows.rs`.

use std::ops::{Deref, DerefMut};

use super::question::{Insert, Questions, find, get, insert, lock, removal, rows, rows_of};
use crate::agency::AgencyRow;
use crate::error::{Error, Result};
use crate::schema::entity::Entity;
use crate::schema::{Row, Table, Value};
use crate::storage::{Answer, Ask, Batch, Keys, Lock, Rows, Scan, Tell};
use crate::values::AgencyId;

/// Whether the agency is held.
enum Hold {
    /// Not held, and need not be: the rows are the platform's own, or the agency is being created
    /// or erased.
    No,
    /// It will be held just before the next query, in the same round trip.
    Next,
    /// It is held. A transaction has the agency's row.
    Held(Option<Row>),
}

/// A snapshot of one agency's rows.
///
/// Results are in the order of the keys or records in the query. The agency must be open: otherwise
/// the first query, or the end of the snapshot, fails with `NotFound`.
pub(crate) struct Reads<'r> {
    rows: &'r mut dyn Rows,
    agency: &'r AgencyId,
    hold: Hold,
    /// A transaction locks the agency's row in [`Lock::KeyShare`], so that the agency is not erased
    /// before the transaction ends.
    lock: Option<Lock>,
}

impl<'r> Reads<'r> {
    pub fn new(rows: &'r mut dyn Rows, agency: &'r AgencyId, hold: bool) -> Self {
        let hold = if hold { Hold::Next } else { Hold::No };
        Self { rows, agency, hold, lock: None }
    }

    /// The agency that the rows belong to.
    pub fn agency_id(&self) -> &'r AgencyId {
        self.agency
    }

    /// The first of the agency's rows in a table, by key.
    pub fn of_agency(&self, table: &'static Table, limit: u32) -> Scan {
        Scan::all(table, table.key, vec![table.owner(self.agency)], limit)
    }

    /// Sends queries, all in one round trip.
    pub fn ask<Q: Questions>(&mut self, questions: Q) -> Result<Q::Answers> {
        let (mut asks, mut answers) = (Vec::new(), Vec::new());
        let holds = matches!(self.hold, Hold::Next);
        if holds {
            asks.push(self.open_agency());
        }
        let read = questions.split(&mut asks);
        let asked = self.rows.ask(asks, &mut answers);
        let mut answers = answers.into_iter();
        if holds && let Some(answer) = answers.next() {
            // Checked first: if the agency is missing, other queries may have failed because of
            // that.
            self.hold = held(answer).ok_or_else(missing)?;
        }
        asked?;
        Q::read(read, &mut answers)
    }

    /// The query for the agency: a transaction locks its row, a snapshot only checks that it
    /// exists. It does not wait for an agency that is being erased: that one is no longer open, so
    /// it is not found, and not locked.
    fn open_agency(&self) -> Ask {
        let open = open(self.agency);
        match self.lock {
            None => Ask::Any(open),
            lock => Ask::Scan(Scan { lock, ..open }),
        }
    }

    /// Holds the agency now, unless it is held already. Errors: `NotFound`.
    pub fn hold_agency(&mut self) -> Result<()> {
        if matches!(self.hold, Hold::Next) { self.ask(()) } else { Ok(()) }
    }

    /// The agency as it was when it was held. Errors: `NotFound`.
    pub fn held_agency(&mut self) -> Result<AgencyRow> {
        if self.lock.is_none() {
            self.hold = Hold::No;
            let row = self.ask(rows(open(self.agency)))?.pop();
            return AgencyRow::from_row(row.ok_or_else(missing)?);
        }
        self.hold_agency()?;
        match &self.hold {
            Hold::Held(Some(row)) => AgencyRow::from_row(row.clone()),
            _ => Err(Error::storage(
                "the storage did not return the agency's row when it was locked",
            )),
        }
    }

    /// Records by key, in the order of the keys.
    pub fn get<E: Entity + 'static>(&mut self, keys: &[E::Key]) -> Result<Vec<Option<E>>> {
        self.ask(get(self.agency, keys))
    }

    /// One record by key.
    pub fn one<E: Entity + 'static>(&mut self, key: &E::Key) -> Result<Option<E>> {
        let keys = vec![E::key_row(self.agency, key)];
        Ok(self.ask(find(E::TABLE.key, keys, None))?.pop().flatten())
    }
}

/// The scan that finds an agency if it is open.
fn open(agency: &AgencyId) -> Scan {
    let equals = vec![agency.as_str().into(), Value::Null];
    Scan::all(AgencyRow::TABLE, &["agency", "closed_at"], equals, 1)
}

/// Reads the answer of [`open_agency`](Reads::open_agency); `None` if the agency does not exist or
/// is not open.
fn held(answer: Answer) -> Option<Hold> {
    match answer {
        Answer::Count(1) => Some(Hold::Held(None)),
        Answer::Found(mut rows) => rows.pop().map(|row| Hold::Held(Some(row))),
        _ => None,
    }
}

fn missing() -> Error {
    Error::not_found("agency")
}

/// A transaction on one agency's rows.
///
/// The lock order is: attempts, the agency in key share, idempotency keys, labels, the agency for
/// an update, resellers, usage, events, totals, changes; within one call it is the order of the
/// keys, which the core has sorted. So batches in any order never deadlock. If two transactions
/// lock one key, the second waits, or one of them is [`aborted`](crate::Error::aborted). A read
/// that follows a lock sees the newest commit.
pub(crate) struct Tx<'r>(Reads<'r>);

impl<'r> Tx<'r> {
    pub fn new(rows: &'r mut dyn Rows, agency: &'r AgencyId, hold: bool) -> Self {
        Self(Reads { lock: Some(Lock::KeyShare), ..Reads::new(rows, agency, hold) })
    }

    fn tell(&mut self, write: Tell) -> Result<()> {
        self.hold_agency()?;
        self.0.rows.tell(vec![write])
    }

    /// Inserts a record, or returns the one that exists.
    pub fn insert<E: Entity + 'static>(&mut self, record: &E) -> Result<Insert<E>> {
        let insert = insert(self.agency, std::slice::from_ref(record))?;
        let unanswered = || Error::storage("the storage did not say whether it inserted the row");
        self.ask(insert)?.pop().ok_or_else(unanswered)
    }

    /// Locks records, in the order of the keys, which the caller has sorted.
    pub fn lock<E: Entity + 'static>(
        &mut self,
        keys: &[E::Key],
        strength: Lock,
    ) -> Result<Vec<Option<E>>> {
        let question = lock(self.agency, keys, strength);
        self.ask(question)
    }

    /// Stores records, whether they exist or not.
    pub fn put<E: Entity + 'static>(&mut self, records: &[E]) -> Result<()> {
        if records.is_empty() {
            return Ok(());
        }
        let rows = rows_of(self.agency, records)?;
        self.tell(Tell::Put(Batch { table: E::TABLE, rows }))
    }

    /// Stores rows that were made before the transaction.
    pub fn put_rows(&mut self, batch: Batch) -> Result<()> {
        if batch.rows.is_empty() { Ok(()) } else { self.tell(Tell::Put(batch)) }
    }

    /// Adds to numbers: the columns of each record that are not in its key.
    pub fn add<E: Entity + 'static>(&mut self, records: &[E]) -> Result<()> {
        if records.is_empty() {
            return Ok(());
        }
        let rows = rows_of(self.agency, records)?;
        self.tell(Tell::Add(Batch { table: E::TABLE, rows }))
    }

    /// Removes records by key.
    pub fn delete<E: Entity + 'static>(&mut self, keys: &[E::Key]) -> Result<()> {
        if keys.is_empty() {
            return Ok(());
        }
        let keys = keys.iter().map(|key| E::key_row(self.agency, key)).collect();
        self.tell(Tell::Delete(Keys { table: E::TABLE, keys }))
    }

    /// Removes the first rows of a scan; says how many.
    pub fn remove(&mut self, scan: Scan) -> Result<u32> {
        self.ask(removal(scan))
    }
}

impl<'r> Deref for Tx<'r> {
    type Target = Reads<'r>;

    fn deref(&self) -> &Reads<'r> {
        &self.0
    }
}

impl<'r> DerefMut for Tx<'r> {
    fn deref_mut(&mut self) -> &mut Reads<'r> {
        &mut self.0
    }
}
