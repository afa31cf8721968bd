//! What all handles of one platform share: the store and the settings.

use std::sync::{Arc, Mutex};

use uuid::Uuid;

use crate::access::{AttemptPolicy, Generation, Hasher, KnownSecrets, SourcePolicy};
use crate::clock::{Clock, Entropy, Ids, random};
use crate::process::PerProcess;
use crate::reseller::FormRules;
use crate::storage::{Erasure, Opened, Storage};
use crate::usage::Lateness;
use crate::values::{AgencyId, LoginDomainPolicy, PasswordPolicy, Timestamp};

/// The shared state, which is made once, when a platform is opened.
pub(crate) struct Shared {
    pub storage: Opened,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub ids: Ids,
    pub hasher: Hasher,
    /// Read it with [`Shared::secrets`].
    pub known_secrets: KnownSecrets,
    pub login_base: String,
    pub password_policy: PasswordPolicy,
    pub login_domains: LoginDomainPolicy,
    pub attempts: AttemptPolicy,
    pub sources: SourcePolicy,
    pub retention: Retention,
    pub lateness: Lateness,
    /// The progress of upkeep in this process.
    pub upkeep: PerProcess<Mutex<Progress>>,
}

/// How long things are kept, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Retention {
    pub idempotency_keys: i64,
    /// For ever, if `None`.
    pub changes: Option<i64>,
}

impl Default for Retention {
    fn default() -> Self {
        Self { idempotency_keys: Timestamp::DAY, changes: None }
    }
}

/// The progress of a round of upkeep.
#[derive(Debug, Clone, Default)]
pub(crate) struct Progress {
    /// The agency whose turn it is; `None` during the platform's own turn.
    pub agency: Option<AgencyId>,
    /// Whether it is being erased.
    pub closed: bool,
    /// How many of its tasks are done.
    pub done: usize,
}

impl Shared {
    /// A new id, which sorts after all ids that this platform has made before.
    pub fn new_id(&self, now: Timestamp) -> Uuid {
        self.ids.next(&*self.entropy, now)
    }

    /// Erases deleted data from the store's files, if that is possible now. The rows are deleted
    /// either way, so a failure is not an error, but only means that the erasure is pending.
    pub fn scrub(&self) -> Erasure {
        let possible = !self.storage.joined();
        let scrubbed = possible.then(|| self.storage.scrub().ok()).flatten();
        scrubbed.unwrap_or(Erasure::Pending)
    }

    /// The rules by which a form is validated.
    pub fn form_rules(&self) -> FormRules<'_> {
        let Self { password_policy: passwords, login_domains, hasher, .. } = self;
        FormRules { passwords: *passwords, login_domains, hasher, now: self.clock.now() }
    }

    /// A generation that no stamp has.
    pub fn new_generation(&self) -> Generation {
        Generation::from_bytes(random(&*self.entropy))
    }
}
