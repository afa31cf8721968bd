//! An instant, as every language of the library can hold it.

use jiff::Timestamp as Instant;
use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01T00:00:00Z, before or after; what JavaScript's `Date` holds (S49).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// The UTC day, counted from 1970-01-01.
    pub const fn utc_day(self) -> i32 {
        self.0.div_euclid(Self::DAY) as i32
    }

    /// The quarter-hour of the UTC day, 0–95.
    pub const fn quarter_hour(self) -> u8 {
        (self.0.rem_euclid(Self::DAY) / Self::QUARTER_HOUR) as u8
    }

    pub(crate) const QUARTER_HOUR: i64 = 15 * 60_000;

    pub(crate) const DAY: i64 = 86_400_000;

    pub(crate) const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }
}

impl std::fmt::Display for Timestamp {
    /// RFC 3339 in UTC.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match Instant::from_millisecond(self.0) {
            Ok(instant) => instant.fmt(f),
            Err(_) => write!(f, "{} ms", self.0),
        }
    }
}
