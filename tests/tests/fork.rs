//! Children of `fork`, and the threads of their parent that go on meanwhile (S50, S62).
#![cfg(unix)]

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use partnerkit::Agency;
use partnerkit_tests::forked::Children;
use partnerkit_tests::sqlite::{InFile, assert_sound};
use partnerkit_tests::{invitation, letters};

/// One test at a time: each may meet only the locks of its own threads.
static ALONE: Mutex<()> = Mutex::new(());

/// Runs the work beside threads that write, which it can see going on.
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

/// Waits until another process has written so often.
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
