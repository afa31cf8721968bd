//! Deleting a reseller permanently, and previewing the deletion (S25, S46).

use super::profile::{active, one};
use super::{Reseller, ResellerId};
use crate::changes::ChangeKind;
use crate::error::{Error, Result};
use crate::login_domain::{LabelState, label_row};
use crate::records;
use crate::storage::{Erasure, Lock, Storage};
use crate::tenant::Tenant;
use crate::usage::{ACTIVE_RESELLERS, Meter, Metric, MetricKind, TotalDelta};
use crate::values::{LoginDomain, Timestamp};
use serde::Serialize;

/// What deleting a reseller would do. Nothing blocks a deletion so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DeletionPreview {
    /// The reseller.
    pub reseller: ResellerId,
    /// The login domain that would stop working.
    pub login_domain: LoginDomain,
    /// When somebody else could take the login domain.
    #[serde(serialize_with = "crate::wire::until")]
    pub quarantined_until: Timestamp,
    /// The levels of gauges that would leave the agency's totals.
    #[serde(serialize_with = "crate::wire::pairs")]
    pub levels: Vec<(Metric, i64)>,
}

impl Tenant {
    /// Reports what [`delete_reseller`](Self::delete_reseller) would do now, and changes nothing.
    ///
    /// ```example
    /// let preview = agency.preview_deletion(acme.id)?;
    /// assert_eq!(preview.login_domain, acme.login_domain);
    /// assert!(preview.quarantined_until > acme.created_at);
    /// ```
    /// ```python
    /// preview = agency.preview_deletion(acme.id)
    /// assert preview.login_domain == "acme"
    /// assert preview.quarantined_until > acme.created_at
    /// ```
    /// ```javascript
    /// const { loginDomain, quarantinedUntil } = await agency.previewDeletion(acme.id);
    /// assert.equal(loginDomain, 'acme');
    /// assert.ok(quarantinedUntil && quarantinedUntil > acme.createdAt);
    /// ```
    pub fn preview_deletion(&self, id: ResellerId) -> Result<DeletionPreview> {
        let quarantined_until = self.shared.login_domains.free_at(self.now());
        self.read(|reads| {
            let login_domain = one(reads.resellers(&[id])?)?.login_domain;
            let levels = levels(reads.meters(id)?);
            Ok(DeletionPreview { reseller: id, login_domain, quarantined_until, levels })
        })
    }

    /// Deletes a reseller permanently, with its personal data, credentials and meters. Its use of
    /// counters stays in the agency's totals, and its login domain is quarantined.
    ///
    /// The result tells whether the data is also erased from the store's files.
    ///
    /// ```example
    /// use partnerkit::{Code, Erasure};
    ///
    /// assert_eq!(agency.delete_reseller(acme.id)?, Erasure::Complete);
    /// assert!(agency.reseller(acme.id).is_err());
    /// assert_eq!(agency.domain_availability("acme")?.refused, Some(Code::Quarantined));
    /// ```
    /// ```python
    /// assert agency.delete_reseller(acme.id) == "complete"
    /// label = agency.domain_availability("acme")
    /// assert label.refused == "quarantined"
    /// ```
    /// ```javascript
    /// assert.equal(await agency.deleteReseller(acme.id), 'complete');
    /// const label = await agency.domainAvailability('acme');
    /// assert.equal(label.refused, 'quarantined');
    /// ```
    pub fn delete_reseller(&self, id: ResellerId) -> Result<Erasure> {
        let mutation = self.mutation(ChangeKind::ResellerDeleted, id);
        if !self.shared.storage.joined() {
            // This comes first because it is a transaction of its own: if the next one fails, only
            // failed sign-ins are forgotten. Inside a host's transaction it is skipped, and rows
            // under a keyed hash of the id remain, which no longer belong to a reseller.
            self.shared.forget_attempts_on(&[self.identity(id)])?;
        }
        self.write(|tx| {
            // Labels are locked before resellers, so the label is looked up without a lock.
            let seen = one(tx.resellers(&[id])?)?;
            let quarantined =
                LabelState::Quarantined(self.shared.login_domains.free_at(mutation.at()));
            tx.put(&[label_row(&seen, quarantined)])?;
            let lock = records::lock::<Reseller>(tx.agency_id(), &[id], Lock::Update);
            let questions = (lock, tx.meters_of(id));
            let (locked, meters) = tx.ask(questions)?;
            let reseller = one(locked)?;
            if reseller.login_domain != seen.login_domain {
                return Err(Error::aborted("another call changed the login domain"));
            }
            let deltas = what_leaves(&reseller, meters);
            tx.erase_resellers(&[id])?;
            tx.add_totals(&deltas)?;
            mutation.note(tx, &mutation.next(reseller), Vec::new())
        })?;
        Ok(self.shared.scrub())
    }
}

/// The levels of a reseller's gauges.
fn levels(meters: Vec<Meter>) -> Vec<(Metric, i64)> {
    let gauges = meters.into_iter().filter(|meter| meter.key.metric.kind() == MetricKind::Gauge);
    gauges.map(|meter| (meter.key.metric, meter.value)).collect()
}

/// What a deletion subtracts from the agency's totals: the reseller from the active ones, and the
/// levels of its gauges. Counters are history, and stay.
fn what_leaves(reseller: &Reseller, meters: Vec<Meter>) -> Vec<TotalDelta> {
    let mut deltas = vec![TotalDelta { name: ACTIVE_RESELLERS, add: -active(reseller) }];
    for (metric, level) in levels(meters) {
        deltas.push(TotalDelta { name: metric.slug(), add: -level });
    }
    deltas.sort_by_key(|delta| delta.name);
    deltas
}
