//! The events of a batch and their outcomes: which of them have to be stored, in which order, and what
//! becomes of those that are in the batch more than once.

use super::{Event, EventId, EventOutcome};
use crate::error::{Code, FieldError, Result};
use crate::reseller::ResellerId;

/// A batch of validated events.
pub(super) struct Batch<'a> {
    /// One for each event of the batch, in its order; `None` as long as it is not known.
    outcomes: Vec<Option<EventOutcome>>,
    /// Those that have to be stored, each once and in lock order.
    pub fresh: Vec<Placed<'a>>,
    /// Those whose id an earlier event of the batch has.
    repeated: Vec<Repeated<'a>>,
}

/// An event, and its place in the batch.
#[derive(Clone, Copy)]
pub(super) struct Placed<'a> {
    pub event: &'a Event,
    place: usize,
}

struct Repeated<'a> {
    first: Placed<'a>,
    again: Placed<'a>,
}

impl<'a> Batch<'a> {
    /// A batch of events, of which those are rejected that are invalid, or that are of a reseller who is
    /// not among the known ones, which are sorted.
    pub fn new(checked: &'a [Result<Event, FieldError>], known: &[ResellerId]) -> Self {
        let (mut outcomes, mut placed) = (Vec::with_capacity(checked.len()), Vec::new());
        for (place, checked) in checked.iter().enumerate() {
            outcomes.push(match checked {
                Err(error) => Some(EventOutcome::Rejected(error.clone())),
                Ok(event) if known.binary_search(&event.reseller).is_err() => {
                    Some(rejected("reseller", Code::UnknownReseller))
                }
                Ok(event) => {
                    placed.push(Placed { event, place });
                    None
                }
            });
        }
        // The sort is stable, so the first one with an id remains the first.
        placed.sort_by(|one, other| one.event.id.cmp(&other.event.id));
        let (mut fresh, mut repeated) =
            (Vec::<Placed<'_>>::with_capacity(placed.len()), Vec::new());
        for again in placed {
            match fresh.last() {
                Some(&first) if first.event.id == again.event.id => {
                    repeated.push(Repeated { first, again });
                }
                _ => fresh.push(again),
            }
        }
        Self { outcomes, fresh, repeated }
    }

    /// The events that have to be stored, in lock order.
    pub fn fresh(&self) -> impl ExactSizeIterator<Item = &'a Event> + Clone {
        self.fresh.iter().map(|placed| placed.event)
    }

    /// Rejects fresh events, whose ids are sorted, because they would overflow a sum.
    pub fn leave_out(&mut self, overflowing: Vec<EventId>) {
        let Self { fresh, outcomes, .. } = self;
        fresh.retain(|Placed { event, place }| {
            let overflows = overflowing.binary_search(&event.id).is_ok();
            if overflows {
                outcomes[*place] = Some(rejected("quantity", Code::Overflow));
            }
            !overflows
        });
    }

    /// Says what became of one of the fresh events.
    pub fn settle(&mut self, fresh: usize, outcome: EventOutcome) {
        self.outcomes[self.fresh[fresh].place] = Some(outcome);
    }

    /// The outcomes of all events. The first event with an id has the store's outcome. If the same
    /// event is in the batch again, it is a duplicate; a different event with the id is a conflict.
    pub fn report(mut self) -> Vec<EventOutcome> {
        for Repeated { first, again } in self.repeated {
            let outcome = match &self.outcomes[first.place] {
                _ if first.event != again.event => EventOutcome::Conflict,
                Some(EventOutcome::Accepted) => EventOutcome::Duplicate,
                Some(outcome) => outcome.clone(),
                None => continue,
            };
            self.outcomes[again.place] = Some(outcome);
        }
        let known = |outcome: Option<_>| outcome.unwrap_or_else(|| rejected("id", Code::Invalid));
        self.outcomes.into_iter().map(known).collect()
    }
}

/// The outcome of an event that is not counted because of one of its fields.
fn rejected(field: &str, code: Code) -> EventOutcome {
    EventOutcome::Rejected(FieldError::new(field, code))
}
