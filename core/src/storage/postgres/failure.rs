//! The server's errors in the terms of the storage contract.

use std::error::Error as _;
use std::io;

use deadpool_postgres::PoolError;
use tokio_postgres::error::{DbError, Severity, SqlState};

use crate::error::Error;

/// The reason why a statement failed. The server's message is never kept, because it may quote user
/// input.
#[derive(Debug, Clone)]
pub(super) enum Failure {
    /// A concurrent transaction made it fail.
    Aborted(String),
    /// A unique index has the value already.
    Unique(String),
    /// The row would violate another constraint.
    Constraint(String),
    /// The connection is lost: the statement may have been executed or not.
    Lost(&'static str),
    /// Another error.
    Other(String),
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        match error.as_db_error() {
            Some(refusal) => refusal.into(),
            None if error.is_closed() => Self::Lost("the connection was closed"),
            None => Self::Other(error.to_string()),
        }
    }
}

impl From<&DbError> for Failure {
    fn from(refusal: &DbError) -> Self {
        let code = refusal.code();
        // The server sends these when it ends the connection, at any point, even right after a
        // commit.
        if matches!(refusal.parsed_severity(), Some(Severity::Fatal | Severity::Panic)) {
            return Self::Lost("the server closed the connection");
        }
        let text = describe(refusal);
        if *code == SqlState::UNIQUE_VIOLATION {
            return Self::Unique(text);
        }
        if code.code().starts_with("23") {
            return Self::Constraint(text);
        }
        let in_the_way = [
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::LOCK_NOT_AVAILABLE,
            // A total would overflow: the next try sees the total and refuses the event.
            SqlState::NUMERIC_VALUE_OUT_OF_RANGE,
        ];
        if in_the_way.contains(code) { Self::Aborted(text) } else { Self::Other(text) }
    }
}

impl From<PoolError> for Failure {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Backend(error) => connecting(&error),
            PoolError::Timeout(_) => {
                Self::Other("no database connection became free in time".to_owned())
            }
            _ => Self::Other("the connection pool is closed".to_owned()),
        }
    }
}

/// A failure to connect; nothing has been executed.
fn connecting(error: &tokio_postgres::Error) -> Failure {
    let reason = match error.as_db_error() {
        Some(refusal) => describe(refusal),
        None => match error.source().and_then(|source| source.downcast_ref::<io::Error>()) {
            Some(failed) => failed.kind().to_string(),
            None => error.to_string(),
        },
    };
    Failure::Other(format!("could not connect to the server: {reason}"))
}

fn describe(refusal: &DbError) -> String {
    let code = refusal.code().code();
    let names = refusal.table().into_iter().chain(refusal.constraint());
    names.fold(format!("SQLSTATE {code}"), |text, name| format!("{text}, {name}"))
}

impl Failure {
    /// The failure as the outcome of COMMIT. Only some errors mean that the server has rolled the
    /// transaction back and nothing was written: a distributed server also fails with other codes
    /// when it has committed a part of it.
    pub fn of_commit(self) -> Error {
        match self {
            Self::Aborted(_) | Self::Unique(_) | Self::Constraint(_) => self.into(),
            Self::Lost(text) => Error::outcome_unknown(text),
            Self::Other(text) => Error::outcome_unknown(text),
        }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Aborted(text) => Self::aborted(text),
            Failure::Unique(text) | Failure::Constraint(text) | Failure::Other(text) => {
                Self::storage(text)
            }
            Failure::Lost(text) => Self::storage(text),
        }
    }
}
