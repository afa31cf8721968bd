//! Encoding and decoding the schema's values in PostgreSQL's binary format.

use std::error::Error as StdError;

use bytes::BytesMut;
use tokio_postgres::Row as PgRow;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use uuid::Uuid;

use crate::error::Result;
use crate::schema::{Kind, Row, Table, Value, damaged};

type Coded<T> = std::result::Result<T, Box<dyn StdError + Sync + Send>>;

/// A parameter with its type, so that a statement need not be prepared.
#[derive(Debug, Clone)]
pub(super) struct Param {
    pub kind: Type,
    data: Data,
}

#[derive(Debug, Clone)]
enum Data {
    One(Value),
    Many(Vec<Value>),
}

impl Param {
    pub fn one(kind: Kind, value: Value) -> Self {
        Self { kind: scalar(kind), data: Data::One(value) }
    }

    pub fn many(kind: Kind, values: Vec<Value>) -> Self {
        Self { kind: array(kind), data: Data::Many(values) }
    }
}

/// A row's values in some columns, as parameters.
pub(super) fn params(table: &Table, columns: &[&str], row: Row) -> Vec<Param> {
    let kinds = columns.iter().map(|column| kind(table, column));
    kinds.zip(row).map(|(kind, value)| Param::one(kind, value)).collect()
}

/// The values of many rows in some columns, as one array for each column. If the agency comes
/// first, it is a single parameter for all rows.
pub(super) fn params_of_many(table: &Table, columns: &[&str], rows: Vec<Row>) -> Vec<Param> {
    let (shared, own) = columns.split_at(usize::from(columns.first() == Some(&"agency")));
    let of_all = rows.first().map(|row| row[..shared.len()].to_vec()).unwrap_or_default();
    let mut arrays = vec![Vec::with_capacity(rows.len()); own.len()];
    for row in rows {
        let values = row.into_iter().skip(shared.len());
        arrays.iter_mut().zip(values).for_each(|(array, value)| array.push(value));
    }
    let arrays =
        own.iter().zip(arrays).map(|(column, array)| Param::many(kind(table, column), array));
    params(table, shared, of_all).into_iter().chain(arrays).collect()
}

fn kind(table: &Table, column: &str) -> Kind {
    table.columns[table.place(column)].kind
}

/// A row of a table, from a statement that selects all columns of the table first.
pub(super) fn row(table: &Table, row: &PgRow) -> Result<Row> {
    (0..table.columns.len()).map(|i| value(row, i)).collect()
}

/// All columns that a statement has selected.
pub(super) fn values(row: &PgRow) -> Result<Row> {
    (0..row.len()).map(|i| value(row, i)).collect()
}

fn value(row: &PgRow, column: usize) -> Result<Value> {
    row.try_get(column).map_err(|_| damaged())
}

pub(super) fn integer(row: &PgRow, column: usize) -> Result<i64> {
    row.try_get(column).map_err(|_| damaged())
}

/// Converts a place that counts from 1 into one that counts from 0.
pub(super) fn place(row: &PgRow, column: usize) -> Result<usize> {
    usize::try_from(integer(row, column)? - 1).map_err(|_| damaged())
}

pub(super) fn text(row: &PgRow, column: usize) -> Result<&str> {
    row.try_get(column).map_err(|_| damaged())
}

fn scalar(kind: Kind) -> Type {
    match kind {
        Kind::Integer => Type::INT8,
        Kind::Text => Type::TEXT,
        Kind::Bytes => Type::BYTEA,
        Kind::Uuid => Type::UUID,
    }
}

fn array(kind: Kind) -> Type {
    match kind {
        Kind::Integer => Type::INT8_ARRAY,
        Kind::Text => Type::TEXT_ARRAY,
        Kind::Bytes => Type::BYTEA_ARRAY,
        Kind::Uuid => Type::UUID_ARRAY,
    }
}

fn is_ours(kind: &Type) -> bool {
    [Type::INT8, Type::TEXT, Type::BYTEA, Type::UUID].contains(kind)
}

impl ToSql for Param {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Coded<IsNull> {
        match &self.data {
            Data::One(value) => value.to_sql(kind, out),
            Data::Many(values) => values.to_sql(kind, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true // it brings its type along
    }

    to_sql_checked!();
}

impl ToSql for Value {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Coded<IsNull> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Integer(integer) => integer.to_sql(kind, out),
            Self::Text(text) => text.to_sql(kind, out),
            Self::Bytes(bytes) => bytes.to_sql(kind, out),
            Self::Uuid(uuid) => {
                out.extend_from_slice(uuid.as_bytes());
                Ok(IsNull::No)
            }
        }
    }

    fn accepts(kind: &Type) -> bool {
        is_ours(kind)
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Value {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Coded<Self> {
        Ok(match *kind {
            Type::INT8 => Self::Integer(i64::from_sql(kind, raw)?),
            Type::BYTEA => Self::Bytes(raw.to_vec()),
            Type::UUID => Self::Uuid(Uuid::from_slice(raw)?),
            _ => Self::Text(String::from_sql(kind, raw)?),
        })
    }

    fn from_sql_null(_: &Type) -> Coded<Self> {
        Ok(Self::Null)
    }

    fn accepts(kind: &Type) -> bool {
        is_ours(kind)
    }
}
