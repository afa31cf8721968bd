//! An instant, as every language of the library can hold it.

use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::civil::{DateTime, date};
use jiff::fmt::temporal::Pieces;
use jiff::{Error as OutOfRange, SignedDuration};
use serde::{Deserialize, Serialize};

use crate::error::Refusal;

/// Milliseconds since 1970-01-01T00:00:00Z, possibly negative, as in JavaScript's `Date`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since the epoch.
    ///
    /// ```
    /// let noon = partnerkit::Timestamp::from_millis(1_773_576_000_000);
    /// assert_eq!(noon.to_string(), "2026-03-15T12:00:00Z");
    /// ```
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the epoch.
    ///
    /// ```
    /// let noon: partnerkit::Timestamp = "2026-03-15T13:00:00+01:00".parse().unwrap();
    /// assert_eq!(noon.as_millis(), 1_773_576_000_000);
    /// ```
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// The UTC day, counted from 1970-01-01.
    ///
    /// ```
    /// use partnerkit::Timestamp;
    ///
    /// assert_eq!(Timestamp::from_millis(0).utc_day(), 0);
    /// assert_eq!(Timestamp::from_millis(-1).utc_day(), -1);
    /// ```
    pub const fn utc_day(self) -> i32 {
        self.0.div_euclid(Self::DAY) as i32
    }

    /// The quarter-hour of the UTC day, 0–95.
    ///
    /// ```
    /// let at: partnerkit::Timestamp = "2026-03-15T12:20:00Z".parse().unwrap();
    /// assert_eq!(at.quarter_hour(), 4 * 12 + 1);
    /// ```
    pub const fn quarter_hour(self) -> u8 {
        (self.0.rem_euclid(Self::DAY) / Self::QUARTER_HOUR) as u8
    }

    /// When a quarter-hour of a UTC day begins.
    pub(crate) const fn of_quarter_hour(day: i32, slot: u8) -> Self {
        Self::midnight_of(day).plus_millis(slot as i64 * Self::QUARTER_HOUR)
    }

    /// When its quarter of an hour began.
    pub(crate) const fn start_of_quarter_hour(self) -> Self {
        Self(self.0 - self.0.rem_euclid(Self::QUARTER_HOUR))
    }

    /// The earliest time of use (S33).
    pub(crate) const YEAR_1980: Self = Self(315_532_800_000);

    /// The first instant that the dates of every language can represent.
    pub(crate) const YEAR_1: Self = Self(-62_135_596_800_000);

    /// How many milliseconds the clock of a caller may be ahead.
    pub(crate) const CLOCK_TOLERANCE: i64 = 5 * 60_000;

    pub(crate) const QUARTER_HOUR: i64 = 15 * 60_000;

    pub(crate) const HOUR: i64 = 3_600_000;
    pub(crate) const DAY: i64 = 86_400_000;

    /// When a UTC day begins.
    pub(crate) const fn midnight_of(day: i32) -> Self {
        Self(day as i64 * Self::DAY)
    }

    pub(crate) const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// The date and time in UTC. It is not jiff's own instant, whose range ends half a day before the
    /// year 9999 does.
    fn in_utc(self) -> Result<DateTime, OutOfRange> {
        EPOCH.checked_add(SignedDuration::from_millis(self.0))
    }
}

/// 1970-01-01T00:00:00 in UTC.
const EPOCH: DateTime = date(1970, 1, 1).at(0, 0, 0, 0);

/// Truncates to the millisecond (`SystemTime::now().into()`); an instant out of the range becomes
/// its nearest end.
impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let millis = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        match time.duration_since(UNIX_EPOCH) {
            Ok(since) => Self(millis(since)),
            // Before the epoch, a part of a millisecond is rounded to the earlier one.
            Err(error) => {
                let before = error.duration();
                let part = i64::from(before.subsec_nanos() % 1_000_000 > 0);
                Self(millis(before).saturating_add(part).saturating_neg())
            }
        }
    }
}

/// What an instant is expected to be, in words.
pub(crate) const INSTANT: &str =
    "an instant with its offset from UTC, like 2026-03-15T12:00:00Z or 2026-03-15T13:00:00+01:00";

fn not_valid() -> Refusal {
    Refusal::invalid(INSTANT)
}

/// Parses RFC 3339 with an offset (`2026-03-15T12:00:00+01:00`), to the millisecond. Code:
/// `invalid`, also for a time without an offset, which means another instant in each time zone.
impl FromStr for Timestamp {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        let parts = Pieces::parse(text).map_err(|_| not_valid())?;
        let (time, offset) = parts.time().zip(parts.to_numeric_offset()).ok_or_else(not_valid)?;
        let since_1970 = parts.date().to_datetime(time).duration_since(EPOCH);
        let nanos = since_1970.as_nanos() - i128::from(offset.seconds()) * 1_000_000_000;
        let at = Self(nanos.div_euclid(1_000_000) as i64);
        // The offset may lead out of the calendar's years.
        at.in_utc().map_err(|_| not_valid())?;
        Ok(at)
    }
}

impl std::fmt::Display for Timestamp {
    /// RFC 3339 in UTC.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.in_utc() {
            Ok(time) => write!(f, "{time}Z"),
            Err(_) => write!(f, "{} ms", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    #[test]
    fn a_moment_of_the_system_is_the_millisecond_that_it_is_in() {
        let at = |nanos: i64| {
            let distance = Duration::from_nanos(nanos.unsigned_abs());
            let time = if nanos < 0 { UNIX_EPOCH - distance } else { UNIX_EPOCH + distance };
            Timestamp::from(time).as_millis()
        };
        assert_eq!([0, 1, 999_999, 1_000_000, 1_999_999].map(at), [0, 0, 0, 1, 1]);
        assert_eq!([-1, -999_999, -1_000_000, -1_000_001].map(at), [-1, -1, -1, -2]);
    }

    #[test]
    fn s49_texts_before_1970_and_to_the_end_of_the_year_9999_are_instants() {
        for (text, millis) in [
            ("1969-12-31T23:59:59.999Z", -1),
            ("1969-12-31T23:59:59.9991Z", -1),
            ("1901-02-03T04:05:06Z", -2_174_586_894_000),
            ("0001-01-01T00:00:00Z", Timestamp::YEAR_1.as_millis()),
            ("9999-12-31T00:00:00Z", 253_402_214_400_000),
            ("9999-12-31T12:00:00+02:00", 253_402_250_400_000),
            ("9999-12-31T23:59:59.9999Z", 253_402_300_799_999),
            ("9999-12-31T23:59:59.999+00:00", 253_402_300_799_999),
        ] {
            let at: Timestamp = text.parse().expect(text);
            assert_eq!(at.as_millis(), millis, "{text}");
            assert_eq!(at.to_string().parse(), Ok(at), "{at}");
        }
        let last = Timestamp::from_millis(253_402_300_799_999);
        assert_eq!(last.to_string(), "9999-12-31T23:59:59.999Z");
        for text in
            ["9999-12-31T23:59:59-00:01", "9999-12-31T23:59:59", "9999-12-31Z", "9999-12-31"]
        {
            let refused = text.parse::<Timestamp>().expect_err(text);
            assert_eq!(refused.code(), Code::Invalid, "{text}");
        }
    }
}
