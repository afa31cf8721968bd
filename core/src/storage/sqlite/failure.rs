//! What went wrong in SQLite, in the terms of the contract.

use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked};
use rusqlite::ffi::{SQLITE_IOERR_SHORT_READ, code_to_str};

use crate::error::Error;

/// What went wrong.
pub(super) fn storage_error(error: rusqlite::Error) -> Error {
    let in_the_way = matches!(error.sqlite_error_code(), Some(DatabaseBusy | DatabaseLocked));
    if in_the_way || was_cut_off(&error) {
        Error::aborted(detail(&error))
    } else {
        Error::storage(detail(&error))
    }
}

/// Whether the log ended before what was to be read: another process has emptied it, because
/// another copy of SQLite in this one has lifted the reader's lock. Now the database has it all.
fn was_cut_off(error: &rusqlite::Error) -> bool {
    let rusqlite::Error::SqliteFailure(failure, _) = error else { return false };
    failure.extended_code == SQLITE_IOERR_SHORT_READ
}

/// What went wrong, in SQLite's words for the code: its own message may quote a row.
pub(super) fn detail(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqliteFailure(failure, _) => {
            let (code, words) = (failure.extended_code, code_to_str(failure.extended_code));
            format!("SQLite: {words} (code {code})")
        }
        _ => "SQLite: a statement does not fit the schema".to_owned(),
    }
}
