//! What is asked of the usage that was recorded: a range of time, its windows, and whose use of what
//! (S36).

use std::ops::RangeInclusive;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::period::{zone, zone_of};
use super::reading::{by_reseller, together};
use super::series::Subject;
use super::{Metric, Period, Window};
use crate::error::{Code, Error, FieldError, FieldErrors, Refusal, Result, refused};
use crate::given::limit;
use crate::records::Reads;
use crate::reseller::ResellerId;
use crate::search::CursorSeal;
use crate::values::Timestamp;

const DEFAULT_LIMIT: u32 = 1_000;
const MAX_LIMIT: u32 = 10_000;
/// The most resellers that a query names.
const MAX_RESELLERS: usize = 1_000;
/// When the year 9999 begins: calendars end with that year.
const YEAR_9999: Timestamp = Timestamp::from_millis(253_370_764_800_000);
/// The days that a hundred years touch.
const MAX_DAYS: usize = 36_526;
/// The most windows of a range: eleven years by the hour.
pub(super) const MAX_WINDOWS: usize = 100_000;

/// Which use to read: the agency's in a range of time, by metric, unless more is set.
///
/// The rows of an answer are sorted by reseller, then metric, then time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct UsageQuery {
    /// The first instant of the range, on a quarter of an hour. It is required.
    pub start: Option<Timestamp>,
    /// The first instant after the range, on a quarter of an hour before the year 9999, at most a
    /// hundred years after its beginning. It is required.
    pub end: Option<Timestamp>,
    /// How the range is divided; by default it is not.
    pub window: Window,
    /// The IANA zone by whose calendar it is divided; by default the agency's.
    pub time_zone: Option<String>,
    /// Only these metrics. An empty list finds none; without a list it is all metrics.
    pub metrics: Option<Vec<Metric>>,
    /// Only these resellers, at most 1,000. An empty list finds no use; without a list it is the use of
    /// all, deleted ones included. The gauges of a deleted reseller ended with it.
    pub resellers: Option<Vec<ResellerId>>,
    /// Whether each reseller has rows of its own: each of those in the list, or each that has used
    /// something in the range or has a gauge. By default a row is about all of them together.
    pub by_reseller: bool,
    /// Whether there is a row for each window, also if nothing was reported in it. A counter is 0
    /// there, and a gauge has the level that it had before.
    pub fill: bool,
    /// The size of a page: 1–10,000 rows, by default 1,000.
    #[serde(deserialize_with = "limit")]
    pub limit: Option<u32>,
    /// Where the page begins: the [`UsagePage::next`] of the previous page. It belongs to its query; only
    /// the limit may change.
    pub after: Option<String>,
}

/// A metric in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct UsageRow {
    /// The first instant of the window.
    pub start: Timestamp,
    /// The first instant after the window.
    pub end: Timestamp,
    /// The metric.
    pub metric: Metric,
    /// The reseller, if the query asked for rows of each.
    pub reseller: Option<ResellerId>,
    /// A counter's sum. A gauge's level at the end of the window; of several resellers together it
    /// is the sum of their levels, at most 2^63 - 1.
    pub value: i64,
    /// How many events were reported in the window.
    pub events: u64,
    /// The smallest level that was reported in the window, for a gauge of one reseller.
    pub min: Option<i64>,
    /// The largest level that was reported in the window, for a gauge of one reseller.
    pub max: Option<i64>,
}

/// A page of usage, and where the next page begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UsagePage {
    /// The rows, at most as many as the query's limit.
    pub rows: Vec<UsageRow>,
    /// The cursor that the query for the next page takes as `after`; `None` at the end.
    pub next: Option<String>,
}

impl UsageQuery {
    /// The use in a range, undivided.
    ///
    /// ```
    /// use partnerkit::{Timestamp, UsageQuery, Window};
    ///
    /// let [start, end] = ["2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"].map(|at| at.parse().unwrap());
    /// let by_day = UsageQuery { window: Window::Day, fill: true, ..UsageQuery::between(start, end) };
    /// assert_eq!(by_day.limit, None);
    /// ```
    pub fn between(start: Timestamp, end: Timestamp) -> Self {
        Self { start: Some(start), end: Some(end), ..Self::default() }
    }

    /// Reads a page.
    pub(super) fn read(&self, reads: &mut Reads<'_>, seal: &CursorSeal<'_>) -> Result<UsagePage> {
        let (range, named) = self.checked()?;
        let zone = match named {
            Some(zone) => zone,
            None => zone_of(&reads.held_agency()?)?,
        };
        let cursors = Cursors { seal, query: self.fingerprint(&zone) };
        let asked = Asked {
            range,
            days: reads.known_days(range.days())?,
            window: self.window,
            zone,
            metrics: sorted(self.metrics.as_deref().unwrap_or(&Metric::ALL)),
            resellers: self.resellers.as_deref().map(sorted),
            by_reseller: self.by_reseller,
            fill: self.fill,
            limit: self.limit() as usize,
            after: self.after.as_deref().map(|cursor| cursors.open(cursor)).transpose()?,
        };
        let read = if asked.by_reseller { by_reseller } else { together };
        cursors.page(read(reads, &asked)?, asked.limit)
    }

    /// The range and the zone that is named, if nothing is wrong.
    fn checked(&self) -> Result<(Period, Option<TimeZone>)> {
        let problems = self.problems();
        if !problems.is_empty() {
            return Err(problems.into());
        }
        let zone = self.time_zone.as_deref().map(zone).transpose();
        Ok((range(self.start, self.end)?, zone.map_err(refused("time_zone"))?))
    }

    /// Everything that can be wrong without regard to what is stored, in the order of the form.
    pub(crate) fn problems(&self) -> FieldErrors {
        let mut errors = FieldErrors::default();
        if let Err(refused) = range(self.start, self.end) {
            errors.extend(refused);
        }
        errors.keep("time_zone", self.time_zone.as_deref().map(zone).transpose());
        let resellers = match self.resellers.as_ref().map_or(0, Vec::len) {
            ..=MAX_RESELLERS => Ok(()),
            _ => Err(Refusal::too_many(MAX_RESELLERS as i64)),
        };
        errors.keep("resellers", resellers);
        let limit = match self.limit() {
            1..=MAX_LIMIT => Ok(()),
            _ => Err(Refusal::out_of_range(1, MAX_LIMIT.into())),
        };
        errors.keep("limit", limit);
        errors
    }

    fn limit(&self) -> u32 {
        self.limit.unwrap_or(DEFAULT_LIMIT)
    }

    /// Everything that must be unchanged for a cursor to continue the query; the limit may change.
    fn fingerprint(&self, zone: &TimeZone) -> String {
        let Self { limit: _, after: _, time_zone: _, start, end, window, metrics, .. } = self;
        let (zone, of) = (zone.iana_name(), (&self.resellers, self.by_reseller, self.fill));
        format!("usage\n{start:?}\n{end:?}\n{window:?}\n{zone:?}\n{metrics:?}\n{of:?}")
    }
}

/// The cursors of a query.
struct Cursors<'s> {
    seal: &'s CursorSeal<'s>,
    query: String,
}

impl Cursors<'_> {
    fn open(&self, cursor: &str) -> Result<Place> {
        let place = self.seal.unpack(cursor, &self.query)?;
        postcard::from_bytes(&place).map_err(|_| Error::invalid_cursor())
    }

    /// The page of rows, of which there is one more than the limit if there is a next page.
    fn page(&self, mut rows: Vec<UsageRow>, limit: usize) -> Result<UsagePage> {
        let more = rows.len() > limit;
        rows.truncate(limit);
        let last = rows.last().filter(|_| more);
        let next = last.map(|last| {
            let packed = |_| Error::storage("a page cursor could not be encoded");
            let place = postcard::to_allocvec(&Place::of(last)).map_err(packed)?;
            self.seal.pack(place, &self.query)
        });
        Ok(UsagePage { rows, next: next.transpose()? })
    }
}

/// A range of time with both ends on a quarter of an hour.
pub(super) fn range(
    start: Option<Timestamp>,
    end: Option<Timestamp>,
) -> Result<Period, FieldErrors> {
    let mut errors = FieldErrors::default();
    let ends = (errors.keep("start", on_grid(start)), errors.keep("end", on_grid(end)));
    let (Some(start), Some(end)) = ends else { return Err(errors) };
    let range = Period { start, end };
    let is_possible = start <= end && range.days().count() <= MAX_DAYS;
    let after = "an instant that is not before the start, and at most a hundred years after it";
    let refused = || FieldError::new("end", Code::OutOfRange).expecting(after);
    if is_possible { Ok(range) } else { Err(refused().into()) }
}

/// An end of a range.
fn on_grid(at: Option<Timestamp>) -> Result<Timestamp, Refusal> {
    let at = at.ok_or(Code::Empty)?;
    match at.as_millis().rem_euclid(Timestamp::QUARTER_HOUR) {
        _ if !(Timestamp::YEAR_1..=YEAR_9999).contains(&at) => {
            Err(Refusal::from(Code::OutOfRange).expecting("an instant from the year 1 to 9998"))
        }
        0 => Ok(at),
        _ => Err(Code::QuarterHour.into()),
    }
}

fn sorted<T: Ord + Copy>(items: &[T]) -> Vec<T> {
    let mut items = items.to_vec();
    items.sort();
    items.dedup();
    items
}

/// A validated query.
pub(super) struct Asked {
    pub range: Period,
    /// The UTC days of the range, from the first one to the last one on which the agency used something.
    pub days: RangeInclusive<i32>,
    pub window: Window,
    pub zone: TimeZone,
    /// Sorted, as are the resellers.
    pub metrics: Vec<Metric>,
    pub resellers: Option<Vec<ResellerId>>,
    pub by_reseller: bool,
    pub fill: bool,
    pub limit: usize,
    /// The place of the last row of the page before.
    pub after: Option<Place>,
}

/// The place of a row among the others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Place {
    pub reseller: Option<[u8; 16]>,
    pub metric: String,
    pub start: i64,
}

impl Place {
    pub fn of(row: &UsageRow) -> Self {
        let UsageRow { reseller, metric, start, .. } = *row;
        Self::in_window(Subject { reseller, metric }, start)
    }

    /// The place of a row about a window that begins then.
    pub fn in_window(of: Subject, start: Timestamp) -> Self {
        Self {
            reseller: of.reseller.map(|id| *id.as_uuid().as_bytes()),
            metric: of.metric.slug().to_owned(),
            start: start.as_millis(),
        }
    }

    pub fn reseller(&self) -> Option<ResellerId> {
        self.reseller.map(|id| ResellerId::from_uuid(uuid::Uuid::from_bytes(id)))
    }
}
