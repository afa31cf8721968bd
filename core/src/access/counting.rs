//! Counting attempts to sign in. Each is counted in a transaction of its own, so that a rollback of
//! the host's transaction does not forget it (S19).

use std::collections::{BTreeMap, BTreeSet};

use super::{AttemptKey, AttemptKeys, AttemptPolicy, Attempts, Identity, Whom};
use crate::error::{Error, ErrorKind, Result};
use crate::records::{self, Reads, Tx};
use crate::shared::Shared;
use crate::storage::{Scope, Storage};
use crate::values::AgencyId;

/// The account that an attempt is on, and the source it comes from, if the host gave one.
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    account: AttemptKeys,
    whom: Whom,
    source: Option<AttemptKeys>,
}

impl Attempt {
    /// The attempt, with its source.
    pub fn from(self, source: Option<AttemptKeys>) -> Self {
        Self { source, ..self }
    }
}

impl Shared {
    /// An attempt on an account.
    pub fn attempt_on(&self, account: &Identity) -> Result<Attempt> {
        let account = AttemptKeys::of_account(&*self.secrets()?, account);
        Ok(Attempt { account, whom: Whom::Account, source: None })
    }

    /// An attempt on an account that does not exist.
    pub fn attempt_on_nobody(&self, label: &str, email_key: &str) -> Result<Attempt> {
        let account = AttemptKeys::of_nobody(&*self.secrets()?, label, email_key);
        Ok(Attempt { account, whom: Whom::Nobody, source: None })
    }

    /// Whether a source may make an attempt now. It is asked before the attempt queues for a turn,
    /// so that a flooding source does not fill the queue; `reserve_attempt` decides.
    ///
    /// Errors: `Throttled`.
    pub fn check_source(&self, source: &AttemptKeys) -> Result<()> {
        let keys = source.as_slice();
        let rows = self.read_attempts(|reads| reads.attempts(keys))?.into_iter().flatten();
        let stored = Rows(rows.map(|row| (row.key, row)).collect()).of(source);
        match self.sources.reserve(stored, self.clock.now()) {
            // If another machine's clock was ahead, `reserve_attempt` corrects the row.
            Err(early) if early.known == stored => Err(Error::throttled(early.by)),
            _ => Ok(()),
        }
    }

    /// Forgets the failures of accounts that are about to be deleted.
    pub fn forget_attempts_on(&self, accounts: &[Identity]) -> Result<()> {
        let secrets = self.secrets()?;
        let keys = |account| AttemptKeys::of_account(&secrets, account);
        let keys: Vec<_> = accounts.iter().map(keys).collect();
        let keys: BTreeSet<_> = keys.iter().flat_map(AttemptKeys::as_slice).copied().collect();
        let keys: Vec<_> = keys.into_iter().collect();
        // Locking creates a row where there is none, and few accounts have failed attempts: so only
        // the rows that exist are locked.
        let failed = self.read_attempts(|reads| reads.attempts(&keys))?;
        let failed: Vec<_> = failed.into_iter().flatten().map(|row| row.key).collect();
        if failed.is_empty() {
            return Ok(());
        }
        records::write(&self.storage, &AgencyId::platform(), Scope::Own, |tx| {
            tx.lock_attempts(&failed)?;
            tx.delete::<Attempts>(&failed)
        })
    }

    fn read_attempts<T: Send>(
        &self,
        work: impl FnMut(&mut Reads<'_>) -> Result<T> + Send,
    ) -> Result<T> {
        records::read_beside(&self.storage, &AgencyId::platform(), work)
    }

    /// Counts an attempt to sign in as failed before its password is verified; `None` if it may not
    /// be verified.
    ///
    /// Errors: `Throttled`; nothing is counted then.
    pub fn reserve_attempt(&self, attempt: &Attempt) -> Result<Option<Attempts>> {
        let (now, policy, sources) = (self.clock.now(), self.attempts, self.sources);
        let reserved = records::write(&self.storage, &AgencyId::platform(), Scope::Own, |tx| {
            let locked = Rows::locked(tx, attempt)?;
            if let Some(source) = &attempt.source {
                match sources.reserve(locked.of(source), now) {
                    Ok(reserved) => locked.put(tx, source, reserved)?,
                    Err(early) => {
                        locked.put(tx, source, early.known)?;
                        return Ok(Err(early.by));
                    }
                }
            }
            let reserved = policy.reserve(locked.of(&attempt.account), attempt.whom, now);
            // Stored even if nothing is counted: it must cost a commit, and a hard stop has to be
            // stored under the key of a new secret.
            locked.put(tx, &attempt.account, reserved.unwrap_or_else(|refused| refused))?;
            Ok(Ok(reserved.ok()))
        })?;
        reserved.map_err(Error::throttled)
    }

    /// Costs what recording a hard stop in the change feed costs, for a hard stop without an
    /// account (S17).
    pub fn tell_nobody(&self, attempt: &Attempt) -> Result<()> {
        records::write(&self.storage, &AgencyId::platform(), Scope::Own, |tx| {
            let locked = Rows::locked(tx, attempt)?;
            let stored = locked.of(&attempt.account);
            locked.put(tx, &attempt.account, stored.unlike(stored))
        })
    }

    /// Forgets an account's failures on request.
    pub fn clear_attempts(&self, attempt: &Attempt) -> Result<()> {
        let clear = |scope| {
            records::write(&self.storage, &AgencyId::platform(), scope, |tx| {
                Rows::locked(tx, attempt)?;
                forget(tx, &attempt.account)
            })
        };
        match clear(Scope::Own) {
            // The host's transaction has locked the database, so nobody else counts meanwhile
            // anyway.
            Err(e) if e.kind() == ErrorKind::InsideTransaction && self.storage.joined() => {
                clear(Scope::Join)
            }
            cleared => cleared,
        }
    }

    /// After a success: forgets the failures before it, and gives the source its attempt back. A
    /// hard stop stays in two cases. Other attempts may have failed for the last time while this
    /// password was verified: their stop is in the feed and stays until somebody lifts it. And a
    /// stop that is already recorded in the feed stays, because this attempt may itself have caused
    /// it: an attempt that failed for the last time may record the stop after other failures were
    /// forgiven.
    pub fn note_success(&self, attempt: &Attempt, reserved: &Attempts) -> Result<()> {
        records::write(&self.storage, &AgencyId::platform(), Scope::Own, |tx| {
            let locked = Rows::locked(tx, attempt)?;
            if let Some(source) = &attempt.source {
                let given_back = self.sources.give_back(locked.of(source));
                match given_back.failures {
                    0 => forget(tx, source)?,
                    _ => locked.put(tx, source, given_back)?,
                }
            }
            let stays = self.stays(&locked.of(&attempt.account), reserved);
            if stays { Ok(()) } else { forget(tx, &attempt.account) }
        })
    }

    /// After an attempt whose password could not be verified either way: takes it back for the
    /// account. For the source it stays counted, or a source could try without end on an account
    /// whose passwords nobody can verify, and would learn by that which accounts these are. A hard
    /// stop stays as it does after a success.
    pub fn take_back(&self, attempt: &Attempt, reserved: &Attempts) -> Result<()> {
        let now = self.clock.now();
        records::write(&self.storage, &AgencyId::platform(), Scope::Own, |tx| {
            let locked = Rows::locked(tx, attempt)?;
            let stored = locked.of(&attempt.account);
            if self.stays(&stored, reserved) {
                return Ok(());
            }
            match AttemptPolicy::take_back(stored, reserved, now) {
                Attempts { failures: 0, .. } => forget(tx, &attempt.account),
                fewer => locked.put(tx, &attempt.account, fewer),
            }
        })
    }

    /// Whether a hard stop has to stay although this attempt was no failure.
    fn stays(&self, stored: &Attempts, reserved: &Attempts) -> bool {
        let by_others = self.attempts.is_last(stored) && !self.attempts.is_last(reserved);
        by_others || AttemptPolicy::is_told(stored)
    }

    /// Whether this transaction has to record an account's hard stop in the change feed. It answers
    /// yes once, and keeps the row locked, so that nobody lifts the stop before the transaction
    /// ends.
    pub fn is_to_be_told(&self, tx: &mut Tx<'_>, attempt: &Attempt) -> Result<bool> {
        let locked = Rows::locked(tx, attempt)?;
        let (policy, stored) = (self.attempts, locked.of(&attempt.account));
        if !policy.is_last(&stored) || AttemptPolicy::is_told(&stored) {
            return Ok(false);
        }
        locked.put(tx, &attempt.account, AttemptPolicy::told(stored))?;
        Ok(true)
    }
}

fn forget(tx: &mut Tx<'_>, keys: &AttemptKeys) -> Result<()> {
    tx.delete::<Attempts>(keys.as_slice())
}

/// The locked rows of an attempt, by key.
struct Rows(BTreeMap<AttemptKey, Attempts>);

impl Rows {
    /// Locks the rows in the order of their keys (lock order).
    fn locked(tx: &mut Tx<'_>, Attempt { account, source, .. }: &Attempt) -> Result<Self> {
        let of_source = source.iter().flat_map(AttemptKeys::as_slice);
        let keys: BTreeSet<_> = account.as_slice().iter().chain(of_source).copied().collect();
        let locked = tx.lock_attempts(&keys.into_iter().collect::<Vec<_>>())?;
        Ok(Self(locked.into_iter().map(|attempts| (attempts.key, attempts)).collect()))
    }

    /// The state of an account or a source. It is read under all keys, since another process may
    /// not know the newest secret yet, or no longer know the oldest one.
    fn of(&self, keys: &AttemptKeys) -> Attempts {
        keys.together(|key| self.0.get(key).copied().unwrap_or(Attempts::none(*key)))
    }

    /// Stores the values under each key whose row differs.
    fn put(&self, tx: &mut Tx<'_>, keys: &AttemptKeys, of: Attempts) -> Result<()> {
        let rows = keys.as_slice().iter().map(|key| of.under(*key));
        let mut changed = rows.filter(|row| self.0.get(&row.key) != Some(row));
        changed.try_for_each(|row| tx.put(&[row]))
    }
}
