//! The versions of the schema: one line for each, which the stores of this crate run as the
//! migration of that name.

use crate::error::{Error, Result};

/// The names of the files in `core/migrations/sqlite` and `core/migrations/postgres`.
macro_rules! versions {
    ($($name:literal),+ $(,)?) => {
        /// What brings an SQLite file from each version to the next.
        #[cfg(feature = "sqlite")]
        pub(crate) const SQLITE: &[&str] = &[
            $(include_str!(concat!("../../migrations/sqlite/", $name, ".sql"))),+
        ];

        /// The same for a PostgreSQL database.
        #[cfg(feature = "postgres")]
        pub(crate) const POSTGRES: &[&str] = &[
            $(include_str!(concat!("../../migrations/postgres/", $name, ".sql"))),+
        ];

        /// The version of the tables of this release, for stores that keep them as they are here.
        pub const VERSION: u32 = [$($name),+].len() as u32;
    };
}

versions! {
    "001_initial",
    "002_periods_and_closing",
}

/// A store that a newer release has brought up to date is left alone (S52). One that still has to
/// be is not refused: its host may be about to.
pub(crate) fn known(version: u32) -> Result<()> {
    if version <= VERSION {
        return Ok(());
    }
    Err(Error::configuration(format_args!(
        "the store has schema version {version}, this release knows versions up to {VERSION}"
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
