//! Typed access to rows, once above every store: questions that know what their answer is, and
//! the agency that each snapshot and transaction holds before anything else.
//!
//! What belongs to a noun (`claim_labels`, `lock_usage`, …) stands with the noun, as methods of
//! [`Reads`] and [`Tx`].

use std::ops::{Deref, DerefMut};

use super::AgencyRow;
use super::entity::Entity;
use super::rows::{Answer, Ask, Batch, Get, Inserted, Insertion, Keys, Lock, Rows, Scan, Tell};
use super::schema::{Row, Table, Value};
use crate::error::{Error, Result};
use crate::values::AgencyId;

/// What became of a record that was to be inserted.
#[must_use = "what is taken was not inserted"]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Insert<T> {
    /// It was inserted.
    Done,
    /// Another row, or another row's unique field, was there already. The transaction goes on.
    Existing(T),
}

/// A question, and how its answer is read.
pub(crate) struct Question<T> {
    ask: Ask,
    read: Read<T>,
}

type Read<T> = Box<dyn FnOnce(Answer) -> Result<T>>;

impl<T: 'static> Question<T> {
    fn new(ask: Ask, read: impl FnOnce(Answer) -> Result<T> + 'static) -> Self {
        Self { ask, read: Box::new(read) }
    }

    fn map<U: 'static>(self, change: impl FnOnce(T) -> U + 'static) -> Question<U> {
        let read = self.read;
        Question::new(self.ask, |answer| read(answer).map(change))
    }
}

impl<T: 'static> Question<Vec<Option<T>>> {
    /// Only what is there.
    pub fn present(self) -> Question<Vec<T>> {
        self.map(|found| found.into_iter().flatten().collect())
    }
}

/// Records by key, in the order of the keys.
pub(crate) fn get<E: Entity + 'static>(
    agency: &AgencyId,
    keys: &[E::Key],
) -> Question<Vec<Option<E>>> {
    find(E::TABLE.key, keys.iter().map(|key| E::key_row(agency, key)).collect(), None)
}

/// The same, locked in the order of the keys, which the caller has sorted.
pub(crate) fn lock<E: Entity + 'static>(
    agency: &AgencyId,
    keys: &[E::Key],
    lock: Lock,
) -> Question<Vec<Option<E>>> {
    find(E::TABLE.key, keys.iter().map(|key| E::key_row(agency, key)).collect(), Some(lock))
}

/// Records by the values of a unique index.
pub(crate) fn find<E: Entity + 'static>(
    by: &'static [&'static str],
    keys: Vec<Row>,
    lock: Option<Lock>,
) -> Question<Vec<Option<E>>> {
    let ask = Ask::Get(Get { table: E::TABLE, by, keys, lock });
    let read = |answer: Answer| {
        let rows = answer.rows()?.into_iter();
        rows.map(|row| row.map(E::from_row).transpose()).collect()
    };
    Question::new(ask, read)
}

/// Records in the order of an index.
pub(crate) fn scan<E: Entity + 'static>(scan: Scan) -> Question<Vec<E>> {
    found(Ask::Scan(scan))
}

/// Rows in the order of an index.
pub(crate) fn rows(scan: Scan) -> Question<Vec<Row>> {
    Question::new(Ask::Scan(scan), Answer::found)
}

/// Records that a question finds.
pub(crate) fn found<E: Entity + 'static>(ask: Ask) -> Question<Vec<E>> {
    let read = |answer: Answer| answer.found()?.into_iter().map(E::from_row).collect();
    Question::new(ask, read)
}

/// Removes the first rows of a scan; how many.
pub(crate) fn removal(scan: Scan) -> Question<u32> {
    let limit = scan.limit;
    let too_many = || Error::storage("the storage has removed more rows than it was asked to");
    Question::new(Ask::Remove(scan), move |answer| {
        let removed = u32::try_from(answer.count()?).ok();
        removed.filter(|removed| *removed <= limit).ok_or_else(too_many)
    })
}

/// A question whose answer is a number.
pub(crate) fn count(ask: Ask) -> Question<u64> {
    Question::new(ask, Answer::count)
}

/// Inserts records; those that are there already are answered.
pub(crate) fn insert<E: Entity + 'static>(
    agency: &AgencyId,
    records: &[E],
) -> Result<Question<Vec<Insert<E>>>> {
    inserting(agency, records, None)
}

/// The same, and holds those that are there already: afterwards each record is this transaction's.
pub(crate) fn insert_or_lock<E: Entity + 'static>(
    agency: &AgencyId,
    records: &[E],
    lock: Lock,
) -> Result<Question<Vec<Insert<E>>>> {
    inserting(agency, records, Some(lock))
}

/// Locks records; those that are not there are inserted as they are given.
pub(crate) fn lock_or_insert<E: Entity + 'static>(
    agency: &AgencyId,
    records: Vec<E>,
    lock: Lock,
) -> Result<Question<Vec<E>>> {
    let locked = insert_or_lock(agency, &records, lock)?;
    let record = |(new, locked)| match locked {
        Insert::Done => new,
        Insert::Existing(record) => record,
    };
    Ok(locked.map(move |locked| records.into_iter().zip(locked).map(record).collect()))
}

fn inserting<E: Entity + 'static>(
    agency: &AgencyId,
    records: &[E],
    lock: Option<Lock>,
) -> Result<Question<Vec<Insert<E>>>> {
    let ask = Ask::Insert(Insertion { table: E::TABLE, rows: rows_of(agency, records)?, lock });
    let read = |answer: Answer| {
        let outcome = |inserted| match inserted {
            Inserted::Done => Ok(Insert::Done),
            Inserted::Existing(row) => E::from_row(row).map(Insert::Existing),
            Inserted::Taken => Err(Error::aborted("a conflicting row has vanished")),
        };
        answer.inserted()?.into_iter().map(outcome).collect()
    };
    Ok(Question::new(ask, read))
}

/// Inserts rows; `false` for each whose key or unique field is taken.
pub(crate) fn insert_rows(rows: Batch) -> Question<Vec<bool>> {
    let Batch { table, rows } = rows;
    let ask = Ask::Insert(Insertion { table, rows, lock: None });
    let read = |answer: Answer| {
        Ok(answer.inserted()?.iter().map(|inserted| *inserted == Inserted::Done).collect())
    };
    Question::new(ask, read)
}

/// Stores records that are locked; `false` for each whose unique field is taken.
pub(crate) fn update<E: Entity + 'static>(
    agency: &AgencyId,
    records: &[E],
) -> Result<Question<Vec<bool>>> {
    let ask = Ask::Update(Batch { table: E::TABLE, rows: rows_of(agency, records)? });
    Ok(Question::new(ask, Answer::updated))
}

fn rows_of<'e, E: Entity + 'e>(
    agency: &AgencyId,
    records: impl IntoIterator<Item = &'e E>,
) -> Result<Vec<Row>> {
    records.into_iter().map(|record| record.to_row(agency)).collect()
}

/// Questions that are asked together.
pub(crate) trait Questions {
    /// How the answers are read.
    type Read;
    type Answers;
    fn split(self, asks: &mut Vec<Ask>) -> Self::Read;
    fn read(read: Self::Read, answers: &mut dyn Iterator<Item = Answer>) -> Result<Self::Answers>;
}

impl<T> Questions for Question<T> {
    type Read = Read<T>;
    type Answers = T;

    fn split(self, asks: &mut Vec<Ask>) -> Self::Read {
        asks.push(self.ask);
        self.read
    }

    fn read(read: Self::Read, answers: &mut dyn Iterator<Item = Answer>) -> Result<T> {
        let missing = || Error::storage("the storage has left a question unanswered");
        read(answers.next().ok_or_else(missing)?)
    }
}

impl<Q: Questions> Questions for Vec<Q> {
    type Read = Vec<Q::Read>;
    type Answers = Vec<Q::Answers>;

    fn split(self, asks: &mut Vec<Ask>) -> Self::Read {
        self.into_iter().map(|question| question.split(asks)).collect()
    }

    fn read(read: Self::Read, answers: &mut dyn Iterator<Item = Answer>) -> Result<Self::Answers> {
        read.into_iter().map(|read| Q::read(read, answers)).collect()
    }
}

macro_rules! together {
    ($($question:ident $place:tt),*) => {
        impl<$($question: Questions),*> Questions for ($($question,)*) {
            type Read = ($($question::Read,)*);
            type Answers = ($($question::Answers,)*);

            fn split(self, asks: &mut Vec<Ask>) -> Self::Read {
                ($(self.$place.split(asks),)*)
            }

            fn read(
                read: Self::Read,
                answers: &mut dyn Iterator<Item = Answer>,
            ) -> Result<Self::Answers> {
                Ok(($($question::read(read.$place, answers)?,)*))
            }
        }
    };
}

/// Nothing more than what is asked in any case.
impl Questions for () {
    type Read = ();
    type Answers = ();

    fn split(self, _: &mut Vec<Ask>) {}

    fn read((): (), _: &mut dyn Iterator<Item = Answer>) -> Result<()> {
        Ok(())
    }
}

together!(A 0, B 1);
together!(A 0, B 1, C 2);
together!(A 0, B 1, C 2, D 3);
together!(A 0, B 1, C 2, D 3, E 4);

/// Whether the agency is held.
enum Hold {
    /// Nobody has asked for that: the platform's own rows, or an agency that is erased.
    No,
    /// With the next question, before it, so that it costs no wait.
    Next,
    /// Its row, which few ask for.
    Held(Row),
}

/// A snapshot of one agency's rows.
///
/// Results stand in the order of what was asked for. Whatever is read is about an agency that is
/// open: otherwise the first question, or the end, is `NotFound`.
pub(crate) struct Reads<'r> {
    rows: &'r mut dyn Rows,
    agency: &'r AgencyId,
    hold: Hold,
    /// A transaction holds the agency in [`Lock::KeyShare`], so that it is not erased before the
    /// end.
    lock: Option<Lock>,
}

impl<'r> Reads<'r> {
    pub fn new(rows: &'r mut dyn Rows, agency: &'r AgencyId, hold: bool) -> Self {
        let hold = if hold { Hold::Next } else { Hold::No };
        Self { rows, agency, hold, lock: None }
    }

    /// Whose rows these are.
    pub fn agency_id(&self) -> &'r AgencyId {
        self.agency
    }

    /// The first of the agency's rows in a table, by key.
    pub fn of_agency(&self, table: &'static Table, limit: u32) -> Scan {
        Scan::all(table, table.key, vec![table.owner(self.agency)], limit)
    }

    /// Asks questions: one wait for all of them.
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
            // Before whatever has failed for want of the agency.
            let agency = answer.found()?.pop().ok_or_else(|| Error::not_found("agency"))?;
            self.hold = Hold::Held(agency);
        }
        asked?;
        Q::read(read, &mut answers)
    }

    /// Nobody waits for an agency that is being erased: it is not found before it is locked.
    fn open_agency(&self) -> Ask {
        let equals = vec![Value::Text(self.agency.to_string()), Value::Null];
        let mut scan = Scan::all(AgencyRow::TABLE, &["agency", "closed_at"], equals, 1);
        scan.lock = self.lock;
        Ask::Scan(scan)
    }

    /// Holds the agency now, unless that is done. Errors: `NotFound`.
    pub fn hold_agency(&mut self) -> Result<()> {
        if matches!(self.hold, Hold::Next) { self.ask(()) } else { Ok(()) }
    }

    /// The agency as it was when it was held. Errors: `NotFound`.
    pub fn held_agency(&mut self) -> Result<AgencyRow> {
        self.hold_agency()?;
        match &self.hold {
            Hold::Held(row) => AgencyRow::from_row(row.clone()),
            _ => Err(Error::storage("nobody holds the agency")),
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

/// A transaction on one agency's rows.
///
/// Locks are taken in the order attempts, the agency in key share, idempotency keys, labels, the
/// agency for an update, resellers, usage, events, totals, changes, and within one call in the
/// order of keys, which the core has sorted: so permuted batches never deadlock. Two transactions
/// that hold one key queue, or one gets [`aborted`](crate::Error::aborted). A read that follows a
/// lock sees the newest commit.
pub(crate) struct Tx<'r>(Reads<'r>);

impl<'r> Tx<'r> {
    pub fn new(rows: &'r mut dyn Rows, agency: &'r AgencyId, hold: bool) -> Self {
        Self(Reads { lock: Some(Lock::KeyShare), ..Reads::new(rows, agency, hold) })
    }

    fn tell(&mut self, write: Tell) -> Result<()> {
        self.hold_agency()?;
        self.0.rows.tell(vec![write])
    }

    /// Inserts a record, or gives the one that is there.
    pub fn insert<E: Entity + 'static>(&mut self, record: &E) -> Result<Insert<E>> {
        let insert = insert(self.agency, std::slice::from_ref(record))?;
        let unanswered = || Error::storage("the storage has not inserted the row");
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

    /// Adds to numbers: the last column of each record.
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
