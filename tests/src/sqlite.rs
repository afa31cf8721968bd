//! A store in a file, and inspection of its files, on a separate connection.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use partnerkit::storage::sqlite::Sqlite;
use partnerkit::{Agency, Platform};
use rusqlite::Connection;
use tempfile::TempDir;

/// The size of the log's header, and of the header of each frame.
const LOG_HEAD: usize = 32;
const FRAME_HEAD: usize = 24;

/// A store in a new file, with an agency.
pub struct InFile {
    _folder: TempDir,
    /// The database.
    pub path: PathBuf,
    /// The store itself.
    pub storage: Arc<Sqlite>,
    /// The agency.
    pub agency: Agency,
}

impl InFile {
    /// Creates a store that is deleted when this is dropped.
    pub fn create() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("resellers.db");
        let storage = Arc::new(Sqlite::open(&path).expect("opens"));
        let platform = Platform::builder().open_storage(storage.clone()).expect("opens");
        let agency = platform.create_agency("northwind", None).expect("creates");
        Self { _folder: folder, path, storage, agency }
    }
}

/// The write-ahead log of a database.
pub fn log_of(database: &Path) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push("-wal");
    path.into()
}

/// The number of commits in the log since it last restarted: the last frame of a commit has the
/// size of the database, the other frames have 0.
pub fn commits(database: &Path) -> usize {
    let log = std::fs::read(log_of(database)).expect("a log");
    let number = |at: usize| {
        log.get(at..at + 4).map_or(0, |b| u32::from_be_bytes(b.try_into().expect("four bytes")))
    };
    let (page, salts) = (number(8) as usize, (number(16), number(20)));
    let frames = (LOG_HEAD..log.len()).step_by(FRAME_HEAD + page);
    // Frames from before the last restart have other salts.
    let current = frames.take_while(|at| (number(at + 8), number(at + 12)) == salts);
    current.filter(|at| number(at + 4) != 0).count()
}

/// Every word of the search index, and the number of rows that have it.
pub fn indexed_words(database: &Path) -> Vec<(String, u32)> {
    let connection = Connection::open(database).expect("opens");
    let words = "CREATE VIRTUAL TABLE temp.words USING fts5vocab(main, resellers_search, row)";
    connection.execute_batch(words).expect("a view of the index");
    let mut statement = connection.prepare("SELECT term, doc FROM words").expect("prepares");
    let words = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("runs");
    words.collect::<Result<_, _>>().expect("reads")
}

/// Panics unless SQLite's integrity check succeeds.
pub fn assert_sound(database: &Path) {
    let connection = Connection::open(database).expect("opens");
    let sound: String =
        connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("checks");
    assert_eq!(sound, "ok");
    let mut orphans = connection.prepare("PRAGMA foreign_key_check").expect("checks");
    assert!(!orphans.exists([]).expect("checks"));
}
