//! Failed sign-ins, and how they slow the next one down (S19).

use super::Secret;
use crate::values::Timestamp;

/// A keyed hash of the label and email that were typed, the same for accounts that exist and
/// for those that do not: the table tells nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AttemptKey([u8; 32]);

impl AttemptKey {
    /// From bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, for a store to keep.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub(crate) fn of(secret: &Secret, label: &str, email_key: &str) -> Self {
        Self(secret.keyed_hash("attempt", &[label.as_bytes(), email_key.as_bytes()]))
    }
}

/// The failures in a row of one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempts {
    /// Whose.
    pub key: AttemptKey,
    /// How many since the last success, those under way included.
    pub failures: u32,
    /// No password is looked at before this instant.
    pub blocked_until: Timestamp,
}

impl Attempts {
    /// No attempt so far.
    pub const fn none(key: AttemptKey) -> Self {
        Self { key, failures: 0, blocked_until: Timestamp::from_millis(i64::MIN) }
    }
}

/// When failures begin to cost time, and when they end it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AttemptPolicy {
    pub free: u32,
    pub hard_stop: u32,
}

impl Default for AttemptPolicy {
    /// Delays from the 10th failure in a row, none looked at after the 100th
    /// (NIST SP 800-63B, 3.2.2).
    fn default() -> Self {
        Self { free: 10, hard_stop: 100 }
    }
}

impl AttemptPolicy {
    const FIRST_DELAY: i64 = 1_000;
    const LONGEST_DELAY: i64 = 15 * 60_000;

    /// Counts an attempt as failed before it is made, so that racing ones cannot all be first.
    /// `None` when it may not be made now; nothing is counted then.
    pub fn reserve(self, before: Attempts, now: Timestamp) -> Option<Attempts> {
        if before.failures >= self.hard_stop || now < before.blocked_until {
            return None;
        }
        let failures = before.failures + 1;
        let blocked_until = now.plus_millis(self.delay(failures));
        Some(Attempts { failures, blocked_until, ..before })
    }

    /// From 1 s, doubled with each failure, to 15 min.
    fn delay(self, failures: u32) -> i64 {
        match failures.checked_sub(self.free) {
            None => 0,
            Some(beyond) => (Self::FIRST_DELAY << beyond.min(20)).min(Self::LONGEST_DELAY),
        }
    }
}
