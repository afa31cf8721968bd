//! Recording a batch of events: each is counted once, all in one atomic step (S32–S37).

use std::collections::BTreeSet;

use super::batch::Batch;
use super::days::Keys;
use super::known::oldest;
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
    now: Timestamp,
) -> Result<Vec<EventOutcome>> {
    let checked = &*tx.without_forgotten(checked, now)?;
    let known = hold_resellers(tx, checked)?;
    let mut batch = Batch::new(checked, &known);
    let lock = Sums::lock(tx, &Keys::of(batch.fresh()))?;
    let mut sums = Sums::of(tx.ask(lock)?);
    let ahead = match sums.may_overflow(batch.fresh()) {
        true => Some(look_ahead(tx, &sums, &mut batch)?),
        false => None,
    };
    let inserted = tx.insert_events(batch.fresh())?;
    for (place, insert) in inserted.into_iter().enumerate() {
        let event = batch.fresh[place].event;
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
        batch.settle(place, outcome);
    }
    if let Some(oldest) = oldest(batch.fresh(), now) {
        tx.keep_events_from(oldest, now)?;
    }
    store(tx, sums)?;
    Ok(batch.report())
}

/// Finds the batch's resellers that exist, and locks them until the transaction ends. They are
/// sorted.
pub(super) fn hold_resellers(
    tx: &mut Tx<'_>,
    checked: &[Result<Event, FieldError>],
) -> Result<Vec<ResellerId>> {
    let mut ids: Vec<_> = checked.iter().flatten().map(|event| event.reseller).collect();
    ids.sort_unstable();
    ids.dedup();
    let held = tx.hold_resellers(&ids, Lock::Share)?;
    Ok(ids.into_iter().zip(held).filter_map(|(id, exists)| exists.then_some(id)).collect())
}

/// Counts the events on a copy, in the order in which they will be counted, and removes from
/// the batch each event that would overflow a sum (S37).
fn look_ahead(tx: &mut Tx<'_>, sums: &Sums, batch: &mut Batch<'_>) -> Result<Ahead> {
    let ids: Vec<EventId> = batch.fresh().map(|event| event.id.clone()).collect();
    let existing = tx.events(&ids)?;
    let mut copy = sums.ahead();
    let (mut ahead, mut overflowing) = (Ahead::default(), Vec::new());
    for (event, before) in batch.fresh().zip(existing) {
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
