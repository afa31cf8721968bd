//! Giving a reseller another login domain.

use super::{Claim, label_row};
use crate::changes::ChangeKind;
use crate::error::{Error, Result, refused};
use crate::login_domain::{LabelRow, LabelState};
use crate::records::Tx;
use crate::reseller::{Reseller, ResellerId, expect_version, one};
use crate::storage::Lock;
use crate::tenant::Tenant;
use crate::values::{LoginDomain, Timestamp};

impl Tenant {
    /// Gives a reseller another login domain in one atomic step; the old one is quarantined. Ids
    /// and stamps stay. With an expected `version`, a record that has changed since is a
    /// `Conflict`. Renaming to the present login domain changes nothing.
    ///
    /// Errors: `NotFound`, `Conflict`; field `login_domain`.
    ///
    /// ```example
    /// let renamed = agency.rename_login_domain(acme.id, Some(acme.version), "acmetelecom")?;
    /// assert_eq!(renamed.login_domain.as_str(), "acmetelecom");
    /// assert_eq!(platform.resolve_host("acmetelecom.partner.example.com")?.reseller, acme.id);
    /// assert!(platform.resolve_host("acme.partner.example.com").is_err());
    /// ```
    /// ```python
    /// renamed = agency.rename_login_domain(acme.id, "acmetelecom", acme.version)
    /// assert renamed.login_domain == "acmetelecom"
    /// place = platform.resolve_host("acmetelecom.partner.example.com")
    /// assert place.reseller == acme.id
    /// ```
    /// ```javascript
    /// const { id, version } = acme;
    /// const renamed = await agency.renameLoginDomain(id, 'acmetelecom', { version });
    /// assert.equal(renamed.loginDomain, 'acmetelecom');
    /// const place = await platform.resolveHost('acmetelecom.partner.example.com');
    /// assert.equal(place.reseller, id);
    /// ```
    pub fn rename_login_domain(
        &self,
        id: ResellerId,
        version: Option<u64>,
        login_domain: &str,
    ) -> Result<Reseller> {
        let label = self.shared.login_domains.shape(login_domain);
        let label = label.map_err(refused("login_domain"))?;
        let mutation = self.mutation(ChangeKind::LoginDomainChanged, id);
        self.write(|tx| {
            let seen = one(tx.resellers(&[id])?)?;
            // This read may be outdated already; it is checked again under the lock.
            expect_version(version, seen.version)?;
            if seen.login_domain == label {
                return Ok(seen);
            }
            self.swap_labels(tx, &seen, &label, mutation.at())?;
            let before = one(tx.lock_resellers(&[id], Lock::Update)?)?;
            expect_version(version, before.version)?;
            if before.login_domain != seen.login_domain {
                return Err(Error::aborted("another call changed the login domain"));
            }
            let after = Reseller { login_domain: label.clone(), ..before.clone() };
            mutation.store(tx, &before, after, Vec::new())
        })
    }

    /// Claims the new label and quarantines the old one, in lock order, which is by label.
    fn swap_labels(
        &self,
        tx: &mut Tx<'_>,
        seen: &Reseller,
        label: &LoginDomain,
        now: Timestamp,
    ) -> Result<()> {
        let until = LabelState::Quarantined(self.shared.login_domains.free_at(now));
        let old = [label_row(seen, until)];
        let state = LabelState::Held(seen.id);
        let new = [LabelRow { label: label.clone(), state, ..old[0].clone() }];
        let old_first = old[0].label < new[0].label;
        if old_first {
            tx.put(&old)?;
        }
        let claim = Claim::new(&new, now);
        let question = claim.question(tx)?;
        let held = tx.ask(question)?;
        let agency = tx.held_agency()?;
        let refusal = claim.settle(tx, held, self.shared.reserves(&agency.settings))?.pop();
        if let Some(code) = refusal.flatten() {
            return Err(refused("login_domain")(code));
        }
        if old_first { Ok(()) } else { tx.put(&old) }
    }
}
