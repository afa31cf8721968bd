//! The life of a reseller: create, get, list, update, switch off and on, delete.

use super::Agency;
use crate::access::{Credentials, Generation};
use crate::changes::{Change, ChangeKind};
use crate::clock::random;
use crate::error::{Code, Error, FieldError, FieldErrors, Refusal, Result};
use crate::reseller::{AcceptedDraft, Reseller, ResellerDraft, ResellerId, ResellerPatch, Status};
use crate::search::{Page, ResellerQuery};
use crate::storage::{
    Insert, LabelRow, LabelState, Lock, Lookup, NewReseller, Reads, TotalDelta, Transaction,
};
use crate::usage::{ACTIVE_RESELLERS, MetricKind};
use crate::values::{QUARANTINE, plain_text};

impl Agency {
    /// Creates a reseller from a form. All that is wrong with it comes back at once, a taken
    /// login domain, email or external id included, and nothing is written then.
    pub fn create_reseller(&self, draft: ResellerDraft) -> Result<Reseller> {
        let accepted = draft.accept(self.shared.password_policy)?;
        let new = self.new_reseller(accepted)?;
        let reseller = &new.reseller;
        let now = reseller.created_at;
        let label = label_row(reseller, LabelState::Held(reseller.id));
        let change = self.change(ChangeKind::ResellerCreated, Some(reseller.id), 1, now);
        self.write(|tx| {
            let mut errors = FieldErrors::default();
            if let Some(Insert::Existing(holder)) =
                tx.claim_labels(std::slice::from_ref(&label), now)?.pop()
            {
                errors.push(FieldError::new("login_domain", holder.state.refusal()));
            }
            let inserted = tx.insert_resellers(std::slice::from_ref(&new))?.pop();
            if let Some(Insert::Existing(_)) = inserted {
                taken_fields(tx, reseller, &mut errors)?;
            }
            if !errors.is_empty() {
                return Err(errors.into());
            }
            tx.add_totals(&[TotalDelta { name: ACTIVE_RESELLERS, add: 1 }])?;
            tx.append_changes(std::slice::from_ref(&change))
        })?;
        Ok(new.reseller)
    }

    /// A reseller by id.
    pub fn reseller(&self, id: ResellerId) -> Result<Reseller> {
        self.read(|reads| one(reads.resellers(&[id])?))
    }

    /// A reseller by the host's own id; `None` if no reseller has it.
    pub fn reseller_by_external_id(&self, external_id: &str) -> Result<Option<Reseller>> {
        let refused = |refusal: Refusal| FieldErrors::from(refusal.of("external_id"));
        let id = crate::values::ExternalId::parse(external_id).map_err(refused)?;
        let lookup = Lookup::ExternalId(id);
        self.read(|reads| reads.find(&lookup))
    }

    /// One page of the resellers that a query asks for, newest first.
    pub fn page(&self, query: &ResellerQuery) -> Result<Page> {
        let spec = query.spec(&self.seal())?;
        let rows = self.read(|reads| reads.page(&spec))?;
        Ok(query.page(rows, &spec, &self.seal()))
    }

    /// Changes a profile. With an expected `version`, a record that has changed since is a
    /// `Conflict` (S22). A patch that changes nothing leaves the version as it is.
    pub fn update_reseller(
        &self,
        id: ResellerId,
        version: Option<u64>,
        patch: &ResellerPatch,
    ) -> Result<Reseller> {
        let generation = Generation::from_bytes(random(&*self.shared.entropy));
        self.mutate(id, ChangeKind::ResellerUpdated, |tx, before, change| {
            if version.is_some_and(|version| version != before.version) {
                return Err(Error::conflict(before.version));
            }
            let (after, changed) = patch.apply(before)?;
            if changed.contains(&"email") {
                renew(tx, id, generation)?;
            }
            change.fields = changed.into_iter().map(str::to_owned).collect();
            Ok((!change.fields.is_empty()).then_some(after))
        })
    }

    /// Switches a reseller off. When this has returned, no sign-in succeeds and no stamp given
    /// out before is valid, on any process (S20). Repeating it changes nothing (S21).
    /// Field errors: `reason` (1–500 characters).
    pub fn deactivate(&self, id: ResellerId, reason: Option<&str>) -> Result<Reseller> {
        let refused = |refusal: Refusal| FieldErrors::from(refusal.of("reason"));
        let reason = reason.map(|raw| plain_text(raw, 500)).transpose().map_err(refused)?;
        let generation = Generation::from_bytes(random(&*self.shared.entropy));
        self.mutate(id, ChangeKind::ResellerDeactivated, |tx, before, _| {
            if before.status == Status::Inactive {
                return Ok(None);
            }
            renew(tx, id, generation)?;
            let (status, deactivation_reason) = (Status::Inactive, reason.clone());
            Ok(Some(Reseller { status, deactivation_reason, ..before.clone() }))
        })
    }

    /// Switches a reseller on again. Stamps from before stay invalid. Repeating it changes
    /// nothing.
    pub fn activate(&self, id: ResellerId) -> Result<Reseller> {
        self.mutate(id, ChangeKind::ResellerActivated, |_, before, _| {
            let inactive = before.status == Status::Inactive;
            let (status, deactivation_reason) = (Status::Active, None);
            Ok(inactive.then(|| Reseller { status, deactivation_reason, ..before.clone() }))
        })
    }

    /// Deletes a reseller for good, with its personal data, credentials and meters. What it
    /// used stays in the agency's totals; its login domain is quarantined for 30 days (S25, S7).
    pub fn delete_reseller(&self, id: ResellerId) -> Result<()> {
        let now = self.now();
        let mut change = self.change(ChangeKind::ResellerDeleted, Some(id), 0, now);
        self.write(|tx| {
            // Labels are locked before resellers, so the label is looked up without a lock.
            let seen = one(tx.resellers(&[id])?)?;
            let quarantined = LabelState::Quarantined(now.plus_millis(QUARANTINE));
            tx.put_label(&label_row(&seen, quarantined))?;
            let reseller = one(tx.lock_resellers(&[id], Lock::Update)?)?;
            if reseller.login_domain != seen.login_domain {
                return Err(Error::aborted("the login domain has changed"));
            }
            let deltas = what_leaves(tx, &reseller)?;
            tx.erase_reseller(id)?;
            tx.add_totals(&deltas)?;
            change.version = reseller.version + 1;
            change.at = now.max(reseller.updated_at);
            tx.append_changes(std::slice::from_ref(&change))
        })
    }

    /// Changes a locked reseller. `None` from the work leaves everything as it is: version,
    /// totals and change feed.
    fn mutate(
        &self,
        id: ResellerId,
        kind: ChangeKind,
        mut work: impl FnMut(&mut dyn Transaction, &Reseller, &mut Change) -> Result<Option<Reseller>>
        + Send,
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

    /// The record and its credentials. Time, ids and the hash are drawn here, before any
    /// transaction: a transaction never waits for a password to be hashed.
    fn new_reseller(&self, draft: AcceptedDraft) -> Result<NewReseller> {
        let (entropy, now) = (&*self.shared.entropy, self.now());
        let hash = match &draft.password {
            Some(password) => Some(self.shared.hasher.turn()?.hash(password, random(entropy))?),
            None => None,
        };
        let credentials = Credentials::from_stored(random(entropy), hash);
        let AcceptedDraft {
            partner_type, name, email, phone, contact, login_domain, website, ..
        } = draft;
        let reseller = Reseller {
            id: ResellerId::from_uuid(self.shared.new_id(now)),
            agency: self.id.clone(),
            version: 1,
            status: Status::Active,
            deactivation_reason: None,
            partner_type,
            login_domain,
            name,
            email,
            phone,
            contact,
            website,
            external_id: draft.external_id,
            metadata: draft.metadata,
            created_at: now,
            updated_at: now,
        };
        Ok(NewReseller { reseller, credentials })
    }
}

pub(super) fn one(rows: Vec<Option<Reseller>>) -> Result<Reseller> {
    rows.into_iter().flatten().next().ok_or_else(|| Error::not_found("reseller"))
}

fn active(reseller: &Reseller) -> i64 {
    i64::from(reseller.status == Status::Active)
}

pub(super) fn label_row(reseller: &Reseller, state: LabelState) -> LabelRow {
    let (label, agency) = (reseller.login_domain.clone(), reseller.agency.clone());
    LabelRow { label, agency, state }
}

/// Which of a reseller's unique fields another one has. A store names only one of them, and a
/// form wants all.
fn taken_fields(reads: &mut dyn Reads, wanted: &Reseller, errors: &mut FieldErrors) -> Result<()> {
    let external = wanted.external_id.clone().map(|id| ("external_id", Lookup::ExternalId(id)));
    let lookups = [Some(("email", Lookup::Email(wanted.email.clone()))), external];
    let before = errors.as_slice().len();
    for (field, lookup) in lookups.into_iter().flatten() {
        if reads.find(&lookup)?.is_some_and(|holder| holder.id != wanted.id) {
            errors.push(FieldError::new(field, Code::Taken));
        }
    }
    if errors.as_slice().len() == before {
        // The holder was deleted between the two statements.
        return Err(Error::aborted("a unique field has become free"));
    }
    Ok(())
}

/// Ends every access stamp given out so far.
pub(super) fn renew(
    tx: &mut dyn Transaction,
    id: ResellerId,
    generation: Generation,
) -> Result<()> {
    let (_, before) = tx.account(id)?.ok_or_else(|| Error::not_found("reseller"))?;
    tx.put_credentials(id, &Credentials { generation, ..before })
}

/// What the agency's totals lose with a reseller: its place among the active ones and the
/// levels of its gauges. Counters are history and stay.
fn what_leaves(reads: &mut dyn Reads, reseller: &Reseller) -> Result<Vec<TotalDelta>> {
    let mut deltas = vec![TotalDelta { name: ACTIVE_RESELLERS, add: -active(reseller) }];
    for meter in reads.meters(reseller.id)? {
        if meter.key.metric.kind() == MetricKind::Gauge {
            deltas.push(TotalDelta { name: meter.key.metric.slug(), add: -meter.value });
        }
    }
    deltas.retain(|delta| delta.add != 0);
    deltas.sort_by_key(|delta| delta.name);
    Ok(deltas)
}
