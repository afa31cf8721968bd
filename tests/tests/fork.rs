//! Children of `fork`, while the threads of their parent continue (S50, S62).
#![cfg(unix)]

use std::cell::Cell;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use partnerkit::{Agency, AsyncPlatform, ErrorKind, Platform, ResellerQuery};
use partnerkit_tests::forked::Children;
use partnerkit_tests::sqlite::{InFile, assert_sound};
use partnerkit_tests::{invitation, letters};

/// Runs one test at a time, so that each meets only the locks of its own threads.
static ALONE: Mutex<()> = Mutex::new(());

/// Runs the work beside threads that write; the work can wait for their progress.
fn beside_writers<T>(agency: &Agency, work: impl FnOnce(&dyn Fn(usize)) -> T) -> T {
    let (written, done) = (AtomicUsize::new(0), AtomicBool::new(false));
    let write = |thread: usize| {
        let mut n = 0;
        while !done.load(Ordering::Relaxed) {
            let label = format!("own{}{}", ["a", "b"][thread], letters(n));
            agency.create_reseller(invitation(&label)).expect("creates");
            written.fetch_add(1, Ordering::Relaxed);
            n += 1;
        }
    };
    let go_on = |by: usize| {
        let goal = written.load(Ordering::Relaxed) + by;
        while written.load(Ordering::Relaxed) < goal {
            thread::yield_now();
        }
    };
    thread::scope(|scope| {
        (0..2).for_each(|thread| drop(scope.spawn(move || write(thread))));
        let result = work(&go_on);
        done.store(true, Ordering::Relaxed);
        result
    })
}

/// Waits until another process has written this many times.
fn write_elsewhere(url: &str, times: usize) {
    let mut writer = Command::new(env!("CARGO_BIN_EXE_writer"))
        .args([url, "other"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    let lines = BufReader::new(writer.stdout.take().expect("piped")).lines();
    assert_eq!(lines.map_while(Result::ok).take(times).count(), times);
    writer.kill().expect("SIGKILL");
    writer.wait().expect("ends");
}

#[test]
fn s50_a_child_that_touches_nothing_keeps_nobody_from_writing() {
    let _alone = ALONE.lock();
    let store = InFile::create();
    let url = format!("sqlite:{}", store.path.display());
    let children = Children::default();
    children.watched(|| {
        beside_writers(&store.agency, |go_on| {
            for _ in 0..30 {
                go_on(1);
                children.add_idle();
            }
            go_on(50);
            write_elsewhere(&url, 50);
            go_on(50);
        })
    });
    drop(children);
    assert_sound(&store.path);
}

/// Reads the store and writes to it.
fn use_in_a_child(agency: &Agency, label: &str) {
    agency.overview().expect("reads");
    agency.create_reseller(invitation(label)).expect("creates");
}

#[test]
fn s62_each_child_of_a_busy_parent_opens_the_store_again() {
    let _alone = ALONE.lock();
    let store = InFile::create();
    let platform = Platform::open(&format!("sqlite:{}", store.path.display())).expect("opens");
    let children = Children::default();
    children.watched(|| {
        beside_writers(&store.agency, |go_on| {
            for n in 0..20 {
                go_on(1);
                let forking = Cell::new(Some(partnerkit::before_fork()));
                children.add(|| {
                    drop(forking.take());
                    use_in_a_child(&store.agency, &format!("child{}", letters(n)));
                    let other = platform.agency("northwind").expect("reads");
                    use_in_a_child(&other, &format!("another{}", letters(n)));
                });
                drop(forking.take());
            }
        });
    });
    children.join();
    let all = ResellerQuery::text("another").limit(100);
    assert_eq!(store.agency.page(&all).expect("reads").resellers.len(), 20);
    assert_sound(&store.path);
}

#[test]
fn s62_an_awaited_platform_works_in_a_childs_own_runtime() {
    let _alone = ALONE.lock();
    let store = InFile::create();
    let url = format!("sqlite:{}", store.path.display());
    let platform = AsyncPlatform::from(Platform::open(&url).expect("opens"));
    let use_it = || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("starts");
        let agency = runtime.block_on(platform.agency("northwind".into())).expect("reads");
        runtime.block_on(agency.overview()).expect("reads");
    };
    use_it();
    let children = Children::default();
    children.add(use_it);
    children.join();
}

#[test]
fn s62_a_store_in_memory_does_not_cross_fork() {
    let _alone = ALONE.lock();
    let agency = Platform::open("memory:").expect("opens").create_agency("northwind", None);
    let agency = agency.expect("creates");
    let children = Children::default();
    children.add(|| {
        assert_eq!(agency.overview().expect_err("not here").kind(), ErrorKind::Storage);
    });
    children.join();
    agency.overview().expect("reads");
}
