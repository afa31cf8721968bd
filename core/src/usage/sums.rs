//! What a transaction counts events in: meters, their days, and the agency's totals.

use std::collections::{BTreeMap, BTreeSet};

use super::agency_slot::{AgencySlot, AgencySlotKey};
use super::days::{Days, Keys};
use super::sorted::{Keyed, Sorted};
use super::{
    CounterDay, Event, GaugeDay, Meter, MeterKey, Metric, MetricKind, Period, TotalDelta, TotalRow,
};
use crate::error::{Code, Error, Result, refused};
use crate::records::{Question, Tx, get};

/// The sums that a transaction has locked, and what it adds to the agency's totals.
#[derive(Clone)]
pub(super) struct Sums {
    meters: Sorted<Meter>,
    days: Days,
    /// What this transaction adds to the totals.
    added: Totals,
    /// What it adds to the agency's quarter-hours: sums and numbers of events.
    slots: Slots,
    /// The totals as they were read, not locked: other transactions may add to them meanwhile.
    totals: Totals,
}

/// The queries that lock and read sums.
type Lockings = (
    Question<Vec<Meter>>,
    Question<Vec<CounterDay>>,
    Question<Vec<GaugeDay>>,
    Question<Vec<TotalRow>>,
);

/// The answers from which sums are made.
pub(super) type Locked = (Vec<Meter>, Vec<CounterDay>, Vec<GaugeDay>, Vec<TotalRow>);

impl Keyed for Meter {
    type Key = MeterKey;

    fn key(&self) -> MeterKey {
        self.key
    }
}

impl Sums {
    /// The queries that lock meters and then read their days and the totals.
    pub fn lock(tx: &Tx<'_>, keys: &Keys) -> Result<Lockings> {
        let names: BTreeSet<_> = keys.meters.iter().map(|key| key.metric.slug()).collect();
        let names: Vec<_> = names.into_iter().map(str::to_owned).collect();
        let totals = get::<TotalRow>(tx.agency_id(), &names).present();
        let gauges = get::<GaugeDay>(tx.agency_id(), &keys.gauge_days);
        let gauges = gauges.or_new(keys.gauge_days.clone(), GaugeDay::new);
        let (meters, counters) = tx.usage(&keys.meters, &keys.counter_days)?;
        let counters = counters.or_new(keys.counter_days.clone(), CounterDay::new);
        Ok((meters, counters, gauges, totals))
    }

    pub fn of((meters, counters, gauges, totals): Locked) -> Self {
        let named = totals.into_iter().filter_map(|total| {
            let metric = Metric::from_slug(&total.name)?;
            Some((metric.slug(), total.value))
        });
        Self {
            meters: Sorted::of(meters),
            days: Days::of(counters, gauges),
            added: BTreeMap::new(),
            slots: BTreeMap::new(),
            totals: named.collect(),
        }
    }

    pub fn meter(&self, key: MeterKey) -> Meter {
        self.meters.get(key).cloned().unwrap_or_else(|| Meter::new(key))
    }

    /// Switches the meter to a period. If it knew another one, the use of the new one is summed
    /// from the days.
    pub fn turn_to(&mut self, tx: &mut Tx<'_>, key: MeterKey, period: Period) -> Result<()> {
        let place = self.meters.place_of(key, Meter::new);
        if self.meters.at(place).period == period {
            return Ok(());
        }
        let used = tx.used_within(key, &period)?;
        let meter = self.meters.at(place);
        (meter.period, meter.period_used) = (period, used);
        self.meters.has_changed(place);
        Ok(())
    }

    /// Counts an event that was just inserted.
    pub fn count(&mut self, event: &Event) -> Result<()> {
        // There was room before the insert, so a concurrent writer must have used it up.
        let has_room = self.has_counted(event)?;
        if has_room { Ok(()) } else { Err(Error::aborted("a total would overflow")) }
    }

    /// Counts an event if it overflows no sum; otherwise changes nothing.
    pub fn has_counted(&mut self, event: &Event) -> Result<bool> {
        let key = MeterKey::of(event);
        let place = self.meters.place_of(key, Meter::new);
        let meter = self.meters.at(place);
        let total = self.added.entry(event.metric.slug()).or_default();
        let grown = meter.value_after(event).and_then(|value| value.checked_sub(meter.value));
        let Some(after) = grown.and_then(|grown| total.checked_add(grown)) else {
            return Ok(false);
        };
        if meter.count(event).is_none() {
            return Ok(false);
        }
        *total = after;
        self.meters.has_changed(place);
        self.days.count(event)?;
        if event.metric.kind() == MetricKind::Counter {
            add(&mut self.slots, AgencySlotKey::of(event), (event.quantity, 1));
        }
        Ok(true)
    }

    /// A cheap bound: `false` means that no sum can overflow, whichever events turn out to be new
    /// and whichever level is the latest.
    pub fn may_overflow<'e>(&self, fresh: impl ExactSizeIterator<Item = &'e Event>) -> bool {
        let events = i64::try_from(fresh.len()).unwrap_or(i64::MAX);
        let most = fresh.map(|event| event.quantity).try_fold(0_i64, i64::checked_add);
        let sums = self.meters.iter().flat_map(|meter| [meter.value, meter.events]);
        let largest = sums.chain(self.totals.values().copied()).max().unwrap_or_default();
        most.and_then(|most| largest.checked_add(most.max(events))).is_none()
    }

    /// Fails if the single event of a `consume` would overflow a sum.
    pub fn refuse_overflow(&self, event: &Event) -> Result<()> {
        let fits = self.ahead().has_counted(event)?;
        if fits { Ok(()) } else { Err(refused("quantity")(Code::Overflow)) }
    }

    /// A copy that continues from the stored totals.
    pub fn ahead(&self) -> Self {
        Self { added: self.totals.clone(), ..self.clone() }
    }
}

type Totals = BTreeMap<&'static str, i64>;

/// Writes what was counted, in lock order.
pub(super) fn store(tx: &mut Tx<'_>, sums: Sums) -> Result<()> {
    let Sums { meters, days, added, slots, .. } = sums;
    let meters = meters.into_changed();
    if meters.is_empty() {
        return Ok(());
    }
    tx.put(&meters)?;
    days.store(tx)?;
    let deltas: Vec<_> = added.into_iter().map(|(name, add)| TotalDelta { name, add }).collect();
    tx.add_totals(&deltas)?;
    let slot = |(key, (sum, events))| AgencySlot { key, sum, events };
    tx.add(&with_days(slots).into_iter().map(slot).collect::<Vec<_>>())
}

type Slots = BTreeMap<AgencySlotKey, (i64, i64)>;

/// Quarter-hours, and the days that they are of.
fn with_days(mut slots: Slots) -> Slots {
    let mut days = Slots::new();
    for (slot, counted) in &slots {
        add(&mut days, slot.of_day(), *counted);
    }
    slots.append(&mut days);
    slots
}

/// Adds to a slot. None overflows: its sum is no larger than the total's, which has room.
fn add(slots: &mut Slots, key: AgencySlotKey, (more, events): (i64, i64)) {
    let slot = slots.entry(key).or_default();
    *slot = (slot.0.saturating_add(more), slot.1.saturating_add(events));
}
