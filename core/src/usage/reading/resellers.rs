//! The use of each reseller by itself, reseller after reseller.

use std::collections::BTreeMap;

use super::super::query::{Asked, MAX_WINDOWS, Place};
use super::super::series::Subject;
use super::super::windows::windows;
use super::super::{CounterDay, DayKey, MeterKey, Metric, MetricKind, Period, UsageRow};
use super::{CHUNK, Counter, Gauge, days_of_use, existing, gauges, present};
use crate::error::{Refusal, Result, refused};
use crate::records::Reads;
use crate::reseller::ResellerId;

/// How many rows are read to find out which resellers come next.
const LOOK: usize = 8_192;

/// Some resellers with their use, and with which one to go on.
type Found = (BTreeMap<ResellerId, Use>, Option<ResellerId>);

/// The rows of each reseller, at most one more than the limit.
pub(in crate::usage) fn by_reseller(reads: &mut Reads<'_>, asked: &Asked) -> Result<Vec<UsageRow>> {
    let windows = windows(asked.range, asked.window, &asked.zone).take(MAX_WINDOWS + 1);
    let windows = windows.collect::<Result<Vec<_>>>()?;
    if windows.len() > MAX_WINDOWS {
        return Err(refused("window")(Refusal::too_many(MAX_WINDOWS as i64)));
    }
    let days = days_of_use(reads, asked)?;
    let mut rows = Vec::new();
    let mut from = asked.after.as_ref().and_then(Place::reseller);
    loop {
        let (found, more) = match &asked.resellers {
            Some(resellers) => named(reads, asked, &days, resellers, from)?,
            None => next(reads, asked, &days, from)?,
        };
        for (reseller, of_reseller) in found {
            add(asked, reseller, &of_reseller, &windows, &mut rows)?;
            if rows.len() > asked.limit {
                rows.truncate(asked.limit + 1);
                return Ok(rows);
            }
        }
        match more {
            Some(next) => from = Some(next),
            None => return Ok(rows),
        }
    }
}

/// Adds the rows of one reseller that come after the page before, and stops when there are enough.
fn add(
    asked: &Asked,
    reseller: ResellerId,
    of_reseller: &Use,
    windows: &[Period],
    rows: &mut Vec<UsageRow>,
) -> Result<()> {
    let (unused, unreported) = (Counter::default(), Gauge::default());
    for &metric in &asked.metrics {
        let of = Subject { reseller: Some(reseller), metric };
        for windows in left(asked, of, windows).chunks(CHUNK) {
            if rows.len() > asked.limit {
                return Ok(());
            }
            match metric.kind() {
                MetricKind::Counter => {
                    let counter = of_reseller.counters.get(&metric).unwrap_or(&unused);
                    counter.rows(of, windows, asked.fill, rows)?;
                }
                MetricKind::Gauge => {
                    let gauge = of_reseller.gauges.get(&metric).unwrap_or(&unreported);
                    gauge.rows(of, windows, asked.fill, rows);
                }
            }
        }
    }
    Ok(())
}

/// The windows whose rows come after the page before.
fn left<'w>(asked: &Asked, of: Subject, windows: &'w [Period]) -> &'w [Period] {
    let is_before = |window: &Period| {
        asked.after.as_ref().is_some_and(|after| Place::in_window(of, window.start) <= *after)
    };
    &windows[windows.partition_point(is_before)..]
}

/// The next ones of the resellers that are asked for.
fn named(
    reads: &mut Reads<'_>,
    asked: &Asked,
    days: &[i32],
    resellers: &[ResellerId],
    from: Option<ResellerId>,
) -> Result<Found> {
    let begin = resellers.partition_point(|id| from.is_some_and(|from| *id < from));
    let left = &resellers[begin..];
    let per_reseller = days.len() * asked.metrics.len() + 1;
    let (now, later) = left.split_at(left.len().min((LOOK / per_reseller).max(1)));
    let mut found: BTreeMap<_, _> = now.iter().map(|id| (*id, Use::default())).collect();
    let meters: Vec<_> =
        now.iter().flat_map(|&id| of_kind(asked, id, MetricKind::Counter)).collect();
    let keys = meters.iter().flat_map(|&meter| days.iter().map(move |&day| DayKey { day, meter }));
    for day in present::<CounterDay>(reads, keys)? {
        found.entry(day.key.meter.reseller).or_default().count(day)?;
    }
    let meters = now.iter().flat_map(|&id| of_kind(asked, id, MetricKind::Gauge));
    let meters = existing(reads, meters)?;
    add_gauges(reads, asked, &meters, &mut found)?;
    Ok((found, later.first().copied()))
}

/// The next resellers that have used something in the range, or have a gauge. Days are kept by
/// themselves, so each day is asked for its next resellers.
fn next(
    reads: &mut Reads<'_>,
    asked: &Asked,
    days: &[i32],
    from: Option<ResellerId>,
) -> Result<Found> {
    let mut per_day = (LOOK / days.len().max(1)).clamp(8, CHUNK);
    loop {
        let (counted, mut more) = next_days(reads, days, from, per_day)?;
        let (meters, more_meters) = reads.meters_from(from)?;
        more = more.into_iter().chain(more_meters).min();
        let is_complete = |reseller: ResellerId| more.is_none_or(|more| reseller < more);
        let mut found: BTreeMap<ResellerId, Use> = BTreeMap::new();
        for day in counted {
            let meter = day.key.meter;
            if is_complete(meter.reseller) && asked.metrics.contains(&meter.metric) {
                found.entry(meter.reseller).or_default().count(day)?;
            }
        }
        let is_asked = |meter: &MeterKey| {
            meter.metric.kind() == MetricKind::Gauge && asked.metrics.contains(&meter.metric)
        };
        let meters = meters.into_iter().map(|meter| meter.key);
        let meters = meters.filter(|meter| is_complete(meter.reseller) && is_asked(meter));
        add_gauges(reads, asked, &meters.collect::<Vec<_>>(), &mut found)?;
        // With too few rows of each day, no reseller may be complete.
        if more.is_some() && more == from {
            per_day *= 2;
            continue;
        }
        if asked.fill {
            // The first and the last day may have use that is not in the range.
            found.retain(|_, of_reseller| of_reseller.is_within(&asked.range));
        }
        return Ok((found, more));
    }
}

/// From each day the first rows from a reseller on, and from which reseller on rows are missing.
fn next_days(
    reads: &mut Reads<'_>,
    days: &[i32],
    from: Option<ResellerId>,
    per_day: usize,
) -> Result<(Vec<CounterDay>, Option<ResellerId>)> {
    let (mut counted, mut more) = (Vec::new(), None);
    for days in days.chunks(CHUNK) {
        let ask = |&day: &i32| reads.counter_day_from(day, from, per_day as u32);
        let questions: Vec<_> = days.iter().map(ask).collect();
        for rows in reads.ask(questions)? {
            if rows.len() >= per_day {
                let last = rows.last().map(|day| day.key.meter.reseller);
                more = more.into_iter().chain(last).min();
            }
            counted.extend(rows);
        }
    }
    Ok((counted, more))
}

fn add_gauges(
    reads: &mut Reads<'_>,
    asked: &Asked,
    meters: &[MeterKey],
    found: &mut BTreeMap<ResellerId, Use>,
) -> Result<()> {
    let gauges = gauges(reads, meters, &asked.range)?;
    for (meter, gauge) in meters.iter().zip(gauges) {
        found.entry(meter.reseller).or_default().gauges.insert(meter.metric, gauge);
    }
    Ok(())
}

/// A reseller's meters of a kind that are asked for.
fn of_kind(
    asked: &Asked,
    reseller: ResellerId,
    kind: MetricKind,
) -> impl Iterator<Item = MeterKey> + '_ {
    let metrics = asked.metrics.iter().filter(move |metric| metric.kind() == kind);
    metrics.map(move |&metric| MeterKey { reseller, metric })
}

/// What one reseller used, by metric.
#[derive(Default)]
struct Use {
    counters: BTreeMap<Metric, Counter>,
    gauges: BTreeMap<Metric, Gauge>,
}

impl Use {
    fn count(&mut self, day: CounterDay) -> Result<()> {
        self.counters.entry(day.key.meter.metric).or_default().add(day)
    }

    fn is_within(&self, range: &Period) -> bool {
        !self.gauges.is_empty() || self.counters.values().any(|counter| counter.is_within(range))
    }
}
