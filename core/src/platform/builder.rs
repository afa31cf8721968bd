//! Opening a platform: the settings, checked, and the secret, made or found.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::{Operator, Platform};
use crate::access::{
    AttemptPolicy, Hasher, HashingCost, KnownSecrets, LegacyVerifier, Pepper, Permits, Secret,
    SourcePolicy,
};
use crate::clock::{Clock, Entropy, Ids, SystemClock, SystemEntropy};
use crate::error::{Error, Result};
use crate::process::PerProcess;
use crate::shared::{Retention, Shared};
use crate::storage::memory::Memory;
use crate::storage::{Opened, Storage};
use crate::values::{LoginDomainPolicy, PasswordPolicy, domain_name};

/// The settings of a platform.
#[derive(Clone)]
pub struct PlatformBuilder {
    login_base: String,
    password_policy: PasswordPolicy,
    login_domains: LoginDomainPolicy,
    hashing_cost: HashingCost,
    peppers: BTreeMap<u32, Pepper>,
    legacy: Option<Arc<dyn LegacyVerifier>>,
    attempts: AttemptPolicy,
    sources: SourcePolicy,
    retention: Retention,
    secrets: BTreeMap<u32, Secret>,
    hashing: Option<(usize, usize)>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl Default for PlatformBuilder {
    fn default() -> Self {
        Self {
            login_base: "partner.localhost".to_owned(),
            password_policy: PasswordPolicy::default(),
            login_domains: LoginDomainPolicy::default(),
            hashing_cost: HashingCost::FLOOR,
            peppers: BTreeMap::new(),
            legacy: None,
            attempts: AttemptPolicy::default(),
            sources: SourcePolicy::default(),
            retention: Retention::default(),
            secrets: BTreeMap::new(),
            hashing: None,
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
        }
    }
}

impl PlatformBuilder {
    /// The domain under which login domains live: `partner.example.com` makes
    /// `https://acme.partner.example.com` (S5). `partner.localhost` when not said.
    pub fn login_base(mut self, domain: impl Into<String>) -> Self {
        self.login_base = domain.into();
        self
    }

    /// How long passwords must be.
    pub fn password_policy(mut self, policy: PasswordPolicy) -> Self {
        self.password_policy = policy;
        self
    }

    /// Which login domains new resellers may have; lowercase letters only when not said.
    pub fn login_domain_policy(mut self, policy: LoginDomainPolicy) -> Self {
        self.login_domains = policy;
        self
    }

    /// What hashing a password costs; [`HashingCost::FLOOR`] when not said. Hashes that cost
    /// less are made anew when their reseller signs in (S16).
    pub fn hashing_cost(mut self, cost: HashingCost) -> Self {
        self.hashing_cost = cost;
        self
    }

    /// A key that goes into password hashes and is kept nowhere but with the host: 16 bytes or
    /// more. Given several, that of the highest id is for new hashes, and hashes of the others,
    /// or of none, are made anew when their reseller signs in (S16).
    pub fn pepper(mut self, id: u32, key: impl Into<Vec<u8>>) -> Self {
        self.peppers.insert(id, Pepper::new(key.into()));
        self
    }

    /// Checks passwords against hashes of a scheme that the host has had before; each is hashed
    /// anew when its reseller signs in (S15).
    pub fn legacy_verifier(mut self, verifier: Arc<dyn LegacyVerifier>) -> Self {
        self.legacy = Some(verifier);
        self
    }

    /// After how many failed sign-ins in a row no further one is looked at; 100 when not said.
    pub fn sign_in_limit(mut self, failures: u32) -> Self {
        self.attempts.hard_stop = failures;
        self
    }

    /// From which failed sign-in in a row the next ones are delayed; 10 when not said.
    pub fn sign_in_delay_from(mut self, failures: u32) -> Self {
        self.attempts.free = failures;
        self
    }

    /// How many attempts from one source (see [`Platform::sign_in`]) may fail: so many at
    /// once, and then one each so often. 50 and ten seconds when not said.
    pub fn source_limit(mut self, burst: u32, every: Duration) -> Self {
        self.sources = SourcePolicy { burst: burst.max(1), every: millis(every) };
        self
    }

    /// A secret of the host's for keyed hashes, cursors and reset tokens, in place of one that is
    /// kept in the store (S59). Given several, that of the highest id makes and all of them
    /// verify: that is how a secret is replaced. What was made with a secret ends when it is no
    /// longer given, so give the old one for as long as its tokens, cursors and failed sign-ins
    /// are to count.
    pub fn secret(mut self, id: u32, secret: [u8; 32]) -> Self {
        self.secrets.insert(id, Secret::from_bytes(secret));
        self
    }

    /// How long idempotency keys are kept; 24 hours when not said (S23).
    pub fn keep_idempotency_keys(mut self, kept: Duration) -> Self {
        self.retention.idempotency_keys = millis(kept);
        self
    }

    /// How long entries of the change feed are kept; for ever when not said (S51).
    pub fn keep_changes(mut self, kept: Duration) -> Self {
        self.retention.changes = Some(millis(kept));
        self
    }

    /// How many passwords are hashed at once, 20 MiB and a core each, and how many callers wait
    /// for their turn, each on a thread of the host's, before others are `Busy`. Agencies take
    /// turns; when the queue is full, the newest caller of the agency that has the most waiting has
    /// to go. When not said: as many as there are cores, and 50 waiting for each, at most 64 and
    /// 200. Hashes that the host brought along and that take more memory than
    /// [`hashing_cost`](Self::hashing_cost) are computed one at a time, beside the others.
    pub fn hashing(mut self, at_once: usize, queue: usize) -> Self {
        self.hashing = Some((at_once, queue));
        self
    }

    /// Another source of time, for tests.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Another source of ids and secrets, for tests.
    pub fn entropy(mut self, entropy: Arc<dyn Entropy>) -> Self {
        self.entropy = entropy;
        self
    }

    /// Opens the store at a URL: `memory:`, `sqlite:FILE` or `postgres://…`. What a file may be
    /// called, and who else may use it, [`Platform::open`] says.
    ///
    /// Errors: `Configuration` for a URL or settings that cannot be, and for a store of a newer
    /// release; `Storage` for one that cannot be reached, read or written.
    pub fn open(self, url: &str) -> Result<Platform> {
        let platform = self.open_storage(open_url(url)?)?;
        platform.prepare()?;
        Ok(platform)
    }

    /// Opens a store of your own. It is not asked for anything before the first call that needs
    /// it, or [`Platform::prepare`].
    pub fn open_storage(self, storage: Arc<dyn Storage>) -> Result<Platform> {
        let login_base = checked_base(&self.login_base)?;
        if !self.login_domains.reserves_labels() {
            return Err(Error::configuration(
                "a reserved login domain is one that nobody can have",
            ));
        }
        if !self.peppers.values().all(Pepper::is_long_enough) {
            return Err(Error::configuration("a pepper must have 16 bytes or more"));
        }
        let (at_once, queue) = self.hashing.unwrap_or_else(|| {
            let cores = thread::available_parallelism().map_or(1, usize::from);
            default_hashing(cores)
        });
        let shared = Shared {
            storage: Opened::new(storage),
            clock: self.clock,
            entropy: self.entropy,
            ids: Ids::default(),
            hasher: Hasher::new(
                Permits::new(at_once, queue),
                self.hashing_cost,
                self.peppers,
                self.legacy,
            )?,
            known_secrets: KnownSecrets::of_host(self.secrets.into_values()),
            login_base,
            password_policy: self.password_policy,
            login_domains: self.login_domains,
            attempts: self.attempts,
            sources: self.sources,
            retention: self.retention,
            upkeep: PerProcess::default(),
        };
        Ok(Platform { operator: Operator { shared: Arc::new(shared) } })
    }
}

fn open_url(url: &str) -> Result<Arc<dyn Storage>> {
    match url.split_once(':') {
        Some(("memory", "")) => Ok(Arc::new(Memory::new())),
        #[cfg(feature = "sqlite")]
        Some(("sqlite", file)) => {
            let path = crate::storage::sqlite::path_of(file)?;
            Ok(Arc::new(crate::storage::sqlite::Sqlite::open(path)?))
        }
        #[cfg(feature = "postgres")]
        Some(("postgres" | "postgresql", _)) => {
            Ok(Arc::new(crate::storage::postgres::Postgres::open(url)?))
        }
        Some((scheme, _)) if ["sqlite", "postgres", "postgresql"].contains(&scheme) => {
            Err(Error::configuration(format!("this build has no feature for `{scheme}:`")))
        }
        _ => Err(Error::configuration(
            "the store's URL must begin with `memory:`, `sqlite:` or `postgres:`",
        )),
    }
}

/// How many passwords are hashed at once on so many cores, and how many callers wait. Each has a
/// thread, and tokio has 512 for everything that blocks: on no machine may they all be taken.
fn default_hashing(cores: usize) -> (usize, usize) {
    (cores.clamp(1, 64), cores.saturating_mul(50).min(200))
}

/// A host name in lowercase A-labels, without a trailing dot.
fn checked_base(raw: &str) -> Result<String> {
    // A label of 63 letters and its dot must fit in front.
    let base = domain_name(raw).filter(|base| base.len() <= 253 - 64);
    base.ok_or_else(|| Error::configuration("the login base is not a domain name"))
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::default_hashing;

    /// S18: what tokio's other calls that block have left of its 512 threads.
    #[test]
    fn s18_hashing_never_takes_the_threads_of_others() {
        for cores in (1..=16).chain([64, 256, 1_024, usize::MAX]) {
            let (at_once, queue) = default_hashing(cores);
            assert!(at_once >= 1 && queue >= 50);
            // One more for what takes more memory.
            assert!(at_once + queue < 512 - 200, "{cores} cores");
        }
    }
}
