//! From days to windows: what a counter or a gauge amounts to in each window of a range.

use std::collections::BTreeMap;

use super::counter_day::counted_within;
use super::{
    AgencySlot, CounterDay, CounterSlot, GaugeDay, GaugeSlot, Metric, Period, UsageRow, WHOLE_DAY,
};
use crate::error::Result;
use crate::reseller::ResellerId;
use crate::values::Timestamp;

/// What a series of rows is about.
#[derive(Clone, Copy)]
pub(super) struct Subject {
    pub reseller: Option<ResellerId>,
    pub metric: Metric,
}

impl Subject {
    fn row(self, window: Period, value: i64, events: u64) -> UsageRow {
        let (Period { start, end }, Self { reseller, metric }) = (window, self);
        UsageRow { start, end, metric, reseller, value, events, min: None, max: None }
    }
}

/// A UTC day of a counter, of whomever.
#[derive(Default)]
pub(super) struct Day {
    whole: CounterSlot,
    slots: BTreeMap<u8, CounterSlot>,
}

/// The UTC days of a counter on which something was counted.
#[derive(Default)]
pub(super) struct Counter(BTreeMap<i32, Day>);

impl Counter {
    /// Adds a reseller's day to those that are there.
    pub fn add(&mut self, day: CounterDay) -> Result<()> {
        let events = u64::try_from(day.events).map_err(|_| CounterDay::damaged())?;
        let of_day = self.0.entry(day.key.day).or_default();
        plus(&mut of_day.whole, CounterSlot { sum: day.sum, events })?;
        for (slot, counted) in day.slots {
            plus(of_day.slots.entry(slot).or_default(), counted)?;
        }
        Ok(())
    }

    /// Adds a quarter-hour of the agency, or its sum of a day.
    pub fn add_slot(&mut self, row: AgencySlot) -> Result<()> {
        let events = u64::try_from(row.events).map_err(|_| CounterDay::damaged())?;
        let counted = CounterSlot { sum: row.sum, events };
        let day = self.0.entry(row.key.day).or_default();
        match row.key.slot {
            WHOLE_DAY => plus(&mut day.whole, counted),
            slot => plus(day.slots.entry(slot).or_default(), counted),
        }
    }

    /// The sum in a range.
    pub fn sum_within(&self, range: &Period) -> Result<CounterSlot> {
        let mut counted = CounterSlot::default();
        for (&day, of_day) in self.0.range(range.days()) {
            let within = counted_within(day, of_day.whole, &of_day.slots, range);
            plus(&mut counted, within.ok_or_else(CounterDay::damaged)?)?;
        }
        Ok(counted)
    }

    /// Whether something was counted in a range.
    pub fn is_within(&self, range: &Period) -> bool {
        let mut slots = self.0.iter().flat_map(|(&day, of_day)| {
            of_day.slots.keys().map(move |&slot| Timestamp::of_quarter_hour(day, slot))
        });
        slots.any(|start| range.contains(start))
    }

    /// A row for each window, or for each in which something was counted.
    pub fn rows(
        &self,
        of: Subject,
        windows: &[Period],
        fill: bool,
        rows: &mut Vec<UsageRow>,
    ) -> Result<()> {
        for &window in windows {
            let counted = self.sum_within(&window)?;
            if fill || counted.events > 0 {
                rows.push(of.row(window, counted.sum, counted.events));
            }
        }
        Ok(())
    }
}

/// The quarter-hours of one reseller's gauge in a range, and the level before them.
#[derive(Default)]
pub(super) struct Gauge {
    before: i64,
    slots: Vec<(Timestamp, GaugeSlot)>,
}

impl Gauge {
    /// From the days that a range touches, in order, and the latest day before these.
    pub fn of(range: &Period, earlier: Option<GaugeDay>, days: Vec<GaugeDay>) -> Self {
        let mut gauge = Self::default();
        for day in earlier.into_iter().chain(days) {
            for (slot, level) in day.slots {
                let at = Timestamp::of_quarter_hour(day.key.day, slot);
                if at < range.start {
                    gauge.before = level.last;
                } else if at < range.end {
                    gauge.slots.push((at, level));
                }
            }
        }
        gauge
    }

    /// The level where the range ends.
    pub fn level_at_the_end(&self) -> i64 {
        self.slots.last().map_or(self.before, |(_, slot)| slot.last)
    }

    /// A row for each window, or for each in which a level was reported.
    pub fn rows(&self, of: Subject, windows: &[Period], fill: bool, rows: &mut Vec<UsageRow>) {
        let mut levels = Levels::of(self, windows);
        for &window in windows {
            let slots = levels.within(&window);
            if !fill && slots.is_empty() {
                continue;
            }
            let row = of.row(window, levels.level, reported(slots));
            let min = slots.iter().map(|(_, slot)| slot.min).min();
            let max = slots.iter().map(|(_, slot)| slot.max).max();
            rows.push(UsageRow { min, max, ..row });
        }
    }
}

/// The levels of several resellers together, by window.
pub(super) struct Together {
    windows: Vec<(i128, u64)>,
}

impl Together {
    pub fn new(windows: usize) -> Self {
        Self { windows: vec![(0, 0); windows] }
    }

    pub fn add(&mut self, gauge: &Gauge, windows: &[Period]) {
        let mut levels = Levels::of(gauge, windows);
        for ((value, events), window) in self.windows.iter_mut().zip(windows) {
            let slots = levels.within(window);
            *value += i128::from(levels.level);
            *events = events.saturating_add(reported(slots));
        }
    }

    pub fn rows(&self, of: Subject, windows: &[Period], fill: bool, rows: &mut Vec<UsageRow>) {
        let all = self.windows.iter().zip(windows);
        let told = all.filter(|((_, events), _)| fill || *events > 0);
        rows.extend(told.map(|(&(value, events), &window)| of.row(window, most(value), events)));
    }
}

/// A sum of levels. Those of a past moment may be too large together, though those of the present never
/// are: then it is the largest number that there is.
pub(super) fn most(sum: i128) -> i64 {
    i64::try_from(sum).unwrap_or(i64::MAX)
}

/// Goes through the quarter-hours of a gauge, window by window.
struct Levels<'g> {
    left: &'g [(Timestamp, GaugeSlot)],
    /// The level at the end of the latest window.
    level: i64,
}

impl<'g> Levels<'g> {
    /// The windows may begin later than what is known of the gauge.
    fn of(gauge: &'g Gauge, windows: &[Period]) -> Self {
        let mut levels = Self { left: &gauge.slots, level: gauge.before };
        if let Some(first) = windows.first() {
            levels.until(first.start);
        }
        levels
    }

    /// The quarter-hours in the next window.
    fn within(&mut self, window: &Period) -> &'g [(Timestamp, GaugeSlot)] {
        self.until(window.end)
    }

    fn until(&mut self, end: Timestamp) -> &'g [(Timestamp, GaugeSlot)] {
        let count = self.left.partition_point(|(at, _)| *at < end);
        let (passed, left) = self.left.split_at(count);
        self.left = left;
        self.level = passed.last().map_or(self.level, |(_, slot)| slot.last);
        passed
    }
}

fn reported(slots: &[(Timestamp, GaugeSlot)]) -> u64 {
    slots.iter().map(|(_, slot)| slot.events).fold(0, u64::saturating_add)
}

fn plus(to: &mut CounterSlot, counted: CounterSlot) -> Result<()> {
    *to = to.plus(counted).ok_or_else(CounterDay::damaged)?;
    Ok(())
}
