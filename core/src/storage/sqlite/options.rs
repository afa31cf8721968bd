//! What a host may set about a SQLite store: memory for pages, and how much goes into the log
//! before it is moved into the database.

use std::path::Path;

use super::Sqlite;
use crate::error::Result;

/// The settings of a [`Sqlite`] store. Those that are not set are right for a server.
///
/// ```
/// use std::sync::Arc;
/// use partnerkit::Platform;
/// use partnerkit::storage::sqlite::Sqlite;
///
/// # let folder = tempfile::tempdir().expect("a folder");
/// # let folder = folder.path();
/// let options = Sqlite::options().cache(8 << 20).checkpoint(4 << 20); // a small machine
/// let store = Arc::new(options.open(folder.join("resellers.db"))?);
/// let platform = Platform::builder().open_storage(store)?;
/// # drop(platform);
/// # Ok::<(), partnerkit::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
#[must_use = "a store has the settings with which it is opened"]
pub struct SqliteOptions {
    pub(super) cache: u64,
    pub(super) checkpoint: u64,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self { cache: 64 << 20, checkpoint: 32 << 20 }
    }
}

impl SqliteOptions {
    /// How many bytes of pages the connection that writes keeps in memory at most: 64 MiB unless it
    /// is set. Usage is written all over the database, so what does not fit is read again and again.
    ///
    /// ```
    /// use partnerkit::storage::sqlite::Sqlite;
    ///
    /// let options = Sqlite::options().cache(256 << 20); // millions of events a day
    /// # drop(options);
    /// ```
    pub fn cache(mut self, bytes: u64) -> Self {
        self.cache = bytes;
        self
    }

    /// From which length on the write-ahead log is moved into the database: 32 MiB unless it is
    /// set. A page that is written often is moved once each time, so a longer log is faster; the
    /// file beside the database has this length, and while a reader needs it, more.
    ///
    /// ```
    /// use partnerkit::storage::sqlite::Sqlite;
    ///
    /// let options = Sqlite::options().checkpoint(128 << 20);
    /// # drop(options);
    /// ```
    pub fn checkpoint(mut self, bytes: u64) -> Self {
        self.checkpoint = bytes;
        self
    }

    /// Opens a store with these settings, like [`Sqlite::open`].
    ///
    /// ```
    /// use partnerkit::storage::sqlite::Sqlite;
    ///
    /// assert!(Sqlite::options().open(":memory:").is_err()); // not a path
    /// ```
    pub fn open(self, path: impl AsRef<Path>) -> Result<Sqlite> {
        Sqlite::open_with(path.as_ref(), self)
    }
}
