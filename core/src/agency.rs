//! The handle on one agency: everything an agency does, and nothing of any other agency. What
//! an operation does stands with its noun, as a method of [`Tenant`].

mod agencies;
mod configuring;
mod deletion;
mod rows;
mod settings;

pub use deletion::AgencyDeletionPlan;
pub(crate) use deletion::Erased;
pub(crate) use rows::agencies;
pub use settings::{AgencyPatch, AgencyRow, AgencySettings};

use std::sync::Arc;

use crate::changes::Change;
use crate::error::{FieldErrors, Result, refused};
use crate::login_domain::DomainAvailability;
use crate::reseller::{DeletionPlan, Reseller, ResellerDraft, ResellerId, ResellerPatch};
use crate::search::{Page, ResellerQuery};
use crate::shared::Shared;
use crate::storage::Erasure;
use crate::tenant::Tenant;
use crate::usage::{Consumption, Metric, Overview, Reported, UsageReport};
use crate::values::{AgencyId, plain_text};

/// One agency's resellers, usage and changes. Ids of other agencies do not exist here (S26).
#[derive(Clone)]
pub struct Agency {
    pub(crate) tenant: Tenant,
}

impl Agency {
    /// How many entries of [`changes`](Self::changes) a binding asks for when it is not told.
    pub const DEFAULT_CHANGES: u32 = 100;

    pub(crate) fn new(shared: Arc<Shared>, row: AgencyRow) -> Self {
        Self { tenant: Tenant::new(shared, row.settings.agency) }
    }

    /// The agency's id.
    pub fn id(&self) -> &AgencyId {
        &self.tenant.id
    }

    /// The same agency, with every change noted as made by this actor of the host's (S47).
    /// Field errors: `actor` (1–200 characters).
    pub fn acting_as(&self, actor: &str) -> Result<Self> {
        let actor = Some(plain_text(actor, 200).map_err(refused("actor"))?);
        Ok(Self { tenant: Tenant { actor, ..self.tenant.clone() } })
    }

    /// Entries of the change feed behind the sequence `after`, in order: without gaps, and none
    /// will ever appear behind one that was seen. `limit` is 1–1,000.
    ///
    /// Field errors: `limit`; `after` (`too_old`) when entries behind it have been removed, as
    /// the host has configured: read everything anew then, and follow from `min` on.
    pub fn changes(&self, after: u64, limit: u32) -> Result<Vec<Change>> {
        self.observe("changes", None, || self.tenant.changes(after, limit))
    }

    /// A reseller by id.
    pub fn reseller(&self, id: ResellerId) -> Result<Reseller> {
        self.observe("reseller", id, || self.tenant.reseller(id))
    }

    /// A reseller by the host's own id; `None` if no reseller has it. Errors: `NotFound` once the
    /// agency is deleted; field `external_id`.
    pub fn reseller_by_external_id(&self, external_id: &str) -> Result<Option<Reseller>> {
        self.observe("reseller_by_external_id", None, || {
            self.tenant.reseller_by_external_id(external_id)
        })
    }

    /// One page of the resellers that a query asks for, newest first unless it says otherwise.
    ///
    /// Errors: `InvalidCursor`, `NotFound` once the agency is deleted; fields `limit` and `text`.
    pub fn page(&self, query: &ResellerQuery) -> Result<Page> {
        self.observe("page", None, || self.tenant.page(query))
    }

    /// Changes a profile. With an expected `version`, a record that has changed since is a
    /// `Conflict` (S22). A patch that changes nothing leaves the version as it is.
    pub fn update_reseller(
        &self,
        id: ResellerId,
        version: Option<u64>,
        patch: &ResellerPatch,
    ) -> Result<Reseller> {
        self.observe("update_reseller", id, || self.tenant.update_reseller(id, version, patch))
    }

    /// Switches a reseller off. When this has returned, no sign-in succeeds and no stamp given
    /// out before is valid, on any process (S20). Repeating it changes nothing (S21).
    /// Field errors: `reason` (1–500 characters).
    pub fn deactivate(&self, id: ResellerId, reason: Option<&str>) -> Result<Reseller> {
        self.observe("deactivate", id, || self.tenant.deactivate(id, reason))
    }

    /// Switches a reseller on again. Stamps from before stay invalid. Repeating it changes
    /// nothing.
    pub fn activate(&self, id: ResellerId) -> Result<Reseller> {
        self.observe("activate", id, || self.tenant.activate(id))
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
            self.tenant.change_partner_type(id, version, partner_type)
        })
    }

    /// Creates a reseller from a form. All that is wrong with it comes back at once, a taken
    /// login domain, email or external id included, and nothing is written then.
    pub fn create_reseller(&self, draft: ResellerDraft) -> Result<Reseller> {
        self.observe("create_reseller", None, || self.tenant.create_reseller(draft))
    }

    /// The same, once for a key of the host's, which is kept for 24 hours unless configured
    /// otherwise: when it is repeated, the reseller is returned as it is now, and nothing is
    /// created (S23). A create that fails does not use the key up. Passwords are not compared.
    ///
    /// Errors: `Conflict` for a key that was used for another form, `NotFound` if the reseller
    /// has been deleted since; those of [`create_reseller`](Self::create_reseller); field
    /// `idempotency_key` (1–255 characters).
    pub fn create_reseller_once(&self, key: &str, draft: ResellerDraft) -> Result<Reseller> {
        self.observe("create_reseller_once", None, || self.tenant.create_reseller_once(key, draft))
    }

    /// Creates up to 1,000 resellers in one step, which is much faster than one by one. Each has
    /// an answer of its own, in the order given; those that can be created are. There is no
    /// idempotency key: what a repeated batch has created already it refuses as `taken`.
    ///
    /// Errors: `NotFound` once the agency is deleted; field `resellers` (`too_many`).
    pub fn create_resellers(
        &self,
        drafts: &[ResellerDraft],
    ) -> Result<Vec<Result<Reseller, FieldErrors>>> {
        self.observe("create_resellers", None, || self.tenant.create_resellers(drafts))
    }

    /// The same, without creating anything: what could be created is answered with the record it
    /// would become. Errors: those of [`create_resellers`](Self::create_resellers).
    pub fn check_resellers(
        &self,
        drafts: &[ResellerDraft],
    ) -> Result<Vec<Result<Reseller, FieldErrors>>> {
        self.observe("check_resellers", None, || self.tenant.check_resellers(drafts))
    }

    /// What [`delete_reseller`](Self::delete_reseller) would do now: it changes nothing (S46).
    pub fn plan_deletion(&self, id: ResellerId) -> Result<DeletionPlan> {
        self.observe("plan_deletion", id, || self.tenant.plan_deletion(id))
    }

    /// Deletes a reseller for good, with its personal data, credentials and meters. What it
    /// used stays in the agency's totals; its login domain is quarantined (S25, S7).
    ///
    /// The answer tells whether the data is gone from the store's files, too.
    pub fn delete_reseller(&self, id: ResellerId) -> Result<Erasure> {
        self.observe("delete_reseller", id, || self.tenant.delete_reseller(id))
    }

    /// Sets a reseller's password, as the agency decides. Earlier stamps end, failed sign-ins
    /// are forgotten. Errors: `NotFound`; fields `password` and `password_confirmation`.
    pub fn set_password(&self, id: ResellerId, password: &str, confirmation: &str) -> Result<()> {
        self.observe("set_password", id, || self.tenant.set_password(id, password, confirmation))
    }

    /// Changes a reseller's password for somebody who knows the current one; a wrong one counts
    /// as a failed sign-in. Earlier stamps end.
    ///
    /// Errors: `NotFound`, `AccessDenied`; fields `password` and `password_confirmation`.
    pub fn change_password(
        &self,
        id: ResellerId,
        current: &str,
        password: &str,
        confirmation: &str,
    ) -> Result<()> {
        self.observe("change_password", id, || {
            self.tenant.change_password(id, current, password, confirmation)
        })
    }

    /// A token with which [`Platform::reset_password`](crate::Platform::reset_password) sets a
    /// password, once and within an hour. It is as good as the password: send it to the
    /// reseller's own address only. Errors: `NotFound`.
    pub fn reset_token(&self, id: ResellerId) -> Result<String> {
        self.observe("reset_token", id, || self.tenant.reset_token(id))
    }

    /// Ends every access stamp of a reseller; it may sign in again. Errors: `NotFound`.
    pub fn revoke_access(&self, id: ResellerId) -> Result<()> {
        self.observe("revoke_access", id, || self.tenant.revoke_access(id))
    }

    /// Forgets a reseller's failed sign-ins, a hard stop included. Errors: `NotFound`.
    pub fn unlock(&self, id: ResellerId) -> Result<()> {
        self.observe("unlock", id, || self.tenant.unlock(id))
    }

    /// Whether a reseller of this agency could have a label now, why not, and what it could have
    /// instead. The answer may be old when it arrives: only creating and renaming decide (S6).
    /// Errors: `NotFound` once the agency is deleted.
    pub fn domain_availability(&self, label: &str) -> Result<DomainAvailability> {
        self.observe("domain_availability", None, || self.tenant.domain_availability(label))
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
            self.tenant.rename_login_domain(id, version, login_domain)
        })
    }

    /// Records a batch of at most 10,000 events in one step; the report has an outcome for
    /// each. An event that was recorded before is a `duplicate` and changes nothing (S32). What a
    /// host knows the types of is a [`UsageEvent`](crate::UsageEvent); what comes from outside is an
    /// [`EventDraft`](crate::EventDraft), and whatever is wrong with one is its own rejection.
    /// Errors: `NotFound` once the agency is deleted; field `events` (`too_many`).
    pub fn record_usage<E: Reported>(&self, events: &[E]) -> Result<UsageReport> {
        self.observe("record_usage", None, || self.tenant.record_usage(events))
    }

    /// Uses some of a counter if its limit allows, now, in one step: however many callers race,
    /// the limit is never passed (S43). The same `id` again is answered as before. The period is
    /// the calendar month of the agency's time zone as it is now, however old this handle is.
    ///
    /// Errors: `NotFound` for the reseller or the agency; fields `id`, `metric`, `quantity`.
    pub fn consume(
        &self,
        reseller: ResellerId,
        metric: Metric,
        quantity: i64,
        id: &str,
    ) -> Result<Consumption> {
        self.observe("consume", reseller, || self.tenant.consume(reseller, metric, quantity, id))
    }

    /// Sets how much a reseller may consume in a calendar month of the agency's zone; `None`
    /// lifts the limit. A limit below what is used already blocks further use (S44).
    ///
    /// Errors: `NotFound` for the reseller; field `limit` (not negative).
    pub fn set_allowance(
        &self,
        reseller: ResellerId,
        metric: Metric,
        limit: Option<i64>,
    ) -> Result<()> {
        self.observe("set_allowance", reseller, || {
            self.tenant.set_allowance(reseller, metric, limit)
        })
    }

    /// Active resellers and what was used, over all time: read, not summed (S39).
    /// Errors: `NotFound` once the agency is deleted.
    pub fn overview(&self) -> Result<Overview> {
        self.observe("overview", None, || self.tenant.overview())
    }

    /// The settings as they are now. Errors: `NotFound` once the agency is deleted.
    pub fn settings(&self) -> Result<AgencySettings> {
        self.observe("settings", None, || self.tenant.settings())
    }

    /// Changes settings; every handle goes by them at once. A patch that changes nothing leaves
    /// the version as it is.
    ///
    /// Errors: `NotFound`, `Conflict`; fields `time_zone`, `capacity`, `reserved_labels`.
    pub fn configure(&self, version: Option<u64>, patch: &AgencyPatch) -> Result<AgencySettings> {
        self.observe("configure", None, || self.tenant.configure(version, patch))
    }
}
