//! Recording a batch of events: each is counted once, all in one atomic step (S32–S37).

use std::collections::{BTreeMap, BTreeSet};

use super::{
    DayKey, DayRollup, Event, EventId, EventOutcome, Meter, MeterKey, Metric, Period, TotalDelta,
    UsageEvent,
};
use crate::error::{Code, Error, FieldError, Result, refused};
use crate::records::{Insert, Question, Tx, get};
use crate::reseller::ResellerId;
use crate::storage::Lock;
use crate::usage::TotalRow;
use crate::values::Timestamp;

const EARLIEST: i64 = 35 * Timestamp::DAY;
/// How long events are kept to recognise a repeated one. It is longer than events are accepted,
/// with a margin for machines whose clocks differ (S33).
pub(crate) const EVENTS_KEPT: i64 = EARLIEST + 5 * Timestamp::DAY;

/// Validates an event as far as that is possible without the store.
pub(crate) fn check(event: &UsageEvent, now: Timestamp) -> Result<Event, FieldError> {
    let id = EventId::parse(&event.id).map_err(|refusal| refusal.of("id"))?;
    if event.quantity < 0 {
        return Err(FieldError::new("quantity", Code::Negative));
    }
    if event.at > now.plus_millis(Timestamp::CLOCK_TOLERANCE) {
        return Err(FieldError::new("at", Code::InTheFuture));
    }
    if event.at < now.plus_millis(-EARLIEST) {
        return Err(FieldError::new("at", Code::TooOld));
    }
    let UsageEvent { reseller, metric, quantity, at, .. } = *event;
    Ok(Event { id, reseller, metric, quantity, at })
}

/// Records a validated batch. The outcomes are in the order of the events.
pub(crate) fn record(
    tx: &mut Tx<'_>,
    checked: &[Result<Event, FieldError>],
) -> Result<Vec<EventOutcome>> {
    let known = hold_resellers(tx, checked)?;
    let mut batch = Batch::new(checked, &known);
    let lock = Sums::lock(tx, batch.meter_keys(), batch.day_keys())?;
    let mut sums = Sums::of(tx.ask(lock)?);
    let ahead = match sums.may_overflow(&batch) {
        true => Some(sums.look_ahead(tx, &mut batch)?),
        false => None,
    };
    let fresh: Vec<Event> = batch.fresh.values().map(|event| (*event).clone()).collect();
    let inserted = tx.insert_events(&fresh)?;
    for (event, insert) in fresh.iter().zip(inserted) {
        if ahead.as_ref().is_some_and(|ahead| ahead.is_wrong(event, &insert)) {
            return Err(Error::aborted("another call stored or removed one of the events"));
        }
        let outcome = match insert {
            Insert::Done => {
                sums.count(event)?;
                EventOutcome::Accepted
            }
            Insert::Existing(before) if before == *event => EventOutcome::Duplicate,
            Insert::Existing(_) => EventOutcome::Conflict,
        };
        batch.outcomes.insert(&event.id, outcome);
    }
    store(tx, sums)?;
    Ok(batch.report(checked, &known))
}

/// Finds the batch's resellers that exist, and locks them until the transaction ends.
fn hold_resellers(
    tx: &mut Tx<'_>,
    checked: &[Result<Event, FieldError>],
) -> Result<BTreeSet<ResellerId>> {
    let ids: BTreeSet<_> = checked.iter().flatten().map(|event| event.reseller).collect();
    let ids: Vec<_> = ids.into_iter().collect();
    let held = tx.lock_resellers(&ids, Lock::Share)?;
    Ok(held.into_iter().flatten().map(|reseller| reseller.id).collect())
}

/// The events of a batch that have to be stored, each once and in lock order.
struct Batch<'a> {
    fresh: BTreeMap<&'a EventId, &'a Event>,
    outcomes: BTreeMap<&'a EventId, EventOutcome>,
}

impl<'a> Batch<'a> {
    fn new(checked: &'a [Result<Event, FieldError>], known: &BTreeSet<ResellerId>) -> Self {
        let mut fresh = BTreeMap::new();
        for event in checked.iter().flatten().filter(|event| known.contains(&event.reseller)) {
            fresh.entry(&event.id).or_insert(event);
        }
        Self { fresh, outcomes: BTreeMap::new() }
    }

    fn meter_keys(&self) -> Vec<MeterKey> {
        let keys: BTreeSet<_> = self.fresh.values().map(|e| DayKey::of(e).meter).collect();
        keys.into_iter().collect()
    }

    fn day_keys(&self) -> Vec<DayKey> {
        let keys: BTreeSet<_> = self.fresh.values().map(|e| DayKey::of(e)).collect();
        keys.into_iter().collect()
    }

    fn leave_out(&mut self, overflowing: Vec<EventId>) {
        for id in overflowing {
            if let Some((id, _)) = self.fresh.remove_entry(&id) {
                self.outcomes.insert(id, rejected("quantity", Code::Overflow));
            }
        }
    }

    /// The outcomes of all events. The first event with an id has the store's outcome. If the same
    /// event is in the batch again, it is a duplicate; a different event with the id is a conflict.
    fn report(
        self,
        checked: &'a [Result<Event, FieldError>],
        known: &BTreeSet<ResellerId>,
    ) -> Vec<EventOutcome> {
        let mut first: BTreeMap<&EventId, &Event> = BTreeMap::new();
        let mut outcome = |event: &'a Event| {
            if !known.contains(&event.reseller) {
                return rejected("reseller", Code::UnknownReseller);
            }
            match (first.insert(&event.id, event), self.outcomes.get(&event.id)) {
                (_, None) => rejected("id", Code::Invalid),
                (None, Some(outcome)) => outcome.clone(),
                (Some(before), _) if before != event => {
                    first.insert(&event.id, before);
                    EventOutcome::Conflict
                }
                (Some(_), Some(EventOutcome::Accepted)) => EventOutcome::Duplicate,
                (Some(_), Some(outcome)) => outcome.clone(),
            }
        };
        let report = checked.iter().map(|checked| match checked {
            Err(error) => EventOutcome::Rejected(error.clone()),
            Ok(event) => outcome(event),
        });
        report.collect()
    }
}

fn rejected(field: &str, code: Code) -> EventOutcome {
    EventOutcome::Rejected(FieldError::new(field, code))
}

/// The sums that a transaction has locked, and what it adds to the agency's totals.
#[derive(Clone)]
pub(super) struct Sums {
    meters: BTreeMap<MeterKey, Meter>,
    days: BTreeMap<DayKey, DayRollup>,
    changed: BTreeSet<MeterKey>,
    touched: BTreeSet<DayKey>,
    /// What this transaction adds to the totals.
    added: Totals,
    /// The totals as they were read, not locked: other transactions may add to them meanwhile.
    totals: Totals,
}

/// The queries that lock and read sums.
type Lockings = (Question<Vec<Meter>>, Question<Vec<DayRollup>>, Question<Vec<TotalRow>>);

/// The answers from which sums are made.
pub(super) type Locked = (Vec<Meter>, Vec<DayRollup>, Vec<TotalRow>);

impl Sums {
    /// The queries that lock meters and then read the rollups and totals.
    pub fn lock(tx: &Tx<'_>, meters: Vec<MeterKey>, days: Vec<DayKey>) -> Result<Lockings> {
        let names: BTreeSet<_> = meters.iter().map(|key| key.metric.slug().to_owned()).collect();
        let names: Vec<_> = names.into_iter().collect();
        let totals = get::<TotalRow>(tx.agency_id(), &names).present();
        let (meters, days) = tx.usage(&meters, &days)?;
        Ok((meters, days, totals))
    }

    pub fn of((meters, days, totals): Locked) -> Self {
        let named = totals.into_iter().filter_map(|total| {
            let metric = Metric::from_slug(&total.name)?;
            Some((metric.slug(), total.value))
        });
        Self {
            meters: meters.into_iter().map(|meter| (meter.key, meter)).collect(),
            days: days.into_iter().map(|day| (day.key, day)).collect(),
            changed: BTreeSet::new(),
            touched: BTreeSet::new(),
            added: BTreeMap::new(),
            totals: named.collect(),
        }
    }

    pub fn meter(&self, key: MeterKey) -> Meter {
        self.meters.get(&key).cloned().unwrap_or_else(|| Meter::new(key))
    }

    /// Switches the meter to a period. If it knew another one, the use of the new one is summed
    /// from the rollups.
    pub fn turn_to(&mut self, tx: &mut Tx<'_>, key: MeterKey, period: Period) -> Result<()> {
        let meter = self.meters.entry(key).or_insert_with(|| Meter::new(key));
        if meter.period == period {
            return Ok(());
        }
        let days: Vec<_> = period.days().map(|day| DayKey { day, meter: key }).collect();
        let mut used = 0_i64;
        for day in tx.rollups(&days)?.into_iter().flatten() {
            let sum = day.sum_within(&period).and_then(|sum| used.checked_add(sum));
            used = sum.ok_or_else(DayRollup::damaged)?;
        }
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
    fn has_counted(&mut self, event: &Event) -> Result<bool> {
        let day = DayKey::of(event);
        let meter = self.meters.entry(day.meter).or_insert_with(|| Meter::new(day.meter));
        let total = self.added.entry(event.metric.slug()).or_default();
        let grown = meter.value_after(event).and_then(|value| value.checked_sub(meter.value));
        let Some(after) = grown.and_then(|grown| total.checked_add(grown)) else {
            return Ok(false);
        };
        if meter.count(event).is_none() {
            return Ok(false);
        }
        *total = after;
        let rollup = self.days.entry(day).or_insert_with(|| DayRollup::new(day));
        rollup.count(event).ok_or_else(DayRollup::damaged)?;
        self.changed.insert(day.meter);
        self.touched.insert(day);
        Ok(true)
    }

    /// A cheap bound: `false` means that no sum can overflow, whichever events turn out to be new
    /// and whichever level is the latest.
    fn may_overflow(&self, batch: &Batch<'_>) -> bool {
        let mut quantities = batch.fresh.values().map(|event| event.quantity);
        let most = quantities.try_fold(0_i64, i64::checked_add);
        let sums = self.meters.values().flat_map(|meter| [meter.value, meter.events]);
        let largest = sums.chain(self.totals.values().copied()).max().unwrap_or_default();
        let events = i64::try_from(batch.fresh.len()).unwrap_or(i64::MAX);
        most.and_then(|most| largest.checked_add(most.max(events))).is_none()
    }

    /// Counts the events on a copy, in the order in which they will be counted, and removes from
    /// the batch each event that would overflow a sum (S37).
    fn look_ahead(&self, tx: &mut Tx<'_>, batch: &mut Batch<'_>) -> Result<Ahead> {
        let ids: Vec<EventId> = batch.fresh.keys().map(|id| (*id).clone()).collect();
        let existing = tx.events(&ids)?;
        let mut copy = self.ahead();
        let (mut ahead, mut overflowing) = (Ahead::default(), Vec::new());
        for (event, before) in batch.fresh.values().zip(existing) {
            if before.is_some() {
                continue;
            }
            if copy.has_counted(event)? {
                ahead.counted.insert(event.id.clone());
            } else {
                overflowing.push(event.id.clone());
            }
        }
        ahead.rejects = !overflowing.is_empty();
        batch.leave_out(overflowing);
        Ok(ahead)
    }

    /// Fails if the single event of a `consume` would overflow a sum.
    pub fn refuse_overflow(&self, event: &Event) -> Result<()> {
        let fits = self.ahead().has_counted(event)?;
        if fits { Ok(()) } else { Err(refused("quantity")(Code::Overflow)) }
    }

    /// A copy that continues from the stored totals.
    fn ahead(&self) -> Self {
        Self { added: self.totals.clone(), ..self.clone() }
    }
}

type Totals = BTreeMap<&'static str, i64>;

/// What the rejections of a batch assume: which events were new, and whether any was rejected.
#[derive(Default)]
struct Ahead {
    counted: BTreeSet<EventId>,
    rejects: bool,
}

impl Ahead {
    /// Whether events were rejected on a wrong assumption: this one was expected to be new and is
    /// not, or the other way round.
    fn is_wrong(&self, event: &Event, insert: &Insert<Event>) -> bool {
        self.rejects && self.counted.contains(&event.id) != (*insert == Insert::Done)
    }
}

/// Writes what was counted, in lock order.
pub(super) fn store(tx: &mut Tx<'_>, sums: Sums) -> Result<()> {
    let Sums { meters, days, changed, touched, added, .. } = sums;
    let meters: Vec<_> = meters.into_values().filter(|m| changed.contains(&m.key)).collect();
    let days: Vec<_> = days.into_values().filter(|day| touched.contains(&day.key)).collect();
    if meters.is_empty() {
        return Ok(());
    }
    tx.put_usage(&meters, &days)?;
    let deltas: Vec<_> = added.into_iter().map(|(name, add)| TotalDelta { name, add }).collect();
    tx.add_totals(&deltas)
}
