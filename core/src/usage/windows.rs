//! The windows of a range of time: hours, days, weeks and months by the calendar of a zone (S36).

use super::Period;
use super::period::{instant, out_of_range, stamp};
use crate::error::Result;
use crate::values::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{ToSpan, ZonedDateTime};

/// How a range of time is divided.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Window {
    /// It is not divided.
    #[default]
    Whole,
    /// By the hour of the clock. A window also begins where the clock is changed, so in a zone whose
    /// summer time is half an hour (`Australia/Lord_Howe`) there are two days a year with a window
    /// of half an hour.
    Hour,
    /// By the day, which has 23 or 25 hours where the clock is changed by one.
    Day,
    /// By the week of ISO 8601, which begins on Monday.
    Week,
    /// By the month.
    Month,
}

impl Window {
    /// All divisions.
    pub const ALL: [Self; 5] = [Self::Whole, Self::Hour, Self::Day, Self::Week, Self::Month];

    /// The stable slug.
    ///
    /// ```
    /// assert_eq!(partnerkit::Window::Day.slug(), "day");
    /// ```
    pub fn slug(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    /// The division with this slug.
    ///
    /// ```
    /// use partnerkit::Window;
    ///
    /// assert_eq!(Window::from_slug("week"), Some(Window::Week));
    /// assert_eq!(Window::from_slug("year"), None);
    /// ```
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|window| window.slug() == slug)
    }
}

/// Divides a range. The windows follow each other without a gap: the first begins where the range
/// begins, the last ends where it ends.
pub(crate) fn windows(range: Period, window: Window, zone: &TimeZone) -> Windows<'_> {
    Windows { left: range, window, zone, change: None }
}

/// The windows that are left.
pub(crate) struct Windows<'z> {
    left: Period,
    window: Window,
    zone: &'z TimeZone,
    /// When the clock is changed next.
    change: Option<Timestamp>,
}

impl Iterator for Windows<'_> {
    type Item = Result<Period>;

    fn next(&mut self) -> Option<Self::Item> {
        let Period { start, end } = self.left;
        if start >= end {
            return None;
        }
        let next = match self.next_start() {
            Ok(next) => on_a_quarter_hour(next).min(end),
            Err(error) => {
                self.left = Period::NONE;
                return Some(Err(error));
            }
        };
        self.left.start = next;
        Some(Ok(Period { start, end: next }))
    }
}

impl Windows<'_> {
    /// The first instant after the window that holds the first one that is left.
    fn next_start(&mut self) -> Result<Timestamp> {
        let now = instant(self.left.start)?.to_zoned_datetime(self.zone.clone());
        let date = now.date();
        let next = match self.window {
            Window::Whole => return Ok(self.left.end),
            Window::Hour => return Ok(self.next_hour(&now)),
            Window::Day => date.tomorrow(),
            Window::Week => {
                date.checked_add((7 - i64::from(date.weekday().to_monday_zero_offset())).days())
            }
            Window::Month => date.first_of_month().checked_add(1.month()),
        };
        let date = next.map_err(out_of_range)?;
        let midnight = date.to_zoned_datetime(self.zone.clone()).map_err(out_of_range)?;
        if stamp(&midnight) > self.left.start {
            return Ok(stamp(&midnight));
        }
        // A clock that was put back over midnight shows it twice, and the first one has passed.
        let midnight = self.zone.to_ambiguous_zoned_datetime(date.to_datetime(Time::midnight()));
        Ok(stamp(&midnight.later().map_err(out_of_range)?))
    }

    fn next_hour(&mut self, now: &ZonedDateTime) -> Timestamp {
        let start = self.left.start;
        if self.change.is_none_or(|change| change <= start) {
            let next = self.zone.following(now.timestamp()).next();
            let millis = next.map_or(i64::MAX, |change| change.timestamp().as_millisecond());
            self.change = Some(Timestamp::from_millis(millis));
        }
        let into = i64::from(now.minute()) * 60_000 + i64::from(now.second()) * 1_000;
        let full = start.plus_millis(Timestamp::HOUR - into);
        self.change.map_or(full, |change| change.min(full))
    }
}

/// Usage is kept by the quarter-hour. Where a clock was changed between two of them (at a minute
/// past midnight in `America/St_Johns` until 2011), a window begins at the next one.
fn on_a_quarter_hour(at: Timestamp) -> Timestamp {
    let into = at.as_millis().rem_euclid(Timestamp::QUARTER_HOUR);
    if into == 0 { at } else { at.plus_millis(Timestamp::QUARTER_HOUR - into) }
}

/// The windows of a range, by the calendar of the zone with this name.
#[cfg(feature = "conformance")]
pub(crate) fn windows_in(range: Period, window: Window, zone: &str) -> Vec<Period> {
    let zone = TimeZone::get(zone).expect("a zone");
    windows(range, window, &zone).collect::<Result<_>>().expect("windows")
}

#[cfg(test)]
mod tests {
    use jiff::civil::Date;
    use jiff::tz::{Offset, TimeZone};
    use proptest::prelude::*;

    use super::{Window, windows};
    use crate::usage::Period;
    use crate::usage::period::instant;
    use crate::values::Timestamp;

    const ZONES: [&str; 11] = [
        "UTC",
        "Asia/Kathmandu",
        "Australia/Lord_Howe",
        "America/New_York",
        "America/St_Johns",
        "America/Sao_Paulo",
        "Pacific/Apia",
        "Asia/Beirut",
        "Antarctica/Troll",
        "Antarctica/Casey",
        "America/Goose_Bay",
    ];

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).expect("a zone")
    }

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    fn starts(range: [&str; 2], window: Window, name: &str) -> Vec<String> {
        let range = Period { start: at(range[0]), end: at(range[1]) };
        let zone = zone(name);
        let local = |period: Period| {
            let start = instant(period.start).expect("an instant").to_zoned_datetime(zone.clone());
            format!("{} {}", start.datetime(), start.offset())
        };
        windows(range, window, &zone).map(|period| local(period.expect("a period"))).collect()
    }

    /// What a quarter-hour belongs to: two neighbours belong together if this is equal.
    fn label(at: Timestamp, window: Window, zone: &TimeZone) -> (Date, i8, Option<Offset>) {
        let local = instant(at).expect("an instant").to_zoned_datetime(zone.clone());
        let date = local.date();
        match window {
            Window::Whole => (Date::MIN, 0, None),
            Window::Hour => (date, local.hour(), Some(local.offset())),
            Window::Day => (date, 0, None),
            Window::Week => {
                let week = date.iso_week_date();
                (Date::new(week.year(), 1, 1).expect("a date"), week.week(), None)
            }
            Window::Month => (date.first_of_month(), 0, None),
        }
    }

    proptest! {
        /// Quarter-hours of one label that follow each other are a window. A label that comes again
        /// (the day on which a clock is put back over midnight) does not begin its window again.
        #[test]
        fn windows_are_what_quarter_hours_have_in_common(
            zone_at in 0..ZONES.len(),
            from in 1_300_000_i64..2_000_000, // quarter-hours since 1970: 2007 to 2027
            length in 1..4_000_i64,
            window in proptest::sample::select(vec![
                Window::Whole, Window::Hour, Window::Day, Window::Week, Window::Month,
            ]),
        ) {
            let zone = zone(ZONES[zone_at]);
            let quarter = |n: i64| Timestamp::from_millis((from + n) * Timestamp::QUARTER_HOUR);
            let range = Period { start: quarter(0), end: quarter(length) };
            let made: Vec<_> =
                windows(range, window, &zone).collect::<Result<_, _>>().expect("windows");

            let mut begin = vec![quarter(0)];
            let mut latest = label(quarter(0), window, &zone);
            for n in 1..length {
                let next = label(quarter(n), window, &zone);
                let begins = if window == Window::Hour { next != latest } else { next > latest };
                if begins {
                    begin.push(quarter(n));
                    latest = next;
                }
            }
            let end = begin[1..].iter().copied().chain([range.end]);
            let expected: Vec<_> =
                begin.iter().zip(end).map(|(&start, end)| Period { start, end }).collect();
            prop_assert_eq!(made, expected);
        }
    }

    #[test]
    fn a_day_has_23_or_25_hours() {
        let spring = ["2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z"];
        let autumn = ["2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z"];
        for (day, hours) in [(spring, 23), (autumn, 25)] {
            assert_eq!(starts(day, Window::Day, "America/New_York").len(), 1);
            assert_eq!(starts(day, Window::Hour, "America/New_York").len(), hours);
        }
    }

    #[test]
    fn half_an_hour_of_summer_time_begins_a_window() {
        let autumn = ["2026-04-04T13:00:00Z", "2026-04-04T16:30:00Z"];
        let local = starts(autumn, Window::Hour, "Australia/Lord_Howe");
        assert_eq!(
            local,
            [
                "2026-04-05T00:00:00 +11",
                "2026-04-05T01:00:00 +11",
                "2026-04-05T01:30:00 +10:30",
                "2026-04-05T02:00:00 +10:30",
            ]
        );
    }

    #[test]
    fn a_range_may_begin_between_two_midnights_of_one_day() {
        // At two o'clock on the 5th of March, the clock was put back to eleven o'clock on the 4th.
        let range = ["2010-03-04T15:30:00Z", "2010-03-05T16:00:00Z"];
        assert_eq!(
            starts(range, Window::Day, "Antarctica/Casey"),
            ["2010-03-04T23:30:00 +08", "2010-03-05T00:00:00 +08"]
        );
    }

    #[test]
    fn a_day_that_was_left_out_has_no_window() {
        let days = ["2011-12-29T10:00:00Z", "2012-01-01T10:00:00Z"];
        assert_eq!(
            starts(days, Window::Day, "Pacific/Apia"),
            ["2011-12-29T00:00:00 -10", "2011-12-31T00:00:00 +14", "2012-01-01T00:00:00 +14"]
        );
    }

    #[test]
    fn a_clock_that_changed_a_minute_past_midnight_changes_at_the_next_quarter_hour() {
        let spring = ["2011-03-13T02:30:00Z", "2011-03-13T05:00:00Z"];
        assert_eq!(
            starts(spring, Window::Hour, "America/St_Johns"),
            [
                "2011-03-12T23:00:00 -03:30",
                "2011-03-13T00:00:00 -03:30",
                "2011-03-13T01:15:00 -02:30",
                "2011-03-13T02:00:00 -02:30",
            ]
        );
    }

    #[test]
    fn weeks_begin_on_monday_and_the_ends_of_a_range_divide_them() {
        let range = ["2026-01-01T12:15:00Z", "2026-01-14T06:00:00Z"];
        assert_eq!(
            starts(range, Window::Week, "Asia/Kathmandu"),
            [
                "2026-01-01T18:00:00 +05:45",
                "2026-01-05T00:00:00 +05:45",
                "2026-01-12T00:00:00 +05:45"
            ]
        );
    }
}
