//! The handles, and what of them is no generated operation.

use std::sync::Arc;

use crate::awaited::brief;
use crate::failures::PartnerKitError;

/// One store, opened and configured once, with the operations that concern all agencies. It is safe to
/// use from many threads.
#[derive(uniffi::Object)]
pub struct Platform(pub(crate) partnerkit::Platform);

/// One agency's resellers. Records of other agencies do not exist for it.
#[derive(uniffi::Object)]
pub struct Agency(pub(crate) partnerkit::Agency);

#[uniffi::export]
impl Platform {
    /// Opens a store: `memory:` or `sqlite:FILE`. The login base is the domain below which resellers
    /// have their login domains.
    ///
    /// Errors: `Configuration`, `Storage`.
    #[uniffi::constructor(default(login_base = None))]
    pub async fn open(url: String, login_base: Option<String>) -> Result<Self, PartnerKitError> {
        let mut builder = partnerkit::Platform::builder();
        if let Some(login_base) = login_base {
            builder = builder.login_base(login_base);
        }
        brief(move || builder.open(&url).map(Self)).await
    }

    /// The handle on an agency, which is created first if there is none. The time zone is that of an
    /// agency that is created here.
    ///
    /// Field errors: `id`, `time_zone`.
    #[uniffi::method(default(time_zone = None))]
    pub async fn ensure_agency(
        &self,
        id: String,
        time_zone: Option<String>,
    ) -> Result<Arc<Agency>, PartnerKitError> {
        let it = self.0.clone();
        let agency = brief(move || it.ensure_agency(&id, time_zone.as_deref())).await?;
        Ok(Arc::new(Agency(agency)))
    }
}

#[uniffi::export]
impl Agency {
    /// The agency's id.
    pub fn id(&self) -> String {
        self.0.id().as_str().to_owned()
    }
}
