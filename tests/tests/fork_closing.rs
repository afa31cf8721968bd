//! Closing a platform in a child of `fork` (S62).
#![cfg(target_os = "linux")]

use std::cell::Cell;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use partnerkit::storage::sqlite::Sqlite;
use partnerkit::storage::{ReadWork, Scope, Storage, WriteWork};
use partnerkit::{AgencyId, ErrorKind, Platform, Result};
use partnerkit_tests::forked::Children;

/// A store in which reads of one agency wait.
struct Slow {
    file: Sqlite,
    waits: AtomicBool,
    may_go_on: AtomicBool,
}

impl Storage for Slow {
    fn read(&self, agency: &AgencyId, work: &mut ReadWork<'_>) -> Result<()> {
        if agency.as_str() == "slow" {
            self.waits.store(true, Ordering::SeqCst);
            while !self.may_go_on.load(Ordering::SeqCst) {
                thread::yield_now();
            }
        }
        self.file.read(agency, work)
    }

    fn write(&self, agency: &AgencyId, scope: Scope, work: &mut WriteWork<'_>) -> Result<()> {
        self.file.write(agency, scope, work)
    }

    fn close(&self) {
        self.file.close();
    }
}

/// Lets the reads go on when it is dropped, so that a failed test ends.
struct LetGo<'s>(&'s Slow);

impl Drop for LetGo<'_> {
    fn drop(&mut self) {
        self.0.may_go_on.store(true, Ordering::SeqCst);
    }
}

/// How many of this process's descriptors are of a file, or of one that lies beside it.
fn descriptors_of(file: &Path) -> usize {
    let file = file.to_str().expect("text");
    let all = fs::read_dir("/proc/self/fd").expect("a list");
    let targets = all.filter_map(|one| fs::read_link(one.expect("an entry").path()).ok());
    targets.filter(|target| target.to_str().is_some_and(|path| path.starts_with(file))).count()
}

/// In the child, the parent's thread that is in a call never gives its handle on the store back.
#[test]
fn s62_a_child_closes_what_it_has_opened_though_its_parent_was_in_a_call_at_the_fork() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("resellers.db");
    let store = Arc::new(Slow {
        file: Sqlite::open(&path).expect("opens"),
        waits: AtomicBool::new(false),
        may_go_on: AtomicBool::new(false),
    });
    let platform = Platform::builder().open_storage(store.clone()).expect("opens");
    let agency = platform.create_agency("northwind", None).expect("creates");
    platform.create_agency("slow", None).expect("creates");
    thread::scope(|scope| {
        let let_go = LetGo(&store);
        let call = scope.spawn(|| platform.agency("slow").map(drop));
        while !store.waits.load(Ordering::SeqCst) {
            thread::yield_now();
        }
        let children = Children::default();
        let forking = Cell::new(Some(partnerkit::before_fork()));
        children.add(|| {
            drop(forking.take());
            agency.overview().expect("reads");
            assert_ne!(descriptors_of(&path), 0, "it is open");
            platform.close().expect("closes");
            assert_eq!(descriptors_of(&path), 0, "it is still open");
            assert_eq!(agency.overview().expect_err("closed").kind(), ErrorKind::Configuration);
        });
        drop(forking.take());
        children.join();
        agency.overview().expect("the parent's is open");
        // A call that began before the close opens what it needs, and closes it again.
        platform.close().expect("closes");
        assert_eq!(descriptors_of(&path), 0, "it is still open");
        drop(let_go);
        call.join().expect("no panic").expect("reads");
        assert_eq!(descriptors_of(&path), 0, "it is open again");
    });
    let again = Platform::builder().open_storage(store).expect("opens");
    again.agency("northwind").expect("a store can be used after a platform on it is closed");
}
