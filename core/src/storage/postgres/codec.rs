//! The schema's values on the wire, in Postgres' binary form.

use std::error::Error as StdError;

use bytes::BytesMut;
use tokio_postgres::Row as PgRow;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use uuid::Uuid;

use crate::error::Result;
use crate::storage::entity::Entity;
use crate::storage::schema::{Kind, Row, Table, Value, damaged};

type Coded<T> = std::result::Result<T, Box<dyn StdError + Sync + Send>>;

/// A parameter with its type, so that a statement needs no preparing.
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

    pub fn integer(integer: i64) -> Self {
        Self::one(Kind::Integer, Value::Integer(integer))
    }

    pub fn text(text: impl AsRef<str>) -> Self {
        Self::one(Kind::Text, Value::Text(text.as_ref().to_owned()))
    }

    pub fn uuid(uuid: Uuid) -> Self {
        Self::one(Kind::Uuid, Value::Uuid(uuid))
    }

    pub fn texts<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Self {
        let values = texts.into_iter().map(|text| Value::Text(text.as_ref().to_owned()));
        Self::many(Kind::Text, values.collect())
    }
}

/// A row as parameters in the order of its table's columns.
pub(super) fn row_params(table: &Table, row: Row) -> Vec<Param> {
    table.columns.iter().zip(row).map(|(column, value)| Param::one(column.kind, value)).collect()
}

/// Rows as one array for each of the given columns.
pub(super) fn array_params(kinds: impl IntoIterator<Item = Kind>, rows: Vec<Row>) -> Vec<Param> {
    let mut columns: Vec<_> =
        kinds.into_iter().map(|kind| (kind, Vec::with_capacity(rows.len()))).collect();
    for row in rows {
        for ((_, column), value) in columns.iter_mut().zip(row) {
            column.push(value);
        }
    }
    columns.into_iter().map(|(kind, values)| Param::many(kind, values)).collect()
}

/// A row of a record's table, and what the statement selects behind its columns.
pub(super) fn read<R: Entity>(row: &PgRow) -> Result<R> {
    R::from_row((0..R::TABLE.columns.len()).map(|i| value(row, i)).collect::<Result<_>>()?)
}

pub(super) fn value(row: &PgRow, column: usize) -> Result<Value> {
    row.try_get(column).map_err(|_| damaged())
}

pub(super) fn integer(row: &PgRow, column: usize) -> Result<i64> {
    row.try_get(column).map_err(|_| damaged())
}

pub(super) fn text(row: &PgRow, column: usize) -> Result<String> {
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
