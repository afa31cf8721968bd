//! Children of `fork` that run no other program.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork, pause};

/// After this time something hangs: it is a thousand times what the work takes on a busy machine.
const TOO_LONG: Duration = Duration::from_secs(300);

/// Child processes, which are all killed when this is dropped.
#[derive(Default)]
pub struct Children(Mutex<Vec<Pid>>);

impl Children {
    /// Starts a child that does the work and ends.
    #[allow(unsafe_code, reason = "there is no other way to have such a child")]
    pub fn add(&self, work: impl FnOnce()) {
        // SAFETY: the child has only this thread, and may meet locks that other threads held. The
        // locks of the allocator and of the standard library's output are free in it; everything
        // else that it does is what is tested.
        match unsafe { fork() }.expect("forks") {
            ForkResult::Parent { child } => self.lock().push(child),
            ForkResult::Child => {
                let worked = catch_unwind(AssertUnwindSafe(work));
                std::process::exit(i32::from(worked.is_err()));
            }
        }
    }

    /// Starts a child that does nothing until it is killed.
    pub fn add_idle(&self) {
        self.add(|| {
            loop {
                pause();
            }
        });
    }

    /// Panics unless each child ends successfully.
    pub fn join(self) {
        let children = std::mem::take(&mut *self.lock());
        let ended = children.iter().map(|child| waitpid(*child, None).expect("a child"));
        let ended: Vec<_> = ended.collect();
        let well = |child: &Pid| WaitStatus::Exited(*child, 0);
        assert_eq!(ended, children.iter().map(well).collect::<Vec<_>>());
    }

    /// Runs work that no child may block. If one does, all are killed in the end, and this panics.
    pub fn watched<T>(&self, work: impl FnOnce() -> T) -> T {
        let (done, waits) = mpsc::channel::<()>();
        thread::scope(|scope| {
            let watchdog = scope.spawn(move || {
                let mut bites = false;
                while waits.recv_timeout(TOO_LONG) == Err(RecvTimeoutError::Timeout) {
                    bites = true;
                    self.kill();
                }
                bites
            });
            let result = work();
            drop(done);
            assert!(!watchdog.join().expect("no panic"), "nothing went on beside the children");
            result
        })
    }

    fn kill(&self) {
        self.lock().iter().for_each(|child| {
            let _ = kill(*child, Signal::SIGKILL);
        });
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Pid>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Children {
    fn drop(&mut self) {
        self.kill();
        for child in std::mem::take(&mut *self.lock()) {
            let _ = waitpid(child, None);
        }
    }
}
