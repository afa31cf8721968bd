//! The life of a reseller: get, list, update, switch off and on.

use super::Agency;
use crate::access::{Credentials, Generation};
use crate::changes::{Change, ChangeKind};
use crate::error::{Code, Error, FieldError, FieldErrors, Refusal, Result};
use crate::partner_type::PartnerType;
use crate::reseller::Lookup;
use crate::reseller::{Reseller, ResellerId, ResellerPatch, Status};
use crate::search::{Page, ResellerQuery};
use crate::storage::{Insert, LabelRow, LabelState, Lock, Reads, Tx};
use crate::usage::ACTIVE_RESELLERS;
use crate::usage::TotalDelta;
use crate::values::plain_text;

impl Agency {
    /// A reseller by id.
    pub fn reseller(&self, id: ResellerId) -> Result<Reseller> {
        self.observe("reseller", id, || self.read(|reads| one(reads.resellers(&[id])?)))
    }

    /// A reseller by the host's own id; `None` if no reseller has it. Errors: `NotFound` once the
    /// agency is deleted; field `external_id`.
    pub fn reseller_by_external_id(&self, external_id: &str) -> Result<Option<Reseller>> {
        self.observe("reseller_by_external_id", None, || {
            let refused = |refusal: Refusal| FieldErrors::from(refusal.of("external_id"));
            let id = crate::values::ExternalId::parse(external_id).map_err(refused)?;
            let lookup = Lookup::ExternalId(id);
            self.read(|reads| {
                Ok(reads.find(std::slice::from_ref(&lookup))?.into_iter().flatten().next())
            })
        })
    }

    /// One page of the resellers that a query asks for, newest first unless it says otherwise.
    ///
    /// Errors: `InvalidCursor`, `NotFound` once the agency is deleted; fields `limit` and `text`.
    pub fn page(&self, query: &ResellerQuery) -> Result<Page> {
        self.observe("page", None, || {
            let seal = self.seal()?;
            let spec = query.spec(&seal)?;
            let (rows, counted) = self.read(|reads| {
                let count = |cap| reads.count(&spec.filter, cap);
                let counted = query.count_up_to().map(count).transpose()?;
                Ok((reads.page(&spec)?, counted))
            })?;
            query.page(rows, counted, &spec, &seal)
        })
    }

    /// Changes a profile. With an expected `version`, a record that has changed since is a
    /// `Conflict` (S22). A patch that changes nothing leaves the version as it is.
    pub fn update_reseller(
        &self,
        id: ResellerId,
        version: Option<u64>,
        patch: &ResellerPatch,
    ) -> Result<Reseller> {
        self.observe("update_reseller", id, || {
            let generation = self.shared.new_generation();
            self.mutate(id, ChangeKind::ResellerUpdated, |tx, before, change| {
                expect_version(version, before.version)?;
                let (after, changed) = patch.apply(before)?;
                if changed.contains(&"email") {
                    renew(tx, id, generation)?;
                }
                change.fields = changed.into_iter().map(str::to_owned).collect();
                Ok((!change.fields.is_empty()).then_some(after))
            })
        })
    }

    /// Switches a reseller off. When this has returned, no sign-in succeeds and no stamp given
    /// out before is valid, on any process (S20). Repeating it changes nothing (S21).
    /// Field errors: `reason` (1–500 characters).
    pub fn deactivate(&self, id: ResellerId, reason: Option<&str>) -> Result<Reseller> {
        self.observe("deactivate", id, || {
            let refused = |refusal: Refusal| FieldErrors::from(refusal.of("reason"));
            let reason = reason.map(|raw| plain_text(raw, 500)).transpose().map_err(refused)?;
            let generation = self.shared.new_generation();
            self.mutate(id, ChangeKind::ResellerDeactivated, |tx, before, _| {
                if before.status == Status::Inactive {
                    return Ok(None);
                }
                renew(tx, id, generation)?;
                let (status, deactivation_reason) = (Status::Inactive, reason.clone());
                Ok(Some(Reseller { status, deactivation_reason, ..before.clone() }))
            })
        })
    }

    /// Switches a reseller on again. Stamps from before stay invalid. Repeating it changes
    /// nothing.
    pub fn activate(&self, id: ResellerId) -> Result<Reseller> {
        self.observe("activate", id, || {
            self.mutate(id, ChangeKind::ResellerActivated, |_, before, _| {
                let inactive = before.status == Status::Inactive;
                let (status, deactivation_reason) = (Status::Active, None);
                Ok(inactive.then(|| Reseller { status, deactivation_reason, ..before.clone() }))
            })
        })
    }

    /// Changes what a reseller sells, from now on; what it did so far stays as it is (S41).
    /// Setting the same type again changes nothing. Field errors: `partner_type`.
    pub fn change_partner_type(
        &self,
        id: ResellerId,
        version: Option<u64>,
        partner_type: &str,
    ) -> Result<Reseller> {
        self.observe("change_partner_type", id, || {
            let refused = || FieldErrors::from(FieldError::new("partner_type", Code::Invalid));
            let partner_type = PartnerType::from_slug(partner_type).ok_or_else(refused)?;
            self.mutate(id, ChangeKind::PartnerTypeChanged, |_, before, _| {
                expect_version(version, before.version)?;
                let differs = before.partner_type != partner_type;
                Ok(differs.then(|| Reseller { partner_type, ..before.clone() }))
            })
        })
    }

    /// Changes a locked reseller. `None` from the work leaves everything as it is: version,
    /// totals and change feed.
    fn mutate(
        &self,
        id: ResellerId,
        kind: ChangeKind,
        mut work: impl FnMut(&mut Tx<'_>, &Reseller, &mut Change) -> Result<Option<Reseller>> + Send,
    ) -> Result<Reseller> {
        let now = self.now();
        let change = self.change(kind, Some(id), 0, now);
        self.write(|tx| {
            let mut change = change.clone();
            let before = one(tx.lock_resellers(&[id], Lock::Update)?)?;
            let Some(mut after) = work(tx, &before, &mut change)? else { return Ok(before) };
            after.version = before.version + 1;
            after.updated_at = now.max(before.updated_at);
            (change.version, change.at) = (after.version, after.updated_at);
            if let Insert::Existing(_) = tx.update_reseller(&after)? {
                let mut errors = FieldErrors::default();
                taken_fields(tx, &after, &mut errors)?;
                return Err(errors.into());
            }
            let add = active(&after) - active(&before);
            if add != 0 {
                tx.add_totals(&[TotalDelta { name: ACTIVE_RESELLERS, add }])?;
            }
            tx.append_changes(std::slice::from_ref(&change))?;
            Ok(after)
        })
    }
}

/// A record that has changed since it was read is a conflict; `None` is any version (S22).
pub(super) fn expect_version(expected: Option<u64>, current: u64) -> Result<()> {
    match expected {
        Some(expected) if expected != current => Err(Error::conflict(current)),
        _ => Ok(()),
    }
}

pub(super) fn one(rows: Vec<Option<Reseller>>) -> Result<Reseller> {
    rows.into_iter().flatten().next().ok_or_else(|| Error::not_found("reseller"))
}

pub(super) fn active(reseller: &Reseller) -> i64 {
    i64::from(reseller.status == Status::Active)
}

pub(crate) fn label_row(reseller: &Reseller, state: LabelState) -> LabelRow {
    let (label, agency) = (reseller.login_domain.clone(), reseller.agency.clone());
    LabelRow { label, agency, state }
}

/// Which of a reseller's unique fields another one has. A store names only one of them, and a
/// form wants all.
pub(super) fn taken_fields(
    reads: &mut Reads<'_>,
    wanted: &Reseller,
    errors: &mut FieldErrors,
) -> Result<()> {
    let external = wanted.external_id.clone().map(|id| ("external_id", Lookup::ExternalId(id)));
    let lookups = [Some(("email", Lookup::Email(wanted.email.clone()))), external];
    let (fields, lookups): (Vec<_>, Vec<_>) = lookups.into_iter().flatten().unzip();
    let mut found = false;
    for (field, holder) in fields.into_iter().zip(reads.find(&lookups)?) {
        if holder.is_some_and(|holder| holder.id != wanted.id) {
            errors.push(FieldError::new(field, Code::Taken));
            found = true;
        }
    }
    if !found {
        // The holder was deleted between the two statements.
        return Err(Error::aborted("a unique field has become free"));
    }
    Ok(())
}

/// Ends every access stamp given out so far.
pub(super) fn renew(tx: &mut Tx<'_>, id: ResellerId, generation: Generation) -> Result<()> {
    let (_, before) = tx.account(id)?.ok_or_else(|| Error::not_found("reseller"))?;
    tx.put_credentials(id, &Credentials { generation, ..before })
}
