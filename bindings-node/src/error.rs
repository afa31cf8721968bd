//! The outcome of a call for `index.js`, and the values that a storage written in JavaScript
//! throws.

use std::cell::RefCell;

use napi::bindgen_prelude::{Object, ToNapiValue, Unknown};
use napi::{Env, JsValue, ValueType, sys};
use partnerkit::{Error, ErrorKind, FieldError};

use crate::value::Js;

thread_local! {
    /// The value that a storage written in JavaScript threw during the call on this thread, because
    /// the core's error cannot hold it.
    static THROWN: RefCell<Option<napi::Error>> = const { RefCell::new(None) };
}

/// A value or a failure, which `index.js` throws.
pub struct Outcome<T>(pub Result<T, Failure>);

/// An error of the core, ready to cross to JavaScript.
pub struct Failure {
    code: &'static str,
    message: String,
    fields: Vec<FieldError>,
    current_version: Option<u64>,
    cause: Option<napi::Error>,
}

impl Failure {
    /// The error, with the thrown value if the storage failed.
    pub fn of(error: Error) -> Self {
        let of_storage = [ErrorKind::Storage, ErrorKind::Aborted, ErrorKind::OutcomeUnknown];
        let thrown = THROWN.take();
        Self {
            code: error.kind().slug(),
            message: error.to_string(),
            fields: error.fields().to_vec(),
            current_version: error.current_version(),
            cause: thrown.filter(|_| of_storage.contains(&error.kind())),
        }
    }

    pub fn panic() -> Error {
        Error::storage("a panic inside the library")
    }
}

/// Forgets the value that an earlier try of the call threw, because a new transaction begins.
pub fn forget_thrown() {
    THROWN.set(None);
}

/// The value that a storage threw, or with which it rejected a promise.
pub struct Thrown {
    code: Option<String>,
    error: napi::Error,
}

impl Thrown {
    /// Reads a thrown value, which may be anything. Runs on JavaScript's thread.
    pub fn read(value: Unknown<'_>) -> Self {
        let code = || {
            let object = value.coerce_to_object().ok()?;
            match object.get::<Js>("code").ok()?? {
                Js::Text(code) => Some(code),
                _ => None,
            }
        };
        let code = match value.get_type() {
            Ok(ValueType::Object) => code(),
            _ => None,
        };
        Self { code, error: napi::Error::from_unknown_without_coercion(value) }
    }

    /// Reads a value that was thrown before there was a promise.
    #[allow(unsafe_code, reason = "napi declares its conversions unsafe")]
    pub fn sync(error: napi::Error, env: Env) -> napi::Result<Self> {
        // SAFETY: this is JavaScript's thread, and `env` is its environment.
        let value = unsafe {
            let value = napi::Error::to_napi_value(env.raw(), error)?;
            Unknown::from_raw_unchecked(env.raw(), value)
        };
        Ok(Self::read(value))
    }

    /// Converts it into the core's error, and keeps the thrown value for the caller. Only the first
    /// value is kept, because later failures are its consequences.
    pub fn keep(self, method: &str) -> Error {
        let Self { code, error } = self;
        THROWN.with_borrow_mut(|slot| {
            slot.get_or_insert(error);
        });
        match code.as_deref() {
            Some("aborted") => Error::aborted("by the host's storage"),
            Some("outcome_unknown") => Error::outcome_unknown("by the host's storage"),
            Some("inside_transaction") => Error::inside_transaction(),
            _ => Error::storage(format_args!("`{method}` of the host's storage failed")),
        }
    }
}

#[allow(unsafe_code, reason = "napi declares its conversions unsafe")]
impl<T: ToNapiValue> ToNapiValue for Outcome<T> {
    unsafe fn to_napi_value(env: sys::napi_env, outcome: Self) -> napi::Result<sys::napi_value> {
        let scope = Env::from_raw(env);
        let mut object = Object::new(&scope)?;
        match outcome.0 {
            Ok(value) => object.set("value", value)?,
            Err(failure) => object.set("error", failure)?,
        }
        // SAFETY: `env` is the environment that called, and the object is of this scope.
        unsafe { Object::to_napi_value(env, object) }
    }
}

#[allow(unsafe_code, reason = "napi declares its conversions unsafe")]
impl ToNapiValue for Failure {
    unsafe fn to_napi_value(env: sys::napi_env, failure: Self) -> napi::Result<sys::napi_value> {
        let Self { code, message, fields, current_version, cause } = failure;
        let scope = Env::from_raw(env);
        let mut object = Object::new(&scope)?;
        object.set("code", code)?;
        object.set("message", message)?;
        object.set("fields", fields.into_iter().map(field).collect::<Vec<_>>())?;
        object.set("currentVersion", current_version.map(|version| version as f64))?;
        if let Some(cause) = cause {
            object.set("cause", cause)?;
        }
        // SAFETY: `env` is the environment that called, and the object is of this scope.
        unsafe { Object::to_napi_value(env, object) }
    }
}

fn field(error: FieldError) -> Js {
    let FieldError { field, code, params } = error;
    let params = params.into_iter().map(|(name, value)| (name, Js::Number(value as f64)));
    Js::Object(vec![
        ("field", Js::Text(field)),
        ("code", Js::from(code.slug())),
        ("params", Js::Object(params.collect())),
        ("text", Js::from(code.text())),
    ])
}
