//! Upkeep: removing what is no longer needed, in small steps (S51).

use serde::Serialize;
use std::sync::{MutexGuard, PoisonError};

use super::Platform;
use super::deletion::Erased;
use crate::error::{Result, optional};
use crate::shared::Progress;
use crate::storage::{self, AgencyRow, Erasure, Lock, Prunable, Scope, Transaction};
use crate::usage::EVENTS_KEPT;
use crate::values::{AgencyId, Timestamp};

/// How many rows are removed in one transaction: few enough that nobody waits for it.
const STEP: u32 = 500;
/// For how long failed sign-ins are remembered once nothing is blocked by them any more.
const ATTEMPTS_KEPT: i64 = 30 * Timestamp::DAY;

/// What upkeep did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Maintenance {
    /// How many rows were removed.
    pub removed: u64,
    /// Whether every agency has had its turn; otherwise the next call goes on where this ended.
    pub finished: bool,
    /// Whether what was deleted is gone from the store's files.
    pub erasure: Erasure,
}

/// Something to remove, in steps.
enum Task {
    Prune(Prunable),
    /// Changes of before this instant.
    Changes(Timestamp),
    /// An agency whose deletion was cut short.
    Erase,
}

impl Platform {
    /// The budget of [`maintain`](Self::maintain) that a binding gives when it is not told.
    pub const DEFAULT_BUDGET: u32 = 10_000;

    /// Removes what is no longer needed: events that cannot arrive a second time, idempotency
    /// keys and quarantines that are over, forgotten sign-in failures, and changes as old as the
    /// host has configured. At most `budget` rows, counting each look as one; the next call goes
    /// on where this one ended. Call it every few minutes, from as many processes as you like.
    pub fn maintain(&self, budget: u32) -> Result<Maintenance> {
        self.observe("maintain", || {
            let mut progress = self.progress().clone();
            let (mut left, mut removed, mut finished) = (budget, 0, false);
            while left > 0 && !finished {
                let Some(task) = self.tasks(&progress).into_iter().nth(progress.done) else {
                    let next = self.shared.storage.agencies(progress.agency.as_ref(), 1)?.pop();
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
        })
    }

    /// What there is to do for an agency, or for the platform itself.
    fn tasks(&self, progress: &Progress) -> Vec<Task> {
        let (now, retention) = (self.shared.clock.now(), self.shared.retention);
        let before = |kept: i64| now.plus_millis(-kept);
        if progress.agency.is_none() {
            let labels = Task::Prune(Prunable::Labels(now));
            // What is removed in a host's transaction is locked until its end, and a sign-in in it
            // would wait for that: attempts commit on their own (S19).
            let attempts = (!self.shared.storage.joined())
                .then(|| Task::Prune(Prunable::Attempts(before(ATTEMPTS_KEPT))));
            return [labels].into_iter().chain(attempts).collect();
        }
        if progress.closed {
            return vec![Task::Erase];
        }
        let events = Prunable::Events(before(EVENTS_KEPT));
        let keys = Prunable::IdempotencyKeys(before(retention.idempotency_keys));
        let changes = retention.changes.map(|kept| Task::Changes(before(kept)));
        [Task::Prune(events), Task::Prune(keys)].into_iter().chain(changes).collect()
    }

    /// Removes at most `max` rows.
    fn step(&self, agency: Option<&AgencyId>, task: &Task, max: u32) -> Result<Erased> {
        let platform = AgencyId::platform();
        let agency = agency.unwrap_or(&platform);
        let rows = match task {
            Task::Prune(what) => self.remove(agency, |tx| tx.prune(*what, max)),
            Task::Changes(before) => self.remove(agency, |tx| prune_changes(tx, *before, max)),
            Task::Erase => return self.erase_some(agency, max),
        }?;
        Ok(Erased { rows, finished: rows < max })
    }

    fn remove(
        &self,
        agency: &AgencyId,
        mut work: impl FnMut(&mut dyn Transaction) -> Result<u32> + Send,
    ) -> Result<u32> {
        let storage = &*self.shared.storage;
        let removed = storage::write(storage, agency, Scope::Join, |tx| work(tx).map(Some));
        // Deleted since it was listed: nothing is left to do.
        Ok(optional(removed)?.unwrap_or_default())
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.shared.upkeep.get().lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Changes go from the oldest on, and the agency keeps where its feed begins now.
fn prune_changes(tx: &mut dyn Transaction, before: Timestamp, max: u32) -> Result<u32> {
    tx.lock_agency(Lock::NoKeyUpdate)?;
    // Nobody may have read the feed yet; numbering moves the agency's count.
    tx.number_changes(max)?;
    let Some(agency) = tx.agency()? else { return Ok(0) };
    let oldest = tx.changes(agency.pruned, max)?;
    let due = oldest.iter().take_while(|change| change.at < before).last();
    let Some(pruned) = due.map(|change| change.sequence) else { return Ok(0) };
    tx.put_agency(&AgencyRow { pruned, ..agency })?;
    tx.prune(Prunable::Changes(pruned), max)
}
