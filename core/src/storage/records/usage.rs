//! Rows of usage: events, meters, rollups.

use super::{Entity, agency_key, id, instant, optional_text, text};
use crate::error::Result;
use crate::storage::schema::{self, Fields, Row, Table, Value, damaged};
use crate::usage::{DayKey, DayRollup, Event, EventId, Meter, MeterKey, Period};
use crate::values::AgencyId;

impl Entity for Event {
    const TABLE: &'static Table = &schema::EVENTS;

    type Key = EventId;

    fn key_row(agency: &AgencyId, key: &Self::Key) -> Row {
        agency_key(agency, [text(key)])
    }

    fn to_row(&self, agency: &AgencyId) -> Result<Row> {
        Ok(vec![
            text(agency),
            text(&self.id),
            id(self.reseller),
            text(self.metric.slug()),
            Value::Integer(self.quantity),
            instant(self.at),
        ])
    }

    fn read(fields: &mut Fields) -> Result<Self> {
        fields.skip()?;
        Ok(Self {
            id: EventId::from_stored(fields.text()?),
            reseller: fields.id()?,
            metric: fields.metric()?,
            quantity: fields.integer()?,
            at: fields.instant()?,
        })
    }
}

impl Entity for Meter {
    const TABLE: &'static Table = &schema::METERS;

    type Key = MeterKey;

    fn key_row(agency: &AgencyId, key: &Self::Key) -> Row {
        agency_key(agency, [id(key.reseller), text(key.metric.slug())])
    }

    fn to_row(&self, agency: &AgencyId) -> Result<Row> {
        Ok(vec![
            text(agency),
            id(self.key.reseller),
            text(self.key.metric.slug()),
            Value::Integer(self.value),
            Value::Integer(self.events),
            instant(self.period.start),
            Value::Integer(self.period_used),
            instant(self.last_at),
            optional_text(self.last_event.as_ref()),
            self.limit.map_or(Value::Null, Value::Integer),
            instant(self.period.end),
        ])
    }

    fn read(fields: &mut Fields) -> Result<Self> {
        fields.skip()?;
        let mut meter = Self {
            key: MeterKey { reseller: fields.id()?, metric: fields.metric()? },
            value: fields.integer()?,
            events: fields.integer()?,
            period: Period { start: fields.instant()?, ..Period::NONE },
            period_used: fields.integer()?,
            last_at: fields.instant()?,
            last_event: fields.optional_text()?.map(EventId::from_stored),
            limit: fields.optional_integer()?,
        };
        meter.period.end = fields.instant()?;
        Ok(meter)
    }
}

impl Entity for DayRollup {
    const TABLE: &'static Table = &schema::ROLLUPS;

    type Key = DayKey;

    fn key_row(agency: &AgencyId, key: &Self::Key) -> Row {
        agency_key(
            agency,
            [Value::Integer(key.day.into()), id(key.meter.reseller), text(key.meter.metric.slug())],
        )
    }

    fn to_row(&self, agency: &AgencyId) -> Result<Row> {
        Ok(vec![
            text(agency),
            Value::Integer(self.key.day.into()),
            id(self.key.meter.reseller),
            text(self.key.meter.metric.slug()),
            Value::Integer(self.sum),
            Value::Integer(self.events),
            Value::Bytes(self.packed()?),
        ])
    }

    fn read(fields: &mut Fields) -> Result<Self> {
        fields.skip()?;
        let day = i32::try_from(fields.integer()?).map_err(|_| damaged())?;
        let meter = MeterKey { reseller: fields.id()?, metric: fields.metric()? };
        Ok(Self {
            key: DayKey { day, meter },
            sum: fields.integer()?,
            events: fields.integer()?,
            slots: Self::unpacked(&fields.bytes()?)?,
        })
    }
}

/// A total of an agency, by name.
#[derive(Debug)]
pub(crate) struct TotalRow {
    pub name: String,
    pub value: i64,
}

impl Entity for TotalRow {
    const TABLE: &'static Table = &schema::TOTALS;
    type Key = String;

    fn key_row(agency: &AgencyId, key: &String) -> Row {
        agency_key(agency, [text(key)])
    }

    fn to_row(&self, agency: &AgencyId) -> Result<Row> {
        Ok(vec![text(agency), text(&self.name), Value::Integer(self.value)])
    }

    fn read(fields: &mut Fields) -> Result<Self> {
        fields.skip()?;
        Ok(Self { name: fields.text()?, value: fields.integer()? })
    }
}
