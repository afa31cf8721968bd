//! A storage written in JavaScript, as the core's `TableStore`.
//!
//! The core blocks one of our threads; every call goes to the event loop, and the thread waits
//! for its answer, at most as long as the deadline. A late answer is ignored, and a transaction
//! that begins too late is rolled back.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use napi::bindgen_prelude::{CallbackContext, FnArgs, Function, JsValue, PromiseRaw, Unknown};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, Status};
use partnerkit::storage::schema::{Row, Table, sort_column};
use partnerkit::storage::tables::{Mode, Scan, TableStore, TableTransaction};
use partnerkit::storage::{Filter, Lock, PageSpec, Scope};
use partnerkit::{AgencyId, Error, Position, Result, SortKey, Timestamp};

use crate::error::{Thrown, forget_thrown};
use crate::value::Js;

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
    fn ask<A: Send + 'static>(
        &self,
        call: Call,
        read: impl FnOnce(Js) -> Option<A> + Send + 'static,
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

type Answer<A> = std::result::Result<Option<A>, Thrown>;

/// Waits for a promise, on JavaScript's thread. Nobody may be listening any more when it is
/// settled: sending fails then, and drops the answer.
fn listen<A: 'static>(
    returned: napi::Result<Unknown<'static>>,
    env: Env,
    sender: SyncSender<Answer<A>>,
    read: impl FnOnce(Js) -> Option<A> + 'static,
) {
    let thrown = sender.clone();
    let send_thrown = move |thrown_value| drop(thrown.send(Err(thrown_value)));
    let promise = match returned {
        Ok(value) if value.is_promise().unwrap_or(false) => {
            PromiseRaw::<Js>::new(env.raw(), value.raw())
        }
        Ok(_) => return drop(sender.send(Ok(None))),
        Err(error) => return Thrown::sync(error, env).map_or((), send_thrown),
    };
    // An answer that cannot be read makes the first promise throw, and the second one catches it.
    let answered = promise.then(move |answer: CallbackContext<Js>| {
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
        self.0.ask(call, |answer| match answer {
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
        let begun = self.0.ask(call, |answer| match answer {
            Js::Integer(id) => Some(JsTransaction { calls, id, ended: false }),
            _ => None,
        })?;
        Ok(Box::new(begun))
    }
}

fn js_filter(filter: &Filter) -> Js {
    let Filter { terms, status, partner_type, joined_from, joined_before } = filter;
    let instant = |at: &Option<Timestamp>| at.map_or(Js::Null, |at| Js::Integer(at.as_millis()));
    Js::Object(vec![
        ("terms", Js::texts(terms)),
        ("status", status.map(|status| status.slug()).into()),
        ("partnerType", partner_type.map(|partner_type| partner_type.slug()).into()),
        ("joinedFrom", instant(joined_from)),
        ("joinedBefore", instant(joined_before)),
    ])
}

/// A transaction, by the number that `index.js` has given it.
struct JsTransaction {
    calls: Arc<Calls>,
    id: i64,
    ended: bool,
}

impl JsTransaction {
    fn call(&self, method: &'static str, arguments: Vec<Js>) -> Call {
        Call { transaction: Js::Integer(self.id), method, arguments }
    }

    fn ask<A: Send + 'static>(
        &self,
        method: &'static str,
        arguments: Vec<Js>,
        read: impl FnOnce(Js) -> Option<A> + Send + 'static,
    ) -> Result<A> {
        self.calls.ask(self.call(method, arguments), read)
    }

    fn tell(&self, method: &'static str, table: &'static Table, rows: &[Row]) -> Result<()> {
        self.ask(method, vec![Js::from(table.name), Js::rows(rows)], |_| Some(()))
    }

    fn ask_rows(
        &self,
        method: &'static str,
        table: &'static Table,
        arguments: Vec<Js>,
    ) -> Result<Vec<Row>> {
        self.ask(method, arguments, move |answer| {
            list(answer)?.into_iter().map(|row| row.into_row(table)).collect()
        })
    }

    /// One yes or no for each row.
    fn ask_each(
        &self,
        method: &'static str,
        table: &'static Table,
        rows: &[Row],
    ) -> Result<Vec<bool>> {
        let asked = rows.len();
        self.ask(method, vec![Js::from(table.name), Js::rows(rows)], move |answer| {
            let answers = list(answer)?.into_iter().map(|answer| match answer {
                Js::Bool(done) => Some(done),
                _ => None,
            });
            answers.collect::<Option<Vec<_>>>().filter(|answers| answers.len() == asked)
        })
    }

    fn end(&mut self, method: &'static str) -> Result<()> {
        self.ended = true;
        self.ask(method, Vec::new(), |_| Some(()))
    }
}

impl TableTransaction for JsTransaction {
    fn get(
        &mut self,
        table: &'static Table,
        keys: &[Row],
        lock: Option<Lock>,
    ) -> Result<Vec<Option<Row>>> {
        let asked = keys.len();
        let lock = lock.map(|lock| match lock {
            Lock::KeyShare => "key_share",
            Lock::Share => "share",
            Lock::NoKeyUpdate => "no_key_update",
            Lock::Update => "update",
        });
        let arguments = vec![Js::from(table.name), Js::rows(keys), lock.into()];
        self.ask("get", arguments, move |answer| {
            let rows = list(answer)?.into_iter().map(|row| match row {
                Js::Null => Some(None),
                row => row.into_row(table).map(Some),
            });
            rows.collect::<Option<Vec<_>>>().filter(|rows| rows.len() == asked)
        })
    }

    fn scan(&mut self, scan: &Scan) -> Result<Vec<Row>> {
        let Scan { table, columns, equals, after, limit } = scan;
        let after = after.as_ref().map(|after| Js::row(std::slice::from_ref(after)));
        let scan = Js::Object(vec![
            ("columns", Js::texts(*columns)),
            ("equals", Js::row(equals)),
            ("after", after.unwrap_or(Js::Null)),
            ("limit", Js::Number((*limit).into())),
        ]);
        self.ask_rows("scan", table, vec![Js::from(table.name), scan])
    }

    fn search(&mut self, agency: &AgencyId, spec: &PageSpec) -> Result<Vec<Row>> {
        let PageSpec { filter, sort, after, limit } = spec;
        let place = |Position { key, id }: &Position| {
            let key = match key {
                SortKey::Instant(at) => Js::Integer(at.as_millis()),
                SortKey::Text(text) => Js::Text(text.clone()),
            };
            Js::List(vec![key, Js::Text(id.to_string())])
        };
        let spec = Js::Object(vec![
            ("filter", js_filter(filter)),
            ("column", sort_column(sort.by).into()),
            ("descending", Js::Bool(sort.descending)),
            ("after", after.as_ref().map_or(Js::Null, place)),
            ("limit", Js::Number((*limit).into())),
        ]);
        let table = &partnerkit::storage::schema::RESELLERS;
        self.ask_rows("search", table, vec![Js::from(agency.as_str()), spec])
    }

    fn count(&mut self, agency: &AgencyId, filter: &Filter, cap: u64) -> Result<u64> {
        let cap = Js::Integer(i64::try_from(cap).unwrap_or(i64::MAX));
        self.ask("count", vec![Js::from(agency.as_str()), js_filter(filter), cap], |answer| {
            match answer {
                Js::Integer(count) => u64::try_from(count).ok(),
                _ => None,
            }
        })
    }

    fn insert(&mut self, table: &'static Table, rows: &[Row]) -> Result<Vec<bool>> {
        self.ask_each("insert", table, rows)
    }

    fn update(&mut self, table: &'static Table, rows: &[Row]) -> Result<Vec<bool>> {
        self.ask_each("update", table, rows)
    }

    fn put(&mut self, table: &'static Table, rows: &[Row]) -> Result<()> {
        self.tell("put", table, rows)
    }

    fn add(&mut self, table: &'static Table, rows: &[Row]) -> Result<()> {
        self.tell("add", table, rows)
    }

    fn delete(&mut self, table: &'static Table, keys: &[Row]) -> Result<()> {
        self.tell("delete", table, keys)
    }

    fn commit(mut self: Box<Self>) -> Result<()> {
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
            let (sender, _) = sync_channel::<Answer<()>>(1);
            let listen = move |returned, env| {
                listen(returned, env, sender, |_| Some(()));
                Ok(())
            };
            let rollback = self.call("rollback", Vec::new());
            let mode = ThreadsafeFunctionCallMode::NonBlocking;
            self.calls.dispatch.call_with_return_value(rollback, mode, listen);
        }
    }
}

fn list(answer: Js) -> Option<Vec<Js>> {
    match answer {
        Js::List(items) => Some(items),
        _ => None,
    }
}
