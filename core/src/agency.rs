//! The handle on one agency: everything an agency does, and nothing of any other agency.

mod batch;
mod bulk;
mod creation;
mod credentials;
mod deletion;
mod login_domains;
mod metering;
mod resellers;
mod rows;
mod settings;

pub(crate) use batch::Taken;
pub use deletion::DeletionPlan;
pub(crate) use rows::agencies;

use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::changes::{Change, ChangeKind};
use crate::error::{Code, FieldErrors, Refusal, Result};
use crate::reseller::{AcceptedDraft, FormRules, ResellerDraft, ResellerId};
use crate::search::CursorSeal;
use crate::shared::Shared;
use crate::storage::{self, AgencyRow, Reads, Scope, Tx};
use crate::values::{AgencyId, LoginDomainPolicy, Timestamp, plain_text};

/// One agency's resellers, usage and changes. Ids of other agencies do not exist here (S26).
#[derive(Clone)]
pub struct Agency {
    shared: Arc<Shared>,
    id: AgencyId,
    actor: Option<String>,
}

impl Agency {
    /// How many entries of [`changes`](Self::changes) a binding asks for when it is not told.
    pub const DEFAULT_CHANGES: u32 = 100;

    pub(crate) fn new(shared: Arc<Shared>, row: AgencyRow) -> Self {
        Self { shared, id: row.settings.agency, actor: None }
    }

    /// The agency's id.
    pub fn id(&self) -> &AgencyId {
        &self.id
    }

    /// The same agency, with every change noted as made by this actor of the host's (S47).
    /// Field errors: `actor` (1–200 characters).
    pub fn acting_as(&self, actor: &str) -> Result<Self> {
        let refused = |refusal: Refusal| FieldErrors::from(refusal.of("actor"));
        let actor = plain_text(actor, 200).map_err(refused)?;
        Ok(Self { actor: Some(actor), ..self.clone() })
    }

    /// Entries of the change feed behind the sequence `after`, in order: without gaps, and none
    /// will ever appear behind one that was seen. `limit` is 1–1,000.
    ///
    /// Field errors: `limit`; `after` (`too_old`) when entries behind it have been removed, as
    /// the host has configured: read everything anew then, and follow from `min` on.
    pub fn changes(&self, after: u64, limit: u32) -> Result<Vec<Change>> {
        self.observe("changes", None, || {
            if !(1..=1_000).contains(&limit) {
                let refusal =
                    Refusal { code: Code::OutOfRange, params: vec![("min", 1), ("max", 1_000)] };
                return Err(FieldErrors::from(refusal.of("limit")).into());
            }
            self.write(|tx| tx.follow(after, limit))
        })
    }

    pub(crate) fn change(
        &self,
        kind: ChangeKind,
        reseller: Option<ResellerId>,
        version: u64,
        at: Timestamp,
    ) -> Change {
        let id = self.shared.new_id(at);
        let actor = self.actor.clone();
        Change { sequence: 0, id, kind, reseller, version, at, actor, fields: Vec::new() }
    }

    /// Errors: `NotFound` once the agency is deleted (S56).
    fn read<T: Send>(&self, work: impl FnMut(&mut Reads<'_>) -> Result<T> + Send) -> Result<T> {
        storage::read(&*self.shared.storage, &self.id, work)
    }

    fn write<T: Send>(&self, work: impl FnMut(&mut Tx<'_>) -> Result<T> + Send) -> Result<T> {
        storage::write(&*self.shared.storage, &self.id, Scope::Join, work)
    }

    fn seal(&self) -> Result<CursorSeal<'_>> {
        Ok(CursorSeal { secrets: self.shared.secrets()?, agency: &self.id })
    }

    /// A form as values, or everything that is wrong with it.
    pub(crate) fn accept(&self, draft: &ResellerDraft) -> Result<AcceptedDraft, FieldErrors> {
        draft.accept(&self.shared.form_rules())
    }

    /// The same by the shape of its login domain alone: what a reseller has that is there already.
    pub(crate) fn accept_held(&self, draft: &ResellerDraft) -> Result<AcceptedDraft, FieldErrors> {
        let login_domains = &LoginDomainPolicy::of_holders();
        draft.accept(&FormRules { login_domains, ..self.shared.form_rules() })
    }

    /// A short hash, to tell values apart without keeping them.
    pub(crate) fn short_hash(&self, field: &str, value: &str) -> [u8; 16] {
        let hash =
            Sha256::new().chain_update(field).chain_update([0]).chain_update(value).finalize();
        std::array::from_fn(|i| hash[i])
    }

    fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }
}
