//! Rows of the change feed, numbered and not.

use uuid::Uuid;

use super::{Entity, agency_key, id, instant, json, optional_text, text, unsigned};
use crate::changes::{Change, ChangeKind};
use crate::error::Result;
use crate::reseller::ResellerId;
use crate::storage::schema::{self, Fields, Row, Table, Value, damaged};
use crate::values::{AgencyId, Timestamp};

/// An entry that has no number yet.
pub(crate) struct PendingChange(pub Change);

impl Entity for PendingChange {
    const TABLE: &'static Table = &schema::PENDING_CHANGES;

    type Key = (Timestamp, u64, Uuid);

    fn key_row(agency: &AgencyId, key: &Self::Key) -> Row {
        agency_key(agency, [instant(key.0), unsigned(key.1), Value::Uuid(key.2)])
    }

    fn to_row(&self, agency: &AgencyId) -> Result<Row> {
        let mut row = vec![text(agency)];
        row.extend(change_columns(&self.0)?);
        Ok(row)
    }

    fn read(fields: &mut Fields) -> Result<Self> {
        fields.skip()?;
        read_change(0, fields).map(Self)
    }
}

impl Entity for Change {
    const TABLE: &'static Table = &schema::CHANGES;

    type Key = u64;

    fn key_row(agency: &AgencyId, key: &Self::Key) -> Row {
        agency_key(agency, [unsigned(*key)])
    }

    fn to_row(&self, agency: &AgencyId) -> Result<Row> {
        let mut row = vec![text(agency), unsigned(self.sequence)];
        row.extend(change_columns(self)?);
        Ok(row)
    }

    fn read(fields: &mut Fields) -> Result<Self> {
        fields.skip()?;
        let sequence = fields.unsigned()?;
        read_change(sequence, fields)
    }
}

/// The columns that both tables of changes end with.
fn change_columns(change: &Change) -> Result<Row> {
    Ok(vec![
        instant(change.at),
        unsigned(change.version),
        Value::Uuid(change.id),
        text(change.kind.slug()),
        change.reseller.map_or(Value::Null, id),
        optional_text(change.actor.as_ref()),
        json(&change.fields)?,
    ])
}

fn read_change(sequence: u64, fields: &mut Fields) -> Result<Change> {
    let at = fields.instant()?;
    let version = fields.unsigned()?;
    let id: Uuid = fields.uuid()?;
    let kind = ChangeKind::from_slug(&fields.text()?).ok_or_else(damaged)?;
    let reseller = fields.optional_uuid()?.map(ResellerId::from_uuid);
    let actor = fields.optional_text()?;
    let fields = fields.json()?;
    Ok(Change { sequence, id, kind, reseller, version, at, actor, fields })
}
