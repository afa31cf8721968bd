//! `partnerkit.Platform`.

use std::path::PathBuf;
use std::sync::Arc;

use partnerkit::storage::host::Tables;
use partnerkit::{AgencyId, Code, FieldErrors, LoginDomain};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::agency::Agency;
use crate::answer::answer;
use crate::error::{call, configuration, refused};
use crate::handle::Handle;
use crate::reseller;
use crate::storage::PythonStore;
use crate::value::{self, Text, Typed, number};

/// One store, opened and configured once, and what concerns all agencies. Safe to use from many
/// threads, and in children of `os.fork`, each of which opens the store again at its first use; a
/// store in memory raises StorageError there.
#[pyclass(frozen, module = "partnerkit")]
pub struct Platform(Handle<partnerkit::Platform>);

#[pymethods]
impl Platform {
    /// Opens a store: `memory:`, `sqlite:FILE` or `postgres://USER@HOST/DATABASE`.
    ///
    /// After `sqlite:` stands a path as it is: `sqlite:resellers.db` is in the working directory of
    /// now, `sqlite:/var/lib/resellers.db` (or with four slashes) begins at the root; two or three
    /// slashes are refused. The folder must be there and writable.
    ///
    /// Never write to that file with Python's own `sqlite3` (Django, SQLAlchemy) in a process that
    /// has a platform on it: these are two copies of SQLite that do not see each other's locks, and
    /// the file is destroyed. Reading it so loses nothing on Linux, but may fail or read what is
    /// just being overwritten; on other systems it loses what was acknowledged. Use `backup`,
    /// another process, or a file of its own; with Django, `with_storage`.
    ///
    /// Settings, all optional: login_base, the domain under which login domains live.
    /// login_domains, "letters" or "dns"; reserve, reserve_only, lists of labels; quarantine, days
    /// or "immediately" or "never". second_factor: passwords may be shorter. hashing, a pair (at
    /// once, waiting); hashing_cost, (KiB, passes, lanes); peppers, bytes by number;
    /// legacy_verifier, an object with recognises(hash) and verify(password, hash).
    /// sign_in_limit and sign_in_delay_from: failed sign-ins in a row; source_limit, a pair
    /// (burst, timedelta). secrets, 32 bytes by number. keep_idempotency_keys, keep_changes:
    /// timedelta. clock, a function that gives an aware datetime, for tests.
    ///
    /// Raises ConfigurationError, StorageError.
    #[staticmethod]
    #[pyo3(signature = (url, **settings))]
    fn open(py: Python<'_>, url: Text, settings: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let builder = crate::settings::settings(settings)?;
        let url = url.ok().ok_or_else(|| configuration(py, "the store's URL is no text"))?;
        call(py, || builder.open(&url)).map(|platform| Self(platform.into()))
    }

    /// Opens a store of the host's own, a `partnerkit.storage.TableStore`, with the settings of
    /// `open`. The store is not asked for anything before the first call that needs it.
    #[staticmethod]
    #[pyo3(signature = (storage, **settings))]
    fn with_storage(
        py: Python<'_>,
        storage: Py<PyAny>,
        settings: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let builder = crate::settings::settings(settings)?;
        let storage = Arc::new(Tables(PythonStore::new(storage)));
        call(py, || builder.open_storage(storage)).map(|platform| Self(platform.into()))
    }

    /// A handle is its own copy: Django's `setUpTestData` asks for one for each test.
    fn __copy__(handle: Py<Self>) -> Py<Self> {
        handle
    }

    fn __deepcopy__(handle: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        handle
    }

    /// Asks the store now for what is otherwise asked at the first use: the version of its tables,
    /// and the platform's secret, which is made where there is none. Raises ConfigurationError for
    /// tables of another release.
    fn prepare(&self, py: Python<'_>) -> PyResult<()> {
        call(py, || self.0.prepare())
    }

    /// Creates an agency whose calendar months are those of an IANA time zone, UTC when not
    /// said. Raises ValidationError with the fields `id` and `time_zone`.
    #[pyo3(signature = (id, time_zone=None))]
    fn create_agency(
        &self,
        py: Python<'_>,
        id: Typed,
        time_zone: Option<Typed>,
    ) -> PyResult<Agency> {
        let created =
            call(py, || self.0.create_agency(&id.0, time_zone.as_ref().map(|Typed(zone)| &**zone)));
        created.map(|agency| Agency(agency.into()))
    }

    /// The handle on an agency, which is created first if there is none, with calendar months
    /// of an IANA time zone, UTC when not said: what a worker asks for when it starts, whatever
    /// others do at that moment. An agency that is there stays as it is. Raises ValidationError
    /// with the fields `id` (`taken` while an agency of this id is being deleted) and
    /// `time_zone`.
    #[pyo3(signature = (id, time_zone=None))]
    fn ensure_agency(
        &self,
        py: Python<'_>,
        id: Typed,
        time_zone: Option<Typed>,
    ) -> PyResult<Agency> {
        let ensured =
            call(py, || self.0.ensure_agency(&id.0, time_zone.as_ref().map(|Typed(zone)| &**zone)));
        ensured.map(|agency| Agency(agency.into()))
    }

    /// The handle on an agency, the only way to its data. Raises NotFoundError.
    fn agency(&self, py: Python<'_>, id: Typed) -> PyResult<Agency> {
        call(py, || self.0.agency(&id.0)).map(|agency| Agency(agency.into()))
    }

    /// The ids of agencies in order, behind the given one; limit is 1-1,000, 100 when not said.
    /// Raises ValidationError with the fields `after` and `limit`.
    #[pyo3(signature = (after=None, limit=None))]
    fn agencies<'py>(
        &self,
        py: Python<'py>,
        after: Option<Typed>,
        limit: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let limit = limit.map(value::limit).transpose()?;
        let after = after.map(|after| AgencyId::parse(&after.0)).transpose();
        let after = after.map_err(|_| refused(py, "after", Code::Invalid))?;
        answer(py, &call(py, || self.0.agencies(after.as_ref(), limit))?)
    }

    /// What `delete_agency` would do now; it changes nothing. Raises NotFoundError.
    fn plan_agency_deletion<'py>(&self, py: Python<'py>, id: Typed) -> PyResult<Bound<'py, PyAny>> {
        answer(py, &call(py, || self.0.plan_agency_deletion(&id.0))?)
    }

    /// Deletes an agency for good, with its resellers, what they used and its change feed. It is
    /// gone for everybody at once; its rows follow in steps, with which `maintain` or another call
    /// goes on if this one is cut short, and until then its id is `taken`. Login domains are
    /// quarantined as if each reseller had been deleted. `pending` says that the store's files still
    /// hold something that `maintain` will take out. Raises NotFoundError.
    fn delete_agency<'py>(&self, py: Python<'py>, id: Typed) -> PyResult<Bound<'py, PyAny>> {
        answer(py, &call(py, || self.0.delete_agency(&id.0))?)
    }

    /// Removes what is no longer needed: at most `budget` rows, counting each look as one, 10,000
    /// when not said. Call it every few minutes, from as many processes as you like.
    #[pyo3(signature = (budget=None))]
    fn maintain<'py>(
        &self,
        py: Python<'py>,
        budget: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let budget = budget.map(|budget| number("budget", budget)).transpose()?;
        answer(py, &call(py, || self.0.maintain(budget))?)
    }

    /// Writes a copy of the whole store into a new file, while others read and write: it holds
    /// everything that was acknowledged before, and opens as a store of its own. For SQLite; a
    /// server has its own tools, such as `pg_dump`. Raises FileError if there is a file already.
    fn backup(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        call(py, || self.0.backup(&path))
    }

    /// Signs a reseller in at a login domain (`acme`, as it was created: in small letters, not the
    /// whole host name). Whatever is wrong, it raises AccessDeniedError.
    ///
    /// The attempt is counted in a transaction of its own, also inside the host's. Raises
    /// InsideTransactionError where a host's storage cannot have one.
    ///
    /// With a source, the client's address, only so many attempts of one source may fail: others
    /// raise ThrottledError, whatever the account.
    #[pyo3(signature = (login_domain, email, password, *, source=None))]
    fn sign_in<'py>(
        &self,
        py: Python<'py>,
        login_domain: Typed,
        email: Typed,
        password: Typed,
        source: Option<Typed>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let access = call(py, || {
            let source = source.as_ref().map(|Typed(source)| &**source);
            self.0.sign_in(&login_domain.0, &email.0, &password.0, source)
        })?;
        answer(py, &access)
    }

    /// Whose access a stamp is, asked at every request. Raises AccessDeniedError as soon as the
    /// reseller is deactivated, deleted, or has another email.
    fn check_access<'py>(&self, py: Python<'py>, stamp: Typed) -> PyResult<Bound<'py, PyAny>> {
        answer(py, &call(py, || self.0.check_access(&stamp.0))?)
    }

    /// Sets a password with the token that `Agency.reset_token` gave: once, and in time. Raises
    /// AccessDeniedError, ValidationError with `password` and `password_confirmation`.
    #[pyo3(signature = (token, *, password, password_confirmation))]
    fn reset_password(
        &self,
        py: Python<'_>,
        token: Typed,
        password: &Bound<'_, PyAny>,
        password_confirmation: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let (password, again) = reseller::new_password(password, password_confirmation)?;
        call(py, || self.0.reset_password(&token.0, &password, &again))
    }

    /// Whether a login domain can be had, why not, and what could be instead. Advice for a form:
    /// only creating and renaming decide. `Agency.domain_availability` also knows what the agency
    /// has reserved.
    fn domain_availability<'py>(
        &self,
        py: Python<'py>,
        label: Typed,
    ) -> PyResult<Bound<'py, PyAny>> {
        answer(py, &call(py, || self.0.domain_availability(&label.0))?)
    }

    /// Where the customers of whoever has this login domain sign in: `https://acme.` and the login
    /// base. Raises ValidationError with the field `login_domain`.
    fn login_url(&self, py: Python<'_>, login_domain: Typed) -> PyResult<String> {
        call(py, || {
            let label = LoginDomain::parse(&login_domain.0);
            let label = label.map_err(|refusal| FieldErrors::from(refusal.of("login_domain")))?;
            Ok(self.0.login_url(&label))
        })
    }

    /// Which reseller a request's host name is for. Raises NotFoundError.
    fn resolve_host<'py>(&self, py: Python<'py>, host: Typed) -> PyResult<Bound<'py, PyAny>> {
        answer(py, &call(py, || self.0.resolve_host(&host.0))?)
    }

    fn __repr__(&self) -> &'static str {
        "<partnerkit.Platform>"
    }
}
