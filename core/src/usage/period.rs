//! The periods of allowances: calendar months in the agency's time zone (S43).

use jiff::tz::TimeZone;
use jiff::{ToSpan, ZonedDateTime};

use crate::error::{Code, Error, Refusal, Result};
use crate::values::Timestamp;

/// The zone with this IANA name. Code: `unknown_time_zone`.
pub(crate) fn zone(name: &str) -> Result<TimeZone, Refusal> {
    // jiff also reads POSIX rules and abbreviations of a system; only IANA names mean the same
    // everywhere.
    let known = name == "UTC" || name.contains('/');
    let zone = known.then(|| TimeZone::get(name).ok()).flatten();
    zone.ok_or(Code::UnknownTimeZone.into())
}

/// A calendar month: from `start`, up to but without `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Month {
    pub start: Timestamp,
    pub end: Timestamp,
    /// The date of the first day, in days from 1970-01-01, whatever the zone.
    pub first_day: i32,
}

impl Month {
    /// The month that holds the instant.
    pub fn of(at: Timestamp, zone: &TimeZone) -> Result<Self> {
        let out_of_range = |_| Error::storage("a time lies outside the calendar");
        let instant = jiff::Timestamp::from_millisecond(at.as_millis()).map_err(out_of_range)?;
        let first = instant.to_zoned_datetime(zone.clone()).first_of_month();
        let start = first.and_then(|day| day.start_of_day()).map_err(out_of_range)?;
        let next = start.checked_add(1.month()).and_then(|day| day.start_of_day());
        let first_day = day_number(start.date());
        Ok(Self { start: stamp(&start), end: stamp(&next.map_err(out_of_range)?), first_day })
    }

    pub fn contains(&self, at: Timestamp) -> bool {
        self.start <= at && at < self.end
    }
}

fn day_number(date: jiff::civil::Date) -> i32 {
    let epoch = jiff::civil::date(1970, 1, 1);
    // Dates lie within 9,999 years of year 0.
    epoch.until(date).map_or(i32::MIN, |span| span.get_days())
}

fn stamp(zoned: &ZonedDateTime) -> Timestamp {
    Timestamp::from_millis(zoned.timestamp().as_millisecond())
}
