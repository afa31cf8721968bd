//! The thread that talks to the server, and how callers wait for it.

use std::future::{Future, pending};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use tokio::runtime::{Builder, Handle};
use tokio::task::AbortHandle;

use super::failure::Failure;
use crate::error::{Error, Result};

/// A runtime of its own on a thread of its own: a host's runtime is neither needed nor touched.
pub(super) struct Driver {
    handle: Handle,
    stop: AbortHandle,
    thread: Option<JoinHandle<()>>,
    waits: AtomicU64,
}

impl Driver {
    pub fn start() -> Result<Self> {
        let refused =
            |error| Error::storage(format!("the connection thread does not start: {error}"));
        let runtime =
            Builder::new_current_thread().enable_io().enable_time().build().map_err(refused)?;
        let handle = runtime.handle().clone();
        // Runs until it is aborted, and the runtime with it.
        let running = runtime.spawn(pending::<()>());
        let stop = running.abort_handle();
        let run = move || drop(runtime.block_on(running));
        let thread = thread::Builder::new()
            .name("partnerkit-postgres".into())
            .spawn(run)
            .map_err(refused)?;
        Ok(Self { handle, stop, thread: Some(thread), waits: AtomicU64::new(0) })
    }

    /// Runs the work on the driver's thread, where everything it sends leaves in one packet,
    /// and blocks until it is done. Unlike `Handle::block_on` this does not panic on a thread
    /// of a host's runtime.
    pub fn wait<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Failure> {
        self.waits.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = mpsc::sync_channel(1);
        self.handle.spawn(async move { drop(answer.send(work.await)) });
        answered.recv().map_err(|_| Failure::Lost("the connection thread has ended"))
    }

    /// How often a caller has waited.
    pub fn waits(&self) -> u64 {
        self.waits.load(Ordering::Relaxed)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.stop.abort();
        if let Some(thread) = self.thread.take() {
            // It ends by itself, or has panicked: then there is nothing left to end.
            drop(thread.join());
        }
    }
}
