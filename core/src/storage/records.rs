//! Records as rows: for each record, one way there and one way back, for every backend.

mod agencies;
mod changes;
mod resellers;
mod usage;

use serde::{Serialize, de::DeserializeOwned};

pub use agencies::{AgencyRow, IdempotencyRow, LabelRow, LabelState, SecretRow};
pub(crate) use changes::PendingChange;
pub(crate) use resellers::CredentialsRow;
pub use resellers::NewReseller;
pub(crate) use usage::TotalRow;

use super::schema::{Fields, Row, Table, Value, damaged};
use crate::error::Result;
use crate::reseller::ResellerId;
use crate::usage::Metric;
use crate::values::{AgencyId, Timestamp};

/// Something that is stored as one row of one table.
pub(crate) trait Entity: Sized {
    const TABLE: &'static Table;
    type Key;

    /// The primary key of its table.
    fn key_row(agency: &AgencyId, key: &Self::Key) -> Row;

    /// The row, in the order of the table's columns.
    fn to_row(&self, agency: &AgencyId) -> Result<Row>;

    /// The record, from the table's columns.
    fn read(fields: &mut Fields) -> Result<Self>;

    fn from_row(row: Row) -> Result<Self> {
        Self::read(&mut Fields::of(row))
    }
}

fn agency_key(agency: &AgencyId, rest: impl IntoIterator<Item = Value>) -> Row {
    std::iter::once(text(agency)).chain(rest).collect()
}

fn text(text: impl AsRef<str>) -> Value {
    Value::Text(text.as_ref().to_owned())
}

fn json(value: &impl Serialize) -> Result<Value> {
    serde_json::to_string(value).map(Value::Text).map_err(|_| damaged())
}

fn optional_text<T: AsRef<str>>(value: Option<&T>) -> Value {
    value.map_or(Value::Null, text)
}

fn unsigned(number: u64) -> Value {
    Value::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}

fn instant(at: Timestamp) -> Value {
    Value::Integer(at.as_millis())
}

fn id(reseller: ResellerId) -> Value {
    Value::Uuid(reseller.as_uuid())
}

impl Fields {
    fn unsigned(&mut self) -> Result<u64> {
        u64::try_from(self.integer()?).map_err(|_| damaged())
    }

    fn instant(&mut self) -> Result<Timestamp> {
        self.integer().map(Timestamp::from_millis)
    }

    fn id(&mut self) -> Result<ResellerId> {
        self.uuid().map(ResellerId::from_uuid)
    }

    fn json<T: DeserializeOwned>(&mut self) -> Result<T> {
        serde_json::from_str(&self.text()?).map_err(|_| damaged())
    }

    fn metric(&mut self) -> Result<Metric> {
        Metric::from_slug(&self.text()?).ok_or_else(damaged)
    }
}
