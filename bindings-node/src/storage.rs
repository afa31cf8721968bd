//! A storage written in JavaScript, as the core's `TableStore`.
//!
//! The core blocks one of our threads; every call goes to the event loop, and the thread waits
//! for its answer, at most as long as the deadline. A late answer is ignored, and a transaction
//! that begins too late is rolled back.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use napi::bindgen_prelude::{
    CallbackContext, FnArgs, FromNapiValue, Function, JsValue, PromiseRaw, Unknown,
};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, Status};
use partnerkit::storage::host::{Mode, TableStore, TableTransaction};
use partnerkit::storage::{Answer, Ask, Erasure, Rows, Scope, Tell};
use partnerkit::{AgencyId, Error, Result};

use crate::error::{Thrown, forget_thrown};
use crate::raw::{Made, Maker};
use crate::rows;
use crate::value::{Js, Whatever};

/// `(call, object, method, arguments) => Promise`: the package finds the object to call. It runs in
/// the asynchronous context of the call, if that is a call of the package.
pub type Dispatcher<'env> = Function<'env, Arguments, Unknown<'static>>;
type Arguments = FnArgs<(u32, Js, Js, Made)>;
/// It is weak, so that an idle storage does not keep the process alive.
type Dispatch = ThreadsafeFunction<Call, Unknown<'static>, Arguments, Status, false, true>;

thread_local! {
    /// The call whose work runs on this thread.
    static CALL: Cell<u32> = const { Cell::new(0) };
}

/// Whether the work of a call runs on this thread.
pub fn is_calling() -> bool {
    CALL.get() != 0
}

/// Runs the work of a call.
pub fn calling<T>(call: u32, work: impl FnOnce() -> T) -> T {
    let outer = CALL.replace(call);
    let done = work();
    CALL.set(outer);
    done
}

struct Call {
    call: u32,
    object: Js,
    method: &'static str,
    arguments: Vec<Js>,
}

/// The way to the event loop and back.
pub struct Calls {
    dispatch: Dispatch,
    deadline: Duration,
    /// Whose functions are called, for messages.
    of: &'static str,
}

impl Calls {
    /// The calls of an object of the host's, each of which may take as long as the deadline says.
    pub fn new(
        dispatcher: &Dispatcher<'_>,
        deadline: Duration,
        of: &'static str,
    ) -> napi::Result<Self> {
        let builder = dispatcher.build_threadsafe_function::<Call>();
        let builder = builder.callee_handled::<false>().weak::<true>();
        let dispatch = builder.build_callback(move |context| {
            let Call { call, object, method, arguments } = context.value;
            let make = Maker::of(&context.env);
            let made: Vec<_> = arguments
                .into_iter()
                .map(|argument| argument.made(&context.env))
                .collect::<napi::Result<_>>()?;
            Ok(FnArgs::from((call, object, Js::from(method), Made(make.list(&made)?))))
        })?;
        Ok(Self { dispatch, deadline, of })
    }

    /// Calls a function of an object that has no number.
    pub fn function<V: FromNapiValue + 'static, A: Send + 'static>(
        &self,
        name: &'static str,
        arguments: Vec<Js>,
        read: impl FnOnce(V) -> Option<A> + Send + 'static,
    ) -> Result<A> {
        self.ask(Js::Null, name, arguments, read)
    }

    /// Calls a method and waits for its result, which is converted into an `A` on JavaScript's
    /// thread.
    fn ask<V: FromNapiValue + 'static, A: Send + 'static>(
        &self,
        object: Js,
        method: &'static str,
        arguments: Vec<Js>,
        read: impl FnOnce(V) -> Option<A> + Send + 'static,
    ) -> Result<A> {
        let call = Call { call: CALL.get(), object, method, arguments };
        let (sender, answer) = sync_channel(1);
        let listen = move |returned, env| {
            listen(returned, env, sender, read);
            Ok(())
        };
        let mode = ThreadsafeFunctionCallMode::NonBlocking;
        if self.dispatch.call_with_return_value(call, mode, listen) != Status::Ok {
            return Err(Error::storage("the JavaScript environment has ended"));
        }
        let of = self.of;
        match answer.recv_timeout(self.deadline) {
            Ok(Ok(Some(answer))) => Ok(answer),
            Ok(Ok(None)) => Err(Error::storage(format_args!(
                "`{method}` of {of} answered with something of another shape than the contract says"
            ))),
            Ok(Err(thrown)) => Err(thrown.keep(method)),
            Err(RecvTimeoutError::Timeout) => Err(self.late(method)),
            Err(RecvTimeoutError::Disconnected) => Err(Error::storage(format_args!(
                "`{method}` of {of} can no longer answer, because its environment is ending"
            ))),
        }
    }

    fn late(&self, method: &str) -> Error {
        let (of, millis) = (self.of, self.deadline.as_millis());
        let detail = format!("`{method}` of {of} did not answer within {millis} ms");
        if method == "commit" { Error::outcome_unknown(detail) } else { Error::storage(detail) }
    }
}

type Settled<A> = std::result::Result<Option<A>, Thrown>;

/// Listens to a promise, on JavaScript's thread. If the caller no longer waits when it is settled,
/// sending fails, and the answer is dropped.
fn listen<V: FromNapiValue + 'static, A: 'static>(
    returned: napi::Result<Unknown<'static>>,
    env: Env,
    sender: SyncSender<Settled<A>>,
    read: impl FnOnce(V) -> Option<A> + 'static,
) {
    let thrown = sender.clone();
    let send_thrown = move |thrown_value| drop(thrown.send(Err(thrown_value)));
    let promise = match returned {
        Ok(value) if value.is_promise().unwrap_or(false) => {
            PromiseRaw::<V>::new(env.raw(), value.raw())
        }
        Ok(_) => return drop(sender.send(Ok(None))),
        Err(error) => return Thrown::sync(error, env).map_or((), send_thrown),
    };
    // If an answer cannot be read, the first promise throws, and the second one catches it.
    let answered = promise.then(move |answer: CallbackContext<V>| {
        drop(sender.send(Ok(read(answer.value))));
        Ok(())
    });
    let caught = answered.and_then(|answered| {
        answered.catch(move |thrown: CallbackContext<Unknown<'_>>| {
            send_thrown(Thrown::read(thrown.value));
            Ok(())
        })
    });
    // Reading a thrown value may run a getter, which may throw, too.
    let quiet = caught.and_then(|caught| caught.catch(|_: CallbackContext<Unknown<'_>>| Ok(())));
    // If a listener could not be added, its sender is dropped, and the waiting thread notices that.
    drop(quiet);
}

/// A `TableStore` whose methods are asynchronous JavaScript.
pub struct JsStore {
    calls: Arc<Calls>,
    /// The number of the store, if the dispatcher has several.
    store: Js,
}

impl JsStore {
    pub fn new(calls: Calls) -> Self {
        Self { calls: Arc::new(calls), store: Js::Null }
    }

    /// One of several stores.
    pub fn numbered(calls: Arc<Calls>, number: i64) -> Self {
        Self { calls, store: Js::Integer(number) }
    }

    fn ask<A: Send + 'static>(
        &self,
        method: &'static str,
        arguments: Vec<Js>,
        read: impl FnOnce(Js) -> Option<A> + Send + 'static,
    ) -> Result<A> {
        self.calls.ask(self.store.clone(), method, arguments, read)
    }
}

fn truth(answer: Js) -> Option<bool> {
    match answer {
        Js::Bool(truth) => Some(truth),
        _ => None,
    }
}

impl TableStore for JsStore {
    fn schema_version(&self) -> Result<u32> {
        self.ask("schemaVersion", Vec::new(), |answer| match answer {
            Js::Integer(version) => u32::try_from(version).ok(),
            Js::Number(version) if version.fract() == 0.0 => Some(version as u32),
            _ => None,
        })
    }

    fn begin(&self, agency: &AgencyId, mode: Mode) -> Result<Box<dyn TableTransaction + '_>> {
        forget_thrown();
        let mode = match mode {
            Mode::Read => "read",
            Mode::Beside => "beside",
            Mode::Write(Scope::Own) => "own",
            Mode::Write(Scope::Join) => "join",
        };
        let arguments = vec![Js::from(agency.as_str()), Js::from(mode)];
        let calls = self.calls.clone();
        let begun = self.ask("begin", arguments, |answer| match answer {
            Js::Integer(id) => Some(JsTransaction { calls, id, told: Vec::new(), ended: false }),
            _ => None,
        })?;
        Ok(Box::new(begun))
    }

    fn scrub(&self) -> Result<Erasure> {
        let complete = self.ask("scrub", Vec::new(), truth)?;
        Ok(if complete { Erasure::Complete } else { Erasure::Pending })
    }

    /// If this fails, `begin` will fail, too, and report it.
    fn joined(&self) -> bool {
        self.ask("joined", Vec::new(), truth).unwrap_or(false)
    }
}

/// A transaction, by the number that `index.js` has given it.
struct JsTransaction {
    calls: Arc<Calls>,
    id: i64,
    /// Writes that were not sent to JavaScript yet. They are sent before the next query or the
    /// commit.
    told: Vec<Js>,
    ended: bool,
}

impl JsTransaction {
    fn call<V: FromNapiValue + 'static, A: Send + 'static>(
        &self,
        method: &'static str,
        arguments: Vec<Js>,
        read: impl FnOnce(V) -> Option<A> + Send + 'static,
    ) -> Result<A> {
        self.calls.ask(Js::Integer(self.id), method, arguments, read)
    }

    fn write(&mut self) -> Result<()> {
        if self.told.is_empty() {
            return Ok(());
        }
        let writes = vec![Js::List(std::mem::take(&mut self.told))];
        self.call("tell", writes, |_: Whatever| Some(()))
    }

    fn end(&mut self, method: &'static str) -> Result<()> {
        self.ended = true;
        self.call(method, Vec::new(), |_: Whatever| Some(()))
    }
}

impl Rows for JsTransaction {
    fn ask(&mut self, questions: Vec<Ask>, answers: &mut Vec<Answer>) -> Result<()> {
        if questions.is_empty() {
            return Ok(());
        }
        self.write()?;
        let asked = vec![Js::List(questions.iter().map(rows::question).collect())];
        let read = move |answers: Js| rows::answers(&questions, answers);
        answers.extend(self.call("ask", asked, read)?);
        Ok(())
    }

    fn tell(&mut self, writes: Vec<Tell>) -> Result<()> {
        self.told.extend(writes.iter().map(rows::write));
        Ok(())
    }
}

impl TableTransaction for JsTransaction {
    fn commit(mut self: Box<Self>) -> Result<()> {
        if let Err(error) = self.write() {
            // The error of the writes says more than an error of the rollback.
            drop(self.end("rollback"));
            return Err(error);
        }
        self.end("commit")
    }

    fn rollback(mut self: Box<Self>) -> Result<()> {
        self.end("rollback")
    }
}

impl Drop for JsTransaction {
    /// Ends a transaction that began too late, when its caller no longer waited. It does not wait
    /// for the end.
    fn drop(&mut self) {
        if !self.ended {
            let (sender, _) = sync_channel::<Settled<()>>(1);
            let listen = move |returned, env| {
                listen(returned, env, sender, |_: Whatever| Some(()));
                Ok(())
            };
            let (call, object) = (CALL.get(), Js::Integer(self.id));
            let rollback = Call { call, object, method: "rollback", arguments: Vec::new() };
            let mode = ThreadsafeFunctionCallMode::NonBlocking;
            self.calls.dispatch.call_with_return_value(rollback, mode, listen);
        }
    }
}
