//! Creating resellers from forms: one, one with an idempotency key, and many in one step. A single
//! one is a batch of one.

use super::batch::{Batch, Taken};
use super::draft::Standing;
use super::once::Once;
use super::{AcceptedDraft, FirstPassword, Lookup, Reseller, ResellerDraft, ResellerId};
use crate::access::Credentials;
use crate::changes::{Change, ChangeKind};
use crate::clock::random;
use crate::error::{Code, Error, ErrorKind, FieldError, FieldErrors, Refusal, Result, refused};
use crate::login_domain::{holders, refusal};
use crate::reseller::{FormRules, NewReseller};
use crate::tenant::Tenant;
use crate::values::LoginDomainPolicy;

/// How many resellers can be created in one step.
const MAX_BATCH: usize = 1_000;

/// How often a batch is tried while others take unique values of its rows.
const TRIES: u32 = 20;

impl Tenant {
    /// Creates a reseller from a form. If the form is wrong, the error has every wrong field. If it is
    /// right, a login domain, email or external id that is taken is refused, all of them together.
    /// Nothing is written then.
    ///
    /// With an idempotency key the reseller is created once: a repeated call answers with the
    /// reseller as it is now, and creates nothing (S23). The key is kept for 24 hours unless
    /// configured otherwise, and a create that fails does not use it up. Passwords are not
    /// compared.
    ///
    /// Errors: `Conflict` for a key that was used for another form, `NotFound` if the reseller has
    /// been deleted since; the errors of the form; field `idempotency_key` (1–255 characters).
    ///
    /// ```example
    /// use partnerkit::{ContactDraft, PhoneDraft, ResellerDraft};
    ///
    /// let globex = agency.create_reseller(ResellerDraft {
    ///     partner_type: "own_plans".into(),
    ///     name: "Globex".into(),
    ///     email: "owner@globex.example".into(),
    ///     phone: PhoneDraft::national("US", "(415) 555-2671"),
    ///     password: password.into(),
    ///     password_confirmation: password.into(),
    ///     contact: ContactDraft {
    ///         name: "Ann Lee".into(),
    ///         email: "ann@globex.example".into(),
    ///         phone: PhoneDraft::international("+49 30 901820"),
    ///     },
    ///     login_domain: "globex".into(),
    ///     ..ResellerDraft::default()
    /// })?;
    /// assert_eq!(globex.phone.as_str(), "+14155552671");
    /// assert_eq!(agency.reseller(globex.id)?, globex);
    /// ```
    /// ```python
    /// globex = agency.create_reseller(
    ///     partner_type="own_plans",
    ///     name="Globex",
    ///     email="owner@globex.example",
    ///     phone=("US", "(415) 555-2671"),
    ///     password=password,
    ///     password_confirmation=password,
    ///     contact={"name": "Ann Lee", "email": "ann@globex.example", "phone": "+49 30 901820"},
    ///     login_domain="globex",
    /// )
    /// assert globex.phone == "+14155552671"
    /// assert agency.reseller(globex.id) == globex
    /// ```
    /// ```javascript
    /// const globex = await agency.createReseller({
    ///   partnerType: 'own_plans',
    ///   name: 'Globex',
    ///   email: 'owner@globex.example',
    ///   phone: ['US', '(415) 555-2671'],
    ///   password,
    ///   passwordConfirmation: password,
    ///   contact: { name: 'Ann Lee', email: 'ann@globex.example', phone: '+49 30 901820' },
    ///   loginDomain: 'globex',
    /// });
    /// assert.equal(globex.phone, '+14155552671');
    /// assert.deepEqual(await agency.reseller(globex.id), globex);
    /// ```
    pub fn create_reseller(&self, draft: ResellerDraft) -> Result<Reseller> {
        match &draft.idempotency_key {
            None => self.create(&draft, |_| None),
            Some(key) => self.create_once(key, &draft),
        }
    }

    /// Creates up to 1,000 resellers in one step, which is much faster than one by one. Each form
    /// has an answer of its own, in the order given: the reseller, or every reason why it was
    /// refused. No form may have an idempotency key; when a batch is repeated, what it has created
    /// already is refused as `taken`.
    ///
    /// Errors: `NotFound` once the agency is deleted; field `resellers` (`too_many`).
    ///
    /// ```example
    /// use partnerkit::{Code, ResellerDraft};
    ///
    /// let taken = ResellerDraft {
    ///     login_domain: "acme".into(),
    ///     email: "a@b.example".into(),
    ///     ..form.clone()
    /// };
    /// let answers = agency.create_resellers(&[form, taken])?;
    /// assert!(answers[0].as_ref().is_ok_and(|globex| globex.name.as_str() == "Globex"));
    /// let refused = answers[1].as_ref().unwrap_err().as_slice();
    /// assert_eq!((&*refused[0].field, refused[0].code), ("login_domain", Code::Taken));
    /// ```
    /// ```python
    /// taken = {**form, "login_domain": "acme", "email": "a@b.example"}
    /// globex, refused = agency.create_resellers([form, taken])
    /// assert globex.name == "Globex"
    /// (error,) = refused.errors
    /// assert (error.field, error.code) == ("login_domain", "taken")
    /// ```
    /// ```javascript
    /// import { ValidationError } from 'partnerkit';
    ///
    /// const taken = { ...form, loginDomain: 'acme', email: 'a@b.example' };
    /// const [globex, refused] = await agency.createResellers([form, taken]);
    /// assert.equal(globex.name, 'Globex');
    /// assert.ok(refused instanceof ValidationError); // which is not thrown here
    /// const [{ field, code }] = refused.fields;
    /// assert.deepEqual([field, code], ['loginDomain', 'taken']);
    /// ```
    pub fn create_resellers(
        &self,
        forms: &[ResellerDraft],
    ) -> Result<Vec<Result<Reseller, FieldErrors>>> {
        self.take_accepted(self.accept_all(forms)?, false, &mut Taken::default())
    }

    /// Says what [`create_resellers`](Self::create_resellers) would answer, and creates nothing: a
    /// form that is right is answered with the record that it would become. Errors: those of
    /// [`create_resellers`](Self::create_resellers).
    ///
    /// ```example
    /// let answers = agency.check_resellers(&[form])?;
    /// assert!(answers[0].is_ok());
    /// assert_eq!(agency.overview()?.active_resellers, 1); // still acme alone
    /// ```
    /// ```python
    /// (globex,) = agency.check_resellers([form])
    /// assert globex.name == "Globex"
    /// overview = agency.overview()
    /// assert overview.active_resellers == 1  # still acme alone
    /// ```
    /// ```javascript
    /// const [globex] = await agency.checkResellers([form]);
    /// assert.equal(globex.name, 'Globex');
    /// const { activeResellers } = await agency.overview();
    /// assert.equal(activeResellers, 1); // still acme alone
    /// ```
    pub fn check_resellers(
        &self,
        forms: &[ResellerDraft],
    ) -> Result<Vec<Result<Reseller, FieldErrors>>> {
        self.take_accepted(self.accept_all(forms)?, true, &mut Taken::default())
    }

    /// A form as values, or everything that is wrong with it.
    pub(crate) fn accept(&self, draft: &ResellerDraft) -> Result<AcceptedDraft, FieldErrors> {
        draft.accept(&self.shared.form_rules())
    }

    /// Like [`accept`](Self::accept), but a login domain only has to have a valid shape, because an
    /// existing reseller may have it.
    pub(crate) fn accept_held(&self, draft: &ResellerDraft) -> Result<AcceptedDraft, FieldErrors> {
        let login_domains = &LoginDomainPolicy::of_holders();
        draft.accept(&FormRules { login_domains, ..self.shared.form_rules() })
    }

    fn accept_all(
        &self,
        drafts: &[ResellerDraft],
    ) -> Result<Vec<Result<AcceptedDraft, FieldErrors>>> {
        if drafts.len() > MAX_BATCH {
            return Err(refused("resellers")(Refusal::too_many(MAX_BATCH as i64)));
        }
        Ok(drafts.iter().map(|draft| self.accept_one_of_many(draft)).collect())
    }

    fn accept_one_of_many(&self, draft: &ResellerDraft) -> Result<AcceptedDraft, FieldErrors> {
        match draft.idempotency_key {
            None => self.accept(draft),
            Some(_) => Err(FieldError::new("idempotency_key", Code::Unexpected).into()),
        }
    }

    /// Creates one reseller. It does not check first what is taken, because the transaction finds
    /// out.
    pub(super) fn create<'s>(
        &self,
        draft: &ResellerDraft,
        once: impl FnOnce(&Reseller) -> Option<Once<'s>>,
    ) -> Result<Reseller> {
        let (new, change) = self.new_reseller(self.accept(draft)?)?;
        let once = once(new.reseller());
        let (mut batch, mut taken) = (Batch::default(), Taken::default());
        batch.add(0, new, change);
        if let Some(before) = self.insert_batch(&mut batch, &taken, once.as_ref())? {
            return Ok(before);
        }
        let unanswered =
            || Error::storage("the storage did not say whether it inserted the reseller");
        Ok(batch.answers(&mut taken).pop().ok_or_else(unanswered)??)
    }

    /// Creates every form that can be created, or, in a dry run, answers which could be. `taken`
    /// has the unique values of earlier rows.
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
                        accepted.password = FirstPassword::None; // it would be hashed for nothing
                    }
                    let (new, change) = self.new_reseller(accepted)?;
                    batch.add(i, new, change);
                }
                Err(errors) => batch.add_wrong(i, errors),
            }
        }
        self.refuse_taken(&mut batch)?;
        if !dry_run {
            self.insert_batch(&mut batch, taken, None)?;
        }
        Ok(batch.answers(taken))
    }

    /// Inserts the rows that can be inserted. If the transaction finds a value taken, it is rolled
    /// back, because a refused row must not leave its label behind. Then all rows are checked
    /// again, because only committed rows count. That check finds the refused value taken, unless
    /// it has become free, so that the next transaction gets further.
    ///
    /// Returns the reseller that an earlier call with the same idempotency key has created, if any.
    fn insert_batch(
        &self,
        batch: &mut Batch,
        taken: &Taken,
        once: Option<&Once<'_>>,
    ) -> Result<Option<Reseller>> {
        for _ in 0..TRIES {
            let Some(insertion) = batch.insertion(taken) else { return Ok(None) };
            let inserted = self.write(|tx| {
                if let Some(once) = once
                    && let Some(before) = once.before(tx)?
                {
                    return Ok(Some(before));
                }
                insertion.run(tx, self).map(|()| None)
            });
            match inserted {
                Err(error) if error.kind() == ErrorKind::Validation => self.refuse_taken(batch)?,
                done => return done,
            }
        }
        Err(Error::aborted("another call took a unique value"))
    }

    /// For each draft, the reseller that already has its email, login domain and external id.
    pub(crate) fn existing(
        &self,
        drafts: Vec<Option<&AcceptedDraft>>,
    ) -> Result<Vec<Option<Reseller>>> {
        let emails = drafts.iter().flatten().map(|draft| Lookup::Email(draft.email.clone()));
        let emails: Vec<_> = emails.collect();
        let mut found = self.read(|reads| reads.find(&emails))?.into_iter();
        let same = |draft: &AcceptedDraft, reseller: &Reseller| {
            draft.login_domain == reseller.login_domain && draft.external_id == reseller.external_id
        };
        let existing = |draft: Option<&AcceptedDraft>| {
            draft.and_then(|draft| found.next().flatten().filter(|reseller| same(draft, reseller)))
        };
        Ok(drafts.into_iter().map(existing).collect())
    }

    /// Finds out anew which values of the rows are taken in the store.
    fn refuse_taken(&self, batch: &mut Batch) -> Result<()> {
        batch.forget_taken();
        let (now, rows) = (batch.now(), batch.resellers());
        let labels: Vec<_> = rows.iter().map(|(_, row)| row.login_domain.clone()).collect();
        let holders = holders(&self.shared.storage, &labels)?;
        let emails = rows.iter().map(|(_, row)| Lookup::Email(row.email.clone()));
        let external = rows.iter().filter_map(|(_, row)| row.external_id.clone());
        let lookups: Vec<_> = emails.chain(external.map(Lookup::ExternalId)).collect();
        let (agency, found) =
            self.read(|reads| Ok((reads.held_agency()?, reads.find(&lookups)?)))?;
        let (emails, external) = found.split_at(rows.len());
        let mut external = external.iter();
        for (((i, row), holder), email) in rows.iter().zip(holders).zip(emails) {
            let reserved = self.shared.reserves(&agency.settings);
            if let Some(code) = refusal(&row.login_domain, holder.as_ref(), reserved, now) {
                batch.refuse(*i, FieldError::new("login_domain", code));
            }
            if email.is_some() {
                batch.refuse(*i, FieldError::new("email", Code::Taken));
            }
            if row.external_id.is_some() && external.next().is_some_and(Option::is_some) {
                batch.refuse(*i, FieldError::new("external_id", Code::Taken));
            }
        }
        Ok(())
    }

    /// Makes the record with its credentials, and its entry in the feed. Time, ids, hash and rows
    /// are made before any transaction, so that no transaction waits for a password to be hashed.
    fn new_reseller(&self, draft: AcceptedDraft) -> Result<(NewReseller, Change)> {
        let (entropy, now) = (&*self.shared.entropy, self.now());
        let hash = match &draft.password {
            FirstPassword::Typed(password) => {
                let turn = self.shared.hasher.turn(Some(&self.id), None)?;
                Some(turn.hash(password, random(entropy))?)
            }
            FirstPassword::Hash(hash) => Some(hash.clone()),
            FirstPassword::None => None,
        };
        let credentials = Credentials::from_stored(random(entropy), hash);
        let id = ResellerId::from_uuid(self.shared.new_id(now));
        let AcceptedDraft {
            partner_type,
            name,
            email,
            phone,
            contact,
            login_domain,
            website,
            standing: Standing { status, deactivation_reason },
            ..
        } = draft;
        let reseller = Reseller {
            id,
            agency: self.id.clone(),
            version: 1,
            status,
            deactivation_reason,
            partner_type,
            login_domain,
            name,
            email,
            phone,
            contact,
            website,
            external_id: draft.external_id,
            metadata: draft.metadata,
            created_at: draft.created_at.unwrap_or(now),
            updated_at: now,
        };
        let created = self.mutation_at(now, ChangeKind::ResellerCreated, Some(id));
        Ok((NewReseller::new(reseller, credentials)?, created.entry(1, now, Vec::new())))
    }
}
