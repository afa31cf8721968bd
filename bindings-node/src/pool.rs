//! The threads on which the core runs. They are ours, so that neither the event loop nor libuv's
//! four threads, which the host needs for its own look-ups, ever wait for a storage.
//!
//! A thread starts when there is work and no other is idle, and ends when it has been idle for a
//! while. Before it sleeps it looks for more work for a moment, because to wake it takes longer than
//! most calls. All platforms of the process share the threads, but calls over a storage of the host's
//! have their own: it may hang, and must not stop the calls of other platforms.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::patience::Patience;

/// Work for a thread.
type Work = Box<dyn FnOnce() + Send>;

/// How long a thread waits for work.
const IDLE: Duration = Duration::from_secs(10);

/// How long a thread looks for work before it sleeps. A caller that awaits one call after the other
/// comes back much sooner.
const LOOK: Duration = Duration::from_micros(150);

/// How many calls that wait only for a store run at once.
const MOST_BRIEF: usize = 32;

/// Calls that wait only for a store of the library's own.
pub static BRIEF: LazyLock<Arc<Pool>> = LazyLock::new(|| Pool::new(MOST_BRIEF));

/// Calls that hash a password or take a file, so that other calls do not wait for them. There may be
/// more of these than any platform lets wait for hashing, so that the platform decides which call is
/// next, and which one is refused as busy.
pub static LONG: LazyLock<Arc<Pool>> = LazyLock::new(|| Pool::new(1_024));

/// Some threads and a queue.
pub struct Pool {
    most: usize,
    state: Mutex<State>,
    added: Condvar,
    /// The length of the queue, for the thread that looks at it without the lock.
    queued: AtomicUsize,
}

struct State {
    queue: VecDeque<(Key, Work)>,
    threads: usize,
    idle: usize,
    /// Whether a thread looks for work before it sleeps; one does at most.
    is_looking: bool,
    /// Whether looking has paid.
    patience: Patience,
    /// Whether a thread is about to come to the queue.
    is_starting: bool,
    /// Whether no thread waits for work any more, because nobody has more of it.
    is_over: bool,
}

/// Threads for the calls that wait only for one storage of the host's. There are few: it has few
/// connections, and a call that waits for one may reach its deadline. With the last handle on the
/// storage they end when they have done what is in the queue.
pub struct Hosted(pub Arc<Pool>);

impl Hosted {
    pub fn new() -> Self {
        Self(Pool::new(MOST_BRIEF))
    }
}

impl Drop for Hosted {
    fn drop(&mut self) {
        self.0.state().is_over = true;
        self.0.added.notify_all();
    }
}

/// What work is known by: the environment of JavaScript that asked for it, and its number there.
pub type Key = (usize, u32);

impl Pool {
    fn new(most: usize) -> Arc<Self> {
        let state = State {
            queue: VecDeque::new(),
            threads: 0,
            idle: 0,
            is_looking: false,
            patience: Patience::new(),
            is_starting: false,
            is_over: false,
        };
        let (added, queued) = (Condvar::new(), AtomicUsize::new(0));
        Arc::new(Self { most, state: Mutex::new(state), added, queued })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds work, which runs as soon as there is a thread for it: one that is not busy comes to it when
    /// the pool is told to [`go`](Self::go). So the event loop can begin many calls without threads
    /// that take its processor meanwhile. Errors: no thread could be started.
    pub fn run(self: &Arc<Self>, key: Key, work: Work) -> std::io::Result<()> {
        let mut state = self.state();
        state.queue.push_back((key, work));
        self.queued.store(state.queue.len(), Ordering::Release);
        if state.threads > 0 {
            return Ok(());
        }
        let started = self.start(&mut state);
        if started.is_err() {
            state.queue.pop_back();
            self.queued.store(state.queue.len(), Ordering::Release);
        }
        started
    }

    /// Calls a thread to work that was added.
    pub fn go(self: &Arc<Self>) {
        let mut state = self.state();
        // The thread that looks for work finds one piece of it by itself.
        if state.queue.len() > usize::from(state.is_looking) {
            self.call(&mut state);
        }
    }

    /// Calls one more thread if there is more to do: each calls the next one, so that nobody has to
    /// wait until all have been woken, or have started.
    fn call(self: &Arc<Self>, state: &mut State) {
        if state.queue.is_empty() {
            return;
        }
        if state.idle > 0 {
            self.added.notify_one();
        } else if !state.is_starting && state.threads < self.most {
            // If it fails, there is a thread at least: `run` has seen one.
            drop(self.start(state));
        }
    }

    fn start(self: &Arc<Self>, state: &mut State) -> std::io::Result<()> {
        let pool = self.clone();
        thread::Builder::new().name("partnerkit".to_owned()).spawn(move || pool.work())?;
        state.threads += 1;
        state.is_starting = true;
        Ok(())
    }

    /// Takes work out of the queue, and says whether it was still there.
    pub fn cancel(&self, key: Key) -> bool {
        let mut state = self.state();
        let place = state.queue.iter().position(|(queued, _)| *queued == key);
        let removed = place.and_then(|place| state.queue.remove(place));
        self.queued.store(state.queue.len(), Ordering::Release);
        // It is dropped without the lock, because it may hold the last handle of a store.
        drop(state);
        removed.is_some()
    }

    fn work(self: &Arc<Self>) {
        let mut state = self.state();
        state.is_starting = false;
        loop {
            if let Some((_, work)) = state.queue.pop_front() {
                self.queued.store(state.queue.len(), Ordering::Release);
                self.call(&mut state);
                drop(state);
                // A panic must not end the thread: it would be missing for ever.
                drop(catch_unwind(AssertUnwindSafe(work)));
                state = self.state();
                continue;
            }
            if state.is_over {
                state.threads -= 1;
                return;
            }
            if !state.is_looking && state.patience.looks() {
                state = self.look(state);
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

    /// Looks for work for a moment without the lock, and lets other threads run meanwhile.
    fn look<'a>(&'a self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        state.is_looking = true;
        drop(state);
        let began = Instant::now();
        while self.queued.load(Ordering::Acquire) == 0 && began.elapsed() < LOOK {
            thread::yield_now();
        }
        let mut state = self.state();
        state.is_looking = false;
        let is_found = !state.queue.is_empty();
        state.patience.learn(is_found);
        state
    }
}
