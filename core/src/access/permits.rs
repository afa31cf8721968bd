//! Turns at something that costs memory and a core: so many at a time, so many waiting (S18).

use std::process;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Result};
use crate::process::PerProcess;

/// Gives turns. Whoever finds the queue full is told at once, and has cost nothing. A child of
/// `fork` has turns of its own: those that its parent's threads had taken would never come back.
#[derive(Debug)]
pub(crate) struct Permits {
    at_once: usize,
    queue: usize,
    turns: PerProcess<Turns>,
}

#[derive(Debug, Default)]
struct Turns {
    state: Mutex<State>,
    freed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    running: usize,
    waiting: usize,
}

/// A turn; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Permit<'p> {
    turns: &'p Turns,
    process: u32,
}

impl Permits {
    pub fn new(at_once: usize, queue: usize) -> Self {
        Self { at_once: at_once.max(1), queue, turns: PerProcess::default() }
    }

    /// Waits for a turn, or is `Busy` when as many wait already as may.
    pub fn take(&self) -> Result<Permit<'_>> {
        let turns = self.turns.get();
        let mut state = turns.lock();
        if state.running >= self.at_once && state.waiting >= self.queue {
            return Err(Error::busy());
        }
        state.waiting += 1;
        while state.running >= self.at_once {
            state = turns.freed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.waiting -= 1;
        state.running += 1;
        Ok(Permit { turns, process: process::id() })
    }

    /// How many wait for their turn.
    #[cfg(test)]
    pub fn waiting(&self) -> usize {
        self.turns.get().lock().waiting
    }
}

impl Turns {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        // Who forks while it has a turn gives none back in the child.
        if self.process == process::id() {
            self.turns.lock().running -= 1;
            self.turns.freed.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::Permits;
    use crate::error::ErrorKind;

    #[test]
    fn s18_a_full_queue_is_busy_at_once() {
        let permits = Permits::new(2, 0);
        let (first, second) = (permits.take().expect("free"), permits.take().expect("free"));
        assert_eq!(permits.take().expect_err("full").kind(), ErrorKind::Busy);
        drop(first);
        let third = permits.take().expect("free again");
        assert_eq!(permits.take().expect_err("full").kind(), ErrorKind::Busy);
        drop((second, third));
        permits.take().expect("free again");
    }

    #[test]
    fn s18_never_more_at_once_than_allowed() {
        let permits = Permits::new(3, 1_000);
        let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..24 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let _turn = permits.take().expect("the queue is long");
                        most.fetch_max(
                            running.fetch_add(1, Ordering::SeqCst) + 1,
                            Ordering::SeqCst,
                        );
                        thread::yield_now();
                        running.fetch_sub(1, Ordering::SeqCst);
                    }
                });
            }
        });
        assert!(most.into_inner() <= 3);
    }
}
