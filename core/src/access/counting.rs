//! Counting attempts to sign in, each in a transaction of its own: no rollback of the host's
//! forgets one (S19).

use std::collections::{BTreeMap, BTreeSet};

use super::{AttemptKey, AttemptKeys, AttemptPolicy, Attempts, Identity, Whom};
use crate::error::{Error, ErrorKind, Result};
use crate::records::{self, Reads, Tx};
use crate::shared::Shared;
use crate::storage::{Scope, Storage};
use crate::values::AgencyId;

/// On whom an attempt is, and where it comes from, if the host has said.
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    account: AttemptKeys,
    whom: Whom,
    source: Option<AttemptKeys>,
}

impl Attempt {
    /// The same, from a source.
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

    /// Whether a source may make an attempt now: asked before anybody waits for a turn, so that a
    /// source that floods does not fill the queue. `reserve_attempt` decides.
    ///
    /// Errors: `Throttled`.
    pub fn check_source(&self, source: &AttemptKeys) -> Result<()> {
        let keys = source.as_slice();
        let rows = self.read_attempts(|reads| reads.attempts(keys))?.into_iter().flatten();
        let stored = Rows(rows.map(|row| (row.key, row)).collect()).of(source);
        match self.sources.reserve(stored, self.clock.now()) {
            // Where another machine's clock was ahead, `reserve_attempt` puts it right.
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
        // Few have failed, and locking a row makes one.
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

    /// Counts an attempt to sign in as failed before its password is looked at; `None` if it may
    /// not be.
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
            // When nothing is counted, too: it costs a commit, and a stop has to get under the
            // key of a new secret.
            locked.put(tx, &attempt.account, reserved.unwrap_or_else(|refused| refused))?;
            Ok(Ok(reserved.ok()))
        })?;
        reserved.map_err(Error::throttled)
    }

    /// What telling the feed of a stop costs, for a stop of nobody (S17).
    pub fn tell_nobody(&self, attempt: &Attempt) -> Result<()> {
        records::write(&self.storage, &AgencyId::platform(), Scope::Own, |tx| {
            let locked = Rows::locked(tx, attempt)?;
            let stored = locked.of(&attempt.account);
            locked.put(tx, &attempt.account, stored.unlike(stored))
        })
    }

    /// Forgets an account's failures in a row, because somebody says so.
    pub fn clear_attempts(&self, attempt: &Attempt) -> Result<()> {
        let clear = |scope| {
            records::write(&self.storage, &AgencyId::platform(), scope, |tx| {
                Rows::locked(tx, attempt)?;
                forget(tx, &attempt.account)
            })
        };
        match clear(Scope::Own) {
            // The host's transaction keeps everybody else from counting anyway.
            Err(e) if e.kind() == ErrorKind::InsideTransaction && self.storage.joined() => {
                clear(Scope::Join)
            }
            cleared => cleared,
        }
    }

    /// After a success: forgets the failures in a row before it, and gives the source its attempt
    /// back. Others may have failed for the last time while the password was looked at: their
    /// stop stays, as it is in the feed, until somebody lifts it. So does one that the feed tells
    /// of already: whoever failed for the last time before others were forgiven may have told of
    /// the stop that this very attempt has brought about.
    pub fn note_success(&self, attempt: &Attempt, reserved: &Attempts) -> Result<()> {
        self.settle(attempt, reserved, |tx, _| forget(tx, &attempt.account))
    }

    /// After an attempt of which nobody could tell whether its password was right: it counts as
    /// none, on the account and for the source. What stays of a stop stays as after a success.
    pub fn take_back(&self, attempt: &Attempt, reserved: &Attempts) -> Result<()> {
        let now = self.clock.now();
        self.settle(attempt, reserved, |tx, locked| {
            let stored = locked.of(&attempt.account);
            match self.attempts.take_back(stored, attempt.whom, now) {
                Attempts { failures: 0, .. } => forget(tx, &attempt.account),
                fewer => locked.put(tx, &attempt.account, fewer),
            }
        })
    }

    /// Gives the source its attempt back, and does with the account's failures what is to be done,
    /// unless a stop has to stay.
    fn settle(
        &self,
        attempt: &Attempt,
        reserved: &Attempts,
        mut account: impl FnMut(&mut Tx<'_>, &Rows) -> Result<()> + Send,
    ) -> Result<()> {
        records::write(&self.storage, &AgencyId::platform(), Scope::Own, |tx| {
            let locked = Rows::locked(tx, attempt)?;
            if let Some(source) = &attempt.source {
                let given_back = self.sources.give_back(locked.of(source));
                match given_back.failures {
                    0 => forget(tx, source)?,
                    _ => locked.put(tx, source, given_back)?,
                }
            }
            let (policy, now) = (self.attempts, locked.of(&attempt.account));
            let by_others = policy.is_last(&now) && !policy.is_last(reserved);
            let stays = by_others || AttemptPolicy::is_told(&now);
            if stays { Ok(()) } else { account(tx, &locked) }
        })
    }

    /// Whether the feed has to be told that no attempt on an account is looked at any more: once,
    /// and nobody lifts that before the transaction ends.
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

/// The rows that an attempt counts for.
struct Rows(BTreeMap<AttemptKey, Attempts>);

impl Rows {
    /// Locks them in the order of keys.
    fn locked(tx: &mut Tx<'_>, Attempt { account, source, .. }: &Attempt) -> Result<Self> {
        let of_source = source.iter().flat_map(AttemptKeys::as_slice);
        let keys: BTreeSet<_> = account.as_slice().iter().chain(of_source).copied().collect();
        let locked = tx.lock_attempts(&keys.into_iter().collect::<Vec<_>>())?;
        Ok(Self(locked.into_iter().map(|attempts| (attempts.key, attempts)).collect()))
    }

    /// What they say of an account or a source. Another process may not know the newest secret
    /// yet, or the oldest one any more.
    fn of(&self, keys: &AttemptKeys) -> Attempts {
        keys.together(|key| self.0.get(key).copied().unwrap_or(Attempts::none(*key)))
    }

    /// Stores the same under each key, where it is not what is there.
    fn put(&self, tx: &mut Tx<'_>, keys: &AttemptKeys, of: Attempts) -> Result<()> {
        let rows = keys.as_slice().iter().map(|key| of.under(*key));
        let mut changed = rows.filter(|row| self.0.get(&row.key) != Some(row));
        changed.try_for_each(|row| tx.put(&[row]))
    }
}
