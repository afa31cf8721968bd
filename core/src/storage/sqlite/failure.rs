//! What went wrong in SQLite, in the terms of the contract.

use rusqlite::ErrorCode;

use crate::error::Error;

/// What went wrong.
pub(super) fn storage_error(error: rusqlite::Error) -> Error {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::aborted(detail(&error)),
        _ => Error::storage(detail(&error)),
    }
}

/// What went wrong, in SQLite's words for the code: its own message may quote a row.
pub(super) fn detail(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqliteFailure(failure, _) => {
            format!("SQLite: {} ({})", failure, failure.extended_code)
        }
        _ => "SQLite: a statement does not fit the schema".to_owned(),
    }
}
