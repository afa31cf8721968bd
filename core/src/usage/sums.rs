//! What a transaction counts events in: meters, their days, and the agency's totals.

use std::collections::{BTreeMap, BTreeSet};

use super::agency_slot::{AgencySlot, AgencySlotKey};
use super::days::{Days, Keys};
use super::{
    CounterDay, Event, EventId, GaugeDay, Meter, MeterKey, Metric, MetricKind, Period, TotalDelta,
    TotalRow,
};
use crate::error::{Code, Error, Result, refused};
use crate::records::{Question, Tx, get};

/// The sums that a transaction has locked, and what it adds to the agency's totals.
#[derive(Clone)]
pub(super) struct Sums {
    meters: BTreeMap<MeterKey, Meter>,
    days: Days,
    changed: BTreeSet<MeterKey>,
    /// What this transaction adds to the totals.
    added: Totals,
    /// What it adds to the agency's quarter-hours and days: sums and numbers of events.
    slots: BTreeMap<AgencySlotKey, (i64, i64)>,
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

impl Sums {
    /// The queries that lock meters and then read their days and the totals.
    pub fn lock(tx: &Tx<'_>, keys: &Keys) -> Result<Lockings> {
        let names = keys.meters.iter().map(|key| key.metric.slug().to_owned());
        let names: Vec<_> = names.collect::<BTreeSet<_>>().into_iter().collect();
        let totals = get::<TotalRow>(tx.agency_id(), &names).present();
        let gauges = get::<GaugeDay>(tx.agency_id(), &keys.gauge_days).present();
        let (meters, counters) = tx.usage(&keys.meters, &keys.counter_days)?;
        Ok((meters, counters, gauges, totals))
    }

    pub fn of((meters, counters, gauges, totals): Locked) -> Self {
        let named = totals.into_iter().filter_map(|total| {
            let metric = Metric::from_slug(&total.name)?;
            Some((metric.slug(), total.value))
        });
        Self {
            meters: meters.into_iter().map(|meter| (meter.key, meter)).collect(),
            days: Days::of(counters, gauges),
            changed: BTreeSet::new(),
            added: BTreeMap::new(),
            slots: BTreeMap::new(),
            totals: named.collect(),
        }
    }

    pub fn meter(&self, key: MeterKey) -> Meter {
        self.meters.get(&key).cloned().unwrap_or_else(|| Meter::new(key))
    }

    /// Switches the meter to a period. If it knew another one, the use of the new one is summed
    /// from the days.
    pub fn turn_to(&mut self, tx: &mut Tx<'_>, key: MeterKey, period: Period) -> Result<()> {
        let meter = self.meters.entry(key).or_insert_with(|| Meter::new(key));
        if meter.period == period {
            return Ok(());
        }
        let used = tx.used_within(key, &period)?;
        (meter.period, meter.period_used) = (period, used);
        self.changed.insert(key);
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
        let meter = self.meters.entry(key).or_insert_with(|| Meter::new(key));
        let total = self.added.entry(event.metric.slug()).or_default();
        let grown = meter.value_after(event).and_then(|value| value.checked_sub(meter.value));
        let Some(after) = grown.and_then(|grown| total.checked_add(grown)) else {
            return Ok(false);
        };
        if meter.count(event).is_none() {
            return Ok(false);
        }
        *total = after;
        self.changed.insert(key);
        self.days.count(event)?;
        if event.metric.kind() == MetricKind::Counter {
            // None overflows: its sum is no larger than the total's, which has room.
            for slot in AgencySlotKey::both_of(event) {
                let (sum, events) = self.slots.entry(slot).or_default();
                *sum = sum.saturating_add(event.quantity);
                *events = events.saturating_add(1);
            }
        }
        Ok(true)
    }

    /// A cheap bound: `false` means that no sum can overflow, whichever events turn out to be new
    /// and whichever level is the latest.
    pub fn may_overflow(&self, fresh: &BTreeMap<&EventId, &Event>) -> bool {
        let mut quantities = fresh.values().map(|event| event.quantity);
        let most = quantities.try_fold(0_i64, i64::checked_add);
        let sums = self.meters.values().flat_map(|meter| [meter.value, meter.events]);
        let largest = sums.chain(self.totals.values().copied()).max().unwrap_or_default();
        let events = i64::try_from(fresh.len()).unwrap_or(i64::MAX);
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
    let Sums { meters, days, changed, added, slots, .. } = sums;
    let meters: Vec<_> = meters.into_values().filter(|m| changed.contains(&m.key)).collect();
    if meters.is_empty() {
        return Ok(());
    }
    tx.put(&meters)?;
    days.store(tx)?;
    let deltas: Vec<_> = added.into_iter().map(|(name, add)| TotalDelta { name, add }).collect();
    tx.add_totals(&deltas)?;
    let slot = |(key, (sum, events))| AgencySlot { key, sum, events };
    tx.add(&slots.into_iter().map(slot).collect::<Vec<_>>())
}
