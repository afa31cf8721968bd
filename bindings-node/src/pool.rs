//! The threads on which the core runs. They are ours, so that neither the event loop nor libuv's
//! four threads, which the host needs for its own look-ups, ever wait for a storage.
//!
//! A thread starts when there is work and no other is idle, and ends when it has been idle for a
//! while. All platforms of the process share the threads.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// Work for a thread.
type Work = Box<dyn FnOnce() + Send>;

/// How long a thread waits for work.
const IDLE: Duration = Duration::from_secs(10);

/// Calls that wait only for the store.
pub static BRIEF: Pool = Pool::new(32);

/// Calls that hash a password or take a file, so that other calls do not wait for them. There may be
/// more of these than any platform lets wait for hashing, so that the platform decides which call is
/// next, and which one is refused as busy.
pub static LONG: Pool = Pool::new(1_024);

/// Some threads and a queue.
pub struct Pool {
    most: usize,
    state: Mutex<State>,
    added: Condvar,
}

struct State {
    queue: VecDeque<(Key, Work)>,
    threads: usize,
    idle: usize,
    /// Whether a thread is about to come to the queue.
    is_starting: bool,
}

/// What work is known by: the environment of JavaScript that asked for it, and its number there.
pub type Key = (usize, u32);

impl Pool {
    const fn new(most: usize) -> Self {
        let state = State { queue: VecDeque::new(), threads: 0, idle: 0, is_starting: false };
        Self { most, state: Mutex::new(state), added: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs the work as soon as there is a thread for it. Errors: no thread could be started.
    ///
    /// Starting a thread takes longer than all else here, and the event loop must not do it for each
    /// of many calls: it starts one, and each thread that has started starts the next one if there is
    /// more to do.
    pub fn run(&'static self, key: Key, work: Work) -> std::io::Result<()> {
        let mut state = self.state();
        state.queue.push_back((key, work));
        if state.queue.len() <= state.idle {
            drop(state);
            self.added.notify_one();
            return Ok(());
        }
        match self.grow(&mut state, 0) {
            // If there are threads, they will come to it.
            Err(error) if state.threads == 0 => {
                state.queue.pop_back();
                Err(error)
            }
            _ => Ok(()),
        }
    }

    /// Starts a thread if there is more in the queue than threads that come to it: those that are idle,
    /// one that is starting, and `coming`.
    fn grow(&'static self, state: &mut State, coming: usize) -> std::io::Result<()> {
        let is_enough = state.queue.len() <= state.idle + coming;
        if is_enough || state.is_starting || state.threads == self.most {
            return Ok(());
        }
        thread::Builder::new().name("partnerkit".to_owned()).spawn(|| self.work())?;
        state.threads += 1;
        state.is_starting = true;
        Ok(())
    }

    /// Takes work out of the queue, and says whether it was still there.
    pub fn cancel(&self, key: Key) -> bool {
        let mut state = self.state();
        let place = state.queue.iter().position(|(queued, _)| *queued == key);
        let removed = place.and_then(|place| state.queue.remove(place));
        // It is dropped without the lock, because it may hold the last handle of a store.
        drop(state);
        removed.is_some()
    }

    fn work(&'static self) {
        let mut state = self.state();
        state.is_starting = false;
        // If it fails, there is a thread at least: this one.
        drop(self.grow(&mut state, 1));
        loop {
            if let Some((_, work)) = state.queue.pop_front() {
                drop(state);
                // A panic must not end the thread: it would be missing for ever.
                drop(catch_unwind(AssertUnwindSafe(work)));
                state = self.state();
                continue;
            }
            state.idle += 1;
            let waited = self.added.wait_timeout(state, IDLE);
            let (woken, time) = waited.unwrap_or_else(PoisonError::into_inner);
            state = woken;
            state.idle -= 1;
            if time.timed_out() && state.queue.is_empty() {
                state.threads -= 1;
                return;
            }
        }
    }
}
