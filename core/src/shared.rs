//! What the handles of one platform have in common: the store and the settings.

use std::sync::Arc;

use crate::access::{AttemptKey, AttemptPolicy, Attempts, Hasher, Secret};
use crate::clock::{Clock, Entropy, Ids};
use crate::error::Result;
use crate::storage::{self, Scope, Storage};
use crate::values::{AgencyId, PasswordPolicy, Timestamp};
use uuid::Uuid;

/// Made once, when a platform is opened.
pub(crate) struct Shared {
    pub storage: Arc<dyn Storage>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub ids: Ids,
    pub hasher: Hasher,
    pub secret: Secret,
    pub login_base: String,
    pub password_policy: PasswordPolicy,
    pub attempts: AttemptPolicy,
}

impl Shared {
    /// A new id; it sorts behind those this platform has made before.
    pub fn new_id(&self, now: Timestamp) -> Uuid {
        self.ids.next(&*self.entropy, now)
    }

    /// Counts an attempt to sign in as failed before its password is looked at; false if it may
    /// not be. In a transaction of its own: no rollback of the host's forgets it (S19).
    pub fn reserve_attempt(&self, key: AttemptKey) -> Result<bool> {
        let (now, policy) = (self.clock.now(), self.attempts);
        storage::write(&*self.storage, &AgencyId::platform(), Scope::Own, |tx| {
            match policy.reserve(tx.lock_attempts(&key)?, now) {
                Some(reserved) => tx.put_attempts(&reserved).map(|()| true),
                None => Ok(false),
            }
        })
    }

    /// Forgets the failures in a row, after a success or because somebody says so.
    pub fn clear_attempts(&self, key: AttemptKey) -> Result<()> {
        storage::write(&*self.storage, &AgencyId::platform(), Scope::Own, |tx| {
            tx.lock_attempts(&key)?;
            tx.put_attempts(&Attempts::none(key))
        })
    }
}
