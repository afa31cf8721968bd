//! The locks that a platform holds on a database file in addition to SQLite's own; Linux only.
#![cfg(target_os = "linux")]

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread;

use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;
use partnerkit::storage::sqlite::Sqlite;
use partnerkit::storage::{Rows, Scope, Storage};
use partnerkit::{Platform, ResellerQuery};
use partnerkit_tests::invitation;
use rusqlite::Connection;

/// Bytes of the index: a writer locks the first; rebuilding the index from the log locks the
/// second.
const WRITES: i64 = 120;
const RECOVERS: i64 = 122;

/// How often to check; a writer that does not wait would be done long before.
const LOOKS: usize = 1_000;

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

    /// The number of this process's descriptors of files in the folder.
    fn descriptors(&self) -> usize {
        let open = fs::read_dir("/proc/self/fd").expect("descriptors");
        let paths = open.filter_map(|open| fs::read_link(open.expect("one").path()).ok());
        paths.filter(|path| path.starts_with(self.folder.path())).count()
    }
}

/// The locks on a file, of any kind.
fn locks(file: &Path) -> Vec<String> {
    let inode = format!(":{}", fs::metadata(file).expect("there").ino());
    let on_it = |line: &&str| line.split_whitespace().any(|word| word.ends_with(&inode));
    // Without the number in front, which changes when others lock or unlock something.
    let lock = |line: &str| line.split_once(' ').map_or(line, |(_, lock)| lock).to_owned();
    let read = || {
        let locks = fs::read_to_string("/proc/locks").expect("locks");
        locks.lines().filter(on_it).map(lock).collect::<Vec<_>>()
    };
    // The list is made piece by piece, so a lock may be in it twice, or not at all, if another test
    // locks something meanwhile.
    loop {
        let (once, again) = (read(), read());
        if once == again {
            return once;
        }
    }
}

fn of_kind(file: &Path, kind: &str) -> usize {
    locks(file).iter().filter(|lock| lock.contains(kind)).count()
}

fn is_locked(file: &Path, byte: i64) -> bool {
    locks(file).iter().any(|lock| lock.ends_with(&format!(" {byte} {byte}")))
}

/// Locks a byte of a file, or unlocks it, as another program would.
fn set_lock(file: &fs::File, byte: i64, kind: libc::c_int) {
    let lock = libc::flock {
        l_type: kind as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: byte,
        l_len: 1,
        l_pid: 0,
    };
    fcntl(file, FcntlArg::F_OFD_SETLK(&lock)).expect("nobody is in the way");
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

/// A host that is linked to the same SQLite may have its own connections. Closing any descriptor of
/// a file would lift their locks on it.
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
    // The files that were kept for the connection are released with the next one.
    let other = File::new();
    drop(other.open());
    assert_eq!(file.descriptors(), 0);
}

/// It may be another copy of SQLite, whose locks are lifted when ours closes the file. Without the
/// hold, others would then delete its log, or truncate its index in memory.
#[test]
fn a_database_stays_held_while_anybody_else_in_the_process_has_it_open() {
    let file = File::new();
    let platform = file.open();
    let held = || (of_kind(&file.path(), "OFDLCK"), of_kind(&file.index(), "OFDLCK"));
    let index = || fs::metadata(file.index()).expect("there").ino();
    let (other, before) = (fs::File::open(file.path()).expect("opens"), index());
    drop(platform);
    assert_eq!((held(), index()), ((1, 1), before));
    drop(file.open());
    assert_eq!((held(), index()), ((1, 1), before));
    drop(other);
    drop(File::new().open());
    assert!(!file.index().exists(), "it goes with the next one");
    assert_eq!((of_kind(&file.path(), "OFDLCK"), file.descriptors()), (0, 0));
}

#[test]
fn a_platform_opens_beside_somebody_who_does_not_look_at_the_file() {
    let file = File::new();
    drop(file.open());
    let _other = fs::File::open(file.path()).expect("opens");
    file.open().create_agency("northwind", None).expect("creates");
}

/// An index that was built from the log of a moment ago would hide the commit.
#[test]
fn nobody_makes_the_index_anew_while_somebody_writes() {
    let file = File::new();
    let storage = Sqlite::open(file.path()).expect("opens");
    let agency = file.open().create_agency("northwind", None).expect("creates");
    assert!(!is_locked(&file.index(), RECOVERS));
    let mut work = |_: &mut dyn Rows| {
        assert!(is_locked(&file.index(), RECOVERS));
        Ok(())
    };
    storage.write(agency.id(), Scope::Own, &mut work).expect("writes");
    assert!(!is_locked(&file.index(), RECOVERS));
}

#[test]
fn nobody_writes_while_somebody_makes_the_index_anew() {
    let file = File::new();
    let agency = file.open().create_agency("northwind", None).expect("creates");
    let index = fs::File::options().read(true).write(true).open(file.index()).expect("opens");
    set_lock(&index, RECOVERS, libc::F_WRLCK);
    thread::scope(|scope| {
        let writes = scope.spawn(|| agency.create_reseller(invitation("acme")).map(drop));
        while !is_locked(&file.index(), WRITES) && !writes.is_finished() {
            thread::yield_now();
        }
        // The writer has got as far as that, and does not get further, however long one waits.
        for _ in 0..LOOKS {
            assert!(agency.page(&ResellerQuery::all()).expect("reads").resellers.is_empty());
        }
        assert!(!writes.is_finished());
        set_lock(&index, RECOVERS, libc::F_UNLCK);
        writes.join().expect("no panic").expect("creates");
    });
}
