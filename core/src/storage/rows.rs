//! The contract of rows: a few verbs on tables that are described as data.
//!
//! Verbs are values, so that several queries cost one round trip to a database, and one call into a
//! host language. No store knows what a row means.

use std::ops::Bound;

use uuid::Uuid;

use crate::error::{Error, Result};
use crate::schema::{Row, Table, Value};
use crate::values::AgencyId;

/// The rows in a snapshot or a transaction.
///
/// Rows and keys are complete: a row has all columns of its table in their order, a key all columns
/// of the table's key. One call is about one agency, or about the platform. In a table whose rows
/// are not stored with their agency ([`Home`](crate::schema::Home)), each key may be on another
/// node.
///
/// Errors: a failure that a concurrent transaction causes (serialization failure, deadlock, a busy
/// database) is [`Error::aborted`](crate::Error::aborted), every other one is `storage`.
///
/// ```
/// use partnerkit::AgencyId;
/// use partnerkit::schema::{TOTALS, Value};
/// use partnerkit::storage::memory::Memory;
/// use partnerkit::storage::{Answer, Ask, Batch, Get, Scope, Storage, Tell};
///
/// let agency = AgencyId::parse("northwind").unwrap();
/// let mut answers = Vec::new();
/// Memory::new().write(&agency, Scope::Join, &mut |rows| {
///     let row = vec!["northwind".into(), "messages".into(), 3.into()];
///     rows.tell(vec![Tell::Add(Batch { table: &TOTALS, rows: vec![row.clone(), row] })])?;
///     let keys = vec![vec!["northwind".into(), "messages".into()]];
///     rows.ask(vec![Ask::Get(Get { table: &TOTALS, by: TOTALS.key, keys, lock: None })], &mut answers)
/// })?;
/// let Answer::Rows(found) = &answers[0] else { panic!("a get is answered with rows") };
/// assert_eq!(found[0].as_ref().unwrap()[2], Value::Integer(6));
/// # Ok::<(), partnerkit::Error>(())
/// ```
pub trait Rows {
    /// Answers queries in their order. Each query sees the commits that the previous ones waited
    /// for. If one fails, `answers` still has the answers to the queries before it.
    fn ask(&mut self, questions: Vec<Ask>, answers: &mut Vec<Answer>) -> Result<()>;

    /// Takes writes, which happen before the next `ask` or `tell`. A failure may be returned at
    /// once, by the next `ask`, or by the commit.
    fn tell(&mut self, writes: Vec<Tell>) -> Result<()>;
}

/// A query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Rows by their keys: [`Answer::Rows`].
    Get(Get),
    /// Whether there is a row for each key, which is locked like those of `Get`:
    /// [`Answer::Updated`].
    Exist(Get),
    /// Rows in the order of an index: [`Answer::Found`].
    Scan(Scan),
    /// Whether a scan with the limit 1 finds a row: 0 or 1, as [`Answer::Count`].
    Any(Scan),
    /// A page of the table of resellers: [`Answer::Found`].
    Page(PageSpec),
    /// The number of rows that match in the table of resellers, counted up to the given limit:
    /// [`Answer::Count`].
    Count(Filter, u64),
    /// Inserts each row unless its key or a value of a unique index is taken, which does not spoil
    /// the transaction. It waits for concurrent transactions that have inserted the same key or
    /// value: [`Answer::Inserted`].
    Insert(Insertion),
    /// Stores rows that exist and are locked, unless a value of a unique index is taken, which does
    /// not spoil the transaction: [`Answer::Updated`]. A row that does not exist is the error
    /// `storage`.
    Update(Batch),
    /// Locks and removes the rows that a scan finds. It skips rows that others have locked, and
    /// rows that no longer match once they are locked. It answers the number of removed rows, as
    /// [`Answer::Count`].
    Remove(Scan),
}

/// The answer to a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The row of each key, or `None`.
    Rows(Vec<Option<Row>>),
    /// Rows in order.
    Found(Vec<Row>),
    /// A number of rows.
    Count(u64),
    /// The outcome of each row.
    Inserted(Vec<Inserted>),
    /// Whether each row was stored, or exists.
    Updated(Vec<bool>),
}

/// The outcome of inserting a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inserted {
    /// The row was inserted.
    Done,
    /// A row with its key exists.
    Existing(Row),
    /// Another row has its value of a unique index.
    Taken,
}

/// A write without an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tell {
    /// Stores rows, whether they exist or not. The core never does this with rows whose value of a
    /// unique index another row could have.
    Put(Batch),
    /// Adds the columns of each row that are not in its key to those of the stored row; a missing
    /// row counts as 0.
    /// A sum beyond 64 bits is [`Error::aborted`](crate::Error::aborted).
    Add(Batch),
    /// Removes the rows with these keys.
    Delete(Keys),
}

/// Rows of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The table.
    pub table: &'static Table,
    /// Its rows.
    pub rows: Vec<Row>,
}

/// Keys of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    /// The table.
    pub table: &'static Table,
    /// Primary keys.
    pub keys: Vec<Row>,
}

/// Rows to read by key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Get {
    /// The table.
    pub table: &'static Table,
    /// The columns of the keys: those of the primary key or of a unique index. A key of an index
    /// has no nulls.
    pub by: &'static [&'static str],
    /// The keys.
    pub keys: Vec<Row>,
    /// Locks the rows in the order of the keys.
    pub lock: Option<Lock>,
}

/// Rows to insert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Insertion {
    /// The table.
    pub table: &'static Table,
    /// Its rows.
    pub rows: Vec<Row>,
    /// Locks the rows that exist already: after the answer, the transaction has inserted or locked
    /// each row.
    pub lock: Option<Lock>,
}

/// Rows to read in the order of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// The table.
    pub table: &'static Table,
    /// The columns of the index to follow: the primary key, or one of the table's indexes.
    pub columns: &'static [&'static str],
    /// What the leading columns must equal; a null equals a null.
    pub equals: Row,
    /// The range of the columns after the leading ones, compared as a tuple. A null is in no range
    /// that has a bound. Rows that are equal in all columns of the index come in any order.
    pub range: (Bound<Row>, Bound<Row>),
    /// Whether to go from the end to the beginning.
    pub reverse: bool,
    /// At most this many rows.
    pub limit: u32,
    /// Locks the rows that are found.
    pub lock: Option<Lock>,
}

impl Scan {
    /// Rows whose leading columns of an index have these values.
    ///
    /// ```
    /// use partnerkit::schema::TOTALS;
    /// use partnerkit::storage::Scan;
    ///
    /// let scan = Scan::all(&TOTALS, TOTALS.key, vec!["northwind".into()], 100);
    /// assert!(scan.has(&vec!["northwind".into(), "messages".into(), 3.into()]));
    /// assert!(!scan.has(&vec!["contoso".into(), "messages".into(), 3.into()]));
    /// ```
    pub fn all(
        table: &'static Table,
        columns: &'static [&'static str],
        equals: Row,
        limit: u32,
    ) -> Self {
        let range = (Bound::Unbounded, Bound::Unbounded);
        Self { table, columns, equals, range, reverse: false, limit, lock: None }
    }

    /// Only rows after this value of the next column.
    ///
    /// ```
    /// use partnerkit::schema::TOTALS;
    /// use partnerkit::storage::Scan;
    ///
    /// let scan = Scan::all(&TOTALS, TOTALS.key, vec!["northwind".into()], 100).after("messages".into());
    /// assert!(scan.has(&vec!["northwind".into(), "team_members".into(), 3.into()]));
    /// assert!(!scan.has(&vec!["northwind".into(), "messages".into(), 3.into()]));
    /// ```
    #[must_use]
    pub fn after(mut self, value: Value) -> Self {
        self.range.0 = Bound::Excluded(vec![value]);
        self
    }

    /// Only rows up to this value of the next column, those with it included.
    ///
    /// ```
    /// use partnerkit::schema::TOTALS;
    /// use partnerkit::storage::Scan;
    ///
    /// let scan = Scan::all(&TOTALS, TOTALS.key, vec!["northwind".into()], 100).through("messages".into());
    /// assert!(scan.has(&vec!["northwind".into(), "messages".into(), 3.into()]));
    /// assert!(!scan.has(&vec!["northwind".into(), "team_members".into(), 3.into()]));
    /// ```
    #[must_use]
    pub fn through(mut self, value: Value) -> Self {
        self.range.1 = Bound::Included(vec![value]);
        self
    }

    /// The columns that a bound of the range is about.
    ///
    /// ```
    /// use partnerkit::schema::TOTALS;
    /// use partnerkit::storage::Scan;
    ///
    /// let scan = Scan::all(&TOTALS, TOTALS.key, vec!["northwind".into()], 100);
    /// assert_eq!(scan.ranged(&vec!["messages".into()]), ["name"]);
    /// ```
    pub fn ranged(&self, bound: &Row) -> &'static [&'static str] {
        let first = self.equals.len();
        &self.columns[first..first + bound.len()]
    }
}

/// The conditions for a reseller's row to be listed or counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// The agency of the resellers.
    pub agency: AgencyId,
    /// Folded terms, each of which must be a substring of the row's `search_text`. They have no
    /// wildcards, and none is empty or contains white space.
    pub terms: Vec<String>,
    /// Further conditions.
    pub conditions: Vec<Condition>,
}

impl Filter {
    /// Every reseller of an agency.
    ///
    /// ```
    /// use partnerkit::AgencyId;
    /// use partnerkit::storage::Filter;
    ///
    /// let filter = Filter::all(AgencyId::parse("northwind").unwrap());
    /// assert!(filter.terms.is_empty() && filter.conditions.is_empty());
    /// ```
    pub fn all(agency: AgencyId) -> Self {
        Self { agency, terms: Vec::new(), conditions: Vec::new() }
    }

    /// Whether it finds every reseller.
    ///
    /// ```
    /// use partnerkit::AgencyId;
    /// use partnerkit::storage::Filter;
    ///
    /// let all = Filter::all(AgencyId::parse("northwind").unwrap());
    /// let some = Filter { terms: vec!["acme".to_owned()], ..all.clone() };
    /// assert!(all.is_all() && !some.is_all());
    /// ```
    pub fn is_all(&self) -> bool {
        self.terms.is_empty() && self.conditions.is_empty()
    }
}

/// A condition on a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The column.
    pub column: &'static str,
    /// What its value must be.
    pub is: Is,
}

/// What a value must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Is {
    /// Equal to this slug. It may be written into a statement as it is, so that a partial index on
    /// it can be used.
    Slug(&'static str),
    /// Greater than or equal to this value.
    AtLeast(Value),
    /// Less than this value.
    Below(Value),
}

/// A page of resellers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageSpec {
    /// The conditions on the resellers.
    pub filter: Filter,
    /// The column by which they are ordered; the id decides between equals.
    pub order: &'static str,
    /// Whether the largest comes first; of equals, the one with the largest id.
    pub descending: bool,
    /// Only rows after the one with this value and id.
    pub after: Option<(Value, Uuid)>,
    /// At most this many rows.
    pub limit: u32,
}

/// How strongly rows are locked until the transaction ends. The strengths are those of PostgreSQL;
/// a store that has fewer uses the next stronger one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// Others may change the rows and lock them weakly, but not remove them or lock them for
    /// `Update`.
    KeyShare,
    /// Nobody may change the rows; others may lock them in share, too.
    Share,
    /// Nobody else may change the rows; others may lock them in `KeyShare`.
    NoKeyUpdate,
    /// Nobody else may lock the rows at all.
    Update,
}

/// The verbs as methods, for stores that gain nothing from getting several queries at once:
/// everything is done at once, one after the other.
pub trait Verbs {
    /// [`Ask::Get`].
    fn get(&mut self, get: &Get) -> Result<Vec<Option<Row>>>;
    /// [`Ask::Scan`].
    fn scan(&mut self, scan: &Scan) -> Result<Vec<Row>>;
    /// [`Ask::Page`].
    fn page(&mut self, spec: &PageSpec) -> Result<Vec<Row>>;
    /// [`Ask::Count`].
    fn count(&mut self, filter: &Filter, cap: u64) -> Result<u64>;
    /// [`Ask::Insert`], without returning existing rows; `false` for each row that is not inserted.
    fn insert(&mut self, batch: &Batch) -> Result<Vec<bool>>;
    /// [`Ask::Update`].
    fn update(&mut self, batch: &Batch) -> Result<Vec<bool>>;
    /// [`Tell::Put`].
    fn put(&mut self, batch: &Batch) -> Result<()>;
    /// [`Tell::Add`].
    fn add(&mut self, batch: &Batch) -> Result<()>;
    /// [`Tell::Delete`].
    fn delete(&mut self, keys: &Keys) -> Result<()>;

    /// [`Ask::Exist`]. The default reads the rows; a store may have a cheaper way.
    fn exist(&mut self, get: &Get) -> Result<Vec<bool>> {
        Ok(self.get(get)?.iter().map(Option::is_some).collect())
    }

    /// [`Ask::Insert`], with the rows that exist already. The default inserts first.
    fn insert_or_get(&mut self, insertion: Insertion) -> Result<Vec<Inserted>> {
        insert_then_get(self, insertion)
    }

    /// [`Ask::Any`]. The default reads the row; a store may have a cheaper way.
    fn any(&mut self, scan: &Scan) -> Result<bool> {
        self.scan(scan).map(|found| !found.is_empty())
    }

    /// [`Ask::Remove`]. The default reads, locks and deletes the rows; a store may have one
    /// statement for it.
    fn remove(&mut self, scan: &Scan) -> Result<u64> {
        remove_by_key(self, scan)
    }
}

/// [`Ask::Remove`], made of the other verbs. It waits for rows that others have locked, instead of
/// skipping them.
pub fn remove_by_key(rows: &mut (impl Verbs + ?Sized), scan: &Scan) -> Result<u64> {
    let Scan { table, .. } = *scan;
    let mut keys: Vec<_> = rows.scan(scan)?.iter().map(|row| table.key_of(row)).collect();
    if keys.is_empty() {
        return Ok(0);
    }
    // The locked rows are checked again: others may have removed or changed them meanwhile.
    keys.sort();
    let get = Get { table, by: table.key, keys, lock: Some(Lock::Update) };
    let held = rows.get(&get)?.into_iter().flatten();
    let keys: Vec<_> = held.filter(|row| scan.has(row)).map(|row| table.key_of(&row)).collect();
    let removed = keys.len() as u64;
    if removed > 0 {
        rows.delete(&Keys { table, keys })?;
    }
    Ok(removed)
}

impl Scan {
    /// Whether a row is one of those that are looked for.
    ///
    /// ```
    /// use partnerkit::schema::TOTALS;
    /// use partnerkit::storage::Scan;
    ///
    /// let mut scan = Scan::all(&TOTALS, TOTALS.key, vec!["northwind".into()], 100);
    /// scan.range.1 = std::ops::Bound::Excluded(vec!["messages".into()]);
    /// assert!(scan.has(&vec!["northwind".into(), "active_resellers".into(), 3.into()]));
    /// assert!(!scan.has(&vec!["northwind".into(), "messages".into(), 3.into()]));
    /// ```
    pub fn has(&self, row: &Row) -> bool {
        let values = self.table.values_of(self.columns, row);
        let (leading, rest) = values.split_at(self.equals.len());
        leading == self.equals.as_slice() && within(&self.range, rest)
    }
}

/// Whether values are in a range; as in SQL, a null is in none, unless it has no bounds.
fn within((from, to): &(Bound<Row>, Bound<Row>), values: &[Value]) -> bool {
    let compared = |bound: &Row| values.get(..bound.len()).filter(|v| !v.contains(&Value::Null));
    let above = match from {
        Bound::Unbounded => true,
        Bound::Included(bound) => compared(bound).is_some_and(|values| values >= bound.as_slice()),
        Bound::Excluded(bound) => compared(bound).is_some_and(|values| values > bound.as_slice()),
    };
    let below = match to {
        Bound::Unbounded => true,
        Bound::Included(bound) => compared(bound).is_some_and(|values| values <= bound.as_slice()),
        Bound::Excluded(bound) => compared(bound).is_some_and(|values| values < bound.as_slice()),
    };
    above && below
}

impl<T: Verbs> Rows for T {
    fn ask(&mut self, questions: Vec<Ask>, answers: &mut Vec<Answer>) -> Result<()> {
        for question in questions {
            answers.push(match question {
                Ask::Get(get) => Answer::Rows(self.get(&get)?),
                Ask::Exist(get) => Answer::Updated(self.exist(&get)?),
                Ask::Scan(scan) => Answer::Found(self.scan(&scan)?),
                Ask::Any(scan) => Answer::Count(self.any(&scan)?.into()),
                Ask::Page(spec) => Answer::Found(self.page(&spec)?),
                Ask::Count(filter, cap) => Answer::Count(self.count(&filter, cap)?),
                Ask::Insert(insertion) => Answer::Inserted(self.insert_or_get(insertion)?),
                Ask::Update(batch) => Answer::Updated(self.update(&batch)?),
                Ask::Remove(scan) => Answer::Count(self.remove(&scan)?),
            });
        }
        Ok(())
    }

    fn tell(&mut self, writes: Vec<Tell>) -> Result<()> {
        writes.into_iter().try_for_each(|write| match write {
            Tell::Put(batch) => self.put(&batch),
            Tell::Add(batch) => self.add(&batch),
            Tell::Delete(keys) => self.delete(&keys),
        })
    }
}

/// Inserts rows, and reads the ones that exist already.
pub(crate) fn insert_then_get(
    rows: &mut (impl Verbs + ?Sized),
    insertion: Insertion,
) -> Result<Vec<Inserted>> {
    let Insertion { table, rows: new, lock } = insertion;
    let batch = Batch { table, rows: new };
    let done = rows.insert(&batch)?;
    let refused = batch.rows.iter().zip(&done).filter(|(_, done)| !**done);
    let keys: Vec<_> = refused.map(|(row, _)| table.key_of(row)).collect();
    let mut existing = match keys.is_empty() {
        true => Vec::new(),
        false => rows.get(&Get { table, by: table.key, keys, lock })?,
    }
    .into_iter();
    let outcome = |done| match done {
        true => Inserted::Done,
        false => existing.next().flatten().map_or(Inserted::Taken, Inserted::Existing),
    };
    Ok(done.into_iter().map(outcome).collect())
}

impl Answer {
    /// The rows of [`Ask::Get`].
    pub(crate) fn rows(self) -> Result<Vec<Option<Row>>> {
        if let Self::Rows(rows) = self { Ok(rows) } else { Err(unasked()) }
    }

    /// The rows of [`Ask::Scan`] or [`Ask::Page`].
    pub(crate) fn found(self) -> Result<Vec<Row>> {
        if let Self::Found(rows) = self { Ok(rows) } else { Err(unasked()) }
    }

    /// The number of [`Ask::Any`], [`Ask::Count`] or [`Ask::Remove`].
    pub(crate) fn count(self) -> Result<u64> {
        if let Self::Count(count) = self { Ok(count) } else { Err(unasked()) }
    }

    /// The outcomes of [`Ask::Insert`].
    pub(crate) fn inserted(self) -> Result<Vec<Inserted>> {
        if let Self::Inserted(inserted) = self { Ok(inserted) } else { Err(unasked()) }
    }

    /// The outcomes of [`Ask::Update`] or [`Ask::Exist`].
    pub(crate) fn updated(self) -> Result<Vec<bool>> {
        if let Self::Updated(updated) = self { Ok(updated) } else { Err(unasked()) }
    }
}

fn unasked() -> Error {
    Error::storage("the storage returned an answer of the wrong type")
}

impl Table {
    /// A row's primary key.
    ///
    /// ```
    /// use partnerkit::schema::TOTALS;
    ///
    /// let row = vec!["northwind".into(), "messages".into(), 3.into()];
    /// assert_eq!(TOTALS.key_of(&row), ["northwind".into(), "messages".into()]);
    /// ```
    pub fn key_of(&self, row: &Row) -> Row {
        self.values_of(self.key, row)
    }

    /// A row's values in these columns.
    ///
    /// ```
    /// use partnerkit::schema::TOTALS;
    ///
    /// let row = vec!["northwind".into(), "messages".into(), 3.into()];
    /// assert_eq!(TOTALS.values_of(&["value", "name"], &row), [3.into(), "messages".into()]);
    /// ```
    pub fn values_of(&self, columns: &[&str], row: &Row) -> Row {
        columns.iter().map(|name| row[self.place(name)].clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema;

    #[test]
    fn a_null_is_in_no_range_that_has_an_end() {
        let scan = |equals| Scan::all(&schema::LABELS, &["quarantined_until"], equals, 1);
        let row = |until| {
            let text = |text: &str| Value::Text(text.to_owned());
            vec![text("acme"), text("northwind"), Value::Null, until]
        };
        let (held, free) = (row(Value::Null), row(Value::Integer(5)));
        assert!(scan(Row::new()).has(&held) && scan(vec![Value::Null]).has(&held));
        assert!(!scan(Row::new()).after(Value::Integer(i64::MIN)).has(&held));
        assert!(!scan(Row::new()).through(Value::Integer(i64::MAX)).has(&held));
        assert!(scan(Row::new()).through(Value::Integer(5)).has(&free));
        assert!(!scan(Row::new()).through(Value::Integer(4)).has(&free));
        assert!(!scan(Row::new()).after(Value::Integer(5)).has(&free));
    }
}
