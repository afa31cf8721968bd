//! The threads on which awaited calls run. They are the library's own, so that no dispatcher of
//! coroutines, which the host needs for its own work, ever waits for a store.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::failures::PartnerKitError;

/// For calls that wait only for the store.
static BRIEF: Pool = Pool::new(32);

/// For calls that hash a password, so that other calls do not wait for them. These are more threads
/// than any platform lets wait for hashing, so that the platform decides which call is next, and which
/// one is `Busy`.
static LONG: Pool = Pool::new(1_024);

/// How long a thread waits for work before it ends.
const IDLE: Duration = Duration::from_secs(10);

type Job = Box<dyn FnOnce() + Send>;
type Answer<T> = Result<T, PartnerKitError>;

/// Awaits a call that waits only for the store.
pub async fn brief<T: Send + 'static>(
    work: impl FnOnce() -> partnerkit::Result<T> + Send + 'static,
) -> Answer<T> {
    awaited(&BRIEF, work).await
}

/// Awaits a call that hashes a password.
pub async fn long<T: Send + 'static>(
    work: impl FnOnce() -> partnerkit::Result<T> + Send + 'static,
) -> Answer<T> {
    awaited(&LONG, work).await
}

/// Work that has begun is done even if nothing awaits it any more.
async fn awaited<T: Send + 'static>(
    pool: &'static Pool,
    work: impl FnOnce() -> partnerkit::Result<T> + Send + 'static,
) -> Answer<T> {
    let (answer, answered) = oneshot::channel();
    pool.add(Box::new(move || {
        let done = catch_unwind(AssertUnwindSafe(work));
        let done = match done {
            Ok(done) => done.map_err(PartnerKitError::from),
            Err(panic) => Err(internal(panic_text(&*panic))),
        };
        drop(answer.send(done));
    }))
    .map_err(|error| internal(&error.to_string()))?;
    answered.await.unwrap_or_else(|_| Err(internal("a call has no answer")))
}

fn internal(detail: &str) -> PartnerKitError {
    PartnerKitError::Internal { detail: detail.to_owned() }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without a message")
}

/// Threads that begin when they are needed, up to a number, and a queue.
struct Pool {
    size: usize,
    state: Mutex<State>,
    more: Condvar,
}

struct State {
    jobs: VecDeque<Job>,
    threads: usize,
    /// How many of the threads wait for work.
    idle: usize,
}

impl Pool {
    const fn new(size: usize) -> Self {
        let state = State { jobs: VecDeque::new(), threads: 0, idle: 0 };
        Self { size, state: Mutex::new(state), more: Condvar::new() }
    }

    /// Adds a job. Errors: the system gives no thread, and there is none.
    fn add(&'static self, job: Job) -> std::io::Result<()> {
        let mut state = self.lock();
        if state.idle <= state.jobs.len() && state.threads < self.size {
            let begun = thread::Builder::new().name("partnerkit".into()).spawn(|| self.work());
            match begun {
                Ok(_) => state.threads += 1,
                Err(error) if state.threads == 0 => return Err(error),
                Err(_) => {}
            }
        }
        state.jobs.push_back(job);
        self.more.notify_one();
        Ok(())
    }

    fn work(&self) {
        while let Some(job) = self.next() {
            job();
        }
    }

    /// The next job; none once there was nothing to do for a while.
    fn next(&self) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                return Some(job);
            }
            state.idle += 1;
            let waited = self.more.wait_timeout(state, IDLE);
            let (locked, waited) = waited.unwrap_or_else(PoisonError::into_inner);
            state = locked;
            state.idle -= 1;
            if waited.timed_out() && state.jobs.is_empty() {
                state.threads -= 1;
                return None;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
