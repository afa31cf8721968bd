//! From days to windows: what a counter or a gauge amounts to in each window of a range.

use std::collections::BTreeMap;

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
            plus(&mut counted, of_day.within(day, range)?)?;
        }
        Ok(counted)
    }

    /// Whether something was counted in a range.
    pub fn is_within(&self, range: &Period) -> bool {
        let mut slots = self
            .0
            .iter()
            .flat_map(|(&day, of_day)| of_day.slots.keys().map(move |&slot| starts(day, slot)));
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

impl Day {
    fn within(&self, day: i32, period: &Period) -> Result<CounterSlot> {
        let midnight = Timestamp::midnight_of(day);
        if period.contains(midnight) && period.contains(midnight.plus_millis(Timestamp::DAY - 1)) {
            return Ok(self.whole);
        }
        let mut within = CounterSlot::default();
        for (&slot, &counted) in &self.slots {
            if period.contains(starts(day, slot)) {
                plus(&mut within, counted)?;
            }
        }
        Ok(within)
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
                let at = starts(day.key.day, slot);
                if at < range.start {
                    gauge.before = level.last;
                } else if at < range.end {
                    gauge.slots.push((at, level));
                }
            }
        }
        gauge
    }

    /// What it was from an instant on, and its level before that.
    pub fn from(&self, start: Timestamp) -> Self {
        let first = self.slots.partition_point(|(at, _)| *at < start);
        let (before, slots) = self.slots.split_at(first);
        let before = before.last().map_or(self.before, |(_, slot)| slot.last);
        Self { before, slots: slots.to_vec() }
    }

    /// The level where the range ends.
    pub fn level_at_the_end(&self) -> i64 {
        self.slots.last().map_or(self.before, |(_, slot)| slot.last)
    }

    /// A row for each window, or for each in which a level was reported.
    pub fn rows(&self, of: Subject, windows: &[Period], fill: bool, rows: &mut Vec<UsageRow>) {
        let mut levels = Levels::of(self);
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
        let mut levels = Levels::of(gauge);
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
    fn of(gauge: &'g Gauge) -> Self {
        Self { left: &gauge.slots, level: gauge.before }
    }

    /// The quarter-hours in the next window.
    fn within(&mut self, window: &Period) -> &'g [(Timestamp, GaugeSlot)] {
        let count = self.left.partition_point(|(at, _)| *at < window.end);
        let (within, left) = self.left.split_at(count);
        self.left = left;
        self.level = within.last().map_or(self.level, |(_, slot)| slot.last);
        within
    }
}

fn reported(slots: &[(Timestamp, GaugeSlot)]) -> u64 {
    slots.iter().map(|(_, slot)| slot.events).fold(0, u64::saturating_add)
}

fn plus(to: &mut CounterSlot, counted: CounterSlot) -> Result<()> {
    to.sum = to.sum.checked_add(counted.sum).ok_or_else(CounterDay::damaged)?;
    to.events = to.events.checked_add(counted.events).ok_or_else(CounterDay::damaged)?;
    Ok(())
}

/// When a quarter-hour of a UTC day begins.
fn starts(day: i32, slot: u8) -> Timestamp {
    Timestamp::midnight_of(day).plus_millis(i64::from(slot) * Timestamp::QUARTER_HOUR)
}
