//! The native module of the Python package `partnerkit`.
//!
//! It converts Python values into the core's, the core's records into Python's, and errors into
//! exceptions. It has no rules of its own. Every call that may wait lets other Python threads run.

mod agency;
mod answer;
mod arguments;
mod benchmark;
mod class;
mod conformance;
mod error;
mod exchange;
mod forking;
mod given;
mod handle;
mod instant;
mod logging;
mod lookups;
mod operations;
mod platform;
mod rows;
mod schema;
mod search;
mod settings;
mod storage;

use std::sync::OnceLock;

use pyo3::exceptions::PyImportError;
use pyo3::prelude::*;

/// The interpreter that has imported the module first, by the address of its `sys.modules`.
static INTERPRETER: OnceLock<usize> = OnceLock::new();

/// Native part of the package `partnerkit`; import from there.
#[pymodule]
mod _native {
    use super::{INTERPRETER, PyImportError};
    use pyo3::prelude::*;

    /// Refuses a second interpreter: it would get the records and the exceptions of the first one,
    /// which its own `isinstance` and `except` do not know.
    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        let modules = module.py().import("sys")?.getattr("modules")?.as_ptr() as usize;
        if *INTERPRETER.get_or_init(|| modules) == modules {
            return Ok(());
        }
        Err(PyImportError::new_err(
            "partnerkit works in one interpreter of a process; \
             with mod_wsgi: WSGIApplicationGroup %{GLOBAL}",
        ))
    }

    #[pymodule_export]
    const SCHEMA_VERSION: u32 = partnerkit::schema::VERSION;

    #[pymodule_export]
    const VERSION: &str = env!("CARGO_PKG_VERSION");

    #[pymodule_export]
    use super::agency::Agency;
    #[pymodule_export]
    use super::benchmark::repeat_in_rust;
    #[pymodule_export]
    use super::conformance::{conformance_cases, panic_for_tests, run_conformance_case};
    #[pymodule_export]
    use super::error::http_statuses;
    #[pymodule_export]
    use super::forking::{after_fork, before_fork};
    #[pymodule_export]
    use super::logging::log_calls;
    #[pymodule_export]
    use super::lookups::{field_codes, national_format, phone_countries};
    #[pymodule_export]
    use super::platform::Platform;
    #[pymodule_export]
    use super::search::Search;
    #[pymodule_export]
    use crate::schema::schema;
}
