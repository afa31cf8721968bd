//! The life of a reseller: reading, listing, updating, deactivating and activating it.

use super::draft::{deactivation_reason, is_blank};
use super::{Lookup, Reseller, ResellerId, ResellerPatch, Status};
use crate::access::Credentials;
use crate::changes::{ChangeKind, Mutation};
use crate::error::{Code, Error, FieldError, FieldErrors, Result, refused};
use crate::partner_type::PartnerType;
use crate::records::{Insert, Reads, Tx};
use crate::search::{Page, ResellerQuery};
use crate::tenant::Tenant;
use crate::usage::{ACTIVE_RESELLERS, TotalDelta};
use crate::values::ExternalId;

impl Tenant {
    /// A reseller by id.
    ///
    /// ```example
    /// let found = agency.reseller(acme.id)?;
    /// assert_eq!(found.name, acme.name);
    /// ```
    /// ```python
    /// found = agency.reseller(acme.id)
    /// assert found.name == acme.name
    /// ```
    /// ```javascript
    /// const found = await agency.reseller(acme.id);
    /// assert.equal(found.name, acme.name);
    /// ```
    pub fn reseller(&self, id: ResellerId) -> Result<Reseller> {
        self.read(|reads| reads.one(&id)?.ok_or_else(no_reseller))
    }

    /// A reseller by the host's own id; `None` if no reseller has it. Errors: `NotFound` once the
    /// agency is deleted; field `external_id`.
    ///
    /// ```example
    /// use partnerkit::ResellerDraft;
    ///
    /// let globex = ResellerDraft { external_id: Some("customer-7".into()), ..form };
    /// let globex = agency.create_reseller(globex)?;
    /// assert_eq!(agency.reseller_by_external_id("customer-7")?, Some(globex));
    /// assert_eq!(agency.reseller_by_external_id("customer-8")?, None);
    /// ```
    /// ```python
    /// globex = agency.create_reseller(**form, external_id="customer-7")
    /// assert agency.reseller_by_external_id("customer-7") == globex
    /// assert agency.reseller_by_external_id("customer-8") is None
    /// ```
    /// ```javascript
    /// const globex = await agency.createReseller({ ...form, externalId: 'customer-7' });
    /// assert.deepEqual(await agency.resellerByExternalId('customer-7'), globex);
    /// assert.equal(await agency.resellerByExternalId('customer-8'), null);
    /// ```
    pub fn reseller_by_external_id(&self, external_id: &str) -> Result<Option<Reseller>> {
        let id = ExternalId::parse(external_id).map_err(refused("external_id"))?;
        let lookup = [Lookup::ExternalId(id)];
        self.read(|reads| Ok(reads.find(&lookup)?.pop().flatten()))
    }

    /// One page of the resellers that a query finds, by default the newest first.
    ///
    /// Errors: `InvalidCursor`, `NotFound` once the agency is deleted; fields `limit` and `text`.
    ///
    /// ```example
    /// use partnerkit::{ResellerQuery, SortBy, Status, Total};
    ///
    /// agency.create_reseller(form)?;
    /// let query = ResellerQuery::all().status(Status::Active).ascending(SortBy::Name).limit(1);
    /// let first = agency.page(&query.clone().with_total())?;
    /// assert_eq!(first.resellers, [acme]);
    /// assert_eq!(first.total, Some(Total::Exact(2)));
    ///
    /// let second = agency.page(&query.after(first.next.unwrap()))?;
    /// assert_eq!(second.resellers[0].name.as_str(), "Globex");
    /// assert_eq!(second.next, None);
    /// ```
    /// ```python
    /// agency.create_reseller(**form)
    /// first = agency.page(status="active", sort="name", limit=1, with_total=True)
    /// assert first.resellers == (acme,)
    /// assert first.total.count == 2
    ///
    /// second = agency.page(status="active", sort="name", limit=1, after=first.next)
    /// assert second.resellers[0].name == "Globex"
    /// assert second.next is None
    /// ```
    /// ```javascript
    /// await agency.createReseller(form);
    /// const first = await agency.page({ sort: 'name', limit: 1, withTotal: true });
    /// assert.deepEqual(first.resellers, [acme]);
    /// assert.equal(first.total?.count, 2);
    ///
    /// const second = await agency.page({ sort: 'name', limit: 1, after: first.next });
    /// assert.equal(second.resellers[0].name, 'Globex');
    /// assert.equal(second.next, null);
    /// ```
    pub fn page(&self, query: &ResellerQuery) -> Result<Page> {
        let seal = self.seal()?;
        let spec = query.spec(&seal)?;
        let (rows, counted) = self.read(|reads| {
            let count = |cap| reads.count(&spec.filter, cap);
            let counted = query.count_up_to().map(count).transpose()?;
            Ok((reads.page(&spec)?, counted))
        })?;
        query.page(rows, counted, &spec, &seal)
    }

    /// Changes a profile. If `version` is given and the record has another one by now, the error is
    /// `Conflict`, and nothing is written (S22). A patch that changes nothing leaves the version as
    /// it is.
    ///
    /// ```example
    /// use partnerkit::{Patch, ResellerPatch};
    ///
    /// let patch = ResellerPatch {
    ///     name: Some("Acme Mobile".into()),
    ///     website: Patch::Set("acme.example".into()),
    ///     ..ResellerPatch::default()
    /// };
    /// let updated = agency.update_reseller(acme.id, Some(acme.version), &patch)?;
    /// assert_eq!(updated.website.unwrap().as_str(), "https://acme.example/");
    ///
    /// let stale = agency.update_reseller(acme.id, Some(acme.version), &patch).unwrap_err();
    /// assert_eq!(stale.current_version(), Some(updated.version));
    /// ```
    /// ```python
    /// updated = agency.update_reseller(
    ///     acme.id, acme.version, name="Acme Mobile", website="acme.example"
    /// )
    /// assert updated.website == "https://acme.example/"
    /// try:
    ///     agency.update_reseller(acme.id, acme.version, website=None)  # clears it
    /// except partnerkit.ConflictError as error:
    ///     assert error.current_version == updated.version
    /// ```
    /// ```javascript
    /// const { id, version } = acme;
    /// const changes = { name: 'Acme Mobile', website: 'acme.example' };
    /// const updated = await agency.updateReseller(id, changes, { version });
    /// assert.equal(updated.website, 'https://acme.example/');
    ///
    /// const outdated = agency.updateReseller(id, { website: null }, { version }); // clears it
    /// await assert.rejects(outdated, { name: 'ConflictError', currentVersion: updated.version });
    /// ```
    pub fn update_reseller(
        &self,
        id: ResellerId,
        version: Option<u64>,
        patch: &ResellerPatch,
    ) -> Result<Reseller> {
        self.mutate(id, ChangeKind::ResellerUpdated, |before| {
            expect_version(version, before.version)?;
            let (after, fields) = patch.apply(before)?;
            let ends_access = fields.contains(&"email");
            Ok((!fields.is_empty()).then_some(Changed { after, fields, ends_access }))
        })
    }

    /// Deactivates a reseller. Once this has returned, no sign-in succeeds and no earlier stamp is
    /// valid, in any process. Repeating it changes nothing. An empty reason is none. Field errors:
    /// `reason` (at most 500 characters).
    ///
    /// ```example
    /// use partnerkit::Status;
    ///
    /// let access = platform.sign_in("acme", "owner@acme.example", password, None)?;
    /// let acme = agency.deactivate(acme.id, Some("nonpayment"))?;
    /// assert_eq!(acme.status, Status::Inactive);
    /// assert!(platform.check_access(&access.stamp, None).is_err());
    /// ```
    /// ```python
    /// acme = agency.deactivate(acme.id, "nonpayment")
    /// assert (acme.status, acme.deactivation_reason) == ("inactive", "nonpayment")
    /// try:
    ///     platform.sign_in("acme", "owner@acme.example", password)
    /// except partnerkit.AccessDeniedError as error:
    ///     assert error.http_status == 401
    /// ```
    /// ```javascript
    /// import { AccessDeniedError } from 'partnerkit';
    ///
    /// const changed = await agency.deactivate(acme.id, { reason: 'nonpayment' });
    /// assert.deepEqual([changed.status, changed.deactivationReason], ['inactive', 'nonpayment']);
    /// const login = { loginDomain: 'acme', email: 'owner@acme.example', password };
    /// await assert.rejects(platform.signIn(login), AccessDeniedError);
    /// ```
    pub fn deactivate(&self, id: ResellerId, reason: Option<&str>) -> Result<Reseller> {
        let reason = reason.filter(|reason| !is_blank(reason)).map(deactivation_reason).transpose();
        let reason = reason.map_err(refused("reason"))?;
        self.mutate(id, ChangeKind::ResellerDeactivated, |before| {
            let (status, deactivation_reason) = (Status::Inactive, reason.clone());
            let after = Reseller { status, deactivation_reason, ..before.clone() };
            let ended = Changed { ends_access: true, ..Changed::to(after) };
            Ok((before.status == Status::Active).then_some(ended))
        })
    }

    /// Activates a reseller again. Earlier stamps stay invalid. Repeating it changes nothing.
    ///
    /// ```example
    /// use partnerkit::Status;
    ///
    /// agency.deactivate(acme.id, None)?;
    /// assert_eq!(agency.activate(acme.id)?.status, Status::Active);
    /// assert!(platform.sign_in("acme", "owner@acme.example", password, None).is_ok());
    /// ```
    /// ```python
    /// agency.deactivate(acme.id)
    /// acme = agency.activate(acme.id)
    /// assert acme.status == "active"
    /// ```
    /// ```javascript
    /// await agency.deactivate(acme.id);
    /// const active = await agency.activate(acme.id);
    /// assert.equal(active.status, 'active');
    /// ```
    pub fn activate(&self, id: ResellerId) -> Result<Reseller> {
        self.mutate(id, ChangeKind::ResellerActivated, |before| {
            let (status, deactivation_reason) = (Status::Active, None);
            let after = Reseller { status, deactivation_reason, ..before.clone() };
            Ok((before.status == Status::Inactive).then_some(Changed::to(after)))
        })
    }

    /// Changes what a reseller sells, from now on; its history stays as it is. Setting the same
    /// type again changes nothing. Field errors: `partner_type`.
    ///
    /// ```example
    /// use partnerkit::PartnerType;
    ///
    /// let changed = agency.change_partner_type(acme.id, None, "commission")?;
    /// assert_eq!(acme.partner_type, PartnerType::OwnPlans);
    /// assert_eq!(changed.partner_type, PartnerType::Commission);
    /// ```
    /// ```python
    /// changed = agency.change_partner_type(acme.id, "commission")
    /// assert (acme.partner_type, changed.partner_type) == ("own_plans", "commission")
    /// ```
    /// ```javascript
    /// const changed = await agency.changePartnerType(acme.id, 'commission');
    /// assert.deepEqual([acme.partnerType, changed.partnerType], ['own_plans', 'commission']);
    /// ```
    pub fn change_partner_type(
        &self,
        id: ResellerId,
        version: Option<u64>,
        partner_type: &str,
    ) -> Result<Reseller> {
        let partner_type = PartnerType::parse(partner_type).map_err(refused("partner_type"))?;
        self.mutate(id, ChangeKind::PartnerTypeChanged, |before| {
            expect_version(version, before.version)?;
            let after = Reseller { partner_type, ..before.clone() };
            Ok((before.partner_type != partner_type).then_some(Changed::to(after)))
        })
    }

    /// Locks and changes a reseller. If the work returns `None`, everything stays as it is:
    /// version, totals and change feed.
    fn mutate(
        &self,
        id: ResellerId,
        kind: ChangeKind,
        mut work: impl FnMut(&Reseller) -> Result<Option<Changed>> + Send,
    ) -> Result<Reseller> {
        let (mutation, generation) = (self.mutation(kind, id), self.shared.new_generation());
        self.write(|tx| {
            let (before, credentials) = tx.lock_account(id)?;
            let Some(Changed { after, fields, ends_access }) = work(&before)? else {
                return Ok(before);
            };
            if ends_access {
                tx.put_credentials(id, &Credentials { generation, ..credentials })?;
            }
            mutation.store(tx, &before, after, fields)
        })
    }
}

/// The result of a change to a reseller.
struct Changed {
    after: Reseller,
    /// The names of the changed fields, if the feed lists them.
    fields: Vec<&'static str>,
    /// Whether the change ends every earlier access stamp.
    ends_access: bool,
}

impl Changed {
    fn to(after: Reseller) -> Self {
        Self { after, fields: Vec::new(), ends_access: false }
    }
}

impl Mutation {
    /// Stores a locked reseller as its next version, updates the agency's count of active
    /// resellers, and appends the entry.
    pub fn store(
        &self,
        tx: &mut Tx<'_>,
        before: &Reseller,
        after: Reseller,
        fields: Vec<&str>,
    ) -> Result<Reseller> {
        let after = self.next(after);
        if let Insert::Existing(()) = tx.update_reseller(&after)? {
            return Err(taken_fields(tx, &after)?.into());
        }
        let add = active(&after) - active(before);
        tx.add_totals(&[TotalDelta { name: ACTIVE_RESELLERS, add }])?;
        self.note(tx, &after, fields)?;
        Ok(after)
    }
}

/// Fails with `Conflict` if a record has changed since it was read; `None` accepts any version
/// (S22).
pub(crate) fn expect_version(expected: Option<u64>, current: u64) -> Result<()> {
    match expected {
        Some(expected) if expected != current => Err(Error::conflict(current)),
        _ => Ok(()),
    }
}

/// The one reseller that was queried. Errors: `NotFound`.
pub(crate) fn one<T>(rows: Vec<Option<T>>) -> Result<T> {
    rows.into_iter().flatten().next().ok_or_else(no_reseller)
}

fn no_reseller() -> Error {
    Error::not_found("reseller")
}

/// What a reseller adds to the agency's count of active ones.
pub(super) fn active(reseller: &Reseller) -> i64 {
    i64::from(reseller.status == Status::Active)
}

/// The errors for all unique fields of a reseller that another one has. A store reports only one of
/// them.
fn taken_fields(reads: &mut Reads<'_>, wanted: &Reseller) -> Result<FieldErrors> {
    let external = wanted.external_id.clone().map(|id| ("external_id", Lookup::ExternalId(id)));
    let lookups = [Some(("email", Lookup::Email(wanted.email.clone()))), external];
    let (fields, lookups): (Vec<_>, Vec<_>) = lookups.into_iter().flatten().unzip();
    let holders = fields.into_iter().zip(reads.find(&lookups)?);
    let others = holders.filter(|(_, holder)| holder.as_ref().is_some_and(|h| h.id != wanted.id));
    let errors: FieldErrors =
        others.map(|(field, _)| FieldError::new(field, Code::Taken)).collect();
    if errors.is_empty() {
        // The other reseller was deleted between the two statements.
        return Err(Error::aborted("another call freed a unique value"));
    }
    Ok(errors)
}
