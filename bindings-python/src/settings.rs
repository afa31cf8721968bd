//! The settings of a platform, given by name.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use partnerkit::{
    Clock, Code, HashingCost, LegacyVerifier, LoginDomainPolicy, PasswordPolicy, Platform,
    PlatformBuilder, Quarantine, SystemClock, Timestamp,
};
use pyo3::exceptions::{PyOverflowError, PyTypeError, PyUnicodeEncodeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PySequence, PyString};

use crate::error::{configuration, refused};
use crate::instant::timestamp;

const SETTINGS: &[&str] = &[
    "login_base",
    "login_domains",
    "reserve",
    "reserve_only",
    "quarantine",
    "second_factor",
    "hashing",
    "hashing_cost",
    "peppers",
    "legacy_verifier",
    "sign_in_limit",
    "sign_in_delay_from",
    "source_limit",
    "secrets",
    "keep_idempotency_keys",
    "keep_changes",
    "usage_lateness",
    "clock",
];

/// The builder of a platform with these settings; unknown names are refused.
pub fn settings(given: Option<&Bound<'_, PyDict>>) -> PyResult<PlatformBuilder> {
    let mut builder = Platform::builder();
    let Some(given) = given else { return Ok(builder) };
    only(given, SETTINGS)?;
    if let Some(domain) = get::<String>(given, "login_base")? {
        builder = builder.login_base(domain);
    }
    builder = builder.login_domain_policy(login_domains(given)?);
    if get(given, "second_factor")?.unwrap_or(false) {
        builder = builder.password_policy(PasswordPolicy::with_mfa());
    }
    builder = passwords(builder, given)?;
    if let Some(failures) = get(given, "sign_in_limit")? {
        builder = builder.sign_in_limit(failures);
    }
    if let Some(failures) = get(given, "sign_in_delay_from")? {
        builder = builder.sign_in_delay_from(failures);
    }
    if let Some((burst, every)) = get::<(u32, Duration)>(given, "source_limit")? {
        builder = builder.source_limit(burst, every);
    }
    for (id, Listed(secret)) in
        get::<BTreeMap<u32, Listed<u8>>>(given, "secrets")?.unwrap_or_default()
    {
        let secret = secret.try_into().map_err(|_| {
            configuration(given.py(), "a platform's secret must have exactly 32 bytes")
        })?;
        builder = builder.secret(id, secret);
    }
    if let Some(kept) = get(given, "keep_idempotency_keys")? {
        builder = builder.keep_idempotency_keys(kept);
    }
    if let Some(kept) = get(given, "keep_changes")? {
        builder = builder.keep_changes(kept);
    }
    if let Some(most) = get(given, "usage_lateness")? {
        builder = builder.usage_lateness(most);
    }
    if let Some(clock) = get::<Py<PyAny>>(given, "clock")? {
        let told = clock.bind(given.py()).call0().and_then(|at| timestamp(&at));
        told.map_err(|raised| {
            wrong(given, "clock: expected a function that returns an aware datetime", raised)
        })?;
        builder = builder.clock(Arc::new(PythonClock(clock)));
    }
    Ok(builder)
}

fn passwords(mut builder: PlatformBuilder, given: &Bound<'_, PyDict>) -> PyResult<PlatformBuilder> {
    if let Some((at_once, queue)) = get(given, "hashing")? {
        builder = builder.hashing(at_once, queue);
    }
    if let Some((memory, passes, lanes)) = get(given, "hashing_cost")? {
        let cost = HashingCost::new(memory, passes, lanes);
        let cost = cost.map_err(|error| crate::error::exception(given.py(), &error, None))?;
        builder = builder.hashing_cost(cost);
    }
    for (id, Listed(key)) in get::<BTreeMap<u32, Listed<u8>>>(given, "peppers")?.unwrap_or_default()
    {
        builder = builder.pepper(id, key);
    }
    if let Some(verifier) = get::<Py<PyAny>>(given, "legacy_verifier")? {
        let methods =
            ["recognises", "verify"].map(|method| verifier.bind(given.py()).getattr(method));
        for method in methods {
            method.map_err(|raised| {
                wrong(given, "legacy_verifier: expected the methods recognises and verify", raised)
            })?;
        }
        builder = builder.legacy_verifier(Arc::new(PythonVerifier(verifier)));
    }
    Ok(builder)
}

/// The exception for a setting that cannot work, with its cause.
fn wrong(given: &Bound<'_, PyDict>, message: &str, raised: PyErr) -> PyErr {
    let error = configuration(given.py(), message);
    error.set_cause(given.py(), Some(raised));
    error
}

fn login_domains(given: &Bound<'_, PyDict>) -> PyResult<LoginDomainPolicy> {
    let kind = get::<String>(given, "login_domains")?;
    let mut policy = match kind.as_deref() {
        None | Some("letters") => LoginDomainPolicy::letters(),
        Some("dns") => LoginDomainPolicy::dns(),
        Some(_) => return Err(refused(given.py(), "login_domains", Code::Invalid)),
    };
    if let Some(Listed(labels)) = get::<Listed<String>>(given, "reserve_only")? {
        policy = policy.reserve_only(labels);
    }
    if let Some(Listed(labels)) = get::<Listed<String>>(given, "reserve")? {
        policy = policy.reserve(labels);
    }
    if let Some(days) = given.get_item("quarantine")?.filter(|days| !days.is_none()) {
        let quarantine = match (days.extract::<u32>(), days.extract::<String>()) {
            (Ok(days), _) => Quarantine::Days(days),
            (_, Ok(slug)) if slug == "immediately" => Quarantine::Immediately,
            (_, Ok(slug)) if slug == "never" => Quarantine::Never,
            _ => {
                let expected = "quarantine is a number of days, 'immediately' or 'never'";
                return Err(PyValueError::new_err(expected));
            }
        };
        policy = policy.quarantine(quarantine);
    }
    Ok(policy)
}

/// A setting by name; `None` if it is not given. If the core's type cannot hold a value, the
/// setting cannot work; Python's own error is not raised, because it would contain the value.
fn get<'py, T>(given: &Bound<'py, PyDict>, name: &str) -> PyResult<Option<T>>
where
    T: for<'a> FromPyObject<'a, 'py>,
{
    let py = given.py();
    let value = given.get_item(name)?.filter(|value| !value.is_none());
    let converted = value.map(|value| value.extract::<T>().map_err(Into::into)).transpose();
    converted.map_err(|error: PyErr| {
        let cannot_be = error.is_instance_of::<PyOverflowError>(py)
            || error.is_instance_of::<PyUnicodeEncodeError>(py);
        if cannot_be {
            configuration(py, &format!("{name} is out of range"))
        } else if error.is_instance_of::<PyTypeError>(py) {
            PyTypeError::new_err(format!("{name}: {}", error.value(py)))
        } else {
            error
        }
    })
}

/// A function that returns the time, for tests.
struct PythonClock(Py<PyAny>);

impl Clock for PythonClock {
    fn now(&self) -> Timestamp {
        let told = Python::attach(|py| timestamp(&self.0.bind(py).call0()?));
        // An exception from the clock must not stop the call, so the system's clock is used.
        told.unwrap_or_else(|_| SystemClock.now())
    }
}

/// A host's verifier of its old hashes.
struct PythonVerifier(Py<PyAny>);

impl PythonVerifier {
    /// Calls a method, which has to answer with a bool: a coroutine or a tuple is true, and would
    /// let everybody in. Exceptions go to `sys.unraisablehook`, because the caller of a sign-in must
    /// not see them.
    fn ask(&self, method: &str, arguments: &[&str]) -> Option<bool> {
        Python::attach(|py| {
            let verifier = self.0.bind(py);
            let ask = || {
                let arguments = pyo3::types::PyTuple::new(py, arguments)?;
                let answer = verifier.call_method1(method, arguments)?;
                let is_right = answer.cast::<PyBool>().map(|answer| answer.is_true());
                is_right.map_err(|_| PyTypeError::new_err(format!("{method} must return a bool")))
            };
            ask().map_err(|raised: PyErr| raised.write_unraisable(py, Some(verifier))).ok()
        })
    }
}

impl LegacyVerifier for PythonVerifier {
    fn recognises(&self, hash: &str) -> bool {
        self.ask("recognises", &[hash]).unwrap_or(false)
    }

    fn verify(&self, password: &str, hash: &str) -> Option<bool> {
        self.ask("verify", &[password, hash])
    }
}

/// A list. The conversion of pyo3 would first allocate as many items as `len` returns, which may be
/// any number.
struct Listed<T>(Vec<T>);

impl<'a, 'py, T> FromPyObject<'a, 'py> for Listed<T>
where
    T: for<'b> FromPyObject<'b, 'py>,
{
    type Error = PyErr;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if value.is_instance_of::<PyString>() {
            return Err(PyTypeError::new_err("a list of texts was expected, not one text"));
        }
        let mut items = Vec::new();
        for item in value.cast::<PySequence>()?.try_iter()? {
            items.push(item?.extract().map_err(Into::into)?);
        }
        Ok(Self(items))
    }
}

/// Refuses unknown names, as a Python function does.
fn only(given: &Bound<'_, PyDict>, known: &[&str]) -> PyResult<()> {
    for name in given.keys() {
        let name = name.cast::<PyString>()?.to_string_lossy().into_owned();
        if !known.contains(&name.as_str()) {
            return Err(PyTypeError::new_err(format!("unexpected name '{name}'")));
        }
    }
    Ok(())
}
