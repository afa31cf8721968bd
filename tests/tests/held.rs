//! What a platform holds of a database in a file, beside what SQLite itself locks: Linux only.
#![cfg(target_os = "linux")]

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use partnerkit::Platform;
use rusqlite::Connection;

struct File {
    folder: tempfile::TempDir,
}

impl File {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("resellers.db")
    }

    fn open(&self) -> Platform {
        Platform::open(&format!("sqlite:{}", self.path().display())).expect("opens")
    }

    fn index(&self) -> PathBuf {
        self.folder.path().join("resellers.db-shm")
    }

    /// How many descriptors of this process are of a file in the folder.
    fn descriptors(&self) -> usize {
        let open = fs::read_dir("/proc/self/fd").expect("descriptors");
        let paths = open.filter_map(|open| fs::read_link(open.expect("one").path()).ok());
        paths.filter(|path| path.starts_with(self.folder.path())).count()
    }
}

/// The locks on a file, of whatever kind.
fn locks(file: &Path) -> Vec<String> {
    let inode = format!(":{}", fs::metadata(file).expect("there").ino());
    let locks = fs::read_to_string("/proc/locks").expect("locks");
    let on_it = |line: &&str| line.split_whitespace().any(|word| word.ends_with(&inode));
    locks.lines().filter(on_it).map(str::to_owned).collect()
}

fn of_kind(file: &Path, kind: &str) -> usize {
    locks(file).iter().filter(|lock| lock.contains(kind)).count()
}

#[test]
fn a_database_is_held_until_its_last_platform_has_gone() {
    let file = File::new();
    let (first, second) = (file.open(), file.open());
    let held = || (of_kind(&file.path(), "OFDLCK"), of_kind(&file.index(), "OFDLCK"));
    assert_eq!(held(), (1, 1));
    drop(first);
    assert_eq!(held(), (1, 1));
    drop(second);
    assert!(!file.index().exists(), "the last one empties the log");
    assert_eq!((of_kind(&file.path(), "OFDLCK"), file.descriptors()), (0, 0));
    let again = file.open();
    assert_eq!(held(), (1, 1));
    drop(again);
}

/// A host that is linked to the same SQLite may have connections of its own. Closing any
/// descriptor of a file would lift the locks that these have on it.
#[test]
fn a_platform_that_goes_lifts_no_lock_of_the_hosts_own_connection() {
    let file = File::new();
    let platform = file.open();
    let own = Connection::open(file.path()).expect("opens");
    own.execute_batch("BEGIN IMMEDIATE").expect("begins");
    assert_eq!(of_kind(&file.index(), "WRITE"), 1);
    drop(platform);
    assert_eq!(of_kind(&file.index(), "WRITE"), 1);
    own.execute_batch("COMMIT").expect("commits");
    drop(own);
    // What was kept for the connection's sake goes with the next one.
    let other = File::new();
    drop(other.open());
    assert_eq!(file.descriptors(), 0);
}
