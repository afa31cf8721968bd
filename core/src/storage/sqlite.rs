//! SQLite, the embedded default: one file, one writer at a time, readers beside it.
//!
//! Every process has one connection that writes and a pool of those that read. Callers who write
//! at the same time share commits (`queue`, `writer`), and processes take turns (`turnstile`).

mod connection;
mod failure;
mod index;
mod log;
mod queue;
mod reads;
mod rows;
mod search;
mod stream;
mod transaction;
mod turnstile;
mod words;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rusqlite::Connection;

use super::home::Home;
use super::records::LabelRow;
use super::{Erasure, ReadWork, Scope, Storage, WriteWork};
use crate::error::Result;
use crate::values::{AgencyId, LoginDomain};
use connection::{Began, open_reader};
use failure::storage_error;
use queue::Queue;
use rows::Rows;
use writer::Writer;

/// A store in one SQLite file. It does not cross `fork`: a child process opens its own.
pub struct Sqlite(Home<Connections>);

/// The connections of one process.
struct Connections {
    path: PathBuf,
    // Closed before the writer: the last connection to close empties the write-ahead log, and
    // one that only reads cannot.
    readers: Mutex<Vec<Connection>>,
    writer: Queue,
}

impl Sqlite {
    /// Opens the file, or makes it, and brings its schema up to date.
    ///
    /// Errors: `Configuration` for a file of a newer release, `Storage` for one that cannot be
    /// read or written.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref().to_owned();
        let writer = Queue::of(Writer::open(&path)?);
        Ok(Self(Home::of(Connections { path, readers: Mutex::default(), writer })))
    }
}

impl Connections {
    /// Runs the work with a reader that nobody else uses meanwhile.
    fn with_reader<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let idle = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let reader = match idle {
            Some(reader) => reader,
            None => open_reader(&self.path)?,
        };
        let result = work(&reader);
        self.readers.lock().unwrap_or_else(PoisonError::into_inner).push(reader);
        result
    }
}

impl Storage for Sqlite {
    fn read(&self, agency: &AgencyId, work: &mut ReadWork<'_>) -> Result<()> {
        self.0.get()?.with_reader(|reader| {
            let _snapshot = Began::deferred(reader)?;
            work(&mut Rows::of(reader, agency))
        })
    }

    fn write(&self, agency: &AgencyId, _: Scope, work: &mut WriteWork<'_>) -> Result<()> {
        self.0.get()?.writer.write(agency, work)
    }

    fn labels(&self, labels: &[LoginDomain]) -> Result<Vec<Option<LabelRow>>> {
        self.0.get()?.with_reader(|reader| Rows::of(reader, &AgencyId::platform()).labels(labels))
    }

    fn agencies(&self, after: Option<&AgencyId>, limit: u32) -> Result<Vec<AgencyId>> {
        let after = after.map_or("", AgencyId::as_str);
        self.0.get()?.with_reader(|reader| {
            let sql = "SELECT agency FROM agencies WHERE agency > ?1 ORDER BY agency LIMIT ?2";
            let mut statement = reader.prepare_cached(sql).map_err(storage_error)?;
            let ids =
                statement.query_map((after, limit), |row| row.get(0)).map_err(storage_error)?;
            ids.map(|id| id.map(AgencyId::from_stored).map_err(storage_error)).collect()
        })
    }

    /// Deleted rows are overwritten in the database; this takes them out of the write-ahead log.
    fn scrub(&self) -> Result<Erasure> {
        self.0.get()?.writer.alone(Writer::empty_log)
    }
}
