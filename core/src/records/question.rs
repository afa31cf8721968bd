//! Queries ("questions") that know the type of their answer. Several can be sent together, in one
//! round trip.

use crate::error::{Error, Result};
use crate::schema::Row;
use crate::schema::entity::Entity;
use crate::storage::{Answer, Ask, Batch, Get, Inserted, Insertion, Lock, Scan};
use crate::values::AgencyId;

/// The outcome of inserting a record.
#[must_use = "what is taken was not inserted"]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Insert<T> {
    /// It was inserted.
    Done,
    /// A row with this key, or with the value of a unique field, exists already. The transaction
    /// goes on.
    Existing(T),
}

/// A query, and the function that reads its answer.
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
    /// Leaves out records that do not exist.
    pub fn present(self) -> Question<Vec<T>> {
        self.map(|found| found.into_iter().flatten().collect())
    }

    /// Answers new records instead of those that do not exist. The keys are those of the question.
    pub fn or_new<K: 'static>(self, keys: Vec<K>, new: fn(K) -> T) -> Question<Vec<T>> {
        let record = move |(key, found): (K, Option<T>)| found.unwrap_or_else(|| new(key));
        self.map(move |found| keys.into_iter().zip(found).map(record).collect())
    }
}

/// Records by key, in the order of the keys.
pub(crate) fn get<E: Entity + 'static>(
    agency: &AgencyId,
    keys: &[E::Key],
) -> Question<Vec<Option<E>>> {
    find(E::TABLE.key, keys.iter().map(|key| E::key_row(agency, key)).collect(), None)
}

/// Records by key, locked in the order of the keys, which the caller has sorted.
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
    let asked = keys.len();
    let ask = Ask::Get(Get { table: E::TABLE, by, keys, lock });
    let read = move |answer: Answer| {
        let rows = for_each(asked, answer.rows()?)?.into_iter();
        rows.map(|row| row.map(E::from_row).transpose()).collect()
    };
    Question::new(ask, read)
}

/// Whether there is a record for each key. Those that exist are locked, in the order of the keys,
/// which the caller has sorted.
pub(crate) fn lock_existing<E: Entity + 'static>(
    agency: &AgencyId,
    keys: &[E::Key],
    lock: Lock,
) -> Question<Vec<bool>> {
    let asked = keys.len();
    let keys = keys.iter().map(|key| E::key_row(agency, key)).collect();
    let ask = Ask::Exist(Get { table: E::TABLE, by: E::TABLE.key, keys, lock: Some(lock) });
    Question::new(ask, move |answer| for_each(asked, answer.updated()?))
}

/// Records in the order of an index.
pub(crate) fn scan<E: Entity + 'static>(scan: Scan) -> Question<Vec<E>> {
    found(Ask::Scan(scan))
}

/// Rows in the order of an index.
pub(crate) fn rows(scan: Scan) -> Question<Vec<Row>> {
    Question::new(Ask::Scan(scan), Answer::found)
}

/// The records that a query finds.
pub(crate) fn found<E: Entity + 'static>(ask: Ask) -> Question<Vec<E>> {
    let read = |answer: Answer| answer.found()?.into_iter().map(E::from_row).collect();
    Question::new(ask, read)
}

/// Removes the first rows of a scan, and answers how many it removed.
pub(crate) fn removal(scan: Scan) -> Question<u32> {
    let limit = scan.limit;
    let too_many = || Error::storage("the storage removed more rows than requested");
    Question::new(Ask::Remove(scan), move |answer| {
        let removed = u32::try_from(answer.count()?).ok();
        removed.filter(|removed| *removed <= limit).ok_or_else(too_many)
    })
}

/// A query whose answer is a number.
pub(crate) fn count(ask: Ask) -> Question<u64> {
    Question::new(ask, Answer::count)
}

/// Inserts records, and answers each one that exists already.
pub(crate) fn insert<'e, E: Entity + 'static>(
    agency: &AgencyId,
    records: impl IntoIterator<Item = &'e E>,
) -> Result<Question<Vec<Insert<E>>>> {
    inserting(agency, records, None)
}

/// Inserts records, and locks and answers each one that exists already: afterwards the transaction
/// holds a lock on every record.
pub(crate) fn insert_or_lock<E: Entity + 'static>(
    agency: &AgencyId,
    records: &[E],
    lock: Lock,
) -> Result<Question<Vec<Insert<E>>>> {
    inserting(agency, records, Some(lock))
}

/// Locks records, and first inserts each one that does not exist, as it is given.
pub(crate) fn lock_or_insert<E: Entity + 'static>(
    agency: &AgencyId,
    records: Vec<E>,
    lock: Lock,
) -> Result<Question<Vec<E>>> {
    let rows = insertion(agency, &records, Some(lock))?;
    let record = |(new, locked): (E, Inserted)| match locked {
        Inserted::Done => Ok(new),
        Inserted::Existing(row) => E::from_row(row),
        Inserted::Taken => Err(removed_meanwhile()),
    };
    let read = move |answer: Answer| {
        let locked = for_each(records.len(), answer.inserted()?)?;
        records.into_iter().zip(locked).map(record).collect()
    };
    Ok(Question::new(Ask::Insert(rows), read))
}

fn inserting<'e, E: Entity + 'static>(
    agency: &AgencyId,
    records: impl IntoIterator<Item = &'e E>,
    lock: Option<Lock>,
) -> Result<Question<Vec<Insert<E>>>> {
    let rows = insertion(agency, records, lock)?;
    let asked = rows.rows.len();
    let read = move |answer: Answer| {
        let outcome = |inserted| match inserted {
            Inserted::Done => Ok(Insert::Done),
            Inserted::Existing(row) => E::from_row(row).map(Insert::Existing),
            Inserted::Taken => Err(removed_meanwhile()),
        };
        for_each(asked, answer.inserted()?)?.into_iter().map(outcome).collect()
    };
    Ok(Question::new(Ask::Insert(rows), read))
}

fn insertion<'e, E: Entity + 'e>(
    agency: &AgencyId,
    records: impl IntoIterator<Item = &'e E>,
    lock: Option<Lock>,
) -> Result<Insertion> {
    Ok(Insertion { table: E::TABLE, rows: rows_of(agency, records)?, lock })
}

fn removed_meanwhile() -> Error {
    Error::aborted("another transaction removed a conflicting row")
}

/// Inserts rows; `false` for each whose key or unique field is taken.
pub(crate) fn insert_rows(rows: Batch) -> Question<Vec<bool>> {
    let Batch { table, rows } = rows;
    let asked = rows.len();
    let ask = Ask::Insert(Insertion { table, rows, lock: None });
    let read = move |answer: Answer| {
        Ok(for_each(asked, answer.inserted()?)?
            .iter()
            .map(|inserted| *inserted == Inserted::Done)
            .collect())
    };
    Question::new(ask, read)
}

/// Stores locked records; `false` for each whose unique field is taken.
pub(crate) fn update<E: Entity + 'static>(
    agency: &AgencyId,
    records: &[E],
) -> Result<Question<Vec<bool>>> {
    let asked = records.len();
    let ask = Ask::Update(Batch { table: E::TABLE, rows: rows_of(agency, records)? });
    Ok(Question::new(ask, move |answer| for_each(asked, answer.updated()?)))
}

/// Checks that a store has answered for every key or row: if one answer were missing, the others
/// would be taken for the wrong rows.
fn for_each<T>(asked: usize, answers: Vec<T>) -> Result<Vec<T>> {
    let wrong = || Error::storage("the storage must return exactly one answer for each key or row");
    if answers.len() == asked { Ok(answers) } else { Err(wrong()) }
}

pub(super) fn rows_of<'e, E: Entity + 'e>(
    agency: &AgencyId,
    records: impl IntoIterator<Item = &'e E>,
) -> Result<Vec<Row>> {
    records.into_iter().map(|record| record.to_row(agency)).collect()
}

/// Queries that are sent together.
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
        let missing =
            || Error::storage("the storage returned fewer answers than there were questions");
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

/// No query besides those that are sent anyway.
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
