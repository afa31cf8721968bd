//! Who holds a login domain: rows that are unique across agencies, and read across them.

use crate::error::Result;
use crate::reseller::Reseller;
use crate::storage::{self, Insert, LabelRow, LabelState, Lock, Storage, Tx};
use crate::values::{AgencyId, LoginDomain, Timestamp};

/// Who holds each label.
pub(crate) fn holders(
    storage: &dyn Storage,
    labels: &[LoginDomain],
) -> Result<Vec<Option<LabelRow>>> {
    storage::read(storage, &AgencyId::platform(), |reads| reads.get(labels))
}

/// The same, as it is committed, whatever the host has open.
pub(crate) fn holders_beside(
    storage: &dyn Storage,
    labels: &[LoginDomain],
) -> Result<Vec<Option<LabelRow>>> {
    storage::read_beside(storage, &AgencyId::platform(), |reads| reads.get(labels))
}

/// The row of a reseller's label.
pub(crate) fn label_row(reseller: &Reseller, state: LabelState) -> LabelRow {
    let (label, agency) = (reseller.login_domain.clone(), reseller.agency.clone());
    LabelRow { label, agency, state }
}

impl Tx<'_> {
    /// Takes labels that are free, or whose quarantine ended at or before `now`; answers with
    /// who holds those that it cannot take. It holds all of them then.
    pub fn claim_labels(
        &mut self,
        labels: &[LabelRow],
        now: Timestamp,
    ) -> Result<Vec<Insert<LabelRow>>> {
        let claim = storage::insert_or_lock(self.agency_id(), labels, Lock::Update)?;
        let mut free = Vec::new();
        let mut claimed = Vec::new();
        for (label, outcome) in labels.iter().zip(self.ask(claim)?) {
            claimed.push(match outcome {
                Insert::Existing(before) if before.is_free(now) => {
                    free.push(label.clone());
                    Insert::Done
                }
                outcome => outcome,
            });
        }
        self.put(&free)?;
        Ok(claimed)
    }

    /// Stores a label that the agency holds.
    pub fn put_label(&mut self, label: &LabelRow) -> Result<()> {
        self.put(std::slice::from_ref(label))
    }
}
