//! Rows of usage: events, meters and their days, totals.

use std::ops::{Bound, RangeInclusive};

#[cfg(feature = "conformance")]
use super::GaugeDayKey;
use super::{AgencySlot, CounterDay, DayKey, Event, EventId, GaugeDay, Meter, MeterKey};
use crate::error::{Error, Result};
use crate::records::{self, Insert, Question, Reads, Tx};
use crate::reseller::{Reseller, ResellerId};
use crate::schema::Row;
use crate::schema::entity::{Entity, Stored};
use crate::storage::{Lock, Scan};
use crate::usage::TotalRow;
use crate::values::{AgencyId, Timestamp};

/// A number to add to one of an agency's totals; it may be negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TotalDelta {
    /// The total's name.
    pub name: &'static str,
    /// The number to add.
    pub add: i64,
}

/// More than there are metrics.
const METRICS: u32 = 1_000;

/// How many rows are read at once when all are gone through.
const MANY: u32 = 4_096;

/// The queries that lock meters and read their days.
pub(crate) type Lockings = (Question<Vec<Meter>>, Question<Vec<Option<CounterDay>>>);

impl Reads<'_> {
    /// Events by id.
    pub fn events(&mut self, ids: &[EventId]) -> Result<Vec<Option<Event>>> {
        self.get(ids)
    }

    /// Every meter of a reseller, by metric.
    pub fn meters(&mut self, reseller: ResellerId) -> Result<Vec<Meter>> {
        let meters = self.meters_of(reseller);
        self.ask(meters)
    }

    /// The query for every meter of a reseller, by metric.
    pub fn meters_of(&self, reseller: ResellerId) -> Question<Vec<Meter>> {
        let of_reseller = Reseller::key_row(self.agency_id(), &reseller);
        records::scan(Scan::all(Meter::TABLE, Meter::TABLE.key, of_reseller, METRICS))
    }

    /// Days of counters.
    pub fn counter_days(&mut self, days: &[DayKey]) -> Result<Vec<Option<CounterDay>>> {
        self.get(days)
    }

    /// The query for the first rows of a day of counters, from a reseller on.
    pub fn counter_day_from(
        &self,
        day: i32,
        from: Option<ResellerId>,
        limit: u32,
    ) -> Question<Vec<CounterDay>> {
        let mut of_day = vec![CounterDay::TABLE.owner(self.agency_id())];
        of_day.extend(columns(&day));
        let scan = Scan::all(CounterDay::TABLE, CounterDay::TABLE.key, of_day, limit);
        records::scan(Scan { range: (at_least(from), Bound::Unbounded), ..scan })
    }

    /// Some of the days of all counters in a range of days, and the last one of these if there may be
    /// more.
    pub fn counter_days_in(
        &mut self,
        days: RangeInclusive<i32>,
        after: Option<DayKey>,
    ) -> Result<(Vec<CounterDay>, Option<DayKey>)> {
        let begin = match after {
            Some(after) => Bound::Excluded(columns(&after)),
            None => Bound::Included(columns(days.start())),
        };
        let range = (begin, Bound::Included(columns(days.end())));
        let scan = self.of_agency(CounterDay::TABLE, MANY);
        let found = self.ask(records::scan::<CounterDay>(Scan { range, ..scan }))?;
        let more = found.last().filter(|_| found.len() == MANY as usize).map(|day| day.key);
        Ok((found, more))
    }

    /// The part of some UTC days that begins with the first one, and ends with the last one, on which the
    /// agency used something.
    pub fn known_days(&mut self, days: RangeInclusive<i32>) -> Result<RangeInclusive<i32>> {
        let scan = Scan { range: all_of(&days), ..self.of_agency(AgencySlot::TABLE, 1) };
        let latest = records::scan::<AgencySlot>(Scan { reverse: true, ..scan.clone() });
        let ends = self.ask((records::scan::<AgencySlot>(scan), latest))?;
        let [first, last] = [ends.0, ends.1].map(|mut found| found.pop().map(|slot| slot.key.day));
        Ok(first.zip(last).map_or(RangeInclusive::new(1, 0), |(first, last)| first..=last))
    }

    /// Some meters from a reseller on, all of each reseller, and with which reseller to go on.
    pub fn meters_from(
        &mut self,
        from: Option<ResellerId>,
    ) -> Result<(Vec<Meter>, Option<ResellerId>)> {
        self.some_meters_from(from, MANY)
    }

    /// At most so many meters from a reseller on, which is more than one reseller has.
    pub fn some_meters_from(
        &mut self,
        from: Option<ResellerId>,
        most: u32,
    ) -> Result<(Vec<Meter>, Option<ResellerId>)> {
        let scan = self.of_agency(Meter::TABLE, most);
        let range = (at_least(from), Bound::Unbounded);
        let mut meters: Vec<Meter> = self.ask(records::scan(Scan { range, ..scan }))?;
        if meters.len() < most as usize {
            return Ok((meters, None));
        }
        // Of the last reseller there may be more.
        let next = meters.last().map(|meter| meter.key.reseller);
        meters.retain(|meter| Some(meter.key.reseller) != next);
        Ok((meters, next))
    }

    /// Days of gauges.
    #[cfg(feature = "conformance")]
    pub fn gauge_days(&mut self, days: &[GaugeDayKey]) -> Result<Vec<Option<GaugeDay>>> {
        self.get(days)
    }

    /// Totals by name; 0 where nothing was ever added.
    pub fn totals(&mut self, names: &[&str]) -> Result<Vec<i64>> {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let totals = self.get::<TotalRow>(&names)?;
        Ok(totals.into_iter().map(|total| total.map_or(0, |total| total.value)).collect())
    }
}

/// The scan of all days of a gauge.
pub(super) fn gauge_days(agency: &AgencyId, meter: &MeterKey, limit: u32) -> Scan {
    let mut of_meter = vec![GaugeDay::TABLE.owner(agency)];
    of_meter.extend(columns(meter));
    Scan::all(GaugeDay::TABLE, GaugeDay::TABLE.key, of_meter, limit)
}

/// The queries for the latest day of a gauge before some days, and for these days.
pub(super) fn gauge_days_within(
    agency: &AgencyId,
    meter: &MeterKey,
    days: &RangeInclusive<i32>,
) -> (Question<Vec<GaugeDay>>, Question<Vec<GaugeDay>>) {
    let scan = gauge_days(agency, meter, 1);
    let before = (Bound::Unbounded, Bound::Excluded(columns(days.start())));
    let most = days.clone().count().max(1) as u32;
    let earlier = Scan { range: before, reverse: true, ..scan.clone() };
    (records::scan(earlier), records::scan(Scan { range: all_of(days), limit: most, ..scan }))
}

/// The range of some days.
fn all_of(days: &RangeInclusive<i32>) -> (Bound<Row>, Bound<Row>) {
    (Bound::Included(columns(days.start())), Bound::Included(columns(days.end())))
}

/// From a reseller on, or from the first one.
pub(super) fn at_least(reseller: Option<ResellerId>) -> Bound<Row> {
    reseller.map_or(Bound::Unbounded, |reseller| Bound::Included(columns(&reseller)))
}

/// The values of a part of a key.
pub(super) fn columns(part: &impl Stored) -> Row {
    let mut row = Row::new();
    part.write(&mut row).expect("a key has no JSON in it");
    row
}

impl Tx<'_> {
    /// The queries that lock meters, creating the missing ones, and then read days of counters: a
    /// meter's lock guards its days.
    pub fn usage(&self, meters: &[MeterKey], days: &[DayKey]) -> Result<Lockings> {
        let agency = self.agency_id();
        let new: Vec<_> = meters.iter().map(|key| Meter::new(*key)).collect();
        let meters = records::lock_or_insert(agency, new, Lock::Update)?;
        Ok((meters, records::get(agency, days)))
    }

    /// Locks one meter.
    pub fn lock_meter(&mut self, key: MeterKey) -> Result<Meter> {
        let (meters, _) = self.usage(&[key], &[])?;
        self.ask(meters)?
            .pop()
            .ok_or_else(|| Error::storage("the storage did not return the meter's row"))
    }

    /// The events of a gauge that are counted in the quarter-hour of an event.
    pub(super) fn levels_of_quarter_hour(&mut self, event: &Event) -> Result<Vec<Event>> {
        let from = event.at.start_of_quarter_hour();
        let mut scan = self.of_agency(Event::TABLE, u32::MAX);
        let end = from.plus_millis(Timestamp::QUARTER_HOUR);
        scan.columns = &["agency", "at"];
        scan.range = (Bound::Included(columns(&from)), Bound::Excluded(columns(&end)));
        let mut events = self.ask(records::scan::<Event>(scan))?;
        events.retain(|other| MeterKey::of(other) == MeterKey::of(event) && !other.voided);
        Ok(events)
    }

    /// The latest day of a gauge.
    pub(super) fn latest_gauge_day(&mut self, meter: &MeterKey) -> Result<Option<GaugeDay>> {
        let days = gauge_days(self.agency_id(), meter, 1);
        Ok(self.ask(records::scan(Scan { reverse: true, ..days }))?.pop())
    }

    /// Inserts events whose id is free, and answers the existing event for the others. It waits for
    /// a concurrent transaction that has inserted the same id.
    pub fn insert_events<'e>(
        &mut self,
        events: impl IntoIterator<Item = &'e Event>,
    ) -> Result<Vec<Insert<Event>>> {
        let insert = records::insert(self.agency_id(), events)?;
        self.ask(insert)
    }

    /// Stores locked meters and days of counters.
    #[cfg(feature = "conformance")]
    pub fn put_usage(&mut self, meters: &[Meter], days: &[CounterDay]) -> Result<()> {
        self.put(meters)?;
        self.put(days)
    }

    /// Adds to totals. An overflow is [`aborted`](crate::Error::aborted): the next try sees the new
    /// total and refuses the event.
    pub fn add_totals(&mut self, deltas: &[TotalDelta]) -> Result<()> {
        let total = |delta: &TotalDelta| TotalRow { name: delta.name.to_owned(), value: delta.add };
        let changed = deltas.iter().filter(|delta| delta.add != 0);
        self.add(&changed.map(total).collect::<Vec<_>>())
    }
}
