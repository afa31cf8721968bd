//! That each call has its answer, whatever becomes of it.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use super::{Pool, awaited};
use crate::failures::PartnerKitError;

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(answer) => return answer,
            Poll::Pending => thread::park(),
        }
    }
}

#[test]
fn a_panic_is_an_error_and_the_thread_goes_on() {
    static ONE: Pool = Pool::new(1);
    let failed = block_on(awaited::<()>(&ONE, || panic!("on purpose")));
    let Err(PartnerKitError::Internal { detail }) = failed else { panic!("{failed:?}") };
    assert_eq!(detail, "on purpose");
    assert_eq!(block_on(awaited(&ONE, || Ok(7))).expect("an answer"), 7);
}

#[test]
fn no_more_threads_run_than_the_pool_has() {
    static FEW: Pool = Pool::new(3);
    static INSIDE: AtomicUsize = AtomicUsize::new(0);
    let callers = (0..40).map(|n| {
        thread::spawn(move || {
            let work = move || {
                let inside = INSIDE.fetch_add(1, Ordering::SeqCst) + 1;
                thread::yield_now();
                INSIDE.fetch_sub(1, Ordering::SeqCst);
                Ok((n, inside))
            };
            block_on(awaited(&FEW, work)).expect("an answer")
        })
    });
    let callers: Vec<_> = callers.collect();
    for (n, caller) in callers.into_iter().enumerate() {
        let (answered, inside) = caller.join().expect("no panic");
        assert_eq!(answered, n);
        assert!(inside <= 3, "{inside} at once");
    }
}

/// A caller that has lost interest, as a cancelled coroutine has.
#[test]
fn work_that_nothing_awaits_is_done() {
    static ONE: Pool = Pool::new(1);
    let (done, told) = mpsc::channel();
    let work = move || {
        done.send(()).expect("somebody listens");
        Ok(())
    };
    let mut future = Box::pin(awaited(&ONE, work));
    let polled = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    drop(future);
    drop(polled);
    told.recv().expect("it is done");
}
