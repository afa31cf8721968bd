//! A gauge's day: the levels of one reseller's gauge on one UTC day, by quarter-hour. Levels are
//! never summed (S38).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Event, MeterKey};
use crate::agency::AgencyRow;
use crate::schema::entity::{entity, packed, stored};

stored! {
    /// One day of one reseller's gauge.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub struct GaugeDayKey {
        /// The reseller and the gauge.
        pub meter: MeterKey,
        /// The UTC day, counted from 1970-01-01. It comes last in the key, so that the latest level
        /// before a day is found by one look, however long ago it was.
        pub day: i32,
    }
}

impl GaugeDayKey {
    /// The day an event falls on.
    ///
    /// ```
    /// use partnerkit::{Event, EventId, GaugeDayKey, Metric, ResellerId, Timestamp};
    ///
    /// let event = Event {
    ///     id: EventId::parse("seats-1").unwrap(),
    ///     reseller: ResellerId::from_uuid(uuid::Uuid::nil()),
    ///     metric: Metric::TEAM_MEMBERS,
    ///     quantity: 3,
    ///     at: Timestamp::from_millis(86_400_000),
    ///     voided: false,
    /// };
    /// assert_eq!(GaugeDayKey::of(&event).day, 1);
    /// ```
    pub fn of(event: &Event) -> Self {
        Self { meter: MeterKey::of(event), day: event.at.utc_day() }
    }
}

/// The levels in a quarter-hour, in which there was at least one event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GaugeSlot {
    /// The number of events.
    pub events: u64,
    /// The smallest level.
    pub min: i64,
    /// The largest level.
    pub max: i64,
    /// The latest level.
    pub last: i64,
    /// The time of the latest level, in milliseconds since the epoch.
    pub last_at: i64,
    /// The id of the latest event, which decides between events of one millisecond.
    pub last_event: String,
}

stored! {
    /// One day of one reseller's gauge.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct GaugeDay {
        /// The reseller, the gauge and the day.
        pub key: GaugeDayKey,
        /// The quarter-hours in which something happened, 0–95.
        pub slots: BTreeMap<u8, GaugeSlot>,
    }
}

entity! {
    GaugeDay in "gauge_days" {
        key: GaugeDayKey [agency, reseller, metric, day];
        home: Home::Agency;
        parent: Some(AgencyRow::TABLE), refers: false;
    }
}

packed!(BTreeMap<u8, GaugeSlot>);

impl GaugeDay {
    /// A day without events.
    ///
    /// ```
    /// use partnerkit::{GaugeDay, GaugeDayKey, MeterKey, Metric, ResellerId};
    ///
    /// let reseller = ResellerId::from_uuid(uuid::Uuid::nil());
    /// let meter = MeterKey { reseller, metric: Metric::TEAM_MEMBERS };
    /// assert!(GaugeDay::new(GaugeDayKey { meter, day: 20_527 }).slots.is_empty());
    /// ```
    pub fn new(key: GaugeDayKey) -> Self {
        Self { key, slots: BTreeMap::new() }
    }

    /// Counts an event of this day. `None` if the number of events overflows, which means that the
    /// row is damaged.
    pub(crate) fn count(&mut self, event: &Event) -> Option<()> {
        let slot = self.slots.entry(event.at.quarter_hour());
        let slot = slot.or_insert_with(|| GaugeSlot::before(event));
        slot.events = slot.events.checked_add(1)?;
        slot.min = slot.min.min(event.quantity);
        slot.max = slot.max.max(event.quantity);
        let (at, id) = (event.at.as_millis(), event.id.as_str());
        if (at, id) >= (slot.last_at, &*slot.last_event) {
            (slot.last, slot.last_at) = (event.quantity, at);
            id.clone_into(&mut slot.last_event);
        }
        Some(())
    }
}

impl GaugeDay {
    /// Counts the events of a quarter-hour anew. `None` if their number overflows.
    pub(crate) fn recount(&mut self, quarter_hour: u8, events: &[Event]) -> Option<()> {
        self.slots.remove(&quarter_hour);
        events.iter().try_for_each(|event| self.count(event))
    }
}

impl GaugeSlot {
    /// A quarter-hour whose first event is just going to be counted.
    fn before(event: &Event) -> Self {
        let level = event.quantity;
        Self {
            events: 0,
            min: level,
            max: level,
            last: level,
            last_at: i64::MIN,
            last_event: String::new(),
        }
    }
}
