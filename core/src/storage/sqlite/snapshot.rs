//! The snapshot of a read.
//!
//! A statement that has returned a row and is not reset yet keeps SQLite's snapshot open, for all
//! statements of its connection. So a read whose first question finds a row, such as the agency,
//! needs no `BEGIN` and no `ROLLBACK`, which together cost as much as another question.

use std::cell::OnceCell;
use std::mem;

use rusqlite::{CachedStatement, Connection, Row};

use super::connection::Began;
use super::failure::storage_error;
use super::rows::bound;
use crate::error::Result;
use crate::schema::Value;

pub(super) struct Snapshot<'c> {
    connection: &'c Connection,
    /// What keeps the snapshot open, from the first question on; it is only dropped.
    open: OnceCell<Open<'c>>,
}

enum Open<'c> {
    Statement { _stepped: Stepped<'c> },
    Transaction { _began: Began<'c> },
}

impl<'c> Snapshot<'c> {
    pub fn of(connection: &'c Connection) -> Self {
        Self { connection, open: OnceCell::new() }
    }

    /// Begins, unless this has been done.
    pub fn begin(&self) -> Result<()> {
        if self.open.get().is_none() {
            let began = Began::deferred(self.connection)?;
            let _ = self.open.set(Open::Transaction { _began: began });
        }
        Ok(())
    }

    /// Begins with a statement, unless this has been done, and returns what is read from its first
    /// row. Without a row nothing has begun.
    pub fn begin_with<T>(
        &self,
        sql: &str,
        parameters: &[Value],
        read: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        if self.open.get().is_some() {
            return Ok(None);
        }
        let mut statement = self.connection.prepare_cached(sql).map_err(storage_error)?;
        let mut rows = statement.query(bound(parameters)).map_err(storage_error)?;
        let Some(row) = rows.next().map_err(storage_error)? else { return Ok(None) };
        let read = read(row)?;
        // Dropping the rows would reset the statement.
        mem::forget(rows);
        let _ = self.open.set(Open::Statement { _stepped: Stepped(statement) });
        Ok(Some(read))
    }
}

/// A statement that has returned a row, and is reset when this is dropped.
struct Stepped<'c>(CachedStatement<'c>);

impl Drop for Stepped<'_> {
    fn drop(&mut self) {
        drop(self.0.raw_query());
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rusqlite::Connection;
    use tempfile::TempDir;

    use super::Snapshot;
    use crate::schema::{Value, damaged};

    const ALL: &str = "SELECT count(*) FROM rows WHERE n >= ?1";
    const ONE: &str = "SELECT n FROM rows WHERE n = ?1";

    struct File {
        _folder: TempDir,
        reader: Connection,
        writer: Connection,
    }

    impl File {
        /// A file with the rows 1 to 3.
        fn new() -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            let open = || Connection::open(folder.path().join("rows.db")).expect("opens");
            let (writer, reader) = (open(), open());
            writer.busy_timeout(Duration::ZERO).expect("configures");
            let rows = "PRAGMA journal_mode = WAL; CREATE TABLE rows (n INTEGER PRIMARY KEY);
                        INSERT INTO rows VALUES (1), (2), (3)";
            writer.execute_batch(rows).expect("fills");
            Self { _folder: folder, reader, writer }
        }

        fn add(&self) {
            self.writer.execute_batch("INSERT INTO rows DEFAULT VALUES").expect("inserts");
        }

        fn count(&self) -> i64 {
            let mut counted = self.reader.prepare_cached(ALL).expect("prepares");
            counted.query_row([0], |row| row.get(0)).expect("counts")
        }

        /// Empties the log and begins it anew, unless a snapshot needs it.
        fn is_log_emptied(&self) -> bool {
            let busy = |row: &rusqlite::Row<'_>| row.get::<_, bool>(0);
            let emptied = self.writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], busy);
            !emptied.expect("answers")
        }

        /// Begins with the question for a row, and says whether it was found.
        fn finds(snapshot: &Snapshot<'_>, n: i64) -> bool {
            let found = snapshot.begin_with(ONE, &[Value::Integer(n)], |_| Ok(()));
            found.expect("reads").is_some()
        }
    }

    /// What holds once a read has begun: others write, and it sees none of that until it ends.
    fn assert_still(file: &File, snapshot: Snapshot<'_>, rows: i64) {
        file.add();
        // Two statements that end do not end the snapshot.
        assert_eq!((file.count(), file.count()), (rows, rows));
        assert!(!file.is_log_emptied(), "the snapshot needs the log");
        drop(snapshot);
        assert_eq!(file.count(), rows + 1);
        assert!(file.is_log_emptied(), "nothing is left open");
        file.add();
        assert_eq!(file.count(), rows + 2);
    }

    #[test]
    fn a_read_that_begins_with_a_row_is_still() {
        let file = File::new();
        let snapshot = Snapshot::of(&file.reader);
        assert!(File::finds(&snapshot, 1));
        assert!(!File::finds(&snapshot, 2), "it has begun");
        assert_still(&file, snapshot, 3);
    }

    #[test]
    fn a_read_that_begins_without_a_row_is_still_from_its_next_question_on() {
        let file = File::new();
        let snapshot = Snapshot::of(&file.reader);
        assert!(!File::finds(&snapshot, 4));
        assert!(file.is_log_emptied(), "nothing has begun");
        file.add();
        snapshot.begin().expect("begins");
        assert_eq!(file.count(), 4);
        assert_still(&file, snapshot, 4);
    }

    #[test]
    fn a_row_that_cannot_be_read_leaves_nothing_open() {
        let file = File::new();
        let snapshot = Snapshot::of(&file.reader);
        let damaged = snapshot.begin_with(ONE, &[Value::Integer(1)], |_| Err::<(), _>(damaged()));
        assert!(damaged.is_err());
        file.add();
        assert!(file.is_log_emptied());
        assert_eq!(file.count(), 4);
    }
}
