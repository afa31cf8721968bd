//! What `verify_usage` answers: where a stored sum is not what it is made of.

use serde::Serialize;

use super::super::{CounterSlot, Metric, Period};
use crate::reseller::ResellerId;
use crate::values::Timestamp;

/// How many differences an answer names.
const MOST: usize = 1_000;

/// The answer of `verify_usage`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct UsageVerification {
    /// The differences, at most 1,000 of them.
    pub differences: Vec<UsageDifference>,
    /// How many differences there are.
    pub found: u64,
    /// How many stored rows of sums were compared.
    pub sums: u64,
    /// How many events were counted again, without those that were taken back.
    pub events: u64,
}

/// A number that is stored, and is not what it is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct UsageDifference {
    /// Whose number it is; `None` for the agency's own.
    pub reseller: Option<ResellerId>,
    /// The metric.
    pub metric: Metric,
    /// Where its time begins: a quarter-hour, a UTC day, or the period of an allowance. `None` for all
    /// time.
    pub start: Option<Timestamp>,
    /// Where its time ends.
    pub end: Option<Timestamp>,
    /// Which number it is.
    pub field: UsageField,
    /// The stored number.
    pub stored: i64,
    /// The number that it should be. Where it does not fit, this is the nearest one that does.
    pub expected: i64,
}

/// The numbers that are kept of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum UsageField {
    /// A counter's sum, or a gauge's latest level.
    Value,
    /// The number of events.
    Events,
    /// A gauge's smallest level.
    Min,
    /// A gauge's largest level.
    Max,
    /// When a gauge had its latest level, in milliseconds. If both times are the same, another event of
    /// this time is the latest one.
    LatestAt,
}

impl UsageField {
    /// The stable slug.
    ///
    /// ```
    /// assert_eq!(partnerkit::UsageField::LatestAt.slug(), "latest_at");
    /// ```
    pub fn slug(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Events => "events",
            Self::Min => "min",
            Self::Max => "max",
            Self::LatestAt => "latest_at",
        }
    }
}

/// What a number is about.
#[derive(Clone, Copy)]
pub(super) struct About {
    pub reseller: Option<ResellerId>,
    pub metric: Metric,
    /// `None` for all time.
    pub period: Option<Period>,
}

impl About {
    /// The same, for a UTC day.
    pub fn day(self, day: i32) -> Self {
        let [start, end] = [day, day + 1].map(Timestamp::midnight_of);
        Self { period: Some(Period { start, end }), ..self }
    }

    /// The same, for a quarter-hour of a UTC day.
    pub fn quarter_hour(self, day: i32, slot: u8) -> Self {
        let start = Timestamp::of_quarter_hour(day, slot);
        let end = start.plus_millis(Timestamp::QUARTER_HOUR);
        Self { period: Some(Period { start, end }), ..self }
    }
}

/// A sum and a number of events, which cannot overflow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub sum: i128,
    pub events: i128,
}

impl Tally {
    pub fn new(sum: i64, events: i64) -> Self {
        Self { sum: sum.into(), events: events.into() }
    }

    pub fn of(slot: &CounterSlot) -> Self {
        Self { sum: slot.sum.into(), events: slot.events.into() }
    }

    pub fn add(&mut self, other: Self) {
        self.sum += other.sum;
        self.events += other.events;
    }
}

/// What was found by comparing some rows.
#[derive(Default)]
pub(super) struct Findings(UsageVerification);

impl Findings {
    pub fn compare(&mut self, about: About, field: UsageField, stored: i128, expected: i128) {
        if stored != expected {
            self.differ(about, field, stored, expected);
        }
    }

    /// Compares a sum and a number of events.
    pub fn compare_tally(&mut self, about: About, stored: Tally, expected: Tally) {
        self.compare(about, UsageField::Value, stored.sum, expected.sum);
        self.compare(about, UsageField::Events, stored.events, expected.events);
    }

    pub fn differ(&mut self, about: About, field: UsageField, stored: i128, expected: i128) {
        self.0.found += 1;
        if self.0.differences.len() < MOST {
            let About { reseller, metric, period } = about;
            let [stored, expected] = [stored, expected].map(nearest);
            let (start, end) = (period.map(|of| of.start), period.map(|of| of.end));
            let difference =
                UsageDifference { reseller, metric, start, end, field, stored, expected };
            self.0.differences.push(difference);
        }
    }

    pub fn saw_sums(&mut self, rows: usize) {
        self.0.sums += rows as u64;
    }

    pub fn saw_events(&mut self, events: u64) {
        self.0.events += events;
    }

    pub fn append(&mut self, other: Self) {
        let Self(UsageVerification { differences, found, sums, events }) = other;
        let room = MOST - self.0.differences.len();
        self.0.differences.extend(differences.into_iter().take(room));
        self.0.found += found;
        self.0.sums += sums;
        self.0.events += events;
    }

    pub fn answer(self) -> UsageVerification {
        self.0
    }
}

fn nearest(number: i128) -> i64 {
    number.clamp(i64::MIN.into(), i64::MAX.into()) as i64
}
