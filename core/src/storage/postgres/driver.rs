//! The thread that talks to the server, and the way callers wait for it.

use std::future::{Future, pending};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use tokio::runtime::{Builder, Handle};
use tokio::task::AbortHandle;

use super::failure::Failure;
use crate::error::{Error, Result};

/// An asynchronous runtime on its own thread, so that a host's runtime is neither needed nor used.
pub(super) struct Driver {
    handle: Handle,
    stop: AbortHandle,
    thread: Option<JoinHandle<()>>,
    waits: AtomicU64,
}

impl Driver {
    pub fn start() -> Result<Self> {
        let refused = |error| {
            Error::storage(format!(
                "the thread for database connections could not be started: {error}"
            ))
        };
        let runtime =
            Builder::new_current_thread().enable_io().enable_time().build().map_err(refused)?;
        let handle = runtime.handle().clone();
        // The runtime runs until this task is aborted.
        let running = runtime.spawn(pending::<()>());
        let stop = running.abort_handle();
        let run = move || drop(runtime.block_on(running));
        let thread = thread::Builder::new()
            .name("partnerkit-postgres".into())
            .spawn(run)
            .map_err(refused)?;
        Ok(Self { handle, stop, thread: Some(thread), waits: AtomicU64::new(0) })
    }

    /// Runs the work on the driver's thread, where everything that it sends goes into one packet,
    /// and blocks until it is done. Unlike `Handle::block_on` this does not panic on a thread of a
    /// host's runtime.
    pub fn wait<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Failure> {
        self.waits.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = mpsc::sync_channel(1);
        self.handle.spawn(async move { drop(answer.send(work.await)) });
        answered.recv().map_err(|_| Failure::Lost("the thread for database connections has ended"))
    }

    /// How often a caller has waited for the server.
    pub fn waits(&self) -> u64 {
        self.waits.load(Ordering::Relaxed)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.stop.abort();
        if let Some(thread) = self.thread.take() {
            // The thread ends by itself, or has panicked and so has ended already.
            drop(thread.join());
        }
    }
}
