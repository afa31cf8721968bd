//! The versions of the schema, and the migration of a database to the newest one.

use std::time::Duration;

use deadpool_postgres::Object;
use tokio_postgres::error::SqlState;

use crate::error::{Error, Result};
use crate::schema;
use crate::storage::postgres::distribution;
use crate::storage::postgres::failure::Failure;

const OLDEST_SERVER: i64 = 150_000;
const TRIES: u32 = 10;

/// Creates the table of versions if it is missing. The lock serialises processes that start
/// together; other processes can read the version meanwhile.
const PREPARE: &str = "\
    BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; \
    SET LOCAL statement_timeout = 300000; \
    CREATE SCHEMA IF NOT EXISTS partnerkit; \
    CREATE TABLE IF NOT EXISTS partnerkit.migrations (\
      version bigint PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now()); \
    LOCK TABLE partnerkit.migrations IN EXCLUSIVE MODE";

/// Migrates the database to the newest version. If it has that version already, it is only read, so
/// that a role without the right to create anything can do this.
pub(super) async fn migrate(client: &Object) -> Result<()> {
    check_server(client).await?;
    let mut tried = 1;
    loop {
        let error = match try_migrate(client).await {
            Ok(version) => return schema::known(u32::try_from(version).unwrap_or(u32::MAX)),
            Err(error) => error,
        };
        // A transaction may be open and failed, or there may be none.
        drop(client.batch_execute("ROLLBACK").await);
        if error.code() == Some(&SqlState::FEATURE_NOT_SUPPORTED) && lacks_extensions(client).await
        {
            return Err(Error::configuration(
                "the server lacks the extensions pg_trgm and btree_gin: install the package with \
                 PostgreSQL's additional modules (contrib)",
            ));
        }
        if !is_race(&error) || tried == TRIES {
            return Err(Failure::from(error).into());
        }
        tokio::time::sleep(Duration::from_millis(20 * u64::from(tried))).await;
        tried += 1;
    }
}

async fn check_server(client: &Object) -> Result<()> {
    let sql = "SELECT current_setting('server_version_num')::bigint, \
               current_setting('server_encoding')";
    let row = client.query_typed_one(sql, &[]).await.map_err(Failure::from)?;
    let (version, encoding): (i64, String) = (row.get(0), row.get(1));
    if version < OLDEST_SERVER {
        return Err(Error::configuration("the server must be PostgreSQL 15 or newer"));
    }
    if encoding != "UTF8" {
        return Err(Error::configuration("the database's encoding must be UTF8"));
    }
    Ok(())
}

/// Migrates, and returns the version of the database, which is newer if a newer release has
/// migrated it.
async fn try_migrate(client: &Object) -> Result<i64, tokio_postgres::Error> {
    match version(client).await {
        Ok(version) if version > newest() => return Ok(version),
        Ok(version) if version == newest() && distribution::is_done(client).await? => {
            return Ok(version);
        }
        Err(error) if !is_missing(&error) => return Err(error),
        Ok(_) | Err(_) => {}
    }
    client.batch_execute(PREPARE).await?;
    let before = version(client).await?;
    for (sql, version) in schema::POSTGRES.iter().zip(1_i64..).skip_while(|(_, v)| *v <= before) {
        client.batch_execute(sql).await?;
        let note = format!("INSERT INTO partnerkit.migrations (version) VALUES ({version})");
        client.batch_execute(&note).await?;
    }
    if before <= newest() {
        distribution::distribute(client).await?;
    }
    client.batch_execute("COMMIT").await?;
    Ok(before.max(newest()))
}

/// Whether extensions are missing; asked only after the server has refused a migration.
async fn lacks_extensions(client: &Object) -> bool {
    let sql = "SELECT count(*) FROM pg_available_extensions WHERE name IN ('pg_trgm', 'btree_gin')";
    let found = client.query_typed_one(sql, &[]).await.and_then(|row| row.try_get::<_, i64>(0));
    found.is_ok_and(|found| found < 2)
}

async fn version(client: &Object) -> Result<i64, tokio_postgres::Error> {
    let sql = "SELECT coalesce(max(version), 0) FROM partnerkit.migrations";
    client.query_typed_one(sql, &[]).await?.try_get(0)
}

fn newest() -> i64 {
    i64::from(schema::VERSION)
}

fn is_missing(error: &tokio_postgres::Error) -> bool {
    let missing = [SqlState::UNDEFINED_TABLE, SqlState::INVALID_SCHEMA_NAME];
    error.code().is_some_and(|code| missing.contains(code))
}

/// `IF NOT EXISTS` checks first and then creates: if two processes do so at once, one may fail.
fn is_race(error: &tokio_postgres::Error) -> bool {
    let races = [
        SqlState::UNIQUE_VIOLATION,
        SqlState::DUPLICATE_TABLE,
        SqlState::DUPLICATE_SCHEMA,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::T_R_SERIALIZATION_FAILURE,
    ];
    error.code().is_some_and(|code| races.contains(code))
}
