//! Upkeep: removing what is no longer needed, in small steps (S51).

use serde::Serialize;
use std::sync::{MutexGuard, PoisonError};

use super::Operator;
use crate::agency::{AgencyRow, Erased, agencies};
use crate::changes::Change;
use crate::error::{Result, optional};
use crate::records::{self, Tx};
use crate::schema::entity::Entity;
use crate::schema::{ATTEMPTS, EVENTS, IDEMPOTENCY, LABELS, Table, Value};
use crate::shared::Progress;
use crate::storage::{Erasure, Lock, Scan, Scope, Storage};
use crate::usage::Event;
use crate::values::{AgencyId, Timestamp};

/// How many rows are removed in one transaction: few enough that nobody waits for long.
const STEP: u32 = 500;
/// How long failed sign-ins are kept after the end of their delay.
const ATTEMPTS_KEPT: i64 = 30 * Timestamp::DAY;

/// What a call of `maintain` did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Maintenance {
    /// How many rows were removed.
    pub removed: u64,
    /// Whether every agency has had its turn; otherwise the next call continues where this one
    /// ended.
    pub finished: bool,
    /// Whether deleted data is erased from the store's files.
    pub erasure: Erasure,
}

/// Something to remove, in steps.
enum Task {
    /// Rows of an agency up to an instant, by an index that begins with the oldest.
    Old(&'static Table, &'static [&'static str], Timestamp),
    /// Events that are too old to be kept at this instant.
    Events(Timestamp),
    /// Scattered rows up to an instant.
    OldAlone(Alone, Timestamp),
    /// Changes before this instant.
    Changes(Timestamp),
    /// An agency whose deletion was interrupted.
    Erase,
}

/// A table whose rows are not stored with an agency, but may each be on another node, and the
/// columns that say when a row expires.
#[derive(Clone, Copy)]
struct Alone {
    table: &'static Table,
    /// An index that ends with the instant.
    index: &'static [&'static str],
    key_and_instant: &'static [&'static str],
}

const FREE_LABELS: Alone = Alone {
    table: &LABELS,
    index: LABELS.index("quarantine"),
    key_and_instant: &["label", "quarantined_until"],
};
const OLD_ATTEMPTS: Alone = Alone {
    table: &ATTEMPTS,
    index: ATTEMPTS.index("age"),
    key_and_instant: &["agency", "attempt", "blocked_until"],
};

impl Operator {
    /// Removes what is no longer needed: events that cannot arrive a second time, idempotency keys
    /// and quarantines that are over, forgotten sign-in failures, and changes as old as the host
    /// has configured. It removes at most `budget` rows, where a look that finds none counts as
    /// one, and 10,000 unless it is given; the next call goes on where this one ended. Call it
    /// every few minutes, from as many processes as you like.
    ///
    /// ```example
    /// let done = platform.maintain(None)?;
    /// assert!(done.finished);
    /// assert_eq!(done.removed, 0); // nothing was due yet
    /// ```
    /// ```python
    /// done = platform.maintain()
    /// assert done.finished
    /// assert done.removed == 0  # nothing was due yet
    /// ```
    /// ```javascript
    /// const done = await platform.maintain();
    /// assert.ok(done.finished);
    /// assert.equal(done.removed, 0); // nothing was due yet
    /// ```
    pub fn maintain(&self, budget: Option<u32>) -> Result<Maintenance> {
        let mut progress = self.progress().clone();
        let (mut left, mut removed, mut finished) = (budget.unwrap_or(10_000), 0, false);
        while left > 0 && !finished {
            let Some(task) = self.tasks(&progress).into_iter().nth(progress.done) else {
                let next = agencies(&self.shared.storage, progress.agency.as_ref(), 1)?.pop();
                finished = next.is_none();
                let closed = next.as_ref().is_some_and(|next| !next.is_open());
                let agency = next.map(|next| next.settings.agency);
                progress = Progress { agency, closed, done: 0 };
                continue;
            };
            let max = left.min(STEP);
            let Erased { rows, finished } = self.step(progress.agency.as_ref(), &task, max)?;
            progress.done += usize::from(finished);
            removed += u64::from(rows);
            left -= rows.clamp(1, left);
        }
        *self.progress() = progress;
        Ok(Maintenance { removed, finished, erasure: self.shared.scrub() })
    }

    /// The tasks for an agency, or for the platform itself.
    fn tasks(&self, progress: &Progress) -> Vec<Task> {
        let (now, retention) = (self.shared.clock.now(), self.shared.retention);
        let before = |kept: i64| now.plus_millis(-kept);
        let older = |kept: i64| before(kept).plus_millis(-1);
        if progress.agency.is_none() {
            let labels = Task::OldAlone(FREE_LABELS, now);
            // Rows that are removed in a host's transaction stay locked until its end. A sign-in
            // inside it would wait for them, because attempts commit on their own (S19).
            let attempts = (!self.shared.storage.joined())
                .then(|| Task::OldAlone(OLD_ATTEMPTS, older(ATTEMPTS_KEPT)));
            return [labels].into_iter().chain(attempts).collect();
        }
        if progress.closed {
            return vec![Task::Erase];
        }
        let events = Task::Events(now);
        let expired = older(retention.idempotency_keys);
        let keys = Task::Old(&IDEMPOTENCY, IDEMPOTENCY.index("age"), expired);
        let changes = retention.changes.map(|kept| Task::Changes(before(kept)));
        [events, keys].into_iter().chain(changes).collect()
    }

    /// Removes at most `max` rows.
    fn step(&self, agency: Option<&AgencyId>, task: &Task, max: u32) -> Result<Erased> {
        let platform = AgencyId::platform();
        let agency = agency.unwrap_or(&platform);
        let rows = match *task {
            Task::Old(table, columns, through) => self.remove(agency, |tx| {
                let old = Scan { columns, ..tx.of_agency(table, max) };
                tx.remove(old.through(Value::Integer(through.as_millis())))
            }),
            Task::Events(now) => {
                let before = self.shared.lateness.oldest_kept(now);
                self.remove(agency, |tx| prune_events(tx, before, now, max))
            }
            Task::OldAlone(alone, through) => {
                self.remove(agency, |tx| remove_alone(tx, alone, through, max))
            }
            Task::Changes(before) => self.remove(agency, |tx| prune_changes(tx, before, max)),
            Task::Erase => return self.erase_some(agency, max),
        }?;
        Ok(Erased { rows, finished: rows < max })
    }

    fn remove(
        &self,
        agency: &AgencyId,
        mut work: impl FnMut(&mut Tx<'_>) -> Result<u32> + Send,
    ) -> Result<u32> {
        let storage = &self.shared.storage;
        let removed = records::write(storage, agency, Scope::Join, |tx| work(tx).map(Some));
        // If the agency was deleted since it was listed, nothing is left to do.
        Ok(optional(removed)?.unwrap_or_default())
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.shared.upkeep.get().lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Removes the oldest events, and stores that they are not known any more.
fn prune_events(tx: &mut Tx<'_>, before: Timestamp, now: Timestamp, max: u32) -> Result<u32> {
    let through = Value::Integer(before.plus_millis(-1).as_millis());
    let old = |max| Scan { columns: EVENTS.index("age"), ..tx.of_agency(&EVENTS, max) };
    let (one, some) = (old(1).through(through.clone()), old(max).through(through));
    if tx.ask(records::scan::<Event>(one))?.is_empty() {
        return Ok(0);
    }
    tx.forget_events_before(before, now)?;
    tx.remove(some)
}

/// Removes scattered rows: they are found without a lock, and then locked, checked again and
/// removed one by one.
fn remove_alone(tx: &mut Tx<'_>, alone: Alone, through: Timestamp, max: u32) -> Result<u32> {
    let Alone { table, index, key_and_instant } = alone;
    let through = Value::from(through.as_millis());
    let of_platform = index.iter().filter(|column| **column == "agency");
    let of_platform = of_platform.map(|_| tx.agency_id().as_str().into()).collect();
    // A null is not in the range, so a label that is held is not found.
    let due = Scan::all(table, index, of_platform, max).through(through.clone());
    let mut keys: Vec<_> =
        tx.ask(records::rows(due))?.iter().map(|row| table.key_of(row)).collect();
    keys.sort();
    let removal = |key| {
        let this = Scan::all(table, key_and_instant, key, 1).through(through.clone());
        records::removal(this)
    };
    let removed = tx.ask(keys.into_iter().map(removal).collect::<Vec<_>>())?;
    Ok(removed.into_iter().sum())
}

/// Removes the oldest changes, and stores in the agency where its feed begins now.
fn prune_changes(tx: &mut Tx<'_>, before: Timestamp, max: u32) -> Result<u32> {
    // If nobody has read the feed yet, the changes must be numbered first, which needs the agency's
    // lock.
    let Some(mut agency) = tx.lock_agency(Lock::NoKeyUpdate)? else { return Ok(0) };
    let questions = (tx.numbered_after(agency.pruned, max), tx.pending(max));
    let (mut oldest, pending) = tx.ask(questions)?;
    oldest.extend(tx.number(&mut agency, pending)?);
    let due = oldest.iter().take(max as usize).take_while(|change| change.at < before).last();
    let Some(pruned) = due.map(|change| change.sequence) else { return Ok(0) };
    tx.put_agency(&AgencyRow { pruned, ..agency })?;
    let through = i64::try_from(pruned).unwrap_or(i64::MAX);
    tx.remove(tx.of_agency(Change::TABLE, max).through(through.into()))
}
