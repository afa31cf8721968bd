//! SQLite, the embedded default: one file, with one writer at a time and concurrent readers.
//!
//! Every process has one connection that writes and a pool of connections that read. Callers that
//! write at the same time share commits (group commit: `queue`, `writer`), and processes take turns
//! (`turnstile`).

mod backup;
mod connection;
mod failure;
#[cfg_attr(not(any(target_os = "linux", target_os = "android")), path = "sqlite/hold_nowhere.rs")]
mod hold;
mod index;
mod inherited;
mod log;
mod newest;
mod options;
mod place;
mod queue;
mod readers;
mod reading;
mod rows;
mod search;
mod snapshot;
mod stream;
mod turnstile;
mod verbs;
mod words;
mod writer;

use std::path::Path;
use std::sync::Arc;

use super::home::Home;
use super::newest::Newest;
use super::{Erasure, ReadWork, Scope, Storage, WriteWork};
use crate::error::{Error, Result};
use crate::forking::{undisturbed, undisturbed_in};
use crate::values::AgencyId;
use connection::{begin_log, look, open_writer};
use hold::{Hold, Swept};
use inherited::{Close, Counted, Inherited};
pub use options::SqliteOptions;
pub(crate) use place::path_of;
use queue::Queue;
use readers::Readers;
use reading::Reading;
use rows::Rows;
use turnstile::Turnstile;
use writer::Writer;

/// How often to create the write-ahead log of a database while another program keeps deleting it.
const TRIES: usize = 10;

/// A store in one SQLite file. A child process opens it again at its first use.
pub struct Sqlite {
    /// `None` only while the store is being dropped.
    home: Option<Home<Connections>>,
}

/// The connections of one process.
struct Connections {
    // Closed before the writer, which keeps others out until it is closed.
    readers: Readers,
    newest: Newest,
    writer: Queue,
    // Dropped after the connections, because it stands in for the locks that closing them lifts.
    hold: Hold,
    _counted: Counted,
}

impl Sqlite {
    /// Opens or creates the file, and migrates its schema. A relative path is resolved now, against
    /// the current working directory.
    ///
    /// Errors: `Configuration` for a file of a newer release, and for a text that is not a path (an
    /// empty one, `:memory:`, `file:…`); `Storage` for a file that cannot be read or written. It is
    /// also `Storage` in a child process if a thread of its parent was using a store at the `fork`,
    /// which [`before_fork`](crate::before_fork) prevents.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use partnerkit::Platform;
    /// use partnerkit::storage::sqlite::Sqlite;
    ///
    /// # let folder = tempfile::tempdir().expect("a folder");
    /// # let folder = folder.path();
    /// let store = Arc::new(Sqlite::open(folder.join("resellers.db"))?); // a path with any bytes
    /// let platform = Platform::builder().open_storage(store)?;
    /// platform.create_agency("northwind", None)?;
    /// assert!(folder.join("resellers.db").exists());
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::options().open(path)
    }

    /// The settings to open a store with.
    ///
    /// ```
    /// use partnerkit::storage::sqlite::Sqlite;
    ///
    /// # let folder = tempfile::tempdir().expect("a folder");
    /// # let folder = folder.path();
    /// let store = Sqlite::options().cache(128 << 20).open(folder.join("resellers.db"))?;
    /// # drop(store);
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub fn options() -> SqliteOptions {
        SqliteOptions::default()
    }

    fn open_with(path: &Path, options: SqliteOptions) -> Result<Self> {
        let path = place::found(path)?;
        let home = undisturbed(|| Home::open(move || Connections::open(&path, options)))?;
        Ok(Self { home: Some(home) })
    }

    /// Runs work on the connections of this process.
    fn with<T>(&self, work: impl FnOnce(&Connections) -> Result<T>) -> Result<T> {
        undisturbed_in(|process| work(&*self.home().get_in(process)?))
    }

    fn home(&self) -> &Home<Connections> {
        self.home.as_ref().expect("there until it is dropped")
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        undisturbed(|| self.home = None);
    }
}

impl Connections {
    fn open(path: &Path, options: SqliteOptions) -> Result<Arc<Self>> {
        let counted = Counted::new()?;
        let connections = Arc::new(Self::held(path, options, counted)?);
        inherited::note(&connections)?;
        Ok(connections)
    }
}

impl Connections {
    /// Holds the database against other copies of SQLite, and then opens it.
    fn held(path: &Path, options: SqliteOptions, counted: Counted) -> Result<Self> {
        let _swept = Swept;
        for _ in 0..TRIES {
            if let Some(hold) = hold(path)? {
                let writer = Queue::of(Writer::open(path, &hold, options)?);
                let (readers, newest) = (Readers::of(path), Newest::default());
                return Ok(Self { readers, newest, writer, hold, _counted: counted });
            }
        }
        Err(Error::storage("another program keeps deleting the database's write-ahead log"))
    }
}

/// Holds a database, after creating its write-ahead log if it has none.
fn hold(path: &Path) -> Result<Option<Hold>> {
    if let Some(hold) = Hold::of(path)? {
        return Ok(Some(hold));
    }
    // Checked first, so that no lock files are made beside a file that is not a database.
    let writer = open_writer(path)?;
    look(&writer)?;
    let turnstile = Turnstile::beside(path);
    turnstile.enter()?;
    // Another process may have created the log in its turn.
    if let Some(hold) = Hold::of(path)? {
        return Ok(Some(hold));
    }
    begin_log(writer)?;
    Hold::of(path)
}

impl Drop for Connections {
    /// Moves everything from the log into the database while it is still held. Another process that
    /// needs the log holds it, too.
    fn drop(&mut self) {
        if self.hold.is_here() {
            self.writer.alone(Writer::prepare_to_close);
        }
    }
}

impl Inherited for Connections {
    fn idle(&self) -> Option<Close<'_>> {
        let (readers, writer) = (self.readers.idle()?, self.writer.idle()?);
        Some(Box::new(|| readers() && writer()))
    }
}

impl Storage for Sqlite {
    fn read(&self, _: &AgencyId, work: &mut ReadWork<'_>) -> Result<()> {
        self.with(|here| {
            here.readers.with(|reader| work(&mut Reading(Rows::of_reader(reader, &here.newest))))
        })
    }

    fn write(&self, _: &AgencyId, _: Scope, work: &mut WriteWork<'_>) -> Result<()> {
        self.with(|here| here.writer.write(work))
    }

    /// Deleted rows are overwritten in the database at once; this removes them from the write-ahead
    /// log, and from the samples in memory.
    fn scrub(&self) -> Result<Erasure> {
        self.with(|here| {
            here.newest.forget();
            here.writer.alone(Writer::empty_log)
        })
    }

    fn backup(&self, path: &Path) -> Result<()> {
        self.with(|here| here.readers.with(|reader| backup::write(reader, path)))
    }

    fn close(&self) {
        undisturbed(|| self.home().close());
    }
}
