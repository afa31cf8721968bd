//! Creating many resellers in one step.

use std::collections::{BTreeMap, BTreeSet};

use super::Agency;
use super::creation::{held_agency, reserved_by};
use super::resellers::{label_row, taken_fields};
use crate::changes::{Change, ChangeKind};
use crate::error::{Code, Error, FieldError, FieldErrors, Refusal, Result};
use crate::reseller::{AcceptedDraft, FORM_ORDER, FirstPassword, Reseller, ResellerDraft};
use crate::storage::{Insert, LabelRow, LabelState, Lookup, NewReseller, TotalDelta, Transaction};
use crate::usage::ACTIVE_RESELLERS;

/// At most so many resellers are created in one step.
const MAX_BATCH: usize = 1_000;

/// The rows of a batch by their place in it: those that can still be created, and why others
/// cannot.
#[derive(Default)]
struct Batch {
    new: BTreeMap<usize, NewReseller>,
    changes: BTreeMap<usize, Change>,
    refused: BTreeMap<usize, FieldErrors>,
}

impl Agency {
    /// Creates up to 1,000 resellers in one step, which is much faster than one by one. Each has
    /// an answer of its own, in the order given; those that can be created are.
    ///
    /// Errors: `NotFound` once the agency is deleted; field `resellers` (`too_many`).
    pub fn create_resellers(
        &self,
        drafts: &[ResellerDraft],
    ) -> Result<Vec<Result<Reseller, FieldErrors>>> {
        self.observe("create_resellers", None, || {
            if drafts.len() > MAX_BATCH {
                let params = vec![("max", MAX_BATCH as i64)];
                let refusal = Refusal { code: Code::TooMany, params };
                return Err(FieldErrors::from(refusal.of("resellers")).into());
            }
            self.take_accepted(self.accept_all(drafts), false)
        })
    }

    /// The same, without creating anything: what could be created is answered with the record it
    /// would become.
    pub fn check_resellers(
        &self,
        drafts: &[ResellerDraft],
    ) -> Result<Vec<Result<Reseller, FieldErrors>>> {
        self.observe("check_resellers", None, || self.take_accepted(self.accept_all(drafts), true))
    }

    fn accept_all(&self, drafts: &[ResellerDraft]) -> Vec<Result<AcceptedDraft, FieldErrors>> {
        drafts.iter().map(|draft| self.accept(draft)).collect()
    }

    /// Creates what can be created, or says what could be.
    pub(crate) fn take_accepted(
        &self,
        drafts: Vec<Result<AcceptedDraft, FieldErrors>>,
        dry_run: bool,
    ) -> Result<Vec<Result<Reseller, FieldErrors>>> {
        let mut batch = Batch::default();
        for (i, draft) in drafts.into_iter().enumerate() {
            match draft {
                Ok(mut accepted) => {
                    if dry_run {
                        accepted.password = FirstPassword::None; // nobody will sign in with it
                    }
                    let new = self.new_reseller(accepted)?;
                    let Reseller { id, created_at, .. } = new.reseller;
                    let change = self.change(ChangeKind::ResellerCreated, Some(id), 1, created_at);
                    batch.new.insert(i, new);
                    batch.changes.insert(i, change);
                }
                Err(errors) => drop(batch.refused.insert(i, errors)),
            }
        }
        batch.refuse_repeated();
        self.refuse_taken(&mut batch)?;
        if !dry_run {
            self.write(|tx| self.insert_batch(tx, &mut batch))?;
        }
        Ok(batch.answers())
    }

    /// The resellers that are there already with all that is unique of a draft.
    pub(crate) fn existing(
        &self,
        drafts: Vec<Option<&AcceptedDraft>>,
    ) -> Result<Vec<Option<Reseller>>> {
        let emails: Vec<_> =
            drafts.iter().flatten().map(|draft| Lookup::Email(draft.email.clone())).collect();
        let mut found = self.read(|reads| reads.find(&emails))?.into_iter();
        let same = |draft: &AcceptedDraft, reseller: &Reseller| {
            draft.login_domain == reseller.login_domain && draft.external_id == reseller.external_id
        };
        let existing = |draft: Option<&AcceptedDraft>| {
            draft.and_then(|draft| found.next().flatten().filter(|reseller| same(draft, reseller)))
        };
        Ok(drafts.into_iter().map(existing).collect())
    }

    /// Refuses what is taken already: advice that saves the transaction a second run.
    fn refuse_taken(&self, batch: &mut Batch) -> Result<()> {
        let rows: Vec<_> = batch.new.iter().map(|(i, new)| (*i, new.reseller.clone())).collect();
        let labels: Vec<_> = rows.iter().map(|(_, row)| row.login_domain.clone()).collect();
        let holders = self.shared.storage.labels(&labels)?;
        let emails = rows.iter().map(|(_, row)| Lookup::Email(row.email.clone()));
        let emails: Vec<_> = emails.collect();
        let external = rows.iter().filter_map(|(_, row)| row.external_id.clone());
        let external: Vec<_> = external.map(Lookup::ExternalId).collect();
        let (agency, emails, external) =
            self.read(|reads| Ok((reads.agency()?, reads.find(&emails)?, reads.find(&external)?)))?;
        let agency = agency.ok_or_else(|| Error::not_found("agency"))?;
        let mut external = external.into_iter();
        for (((i, row), label), email) in rows.iter().zip(holders).zip(emails) {
            if let Some(label) = label.filter(|label| !label.is_free(row.created_at)) {
                batch.refuse(*i, FieldError::new("login_domain", label.state.refusal()));
            } else if let Some(reserved) = reserved_by(&agency, &row.login_domain) {
                batch.refuse(*i, reserved);
            }
            if email.is_some() {
                batch.refuse(*i, FieldError::new("email", Code::Taken));
            }
            if row.external_id.is_some() && external.next().flatten().is_some() {
                batch.refuse(*i, FieldError::new("external_id", Code::Taken));
            }
        }
        Ok(())
    }

    /// Inserts what can be inserted. What turns out to be taken is refused, and the transaction
    /// runs again without it: a refused row must not leave its label behind.
    fn insert_batch(&self, tx: &mut dyn Transaction, batch: &mut Batch) -> Result<()> {
        if batch.new.is_empty() {
            return Ok(());
        }
        // In the order of labels, which is that of their locks.
        let mut rows: Vec<_> = batch.new.iter().map(|(i, new)| (*i, new.clone())).collect();
        rows.sort_by(|(_, a), (_, b)| a.reseller.login_domain.cmp(&b.reseller.login_domain));
        let (places, rows): (Vec<usize>, Vec<NewReseller>) = rows.into_iter().unzip();
        let before = batch.refused.len();
        batch.claim_labels(tx, &places, &rows)?;
        if batch.refused.len() == before {
            batch.insert(tx, &places, &rows)?;
        }
        if batch.refused.len() > before {
            return Err(Error::aborted("unique fields have been taken"));
        }
        // In the order given, which is that of their ids.
        let changes: Vec<_> = batch.new.keys().map(|i| batch.changes[i].clone()).collect();
        tx.add_totals(&[TotalDelta { name: ACTIVE_RESELLERS, add: changes.len() as i64 }])?;
        tx.append_changes(&changes)
    }
}

impl Batch {
    fn refuse(&mut self, i: usize, error: FieldError) {
        self.new.remove(&i);
        self.refused.entry(i).or_default().push(error);
    }

    /// Of rows that agree in a unique field the first one counts.
    fn refuse_repeated(&mut self) {
        let mut seen = BTreeSet::new();
        let mut repeated = Vec::new();
        for (i, NewReseller { reseller, .. }) in &self.new {
            let external = reseller.external_id.as_ref().map(|id| id.to_string());
            let fields = [
                ("email", Some(reseller.email.key())),
                ("login_domain", Some(reseller.login_domain.to_string())),
                ("external_id", external),
            ];
            for (field, value) in fields {
                if value.is_some_and(|value| !seen.insert((field, value))) {
                    repeated.push((*i, FieldError::new(field, Code::Taken)));
                }
            }
        }
        repeated.into_iter().for_each(|(i, error)| self.refuse(i, error));
    }

    fn claim_labels(
        &mut self,
        tx: &mut dyn Transaction,
        places: &[usize],
        rows: &[NewReseller],
    ) -> Result<()> {
        let label = |NewReseller { reseller, .. }: &NewReseller| {
            label_row(reseller, LabelState::Held(reseller.id))
        };
        let labels: Vec<LabelRow> = rows.iter().map(label).collect();
        let now = rows[0].reseller.created_at;
        let claimed = tx.claim_labels(&labels, now)?;
        let agency = held_agency(tx)?;
        for ((i, label), claimed) in places.iter().zip(&labels).zip(claimed) {
            if let Insert::Existing(holder) = claimed {
                self.refuse(*i, FieldError::new("login_domain", holder.state.refusal()));
            } else if let Some(reserved) = reserved_by(&agency, &label.label) {
                self.refuse(*i, reserved);
            }
        }
        Ok(())
    }

    fn insert(
        &mut self,
        tx: &mut dyn Transaction,
        places: &[usize],
        rows: &[NewReseller],
    ) -> Result<()> {
        for ((i, row), inserted) in places.iter().zip(rows).zip(tx.insert_resellers(rows)?) {
            if let Insert::Existing(()) = inserted {
                let mut errors = FieldErrors::default();
                taken_fields(tx, &row.reseller, &mut errors)?;
                self.new.remove(i);
                self.refused.insert(*i, errors);
            }
        }
        Ok(())
    }

    fn answers(self) -> Vec<Result<Reseller, FieldErrors>> {
        let new = self.new.into_iter().map(|(i, new)| (i, Ok(new.reseller)));
        let refused =
            self.refused.into_iter().map(|(i, errors)| (i, Err(errors.in_order_of(FORM_ORDER))));
        let answers: BTreeMap<_, _> = new.chain(refused).collect();
        answers.into_values().collect()
    }
}
