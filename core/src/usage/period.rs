//! The periods of allowances: calendar months in the agency's time zone (S43).

use std::ops::RangeInclusive;

use jiff::tz::TimeZone;
use jiff::{ToSpan, ZonedDateTime};

use crate::agency::AgencyRow;
use crate::error::{Code, Error, Refusal, Result};
use crate::forking::undisturbed;
use crate::schema::entity::stored;
use crate::values::Timestamp;

/// The zone with this IANA name. Code: `unknown_time_zone`.
pub(crate) fn zone(name: &str) -> Result<TimeZone, Refusal> {
    // jiff also reads POSIX rules and abbreviations of a system; only IANA names mean the same
    // everywhere.
    let known = name == "UTC" || name.contains('/');
    let zone = known.then(|| undisturbed(|| TimeZone::get(name)).ok()).flatten();
    // `Etc/Unknown` says that nobody knows the zone.
    let zone = zone.filter(|zone| !zone.is_unknown());
    let unknown = || Refusal::from(Code::UnknownTimeZone);
    zone.ok_or_else(|| unknown().expecting("an IANA name like Europe/Berlin"))
}

/// The zone that an agency's periods follow.
pub(super) fn zone_of(agency: &AgencyRow) -> Result<TimeZone> {
    let unknown = |_| {
        Error::configuration(
            "the agency's time zone is missing in this machine's time zone database",
        )
    };
    zone(&agency.settings.time_zone).map_err(unknown)
}

/// The name of a zone as the IANA database spells it: some systems accept no other case.
pub(crate) fn zone_name(typed: &str) -> Result<String, Refusal> {
    let zone = zone(typed)?;
    Ok(zone.iana_name().unwrap_or(typed).to_owned())
}

stored! {
    /// A range of time from `start`, inclusive, to `end`, exclusive.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Period {
        /// The first instant of the period.
        pub start: Timestamp as period,
        /// The first instant after the period.
        pub end: Timestamp as period_end,
    }
}

impl Period {
    /// An empty period. It is made of zeros because SQLite stores a zero in no bytes: every meter that
    /// nobody has asked for a period has this one, and a batch of events writes hundreds of meters.
    pub const NONE: Self =
        Self { start: Timestamp::from_millis(0), end: Timestamp::from_millis(0) };

    /// The calendar month that holds the instant.
    pub(crate) fn month(at: Timestamp, zone: &TimeZone) -> Result<Self> {
        let first = instant(at)?.to_zoned_datetime(zone.clone()).first_of_month();
        let start = first.and_then(|day| day.start_of_day()).map_err(out_of_range)?;
        let next = start.checked_add(1.month()).and_then(|day| day.start_of_day());
        Ok(Self { start: stamp(&start), end: stamp(&next.map_err(out_of_range)?) })
    }

    /// Whether the instant lies in the period.
    ///
    /// ```
    /// use partnerkit::{Period, Timestamp};
    ///
    /// let [start, end] = ["2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"].map(|at| at.parse().unwrap());
    /// let march = Period { start, end };
    /// assert!(march.contains(start) && !march.contains(end));
    /// assert!(!Period::NONE.contains(Timestamp::from_millis(0)));
    /// ```
    pub fn contains(&self, at: Timestamp) -> bool {
        self.start <= at && at < self.end
    }

    /// The UTC days that the period touches.
    pub(crate) fn days(&self) -> RangeInclusive<i32> {
        self.start.utc_day()..=self.end.plus_millis(-1).utc_day()
    }
}

/// The instant as the calendar's library has it.
pub(super) fn instant(at: Timestamp) -> Result<jiff::Timestamp> {
    jiff::Timestamp::from_millisecond(at.as_millis()).map_err(out_of_range)
}

pub(super) fn out_of_range(_: jiff::Error) -> Error {
    Error::storage("a time is outside the range of the calendar")
}

pub(super) fn stamp(zoned: &ZonedDateTime) -> Timestamp {
    Timestamp::from_millis(zoned.timestamp().as_millisecond())
}
