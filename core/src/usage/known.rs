//! From when on every event that was counted is kept. Before that, events may have been removed by
//! upkeep, or use may have come in by backfill, which has no events.

use std::borrow::Cow;

use super::{Event, TotalRow};
use crate::error::{Code, Error, FieldError, Result};
use crate::records::{self, Reads, Tx};
use crate::storage::Lock;
use crate::values::Timestamp;

/// It is stored beside the totals, in milliseconds. Without a row it is 0, which is before the year
/// 1980, so every event is kept.
const EVENTS_KNOWN_FROM: &str = "events_known_from";

impl Reads<'_> {
    /// The time from which on every event is kept.
    pub(crate) fn events_known_from(&mut self) -> Result<Timestamp> {
        let found = self.totals(&[EVENTS_KNOWN_FROM])?;
        Ok(Timestamp::from_millis(found.first().copied().unwrap_or_default()))
    }
}

/// Events that are younger are never forgotten, whatever the settings and the clocks of other processes:
/// the shortest time for which events are kept is longer by days.
const YOUNG: i64 = Timestamp::DAY;

/// The time of the oldest event that may have been forgotten, if there is one.
pub(super) fn oldest<'e>(
    events: impl IntoIterator<Item = &'e Event>,
    now: Timestamp,
) -> Option<Timestamp> {
    let oldest = events.into_iter().map(|event| event.at).min();
    oldest.filter(|oldest| *oldest < now.plus_millis(-YOUNG))
}

/// What was validated of a batch.
type Checked<'c> = Cow<'c, [Result<Event, FieldError>]>;

impl Tx<'_> {
    /// Rejects events of a time of which some were forgotten: one of these may have been counted already.
    /// That happens when events may come later than before, or later than another process says.
    pub(super) fn without_forgotten<'c>(
        &mut self,
        checked: &'c [Result<Event, FieldError>],
        now: Timestamp,
    ) -> Result<Checked<'c>> {
        let Some(oldest) = oldest(checked.iter().flatten(), now) else { return Ok(checked.into()) };
        let known_from = self.events_known_from()?;
        if oldest >= known_from {
            return Ok(checked.into());
        }
        let known = |event: &Event| match event.at < known_from {
            true => Err(FieldError::new("at", Code::TooOld)),
            false => Ok(event.clone()),
        };
        Ok(checked
            .iter()
            .map(|checked| checked.as_ref().map_err(Clone::clone).and_then(known))
            .collect())
    }

    /// Keeps events from this time on from being forgotten until the transaction ends. Errors: `Aborted` if
    /// some were forgotten meanwhile.
    pub(super) fn keep_events_from(&mut self, time: Timestamp) -> Result<()> {
        let known = self.lock_known(Lock::Share)?;
        match known.iter().any(|known| known.value > time.as_millis()) {
            true => Err(Error::aborted("another call forgot some of the events")),
            false => Ok(()),
        }
    }

    fn lock_known(&mut self, lock: Lock) -> Result<Vec<TotalRow>> {
        let first = TotalRow { name: EVENTS_KNOWN_FROM.to_owned(), value: 0 };
        let lock = records::lock_or_insert(self.agency_id(), vec![first], lock)?;
        self.ask(lock)
    }

    /// Stores that events before this time may not be kept.
    pub(crate) fn forget_events_before(&mut self, time: Timestamp) -> Result<()> {
        let mut known = self.lock_known(Lock::Update)?;
        known.retain(|known| known.value < time.as_millis());
        known.iter_mut().for_each(|known| known.value = time.as_millis());
        self.put(&known)
    }
}
