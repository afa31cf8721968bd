//! The handle on one agency, which cannot reach any other agency. The operations are implemented in
//! the modules of their nouns, as methods of [`Tenant`].

mod agencies;
mod configuring;
mod deletion;
mod rows;
mod settings;

pub use deletion::AgencyDeletionPreview;
pub(crate) use deletion::Erased;
pub(crate) use rows::agencies;
pub use settings::{AgencyPatch, AgencyRow, AgencySettings};

use crate::error::{Result, refused};
use crate::tenant::Tenant;
use crate::values::{AgencyId, plain_text};

/// One agency's resellers, usage and changes. Records of other agencies do not exist for it.
#[derive(Clone)]
pub struct Agency {
    pub(crate) tenant: Tenant,
}

impl Agency {
    /// The agency's id.
    ///
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/setup.rs")); }
    /// # let setup::Scene { platform, agency, acme, password, form } = setup::scene()?;
    /// assert_eq!(agency.id().as_str(), "northwind");
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub fn id(&self) -> &AgencyId {
        &self.tenant.id
    }

    /// A handle on the same agency that notes with every change which of the host's actors made it.
    ///
    /// Field errors: `actor` (1–200 characters).
    ///
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/setup.rs")); }
    /// # let setup::Scene { platform, agency, acme, password, form } = setup::scene()?;
    /// agency.acting_as("user-42")?.deactivate(acme.id, None)?;
    /// let changes = agency.changes(None, None)?;
    /// assert_eq!(changes.last().unwrap().actor.as_deref(), Some("user-42"));
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub fn acting_as(&self, actor: &str) -> Result<Self> {
        let actor = Some(plain_text(actor, 200).map_err(refused("actor"))?);
        Ok(Self { tenant: Tenant { actor, ..self.tenant.clone() } })
    }
}

impl From<Tenant> for Agency {
    fn from(tenant: Tenant) -> Self {
        Self { tenant }
    }
}
