//! A storage written in JavaScript, as the core's `TableStore`.
//!
//! The core blocks one of our threads; every call goes to the event loop, and the thread waits
//! for its answer, at most as long as the deadline. A late answer is ignored, and a transaction
//! that begins too late is rolled back.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use napi::bindgen_prelude::{
    CallbackContext, FnArgs, FromNapiValue, Function, JsValue, PromiseRaw, Unknown,
};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, Status};
use partnerkit::storage::host::{Mode, TableStore, TableTransaction};
use partnerkit::storage::{Answer, Ask, Rows, Scope, Tell};
use partnerkit::{AgencyId, Error, Result};

use crate::error::{Thrown, forget_thrown};
use crate::rows;
use crate::value::{Js, Whatever};

/// `(transaction or null, method, arguments) => Promise`: `index.js` finds the object to call.
pub type Dispatcher<'env> = Function<'env, Arguments, Unknown<'static>>;
type Arguments = FnArgs<(Js, Js, Js)>;
/// It is weak, so that an idle storage does not keep the process alive.
type Dispatch = ThreadsafeFunction<Call, Unknown<'static>, Arguments, Status, false, true>;

struct Call {
    transaction: Js,
    method: &'static str,
    arguments: Vec<Js>,
}

/// The way to the event loop and back.
struct Calls {
    dispatch: Dispatch,
    deadline: Duration,
}

impl Calls {
    /// Calls a method and waits for its result, which is converted into an `A` on JavaScript's
    /// thread.
    fn ask<V: FromNapiValue + 'static, A: Send + 'static>(
        &self,
        call: Call,
        read: impl FnOnce(V) -> Option<A> + Send + 'static,
    ) -> Result<A> {
        let method = call.method;
        let (sender, answer) = sync_channel(1);
        let listen = move |returned, env| {
            listen(returned, env, sender, read);
            Ok(())
        };
        let mode = ThreadsafeFunctionCallMode::NonBlocking;
        if self.dispatch.call_with_return_value(call, mode, listen) != Status::Ok {
            return Err(Error::storage("the JavaScript environment has ended"));
        }
        match answer.recv_timeout(self.deadline) {
            Ok(Ok(Some(answer))) => Ok(answer),
            Ok(Ok(None)) => Err(Error::storage(format_args!(
                "`{method}` of the host's storage has given an answer of the wrong shape"
            ))),
            Ok(Err(thrown)) => Err(thrown.keep(method)),
            Err(RecvTimeoutError::Timeout) => Err(self.late(method)),
            Err(RecvTimeoutError::Disconnected) => {
                Err(Error::storage(format_args!("`{method}` of the host's storage was lost")))
            }
        }
    }

    fn late(&self, method: &str) -> Error {
        let millis = self.deadline.as_millis();
        let detail =
            format!("`{method}` of the host's storage has not answered within {millis} ms");
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
pub struct JsStore(Arc<Calls>);

impl JsStore {
    pub fn new(dispatcher: &Dispatcher<'_>, deadline: Duration) -> napi::Result<Self> {
        let builder = dispatcher.build_threadsafe_function::<Call>();
        let builder = builder.callee_handled::<false>().weak::<true>();
        let dispatch = builder.build_callback(|context| {
            let Call { transaction, method, arguments } = context.value;
            Ok(FnArgs::from((transaction, Js::from(method), Js::List(arguments))))
        })?;
        Ok(Self(Arc::new(Calls { dispatch, deadline })))
    }
}

impl TableStore for JsStore {
    fn schema_version(&self) -> Result<u32> {
        let call = Call { transaction: Js::Null, method: "schemaVersion", arguments: Vec::new() };
        self.0.ask(call, |answer: Js| match answer {
            Js::Integer(version) => u32::try_from(version).ok(),
            _ => None,
        })
    }

    fn begin(&self, agency: &AgencyId, mode: Mode) -> Result<Box<dyn TableTransaction + '_>> {
        forget_thrown();
        let mode = match mode {
            // This store is never part of a host's transaction, so both read the same.
            Mode::Read | Mode::Beside => "read",
            Mode::Write(Scope::Own) => "own",
            Mode::Write(Scope::Join) => "join",
        };
        let arguments = vec![Js::from(agency.as_str()), Js::from(mode)];
        let call = Call { transaction: Js::Null, method: "begin", arguments };
        let calls = self.0.clone();
        let begun = self.0.ask(call, |answer: Js| match answer {
            Js::Integer(id) => Some(JsTransaction { calls, id, told: Vec::new(), ended: false }),
            _ => None,
        })?;
        Ok(Box::new(begun))
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
    fn call(&self, method: &'static str, arguments: Vec<Js>) -> Call {
        Call { transaction: Js::Integer(self.id), method, arguments }
    }

    fn write(&mut self) -> Result<()> {
        if self.told.is_empty() {
            return Ok(());
        }
        let writes = vec![Js::List(std::mem::take(&mut self.told))];
        self.calls.ask(self.call("tell", writes), |_: Whatever| Some(()))
    }

    fn end(&mut self, method: &'static str) -> Result<()> {
        self.ended = true;
        self.calls.ask(self.call(method, Vec::new()), |_: Whatever| Some(()))
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
        answers.extend(self.calls.ask(self.call("ask", asked), read)?);
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
            let rollback = self.call("rollback", Vec::new());
            let mode = ThreadsafeFunctionCallMode::NonBlocking;
            self.calls.dispatch.call_with_return_value(rollback, mode, listen);
        }
    }
}
