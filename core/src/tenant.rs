//! The state of the operations on one agency. They are implemented in the modules of their nouns,
//! as methods of [`Tenant`], and the handle [`Agency`](crate::Agency) delegates to them.

use std::sync::Arc;

use crate::error::Result;
use crate::records::{self, Reads, Tx};
use crate::search::CursorSeal;
use crate::shared::Shared;
use crate::storage::Scope;
use crate::values::{AgencyId, Timestamp};

/// One agency, and the actor that acts for it.
#[derive(Clone)]
pub(crate) struct Tenant {
    pub shared: Arc<Shared>,
    pub id: AgencyId,
    /// The actor of the changes, as the host gave it.
    pub actor: Option<String>,
}

impl Tenant {
    pub(crate) fn new(shared: Arc<Shared>, id: AgencyId) -> Self {
        Self { shared, id, actor: None }
    }

    /// Runs work on a snapshot of the agency. Errors: `NotFound` once the agency is deleted (S56).
    pub(crate) fn read<T: Send>(
        &self,
        work: impl FnMut(&mut Reads<'_>) -> Result<T> + Send,
    ) -> Result<T> {
        records::read(&self.shared.storage, &self.id, work)
    }

    /// Runs work in a transaction, which is the host's if there is one.
    pub(crate) fn write<T: Send>(
        &self,
        work: impl FnMut(&mut Tx<'_>) -> Result<T> + Send,
    ) -> Result<T> {
        records::write(&self.shared.storage, &self.id, Scope::Join, work)
    }

    /// Runs work in a transaction of its own.
    pub(crate) fn write_beside<T: Send>(
        &self,
        work: impl FnMut(&mut Tx<'_>) -> Result<T> + Send,
    ) -> Result<T> {
        records::write(&self.shared.storage, &self.id, Scope::Own, work)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    pub(crate) fn seal(&self) -> Result<CursorSeal<'_>> {
        Ok(CursorSeal { secrets: self.shared.secrets()?, agency: &self.id })
    }
}
