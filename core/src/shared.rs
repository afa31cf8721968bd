//! What the handles of one platform have in common: the store and the settings.

use std::sync::{Arc, Mutex};

use uuid::Uuid;

use crate::access::{
    AttemptKey, AttemptPolicy, Attempts, Generation, Hasher, Secrets, SourcePolicy,
};
use crate::clock::{Clock, Entropy, Ids, random};
use crate::error::{Error, Result};
use crate::reseller::FormRules;
use crate::storage::{self, Erasure, Scope, Storage};
use crate::values::{AgencyId, LoginDomainPolicy, PasswordPolicy, Timestamp};

/// Made once, when a platform is opened.
pub(crate) struct Shared {
    pub storage: Arc<dyn Storage>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub ids: Ids,
    pub hasher: Hasher,
    pub secrets: Secrets,
    pub login_base: String,
    pub password_policy: PasswordPolicy,
    pub login_domains: LoginDomainPolicy,
    pub attempts: AttemptPolicy,
    pub sources: SourcePolicy,
    pub retention: Retention,
    /// How far upkeep has come.
    pub upkeep: Mutex<Progress>,
}

/// How long things are kept, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Retention {
    pub idempotency_keys: i64,
    /// For ever, if not said.
    pub changes: Option<i64>,
}

impl Default for Retention {
    fn default() -> Self {
        Self { idempotency_keys: Timestamp::DAY, changes: None }
    }
}

/// How far a round of upkeep has come.
#[derive(Debug, Clone, Default)]
pub(crate) struct Progress {
    /// The agency whose turn it is; none while it is the platform's own.
    pub agency: Option<AgencyId>,
    /// How many of its tasks are done.
    pub done: usize,
}

/// Who wants to sign in, and where from, if the host has said.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attempt {
    pub account: AttemptKey,
    pub source: Option<AttemptKey>,
}

impl Shared {
    /// A new id; it sorts behind those this platform has made before.
    pub fn new_id(&self, now: Timestamp) -> Uuid {
        self.ids.next(&*self.entropy, now)
    }

    /// Takes what was deleted out of the store's files, if that is possible now. What was deleted
    /// is deleted either way, so a failure is no error but something left to do.
    pub fn scrub(&self) -> Erasure {
        let possible = !self.storage.joined();
        let scrubbed = possible.then(|| self.storage.scrub().ok()).flatten();
        scrubbed.unwrap_or(Erasure::Pending)
    }

    /// What a form is judged by.
    pub fn form_rules(&self) -> FormRules<'_> {
        let Self { password_policy: passwords, login_domains, hasher, .. } = self;
        FormRules { passwords: *passwords, login_domains, hasher }
    }

    /// A generation that no stamp has.
    pub fn new_generation(&self) -> Generation {
        Generation::from_bytes(random(&*self.entropy))
    }

    /// Counts an attempt to sign in as failed before its password is looked at; `None` if it may
    /// not be. In a transaction of its own: no rollback of the host's forgets it (S19).
    ///
    /// Errors: `Throttled`; nothing is counted then.
    pub fn reserve_attempt(&self, attempt: Attempt) -> Result<Option<Attempts>> {
        let (now, policy, sources) = (self.clock.now(), self.attempts, self.sources);
        storage::write(&*self.storage, &AgencyId::platform(), Scope::Own, |tx| {
            let (account, source) = lock(tx, attempt)?;
            if let Some(source) = source {
                tx.put_attempts(&sources.reserve(source, now).map_err(Error::throttled)?)?;
            }
            let reserved = policy.reserve(account, now);
            reserved.iter().try_for_each(|reserved| tx.put_attempts(reserved))?;
            Ok(reserved)
        })
    }

    /// Forgets an account's failures in a row, after a success or because somebody says so, and
    /// gives the source its attempt back.
    pub fn clear_attempts(&self, attempt: Attempt) -> Result<()> {
        storage::write(&*self.storage, &AgencyId::platform(), Scope::Own, |tx| {
            let (_, source) = lock(tx, attempt)?;
            if let Some(source) = source {
                tx.put_attempts(&self.sources.give_back(source))?;
            }
            tx.forget_attempts(&attempt.account)
        })
    }
}

/// Locks what an attempt counts for, in the order of keys.
fn lock(
    tx: &mut dyn storage::Transaction,
    Attempt { account, source }: Attempt,
) -> Result<(Attempts, Option<Attempts>)> {
    let Some(source) = source else { return Ok((tx.lock_attempts(&account)?, None)) };
    let first = tx.lock_attempts(&account.min(source))?;
    let second = tx.lock_attempts(&account.max(source))?;
    Ok(if account < source { (first, Some(second)) } else { (second, Some(first)) })
}
