//! A day's events, counted again, and compared with the days of resellers.
//!
//! A part of the resellers is looked at in one snapshot: as many as have few enough quarter-hours to be
//! kept in memory. The events of the day are read once for each part.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use super::super::rows::{at_least, columns};
use super::super::{
    CounterDay, CounterSlot, DayKey, Event, GaugeDay, GaugeDayKey, GaugeSlot, MeterKey, MetricKind,
};
use super::agency_day::each_counter_day;
use super::findings::{About, Findings, Tally, UsageField};
use super::{KEYS, Portions};
use crate::error::Result;
use crate::records::{self, Reads};
use crate::reseller::ResellerId;
use crate::schema::entity::Entity;
use crate::storage::Scan;
use crate::values::Timestamp;

/// Counts the events of some resellers, from one on, and says with which one to go on. A day of which
/// events may be missing is left out.
pub(super) fn some_events(
    reads: &mut Reads<'_>,
    day: i32,
    from: Option<ResellerId>,
    (portions, now): (Portions, Timestamp),
) -> Result<(Findings, Option<ResellerId>)> {
    let mut findings = Findings::default();
    if Timestamp::midnight_of(day) < reads.events_known_from(now)? {
        return Ok((findings, None));
    }
    let mut part = Part::new(day, from, portions.slots);
    each_event(reads, day, portions.page, |event| part.count(&event))?;
    let upto = part.upto;
    let Part { mut counters, gauges, events, .. } = part;
    findings.saw_events(events.values().sum());
    each_counter_day(reads, day, at_least(from), portions.page, |row| {
        let meter = row.key.meter;
        if upto.is_some_and(|upto| meter.reseller >= upto) {
            return Ok(false);
        }
        let counted = counters.remove(&meter).unwrap_or_else(|| CounterDay::new(row.key));
        compare_counter(&mut findings, Some(&row), &counted);
        Ok(true)
    })?;
    counters.values().for_each(|counted| compare_counter(&mut findings, None, counted));
    let gauges: Vec<_> = gauges.into_values().collect();
    for some in gauges.chunks(KEYS) {
        let keys: Vec<_> = some.iter().map(|counted| counted.key).collect();
        let stored = reads.get::<GaugeDay>(&keys)?;
        for (counted, stored) in some.iter().zip(stored) {
            findings.saw_sums(1);
            compare_gauge(&mut findings, stored.as_ref(), counted);
        }
    }
    Ok((findings, upto))
}

/// Goes through the events of a day, those that were taken back included.
fn each_event(
    reads: &mut Reads<'_>,
    day: i32,
    page: u32,
    mut see: impl FnMut(Event) -> Result<()>,
) -> Result<()> {
    let [midnight, next] = [day, day + 1].map(Timestamp::midnight_of);
    let mut from = Bound::Included(columns(&midnight));
    loop {
        let range = (from, Bound::Excluded(columns(&next)));
        let all = reads.of_agency(Event::TABLE, page);
        let next_page = Scan { columns: &["agency", "at", "id"], range, ..all };
        let events: Vec<Event> = reads.ask(records::scan(next_page))?;
        let Some(last) = events.last() else { return Ok(()) };
        let (mut after, id) = (columns(&last.at), columns(&last.id));
        after.extend(id);
        let is_last = events.len() < page as usize;
        events.into_iter().try_for_each(&mut see)?;
        if is_last {
            return Ok(());
        }
        from = Bound::Excluded(after);
    }
}

/// What the events of some resellers add up to.
struct Part {
    day: i32,
    from: Option<ResellerId>,
    /// The first reseller that is left for the next part.
    upto: Option<ResellerId>,
    counters: BTreeMap<MeterKey, CounterDay>,
    gauges: BTreeMap<MeterKey, GaugeDay>,
    /// How many events of each reseller were counted.
    events: BTreeMap<ResellerId, u64>,
    /// How many quarter-hours are in memory, and about how many may be.
    slots: usize,
    most: usize,
}

impl Part {
    fn new(day: i32, from: Option<ResellerId>, most: usize) -> Self {
        let (counters, gauges, events) = Default::default();
        Self { day, from, upto: None, counters, gauges, events, slots: 0, most }
    }

    fn count(&mut self, event: &Event) -> Result<()> {
        let of = event.reseller;
        if self.from.is_some_and(|from| of < from) || self.upto.is_some_and(|upto| of >= upto) {
            return Ok(());
        }
        let (key, day) = (MeterKey::of(event), self.day);
        // A day whose events were all taken back is compared, too: it has to be empty.
        let (slots, counted) = match event.metric.kind() {
            MetricKind::Counter => {
                let new = || CounterDay::new(DayKey { day, meter: key });
                let counter = self.counters.entry(key).or_insert_with(new);
                let before = counter.slots.len();
                let counted = event.voided.then_some(()).or_else(|| counter.count(event));
                (counter.slots.len() - before, counted)
            }
            MetricKind::Gauge => {
                let new = || GaugeDay::new(GaugeDayKey { day, meter: key });
                let gauge = self.gauges.entry(key).or_insert_with(new);
                let before = gauge.slots.len();
                let counted = event.voided.then_some(()).or_else(|| gauge.count(event));
                (gauge.slots.len() - before, counted)
            }
        };
        counted.ok_or_else(CounterDay::damaged)?;
        *self.events.entry(of).or_default() += u64::from(!event.voided);
        self.slots += slots;
        while self.slots > self.most && self.events.len() > 1 {
            self.leave_out_the_last();
        }
        Ok(())
    }

    /// Leaves the last reseller for the next part.
    fn leave_out_the_last(&mut self) {
        let Some((last, _)) = self.events.pop_last() else { return };
        while let Some(entry) = self.counters.last_entry().filter(|of| of.key().reseller == last) {
            self.slots -= entry.remove().slots.len();
        }
        while let Some(entry) = self.gauges.last_entry().filter(|of| of.key().reseller == last) {
            self.slots -= entry.remove().slots.len();
        }
        self.upto = Some(last);
    }
}

fn compare_counter(findings: &mut Findings, stored: Option<&CounterDay>, counted: &CounterDay) {
    let DayKey { day, meter } = counted.key;
    let about = About { reseller: Some(meter.reseller), metric: meter.metric, period: None };
    let whole = |of: &CounterDay| Tally::new(of.sum, of.events);
    let sums = stored.map(whole).unwrap_or_default();
    findings.compare_tally(about.day(day), sums, whole(counted));
    let stored = stored.map(|stored| &stored.slots);
    for slot in every_slot(stored, &counted.slots) {
        let of = |slots: &BTreeMap<u8, CounterSlot>| slots.get(&slot).map(Tally::of);
        let [stored, counted] = [stored.and_then(of), of(&counted.slots)];
        let about = about.quarter_hour(day, slot);
        findings.compare_tally(about, stored.unwrap_or_default(), counted.unwrap_or_default());
    }
}

fn compare_gauge(findings: &mut Findings, stored: Option<&GaugeDay>, counted: &GaugeDay) {
    let GaugeDayKey { day, meter } = counted.key;
    let about = About { reseller: Some(meter.reseller), metric: meter.metric, period: None };
    let stored = stored.map(|stored| &stored.slots);
    for slot in every_slot(stored, &counted.slots) {
        let about = about.quarter_hour(day, slot);
        let stored = stored.and_then(|slots| slots.get(&slot));
        compare_levels(findings, about, stored, counted.slots.get(&slot));
    }
}

fn compare_levels(
    findings: &mut Findings,
    about: About,
    stored: Option<&GaugeSlot>,
    counted: Option<&GaugeSlot>,
) {
    let numbers = |of: Option<&GaugeSlot>| {
        let of = of.cloned().unwrap_or(NO_LEVEL);
        [of.last, of.min, of.max, of.last_at].map(i128::from).into_iter().chain([of.events.into()])
    };
    let fields = [
        UsageField::Value,
        UsageField::Min,
        UsageField::Max,
        UsageField::LatestAt,
        UsageField::Events,
    ];
    let both = numbers(stored).zip(numbers(counted));
    let mut same_time = false;
    for (field, (stored, counted)) in fields.into_iter().zip(both) {
        findings.compare(about, field, stored, counted);
        same_time |= field == UsageField::LatestAt && stored == counted;
    }
    if let Some((stored, counted)) = stored.zip(counted)
        && same_time
        && stored.last_event != counted.last_event
    {
        let at = counted.last_at.into();
        findings.differ(about, UsageField::LatestAt, at, at);
    }
}

/// A quarter-hour without events.
const NO_LEVEL: GaugeSlot =
    GaugeSlot { events: 0, min: 0, max: 0, last: 0, last_at: 0, last_event: String::new() };

/// The quarter-hours that either has.
fn every_slot<S>(stored: Option<&BTreeMap<u8, S>>, counted: &BTreeMap<u8, S>) -> BTreeSet<u8> {
    stored.into_iter().flat_map(BTreeMap::keys).chain(counted.keys()).copied().collect()
}
