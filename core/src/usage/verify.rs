//! Proof for operators: every sum that is stored is what it is made of (S34, S37).
//!
//! It is read in many short snapshots, and locks nothing. What one difference is told by is read in one
//! snapshot, so that writes that go on meanwhile are in all of it, or in nothing of it.

mod agency_day;
mod events;
mod findings;
mod meters;
mod totals;

use std::ops::Bound;

use super::rows::columns;
use super::{AgencySlot, CounterDay, Event};
use crate::error::Result;
use crate::records::{self, Reads};
use crate::reseller::ResellerId;
use crate::schema::entity::Entity;
use crate::storage::Scan;
use crate::tenant::Tenant;
use crate::values::Timestamp;

pub use findings::{UsageDifference, UsageField, UsageVerification};

use agency_day::agency_day;
use events::some_events;
use findings::Findings;
use meters::some_meters;
use totals::totals;

/// How many keys are asked for at once.
const KEYS: usize = 500;

/// How much is looked at together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Portions {
    /// How many rows are read at once.
    pub page: u32,
    /// About how many quarter-hours of resellers are kept in memory.
    pub slots: usize,
    /// How many meters are compared in one snapshot: few, because all of their days are read in it, but
    /// more than a reseller has.
    pub meters: u32,
}

impl Default for Portions {
    fn default() -> Self {
        Self { page: 4_096, slots: 100_000, meters: 256 }
    }
}

impl Tenant {
    /// Adds up what the agency used anew, and names every stored number that differs: first the days, from
    /// the oldest on, then the meters of resellers, then the agency's totals. It changes nothing.
    ///
    /// What is compared with what:
    ///
    /// - the quarter-hours and days of a reseller with its events, without those that were taken back,
    ///   where all events of the day are still kept;
    /// - a reseller's day with its quarter-hours, and the agency's quarter-hours and days with those of
    ///   its resellers, deleted ones included;
    /// - what a reseller used over all time, and in the period of its allowance, with its days; the level
    ///   of a gauge with its latest day;
    /// - the agency's totals with its days, and with the levels of the resellers that exist.
    ///
    /// `maintain` removes old events, and what came in by `backfill` never had any. Of days with such
    /// use it can only be told that their sums agree with each other: where all of them are wrong alike,
    /// nobody can tell. The same is true of the days on which a deleted reseller had levels, once these
    /// have no events.
    ///
    /// It reads every event that is kept and every day of every reseller, so it may take minutes, but it
    /// keeps only a part of one day in memory, and nobody waits for it. What is recorded meanwhile makes
    /// no difference, because each comparison sees one moment. Inside a transaction of the host's it sees
    /// what that transaction sees: where this is not one moment, use that is recorded meanwhile may be
    /// told as a difference.
    ///
    /// Errors: `NotFound` once the agency is deleted; `Storage` for a row that cannot be read.
    ///
    /// ```example
    /// use partnerkit::Metric;
    ///
    /// agency.consume(acme.id, Metric::MESSAGES, 3, "evt-1")?;
    /// let verification = agency.verify_usage()?;
    /// assert_eq!((verification.events, verification.found), (1, 0));
    /// assert!(verification.differences.is_empty());
    /// ```
    /// ```python
    /// agency.consume(acme.id, "messages", 3, "evt-1")
    /// verification = agency.verify_usage()
    /// assert (verification.events, verification.found) == (1, 0)
    /// assert not verification.differences
    /// ```
    /// ```javascript
    /// const use = { reseller: acme.id, quantity: 3, id: 'evt-1' };
    /// await agency.consume({ ...use, metric: 'messages' });
    /// const verification = await agency.verifyUsage();
    /// assert.deepEqual([verification.events, verification.found], [1, 0]);
    /// assert.deepEqual(verification.differences, []);
    /// ```
    pub fn verify_usage(&self) -> Result<UsageVerification> {
        self.verify_usage_by(Portions::default())
    }

    pub(crate) fn verify_usage_by(&self, portions: Portions) -> Result<UsageVerification> {
        let mut all = Findings::default();
        let (mut from, now) = (None, self.now());
        while let Some(day) = self.read(|reads| next_day(reads, from))? {
            all.append(self.read(|reads| agency_day(reads, day, portions))?);
            self.by_resellers(&mut all, |reads, from| {
                some_events(reads, day, from, (portions, now))
            })?;
            from = Some(day + 1);
        }
        self.by_resellers(&mut all, |reads, from| some_meters(reads, from, portions))?;
        all.append(self.read(totals)?);
        Ok(all.answer())
    }

    /// Compares some resellers after the other, each time in one snapshot.
    fn by_resellers(
        &self,
        all: &mut Findings,
        mut compare: impl FnMut(&mut Reads<'_>, Option<ResellerId>) -> Result<Part> + Send,
    ) -> Result<()> {
        let mut from = None;
        loop {
            let (some, more) = self.read(|reads| compare(reads, from))?;
            all.append(some);
            match more {
                Some(next) => from = Some(next),
                None => return Ok(()),
            }
        }
    }
}

/// What was found of some resellers, and with which one to go on.
type Part = (Findings, Option<ResellerId>);

/// The first day, from one on, on which a counter was used or anything was reported.
fn next_day(reads: &mut Reads<'_>, from: Option<i32>) -> Result<Option<i32>> {
    let from_day = || from.map_or(Bound::Unbounded, |day| Bound::Included(columns(&day)));
    let midnight = from.map(Timestamp::midnight_of);
    let from_midnight = midnight.map_or(Bound::Unbounded, |at| Bound::Included(columns(&at)));
    let first = |table, columns, begin| {
        let all = reads.of_agency(table, 1);
        Scan { columns, range: (begin, Bound::Unbounded), ..all }
    };
    let [counter, agency, event] = [CounterDay::TABLE, AgencySlot::TABLE, Event::TABLE];
    let counter = records::scan::<CounterDay>(first(counter, counter.key, from_day()));
    let agency = records::scan::<AgencySlot>(first(agency, agency.key, from_day()));
    let event = records::scan::<Event>(first(event, event.index("age"), from_midnight));
    let (counter, agency, event) = reads.ask((counter, agency, event))?;
    let days = counter.iter().map(|row| row.key.day);
    let days = days.chain(agency.iter().map(|row| row.key.day));
    Ok(days.chain(event.iter().map(|row| row.at.utc_day())).min())
}
