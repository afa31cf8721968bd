//! The native half of `Platform`: opening, and what is not an operation. The operations are
//! generated.

use std::sync::Arc;
use std::time::Duration;

use napi::bindgen_prelude::{Object, ToNapiValue};
use napi::{Env, Unknown, sys};
use napi_derive::napi;
use partnerkit::storage::Storage;
use partnerkit::storage::host::Tables;
use partnerkit::{LoginDomain, ResellerDraft};

use crate::arguments::RESELLER_DRAFT;
use crate::error::{Failure, Refused, refused_fields};
use crate::given::{argument, form, optional};
use crate::handle::Handle;
use crate::home::{Answers, Begun, Environment, Home, Length, Make};
use crate::names::path;
use crate::raw::{Made, Maker, Value};
use crate::settings::{settings, typed};
use crate::storage::{Calls, Dispatcher, JsStore};

/// How long a function among the settings may take: a verifier hashes a password.
const OF_SETTINGS: Duration = Duration::from_secs(30);

/// A handle on one store.
#[napi]
pub struct Platform {
    pub(crate) home: Home,
    pub(crate) platform: Handle<partnerkit::Platform>,
}

impl Platform {
    fn new(home: Home, platform: partnerkit::Platform) -> Self {
        Self { home, platform: platform.into() }
    }
}

impl Answers for Platform {
    #[allow(unsafe_code, reason = "napi declares its conversions unsafe")]
    fn prepared(self) -> Result<Make, Failure> {
        // SAFETY: a `Make` runs on JavaScript's thread, and `env` is its environment.
        Ok(Box::new(|env| unsafe { Self::to_napi_value(env.raw(), self) }))
    }
}

#[napi]
impl Environment {
    /// Opens a store by its URL. `dispatcher` calls the functions among the settings.
    #[napi(catch_unwind)]
    pub fn open(
        &self,
        call: u32,
        url: Unknown<'_>,
        given: Object<'_>,
        dispatcher: Dispatcher<'_>,
    ) -> Begun {
        self.home.call(call, || {
            let url: String = typed("url", url)?;
            let builder = settings(&given, || self.of_settings(&dispatcher))?;
            let home = self.home.clone();
            let open = move || builder.open(&url).map(|platform| Platform::new(home, platform));
            Ok((Length::Long, open))
        })
    }

    /// Opens a store of the host's own, each of whose calls may take `deadline` milliseconds.
    #[napi(catch_unwind)]
    pub fn with_storage(
        &self,
        call: u32,
        storage: Dispatcher<'_>,
        deadline: u32,
        given: Object<'_>,
        dispatcher: Dispatcher<'_>,
    ) -> Begun {
        self.home.call(call, || {
            let builder = settings(&given, || self.of_settings(&dispatcher))?;
            let storage = JsStore::new(self.of_storage(&storage, deadline)?);
            let storage: Arc<dyn Storage> = Arc::new(Tables(storage));
            let home = self.home.hosted();
            let open = move || {
                let platform = builder.open_storage(storage)?;
                platform.prepare()?;
                Ok(Platform::new(home, platform))
            };
            Ok((Length::Long, open))
        })
    }
}

impl Environment {
    /// The calls of a storage of the host's; the deadline is in milliseconds.
    pub fn of_storage(&self, dispatcher: &Dispatcher<'_>, deadline: u32) -> napi::Result<Calls> {
        let deadline = Duration::from_millis(deadline.into());
        Calls::new(dispatcher, deadline, "the host's storage")
    }

    /// The calls of the functions among the settings.
    fn of_settings(&self, dispatcher: &Dispatcher<'_>) -> napi::Result<Calls> {
        Calls::new(dispatcher, OF_SETTINGS, "the settings")
    }
}

#[napi]
impl Platform {
    /// What is wrong with a form, or with one of its fields.
    #[napi(catch_unwind)]
    pub fn form_errors(
        &self,
        env: &Env,
        draft: Unknown<'_>,
        field: Unknown<'_>,
    ) -> napi::Result<Synchronous<Made>> {
        Synchronous::of(|| {
            let draft: ResellerDraft = form("draft", draft, &RESELLER_DRAFT)?;
            let field: Option<String> = optional("field", field)?;
            let field = field.map(|field| path(&RESELLER_DRAFT, &field));
            let wrong = self.platform.form_errors(&draft, field.as_deref())?;
            Ok(Made(refused_fields(Maker::of(env), &wrong)?))
        })
    }

    #[napi(catch_unwind)]
    pub fn login_url(&self, login_domain: Unknown<'_>) -> napi::Result<Synchronous<String>> {
        Synchronous::of(|| {
            let label: String = argument("loginDomain", login_domain)?;
            let label = LoginDomain::parse(&label)
                .map_err(|refusal| Failure::refusal("loginDomain", refusal))?;
            Ok(self.platform.login_url(&label))
        })
    }
}

/// The result of a function that needs no store: a value, or a failure, which the package throws.
pub enum Synchronous<T> {
    Made(T),
    Failed(Failure),
}

impl<T> Synchronous<T> {
    pub fn of(work: impl FnOnce() -> Result<T, Refused>) -> napi::Result<Self> {
        match work() {
            Ok(made) => Ok(Self::Made(made)),
            Err(Refused::Failed(failure)) => Ok(Self::Failed(failure)),
            Err(Refused::Raised(raised)) => Err(raised),
        }
    }
}

#[allow(unsafe_code, reason = "napi declares its conversions unsafe")]
impl<T: ToNapiValue> ToNapiValue for Synchronous<T> {
    /// An object with `value` or `failure`.
    unsafe fn to_napi_value(env: sys::napi_env, made: Self) -> napi::Result<Value> {
        let scope = Env::from_raw(env);
        let mut object = Object::new(&scope)?;
        match made {
            Self::Made(value) => object.set("value", value)?,
            Self::Failed(failure) => object.set("failure", failure)?,
        }
        // SAFETY: `env` is the environment that called, and the object is of this scope.
        unsafe { Object::to_napi_value(env, object) }
    }
}
