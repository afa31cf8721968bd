//! The meters of some resellers, compared with all of their days.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::super::rows::{columns, gauge_days};
use super::super::{CounterDay, DayKey, GaugeDay, Meter, MeterKey, MetricKind, Period};
use super::findings::{About, Findings, Tally, UsageField};
use super::{KEYS, Portions};
use crate::error::Result;
use crate::records::{self, Reads};
use crate::reseller::ResellerId;
use crate::schema::Row;
use crate::schema::entity::Entity;
use crate::storage::Scan;

/// Compares the meters of some resellers, from one on, and says with which one to go on.
pub(super) fn some_meters(
    reads: &mut Reads<'_>,
    from: Option<ResellerId>,
    portions: Portions,
) -> Result<(Findings, Option<ResellerId>)> {
    let (meters, upto) = reads.some_meters_from(from, portions.meters)?;
    let mut findings = Findings::default();
    findings.saw_sums(meters.len());
    let (counters, gauges): (Vec<_>, Vec<_>) =
        meters.into_iter().partition(|meter| meter.key.metric.kind() == MetricKind::Counter);
    let mut used = used_by_some(reads, (from, upto), &counters, portions.meters)?;
    for meter in &counters {
        compare_counter(&mut findings, meter, used.remove(&meter.key).unwrap_or_default());
    }
    compare_without_meter(reads, &mut findings, used)?;
    for meter in &gauges {
        compare_gauge(reads, &mut findings, meter, portions.page)?;
    }
    Ok((findings, upto))
}

/// What the days of a counter add up to: over all time, and in the period of its meter.
#[derive(Clone, Copy, Default)]
struct Used {
    all: Tally,
    in_period: i128,
}

/// Adds up the days of counters of some resellers, also of those that have no meter any more. On each
/// day they are neighbours.
fn used_by_some(
    reads: &mut Reads<'_>,
    (from, upto): (Option<ResellerId>, Option<ResellerId>),
    meters: &[Meter],
    page: u32,
) -> Result<BTreeMap<MeterKey, Used>> {
    let periods: BTreeMap<_, _> = meters.iter().map(|meter| (meter.key, meter.period)).collect();
    let mut used = BTreeMap::<_, Used>::new();
    let mut begin = Bound::Unbounded;
    loop {
        let all = reads.of_agency(CounterDay::TABLE, page);
        let next_page = Scan { range: (begin, Bound::Unbounded), ..all };
        let rows: Vec<CounterDay> = reads.ask(records::scan(next_page))?;
        let Some(first) = rows.first().map(|row| row.key.day) else { return Ok(used) };
        let is_among = |key: &DayKey| {
            let of = key.meter.reseller;
            from.is_none_or(|from| of >= from) && upto.is_none_or(|upto| of < upto)
        };
        let wanted = |row: &&CounterDay| row.key.day == first && is_among(&row.key);
        for row in rows.iter().take_while(wanted) {
            let meter = row.key.meter;
            let period = periods.get(&meter).unwrap_or(&Period::NONE);
            let within = row.sum_within(period).ok_or_else(CounterDay::damaged)?;
            let used = used.entry(meter).or_default();
            used.all.add(Tally::new(row.sum, row.events));
            used.in_period += i128::from(within);
        }
        begin = match (rows.iter().find(|row| !wanted(row)), rows.last()) {
            (Some(row), _)
                if row.key.day == first
                    && from.is_none_or(|from| row.key.meter.reseller >= from) =>
            {
                Bound::Included(on_day(first + 1, from))
            }
            (Some(row), _) => Bound::Included(on_day(row.key.day, from)),
            (None, Some(last)) if rows.len() == page as usize => {
                Bound::Excluded(columns(&last.key))
            }
            (None, _) => return Ok(used),
        };
    }
}

/// From a reseller on, on a day.
fn on_day(day: i32, from: Option<ResellerId>) -> Row {
    let mut key = columns(&day);
    key.extend(from.iter().flat_map(columns));
    key
}

fn compare_counter(findings: &mut Findings, meter: &Meter, used: Used) {
    let about = about(meter.key);
    findings.compare_tally(about, Tally::new(meter.value, meter.events), used.all);
    if meter.period != Period::NONE {
        let of_period = About { period: Some(meter.period), ..about };
        findings.compare(of_period, UsageField::Value, meter.period_used.into(), used.in_period);
    }
}

/// A reseller that exists has a meter for everything that it has used; one that was deleted has none.
fn compare_without_meter(
    reads: &mut Reads<'_>,
    findings: &mut Findings,
    used: BTreeMap<MeterKey, Used>,
) -> Result<()> {
    let used: Vec<_> = used.into_iter().filter(|(_, used)| used.all != Tally::default()).collect();
    for some in used.chunks(KEYS) {
        let ids: Vec<_> = some.iter().map(|(key, _)| key.reseller).collect();
        let found = reads.resellers(&ids)?;
        for ((key, used), _) in some.iter().zip(found).filter(|(_, found)| found.is_some()) {
            findings.compare_tally(about(*key), Tally::default(), used.all);
        }
    }
    Ok(())
}

/// Compares a gauge with its days: the number of its events, and its latest level.
fn compare_gauge(
    reads: &mut Reads<'_>,
    findings: &mut Findings,
    meter: &Meter,
    page: u32,
) -> Result<()> {
    let (mut events, mut latest, mut from) = (0, None, Bound::Unbounded);
    loop {
        let all = gauge_days(reads.agency_id(), &meter.key, page);
        let days: Vec<GaugeDay> =
            reads.ask(records::scan(Scan { range: (from, Bound::Unbounded), ..all }))?;
        findings.saw_sums(days.len());
        let slots = || days.iter().flat_map(|day| day.slots.values());
        events += slots().map(|slot| i128::from(slot.events)).sum::<i128>();
        latest = slots().next_back().cloned().or(latest);
        match days.last().filter(|_| days.len() == page as usize) {
            Some(last) => from = Bound::Excluded(columns(&last.key.day)),
            None => break,
        }
    }
    let mut expected = Meter::new(meter.key);
    expected.turn_back_to(latest.as_ref())?;
    let about = about(meter.key);
    findings.compare(about, UsageField::Events, meter.events.into(), events);
    findings.compare(about, UsageField::Value, meter.value.into(), expected.value.into());
    let [stored, counted] = [meter, &expected].map(|of| i128::from(of.last_at.as_millis()));
    // Where there is no event, an older version of the library has stored another time.
    let is_same_time = stored == counted || expected.last_event.is_none();
    if meter.last_event != expected.last_event || !is_same_time {
        findings.differ(about, UsageField::LatestAt, stored, counted);
    }
    Ok(())
}

fn about(key: MeterKey) -> About {
    About { reseller: Some(key.reseller), metric: key.metric, period: None }
}
