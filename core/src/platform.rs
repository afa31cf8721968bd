//! The platform: one store, opened and configured once, with the operations that concern all
//! agencies.

mod availability;
mod backup;
mod builder;
mod form_errors;
mod upkeep;

use serde::Serialize;
use std::sync::Arc;

pub use builder::PlatformBuilder;
pub use upkeep::Maintenance;

use crate::error::{Error, Result, optional};
use crate::login_domain::{LabelRow, LabelState, holders, holders_beside};
use crate::records;
use crate::reseller::{ResellerId, Status};
use crate::shared::Shared;
use crate::storage::Storage;
use crate::values::{AgencyId, LoginDomain};

/// A handle on one store. It is cheap to clone, and safe to use from many threads. It also works in
/// a child of `fork`, where a store in a file or on a server is opened again at its first use. A
/// program with threads must call [`before_fork`](crate::before_fork) first.
#[derive(Clone)]
pub struct Platform {
    pub(crate) operator: Operator,
}

/// The state of the operations on the whole platform. They are implemented in the modules of their
/// nouns, as methods of [`Operator`], and the handle [`Platform`] delegates to them.
#[derive(Clone)]
pub(crate) struct Operator {
    pub shared: Arc<Shared>,
}

/// The reseller that a request is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ResolvedHost {
    /// The agency.
    pub agency: AgencyId,
    /// The reseller.
    pub reseller: ResellerId,
    /// The login domain, which [`Platform::sign_in`] takes.
    pub login_domain: LoginDomain,
    /// Whether the reseller is active.
    pub status: Status,
}

impl Platform {
    /// Opens a store with default settings: `memory:`, or, with the features `sqlite` and
    /// `postgres`, `sqlite:FILE` or `postgres://USER@HOST/DATABASE`.
    ///
    /// The part after `sqlite:` is a plain path without parameters. `sqlite:resellers.db` is in the
    /// current working directory, and stays there if that changes later;
    /// `sqlite:/var/lib/resellers.db` (or, as elsewhere, with four slashes) is absolute. Two or
    /// three slashes are refused, because they mean different things to different programs. The
    /// folder must exist and be writable, because the log and the lock files are next to the
    /// database.
    ///
    /// # One SQLite in a process
    /// While a platform has the file open, no second copy of SQLite in the same process, such as
    /// Python's `sqlite3` under Django or SQLAlchemy, may write to it: two copies do not see each
    /// other's locks, and **the file is destroyed**. On Linux, reading it with a second copy loses
    /// no stored data, but either side may read pages that are just being overwritten: the second
    /// copy, and the platform too if another process writes. On other systems, even reading loses
    /// committed data. Instead, use [`backup`](Self::backup) to get a copy, another process (such
    /// as the program `sqlite3`) to look at the file, a separate file for other tables, or, with
    /// Django, its storage. Connections of `rusqlite`, `sqlx` or `diesel` in a Rust program use the
    /// same copy of SQLite, and are safe.
    ///
    /// If something else in this process still has the file open when its last platform is closed,
    /// an empty log stays next to it, until the next platform on any file is closed or the process
    /// ends.
    ///
    /// ```
    /// use partnerkit::Platform;
    ///
    /// let platform = Platform::open("memory:")?;
    /// assert!(platform.agencies(None, None)?.is_empty());
    /// assert!(Platform::open("mysql:resellers").is_err());
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub fn open(url: &str) -> Result<Self> {
        Self::builder().open(url)
    }

    /// Settings, which begin as the usual ones; [`PlatformBuilder::open`] then opens the store.
    ///
    /// ```
    /// use partnerkit::{LoginDomain, Platform};
    ///
    /// let platform = Platform::builder().login_base("partner.example.com").open("memory:")?;
    /// let acme = LoginDomain::parse("acme").unwrap();
    /// assert_eq!(platform.login_url(&acme), "https://acme.partner.example.com");
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub fn builder() -> PlatformBuilder {
        PlatformBuilder::default()
    }

    /// How many Argon2 computations this handle and its clones have made: for metrics, and for
    /// tests.
    ///
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/setup.rs")); }
    /// # let setup::Scene { platform, agency, acme, password, form } = setup::scene()?;
    /// let before = platform.hash_computations();
    /// let _ = platform.sign_in("acme", "owner@acme.example", "a guess", None);
    /// let _ = platform.sign_in("nobody", "nobody@acme.example", "a guess", None);
    /// assert_eq!(platform.hash_computations(), before + 2);
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub fn hash_computations(&self) -> u64 {
        self.operator.shared.hasher.computations()
    }
}

impl Operator {
    /// Asks the store now for what it is otherwise asked for at its first use: the version of its
    /// tables, and the platform's secret, which is made if there is none. [`open`](Self::open) does
    /// so itself. For a store of your own, call this once its tables are there.
    ///
    /// Errors: `Configuration` for tables of a newer release.
    ///
    /// ```example
    /// use std::sync::Arc;
    /// use partnerkit::Platform;
    /// use partnerkit::storage::memory::Memory;
    ///
    /// let platform = Platform::builder().open_storage(Arc::new(Memory::new()))?;
    /// platform.prepare()?; // fails here, and not at the first request, where the store is not ready
    /// ```
    /// ```python
    /// platform.prepare()  # raises ConfigurationError where a migration is missing
    /// ```
    /// ```javascript
    /// await platform.prepare(); // throws a ConfigurationError where a migration is missing
    /// ```
    pub fn prepare(&self) -> Result<()> {
        self.shared.storage.schema_version()?;
        self.shared.secrets().map(drop)
    }

    /// Closes the store, for every handle on it, those of agencies, too. Running transactions end
    /// normally; every later one fails with `Configuration`, including the next one of a running
    /// import. Closing it again does nothing. Without this call, a store is closed
    /// when its last handle is dropped.
    ///
    /// ```example
    /// platform.close()?;
    /// let refused = agency.overview().expect_err("every handle is closed");
    /// assert_eq!(refused.to_string(), "configuration: the platform is closed");
    /// ```
    /// ```python
    /// platform.close()
    /// try:
    ///     agency.overview()
    /// except partnerkit.ConfigurationError as refused:
    ///     assert str(refused) == "configuration: the platform is closed"
    /// ```
    /// ```javascript
    /// import { ConfigurationError } from 'partnerkit';
    ///
    /// await platform.close();
    /// await assert.rejects(agency.overview(), ConfigurationError);
    /// ```
    pub fn close(&self) -> Result<()> {
        self.shared.storage.close();
        Ok(())
    }

    /// Finds the reseller that a request's host name belongs to. Case, a port and one trailing dot
    /// do not matter; unknown, quarantined and foreign hosts are all `NotFound`.
    ///
    /// ```example
    /// let place = platform.resolve_host("Acme.partner.example.com:443")?;
    /// assert_eq!((&place.agency, place.reseller), (agency.id(), acme.id));
    /// assert!(platform.resolve_host("acme.elsewhere.example").is_err());
    /// ```
    /// ```python
    /// place = platform.resolve_host("Acme.partner.example.com:443")
    /// assert (place.agency, place.reseller) == ("northwind", acme.id)
    /// ```
    /// ```javascript
    /// const place = await platform.resolveHost('Acme.partner.example.com:443');
    /// assert.deepEqual([place.agency, place.reseller], ['northwind', acme.id]);
    /// ```
    pub fn resolve_host(&self, host: &str) -> Result<ResolvedHost> {
        let missing = || Error::not_found("host");
        let label = self.label_of(host).ok_or_else(missing)?;
        let (agency, reseller) = self.holder(&label)?.ok_or_else(missing)?;
        let storage = &self.shared.storage;
        let found = records::read(storage, &agency, |reads| {
            Ok(reads.resellers(&[reseller])?.into_iter().flatten().next())
        });
        let status = optional(found)?.ok_or_else(missing)?.status;
        Ok(ResolvedHost { agency, reseller, login_domain: label, status })
    }

    /// The label in a host name below the login base.
    pub(crate) fn label_of(&self, host: &str) -> Option<LoginDomain> {
        if host.len() > 512 {
            return None;
        }
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|c| c.is_ascii_digit()) => name,
            _ => host,
        };
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        let label = name.strip_suffix(&self.shared.login_base)?.strip_suffix('.')?;
        LoginDomain::parse(label).ok()
    }

    /// The agency and reseller that hold a label now.
    pub(crate) fn holder(&self, label: &LoginDomain) -> Result<Option<(AgencyId, ResellerId)>> {
        holders(&self.shared.storage, std::slice::from_ref(label)).map(held)
    }

    /// The agency and reseller that hold a label, in the committed state.
    pub(crate) fn holder_beside(
        &self,
        label: &LoginDomain,
    ) -> Result<Option<(AgencyId, ResellerId)>> {
        holders_beside(&self.shared.storage, std::slice::from_ref(label)).map(held)
    }
}

/// The holder in the last row, if the label is held.
fn held(mut rows: Vec<Option<LabelRow>>) -> Option<(AgencyId, ResellerId)> {
    let LabelRow { agency, state, .. } = rows.pop().flatten()?;
    match state {
        LabelState::Held(reseller) => Some((agency, reseller)),
        LabelState::Quarantined(_) => None,
    }
}
