//! The storage contract's test suite, for storages written in JavaScript.

use std::sync::Arc;

use napi::Unknown;
use napi_derive::napi;
use partnerkit::storage::Storage;
use partnerkit::storage::conformance::{Harness, cases, run};
use partnerkit::storage::host::Tables;

use crate::given::argument;
use crate::home::{Begun, Environment, Length, Plain};
use crate::storage::{Calls, Dispatcher, JsStore};
use crate::value::Js;

/// The names of all cases.
#[napi(catch_unwind)]
pub fn conformance_cases() -> Vec<&'static str> {
    cases().iter().map(|case| case.name).collect()
}

#[napi]
impl Environment {
    /// Runs one case. `dispatcher` makes an empty storage when it is asked for `storage`, and calls
    /// its methods from then on.
    #[napi(catch_unwind)]
    pub fn run_conformance_case(
        &self,
        call: u32,
        name: Unknown<'_>,
        dispatcher: Dispatcher<'_>,
        deadline: u32,
    ) -> Begun {
        self.home.call(call, || {
            let name: String = argument("name", name)?;
            let calls = self.of_storage(&dispatcher, deadline)?;
            let harness = JsHarness(Arc::new(calls));
            let work = move || {
                run(&name, &harness);
                Ok(Plain(()))
            };
            Ok((Length::Long, work))
        })
    }

    /// Panics inside a call of the core, for tests.
    #[napi(catch_unwind)]
    pub fn panic_for_tests(&self, call: u32, message: Unknown<'_>) -> Begun {
        self.home.call(call, || {
            let message: String = argument("message", message)?;
            let work = move || -> partnerkit::Result<Plain<()>> { panic!("{message}") };
            Ok((Length::Brief, work))
        })
    }
}

struct JsHarness(Arc<Calls>);

impl Harness for JsHarness {
    fn storage(&self) -> Arc<dyn Storage> {
        let made = self.0.function("storage", Vec::new(), |answer: Js| match answer {
            Js::Integer(id) => Some(id),
            _ => None,
        });
        let id = made.unwrap_or_else(|error| panic!("storage() failed: {error}"));
        Arc::new(Tables(JsStore::numbered(self.0.clone(), id)))
    }
}
