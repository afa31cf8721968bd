//! How late events may come, and how long they are kept because of that (S33, S35).

use std::time::Duration;

use crate::error::{Error, Result};
use crate::values::Timestamp;

/// How long events are kept after they have become too old to be recorded, so that one that comes
/// again is recognised also by a machine whose clock is behind.
const MARGIN: i64 = 5 * Timestamp::DAY;
const SHORTEST: i64 = 60 * 60_000;
const LONGEST: i64 = 3_650 * Timestamp::DAY;

/// How long after its time an event may be recorded, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lateness(i64);

impl Default for Lateness {
    fn default() -> Self {
        Self(35 * Timestamp::DAY)
    }
}

impl Lateness {
    /// Errors: `Configuration` unless it is between an hour and ten years.
    pub fn new(most: Duration) -> Result<Self> {
        let millis = i64::try_from(most.as_millis()).ok();
        let valid = millis.filter(|millis| (SHORTEST..=LONGEST).contains(millis));
        let refused = "usage_lateness must be between an hour and 3,650 days";
        valid.map(Self).ok_or_else(|| Error::configuration(refused))
    }

    /// The time of the oldest event that may be recorded now.
    pub fn earliest(self, now: Timestamp) -> Timestamp {
        now.plus_millis(-self.0)
    }

    /// The time of the oldest event that is kept.
    pub fn oldest_kept(self, now: Timestamp) -> Timestamp {
        self.earliest(now).plus_millis(-MARGIN)
    }

    /// The beginning of the oldest quarter-hour whose events can be taken back. The other events of the
    /// quarter-hour are kept a day longer, because the clock of the machine that removes them may
    /// differ.
    pub fn oldest_voidable(self, now: Timestamp) -> Timestamp {
        self.oldest_kept(now).plus_millis(Timestamp::DAY)
    }
}
