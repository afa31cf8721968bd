//! From when on every event that was counted is kept. Before that, events may have been removed by
//! upkeep, or use may have come in by backfill, which has no events.

use super::TotalRow;
use crate::error::Result;
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

impl Tx<'_> {
    /// Stores that events before this time may not be kept.
    pub(crate) fn forget_events_before(&mut self, time: Timestamp) -> Result<()> {
        let first = TotalRow { name: EVENTS_KNOWN_FROM.to_owned(), value: 0 };
        let lock = records::lock_or_insert(self.agency_id(), vec![first], Lock::Update)?;
        let mut known = self.ask(lock)?;
        known.retain(|known| known.value < time.as_millis());
        known.iter_mut().for_each(|known| known.value = time.as_millis());
        self.put(&known)
    }
}
