//! Records in and out of SQLite, by the statements that follow from the schema.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, params_from_iter};
use uuid::Uuid;

use super::failure::storage_error;
use super::words::IndexChange;
use crate::error::{Error, Result};
use crate::reseller::ResellerId;
use crate::storage::LabelRow;
use crate::storage::entity::Entity;
use crate::storage::schema::{Column, Kind, Row, Table, Value, damaged};
use crate::storage::sql::{Dialect, Statements, Terms, statements};
use crate::usage::MeterKey;
use crate::values::{AgencyId, LoginDomain};

pub(super) const DIALECT: Dialect =
    Dialect { prefix: "", parameter: '?', agency: NUMBER, terms: Terms::Instr, skip_locked: "" };

/// The number that an agency's rows hold instead of its id, which is the first parameter.
pub(super) const NUMBER: &str = "(SELECT number FROM agencies WHERE agency = ?1)";

static STATEMENTS: LazyLock<BTreeMap<&'static str, Statements>> =
    LazyLock::new(|| statements(DIALECT));

/// One agency's rows, on a connection that has begun a transaction.
pub(super) struct Rows<'c> {
    pub connection: &'c Connection,
    pub agency: &'c AgencyId,
    /// What the search index has not been told yet.
    pub unindexed: Vec<IndexChange>,
}

impl<'c> Rows<'c> {
    pub fn of(connection: &'c Connection, agency: &'c AgencyId) -> Self {
        Self { connection, agency, unindexed: Vec::new() }
    }

    pub fn prepare(&self, sql: &str) -> Result<CachedStatement<'c>> {
        self.connection.prepare_cached(sql).map_err(storage_error)
    }

    /// A primary key that the agency leads.
    pub fn key(&self, rest: impl IntoIterator<Item = Value>) -> Row {
        std::iter::once(Value::Text(self.agency.as_str().to_owned())).chain(rest).collect()
    }

    pub fn id_key(&self, id: ResellerId) -> Row {
        self.key([Value::Uuid(id.as_uuid())])
    }

    pub fn meter_key(&self, key: MeterKey) -> Row {
        let metric = Value::Text(key.metric.slug().to_owned());
        self.key([Value::Uuid(key.reseller.as_uuid()), metric])
    }

    pub fn get<R: Entity>(&self, key: &Row) -> Result<Option<R>> {
        let mut statement = self.prepare(&STATEMENTS[R::TABLE.name].get)?;
        let mut rows = statement.query(bound(key)).map_err(storage_error)?;
        let row = rows.next().map_err(storage_error)?;
        row.map(|row| R::from_row(self.read_row(R::TABLE, row)?)).transpose()
    }

    /// Records of whole rows of their table, in the order of the statement.
    pub fn query<R: Entity>(&self, sql: &str, parameters: &[Value]) -> Result<Vec<R>> {
        let mut statement = self.prepare(sql)?;
        let mut rows = statement.query(bound(parameters)).map_err(storage_error)?;
        let mut records = Vec::new();
        while let Some(row) = rows.next().map_err(storage_error)? {
            records.push(R::from_row(self.read_row(R::TABLE, row)?)?);
        }
        Ok(records)
    }

    /// Whether the record was inserted.
    pub fn insert<R: Entity>(&self, record: &R) -> Result<bool> {
        self.insert_row(R::TABLE, &record.to_row(self.agency)?)
    }

    pub fn insert_row(&self, table: &Table, row: &Row) -> Result<bool> {
        Ok(self.execute(&STATEMENTS[table.name].insert, row)? == 1)
    }

    pub fn put<R: Entity>(&self, record: &R) -> Result<()> {
        let row = record.to_row(self.agency)?;
        self.execute(&STATEMENTS[R::TABLE.name].put, &row).map(drop)
    }

    /// Whether the record was updated; not when a unique index refuses it.
    pub fn update<R: Entity>(&self, record: &R) -> Result<bool> {
        self.in_transaction()?;
        let row = record.to_row(self.agency)?;
        let mut statement = self.prepare(&STATEMENTS[R::TABLE.name].update)?;
        match statement.execute(bound(&row)) {
            Ok(updated) => Ok(updated == 1),
            Err(error) if is_unique_violation(&error) => Ok(false),
            Err(error) => Err(storage_error(error)),
        }
    }

    pub fn delete(&self, table: &Table, key: &Row) -> Result<()> {
        self.execute(&STATEMENTS[table.name].delete, key).map(drop)
    }

    pub fn execute(&self, sql: &str, parameters: &[Value]) -> Result<usize> {
        self.in_transaction()?;
        let parameters = bound(parameters);
        self.prepare(sql)?.execute(parameters).map_err(storage_error)
    }

    /// Some errors of SQLite end the transaction: whatever is written after one, by work that
    /// passes over it, would be a transaction of its own.
    pub fn in_transaction(&self) -> Result<()> {
        let given_up = || Error::storage("SQLite has given the transaction up");
        if self.connection.is_autocommit() { Err(given_up()) } else { Ok(()) }
    }

    /// The one number that a statement answers.
    pub fn number(&self, sql: &str, parameters: &[Value]) -> Result<i64> {
        let parameters = bound(parameters);
        self.prepare(sql)?.query_row(parameters, |row| row.get(0)).map_err(storage_error)
    }

    fn read_row(&self, table: &Table, row: &rusqlite::Row<'_>) -> Result<Row> {
        // Its size is known, which a `collect` of results does not see.
        let mut values = Row::with_capacity(table.columns.len());
        for (i, column) in table.columns.iter().enumerate() {
            values.push(if table.of_agency() && i == 0 {
                Value::Text(self.agency.as_str().to_owned()) // stored as a number
            } else {
                read_value(column, row.get_ref(i).map_err(storage_error)?)?
            });
        }
        Ok(values)
    }

    pub fn labels(&self, labels: &[LoginDomain]) -> Result<Vec<Option<LabelRow>>> {
        labels.iter().map(|label| self.get(&vec![Value::Text(label.to_string())])).collect()
    }
}

/// Values as the parameters of a statement.
pub(super) fn bound(values: &[Value]) -> impl rusqlite::Params + '_ {
    params_from_iter(values.iter().map(Parameter))
}

/// The values of parameters; SQLite needs no kinds.
pub(super) fn values(params: Vec<(Kind, Value)>) -> impl Iterator<Item = Value> {
    params.into_iter().map(|(_, value)| value)
}

/// Only the statement was undone, and the transaction goes on.
fn is_unique_violation(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error().map(|failure| failure.extended_code);
    code == Some(rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE)
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
