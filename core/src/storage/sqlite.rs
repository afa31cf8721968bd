//! SQLite, the embedded default: one file, one writer at a time, readers beside it.
//!
//! Every process has one connection that writes and a pool of those that read. Callers who write
//! at the same time share commits (`queue`, `writer`), and processes take turns (`turnstile`).

mod connection;
mod failure;
mod index;
mod inherited;
mod log;
mod queue;
mod readers;
mod reads;
mod rows;
mod search;
mod stream;
mod transaction;
mod turnstile;
mod words;
mod writer;

use std::path::Path;
use std::sync::Arc;

use super::home::Home;
use super::records::{AgencyRow, LabelRow};
use super::schema::{self, Value};
use super::sql::read_columns;
use super::{Erasure, ReadWork, Scope, Storage, WriteWork};
use crate::error::Result;
use crate::values::{AgencyId, LoginDomain};
use connection::Began;
use failure::storage_error;
use inherited::{Close, Counted, Inherited};
use queue::Queue;
use readers::Readers;
use rows::Rows;
use writer::Writer;

/// A store in one SQLite file. It does not cross `fork`: a child process opens its own.
pub struct Sqlite(Home<Arc<Connections>>);

/// The connections of one process.
struct Connections {
    // Closed before the writer: the last connection to close empties the write-ahead log, and
    // one that only reads cannot.
    readers: Readers,
    writer: Queue,
    _counted: Counted,
}

impl Sqlite {
    /// Opens the file, or makes it, and brings its schema up to date.
    ///
    /// Errors: `Configuration` for a file of a newer release, `Storage` for one that cannot be
    /// read or written, and in a child process of one that had a store in use when it forked.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let counted = Counted::new()?;
        let writer = Queue::of(Writer::open(path.as_ref())?);
        let readers = Readers::of(path.as_ref());
        let connections = Arc::new(Connections { readers, writer, _counted: counted });
        inherited::note(&connections)?;
        Ok(Self(Home::of(connections)))
    }
}

impl Inherited for Connections {
    fn idle(&self) -> Option<Close<'_>> {
        let (readers, writer) = (self.readers.idle()?, self.writer.idle()?);
        Some(Box::new(|| readers() && writer()))
    }
}

impl Storage for Sqlite {
    fn read(&self, agency: &AgencyId, work: &mut ReadWork<'_>) -> Result<()> {
        self.0.get()?.readers.with(|reader| {
            let _snapshot = Began::deferred(reader)?;
            work(&mut Rows::of(reader, agency))
        })
    }

    fn write(&self, agency: &AgencyId, _: Scope, work: &mut WriteWork<'_>) -> Result<()> {
        self.0.get()?.writer.write(agency, work)
    }

    fn labels(&self, labels: &[LoginDomain]) -> Result<Vec<Option<LabelRow>>> {
        self.0.get()?.readers.with(|reader| Rows::of(reader, &AgencyId::platform()).labels(labels))
    }

    fn agencies(&self, after: Option<&AgencyId>, limit: u32) -> Result<Vec<AgencyRow>> {
        let after = Value::Text(after.map_or("", AgencyId::as_str).to_owned());
        let columns = read_columns(&schema::AGENCIES);
        let sql =
            format!("SELECT {columns} FROM agencies WHERE agency > ?1 ORDER BY agency LIMIT ?2");
        self.0.get()?.readers.with(|reader| {
            Rows::of(reader, &AgencyId::platform())
                .query(&sql, &[after, Value::Integer(limit.into())])
        })
    }

    /// Deleted rows are overwritten in the database; this takes them out of the write-ahead log.
    fn scrub(&self) -> Result<Erasure> {
        self.0.get()?.writer.alone(Writer::empty_log)
    }
}
