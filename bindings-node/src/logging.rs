//! Tells of each call what the core's spans say of it (S53): operation, agency, reseller, outcome and
//! microseconds, but never a name, an address or a secret.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};

use napi_derive::napi;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::value::Js;

/// The fields of a call.
#[derive(Default)]
pub struct Logged(Vec<(&'static str, String)>);

impl From<Logged> for Js {
    fn from(Logged(fields): Logged) -> Self {
        Self::Object(fields.into_iter().map(|(name, value)| (name, Self::Text(value))).collect())
    }
}

impl Visit for Logged {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.push((field.name(), format!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.push((field.name(), value.to_owned()));
    }
}

#[derive(Default)]
struct Thread {
    /// The spans that are open.
    open: HashMap<u64, Logged>,
    /// The span that has ended last.
    ended: Option<Logged>,
}

thread_local! {
    static THREAD: RefCell<Thread> = RefCell::default();
}

/// Runs a call on this thread, and returns what its span said.
pub fn of_call<T>(work: impl FnOnce() -> T) -> (T, Option<Logged>) {
    let done = work();
    (done, THREAD.with_borrow_mut(|thread| thread.ended.take()))
}

/// From now on all calls are told. The package does this when the first listener is added.
#[napi(catch_unwind)]
pub fn log_calls() {
    // If they are told already, nothing changes.
    drop(tracing::subscriber::set_global_default(Spans { newest: AtomicU64::new(0) }));
}

struct Spans {
    newest: AtomicU64,
}

impl Subscriber for Spans {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_span() && metadata.target() == "partnerkit"
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let id = self.newest.fetch_add(1, Ordering::Relaxed) + 1;
        let mut call = Logged::default();
        span.record(&mut call);
        THREAD.with_borrow_mut(|thread| thread.open.insert(id, call));
        Id::from_u64(id)
    }

    fn record(&self, id: &Id, values: &Record<'_>) {
        THREAD.with_borrow_mut(|thread| {
            if let Some(call) = thread.open.get_mut(&id.into_u64()) {
                values.record(call);
            }
        });
    }

    fn try_close(&self, id: Id) -> bool {
        THREAD.with_borrow_mut(|thread| thread.ended = thread.open.remove(&id.into_u64()));
        true
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}
