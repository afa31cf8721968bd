//! Connections: how they are opened, and how transactions begin and end.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::ffi::SQLITE_BUSY_RECOVERY;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::failure::storage_error;
use super::options::SqliteOptions;
use crate::error::{Error, Result};
use crate::schema;

/// The first version in which known bugs of write-ahead logs are fixed.
const OLDEST_SQLITE: i32 = 3_051_003;

/// How long to wait for a program that writes without taking its turn.
pub(super) const BUSY: Duration = Duration::from_secs(30);

/// Opens the one connection of a process that writes, without reading the file yet.
pub(super) fn open_writer(path: &Path) -> Result<Connection> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        let found = rusqlite::version();
        return Err(Error::configuration(format!(
            "SQLite 3.51.3 or newer is required, but this build has {found}"
        )));
    }
    let is_new = !path.exists();
    let writer = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
    if is_new {
        keep_private(path);
    }
    Ok(writer)
}

/// Lets only the owner read a file that has just been created and is still empty: it will have
/// password hashes and the platform's secret in it. SQLite gives its log the same permissions.
fn keep_private(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // Where a file system has no permissions, there is nothing to keep.
        let _ = std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600));
    }
}

/// Reads the file for the first time, and checks that it is a database.
pub(super) fn look(writer: &Connection) -> Result<()> {
    looked(writer).map_err(storage_error)
}

/// The result of reading a file for the first time without waiting.
pub(super) enum Look {
    Done,
    /// The log's index has to be rebuilt (recovery), but another connection blocks that.
    Unsound,
    /// Another connection has a lock.
    Busy,
}

pub(super) fn look_at_once(writer: &Connection) -> Result<Look> {
    writer.busy_timeout(Duration::ZERO).map_err(storage_error)?;
    let looked = looked(writer);
    writer.busy_timeout(BUSY).map_err(storage_error)?;
    match looked {
        Ok(()) => Ok(Look::Done),
        Err(rusqlite::Error::SqliteFailure(failure, _))
            if failure.extended_code == SQLITE_BUSY_RECOVERY =>
        {
            Ok(Look::Unsound)
        }
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => Ok(Look::Busy),
        Err(error) => Err(storage_error(error)),
    }
}

fn looked(writer: &Connection) -> rusqlite::Result<()> {
    writer.pragma_query_value(None, "schema_version", |_| Ok(()))
}

/// Creates the write-ahead log of a database. It uses exclusive locking, which needs no shared
/// index: while nothing is held yet, another copy of SQLite could truncate that.
pub(super) fn begin_log(writer: Connection) -> Result<()> {
    writer.pragma_update(None, "locking_mode", "EXCLUSIVE").map_err(storage_error)?;
    writer.pragma_update(None, "journal_mode", "WAL").map_err(storage_error)?;
    writer.close().map_err(|(_, error)| storage_error(error))
}

/// Configures the writer and migrates the schema.
pub(super) fn prepare(writer: &Connection, options: SqliteOptions) -> Result<()> {
    writer.pragma_update(None, "journal_mode", "WAL").map_err(storage_error)?;
    // FULL: a committed transaction survives a loss of power.
    writer.pragma_update(None, "synchronous", "FULL").map_err(storage_error)?;
    writer.pragma_update(None, "foreign_keys", "ON").map_err(storage_error)?;
    // A negative number counts kibibytes, a positive one pages.
    let cache = i64::try_from(options.cache >> 10).unwrap_or(i64::MAX).max(1);
    writer.pragma_update(None, "cache_size", -cache).map_err(storage_error)?;
    // Deleted personal data is overwritten, not left in free pages (S25).
    writer.pragma_update(None, "secure_delete", "ON").map_err(storage_error)?;
    migrate(writer)?;
    // The statement journal of savepoints: in a file it would take many writes for each group.
    writer.pragma_update(None, "temp_store", "MEMORY").map_err(storage_error)
}

/// Opens a connection that only reads.
pub(super) fn open_reader(path: &Path) -> Result<Connection> {
    open(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
}

fn open(path: &Path, flags: OpenFlags) -> Result<Connection> {
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(storage_error)?;
    connection.busy_timeout(BUSY).map_err(storage_error)?;
    // Otherwise SQLite would prepare a statement again for each value of its limit, which costs 16
    // µs a page.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(storage_error)?;
    connection.set_prepared_statement_cache_capacity(256);
    Ok(connection)
}

/// Closes an idle connection of the parent, without touching the log and its index, which the
/// parent still uses.
pub(super) fn close_inherited(connection: Connection) -> bool {
    let kept = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
    if kept.is_err() {
        std::mem::forget(connection);
        return false;
    }
    connection.close().is_ok()
}

/// Runs the missing migrations under the write lock, so that of several processes that start at
/// once only one does.
fn migrate(writer: &Connection) -> Result<()> {
    let transaction = Began::immediate(writer)?;
    let version = |row: &rusqlite::Row<'_>| row.get::<_, u32>(0);
    let found = writer.pragma_query_value(None, "user_version", version).map_err(storage_error)?;
    for migration in schema::missing(schema::SQLITE, found)? {
        writer.execute_batch(migration).map_err(storage_error)?;
    }
    writer.pragma_update(None, "user_version", schema::VERSION).map_err(storage_error)?;
    transaction.commit()
}

/// Runs a statement without rows.
pub(super) fn run(connection: &Connection, sql: &str) -> Result<()> {
    let ran = connection.prepare_cached(sql).and_then(|mut statement| statement.execute([]));
    ran.map(drop).map_err(storage_error)
}

/// An open transaction, which is rolled back unless it is committed.
pub(super) struct Began<'c>(&'c Connection);

impl<'c> Began<'c> {
    /// Begins a transaction that has a snapshot from its first read on.
    pub fn deferred(connection: &'c Connection) -> Result<Self> {
        Self::begin(connection, "BEGIN")
    }

    /// Begins a transaction with the write lock, so that no later statement finds it taken.
    pub fn immediate(connection: &'c Connection) -> Result<Self> {
        Self::begin(connection, "BEGIN IMMEDIATE")
    }

    fn begin(connection: &'c Connection, sql: &str) -> Result<Self> {
        run(connection, sql)?;
        Ok(Self(connection))
    }

    pub fn commit(self) -> Result<()> {
        // If this fails, the transaction stays open, and dropping it rolls it back.
        run(self.0, "COMMIT")
    }
}

impl Drop for Began<'_> {
    fn drop(&mut self) {
        if !self.0.is_autocommit() {
            // If the rollback fails, the next BEGIN will report it.
            let _ = run(self.0, "ROLLBACK");
        }
    }
}
