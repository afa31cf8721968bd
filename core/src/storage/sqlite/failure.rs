//! SQLite's errors in the terms of the storage contract.

use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked};
use rusqlite::ffi::{SQLITE_IOERR_SHORT_READ, code_to_str};

use crate::error::Error;

/// Converts an error of SQLite.
pub(super) fn storage_error(error: rusqlite::Error) -> Error {
    let in_the_way = matches!(error.sqlite_error_code(), Some(DatabaseBusy | DatabaseLocked));
    if in_the_way || was_cut_off(&error) {
        Error::aborted(detail(&error))
    } else {
        Error::storage(detail(&error))
    }
}

/// Whether the log ended before the page that was to be read. That happens when another process has
/// emptied the log, because another copy of SQLite in this process has lifted the reader's lock.
/// The database then has all pages, so the work can be tried again.
fn was_cut_off(error: &rusqlite::Error) -> bool {
    let rusqlite::Error::SqliteFailure(failure, _) = error else { return false };
    failure.extended_code == SQLITE_IOERR_SHORT_READ
}

/// SQLite's text for the error code. The message of the error is not used, because it may quote a
/// row.
pub(super) fn detail(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqliteFailure(failure, _) => {
            let (code, words) = (failure.extended_code, code_to_str(failure.extended_code));
            format!("SQLite: {words} (code {code})")
        }
        _ => "SQLite: a statement does not match the schema".to_owned(),
    }
}
