//! Reading and writing rows by statements in a transaction or a snapshot.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, params_from_iter};
use uuid::Uuid;

use super::failure::storage_error;
use super::snapshot::Snapshot;
use super::words::IndexChange;
use crate::error::{Error, Result};
use crate::schema::{Column, Kind, Row, Table, Value, damaged};
use crate::storage::newest::Newest;
use crate::storage::sql::{Dialect, Statements, Terms, statements};

pub(super) const DIALECT: Dialect =
    Dialect { prefix: "", parameter: '?', agency: NUMBER, terms: Terms::Instr, replaces: true };

/// The number that an agency's rows hold instead of its id; the id is the first parameter.
pub(super) const NUMBER: &str = "(SELECT number FROM agencies WHERE agency = ?1)";

static STATEMENTS: LazyLock<BTreeMap<&'static str, Statements>> =
    LazyLock::new(|| statements(DIALECT));

/// The dialect in which the first parameter is an agency's number.
const NUMBERED: Dialect = Dialect { agency: "?1", ..DIALECT };

static NUMBERED_STATEMENTS: LazyLock<BTreeMap<&'static str, Statements>> =
    LazyLock::new(|| statements(NUMBERED));

/// The statements of a table whose first parameter is what its rows hold of the agency: see
/// [`Rows::owner`].
pub(super) fn numbered(table: &Table) -> &'static Statements {
    &NUMBERED_STATEMENTS[table.name]
}

/// The statements of a table.
pub(super) fn statements_of(table: &Table) -> &'static Statements {
    &STATEMENTS[table.name]
}

/// How rows are stored.
pub(super) struct Store<'s> {
    pub sql: &'s str,
    /// Whether a row with the key may exist already.
    pub may_exist: bool,
    /// Reads from the statement's result whether the row was stored.
    pub is_stored: fn(rusqlite::Result<usize>) -> Result<bool>,
}

struct OnlyRead<'c> {
    snapshot: Snapshot<'c>,
    /// The samples by which searches are planned.
    newest: &'c Newest,
}

/// The rows of a database, on a connection that writes in a transaction, or reads from a snapshot,
/// which begins with the first question.
pub(super) struct Rows<'c> {
    connection: &'c Connection,
    /// The agency that was last asked for its number, and the number.
    owner: Option<(Value, Value)>,
    /// What only a read has.
    reading: Option<OnlyRead<'c>>,
    /// Changes that are not in the search index yet.
    pub unindexed: Vec<IndexChange>,
}

impl<'c> Rows<'c> {
    pub fn of(connection: &'c Connection) -> Self {
        Self { connection, owner: None, reading: None, unindexed: Vec::new() }
    }

    /// Rows that are only read.
    pub fn of_reader(connection: &'c Connection, newest: &'c Newest) -> Self {
        let reading = OnlyRead { snapshot: Snapshot::of(connection), newest };
        Self { reading: Some(reading), ..Self::of(connection) }
    }

    /// The samples by which searches are planned; a transaction that writes has none.
    pub fn newest(&self) -> Option<&'c Newest> {
        self.reading.as_ref().map(|reading| reading.newest)
    }

    pub fn prepare(&self, sql: &str) -> Result<CachedStatement<'c>> {
        if let Some(OnlyRead { snapshot, .. }) = &self.reading {
            snapshot.begin()?;
        }
        self.connection.prepare_cached(sql).map_err(storage_error)
    }

    /// What rows of a table hold of the agency that is the first value of their keys: its number,
    /// if they belong to an agency. It is looked up once for many rows.
    pub fn owner(&mut self, table: &Table, agency: &Value) -> Result<Value> {
        if !table.of_agency() {
            return Ok(agency.clone());
        }
        if let Some((known, number)) = &self.owner
            && known == agency
        {
            return Ok(number.clone());
        }
        let mut statement = self.prepare("SELECT number FROM agencies WHERE agency = ?1")?;
        let mut rows = statement.query(bound([agency])).map_err(storage_error)?;
        let number = match rows.next().map_err(storage_error)? {
            Some(row) => Value::Integer(row.get(0).map_err(storage_error)?),
            None => Value::Null,
        };
        self.owner = Some((agency.clone(), number.clone()));
        Ok(number)
    }

    /// Forgets the number of an agency, because the agencies are changed.
    pub fn forget_owner(&mut self) {
        self.owner = None;
    }

    /// What is read from the first row of a statement, if it is the first question of a read.
    pub fn begin_with<T>(
        &self,
        sql: &str,
        parameters: &[Value],
        read: impl FnOnce(&rusqlite::Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        match &self.reading {
            Some(OnlyRead { snapshot, .. }) => snapshot.begin_with(sql, parameters, read),
            None => Ok(None),
        }
    }

    /// Whether a statement finds a row.
    pub fn finds(&self, sql: &str, parameters: &[Value]) -> Result<bool> {
        if self.begin_with(sql, parameters, |_| Ok(()))?.is_some() {
            return Ok(true);
        }
        self.prepare(sql)?.exists(bound(parameters)).map_err(storage_error)
    }

    /// Complete rows of a table, in the order of the statement.
    pub fn find(&self, sql: &str, table: &Table, parameters: &[Value]) -> Result<Vec<Row>> {
        let mut found = Vec::new();
        let mut statement = self.prepare(sql)?;
        let mut rows = statement.query(bound(parameters)).map_err(storage_error)?;
        while let Some(row) = rows.next().map_err(storage_error)? {
            found.push(read_row(table, parameters, row)?);
        }
        Ok(found)
    }

    /// The one number that a statement returns.
    pub fn number(&self, sql: &str, parameters: &[Value]) -> Result<i64> {
        let parameters = bound(parameters);
        self.prepare(sql)?.query_row(parameters, |row| row.get(0)).map_err(storage_error)
    }

    /// Runs a statement, and returns the number of rows that it wrote.
    pub fn execute(&self, sql: &str, parameters: &[Value]) -> Result<usize> {
        self.in_transaction()?;
        self.prepare(sql)?.execute(bound(parameters)).map_err(storage_error)
    }

    /// The number of the row that was inserted last.
    pub fn inserted(&self) -> i64 {
        self.connection.last_insert_rowid()
    }

    /// Fails if the transaction is no longer open. Some errors of SQLite end it; if the work
    /// ignores such an error, its next write would be a transaction of its own.
    pub fn in_transaction(&self) -> Result<()> {
        let given_up = || Error::storage("SQLite rolled the transaction back");
        if self.connection.is_autocommit() { Err(given_up()) } else { Ok(()) }
    }
}

/// Values as the parameters of a statement.
pub(super) fn bound<'v>(values: impl IntoIterator<Item = &'v Value>) -> impl rusqlite::Params {
    params_from_iter(values.into_iter().map(Parameter))
}

/// A row or key as the parameters of a [`numbered`] statement.
pub(super) fn owned<'v>(owner: &'v Value, row: &'v [Value]) -> impl rusqlite::Params {
    bound(std::iter::once(owner).chain(&row[1..]))
}

/// A row's values at the places of its key as the parameters of a [`numbered`] statement.
pub(super) fn key_of<'v>(
    owner: &'v Value,
    row: &'v [Value],
    places: &'v [usize],
) -> impl rusqlite::Params {
    bound(std::iter::once(owner).chain(places[1..].iter().map(|place| &row[*place])))
}

/// The values of parameters without their kinds, which SQLite does not need.
pub(super) fn values(params: Vec<(Kind, Value)>) -> Vec<Value> {
    params.into_iter().map(|(_, value)| value).collect()
}

/// A value as a parameter of a statement.
struct Parameter<'v>(&'v Value);

impl ToSql for Parameter<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null => ValueRef::Null,
            Value::Integer(integer) => ValueRef::Integer(*integer),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Bytes(bytes) => ValueRef::Blob(bytes),
            Value::Uuid(uuid) => ValueRef::Blob(uuid.as_bytes()),
        }))
    }
}

/// Reads a complete row. A row of an agency has the agency's number, which is replaced by its id,
/// the first parameter.
pub(super) fn read_row(
    table: &Table,
    parameters: &[Value],
    row: &rusqlite::Row<'_>,
) -> Result<Row> {
    // Allocated at once: collecting results would not know the size.
    let mut values = Row::with_capacity(table.columns.len());
    for (i, column) in table.columns.iter().enumerate() {
        values.push(match parameters.first() {
            Some(agency) if table.of_agency() && i == 0 => agency.clone(),
            _ if column.derived => Value::Null,
            _ => read_value(column, row.get_ref(i).map_err(storage_error)?)?,
        });
    }
    Ok(values)
}

/// Reads the stored row over one that has the same key, whose values are kept.
pub(super) fn read_over(
    table: &Table,
    mut values: Row,
    key: &[usize],
    row: &rusqlite::Row<'_>,
) -> Result<Row> {
    for (i, column) in table.columns.iter().enumerate() {
        if !key.contains(&i) {
            values[i] = match column.derived {
                true => Value::Null,
                false => read_value(column, row.get_ref(i).map_err(storage_error)?)?,
            };
        }
    }
    Ok(values)
}

fn read_value(column: &Column, value: ValueRef<'_>) -> Result<Value> {
    Ok(match (column.kind, value) {
        (_, ValueRef::Null) => Value::Null,
        (Kind::Integer, ValueRef::Integer(integer)) => Value::Integer(integer),
        (Kind::Text, ValueRef::Text(text)) => {
            Value::Text(std::str::from_utf8(text).map_err(|_| damaged())?.to_owned())
        }
        (Kind::Bytes, ValueRef::Blob(bytes)) => Value::Bytes(bytes.to_vec()),
        (Kind::Uuid, ValueRef::Blob(bytes)) => {
            Value::Uuid(Uuid::from_slice(bytes).map_err(|_| damaged())?)
        }
        _ => return Err(damaged()),
    })
}
