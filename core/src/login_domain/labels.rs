//! The rows of login domains, which are unique across agencies and read across them.

use crate::error::{Code, Result};
use crate::login_domain::{LabelRow, LabelState};
use crate::records::{self, Insert, Question, Tx, insert_or_lock};
use crate::reseller::Reseller;
use crate::storage::{Lock, Storage};
use crate::values::{AgencyId, LoginDomain, Timestamp};

/// The rows of labels, in their order.
pub(crate) fn holders(
    storage: &dyn Storage,
    labels: &[LoginDomain],
) -> Result<Vec<Option<LabelRow>>> {
    records::read(storage, &AgencyId::platform(), |reads| reads.get(labels))
}

/// The committed rows of labels, even inside a host's transaction.
pub(crate) fn holders_beside(
    storage: &dyn Storage,
    labels: &[LoginDomain],
) -> Result<Vec<Option<LabelRow>>> {
    records::read_beside(storage, &AgencyId::platform(), |reads| reads.get(labels))
}

/// The row of a reseller's label.
pub(crate) fn label_row(reseller: &Reseller, state: LabelState) -> LabelRow {
    let (label, agency) = (reseller.login_domain.clone(), reseller.agency.clone());
    LabelRow { label, agency, state }
}

/// Why a label cannot be taken: it is held, quarantined or `reserved` (S4, S7). Its holder keeps it
/// in every case.
pub(crate) fn refusal(
    label: &LoginDomain,
    holder: Option<&LabelRow>,
    reserved: impl Fn(&LoginDomain) -> bool,
    now: Timestamp,
) -> Option<Code> {
    match holder {
        Some(holder) if !holder.is_free(now) => Some(holder.state.refusal()),
        _ => reserved(label).then_some(Code::Reserved),
    }
}

/// Labels to claim, in lock order.
pub(crate) struct Claim<'l> {
    labels: &'l [LabelRow],
    /// The time at which a quarantine must have ended.
    now: Timestamp,
}

impl<'l> Claim<'l> {
    pub fn new(labels: &'l [LabelRow], now: Timestamp) -> Self {
        Self { labels, now }
    }

    /// The query that inserts new labels and locks existing ones.
    pub fn question(&self, tx: &Tx<'_>) -> Result<Question<Vec<Insert<LabelRow>>>> {
        insert_or_lock(tx.agency_id(), self.labels, Lock::Update)
    }

    /// Also claims labels whose quarantine is over, and returns why the others cannot be claimed.
    pub fn settle(
        &self,
        tx: &mut Tx<'_>,
        held: Vec<Insert<LabelRow>>,
        reserved: impl Fn(&LoginDomain) -> bool,
    ) -> Result<Vec<Option<Code>>> {
        let (mut again, mut refusals) = (Vec::new(), Vec::new());
        for (label, before) in self.labels.iter().zip(held) {
            let holder = match before {
                Insert::Done => None,
                Insert::Existing(holder) => Some(holder),
            };
            let refused = refusal(&label.label, holder.as_ref(), &reserved, self.now);
            if refused.is_none() && holder.is_some() {
                again.push(label.clone());
            }
            refusals.push(refused);
        }
        tx.put(&again)?;
        Ok(refusals)
    }
}
