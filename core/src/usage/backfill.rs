//! History from before events are accepted: rollups, each of which is counted once (S33).
//!
//! A rollup is counted as an event is, but it is not kept as one: what is kept of it is its id, for
//! ever, because it may come again at any time.

use sha2::{Digest, Sha256};

use super::batch::Batch;
use super::days::Keys;
use super::ingest::{MAX_BATCH, content, hold_resellers};
use super::sums::{Sums, store};
use super::{Event, EventOutcome, Lateness, Reported, UsageEvent, UsageReport};
use crate::error::{Code, Error, FieldError, Refusal, Result, refused};
use crate::records::{self, Insert, Tx};
use crate::reseller::IdempotencyRow;
use crate::tenant::Tenant;
use crate::values::Timestamp;

impl Tenant {
    /// Adds use from before the time of which events are accepted, such as the history of another system:
    /// at most 10,000 rollups in one step; the report has an outcome for each. A rollup has the form of an
    /// event of [`record_usage`](Self::record_usage), and stands for many of them: `quantity` is their
    /// sum, or the level of a gauge. It is counted in the quarter-hour that `at` lies in, as one event.
    /// Where only days or months are known, `at` is where these begin in the agency's time zone: then
    /// days and months are exact, and hours are not.
    ///
    /// The `id` is the rollup's own, beside the ids of events, and is kept for ever: the same rollup is a
    /// `duplicate` whenever it comes again, and other content under its id is a `conflict`. A rollup
    /// cannot be taken back. From then on, no event up to its quarter-hour can be taken back either, and
    /// [`verify_usage`](Self::verify_usage) does not compare its day with events.
    ///
    /// Errors: `NotFound` once the agency is deleted; field `rollups` (`too_many`). A rollup is rejected
    /// for what an event is, and for field `at` if it is `too_recent`, which means that it is recorded as an
    /// event, or `too_old` before 1980.
    ///
    /// ```example
    /// use partnerkit::{EventOutcome, Metric, UsageEvent};
    ///
    /// let january = UsageEvent {
    ///     id: "january".into(),
    ///     reseller: acme.id,
    ///     metric: Metric::MESSAGES,
    ///     quantity: 12_000,
    ///     at: "2024-01-01T00:00:00Z".parse().unwrap(),
    /// };
    /// let report = agency.backfill(&[january.clone(), january])?;
    /// assert_eq!(report.outcomes, [EventOutcome::Accepted, EventOutcome::Duplicate]);
    /// assert_eq!(agency.overview()?.messages, 12_000);
    /// ```
    /// ```python
    /// from datetime import UTC, datetime
    ///
    /// january = {
    ///     "id": "january",
    ///     "reseller": acme.id,
    ///     "metric": "messages",
    ///     "quantity": 12_000,
    ///     "at": datetime(2024, 1, 1, tzinfo=UTC),
    /// }
    /// report = agency.backfill([january, january])
    /// assert [outcome.kind for outcome in report.outcomes] == ["accepted", "duplicate"]
    /// overview = agency.overview()
    /// assert overview.messages == 12_000
    /// ```
    /// ```javascript
    /// const [reseller, at] = [acme.id, new Date('2024-01-01T00:00:00Z')];
    /// const { outcomes } = await agency.backfill([
    ///   { id: 'january', reseller, metric: 'messages', quantity: 12_000, at },
    ///   { id: 'january', reseller, metric: 'messages', quantity: 12_000, at }, // once more
    /// ]);
    /// assert.deepEqual(outcomes.map((outcome) => outcome.kind), ['accepted', 'duplicate']);
    /// const overview = await agency.overview();
    /// assert.equal(overview.messages, 12_000n);
    /// ```
    pub fn backfill(&self, rollups: &[impl Reported]) -> Result<UsageReport> {
        if rollups.len() > MAX_BATCH {
            return Err(refused("rollups")(Refusal::too_many(MAX_BATCH as i64)));
        }
        let (now, lateness) = (self.now(), self.shared.lateness);
        let checked = rollups.iter().map(|rollup| check(&*rollup.event()?, now, lateness));
        let checked: Vec<_> = checked.collect();
        let outcomes = self.write(|tx| backfill(tx, &checked, now))?;
        Ok(UsageReport { outcomes })
    }
}

/// Validates a rollup as far as that is possible without the store.
fn check(rollup: &UsageEvent, now: Timestamp, lateness: Lateness) -> Result<Event, FieldError> {
    let rollup = content(rollup)?;
    if rollup.at >= lateness.earliest(now) {
        return Err(FieldError::new("at", Code::TooRecent));
    }
    if rollup.at < Timestamp::YEAR_1980 {
        return Err(FieldError::new("at", Code::TooOld));
    }
    Ok(rollup)
}

/// Counts each rollup whose id is new. The outcomes are in the order of the rollups.
fn backfill(
    tx: &mut Tx<'_>,
    checked: &[Result<Event, FieldError>],
    now: Timestamp,
) -> Result<Vec<EventOutcome>> {
    let known = hold_resellers(tx, checked)?;
    let mut batch = Batch::new(checked, &known);
    let keys: Vec<_> = batch.fresh().map(key).collect();
    let lock = Sums::lock(tx, &Keys::of(batch.fresh()))?;
    let before = records::get::<IdempotencyRow>(tx.agency_id(), &keys);
    let (sums, before) = tx.ask((lock, before))?;
    let mut sums = Sums::of(sums);
    let unknown = batch.fresh().zip(before).filter(|(_, before)| before.is_none());
    let (mut ahead, mut fitting, mut overflowing) = (sums.ahead(), 0, Vec::new());
    for (rollup, _) in unknown {
        match ahead.has_counted(rollup)? {
            true => fitting += 1,
            false => overflowing.push(rollup.id.clone()),
        }
    }
    batch.leave_out(overflowing);
    let counted = keep_ids(tx, &mut batch)?;
    if counted.len() != fitting {
        // What was left out may fit now.
        return Err(Error::aborted("another call stored one of the rollups"));
    }
    counted.iter().try_for_each(|rollup| sums.count(rollup))?;
    if let Some(last) = counted.iter().map(|rollup| rollup.at).max() {
        let end = last.start_of_quarter_hour().plus_millis(Timestamp::QUARTER_HOUR);
        tx.has_backfilled_before(end, now)?;
    }
    store(tx, sums)?;
    Ok(batch.report())
}

/// Stores the ids of rollups, and answers which are new.
fn keep_ids(tx: &mut Tx<'_>, batch: &mut Batch<'_>) -> Result<Vec<Event>> {
    let fresh: Vec<&Event> = batch.fresh().collect();
    let rows: Vec<_> = fresh.iter().map(|rollup| row(rollup)).collect();
    let insert = records::insert(tx.agency_id(), &rows)?;
    let (mut new, inserted) = (Vec::new(), tx.ask(insert)?);
    for (place, ((rollup, row), insert)) in fresh.into_iter().zip(&rows).zip(inserted).enumerate() {
        let outcome = match insert {
            Insert::Done => {
                new.push(rollup.clone());
                EventOutcome::Accepted
            }
            Insert::Existing(known) if known.fingerprint == row.fingerprint => {
                EventOutcome::Duplicate
            }
            Insert::Existing(_) => EventOutcome::Conflict,
        };
        batch.settle(place, outcome);
    }
    Ok(new)
}

/// What is kept of a rollup.
fn row(rollup: &Event) -> IdempotencyRow {
    // No upkeep removes it, because it never gets old.
    let created_at = Timestamp::from_millis(i64::MAX);
    let (key, fingerprint) = (key(rollup), fingerprint(rollup));
    IdempotencyRow { key, fingerprint, reseller: rollup.reseller, version: 0, created_at }
}

/// The key under which it is kept. No key of a new reseller has a line break in it.
fn key(rollup: &Event) -> String {
    format!("rollup\n{}", rollup.id.as_str())
}

/// What tells a rollup from another one with its id. It has no secret in it, so that it outlives them.
fn fingerprint(rollup: &Event) -> [u8; 32] {
    let Event { id: _, reseller, metric, quantity, at, voided: _ } = rollup;
    let mut hash = Sha256::new();
    hash.update(reseller.as_uuid().as_bytes());
    hash.update(quantity.to_be_bytes());
    hash.update(at.as_millis().to_be_bytes());
    hash.update(metric.slug());
    hash.finalize().into()
}
