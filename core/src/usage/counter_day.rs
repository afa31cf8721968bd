//! A counter's day: one reseller's use of one metric on one UTC day, by quarter-hour.
//!
//! Hours, days and months of IANA zones begin on a quarter-hour, but for some changes of the clock
//! (at a minute past midnight in St John's until 2011): see `windows.rs`. So a period is summed from
//! the day's sum for whole days, and from the slots at its edges.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Event, MeterKey, Period};
use crate::agency::AgencyRow;
use crate::error::Error;
use crate::schema::entity::{entity, packed, stored};
use crate::values::Timestamp;

stored! {
    /// One day of one reseller's use of one counter.
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
    ///     voided: false,
    /// };
    /// assert_eq!(DayKey::of(&event).day, 1);
    /// ```
    pub fn of(event: &Event) -> Self {
        Self { day: event.at.utc_day(), meter: MeterKey::of(event) }
    }
}

/// The use in a quarter-hour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CounterSlot {
    /// The number of events.
    pub events: u64,
    /// The sum of the quantities.
    pub sum: i64,
}

stored! {
    /// One day of one reseller's use of one counter.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct CounterDay {
        /// The day, the reseller and the counter.
        pub key: DayKey,
        /// The sum over the day.
        pub sum: i64,
        /// The number of events.
        pub events: i64,
        /// The quarter-hours in which something happened, 0–95.
        pub slots: BTreeMap<u8, CounterSlot>,
    }
}

entity! {
    CounterDay in "counter_days" {
        key: DayKey [agency, day, reseller, metric];
        home: Home::Agency;
        parent: Some(AgencyRow::TABLE), refers: false;
    }
}

packed!(BTreeMap<u8, CounterSlot>);

impl CounterDay {
    /// A day without events.
    ///
    /// ```
    /// use partnerkit::{DayKey, CounterDay, MeterKey, Metric, ResellerId};
    ///
    /// let reseller = ResellerId::from_uuid(uuid::Uuid::nil());
    /// let meter = MeterKey { reseller, metric: Metric::MESSAGES };
    /// let of_day = CounterDay::new(DayKey { day: 20_527, meter });
    /// assert_eq!((of_day.sum, of_day.events), (0, 0));
    /// ```
    pub fn new(key: DayKey) -> Self {
        Self { key, sum: 0, events: 0, slots: BTreeMap::new() }
    }

    /// Counts an event of this day that the meter has counted. `None` if a sum overflows, which
    /// means that the row is damaged, because no sum of a day is larger than the meter's.
    pub(crate) fn count(&mut self, event: &Event) -> Option<()> {
        let slot = self.slots.entry(event.at.quarter_hour()).or_default();
        self.sum = self.sum.checked_add(event.quantity)?;
        slot.sum = slot.sum.checked_add(event.quantity)?;
        self.events = self.events.checked_add(1)?;
        slot.events = slot.events.checked_add(1)?;
        Some(())
    }

    /// Takes an event of this day back. `None` if it is not among those that were counted, which means
    /// that the row is damaged.
    pub(crate) fn uncount(&mut self, event: &Event) -> Option<()> {
        let at = event.at.quarter_hour();
        let slot = self.slots.get_mut(&at)?;
        self.sum = self.sum.checked_sub(event.quantity)?;
        slot.sum = slot.sum.checked_sub(event.quantity)?;
        self.events = self.events.checked_sub(1)?;
        slot.events = slot.events.checked_sub(1)?;
        if slot.events == 0 {
            self.slots.remove(&at);
        }
        Some(())
    }

    /// What the events of this day add to a period. `None` if a number overflows, or is negative,
    /// which means that the row is damaged.
    pub(crate) fn sum_within(&self, period: &Period) -> Option<i64> {
        let whole = CounterSlot { sum: self.sum, events: self.events.try_into().ok()? };
        Some(counted_within(self.key.day, whole, &self.slots, period)?.sum)
    }

    pub(crate) fn damaged() -> Error {
        Error::storage("a stored day of usage is damaged")
    }
}

impl CounterSlot {
    /// Both together. `None` if a number overflows.
    pub(super) fn plus(self, other: Self) -> Option<Self> {
        let (sum, events) =
            (self.sum.checked_add(other.sum)?, self.events.checked_add(other.events)?);
        Some(Self { sum, events })
    }
}

/// What of a UTC day was counted in a period: the day's sum if the whole day is in it, otherwise the
/// quarter-hours that begin in it. `None` if a number overflows.
pub(super) fn counted_within(
    day: i32,
    whole: CounterSlot,
    slots: &BTreeMap<u8, CounterSlot>,
    period: &Period,
) -> Option<CounterSlot> {
    let midnight = Timestamp::midnight_of(day);
    if period.contains(midnight) && period.contains(midnight.plus_millis(Timestamp::DAY - 1)) {
        return Some(whole);
    }
    let is_within = |slot: u8| period.contains(Timestamp::of_quarter_hour(day, slot));
    let within = slots.iter().filter(|(slot, _)| is_within(**slot));
    within.map(|(_, counted)| *counted).try_fold(CounterSlot::default(), CounterSlot::plus)
}
