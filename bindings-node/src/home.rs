//! Calls from an environment of JavaScript (the main thread, or a worker) and their results.
//!
//! A call has a number, which the package gives it. Its work runs on a thread of the pool, and its
//! result waits in a queue until the package takes it, by `settle(number, failed, value)`. The queue
//! wakes the event loop once for all results that are in it. One function for all calls costs the loop
//! less than one for each, and it ends with the environment, whatever still runs.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use napi::bindgen_prelude::{FnArgs, Function};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, Status};
use napi_derive::napi;
use partnerkit::FieldErrors;
use serde::Serialize;

use crate::error::{Failure, Refused, forget_thrown, panic_text, told_fields};
use crate::logging::{self, Logged};
use crate::packed::packed;
use crate::pool::{BRIEF, Hosted, LONG, Pool};
use crate::raw::{Made, Maker, Value};
use crate::storage::calling;
use crate::value::Js;

type Settled = FnArgs<(u32, bool, Made, Js)>;

/// It is weak: the package keeps the process alive while a call is open.
type Wake = ThreadsafeFunction<(), (), (), Status, false, true>;

/// Makes the value of a result, on JavaScript's thread.
pub type Make = Box<dyn FnOnce(&Env) -> napi::Result<Value> + Send>;

/// For how long results are made before the event loop does something else.
const TURN: Duration = Duration::from_millis(1);

struct Completion {
    call: u32,
    result: Result<Make, Failure>,
    /// What is told of the call, if calls are logged.
    log: Option<Logged>,
}

/// The way back to an environment, and the threads of brief calls if they have their own.
#[derive(Clone)]
pub struct Home {
    results: Arc<Results>,
    hosted: Option<Arc<Hosted>>,
}

struct Results {
    wake: Wake,
    /// Whether calls that begin now are part of a host's transaction.
    is_beside: AtomicBool,
    waiting: Mutex<Waiting>,
    /// The threads of calls over storages of the host's, as long as these are in use.
    hosted: Mutex<Vec<Weak<Pool>>>,
}

/// How long a call takes, and so where it waits for a thread.
#[derive(Clone, Copy)]
pub enum Length {
    /// It waits only for the store.
    Brief,
    /// It hashes a password, or takes long for another reason.
    Long,
    /// It takes as long as a file, or a stream.
    File,
}

impl Length {
    /// How long a call takes that is brief unless it has a password to hash.
    pub fn of_hashing(hashes: bool) -> Self {
        if hashes { Self::Long } else { Self::Brief }
    }
}

#[derive(Default)]
struct Waiting {
    results: VecDeque<Completion>,
    /// Whether the event loop knows of them.
    is_told: bool,
}

/// The package's objects in one environment.
#[napi]
pub struct Environment {
    pub(crate) home: Home,
}

#[napi]
impl Environment {
    /// Gives results to `settle`, and says whether there are more: then the package comes again in the
    /// next turn of the event loop. If it comes back in any case, it is not woken meanwhile.
    #[napi(catch_unwind)]
    pub fn take(
        &self,
        env: &Env,
        settle: Function<'_, Settled, ()>,
        comes_back: bool,
    ) -> napi::Result<bool> {
        let began = Instant::now();
        while let Some(Completion { call, result, log }) = self.home.results.next(comes_back) {
            let (failed, value) = made(env, result)?;
            settle.call(FnArgs::from((call, failed, Made(value), log.into())))?;
            if began.elapsed() > TURN {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Says whether calls that begin from now on are part of a host's transaction.
    #[napi(catch_unwind)]
    pub fn beside(&self, is_beside: bool) {
        self.home.results.is_beside.store(is_beside, Ordering::Relaxed);
    }

    /// Lets threads come to the calls that have begun.
    #[napi(catch_unwind)]
    pub fn go(&self) {
        self.home.go();
    }

    /// Takes a call out of the queue, and says whether it was still there.
    #[napi(catch_unwind)]
    pub fn cancel(&self, call: u32) -> bool {
        self.home.cancel(call)
    }
}

/// What was begun last may not have been let go.
impl Drop for Environment {
    fn drop(&mut self) {
        self.go();
    }
}

/// Begins the package in an environment; `wake` is called when there are results to take.
#[napi(catch_unwind)]
pub fn begin(wake: Function<'_, (), ()>) -> napi::Result<Environment> {
    let wake = wake.build_threadsafe_function::<()>();
    let wake = wake.callee_handled::<false>().weak::<true>().build()?;
    let is_beside = AtomicBool::new(false);
    let (waiting, hosted) = (Mutex::default(), Mutex::default());
    let results = Arc::new(Results { wake, is_beside, waiting, hosted });
    Ok(Environment { home: Home { results, hosted: None } })
}

impl Results {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hosted(&self) -> MutexGuard<'_, Vec<Weak<Pool>>> {
        self.hosted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a result. If the environment has ended, nobody waits for it any more.
    fn add(&self, completion: Completion) {
        let mut waiting = self.waiting();
        waiting.results.push_back(completion);
        if !std::mem::replace(&mut waiting.is_told, true) {
            drop(waiting);
            self.wake.call((), ThreadsafeFunctionCallMode::NonBlocking);
        }
    }

    /// The next result; after the last one the event loop has to be told again, unless it comes back.
    fn next(&self, comes_back: bool) -> Option<Completion> {
        let mut waiting = self.waiting();
        let next = waiting.results.pop_front();
        waiting.is_told = next.is_some() || comes_back;
        next
    }
}

/// The value of a result, and whether it is a failure. A result that cannot be made is a failure.
fn made(env: &Env, result: Result<Make, Failure>) -> napi::Result<(bool, Value)> {
    let result = result.and_then(|make| {
        let made = catch_unwind(AssertUnwindSafe(|| make(env)));
        let made = made.map_err(|panic| Failure::internal(&panic_text(&*panic)))?;
        made.map_err(|raised| Failure::internal(&raised.reason))
    });
    match result {
        Ok(value) => Ok((false, value)),
        Err(failure) => Ok((true, failure.value(env)?)),
    }
}

/// What a native method returns: nothing if the call has begun, or why it was refused.
pub type Begun = napi::Result<Option<Failure>>;

/// An answer, which becomes a value in two steps.
pub trait Answers: Send + 'static {
    /// Does on the thread of the call what can be done there.
    fn prepared(self) -> Result<Make, Failure>;
}

/// A record, or a value.
pub struct Plain<T>(pub T);

impl<T: Serialize + Send + 'static> Answers for Plain<T> {
    fn prepared(self) -> Result<Make, Failure> {
        let text = packed(&self.0).map_err(|error| Failure::internal(&error.to_string()))?;
        Ok(Box::new(move |env| Maker::of(env).text(&text)))
    }
}

/// For each of several forms a record or an error.
pub struct Each<T>(pub Vec<Result<T, FieldErrors>>);

/// One of them. The package has a reader for both (`lib/values.ts`).
#[derive(Serialize)]
struct One<T> {
    /// A record, if there are no errors.
    made: Option<T>,
    message: Option<String>,
    fields: Option<FieldErrors>,
}

impl<T: Serialize + Send + 'static> Answers for Each<T> {
    fn prepared(self) -> Result<Make, Failure> {
        let one = |of_form: Result<T, FieldErrors>| match of_form {
            Ok(made) => One { made: Some(made), message: None, fields: None },
            Err(errors) => {
                let fields = told_fields(errors.as_slice());
                One { made: None, message: Some(fields.to_string()), fields: Some(fields) }
            }
        };
        Plain(self.0.into_iter().map(one).collect::<Vec<_>>()).prepared()
    }
}

impl Home {
    /// The same environment with threads of its own for the brief calls over a storage of the host's.
    pub fn hosted(&self) -> Self {
        let (results, hosted) = (self.results.clone(), Hosted::new());
        let mut pools = results.hosted();
        pools.retain(|pool| pool.strong_count() > 0);
        pools.push(Arc::downgrade(&hosted.0));
        drop(pools);
        Self { results, hosted: Some(Arc::new(hosted)) }
    }

    fn threads(&self, length: Length) -> &Arc<Pool> {
        match length {
            // Brief calls may all wait for the transaction of which this one is part.
            Length::Brief if self.results.is_beside.load(Ordering::Relaxed) => &LONG,
            Length::Brief => self.hosted.as_ref().map_or(&*BRIEF, |hosted| &hosted.0),
            Length::Long | Length::File => &LONG,
        }
    }

    /// Begins a call: reads its arguments, which say how long it takes, and runs its work on a thread.
    pub fn call<A: Answers, W>(
        &self,
        call: u32,
        read: impl FnOnce() -> Result<(Length, W), Refused>,
    ) -> Begun
    where
        W: FnOnce() -> partnerkit::Result<A> + Send + 'static,
    {
        let (length, work) = match read() {
            Ok(read) => read,
            Err(Refused::Failed(failure)) => return Ok(Some(failure)),
            Err(Refused::Raised(raised)) => return Err(raised),
        };
        let results = self.results.clone();
        let failed = match length {
            // Its refused fields are columns.
            Length::File => Failure::of_file,
            _ => Failure::of,
        };
        let job = move || {
            let (result, log) = logging::of_call(|| worked(call, work, failed));
            results.add(Completion { call, result, log });
        };
        let started = self.threads(length).run((self.key(), call), Box::new(job));
        Ok(started.err().map(|error| Failure::internal(&format!("no thread: {error}"))))
    }

    /// Says whether a call was still waiting for a thread; it never runs then.
    pub fn cancel(&self, call: u32) -> bool {
        let key = (self.key(), call);
        self.pools().any(|pool| pool.cancel(key))
    }

    /// Lets threads come to the calls that have begun.
    fn go(&self) {
        self.pools().for_each(|pool| pool.go());
    }

    /// Every pool in which a call of this environment may wait.
    fn pools(&self) -> impl Iterator<Item = Arc<Pool>> {
        let hosted: Vec<_> = self.results.hosted().iter().filter_map(Weak::upgrade).collect();
        [BRIEF.clone(), LONG.clone()].into_iter().chain(hosted)
    }

    fn key(&self) -> usize {
        Arc::as_ptr(&self.results) as usize
    }
}

/// Runs the work of a call.
fn worked<A: Answers>(
    call: u32,
    work: impl FnOnce() -> partnerkit::Result<A>,
    failed: fn(&partnerkit::Error) -> Failure,
) -> Result<Make, Failure> {
    forget_thrown();
    let prepared = || calling(call, work).map(Answers::prepared);
    let result = match catch_unwind(AssertUnwindSafe(prepared)) {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => Err(failed(&error)),
        Err(panic) => Err(Failure::internal(&panic_text(&*panic))),
    };
    // If the call succeeded although something was thrown, nobody has taken that.
    forget_thrown();
    result
}
