//! What the operations of one agency work with; each stands with its noun, as a method of
//! [`Tenant`], and the handle [`Agency`](crate::Agency) delegates to it.

use std::sync::Arc;

use crate::error::Result;
use crate::records::{self, Reads, Tx};
use crate::search::CursorSeal;
use crate::shared::Shared;
use crate::storage::Scope;
use crate::values::{AgencyId, Timestamp};

/// One agency, and who acts for it.
#[derive(Clone)]
pub(crate) struct Tenant {
    pub shared: Arc<Shared>,
    pub id: AgencyId,
    /// Who makes the changes, as the host has said.
    pub actor: Option<String>,
}

impl Tenant {
    pub(crate) fn new(shared: Arc<Shared>, id: AgencyId) -> Self {
        Self { shared, id, actor: None }
    }

    /// Errors: `NotFound` once the agency is deleted (S56).
    pub(crate) fn read<T: Send>(
        &self,
        work: impl FnMut(&mut Reads<'_>) -> Result<T> + Send,
    ) -> Result<T> {
        records::read(&self.shared.storage, &self.id, work)
    }

    /// The same in a transaction, the host's if there is one.
    pub(crate) fn write<T: Send>(
        &self,
        work: impl FnMut(&mut Tx<'_>) -> Result<T> + Send,
    ) -> Result<T> {
        records::write(&self.shared.storage, &self.id, Scope::Join, work)
    }

    /// The same in a transaction of its own.
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
