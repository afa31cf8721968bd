//! The days of a transaction's meters: of counters and of gauges.

use super::sorted::{Keyed, Sorted};
use super::{CounterDay, DayKey, Event, GaugeDay, GaugeDayKey, MeterKey, MetricKind};
use crate::error::Result;
use crate::records::Tx;

/// What the events of a transaction are counted in, in lock order.
#[derive(Default)]
pub(super) struct Keys {
    pub meters: Vec<MeterKey>,
    pub counter_days: Vec<DayKey>,
    pub gauge_days: Vec<GaugeDayKey>,
}

impl Keys {
    pub fn of<'e>(events: impl IntoIterator<Item = &'e Event>) -> Self {
        let mut keys = Self::default();
        for event in events {
            keys.meters.push(MeterKey::of(event));
            match event.metric.kind() {
                MetricKind::Counter => keys.counter_days.push(DayKey::of(event)),
                MetricKind::Gauge => keys.gauge_days.push(GaugeDayKey::of(event)),
            }
        }
        sort(&mut keys.meters);
        sort(&mut keys.counter_days);
        sort(&mut keys.gauge_days);
        keys
    }
}

/// Sorts keys, and leaves each in once.
fn sort(keys: &mut Vec<impl Ord>) {
    keys.sort_unstable();
    keys.dedup();
}

/// Days that are guarded by the locks of their meters.
#[derive(Clone)]
pub(super) struct Days {
    counters: Sorted<CounterDay>,
    gauges: Sorted<GaugeDay>,
}

impl Keyed for CounterDay {
    type Key = DayKey;

    fn key(&self) -> DayKey {
        self.key
    }
}

impl Keyed for GaugeDay {
    type Key = GaugeDayKey;

    fn key(&self) -> GaugeDayKey {
        self.key
    }
}

impl Days {
    pub fn of(counters: Vec<CounterDay>, gauges: Vec<GaugeDay>) -> Self {
        Self { counters: Sorted::of(counters), gauges: Sorted::of(gauges) }
    }

    /// Counts an event that its meter has counted.
    pub fn count(&mut self, event: &Event) -> Result<()> {
        let counted = match event.metric.kind() {
            MetricKind::Counter => {
                let place = self.counters.place_of(DayKey::of(event), CounterDay::new);
                self.counters.has_changed(place);
                self.counters.at(place).count(event)
            }
            MetricKind::Gauge => {
                let place = self.gauges.place_of(GaugeDayKey::of(event), GaugeDay::new);
                self.gauges.has_changed(place);
                self.gauges.at(place).count(event)
            }
        };
        counted.ok_or_else(CounterDay::damaged)
    }

    /// Writes the days that have changed.
    pub fn store(self, tx: &mut Tx<'_>) -> Result<()> {
        tx.put(&self.counters.into_changed())?;
        tx.put(&self.gauges.into_changed())
    }
}
