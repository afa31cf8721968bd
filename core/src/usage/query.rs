//! What is asked of the usage that was recorded: a range of time, its windows, and whose use of what
//! (S36).

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::period::{zone, zone_of};
use super::reading::{by_reseller, together};
use super::{Metric, Period, Window};
use crate::agency::AgencyRow;
use crate::error::{Code, Error, Refusal, Result, refused};
use crate::records::Reads;
use crate::reseller::ResellerId;
use crate::search::CursorSeal;
use crate::values::Timestamp;

const DEFAULT_LIMIT: u32 = 1_000;
const MAX_LIMIT: u32 = 10_000;
/// The most resellers that a query names.
const MAX_RESELLERS: usize = 1_000;
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
    /// The first instant after the range, on a quarter of an hour, at most a hundred years after its
    /// beginning. It is required.
    pub end: Option<Timestamp>,
    /// How the range is divided; by default it is not.
    pub window: Window,
    /// The IANA zone by whose calendar it is divided; by default the agency's.
    pub time_zone: Option<String>,
    /// Only these metrics; by default all.
    pub metrics: Vec<Metric>,
    /// Only these resellers, at most 1,000; by default all, those that were deleted included.
    pub resellers: Vec<ResellerId>,
    /// Whether each reseller has rows of its own. By default a row tells of all of them together.
    pub by_reseller: bool,
    /// Whether there is a row for each window, also if nothing was reported in it. A counter is 0
    /// there, and a gauge has the level that it had before.
    pub fill: bool,
    /// The size of a page: 1–10,000 rows, by default 1,000.
    pub limit: Option<u32>,
    /// Where the page begins: the [`UsagePage::next`] of the previous page.
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
    /// is the sum of their levels.
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
        let asked = self.asked(seal, || {
            let agency = reads.get::<AgencyRow>(&[()])?.pop().flatten();
            zone_of(&agency.ok_or_else(|| Error::not_found("agency"))?)
        })?;
        let read = if asked.by_reseller { by_reseller } else { together };
        self.page(read(reads, &asked)?, asked.limit, seal)
    }

    /// The validated query. `zone_of_agency` is asked unless the query names a zone.
    fn asked(
        &self,
        seal: &CursorSeal<'_>,
        zone_of_agency: impl FnOnce() -> Result<TimeZone>,
    ) -> Result<Asked> {
        let range = range(self.start, self.end)?;
        let limit = self.limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            return Err(refused("limit")(Refusal::out_of_range(1, MAX_LIMIT.into())));
        }
        if self.resellers.len() > MAX_RESELLERS {
            return Err(refused("resellers")(Refusal::too_many(MAX_RESELLERS as i64)));
        }
        let zone = match &self.time_zone {
            Some(name) => zone(name).map_err(refused("time_zone"))?,
            None => zone_of_agency()?,
        };
        let after = self.after.as_deref().map(|cursor| self.place(seal, cursor)).transpose()?;
        Ok(Asked {
            range,
            window: self.window,
            zone,
            metrics: if self.metrics.is_empty() {
                sorted(&Metric::ALL)
            } else {
                sorted(&self.metrics)
            },
            resellers: (!self.resellers.is_empty()).then(|| sorted(&self.resellers)),
            by_reseller: self.by_reseller,
            fill: self.fill,
            limit: limit as usize,
            after,
        })
    }

    /// The page of rows, of which there is one more than the limit if there is a next page.
    fn page(
        &self,
        mut rows: Vec<UsageRow>,
        limit: usize,
        seal: &CursorSeal<'_>,
    ) -> Result<UsagePage> {
        let more = rows.len() > limit;
        rows.truncate(limit);
        let last = rows.last().filter(|_| more);
        let next = last.map(|last| {
            let packed = |_| Error::storage("a page cursor could not be encoded");
            let place = postcard::to_allocvec(&Place::of(last)).map_err(packed)?;
            seal.pack(place, &self.fingerprint())
        });
        Ok(UsagePage { rows, next: next.transpose()? })
    }

    fn place(&self, seal: &CursorSeal<'_>, cursor: &str) -> Result<Place> {
        let place = seal.unpack(cursor, &self.fingerprint())?;
        postcard::from_bytes(&place).map_err(|_| Error::invalid_cursor())
    }

    /// Everything that must be unchanged for a cursor to continue the query; the limit may change.
    fn fingerprint(&self) -> String {
        let Self { limit: _, after: _, start, end, window, time_zone, metrics, .. } = self;
        let of = (&self.resellers, self.by_reseller, self.fill);
        format!("usage\n{start:?}\n{end:?}\n{window:?}\n{time_zone:?}\n{metrics:?}\n{of:?}")
    }
}

/// A range of time with both ends on a quarter of an hour.
pub(super) fn range(start: Option<Timestamp>, end: Option<Timestamp>) -> Result<Period> {
    let on_grid = |field: &'static str, at: Option<Timestamp>| {
        let at = at.ok_or_else(|| refused(field)(Code::Empty))?;
        match at.as_millis().rem_euclid(Timestamp::QUARTER_HOUR) {
            0 => Ok(at),
            _ => Err(refused(field)(Code::QuarterHour)),
        }
    };
    let range = Period { start: on_grid("start", start)?, end: on_grid("end", end)? };
    let is_possible = range.start <= range.end && range.days().count() <= MAX_DAYS;
    if is_possible { Ok(range) } else { Err(refused("end")(Code::OutOfRange)) }
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
        Self {
            reseller: row.reseller.map(|id| *id.as_uuid().as_bytes()),
            metric: row.metric.slug().to_owned(),
            start: row.start.as_millis(),
        }
    }

    pub fn reseller(&self) -> Option<ResellerId> {
        self.reseller.map(|id| ResellerId::from_uuid(uuid::Uuid::from_bytes(id)))
    }
}
