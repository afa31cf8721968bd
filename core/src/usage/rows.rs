//! Rows of usage: events, meters and their days, totals.

use super::{CounterDay, DayKey, Event, EventId, Meter, MeterKey};
#[cfg(feature = "conformance")]
use super::{GaugeDay, GaugeDayKey};
use crate::error::{Error, Result};
use crate::records::{self, Insert, Question, Reads, Tx};
use crate::reseller::{Reseller, ResellerId};
use crate::schema::entity::Entity;
use crate::storage::{Lock, Scan};
use crate::usage::TotalRow;

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

/// The queries that lock meters and read their days.
pub(crate) type Lockings = (Question<Vec<Meter>>, Question<Vec<CounterDay>>);

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

impl Tx<'_> {
    /// The queries that lock meters, creating the missing ones, and then read days of counters: a
    /// meter's lock guards its days.
    pub fn usage(&self, meters: &[MeterKey], days: &[DayKey]) -> Result<Lockings> {
        let agency = self.agency_id();
        let new: Vec<_> = meters.iter().map(|key| Meter::new(*key)).collect();
        let meters = records::lock_or_insert(agency, new, Lock::Update)?;
        Ok((meters, records::get::<CounterDay>(agency, days).present()))
    }

    /// Locks one meter.
    pub fn lock_meter(&mut self, key: MeterKey) -> Result<Meter> {
        let (meters, _) = self.usage(&[key], &[])?;
        self.ask(meters)?
            .pop()
            .ok_or_else(|| Error::storage("the storage did not return the meter's row"))
    }

    /// Inserts events whose id is free, and answers the existing event for the others. It waits for
    /// a concurrent transaction that has inserted the same id.
    pub fn insert_events(&mut self, events: &[Event]) -> Result<Vec<Insert<Event>>> {
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
