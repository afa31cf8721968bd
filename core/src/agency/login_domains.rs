//! Login domains: whether one can be had, and changing a reseller's.

use super::Agency;
use super::creation::reserved_by;
use super::resellers::{expect_version, label_row, one};
use crate::availability::DomainAvailability;
use crate::changes::ChangeKind;
use crate::error::{Code, Error, FieldErrors, Refusal, Result};
use crate::reseller::{Reseller, ResellerId};
use crate::storage::{Insert, LabelRow, LabelState, Lock, Tx};
use crate::values::LoginDomain;

impl Agency {
    /// Whether a reseller of this agency could have a label now, why not, and what it could have
    /// instead. The answer may be old when it arrives: only creating and renaming decide (S6).
    /// Errors: `NotFound` once the agency is deleted.
    pub fn domain_availability(&self, label: &str) -> Result<DomainAvailability> {
        self.observe("domain_availability", None, || {
            let agency = self.read(|reads| reads.held_agency())?;
            self.shared.availability(label, &agency.settings.reserved_labels)
        })
    }

    /// Gives a reseller another login domain, in one step; the old one is quarantined
    /// (S7). Ids and stamps stay. With an expected `version`, a record that has changed
    /// since is a `Conflict`. Renaming to the present login domain changes nothing.
    ///
    /// Errors: `NotFound`, `Conflict`; field `login_domain`.
    pub fn rename_login_domain(
        &self,
        id: ResellerId,
        version: Option<u64>,
        login_domain: &str,
    ) -> Result<Reseller> {
        self.observe("rename_login_domain", id, || {
            let refused = |refusal: Refusal| FieldErrors::from(refusal.of("login_domain"));
            let label = self.shared.login_domains.shape(login_domain).map_err(refused)?;
            let now = self.now();
            let change = self.change(ChangeKind::LoginDomainChanged, Some(id), 0, now);
            self.write(|tx| {
                let seen = one(tx.resellers(&[id])?)?;
                // What is read here may be old already, and is looked at again under the lock.
                expect_version(version, seen.version)?;
                if seen.login_domain == label {
                    return Ok(seen);
                }
                // Who has a reserved label keeps it, and nobody else gets one (S4).
                if self.shared.login_domains.is_reserved(&label) {
                    return Err(refused(Code::Reserved.into()).into());
                }
                self.swap_labels(tx, &seen, &label)?;
                if let Some(reserved) = reserved_by(&tx.held_agency()?, &label) {
                    return Err(FieldErrors::from(reserved).into());
                }
                let before = one(tx.lock_resellers(&[id], Lock::Update)?)?;
                expect_version(version, before.version)?;
                if before.login_domain != seen.login_domain {
                    return Err(Error::aborted("the login domain has changed"));
                }
                let mut after = Reseller { login_domain: label.clone(), ..before };
                after.version += 1;
                after.updated_at = now.max(after.updated_at);
                if let Insert::Existing(()) = tx.update_reseller(&after)? {
                    return Err(Error::aborted("another reseller has one of its fields"));
                }
                let (version, at) = (after.version, after.updated_at);
                tx.append_changes(&[crate::Change { version, at, ..change.clone() }])?;
                Ok(after)
            })
        })
    }

    /// Claims the new label and quarantines the old one, in the order of locks: by label.
    fn swap_labels(&self, tx: &mut Tx<'_>, seen: &Reseller, label: &LoginDomain) -> Result<()> {
        let now = self.now();
        let until = LabelState::Quarantined(self.shared.login_domains.free_at(now));
        let old = label_row(seen, until);
        let held = LabelState::Held(seen.id);
        let new = LabelRow { label: label.clone(), state: held, ..old.clone() };
        if old.label < new.label {
            tx.put_label(&old)?;
        }
        let claimed = tx.claim_labels(std::slice::from_ref(&new), now)?.pop();
        if let Some(Insert::Existing(holder)) = claimed {
            let refusal: Refusal = holder.state.refusal().into();
            return Err(FieldErrors::from(refusal.of("login_domain")).into());
        }
        if old.label > new.label {
            tx.put_label(&old)?;
        }
        Ok(())
    }
}
