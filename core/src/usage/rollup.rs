//! The rollup: one reseller's use of one metric on one UTC day, by quarter-hour.
//!
//! Every hour, day and month of every IANA zone since 1980 begins on a quarter-hour. So a period is
//! summed from the day's sum for whole days, and from the slots at its edges.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Event, MeterKey, MetricKind, Period};
use crate::agency::AgencyRow;
use crate::error::{Error, Result};
use crate::schema::entity::{Fields, Stored, entity, stored, unnamed};
use crate::schema::{Column, Kind, Row, Value, damaged};
use crate::values::Timestamp;

stored! {
    /// One day of one reseller's use of one metric.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub struct DayKey {
        /// The UTC day, counted from 1970-01-01. It comes first in the key, so that the rows of one
        /// day are neighbours, which makes ingest fast.
        pub day: i32,
        /// The reseller and the metric.
        pub meter: MeterKey,
    }
}

impl DayKey {
    /// The day an event falls on.
    ///
    /// ```
    /// use partnerkit::{DayKey, Event, EventId, Metric, ResellerId, Timestamp};
    ///
    /// let event = Event {
    ///     id: EventId::parse("msg-1").unwrap(),
    ///     reseller: ResellerId::from_uuid(uuid::Uuid::nil()),
    ///     metric: Metric::MESSAGES,
    ///     quantity: 3,
    ///     at: Timestamp::from_millis(86_400_000),
    /// };
    /// assert_eq!(DayKey::of(&event).day, 1);
    /// ```
    pub fn of(event: &Event) -> Self {
        let meter = MeterKey { reseller: event.reseller, metric: event.metric };
        Self { day: event.at.utc_day(), meter }
    }
}

/// The use in a quarter-hour. A counter has a sum; a gauge has levels, which are never summed.
/// Fields of the other kind are zero and take one byte each when packed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// The number of events.
    pub events: u64,
    /// A counter's sum.
    pub sum: i64,
    /// A gauge's smallest level.
    pub min: i64,
    /// A gauge's largest level.
    pub max: i64,
    /// A gauge's latest level.
    pub last: i64,
    /// The time of the latest level, in milliseconds since the epoch.
    pub last_at: i64,
    /// The id of the latest event, which decides between events of one millisecond.
    pub last_event: String,
}

stored! {
    /// One day of one reseller's use of one metric.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct DayRollup {
        /// One day of one reseller's use of one metric.
        pub key: DayKey,
        /// A counter's sum over the day.
        pub sum: i64,
        /// The number of events.
        pub events: i64,
        /// The quarter-hours in which something happened, 0–95.
        pub slots: BTreeMap<u8, Slot>,
    }
}

entity! {
    DayRollup in "rollups" {
        key: DayKey [agency, day, reseller, metric];
        home: Home::Agency;
        parent: Some(AgencyRow::TABLE), refers: false;
    }
}

/// A day's slots are packed into one column.
impl Stored for BTreeMap<u8, Slot> {
    const COLUMNS: &'static [Column] = &unnamed(Kind::Bytes);

    fn write(&self, row: &mut Row) -> Result<()> {
        let packed = postcard::to_allocvec(self);
        let packed = packed.map_err(|_| Error::storage("a usage rollup could not be encoded"))?;
        row.push(Value::Bytes(packed));
        Ok(())
    }

    fn read(fields: &mut Fields) -> Result<Self> {
        match fields.next()? {
            Value::Bytes(packed) => postcard::from_bytes(&packed).map_err(|_| DayRollup::damaged()),
            _ => Err(damaged()),
        }
    }
}

impl DayRollup {
    /// A day without events.
    ///
    /// ```
    /// use partnerkit::{DayKey, DayRollup, MeterKey, Metric, ResellerId};
    ///
    /// let reseller = ResellerId::from_uuid(uuid::Uuid::nil());
    /// let meter = MeterKey { reseller, metric: Metric::MESSAGES };
    /// let rollup = DayRollup::new(DayKey { day: 20_527, meter });
    /// assert_eq!((rollup.sum, rollup.events), (0, 0));
    /// ```
    pub fn new(key: DayKey) -> Self {
        Self { key, sum: 0, events: 0, slots: BTreeMap::new() }
    }

    /// Counts an event of this day that the meter has counted. `None` if a sum overflows, which
    /// means that the row is damaged, because no sum of a day is larger than the meter's.
    pub(crate) fn count(&mut self, event: &Event) -> Option<()> {
        let slot = self.slots.entry(event.at.quarter_hour()).or_default();
        match event.metric.kind() {
            MetricKind::Counter => {
                self.sum = self.sum.checked_add(event.quantity)?;
                slot.sum = slot.sum.checked_add(event.quantity)?;
            }
            MetricKind::Gauge => slot.level(event),
        }
        self.events = self.events.checked_add(1)?;
        slot.events = slot.events.checked_add(1)?;
        Some(())
    }

    /// What a counter's events of this day add to a period. `None` if a sum overflows, which means
    /// that the row is damaged.
    pub(crate) fn sum_within(&self, period: &Period) -> Option<i64> {
        let midnight = Timestamp::from_millis(i64::from(self.key.day) * Timestamp::DAY);
        let last = midnight.plus_millis(Timestamp::DAY - 1);
        if period.contains(midnight) && period.contains(last) {
            return Some(self.sum);
        }
        let within = |slot: u8| {
            period.contains(midnight.plus_millis(i64::from(slot) * Timestamp::QUARTER_HOUR))
        };
        let slots = self.slots.iter().filter(|(slot, _)| within(**slot));
        slots.map(|(_, slot)| slot.sum).try_fold(0, i64::checked_add)
    }

    pub(crate) fn damaged() -> Error {
        Error::storage("a stored usage rollup is damaged")
    }
}

impl Slot {
    fn level(&mut self, event: &Event) {
        let first = self.events == 0;
        self.min = if first { event.quantity } else { self.min.min(event.quantity) };
        self.max = if first { event.quantity } else { self.max.max(event.quantity) };
        if first || (event.at.as_millis(), event.id.as_str()) >= (self.last_at, &self.last_event) {
            self.last = event.quantity;
            self.last_at = event.at.as_millis();
            event.id.as_str().clone_into(&mut self.last_event);
        }
    }
}
