//! Errors of the core as plain objects, from which the package makes its error classes; and the
//! values that a storage written in JavaScript throws.

use std::any::Any;
use std::cell::RefCell;

use napi::bindgen_prelude::{ToNapiValue, Unknown};
use napi::{Env, JsValue, ValueType, sys};
use partnerkit::{Code, Error, ErrorKind, FieldError, FieldErrors, Refusal};

use crate::names::told;
use crate::raw::{Maker, Value};
use crate::storage::is_calling;
use crate::value::Js;

thread_local! {
    /// The value that a storage written in JavaScript threw during the call on this thread, because
    /// the core's error cannot hold it.
    static THROWN: RefCell<Option<napi::Error>> = const { RefCell::new(None) };
}

/// An error, ready to cross to JavaScript.
pub struct Failure(Box<Parts>);

#[derive(Default)]
struct Parts {
    code: &'static str,
    message: String,
    fields: FieldErrors,
    current_version: Option<u64>,
    /// In milliseconds.
    retry_after: Option<u64>,
    cause: Option<napi::Error>,
}

/// Why a call could not begin.
pub enum Refused {
    /// An argument is wrong.
    Failed(Failure),
    /// The host's own code has thrown, for example a getter of an argument.
    Raised(napi::Error),
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<napi::Error> for Refused {
    fn from(raised: napi::Error) -> Self {
        Self::Raised(raised)
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Failed(Failure::of(&error))
    }
}

impl Failure {
    /// The error, with the thrown value if the storage failed.
    pub fn of(error: &Error) -> Self {
        Self::naming(error, told)
    }

    /// The error of a call that takes a file, whose columns have the core's names.
    pub fn of_file(error: &Error) -> Self {
        Self::naming(error, str::to_owned)
    }

    fn naming(error: &Error, told: impl Fn(&str) -> String) -> Self {
        let of_storage = [
            ErrorKind::Storage,
            ErrorKind::Aborted,
            ErrorKind::OutcomeUnknown,
            ErrorKind::InsideTransaction,
            ErrorKind::Configuration,
            ErrorKind::Io,
        ];
        let thrown = THROWN.take();
        let millis = |wait: std::time::Duration| u64::try_from(wait.as_millis());
        let fields = named_fields(error.fields(), told);
        let message = match fields.is_empty() {
            true => error.to_string(),
            false => fields.to_string(),
        };
        Self::with(Parts {
            code: error.kind().slug(),
            message,
            fields,
            current_version: error.current_version(),
            retry_after: error.retry_after().map(|wait| millis(wait).unwrap_or(u64::MAX)),
            cause: thrown.filter(|_| of_storage.contains(&error.kind())),
        })
    }

    fn with(parts: Parts) -> Self {
        Self(Box::new(parts))
    }

    /// Refused fields.
    pub fn validation(errors: FieldErrors) -> Self {
        Self::of(&errors.into())
    }

    /// One refused field.
    pub fn field(name: &str, code: Code) -> Self {
        Self::validation(FieldError::new(name, code).into())
    }

    /// A refused value of a field.
    pub fn refusal(name: &str, refusal: Refusal) -> Self {
        Self::validation(refusal.of(name).into())
    }

    /// A record that does not exist.
    pub fn not_found(what: &str) -> Self {
        let code = ErrorKind::NotFound.slug();
        Self::with(Parts { code, message: format!("no such {what}"), ..Parts::default() })
    }

    /// Settings that cannot work.
    pub fn configuration(message: impl Into<String>) -> Self {
        let code = ErrorKind::Configuration.slug();
        Self::with(Parts { code, message: message.into(), ..Parts::default() })
    }

    /// An argument of a wrong type, which is a `TypeError`.
    pub fn of_type(message: String) -> Self {
        Self::with(Parts { code: "type", message, ..Parts::default() })
    }

    /// Whether it refuses fields.
    pub fn is_validation(&self) -> bool {
        self.0.code == ErrorKind::Validation.slug()
    }

    /// A defect of the library.
    pub fn internal(message: &str) -> Self {
        Self::with(Parts { code: "internal", message: message.to_owned(), ..Parts::default() })
    }

    /// The error as an object.
    pub fn value(self, env: &Env) -> napi::Result<Value> {
        let Parts { code, message, fields, current_version, retry_after, cause } = *self.0;
        let make = Maker::of(env);
        let number =
            |number: Option<u64>| number.map_or(make.null(), |number| make.number(number as f64));
        let error = object(
            make,
            [
                ("code", make.text(code)?),
                ("message", make.text(&message)?),
                ("fields", list(make, fields.as_slice())?),
                ("currentVersion", number(current_version)?),
                ("retryAfter", number(retry_after)?),
            ],
        )?;
        if let Some(cause) = cause {
            make.set(error, make.text("cause")?, thrown(cause, env)?)?;
        }
        Ok(error)
    }
}

fn object<const N: usize>(make: Maker, fields: [(&str, Value); N]) -> napi::Result<Value> {
    let object = make.object()?;
    for (name, value) in fields {
        make.set(object, make.text(name)?, value)?;
    }
    Ok(object)
}

/// An array of refused fields.
pub fn refused_fields(make: Maker, errors: &[FieldError]) -> napi::Result<Value> {
    list(make, told_fields(errors).as_slice())
}

/// Refused fields by the names that they have in JavaScript.
pub fn told_fields(errors: &[FieldError]) -> FieldErrors {
    named_fields(errors, told)
}

fn named_fields(errors: &[FieldError], named: impl Fn(&str) -> String) -> FieldErrors {
    errors.iter().map(|error| FieldError { field: named(&error.field), ..error.clone() }).collect()
}

fn list(make: Maker, errors: &[FieldError]) -> napi::Result<Value> {
    let fields = errors.iter().map(|error| refused(make, error));
    make.list(&fields.collect::<napi::Result<Vec<_>>>()?)
}

/// A refused field.
fn refused(make: Maker, error: &FieldError) -> napi::Result<Value> {
    let params = make.object()?;
    for (name, bound) in &error.params {
        make.set(params, make.text(name)?, make.number(*bound as f64)?)?;
    }
    object(
        make,
        [
            ("field", make.text(&error.field)?),
            ("code", make.text(error.code.slug())?),
            ("params", params),
            ("message", make.text(&error.message())?),
        ],
    )
}

/// The value that was thrown.
#[allow(unsafe_code, reason = "napi declares its conversions unsafe")]
fn thrown(error: napi::Error, env: &Env) -> napi::Result<Value> {
    // SAFETY: this is JavaScript's thread, and `env` is its environment.
    unsafe { napi::Error::to_napi_value(env.raw(), error) }
}

#[allow(unsafe_code, reason = "napi declares its conversions unsafe")]
impl ToNapiValue for Failure {
    unsafe fn to_napi_value(env: sys::napi_env, failure: Self) -> napi::Result<Value> {
        failure.value(&Env::from_raw(env))
    }
}

/// Forgets the value that an earlier try of the call threw, because a new transaction begins.
pub fn forget_thrown() {
    THROWN.set(None);
}

/// Keeps a value that JavaScript threw during the call. Only the first one is kept, because later
/// failures are its consequences. On a thread without a call nobody would take it, and a value that is
/// still there when its thread ends would end the process.
pub fn keep_thrown(error: napi::Error) {
    if !is_calling() {
        return;
    }
    THROWN.with_borrow_mut(|slot| {
        slot.get_or_insert(error);
    });
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

    /// Converts it into the core's error, and keeps the thrown value for the caller.
    pub fn keep(self, method: &str) -> Error {
        let Self { code, error } = self;
        keep_thrown(error);
        match code.as_deref() {
            Some("aborted") => Error::aborted("the host's storage says so"),
            Some("outcome_unknown") => Error::outcome_unknown("the host's storage says so"),
            Some("inside_transaction") => Error::inside_transaction(),
            Some("configuration") => {
                Error::configuration("the host's storage is not ready; `cause` says why")
            }
            _ => Error::storage(format_args!("`{method}` of the host's storage failed")),
        }
    }
}

/// The message of a panic.
pub fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned())
}
