//! SQLite's write-ahead log does not grow for ever (S51): short readers at every moment do not keep
//! it from restarting, and a long reader does so only until it ends.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use partnerkit::ResellerDraft;
use partnerkit::schema::{RESELLERS, Row};
use partnerkit::storage::{Rows, Scope, Storage};
use partnerkit_tests::rows::{changed, row_of, update};
use partnerkit_tests::sqlite::{InFile, assert_sound, log_of};
use partnerkit_tests::{invitation, letters};
use rusqlite::Connection;

const MEGABYTE: u64 = 1 << 20;
/// The longest the log may be beside short readers: twice the length at which the store restarts
/// it.
const BOUND: u64 = 128 * MEGABYTE;

struct Store {
    file: InFile,
    resellers: Vec<Row>,
}

impl Store {
    fn new() -> Self {
        let file = InFile::create();
        let form = |n| ResellerDraft { metadata: large(n), ..invitation(&letters(n)) };
        let create = |n| file.agency.create_reseller(form(n)).expect("creates");
        let resellers = (0..100).map(|n| row_of(&*file.storage, &create(n))).collect();
        Self { file, resellers }
    }

    /// Writes all resellers again and again, until more than that many bytes were written to the
    /// log, and returns the log's greatest length.
    fn write(&self, bytes: u64) -> u64 {
        let each = large(0).iter().map(|(key, value)| key.len() + value.len()).sum::<usize>();
        let mut longest = 0;
        for n in 0..bytes as usize / (each * self.resellers.len()) {
            // The metadata must change, because unchanged rows are not written.
            let metadata = &self.resellers[n % self.resellers.len()][RESELLERS.place("metadata")];
            let metadata = ("metadata", metadata.clone());
            let rows =
                self.resellers.iter().map(|row| changed(row, std::slice::from_ref(&metadata)));
            let rows: Vec<_> = rows.collect();
            let mut update = |tx: &mut dyn Rows| update(tx, &RESELLERS, rows.clone()).map(drop);
            self.file
                .storage
                .write(self.file.agency.id(), Scope::Own, &mut update)
                .expect("writes");
            longest = longest.max(self.log());
        }
        longest
    }

    fn log(&self) -> u64 {
        std::fs::metadata(log_of(&self.file.path)).expect("a log").len()
    }

    /// A snapshot of the present state, for as long as the connection is open.
    fn snapshot(&self) -> Connection {
        let reader = Connection::open(&self.file.path).expect("opens");
        reader.execute_batch("BEGIN; SELECT count(*) FROM resellers;").expect("reads");
        reader
    }

    /// Runs the work while there is always a snapshot, each of which is short.
    fn beside_readers<T>(&self, work: impl FnOnce() -> T) -> T {
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut _snapshot = self.snapshot();
                while !stop.load(Ordering::Relaxed) {
                    thread::sleep(Duration::from_millis(2));
                    // The next snapshot begins before this one ends.
                    _snapshot = self.snapshot();
                }
            });
            let done = work();
            stop.store(true, Ordering::Relaxed);
            done
        })
    }
}

/// Metadata of about 25 KB, which is the most allowed.
fn large(n: usize) -> BTreeMap<String, String> {
    (0..50).map(|key| (format!("key {key}"), format!("{n:09}").repeat(54))).collect()
}

#[test]
fn s51_readers_at_every_moment_do_not_keep_the_log_growing() {
    let store = Store::new();
    let longest = store.beside_readers(|| store.write(2 * BOUND));
    assert!(longest <= BOUND, "{longest}");
    assert_sound(&store.file.path);
}

#[test]
fn s51_one_that_never_ends_does_until_it_has_gone() {
    let store = Store::new();
    let endless = store.snapshot();
    let grown = store.beside_readers(|| store.write(2 * BOUND));
    assert!(grown > BOUND, "{grown}");
    drop(endless);
    store.write(BOUND);
    assert!(store.log() <= BOUND, "{}", store.log());
    assert_sound(&store.file.path);
}
