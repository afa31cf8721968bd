//! From when on every event that was counted is kept. Before that, events may have been removed by
//! upkeep, or use may have come in by backfill, which has no events.

use std::borrow::Cow;

use super::{Event, TotalRow};
use crate::error::{Code, Error, FieldError, Result};
use crate::records::{self, Reads, Tx};
use crate::schema::entity::Entity;
use crate::storage::{Lock, Scan};
use crate::values::Timestamp;

/// Up to when upkeep has removed events. Both times are stored beside the totals, in milliseconds.
const FORGOTTEN_BEFORE: &str = "events_forgotten_before";
/// Up to when use came in by backfill.
const BACKFILLED_BEFORE: &str = "backfilled_before";

/// How long events were kept by versions of the library that did not store what they removed.
const KEPT_UNTOLD: i64 = 40 * Timestamp::DAY;

impl Reads<'_> {
    /// The time from which on every event that was counted is kept.
    pub(crate) fn events_known_from(&mut self, now: Timestamp) -> Result<Timestamp> {
        let backfilled = self.one::<TotalRow>(&BACKFILLED_BEFORE.to_owned())?;
        let backfilled = Timestamp::from_millis(backfilled.map_or(0, |found| found.value));
        Ok(backfilled.max(self.forgotten_before(now)?))
    }

    /// The time before which events may have been removed.
    pub(crate) fn forgotten_before(&mut self, now: Timestamp) -> Result<Timestamp> {
        match self.one::<TotalRow>(&FORGOTTEN_BEFORE.to_owned())? {
            Some(found) => Ok(Timestamp::from_millis(found.value)),
            None => self.forgotten_untold(now),
        }
    }

    /// The same where it was never stored: if there is use of a time before the oldest event that is kept,
    /// an older version has removed events.
    fn forgotten_untold(&mut self, now: Timestamp) -> Result<Timestamp> {
        let never = Timestamp::from_millis(0);
        let oldest = Scan { columns: Event::TABLE.index("age"), ..self.of_agency(Event::TABLE, 1) };
        let oldest = self.ask(records::scan::<Event>(oldest))?;
        let days = self.known_days(i32::MIN..=i32::MAX)?;
        let known_from = match oldest.first() {
            _ if days.is_empty() => return Ok(never),
            Some(event) if event.at.utc_day() <= *days.start() => return Ok(never),
            Some(event) => event.at,
            None => Timestamp::midnight_of(days.end() + 1),
        };
        Ok(known_from.min(now.plus_millis(-KEPT_UNTOLD)))
    }
}

/// Events that are younger were never forgotten, also by a process with other settings: events are kept for
/// five days at least, and clocks do not differ by four of them.
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
        let known_from = self.forgotten_before(now)?;
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
    pub(super) fn keep_events_from(&mut self, time: Timestamp, now: Timestamp) -> Result<()> {
        let forgotten = self.forgotten_before(now)?;
        match self.lock_mark(FORGOTTEN_BEFORE, forgotten, Lock::Share)?.value > time.as_millis() {
            true => Err(Error::aborted("another call forgot some of the events")),
            false => Ok(()),
        }
    }

    /// Stores that events before this time may have been removed. It is called before they are.
    pub(crate) fn forget_events_before(&mut self, time: Timestamp, now: Timestamp) -> Result<()> {
        let forgotten = self.forgotten_before(now)?;
        self.raise_mark(FORGOTTEN_BEFORE, forgotten, time)
    }

    /// Stores that use before this time has no events. What was forgotten is stored, too, because it can
    /// no longer be told from the sums.
    pub(super) fn has_backfilled_before(&mut self, time: Timestamp, now: Timestamp) -> Result<()> {
        let forgotten = self.forgotten_before(now)?;
        self.raise_mark(BACKFILLED_BEFORE, time, time)?;
        self.lock_mark(FORGOTTEN_BEFORE, forgotten, Lock::Share).map(drop)
    }

    fn lock_mark(&mut self, name: &str, first: Timestamp, lock: Lock) -> Result<TotalRow> {
        let first = TotalRow { name: name.to_owned(), value: first.as_millis() };
        let lock = records::lock_or_insert(self.agency_id(), vec![first], lock)?;
        let found = self.ask(lock)?.pop();
        found.ok_or_else(|| Error::storage("a row that was inserted is not there"))
    }

    fn raise_mark(&mut self, name: &str, first: Timestamp, time: Timestamp) -> Result<()> {
        let mark = self.lock_mark(name, first, Lock::Update)?;
        let value = mark.value.max(time.as_millis());
        self.put(&[TotalRow { value, ..mark }])
    }
}
