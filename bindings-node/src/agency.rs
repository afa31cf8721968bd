//! The handle on one agency. So far it can create and read resellers.

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::Object;
use napi_derive::napi;
use partnerkit::ResellerId;

use crate::pool::Pool;
use crate::reseller::{ResellerDraft, record};

/// One agency's resellers.
#[napi]
pub struct Agency {
    pool: Arc<Pool>,
    agency: partnerkit::Agency,
}

impl Agency {
    pub fn new(pool: Arc<Pool>, agency: partnerkit::Agency) -> Self {
        Self { pool, agency }
    }
}

#[napi]
impl Agency {
    #[napi(catch_unwind)]
    pub fn create_reseller<'env>(
        &self,
        env: &'env Env,
        draft: ResellerDraft,
    ) -> napi::Result<Object<'env>> {
        let agency = self.agency.clone();
        self.pool.promise(env, move || agency.create_reseller(draft.into()).map(record))
    }

    #[napi(catch_unwind)]
    pub fn reseller<'env>(&self, env: &'env Env, id: String) -> napi::Result<Object<'env>> {
        let agency = self.agency.clone();
        self.pool.promise(env, move || {
            // A text that is not an id becomes an id that no reseller has.
            let id = id.parse().unwrap_or(ResellerId::from_uuid(uuid::Uuid::nil()));
            agency.reseller(id).map(record)
        })
    }
}
