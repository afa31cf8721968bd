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
/// Weak: a storage that nobody waits for does not keep the process alive.
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
    /// Calls a method and waits for what it answers, made into an `A` on JavaScript's thread.
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

/// Waits for a promise, on JavaScript's thread. Nobody may be listening any more when it is
/// settled: sending fails then, and drops the answer.
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
    // An answer that cannot be read makes the first promise throw, and the second one catches it.
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
    // Reading what was thrown may run a getter, and that may throw, too.
    let quiet = caught.and_then(|caught| caught.catch(|_: CallbackContext<Unknown<'_>>| Ok(())));
    // Without listeners both senders are gone, and the thread hears that.
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
            // This store is never part of a host's transaction.
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
    /// Writes that have not crossed yet: they do before whatever is asked next, or the commit.
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
            // Why the writes failed says more than why the rollback did.
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
    /// A transaction that began when nobody waited for it any more: nobody waits for its end.
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
