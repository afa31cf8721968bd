//! Opening a platform: checking the settings, and loading or making the secret.

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
use crate::usage::Lateness;
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
    lateness: Option<Duration>,
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
            lateness: None,
            secrets: BTreeMap::new(),
            hashing: None,
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
        }
    }
}

impl PlatformBuilder {
    /// The domain under which login domains live: with `partner.example.com` a reseller's customers
    /// sign in at `https://acme.partner.example.com`. It is `partner.localhost` unless it is set.
    ///
    /// ```
    /// use partnerkit::{LoginDomain, Platform};
    ///
    /// let platform = Platform::builder().login_base("Partner.BÜRO.example").open("memory:")?;
    /// let acme = LoginDomain::parse("acme").unwrap();
    /// assert_eq!(platform.login_url(&acme), "https://acme.partner.xn--bro-hoa.example");
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub fn login_base(mut self, domain: impl Into<String>) -> Self {
        self.login_base = domain.into();
        self
    }

    /// How long passwords must be: [`PasswordPolicy::single_factor`] unless it is set.
    ///
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/setup.rs")); }
    /// # let form = setup::scene()?.form;
    /// use partnerkit::{PasswordPolicy, Platform};
    ///
    /// let policy = PasswordPolicy::with_mfa(); // the host asks for a second factor
    /// let platform = Platform::builder().password_policy(policy).open("memory:")?;
    /// let agency = platform.create_agency("northwind", None)?;
    /// let globex = agency.create_reseller(form)?;
    /// assert!(agency.set_password(globex.id, "teal w4lrus", "teal w4lrus").is_ok());
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub fn password_policy(mut self, policy: PasswordPolicy) -> Self {
        self.password_policy = policy;
        self
    }

    /// Which login domains new resellers may have: [`LoginDomainPolicy::letters`] unless it is set.
    ///
    /// ```
    /// use partnerkit::{Code, LoginDomainPolicy, Platform};
    ///
    /// let policy = LoginDomainPolicy::dns().reserve(["billing"]);
    /// let platform = Platform::builder().login_domain_policy(policy).open("memory:")?;
    /// assert_eq!(platform.domain_availability("acme-24")?.refused, None);
    /// assert_eq!(platform.domain_availability("billing")?.refused, Some(Code::Reserved));
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub fn login_domain_policy(mut self, policy: LoginDomainPolicy) -> Self {
        self.login_domains = policy;
        self
    }

    /// What hashing a password costs: [`HashingCost::FLOOR`] unless it is set. A hash that costs
    /// less is made anew when its reseller signs in.
    ///
    /// ```
    /// use partnerkit::{HashingCost, Platform};
    ///
    /// let cost = HashingCost::new(65_536, 3, 1)?; // 64 MiB, three passes
    /// let platform = Platform::builder().hashing_cost(cost).open("memory:")?;
    /// # drop(platform);
    /// assert!(HashingCost::new(1_024, 1, 1).is_err()); // less than the floor
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub fn hashing_cost(mut self, cost: HashingCost) -> Self {
        self.hashing_cost = cost;
        self
    }

    /// A key of 16 bytes or more that goes into password hashes, and that only the host keeps. Of
    /// several keys the one with the highest id goes into new hashes; a hash with another key, or
    /// with none, is made anew when its reseller signs in.
    ///
    /// ```
    /// use partnerkit::Platform;
    ///
    /// let key = [7; 32]; // from the host's own vault
    /// let platform = Platform::builder().pepper(1, key).open("memory:")?;
    /// # drop(platform);
    /// assert!(Platform::builder().pepper(1, *b"too short").open("memory:").is_err());
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub fn pepper(mut self, id: u32, key: impl Into<Vec<u8>>) -> Self {
        self.peppers.insert(id, Pepper::new(key.into()));
        self
    }

    /// Checks passwords against hashes of a scheme that the host used before. Each is hashed anew
    /// when its reseller signs in.
    ///
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/setup.rs")); }
    /// # let form = setup::scene()?.form;
    /// use std::sync::Arc;
    /// use partnerkit::{LegacyVerifier, Platform, ResellerDraft};
    ///
    /// /// Stands for a real scheme: the password backwards.
    /// struct Backwards;
    ///
    /// impl LegacyVerifier for Backwards {
    ///     fn recognises(&self, hash: &str) -> bool {
    ///         hash.starts_with("backwards:")
    ///     }
    ///
    ///     fn verify(&self, password: &str, hash: &str) -> Option<bool> {
    ///         let backwards: String = password.chars().rev().collect();
    ///         Some(hash.strip_prefix("backwards:") == Some(&*backwards))
    ///     }
    /// }
    ///
    /// let platform = Platform::builder().legacy_verifier(Arc::new(Backwards)).open("memory:")?;
    /// let agency = platform.create_agency("northwind", None)?;
    /// let hash = Some("backwards:drowssap dlo na".into());
    /// agency.create_reseller(ResellerDraft { invite: false, password_hash: hash, ..form })?;
    /// assert!(platform.sign_in("globex", "owner@globex.example", "an old password", None).is_ok());
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub fn legacy_verifier(mut self, verifier: Arc<dyn LegacyVerifier>) -> Self {
        self.legacy = Some(verifier);
        self
    }

    /// After how many failed sign-ins in a row an account's passwords are no longer looked at,
    /// until [`Agency::unlock`](crate::Agency::unlock) or a new password: 100 unless it is set.
    ///
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/setup.rs")); }
    /// # let setup::Scene { password, form, .. } = setup::scene()?;
    /// # let (first, again) = (password.into(), password.into());
    /// # let form = partnerkit::ResellerDraft {
    /// #     invite: false, password: first, password_confirmation: again, ..form
    /// # };
    /// use partnerkit::Platform;
    ///
    /// let platform = Platform::builder().sign_in_limit(1).open("memory:")?;
    /// let agency = platform.create_agency("northwind", None)?;
    /// let globex = agency.create_reseller(form)?;
    /// let sign_in = |password| platform.sign_in("globex", "owner@globex.example", password, None);
    /// assert!(sign_in("a guess").is_err());
    /// assert!(sign_in(password).is_err()); // not looked at any more
    /// agency.unlock(globex.id)?;
    /// assert!(sign_in(password).is_ok());
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub fn sign_in_limit(mut self, failures: u32) -> Self {
        self.attempts.hard_stop = failures;
        self
    }

    /// From which failed sign-in in a row on the next one has to wait: 10 unless it is set.
    ///
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/setup.rs")); }
    /// # let setup::Scene { password, form, .. } = setup::scene()?;
    /// # let (first, again) = (password.into(), password.into());
    /// # let form = partnerkit::ResellerDraft {
    /// #     invite: false, password: first, password_confirmation: again, ..form
    /// # };
    /// use partnerkit::Platform;
    ///
    /// let platform = Platform::builder().sign_in_delay_from(1).open("memory:")?;
    /// let agency = platform.create_agency("northwind", None)?;
    /// agency.create_reseller(form)?;
    /// let sign_in = |password| platform.sign_in("globex", "owner@globex.example", password, None);
    /// assert!(sign_in("a guess").is_err());
    /// assert!(sign_in(password).is_err()); // within a second: not looked at
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub fn sign_in_delay_from(mut self, failures: u32) -> Self {
        self.attempts.free = failures;
        self
    }

    /// How many sign-ins from one source (see [`Platform::sign_in`]) may fail at once, and how long
    /// it takes until one more may: 50 and ten seconds unless it is set.
    ///
    /// ```
    /// use std::time::Duration;
    /// use partnerkit::{ErrorKind, Platform};
    ///
    /// let platform = Platform::builder().source_limit(2, Duration::from_secs(60)).open("memory:")?;
    /// let guess = |_| platform.sign_in("acme", "owner@acme.example", "a guess", Some("203.0.113.7"));
    /// let kinds = [1, 2, 3].map(|n| guess(n).unwrap_err().kind());
    /// assert_eq!(kinds, [ErrorKind::AccessDenied, ErrorKind::AccessDenied, ErrorKind::Throttled]);
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub fn source_limit(mut self, burst: u32, every: Duration) -> Self {
        self.sources = SourcePolicy { burst: burst.max(1), every: millis(every) };
        self
    }

    /// A secret of the host's for keyed hashes, cursors and reset tokens, in place of one that the
    /// store keeps. Of several secrets the one with the highest id makes these, and each of them
    /// verifies: so one is replaced. Whatever was made with a secret ends when that secret is no
    /// longer given; give the old one for as long as its tokens, cursors and failed sign-ins are to
    /// count.
    ///
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/setup.rs")); }
    /// # let setup::Scene { password, form, .. } = setup::scene()?;
    /// # let (first, again) = (password.into(), password.into());
    /// # let form = partnerkit::ResellerDraft {
    /// #     invite: false, password: first, password_confirmation: again, ..form
    /// # };
    /// use std::sync::Arc;
    /// use partnerkit::Platform;
    /// use partnerkit::storage::memory::Memory;
    ///
    /// let store = Arc::new(Memory::new());
    /// let before = Platform::builder().secret(1, [7; 32]).open_storage(store.clone())?;
    /// let agency = before.create_agency("northwind", None)?;
    /// let token = agency.reset_token(agency.create_reseller(form)?.id)?;
    ///
    /// let after = Platform::builder().secret(1, [7; 32]).secret(2, [8; 32]).open_storage(store)?;
    /// after.reset_password(&token, password, password)?; // what the old one made still counts
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub fn secret(mut self, id: u32, secret: [u8; 32]) -> Self {
        self.secrets.insert(id, Secret::from_bytes(secret));
        self
    }

    /// How long idempotency keys are kept: 24 hours unless it is set.
    ///
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/setup.rs")); }
    /// # let form = setup::scene()?.form;
    /// use std::time::Duration;
    /// use partnerkit::Platform;
    ///
    /// let week = Duration::from_secs(7 * 86_400);
    /// let platform = Platform::builder().keep_idempotency_keys(week).open("memory:")?;
    /// let agency = platform.create_agency("northwind", None)?;
    /// let globex = agency.create_reseller(form.clone().once("order-17"))?;
    /// assert_eq!(agency.create_reseller(form.once("order-17"))?.id, globex.id); // up to a week later
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub fn keep_idempotency_keys(mut self, kept: Duration) -> Self {
        self.retention.idempotency_keys = millis(kept);
        self
    }

    /// How long entries of the change feed are kept: for ever unless it is set.
    ///
    /// ```
    /// use std::time::Duration;
    /// use partnerkit::Platform;
    ///
    /// let year = Duration::from_secs(365 * 86_400);
    /// let platform = Platform::builder().keep_changes(year).open("memory:")?;
    /// let agency = platform.create_agency("northwind", None)?;
    /// platform.maintain(None)?; // removes what is older, here nothing
    /// assert_eq!(agency.changes(None, None)?.len(), 1);
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub fn keep_changes(mut self, kept: Duration) -> Self {
        self.retention.changes = Some(millis(kept));
        self
    }

    /// How long after its time an event may be recorded: 35 days unless it is set, at least an hour and at
    /// most 3,650 days. Events are kept five days longer, so that one that comes again is recognised, and
    /// can be taken back for four days longer. Every process that opens the store sets the same.
    ///
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/setup.rs")); }
    /// # let form = setup::scene()?.form;
    /// use std::time::Duration;
    /// use partnerkit::{EventOutcome, Metric, Platform, Timestamp, UsageEvent};
    ///
    /// let days = |days: u64| Duration::from_secs(days * 86_400);
    /// let platform = Platform::builder().usage_lateness(days(90)).open("memory:")?;
    /// let agency = platform.create_agency("northwind", None)?;
    /// let globex = agency.create_reseller(form)?;
    /// let at = Timestamp::from_millis(globex.created_at.as_millis() - 89 * 86_400_000);
    /// let (reseller, metric) = (globex.id, Metric::MESSAGES);
    /// let event = UsageEvent { id: "msg-1".into(), reseller, metric, quantity: 250, at };
    /// assert_eq!(agency.record_usage(&[event])?.outcomes, [EventOutcome::Accepted]);
    ///
    /// assert!(Platform::builder().usage_lateness(days(0)).open("memory:").is_err());
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub fn usage_lateness(mut self, most: Duration) -> Self {
        self.lateness = Some(most);
        self
    }

    /// How many passwords are hashed at once, each with 20 MiB and a core, and how many callers
    /// wait for their turn, each on a thread of the host's, before the next one is `Busy`. Unless
    /// it is set, as many are hashed as there are cores, at most 64, and 50 wait for each, at most
    /// 200.
    ///
    /// Agencies take turns. When the queue is full, the newest caller of the agency that has the
    /// most waiting has to go. Hashes that the host brought along and that take more memory than
    /// [`hashing_cost`](Self::hashing_cost) are computed one at a time, beside the others.
    ///
    /// ```
    /// use partnerkit::{ErrorKind, Platform};
    ///
    /// let platform = Platform::builder().hashing(1, 8).open("memory:")?; // one core, eight wait
    /// let denied = platform.sign_in("acme", "owner@acme.example", "a guess", None).unwrap_err();
    /// assert_eq!(denied.kind(), ErrorKind::AccessDenied); // a tenth at once would be `Busy`
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub fn hashing(mut self, at_once: usize, queue: usize) -> Self {
        self.hashing = Some((at_once, queue));
        self
    }

    /// Another source of time, for tests.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use partnerkit::{Clock, Platform, Timestamp};
    ///
    /// struct Noon;
    ///
    /// impl Clock for Noon {
    ///     fn now(&self) -> Timestamp {
    ///         "2026-03-15T12:00:00Z".parse().expect("an instant")
    ///     }
    /// }
    ///
    /// let platform = Platform::builder().clock(Arc::new(Noon)).open("memory:")?;
    /// let agency = platform.create_agency("northwind", None)?;
    /// assert_eq!(agency.settings()?.created_at, Noon.now());
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Another source of ids and secrets, for tests.
    ///
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/setup.rs")); }
    /// # let form = setup::scene()?.form;
    /// use std::sync::Arc;
    /// use partnerkit::{Entropy, Platform};
    ///
    /// struct Sevens;
    ///
    /// impl Entropy for Sevens {
    ///     fn fill(&self, bytes: &mut [u8]) {
    ///         bytes.fill(7);
    ///     }
    /// }
    ///
    /// let platform = Platform::builder().entropy(Arc::new(Sevens)).open("memory:")?;
    /// let globex = platform.create_agency("northwind", None)?.create_reseller(form)?;
    /// assert!(globex.id.to_string().ends_with("-070707070707"));
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub fn entropy(mut self, entropy: Arc<dyn Entropy>) -> Self {
        self.entropy = entropy;
        self
    }

    /// Opens the store at a URL: `memory:`, `sqlite:FILE` or `postgres://…`. [`Platform::open`]
    /// says what a file may be called, and who else may use it.
    ///
    /// Errors: `Configuration` for a URL or for settings that cannot work, and for a store of a
    /// newer release; `Storage` for one that cannot be reached, read or written.
    ///
    /// ```
    /// use partnerkit::{ErrorKind, Platform};
    ///
    /// let platform = Platform::builder().login_base("partner.example.com").open("memory:")?;
    /// assert!(platform.agencies(None, None)?.is_empty());
    /// let wrong = Platform::builder().login_base("not a domain").open("memory:").err().unwrap();
    /// assert_eq!(wrong.kind(), ErrorKind::Configuration);
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub fn open(self, url: &str) -> Result<Platform> {
        let platform = self.open_storage(open_url(url)?)?;
        platform.prepare()?;
        Ok(platform)
    }

    /// Opens a store of your own. The store is asked nothing before [`Platform::prepare`], or the
    /// first call that needs it.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use partnerkit::Platform;
    /// use partnerkit::storage::memory::Memory;
    ///
    /// let store = Arc::new(Memory::new());
    /// let one = Platform::builder().open_storage(store.clone())?;
    /// let other = Platform::builder().open_storage(store)?;
    /// one.create_agency("northwind", None)?;
    /// assert!(other.agency("northwind").is_ok());
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub fn open_storage(self, storage: Arc<dyn Storage>) -> Result<Platform> {
        let login_base = checked_base(&self.login_base)?;
        if !self.login_domains.reserves_labels() {
            return Err(Error::configuration(
                "a reserved login domain is not a valid login domain",
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
            lateness: self.lateness.map(Lateness::new).transpose()?.unwrap_or_default(),
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
            Err(Error::configuration(format!(
                "this build does not support `{scheme}:`: enable the Cargo feature"
            )))
        }
        _ => Err(Error::configuration(
            "the store's URL must begin with `memory:`, `sqlite:` or `postgres:`",
        )),
    }
}

/// How many passwords are hashed at once on a machine with `cores` cores, and how many callers may
/// wait. Each caller takes a thread, and tokio has only 512 for all blocking work, so they must not
/// take all of them on any machine.
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

    /// S18: other blocking calls have enough of tokio's 512 threads left.
    #[test]
    fn s18_hashing_never_takes_the_threads_of_others() {
        for cores in (1..=16).chain([64, 256, 1_024, usize::MAX]) {
            let (at_once, queue) = default_hashing(cores);
            assert!(at_once >= 1 && queue >= 50);
            // One more is for a hash that takes more memory.
            assert!(at_once + queue < 512 - 200, "{cores} cores");
        }
    }
}
