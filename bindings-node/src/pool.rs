//! The threads on which the core runs. They are ours, so that neither the event loop nor libuv's
//! four threads, which the host needs for its own look-ups, ever wait for a storage.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use napi::Env;
use napi::bindgen_prelude::{Object, ToNapiValue};

use crate::error::{Failure, Outcome};

type Job = Box<dyn FnOnce() + Send>;

/// A fixed number of threads and a queue. The threads end when the pool is dropped.
pub struct Pool {
    jobs: Sender<Job>,
}

impl Pool {
    pub fn new(threads: u32) -> std::io::Result<Self> {
        let (jobs, queue) = channel();
        let queue = Arc::new(Mutex::new(queue));
        for n in 1..=threads {
            let queue = queue.clone();
            thread::Builder::new().name(format!("partnerkit-{n}")).spawn(move || work(&queue))?;
        }
        Ok(Self { jobs })
    }

    /// Runs the work on one of the threads. The promise is always fulfilled with an outcome, which
    /// may be an error or a panic.
    pub fn promise<'env, T: ToNapiValue + Send + 'static>(
        &self,
        env: &'env Env,
        work: impl FnOnce() -> partnerkit::Result<T> + Send + 'static,
    ) -> napi::Result<Object<'env>> {
        let (deferred, promise) = env.create_deferred()?;
        let job = move || {
            let worked = catch_unwind(AssertUnwindSafe(work));
            let outcome = worked.unwrap_or_else(|_| Err(Failure::panic())).map_err(Failure::of);
            deferred.resolve(move |_| Ok(Outcome(outcome)));
        };
        let closed = |_| napi::Error::from_reason("the threads have ended");
        self.jobs.send(Box::new(job)).map_err(closed)?;
        Ok(promise)
    }
}

fn work(queue: &Mutex<Receiver<Job>>) {
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
        job();
    }
}
