//! The platform: opened on a storage written in JavaScript.

use std::sync::Arc;
use std::time::Duration;

use napi::Env;
use napi::bindgen_prelude::Object;
use napi_derive::napi;
use partnerkit::schema::{TABLES, VERSION};
use partnerkit::storage::Storage;
use partnerkit::storage::host::Tables;

use crate::agency::Agency;
use crate::pool::Pool;
use crate::storage::{Dispatcher, JsStore};
use crate::value::Js;

/// The tables that every storage keeps, as data.
#[napi(catch_unwind)]
pub fn schema() -> Js {
    Js::List(TABLES.iter().map(|table| Js::table(table)).collect())
}

/// The version of these tables.
#[napi(catch_unwind)]
pub fn schema_version() -> Js {
    Js::Integer(VERSION.into())
}

/// A handle on one store.
#[napi]
pub struct Platform {
    pool: Arc<Pool>,
    platform: partnerkit::Platform,
    #[cfg_attr(not(feature = "panics"), allow(dead_code, reason = "the tests' panic needs it"))]
    storage: Arc<dyn Storage>,
}

/// Opens a platform. The work runs on `threads` threads of our own, which wait at most `deadline`
/// milliseconds for each call of the storage.
#[napi(catch_unwind)]
pub fn open<'env>(
    env: &'env Env,
    dispatcher: Dispatcher<'_>,
    threads: u32,
    deadline: u32,
) -> napi::Result<Object<'env>> {
    if !(1..=256).contains(&threads) {
        return Err(napi::Error::from_reason("threads must be 1 to 256"));
    }
    let store = JsStore::new(&dispatcher, Duration::from_millis(deadline.into()))?;
    let storage: Arc<dyn Storage> = Arc::new(Tables(store));
    let pool = Arc::new(Pool::new(threads)?);
    pool.clone().promise(env, move || {
        let platform = partnerkit::Platform::builder().open_storage(storage.clone())?;
        platform.prepare()?;
        Ok(Platform { pool, platform, storage })
    })
}

#[napi]
impl Platform {
    #[napi(catch_unwind)]
    pub fn create_agency<'env>(&self, env: &'env Env, id: String) -> napi::Result<Object<'env>> {
        let (pool, platform) = (self.pool.clone(), self.platform.clone());
        self.pool.promise(env, move || Ok(Agency::new(pool, platform.create_agency(&id, None)?)))
    }

    #[napi(catch_unwind)]
    pub fn agency<'env>(&self, env: &'env Env, id: String) -> napi::Result<Object<'env>> {
        let (pool, platform) = (self.pool.clone(), self.platform.clone());
        self.pool.promise(env, move || Ok(Agency::new(pool, platform.agency(&id)?)))
    }
}

#[cfg(feature = "panics")]
#[napi]
impl Platform {
    /// Panics in the middle of a transaction.
    #[napi(catch_unwind)]
    pub fn panic<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        let storage = self.storage.clone();
        self.pool.promise::<Js>(env, move || {
            let agency = partnerkit::AgencyId::parse("northwind").expect("an id");
            let scope = partnerkit::storage::Scope::Own;
            storage.write(&agency, scope, &mut |_| panic!("on purpose, for the tests"))?;
            Ok(Js::Null)
        })
    }
}
