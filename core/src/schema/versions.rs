//! The versions of the schema: one line for each, which is the name of the migration that the
//! stores of this crate run.

use crate::error::{Error, Result};

/// The names of the files in `core/migrations/sqlite` and `core/migrations/postgres`.
macro_rules! versions {
    ($($name:literal),+ $(,)?) => {
        /// The migrations of an SQLite file, from each version to the next.
        #[cfg(feature = "sqlite")]
        pub(crate) const SQLITE: &[&str] = &[
            $(include_str!(concat!("../../migrations/sqlite/", $name, ".sql"))),+
        ];

        /// The migrations of a PostgreSQL database, from each version to the next.
        #[cfg(feature = "postgres")]
        pub(crate) const POSTGRES: &[&str] = &[
            $(include_str!(concat!("../../migrations/postgres/", $name, ".sql"))),+
        ];

        /// The schema version of this release.
        pub const VERSION: u32 = [$($name),+].len() as u32;
    };
}

versions! {
    "001_initial",
    "002_periods_and_closing",
    "003_metering",
}

/// Refuses a store that a newer release has migrated (S52). An older store is not refused, because
/// its host may be about to migrate it.
pub(crate) fn known(version: u32) -> Result<()> {
    if version <= VERSION {
        return Ok(());
    }
    Err(Error::configuration(format_args!(
        "the store has schema version {version}, but this release supports only versions up to \
         {VERSION}: use a newer release of PartnerKit"
    )))
}

/// The migrations that a store of this version lacks.
#[cfg(feature = "sqlite")]
pub(crate) fn missing(
    migrations: &'static [&'static str],
    version: u32,
) -> Result<&'static [&'static str]> {
    known(version)?;
    Ok(&migrations[version as usize..])
}
