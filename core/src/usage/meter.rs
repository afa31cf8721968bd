//! The meter: one row with everything about one reseller's use of one metric.

use super::{CounterDay, Event, EventId, GaugeSlot, Metric, MetricKind, Period};
use crate::error::Result;
use crate::reseller::{Reseller, ResellerId};
use crate::schema::entity::{entity, stored};
use crate::values::Timestamp;

stored! {
    /// The reseller and the metric.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub struct MeterKey {
        /// The reseller.
        pub reseller: ResellerId,
        /// The metric.
        pub metric: Metric,
    }
}

stored! {
    /// One row per reseller and metric, on which `consume`, allowances and the overview are based.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Meter {
        /// The reseller and the metric.
        pub key: MeterKey,
        /// A counter's sum over all time; the level of a gauge.
        pub value: i64,
        /// The number of events that were counted.
        pub events: i64,
        /// The period of `period_used`: the one that was last asked for. The use of any other
        /// period is summed from the days, so neither an early event nor another clock or time
        /// zone can lose the use of a period.
        pub period: Period,
        /// A counter's sum within the period.
        pub period_used: i64,
        /// The time of the latest event of a gauge, which decides its level.
        pub last_at: Timestamp,
        /// The id of a gauge's latest event, which decides between events of one millisecond.
        pub last_event: Option<EventId>,
        /// How much may be consumed in a period; `None` means unlimited.
        pub limit: Option<i64> as usage_limit,
    }
}

impl MeterKey {
    /// The meter that counts an event.
    pub(crate) fn of(event: &Event) -> Self {
        Self { reseller: event.reseller, metric: event.metric }
    }
}

entity! {
    Meter in "meters" {
        key: MeterKey [agency, reseller, metric];
        home: Home::Agency;
        parent: Some(Reseller::TABLE), refers: true;
    }
}

impl Meter {
    /// A meter that has counted nothing.
    ///
    /// ```
    /// use partnerkit::{Meter, MeterKey, Metric, ResellerId};
    ///
    /// let reseller = ResellerId::from_uuid(uuid::Uuid::nil());
    /// let meter = Meter::new(MeterKey { reseller, metric: Metric::MESSAGES });
    /// assert_eq!((meter.value, meter.period_used, meter.limit), (0, 0, None));
    /// ```
    pub fn new(key: MeterKey) -> Self {
        // What tells a gauge without events is that it has no latest one; a zero is stored in no bytes.
        let never = Timestamp::from_millis(0);
        Self {
            key,
            value: 0,
            events: 0,
            period: Period::NONE,
            period_used: 0,
            last_at: never,
            last_event: None,
            limit: None,
        }
    }

    /// Counts an event. `None`, with nothing counted, when a sum would leave `i64`.
    pub(crate) fn count(&mut self, event: &Event) -> Option<()> {
        let (value, events) = (self.value_after(event)?, self.events.checked_add(1)?);
        if event.metric.kind() == MetricKind::Counter && self.period.contains(event.at) {
            self.period_used = self.period_used.checked_add(event.quantity)?;
        }
        self.value = value;
        if event.metric.kind() == MetricKind::Gauge && self.is_latest(event) {
            self.last_at = event.at;
            self.last_event = Some(event.id.clone());
        }
        self.events = events;
        Some(())
    }

    /// The value after an event; a level that is older than the latest does not change a gauge.
    pub(crate) fn value_after(&self, event: &Event) -> Option<i64> {
        match event.metric.kind() {
            MetricKind::Counter => self.value.checked_add(event.quantity),
            MetricKind::Gauge if self.is_latest(event) => Some(event.quantity),
            MetricKind::Gauge => Some(self.value),
        }
    }

    /// Takes a counter's event back. `None` if it is not among those that were counted.
    pub(crate) fn uncount(&mut self, event: &Event) -> Option<()> {
        self.value = self.value.checked_sub(event.quantity)?;
        self.events = self.events.checked_sub(1)?;
        if self.period.contains(event.at) {
            self.period_used = self.period_used.checked_sub(event.quantity)?;
        }
        Some(())
    }

    /// Turns a gauge back to what was its latest level before the one that was taken back.
    pub(crate) fn turn_back_to(&mut self, latest: Option<&GaugeSlot>) -> Result<()> {
        let Self { value, last_at, last_event, .. } = Self::new(self.key);
        (self.value, self.last_at, self.last_event) = (value, last_at, last_event);
        if let Some(latest) = latest {
            self.value = latest.last;
            self.last_at = Timestamp::from_millis(latest.last_at);
            let id = EventId::parse(&latest.last_event).map_err(|_| CounterDay::damaged())?;
            self.last_event = Some(id);
        }
        Ok(())
    }

    fn is_latest(&self, event: &Event) -> bool {
        let latest = self.last_event.as_ref();
        latest.is_none_or(|latest| (event.at, &event.id) >= (self.last_at, latest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_level_of_a_gauge_is_its_latest_whenever_it_was() {
        let reseller = ResellerId::from_uuid(uuid::Uuid::nil());
        let (metric, at) = (Metric::TEAM_MEMBERS, Timestamp::from_millis(-1));
        let id = EventId::parse("first").expect("an id");
        let first = Event { id, reseller, metric, quantity: 7, at, voided: false };
        let mut meter = Meter::new(MeterKey::of(&first));
        meter.count(&first).expect("room");
        assert_eq!((meter.value, meter.last_at), (7, at));
        let earlier = Event { quantity: 3, at: Timestamp::from_millis(-2), ..first };
        meter.count(&earlier).expect("room");
        assert_eq!((meter.value, meter.events, meter.last_at), (7, 2, at));
    }
}
