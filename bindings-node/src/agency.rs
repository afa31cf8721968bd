//! The native half of `Agency`: what is not an operation. The operations are generated.

use napi::Unknown;
use napi::bindgen_prelude::ToNapiValue;
use napi_derive::napi;

use crate::error::Failure;
use crate::given::argument;
use crate::handle::Handle;
use crate::home::{Answers, Home, Make};
use crate::platform::Synchronous;

/// The handle of one agency.
#[napi]
pub struct Agency {
    pub(crate) home: Home,
    pub(crate) agency: Handle<partnerkit::Agency>,
}

impl Agency {
    pub fn new(home: Home, agency: partnerkit::Agency) -> Self {
        Self { home, agency: agency.into() }
    }
}

impl Answers for Agency {
    #[allow(unsafe_code, reason = "napi declares its conversions unsafe")]
    fn prepared(self) -> Result<Make, Failure> {
        // SAFETY: a `Make` runs on JavaScript's thread, and `env` is its environment.
        Ok(Box::new(|env| unsafe { Self::to_napi_value(env.raw(), self) }))
    }
}

#[napi]
impl Agency {
    #[napi(getter, catch_unwind)]
    pub fn id(&self) -> String {
        self.agency.id().to_string()
    }

    /// The handle that records an actor with every change.
    #[napi(catch_unwind)]
    pub fn acting_as(&self, actor: Unknown<'_>) -> napi::Result<Synchronous<Self>> {
        Synchronous::of(|| {
            let actor: String = argument("actor", actor)?;
            let agency = self.agency.acting_as(&actor).map_err(|error| Failure::of(&error))?;
            Ok(Self::new(self.home.clone(), agency))
        })
    }
}
