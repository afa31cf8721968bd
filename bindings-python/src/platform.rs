//! `partnerkit.Platform`.

use std::sync::Arc;

use partnerkit::storage::tables::Tables;
use partnerkit::{Access, DomainAvailability, Identity, PasswordPolicy, Place, PlatformBuilder};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::agency::Agency;
use crate::class::class;
use crate::error::call;
use crate::reseller;
use crate::storage::PythonStore;
use crate::value::{Typed, id, object, record};

/// One store, opened and configured once, and what concerns all agencies. Safe to use from many
/// threads.
#[pyclass(frozen, module = "partnerkit")]
pub struct Platform(partnerkit::Platform);

#[pymethods]
impl Platform {
    /// Opens a store: `memory:`, `sqlite:FILE` or `postgres://USER@HOST/DATABASE`.
    ///
    /// login_base: the domain under which login domains live. second_factor: passwords may be
    /// shorter, because the host asks for a second factor. sign_in_limit and
    /// sign_in_delay_from: failed sign-ins in a row. Raises ConfigurationError, StorageError.
    #[staticmethod]
    #[pyo3(signature = (url, *, login_base=None, second_factor=false, sign_in_limit=None,
                        sign_in_delay_from=None))]
    fn open(
        py: Python<'_>,
        url: &str,
        login_base: Option<&str>,
        second_factor: bool,
        sign_in_limit: Option<u32>,
        sign_in_delay_from: Option<u32>,
    ) -> PyResult<Self> {
        let settings = settings(login_base, second_factor, sign_in_limit, sign_in_delay_from);
        call(py, || settings.open(url)).map(Self)
    }

    /// Opens a store of the host's own, a `partnerkit.storage.TableStore`, with the settings of
    /// `open`.
    #[staticmethod]
    #[pyo3(signature = (storage, *, login_base=None, second_factor=false, sign_in_limit=None,
                        sign_in_delay_from=None))]
    fn with_storage(
        py: Python<'_>,
        storage: Py<PyAny>,
        login_base: Option<&str>,
        second_factor: bool,
        sign_in_limit: Option<u32>,
        sign_in_delay_from: Option<u32>,
    ) -> PyResult<Self> {
        let settings = settings(login_base, second_factor, sign_in_limit, sign_in_delay_from);
        let storage = Arc::new(Tables(PythonStore::new(storage)));
        call(py, || settings.open_storage(storage)).map(Self)
    }

    /// Creates an agency whose calendar months are those of an IANA time zone. Raises
    /// ValidationError with the fields `id` and `time_zone`.
    #[pyo3(signature = (id, time_zone="UTC"))]
    fn create_agency(&self, py: Python<'_>, id: &str, time_zone: &str) -> PyResult<Agency> {
        call(py, || self.0.create_agency_in(id, time_zone)).map(Agency)
    }

    /// The handle on an agency, the only way to its data. Raises NotFoundError.
    fn agency(&self, py: Python<'_>, id: &str) -> PyResult<Agency> {
        call(py, || self.0.agency(id)).map(Agency)
    }

    /// Signs a reseller in at a login domain. Whatever is wrong, it raises AccessDeniedError.
    ///
    /// The attempt is counted in a transaction of its own, also inside the host's. Raises
    /// InsideTransactionError where a host's storage cannot have one.
    fn sign_in<'py>(
        &self,
        py: Python<'py>,
        login_domain: Typed,
        email: Typed,
        password: Typed,
    ) -> PyResult<Bound<'py, PyAny>> {
        let access = call(py, || self.0.sign_in(&login_domain.0, &email.0, &password.0))?;
        let Access { agency, reseller, stamp } = access;
        let class = class!(py, records::Access)?;
        class.call1((agency.as_str(), reseller::reseller(py, reseller)?, stamp))
    }

    /// Whose access a stamp is, asked at every request. Raises AccessDeniedError as soon as the
    /// reseller is deactivated, deleted, or has another email.
    fn check_access<'py>(&self, py: Python<'py>, stamp: Typed) -> PyResult<Bound<'py, PyAny>> {
        let Identity { agency, reseller } = call(py, || self.0.check_access(&stamp.0))?;
        class!(py, records::Identity)?.call1((agency.as_str(), id(py, reseller)?))
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
    /// only creating and renaming decide.
    fn domain_availability<'py>(
        &self,
        py: Python<'py>,
        label: Typed,
    ) -> PyResult<Bound<'py, PyAny>> {
        let answer = call(py, || self.0.domain_availability(&label.0))?;
        let DomainAvailability { refused, suggestions } = answer;
        let class = class!(py, records::DomainAvailability)?;
        class.call1((refused.map(|code| code.slug()), PyTuple::new(py, suggestions)?))
    }

    /// Which reseller a request's host name is for. Raises NotFoundError.
    fn resolve_host<'py>(&self, py: Python<'py>, host: Typed) -> PyResult<Bound<'py, PyAny>> {
        let Place { agency, reseller, status } = call(py, || self.0.resolve_host(&host.0))?;
        let fields = [
            ("agency", object(py, agency.as_str())?),
            ("reseller", id(py, reseller)?),
            ("status", reseller::status(py, status)?),
        ];
        record(class!(py, records::Place)?, &fields)
    }

    fn __repr__(&self) -> &'static str {
        "<partnerkit.Platform>"
    }
}

fn settings(
    login_base: Option<&str>,
    second_factor: bool,
    sign_in_limit: Option<u32>,
    sign_in_delay_from: Option<u32>,
) -> PlatformBuilder {
    let mut settings = partnerkit::Platform::builder();
    if let Some(login_base) = login_base {
        settings = settings.login_base(login_base);
    }
    if second_factor {
        settings = settings.password_policy(PasswordPolicy::with_mfa());
    }
    if let Some(failures) = sign_in_limit {
        settings = settings.sign_in_limit(failures);
    }
    if let Some(failures) = sign_in_delay_from {
        settings = settings.sign_in_delay_from(failures);
    }
    settings
}
