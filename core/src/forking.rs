//! Waiting before a fork until no thread is inside the library's critical sections.
//!
//! Of its parent's threads, a child of `fork` has only the one that forked. A lock that another
//! thread held at that moment, in SQLite or in the library for phone numbers, is never released in
//! the child, and a change that it was making stays half made. So work that must not be interrupted
//! like this runs [`undisturbed`]; a thread that forks waits until no such work is running, and
//! lets none begin meanwhile.

use std::cell::Cell;
use std::marker::PhantomData;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

/// How long a fork waits for running work. A write may wait for a stopped process for longer; a
/// child that is forked then cannot open a store that was in use.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a child waits for a lock that its own threads keep only for a moment.
pub(crate) const MOMENT: Duration = Duration::from_secs(1);

static GATE: Gate = Gate {
    process: AtomicU32::new(0),
    state: Mutex::new(State { inside: 0, forking: false }),
    changed: Condvar::new(),
};

struct Gate {
    /// The process that the state belongs to; a child resets it.
    process: AtomicU32,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    /// How many threads are in work that a fork must not interrupt.
    inside: usize,
    /// Whether a thread is about to fork.
    forking: bool,
}

thread_local! {
    /// How deeply this thread is nested in such work; it is counted once.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
    /// Whether this thread is about to fork; then the gate does not stop it.
    static FORKS: Cell<bool> = const { Cell::new(false) };
}

/// Keeps threads from starting work that a fork must not interrupt, until it is dropped in the
/// process that called [`before_fork`] and in its child.
#[must_use = "the process may only be forked while this is held"]
#[derive(Debug)]
pub struct Forking {
    process: u32,
    holds: bool,
    /// Bound to the thread that forks.
    _here: PhantomData<*const ()>,
}

/// Waits until no thread does anything that a `fork` would leave half done in the child, and lets
/// none begin with it until the answer is dropped. Call this before a `fork` without `exec` in a
/// process with threads, and drop the answer after the fork, in the parent and in the child. The
/// Python package does so itself.
///
/// A process in which only one thread uses the library does not need it, nor does a child that runs
/// another program.
///
/// ```
/// let still = partnerkit::before_fork();
/// // Here the process forks; then both processes let go:
/// drop(still);
/// let platform = partnerkit::Platform::open("memory:")?;
/// assert!(platform.agencies(None, None)?.is_empty());
/// # Ok::<(), partnerkit::Error>(())
/// ```
pub fn before_fork() -> Forking {
    let holds = !FORKS.get() && GATE.close();
    if holds {
        FORKS.set(true);
    }
    Forking { process: process::id(), holds, _here: PhantomData }
}

impl Drop for Forking {
    fn drop(&mut self) {
        if !self.holds {
            return;
        }
        FORKS.set(false);
        // In a child, the gate has never been closed.
        if self.process == process::id() {
            GATE.open();
        }
    }
}

/// Runs work that a fork must not interrupt. The work must not call code of the host.
pub(crate) fn undisturbed<T>(work: impl FnOnce() -> T) -> T {
    undisturbed_in(|_| work())
}

/// Like [`undisturbed`], for work that needs the id of its process, because asking the system for
/// it again takes as long as looking up a row's place.
pub(crate) fn undisturbed_in<T>(work: impl FnOnce(u32) -> T) -> T {
    let inside = Inside::enter();
    work(inside.process)
}

/// Marks this thread as inside until this is dropped.
struct Inside {
    /// The process cannot change meanwhile, because work inside does not fork.
    process: u32,
    counted: bool,
}

impl Inside {
    fn enter() -> Self {
        let process = process::id();
        let outermost = DEPTH.replace(DEPTH.get() + 1) == 0;
        Self { process, counted: outermost && !FORKS.get() && GATE.enter(process) }
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
        if self.counted {
            GATE.leave(self.process);
        }
    }
}

impl Gate {
    fn enter(&self, here: u32) -> bool {
        let Some(mut state) = self.lock(here) else { return false };
        // The forking thread may wait for work that waits for this thread, so this wait is bounded.
        let until = Instant::now() + PATIENCE;
        while state.forking {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.inside += 1;
        true
    }

    fn leave(&self, here: u32) {
        let Some(mut state) = self.lock(here) else { return };
        // If a thread forked while it was inside, its child does not count it.
        state.inside = state.inside.saturating_sub(1);
        if state.forking {
            self.changed.notify_all();
        }
    }

    fn close(&self) -> bool {
        let Some(mut state) = self.lock(process::id()) else { return false };
        while state.forking {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.forking = true;
        // A thread that forks while it is inside does not wait for itself.
        let own = usize::from(DEPTH.get() > 0);
        let until = Instant::now() + PATIENCE;
        while state.inside > own {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    fn open(&self) {
        if let Some(mut state) = self.lock(process::id()) {
            state.forking = false;
            self.changed.notify_all();
        }
    }

    /// `None` in a child of an unprepared fork, if another thread had the lock.
    fn lock(&self, here: u32) -> Option<MutexGuard<'_, State>> {
        if self.process.load(Ordering::Acquire) == here {
            return Some(self.state.lock().unwrap_or_else(PoisonError::into_inner));
        }
        let mut state = lock_inherited(&self.state, MOMENT)?;
        // Another thread of this process may have reset it first.
        if self.process.swap(here, Ordering::AcqRel) != here {
            *state = State { inside: 0, forking: false };
        }
        Some(state)
    }
}

/// Takes a lock that the parent may have held when it forked. It would never be released then, so
/// the wait is bounded.
pub(crate) fn lock_inherited<T>(lock: &Mutex<T>, longest: Duration) -> Option<MutexGuard<'_, T>> {
    let until = Instant::now() + longest;
    loop {
        match lock.try_lock() {
            Ok(held) => return Some(held),
            Err(TryLockError::Poisoned(held)) => return Some(held.into_inner()),
            Err(TryLockError::WouldBlock) if Instant::now() < until => {
                thread::sleep(Duration::from_millis(1));
            }
            Err(TryLockError::WouldBlock) => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    use super::{before_fork, undisturbed};

    #[test]
    fn who_forks_waits_for_what_runs_and_keeps_out_what_comes() {
        let (inside, left) = (AtomicBool::new(false), AtomicBool::new(false));
        thread::scope(|scope| {
            scope.spawn(|| {
                undisturbed(|| {
                    inside.store(true, Ordering::SeqCst);
                    thread::yield_now();
                    undisturbed(|| left.store(true, Ordering::SeqCst));
                });
            });
            while !inside.load(Ordering::SeqCst) {
                thread::yield_now();
            }
            let forking = before_fork();
            assert!(left.load(Ordering::SeqCst), "forked in the middle of it");
            let late = scope.spawn(|| undisturbed(|| left.load(Ordering::SeqCst)));
            // The thread that forks may use the library meanwhile, and prepare again.
            undisturbed(|| left.store(false, Ordering::SeqCst));
            drop(before_fork());
            drop(forking);
            assert!(!late.join().expect("no panic"), "came in beside a fork");
        });
    }
}
