//! Recording a batch of events: each is counted once, all in one atomic step (S32–S37).

use std::collections::{BTreeMap, BTreeSet};

use super::days::Keys;
use super::sums::{Sums, store};
use super::{Event, EventId, EventOutcome, Lateness, UsageEvent};
use crate::error::{Code, Error, FieldError, Result};
use crate::records::{Insert, Tx};
use crate::reseller::ResellerId;
use crate::storage::Lock;
use crate::values::Timestamp;

/// The most events, or rollups, of a batch.
pub(super) const MAX_BATCH: usize = 10_000;

/// Validates an event as far as that is possible without the store.
pub(crate) fn check(
    event: &UsageEvent,
    now: Timestamp,
    lateness: Lateness,
) -> Result<Event, FieldError> {
    let event = content(event)?;
    if event.at > now.plus_millis(Timestamp::CLOCK_TOLERANCE) {
        return Err(FieldError::new("at", Code::InTheFuture));
    }
    if event.at < lateness.earliest(now).max(Timestamp::YEAR_1980) {
        return Err(FieldError::new("at", Code::TooOld));
    }
    Ok(event)
}

/// Validates an event, whenever it was.
pub(super) fn content(event: &UsageEvent) -> Result<Event, FieldError> {
    let id = EventId::parse(&event.id).map_err(|refusal| refusal.of("id"))?;
    if event.quantity < 0 {
        return Err(FieldError::new("quantity", Code::Negative));
    }
    let UsageEvent { reseller, metric, quantity, at, .. } = *event;
    Ok(Event { id, reseller, metric, quantity, at, voided: false })
}

/// Records a validated batch. The outcomes are in the order of the events.
pub(crate) fn record(
    tx: &mut Tx<'_>,
    checked: &[Result<Event, FieldError>],
) -> Result<Vec<EventOutcome>> {
    let known = hold_resellers(tx, checked)?;
    let mut batch = Batch::new(checked, &known);
    let lock = Sums::lock(tx, &Keys::of(batch.fresh.values().copied()))?;
    let mut sums = Sums::of(tx.ask(lock)?);
    let ahead = match sums.may_overflow(&batch.fresh) {
        true => Some(look_ahead(tx, &sums, &mut batch)?),
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
            Insert::Existing(before) if before.repeats(event) => EventOutcome::Duplicate,
            Insert::Existing(_) => EventOutcome::Conflict,
        };
        batch.outcomes.insert(&event.id, outcome);
    }
    store(tx, sums)?;
    Ok(batch.report(checked, &known))
}

/// Finds the batch's resellers that exist, and locks them until the transaction ends.
pub(super) fn hold_resellers(
    tx: &mut Tx<'_>,
    checked: &[Result<Event, FieldError>],
) -> Result<BTreeSet<ResellerId>> {
    let ids: BTreeSet<_> = checked.iter().flatten().map(|event| event.reseller).collect();
    let ids: Vec<_> = ids.into_iter().collect();
    let held = tx.hold_resellers(&ids, Lock::Share)?;
    Ok(ids.into_iter().zip(held).filter_map(|(id, exists)| exists.then_some(id)).collect())
}

/// The events of a batch that have to be stored, each once and in lock order.
pub(super) struct Batch<'a> {
    pub fresh: BTreeMap<&'a EventId, &'a Event>,
    pub outcomes: BTreeMap<&'a EventId, EventOutcome>,
}

impl<'a> Batch<'a> {
    pub fn new(checked: &'a [Result<Event, FieldError>], known: &BTreeSet<ResellerId>) -> Self {
        let mut fresh = BTreeMap::new();
        for event in checked.iter().flatten().filter(|event| known.contains(&event.reseller)) {
            fresh.entry(&event.id).or_insert(event);
        }
        Self { fresh, outcomes: BTreeMap::new() }
    }

    pub fn leave_out(&mut self, overflowing: Vec<EventId>) {
        for id in overflowing {
            if let Some((id, _)) = self.fresh.remove_entry(&id) {
                self.outcomes.insert(id, rejected("quantity", Code::Overflow));
            }
        }
    }

    /// The outcomes of all events. The first event with an id has the store's outcome. If the same
    /// event is in the batch again, it is a duplicate; a different event with the id is a conflict.
    pub fn report(
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

/// Counts the events on a copy, in the order in which they will be counted, and removes from
/// the batch each event that would overflow a sum (S37).
fn look_ahead(tx: &mut Tx<'_>, sums: &Sums, batch: &mut Batch<'_>) -> Result<Ahead> {
    let ids: Vec<EventId> = batch.fresh.keys().map(|id| (*id).clone()).collect();
    let existing = tx.events(&ids)?;
    let mut copy = sums.ahead();
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
