//! `partnerkit.Platform`: the methods that are not operations. The operations are generated.

use std::path::PathBuf;
use std::sync::Arc;

use partnerkit::storage::host::Tables;
use partnerkit::storage::sqlite::Sqlite;
use partnerkit::{FieldErrors, LoginDomain};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::error::call;
use crate::given::argument;
use crate::handle::{Handle, Threads};
use crate::storage::PythonStore;

/// One store, opened and configured once, with the operations that concern all agencies. It is safe
/// to use from many threads, and in children of `os.fork`, each of which opens the store again at
/// its first use; a store in memory raises StorageError there.
#[pyclass(frozen, module = "partnerkit")]
pub struct Platform(pub Handle<partnerkit::Platform>, pub Threads);

#[pymethods]
impl Platform {
    /// Opens a store: `memory:`, `sqlite:FILE` or `postgres://USER@HOST/DATABASE`; a `pathlib.Path`
    /// is the path of a SQLite file.
    ///
    /// The part after `sqlite:` is a plain path: `sqlite:resellers.db` is in the current working
    /// directory, `sqlite:/var/lib/resellers.db` (or with four slashes) is absolute; two or three
    /// slashes are refused. The folder must exist and be writable.
    ///
    /// Never write to that file with Python's own `sqlite3` (Django, SQLAlchemy) in a process that
    /// has a platform on it: these are two copies of SQLite that do not see each other's locks, and
    /// the file is destroyed. On Linux, reading it like this loses no data, but may fail or read
    /// pages that are just being overwritten; on other systems it loses committed data. Use
    /// `backup`, another process, or a separate file; with Django, `with_storage`.
    ///
    /// All settings are optional; `partnerkit.Settings` describes them.
    ///
    /// Raises ConfigurationError, StorageError.
    ///
    /// ```python
    /// platform = partnerkit.Platform.open("sqlite:resellers.db", login_base="partner.example.com")
    /// agency = platform.ensure_agency("northwind")
    /// assert agency.id == "northwind"
    /// try:
    ///     partnerkit.Platform.open("mysql:resellers")
    /// except partnerkit.ConfigurationError as error:
    ///     assert "sqlite:" in str(error)
    /// ```
    #[staticmethod]
    #[pyo3(signature = (url, **settings))]
    fn open(
        py: Python<'_>,
        url: &Bound<'_, PyAny>,
        settings: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let builder = crate::settings::settings(settings)?;
        let opened = if url.hasattr("__fspath__")? {
            let path: PathBuf = argument("url", url)?;
            call(py, || {
                let platform = builder.open_storage(Arc::new(Sqlite::open(path)?))?;
                platform.prepare()?;
                Ok(platform)
            })
        } else {
            let url: String = argument("url", url)?;
            call(py, || builder.open(&url))
        };
        opened.map(|platform| Self(platform.into(), Threads::Any))
    }

    /// Opens a store of the host's own, a `partnerkit.storage.TableStore`, with the settings of
    /// `open`. The store is not used before the first call that needs it.
    ///
    /// Each call uses the storage on its own thread, as part of the transaction that you have open
    /// there. So there is an asynchronous handle, whose calls run on other threads, only for a
    /// storage with `any_thread = True` (`partnerkit.storage.AnyThreadStore`).
    ///
    /// ```python
    /// from partnerkit.django import DjangoStorage
    ///
    /// platform = partnerkit.Platform.with_storage(DjangoStorage(using="default"))
    /// assert platform.login_url("acme") == "https://acme.partner.localhost"
    /// ```
    #[staticmethod]
    #[pyo3(signature = (storage, **settings))]
    fn with_storage(
        py: Python<'_>,
        storage: Py<PyAny>,
        settings: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let builder = crate::settings::settings(settings)?;
        let any_thread = storage.bind(py).getattr_opt("any_thread")?;
        let any_thread = any_thread.is_some_and(|any| any.extract().unwrap_or(false));
        let threads = if any_thread { Threads::Any } else { Threads::Callers };
        let storage = Arc::new(Tables(PythonStore::new(storage)));
        call(py, || builder.open_storage(storage)).map(|platform| Self(platform.into(), threads))
    }

    /// A handle is its own copy. Django's `setUpTestData` copies it for each test.
    fn __copy__(handle: Py<Self>) -> Py<Self> {
        handle
    }

    fn __deepcopy__(handle: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        handle
    }

    /// The URL at which the customers of a login domain's holder sign in: `https://acme.` and the
    /// login base. Raises ValidationError with the field `login_domain`.
    ///
    /// ```python
    /// assert platform.login_url(acme.login_domain) == "https://acme.partner.example.com"
    /// ```
    fn login_url(&self, py: Python<'_>, login_domain: &Bound<'_, PyAny>) -> PyResult<String> {
        let label: String = argument("login_domain", login_domain)?;
        call(py, || {
            let label = LoginDomain::parse(&label);
            let label = label.map_err(|refusal| FieldErrors::from(refusal.of("login_domain")))?;
            Ok(self.0.login_url(&label))
        })
    }

    /// `with Platform.open(…) as platform:` closes it at the end.
    fn __enter__(handle: Py<Self>) -> Py<Self> {
        handle
    }

    #[pyo3(signature = (*_raised))]
    fn __exit__(&self, py: Python<'_>, _raised: &Bound<'_, PyTuple>) -> PyResult<()> {
        call(py, || self.0.close())
    }

    /// Whether asynchronous handles may call it on threads of their own.
    #[getter]
    fn _any_thread(&self) -> bool {
        self.1 == Threads::Any
    }

    fn __repr__(&self) -> &'static str {
        "<partnerkit.Platform>"
    }
}
