//! The days of a transaction's meters: of counters and of gauges.

use std::collections::{BTreeMap, BTreeSet};

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
        let (mut meters, mut days) = (BTreeSet::new(), BTreeSet::new());
        for event in events {
            let day = DayKey::of(event);
            meters.insert(day.meter);
            days.insert(day);
        }
        let (counter_days, gauges): (Vec<_>, Vec<_>) =
            days.into_iter().partition(|day| day.meter.metric.kind() == MetricKind::Counter);
        let of_gauge = |DayKey { day, meter }| GaugeDayKey { meter, day };
        let mut gauge_days: Vec<_> = gauges.into_iter().map(of_gauge).collect();
        gauge_days.sort();
        Self { meters: meters.into_iter().collect(), counter_days, gauge_days }
    }
}

/// Days that are guarded by the locks of their meters.
#[derive(Clone)]
pub(super) struct Days {
    counters: BTreeMap<DayKey, CounterDay>,
    gauges: BTreeMap<GaugeDayKey, GaugeDay>,
    /// Which days have changed.
    touched: (BTreeSet<DayKey>, BTreeSet<GaugeDayKey>),
}

impl Days {
    pub fn of(counters: Vec<CounterDay>, gauges: Vec<GaugeDay>) -> Self {
        Self {
            counters: counters.into_iter().map(|day| (day.key, day)).collect(),
            gauges: gauges.into_iter().map(|day| (day.key, day)).collect(),
            touched: Default::default(),
        }
    }

    /// Counts an event that its meter has counted.
    pub fn count(&mut self, event: &Event) -> Result<()> {
        let counted = match event.metric.kind() {
            MetricKind::Counter => {
                let key = DayKey::of(event);
                self.touched.0.insert(key);
                self.counters.entry(key).or_insert_with(|| CounterDay::new(key)).count(event)
            }
            MetricKind::Gauge => {
                let key = GaugeDayKey::of(event);
                self.touched.1.insert(key);
                self.gauges.entry(key).or_insert_with(|| GaugeDay::new(key)).count(event)
            }
        };
        counted.ok_or_else(CounterDay::damaged)
    }

    /// Writes the days that have changed.
    pub fn store(self, tx: &mut Tx<'_>) -> Result<()> {
        let Self { counters, gauges, touched } = self;
        let counters = counters.into_values().filter(|day| touched.0.contains(&day.key));
        tx.put(&counters.collect::<Vec<_>>())?;
        let gauges = gauges.into_values().filter(|day| touched.1.contains(&day.key));
        tx.put(&gauges.collect::<Vec<_>>())
    }
}
