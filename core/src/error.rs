//! The one error type of the library, and what a caller can do about it.

mod validation;

use std::fmt::Display;
use std::time::Duration;

pub use validation::{Code, FieldError, FieldErrors, Refusal};
pub(crate) use validation::{one_of, refused};

/// The library's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Turns `NotFound` into `None`.
pub(crate) fn optional<T>(found: Result<Option<T>>) -> Result<Option<T>> {
    match found {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        found => found,
    }
}

/// Everything that can go wrong, as one opaque type: match on [`Error::kind`].
///
/// No message contains user input or a secret.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<Repr>);

#[derive(Debug, thiserror::Error)]
enum Repr {
    #[error("{0}")]
    Validation(FieldErrors),
    #[error("the record has changed: its version is {current}")]
    Conflict { current: u64 },
    #[error("the idempotency key was used for another request")]
    KeyReused,
    #[error("no such {what}")]
    NotFound { what: &'static str },
    #[error("access denied")]
    AccessDenied,
    #[error("too many calls are waiting to hash a password; try again later")]
    Busy,
    #[error("too many failed sign-ins from this source; try again in {} s", seconds(*retry_after))]
    Throttled { retry_after: i64 },
    #[error("the cursor is damaged, or belongs to another query")]
    InvalidCursor,
    #[error("this call cannot be part of your open transaction: make it when that has ended")]
    InsideTransaction,
    #[error("a concurrent transaction made this one fail ({detail}); try again")]
    Aborted { detail: String },
    #[error(
        "it is unknown whether the transaction was committed ({detail}): look before you try again"
    )]
    OutcomeUnknown { detail: String },
    #[error("configuration: {detail}")]
    Configuration { detail: String },
    #[error("reading or writing a file: {detail}")]
    Io { detail: String },
    #[error("storage: {detail}")]
    Storage { detail: String },
}

/// What kind of thing went wrong; stable, with one slug in every language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Input was refused; [`Error::fields`] has every reason. Nothing was written.
    Validation,
    /// The expected version is stale, and [`Error::current_version`] has the present one; or an
    /// idempotency key was used before, for another request.
    Conflict,
    /// There is no such record, or it belongs to another agency; these cannot be told apart.
    NotFound,
    /// A sign-in or an access stamp was refused; the reason is not disclosed.
    AccessDenied,
    /// Too many passwords are being hashed; nothing was verified or counted.
    Busy,
    /// Too many failed sign-ins from one source; [`Error::retry_after`] says when to try again.
    Throttled,
    /// A page cursor is damaged, foreign or from another query.
    InvalidCursor,
    /// The call needs a transaction of its own and cannot have one here.
    InsideTransaction,
    /// A concurrent transaction interfered; the same call may succeed when it is repeated.
    Aborted,
    /// The connection was lost during COMMIT, or the store's answer does not say whether anything
    /// was written: read back before trying again.
    OutcomeUnknown,
    /// The platform was opened with settings that cannot work.
    Configuration,
    /// A file could not be read or written; what was done before stays.
    Io,
    /// The store failed; nothing of the call was written.
    Storage,
}

/// Declares the kinds with their slugs and HTTP statuses.
macro_rules! kinds {
    ($($name:ident = $slug:literal, $status:literal;)*) => {
        impl ErrorKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The stable slug of the kind.
            ///
            /// ```
            /// use partnerkit::ErrorKind;
            ///
            /// assert_eq!(ErrorKind::OutcomeUnknown.slug(), "outcome_unknown");
            /// ```
            pub fn slug(self) -> &'static str {
                match self { $(Self::$name => $slug,)* }
            }

            /// The HTTP status for the kind (RFC 9110, RFC 6585): 4xx if the client can do
            /// something about it, and 503 if the same request may succeed later.
            ///
            /// ```
            /// assert_eq!(partnerkit::ErrorKind::Throttled.http_status(), 429);
            /// ```
            pub fn http_status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }
        }
    };
}

kinds! {
    Validation = "validation", 422;
    Conflict = "conflict", 409;
    NotFound = "not_found", 404;
    AccessDenied = "access_denied", 401;
    Busy = "busy", 503;
    Throttled = "throttled", 429;
    InvalidCursor = "invalid_cursor", 400;
    InsideTransaction = "inside_transaction", 500;
    Aborted = "aborted", 503;
    OutcomeUnknown = "outcome_unknown", 503;
    Configuration = "configuration", 500;
    Io = "io", 500;
    Storage = "storage", 503;
}

impl Error {
    /// What kind of error this is.
    ///
    /// ```
    /// use partnerkit::{ErrorKind, Platform};
    ///
    /// let error = Platform::open("mysql:resellers").err().unwrap();
    /// assert_eq!(error.kind(), ErrorKind::Configuration);
    /// ```
    pub fn kind(&self) -> ErrorKind {
        match *self.0 {
            Repr::Validation(_) => ErrorKind::Validation,
            Repr::Conflict { .. } | Repr::KeyReused => ErrorKind::Conflict,
            Repr::NotFound { .. } => ErrorKind::NotFound,
            Repr::AccessDenied => ErrorKind::AccessDenied,
            Repr::Busy => ErrorKind::Busy,
            Repr::Throttled { .. } => ErrorKind::Throttled,
            Repr::InvalidCursor => ErrorKind::InvalidCursor,
            Repr::InsideTransaction => ErrorKind::InsideTransaction,
            Repr::Aborted { .. } => ErrorKind::Aborted,
            Repr::OutcomeUnknown { .. } => ErrorKind::OutcomeUnknown,
            Repr::Configuration { .. } => ErrorKind::Configuration,
            Repr::Io { .. } => ErrorKind::Io,
            Repr::Storage { .. } => ErrorKind::Storage,
        }
    }

    /// Every refused field, for an error of kind [`ErrorKind::Validation`]; empty otherwise.
    ///
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/setup.rs")); }
    /// # let setup::Scene { platform, agency, acme, password, form } = setup::scene()?;
    /// use partnerkit::Code;
    ///
    /// let error = platform.create_agency("Contoso Ltd", Some("Europe/Atlantis")).err().unwrap();
    /// let [id, time_zone] = error.fields() else { panic!("two fields are wrong") };
    /// assert_eq!((&*id.field, id.code), ("id", Code::Invalid));
    /// assert_eq!((&*time_zone.field, time_zone.code), ("time_zone", Code::UnknownTimeZone));
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub fn fields(&self) -> &[FieldError] {
        match &*self.0 {
            Repr::Validation(fields) => fields.as_slice(),
            _ => &[],
        }
    }

    /// The version that the record has now, for an error of kind [`ErrorKind::Conflict`]; `None`
    /// where the conflict is about an idempotency key.
    ///
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/setup.rs")); }
    /// # let setup::Scene { platform, agency, acme, password, form } = setup::scene()?;
    /// let error = agency.rename_login_domain(acme.id, Some(7), "acmetelecom").unwrap_err();
    /// assert_eq!(error.current_version(), Some(1));
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub fn current_version(&self) -> Option<u64> {
        match *self.0 {
            Repr::Conflict { current } => Some(current),
            _ => None,
        }
    }

    /// How long to wait, for an error of kind [`ErrorKind::Throttled`].
    ///
    /// ```
    /// use std::time::Duration;
    /// use partnerkit::Platform;
    ///
    /// let platform = Platform::builder().source_limit(1, Duration::from_secs(60)).open("memory:")?;
    /// let guess = || platform.sign_in("acme", "owner@acme.example", "a guess", Some("203.0.113.7"));
    /// assert_eq!(guess().unwrap_err().retry_after(), None); // the first one is looked at
    /// assert!(guess().unwrap_err().retry_after() > Some(Duration::ZERO));
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub fn retry_after(&self) -> Option<Duration> {
        match *self.0 {
            Repr::Throttled { retry_after } => {
                Some(Duration::from_millis(retry_after.unsigned_abs()))
            }
            _ => None,
        }
    }

    pub(crate) fn key_reused() -> Self {
        Repr::KeyReused.into()
    }

    /// `retry_after` is in milliseconds.
    pub(crate) fn throttled(retry_after: i64) -> Self {
        Repr::Throttled { retry_after }.into()
    }

    pub(crate) fn conflict(current: u64) -> Self {
        Repr::Conflict { current }.into()
    }

    pub(crate) fn not_found(what: &'static str) -> Self {
        Repr::NotFound { what }.into()
    }

    pub(crate) fn access_denied() -> Self {
        Repr::AccessDenied.into()
    }

    pub(crate) fn busy() -> Self {
        Repr::Busy.into()
    }

    pub(crate) fn invalid_cursor() -> Self {
        Repr::InvalidCursor.into()
    }

    pub(crate) fn io(detail: impl Display) -> Self {
        Repr::Io { detail: detail.to_string() }.into()
    }

    /// For stores: the store, or what it is opened with, cannot be used as it is. `detail` must not
    /// contain user input.
    ///
    /// ```
    /// use partnerkit::{Error, ErrorKind};
    ///
    /// let error = Error::configuration("the table `resellers` is missing");
    /// assert_eq!(error.kind(), ErrorKind::Configuration);
    /// ```
    pub fn configuration(detail: impl Display) -> Self {
        Repr::Configuration { detail: detail.to_string() }.into()
    }

    /// For stores: the call needs a transaction of its own and cannot have one here.
    ///
    /// ```
    /// use partnerkit::{Error, ErrorKind};
    ///
    /// assert_eq!(Error::inside_transaction().kind(), ErrorKind::InsideTransaction);
    /// ```
    pub fn inside_transaction() -> Self {
        Repr::InsideTransaction.into()
    }

    /// For stores: a concurrent transaction was in the way. The core runs the work again, unless it
    /// is part of a host's transaction. `detail` must not contain user input.
    ///
    /// ```
    /// use partnerkit::{Error, ErrorKind};
    ///
    /// assert_eq!(Error::aborted("deadlock").kind(), ErrorKind::Aborted);
    /// ```
    pub fn aborted(detail: impl Display) -> Self {
        Repr::Aborted { detail: detail.to_string() }.into()
    }

    /// For stores: COMMIT was sent and no answer came. `detail` must not contain user input.
    ///
    /// ```
    /// use partnerkit::{Error, ErrorKind};
    ///
    /// assert_eq!(Error::outcome_unknown("connection reset").kind(), ErrorKind::OutcomeUnknown);
    /// ```
    pub fn outcome_unknown(detail: impl Display) -> Self {
        Repr::OutcomeUnknown { detail: detail.to_string() }.into()
    }

    /// For stores: the store failed. `detail` must not contain user input.
    ///
    /// ```
    /// use partnerkit::{Error, ErrorKind};
    ///
    /// let error = Error::storage("the disk is full");
    /// assert_eq!(error.kind(), ErrorKind::Storage);
    /// assert_eq!(error.to_string(), "storage: the disk is full");
    /// ```
    pub fn storage(detail: impl Display) -> Self {
        Repr::Storage { detail: detail.to_string() }.into()
    }
}

/// Whole seconds, rounded up.
fn seconds(millis: i64) -> i64 {
    millis.saturating_add(999) / 1_000
}

impl From<Repr> for Error {
    fn from(repr: Repr) -> Self {
        Self(Box::new(repr))
    }
}

impl From<FieldErrors> for Error {
    fn from(fields: FieldErrors) -> Self {
        Repr::Validation(fields).into()
    }
}
