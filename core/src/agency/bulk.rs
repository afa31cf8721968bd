//! Creating many resellers in one step.

use super::Agency;
use super::batch::{Batch, Taken};
use super::creation::reserved_by;
use crate::changes::ChangeKind;
use crate::error::{Code, Error, ErrorKind, FieldError, FieldErrors, Refusal, Result};
use crate::labels;
use crate::reseller::{AcceptedDraft, FirstPassword, Lookup, Reseller, ResellerDraft};

/// At most so many resellers are created in one step.
const MAX_BATCH: usize = 1_000;

/// How often a batch is tried while others take what its rows want.
const TRIES: u32 = 20;

impl Agency {
    /// Creates up to 1,000 resellers in one step, which is much faster than one by one. Each has
    /// an answer of its own, in the order given; those that can be created are. There is no
    /// idempotency key: what a repeated batch has created already it refuses as `taken`.
    ///
    /// Errors: `NotFound` once the agency is deleted; field `resellers` (`too_many`).
    pub fn create_resellers(
        &self,
        drafts: &[ResellerDraft],
    ) -> Result<Vec<Result<Reseller, FieldErrors>>> {
        self.observe("create_resellers", None, || {
            self.take_accepted(self.accept_all(drafts)?, false, &mut Taken::default())
        })
    }

    /// The same, without creating anything: what could be created is answered with the record it
    /// would become. Errors: those of [`create_resellers`](Self::create_resellers).
    pub fn check_resellers(
        &self,
        drafts: &[ResellerDraft],
    ) -> Result<Vec<Result<Reseller, FieldErrors>>> {
        self.observe("check_resellers", None, || {
            self.take_accepted(self.accept_all(drafts)?, true, &mut Taken::default())
        })
    }

    fn accept_all(
        &self,
        drafts: &[ResellerDraft],
    ) -> Result<Vec<Result<AcceptedDraft, FieldErrors>>> {
        if drafts.len() > MAX_BATCH {
            let params = vec![("max", MAX_BATCH as i64)];
            let refusal = Refusal { code: Code::TooMany, params };
            return Err(FieldErrors::from(refusal.of("resellers")).into());
        }
        Ok(drafts.iter().map(|draft| self.accept(draft)).collect())
    }

    /// Creates what can be created, or says what could be, behind rows that have `taken` so much.
    pub(crate) fn take_accepted(
        &self,
        drafts: Vec<Result<AcceptedDraft, FieldErrors>>,
        dry_run: bool,
        taken: &mut Taken,
    ) -> Result<Vec<Result<Reseller, FieldErrors>>> {
        let mut batch = Batch::default();
        for (i, draft) in drafts.into_iter().enumerate() {
            match draft {
                Ok(mut accepted) => {
                    if dry_run {
                        accepted.password = FirstPassword::None; // nobody will sign in with it
                    }
                    let new = self.new_reseller(accepted)?;
                    let Reseller { id, created_at, .. } = *new.reseller();
                    let change = self.change(ChangeKind::ResellerCreated, Some(id), 1, created_at);
                    batch.add(i, self, new, change);
                }
                Err(errors) => batch.add_wrong(i, errors),
            }
        }
        self.refuse_taken(&mut batch)?;
        if !dry_run {
            self.insert_batch(&mut batch, taken)?;
        }
        Ok(batch.answers(taken))
    }

    /// Inserts what can be inserted. Where the transaction finds something taken, nothing of it
    /// stays, because a refused row must not leave its label behind; then all rows are looked at
    /// again, because only what is committed takes something from them. What was refused is found
    /// taken by that look, unless it has become free, so that the next transaction gets further.
    fn insert_batch(&self, batch: &mut Batch, taken: &Taken) -> Result<()> {
        for _ in 0..TRIES {
            let Some(insertion) = batch.insertion(taken) else { return Ok(()) };
            match self.write(|tx| insertion.run(tx)) {
                Err(error) if error.kind() == ErrorKind::Validation => self.refuse_taken(batch)?,
                done => return done,
            }
        }
        Err(Error::aborted("unique fields have been taken"))
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

    /// Refuses what is taken already, and nothing else: before the transaction, which finds what
    /// is taken in between.
    fn refuse_taken(&self, batch: &mut Batch) -> Result<()> {
        batch.forget_taken();
        let (now, rows) = (batch.now(), batch.resellers());
        let labels: Vec<_> = rows.iter().map(|(_, row)| row.login_domain.clone()).collect();
        let holders = labels::holders(&*self.shared.storage, &labels)?;
        let emails = rows.iter().map(|(_, row)| Lookup::Email(row.email.clone()));
        let emails: Vec<_> = emails.collect();
        let external = rows.iter().filter_map(|(_, row)| row.external_id.clone());
        let external: Vec<_> = external.map(Lookup::ExternalId).collect();
        let (agency, emails, external) = self.read(|reads| {
            Ok((reads.held_agency()?, reads.find(&emails)?, reads.find(&external)?))
        })?;
        let mut external = external.into_iter();
        for (((i, row), label), email) in rows.iter().zip(holders).zip(emails) {
            if let Some(label) = label.filter(|label| !label.is_free(now)) {
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
}
