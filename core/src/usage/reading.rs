//! Reading usage. What an answer costs grows with the rows of the answer, and with the days of the
//! range for each reseller, never with the number of events.
//!
//! The agency's counters are kept by themselves. A gauge of all resellers together is the sum of their
//! levels, so that reading it takes longer the more resellers there are.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use super::query::Asked;
use super::rows::gauge_days_within;
use super::series::{Counter, Gauge, Subject, Together};
use super::windows::windows;
use super::{
    AgencySlot, AgencySlotKey, DayKey, Meter, MeterKey, Metric, MetricKind, Period, UsageRow,
    WHOLE_DAY,
};
use crate::error::Result;
use crate::records::Reads;
use crate::reseller::ResellerId;
use crate::schema::entity::Entity;
use crate::values::Timestamp;

mod resellers;

pub(super) use resellers::by_reseller;

/// How many windows, or keys, are read in one question.
const CHUNK: usize = 2_000;

/// The rows of all resellers together, at most one more than the limit.
pub(super) fn together(reads: &mut Reads<'_>, asked: &Asked) -> Result<Vec<UsageRow>> {
    let mut rows = Vec::new();
    for &metric in &asked.metrics {
        let mut left = match &asked.after {
            Some(after) if metric.slug() < &*after.metric => continue,
            // From the window of the last row, which is left out.
            Some(after) if metric.slug() == after.metric => {
                let start = Timestamp::from_millis(after.start);
                let mut left = windows(Period { start, ..asked.range }, asked.window, &asked.zone);
                left.next().transpose()?;
                left
            }
            _ => windows(asked.range, asked.window, &asked.zone),
        };
        loop {
            let wanted = (asked.limit + 1).saturating_sub(rows.len());
            // Without rows for empty windows, a few rows may need many windows.
            let some = if asked.fill { wanted.min(CHUNK) } else { CHUNK };
            let windows = left.by_ref().take(some).collect::<Result<Vec<_>>>()?;
            if windows.is_empty() || wanted == 0 {
                break;
            }
            let subject = Subject { reseller: None, metric };
            match metric.kind() {
                MetricKind::Counter => {
                    let counter = counter(reads, asked, metric, &windows)?;
                    counter.rows(subject, &windows, asked.fill, &mut rows)?;
                }
                MetricKind::Gauge => {
                    let levels = levels(reads, asked, metric, &windows)?;
                    levels.rows(subject, &windows, asked.fill, &mut rows);
                }
            }
        }
    }
    Ok(rows)
}

/// A counter of the agency, or of the resellers that are asked for.
fn counter(
    reads: &mut Reads<'_>,
    asked: &Asked,
    metric: Metric,
    windows: &[Period],
) -> Result<Counter> {
    let range = whole(windows);
    match &asked.resellers {
        None => of_agency(reads, metric, within(&asked.days, &range), &cut_days(windows)),
        Some(resellers) => {
            let mut counter = Counter::default();
            let keys = resellers.iter().flat_map(|&reseller| {
                let meter = MeterKey { reseller, metric };
                within(&asked.days, &range).map(move |day| DayKey { day, meter })
            });
            for day in present(reads, keys)? {
                counter.add(day)?;
            }
            Ok(counter)
        }
    }
}

/// The records with these keys, those that exist.
fn present<E: Entity + 'static>(
    reads: &mut Reads<'_>,
    keys: impl IntoIterator<Item = E::Key>,
) -> Result<Vec<E>> {
    let mut found = Vec::new();
    let mut keys = keys.into_iter();
    loop {
        let some: Vec<_> = keys.by_ref().take(CHUNK).collect();
        if some.is_empty() {
            return Ok(found);
        }
        found.extend(reads.get::<E>(&some)?.into_iter().flatten());
    }
}

/// The agency's own sums: of whole days, and of the quarter-hours of those that a window divides.
fn of_agency(
    reads: &mut Reads<'_>,
    metric: Metric,
    days: RangeInclusive<i32>,
    cut: &BTreeSet<i32>,
) -> Result<Counter> {
    let keys = days.flat_map(|day| {
        let slots = if cut.contains(&day) { 0..=WHOLE_DAY } else { WHOLE_DAY..=WHOLE_DAY };
        slots.map(move |slot| AgencySlotKey { day, metric, slot })
    });
    let mut counter = Counter::default();
    for row in present(reads, keys)? {
        counter.add_slot(row)?;
    }
    Ok(counter)
}

/// What all resellers used of a counter in a range, of which these are the days to look at.
pub(super) fn sum_of_agency(
    reads: &mut Reads<'_>,
    metric: Metric,
    range: &Period,
    days: RangeInclusive<i32>,
) -> Result<i64> {
    let counter = of_agency(reads, metric, days, &cut_days(std::slice::from_ref(range)))?;
    Ok(counter.sum_within(range)?.sum)
}

/// A gauge of all resellers, or of those that are asked for, together.
fn levels(
    reads: &mut Reads<'_>,
    asked: &Asked,
    metric: Metric,
    windows: &[Period],
) -> Result<Together> {
    let range = whole(windows);
    let mut together = Together::new(windows.len());
    let Some(resellers) = &asked.resellers else {
        each_gauge(reads, metric, &range, |_, gauge| together.add(&gauge, windows))?;
        return Ok(together);
    };
    let meters = existing(reads, resellers.iter().map(|&reseller| MeterKey { reseller, metric }))?;
    for gauge in gauges(reads, &meters, &range)? {
        together.add(&gauge, windows);
    }
    Ok(together)
}

/// Goes through a gauge of every reseller that exists, in the order of the resellers.
pub(super) fn each_gauge(
    reads: &mut Reads<'_>,
    metric: Metric,
    range: &Period,
    mut see: impl FnMut(ResellerId, Gauge),
) -> Result<()> {
    let mut from = None;
    loop {
        let (meters, more) = reads.meters_from(from)?;
        let of = meters.iter().map(|meter| meter.key).filter(|key| key.metric == metric);
        let meters: Vec<_> = of.collect();
        for (meter, gauge) in meters.iter().zip(gauges(reads, &meters, range)?) {
            see(meter.reseller, gauge);
        }
        match more {
            Some(next) => from = Some(next),
            None => return Ok(()),
        }
    }
}

/// The meters that exist: a reseller that was deleted has none, and its gauges have dropped.
fn existing(
    reads: &mut Reads<'_>,
    meters: impl IntoIterator<Item = MeterKey>,
) -> Result<Vec<MeterKey>> {
    Ok(present::<Meter>(reads, meters)?.into_iter().map(|meter| meter.key).collect())
}

/// Gauges in a range, in the order of the meters.
fn gauges(reads: &mut Reads<'_>, meters: &[MeterKey], range: &Period) -> Result<Vec<Gauge>> {
    let mut gauges = Vec::new();
    for meters in meters.chunks(CHUNK / 4) {
        let agency = reads.agency_id();
        let ask = |meter: &MeterKey| gauge_days_within(agency, meter, &range.days());
        let answers = reads.ask(meters.iter().map(ask).collect::<Vec<_>>())?;
        gauges.extend(
            answers.into_iter().map(|(mut earlier, days)| Gauge::of(range, earlier.pop(), days)),
        );
    }
    Ok(gauges)
}

/// Of some days those that a range touches.
fn within(days: &RangeInclusive<i32>, range: &Period) -> RangeInclusive<i32> {
    let touched = range.days();
    *days.start().max(touched.start())..=*days.end().min(touched.end())
}

/// The UTC days on which the agency used one of the counters that are asked for.
fn days_of_use(reads: &mut Reads<'_>, asked: &Asked) -> Result<Vec<i32>> {
    let counters = asked.metrics.iter().filter(|metric| metric.kind() == MetricKind::Counter);
    let counters: Vec<_> = counters.copied().collect();
    let of_day =
        |day| counters.iter().map(move |&metric| AgencySlotKey { day, metric, slot: WHOLE_DAY });
    let sums = present::<AgencySlot>(reads, asked.days.clone().flat_map(of_day))?;
    let used = sums.iter().filter(|sum| sum.events > 0);
    let days: BTreeSet<_> = used.map(|sum| sum.key.day).collect();
    Ok(days.into_iter().collect())
}

/// The range of windows that follow each other.
fn whole(windows: &[Period]) -> Period {
    let ends = windows.first().zip(windows.last());
    ends.map_or(Period::NONE, |(first, last)| Period { start: first.start, end: last.end })
}

/// The UTC days that are not whole in one window.
fn cut_days(windows: &[Period]) -> BTreeSet<i32> {
    let edges = windows.iter().flat_map(|window| [window.start, window.end]);
    let cuts = edges.filter(|edge| *edge != Timestamp::midnight_of(edge.utc_day()));
    cuts.map(Timestamp::utc_day).collect()
}
