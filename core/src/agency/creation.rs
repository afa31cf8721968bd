//! Creating a reseller from a form, and once for an idempotency key.

use super::Agency;
use super::resellers::{label_row, one, taken_fields};
use crate::access::{Credentials, Secrets};
use crate::changes::ChangeKind;
use crate::clock::random;
use crate::error::{Code, Error, FieldError, FieldErrors, Refusal, Result};
use crate::reseller::{
    AcceptedDraft, FORM_ORDER, FirstPassword, Reseller, ResellerDraft, ResellerId, Status,
};
use crate::storage::{self, AgencyRow, IdempotencyRow, Insert, LabelState, Lock, NewReseller, Tx};
use crate::usage::ACTIVE_RESELLERS;
use crate::usage::TotalDelta;
use crate::values::{LoginDomain, Timestamp, plain_text};

/// What a keyed hash of a form is for.
const KEYED: &str = "create_reseller";

impl Agency {
    /// Creates a reseller from a form. All that is wrong with it comes back at once, a taken
    /// login domain, email or external id included, and nothing is written then.
    pub fn create_reseller(&self, draft: ResellerDraft) -> Result<Reseller> {
        self.observe("create_reseller", None, || self.create(&draft, None))
    }

    /// The same, once for a key of the host's, which is kept for 24 hours unless configured
    /// otherwise: when it is repeated, the reseller is returned as it is now, and nothing is
    /// created (S23). A create that fails does not use the key up. Passwords are not compared.
    ///
    /// Errors: `Conflict` for a key that was used for another form, `NotFound` if the reseller
    /// has been deleted since; those of [`create_reseller`](Self::create_reseller); field
    /// `idempotency_key` (1–255 characters).
    pub fn create_reseller_once(&self, key: &str, draft: ResellerDraft) -> Result<Reseller> {
        self.observe("create_reseller_once", None, || {
            let refused = |refusal: Refusal| FieldErrors::from(refusal.of("idempotency_key"));
            let key = plain_text(key, 255).map_err(refused)?;
            let secrets = self.shared.secrets()?;
            // Looked for first, so that a repeated create does not hash the password again.
            let before = self.read(|reads| {
                let known = reads
                    .one::<IdempotencyRow>(&key)?
                    .filter(|row| row.created_at > self.expired());
                let Some(known) = known else { return Ok(None) };
                same_request(&secrets, &known, &draft)?;
                one(reads.resellers(&[known.reseller])?).map(Some)
            })?;
            match before {
                Some(before) => Ok(before),
                None => self.create(&draft, Some((key, &*secrets))),
            }
        })
    }

    fn create(&self, draft: &ResellerDraft, once: Option<(String, &Secrets)>) -> Result<Reseller> {
        let new = self.new_reseller(draft.accept(&self.shared.form_rules())?)?;
        let reseller = new.reseller();
        let now = reseller.created_at;
        let once = once.map(|(key, secrets)| {
            let fingerprint = secrets.keyed_hash(KEYED, &[&draft.body()]);
            let row = IdempotencyRow {
                key,
                fingerprint,
                reseller: reseller.id,
                version: 1,
                created_at: now,
            };
            (row, secrets)
        });
        let change = self.change(ChangeKind::ResellerCreated, Some(reseller.id), 1, now);
        let before = self.write(|tx| {
            if let Some((row, secrets)) = &once
                && let Insert::Existing(known) = remember(tx, row, self.expired())?
            {
                same_request(secrets, &known, draft)?;
                return one(tx.resellers(&[known.reseller])?).map(Some);
            }
            self.insert(tx, &new)?;
            tx.add_totals(&[TotalDelta { name: ACTIVE_RESELLERS, add: 1 }])?;
            tx.append_changes(std::slice::from_ref(&change))?;
            Ok(None)
        })?;
        Ok(before.unwrap_or_else(|| new.into_reseller()))
    }

    /// Takes the label and inserts the record, or tells everything that is taken.
    fn insert(&self, tx: &mut Tx<'_>, new: &NewReseller) -> Result<()> {
        let reseller = new.reseller();
        let label = label_row(reseller, LabelState::Held(reseller.id));
        let mut errors = FieldErrors::default();
        let claimed = tx.claim_labels(std::slice::from_ref(&label), reseller.created_at)?.pop();
        if let Some(Insert::Existing(holder)) = claimed {
            errors.push(FieldError::new("login_domain", holder.state.refusal()));
        }
        let agency = tx.held_agency()?;
        if let Some(reserved) = reserved_by(&agency, &label.label).filter(|_| errors.is_empty()) {
            errors.push(reserved);
        }
        let inserted = tx.insert_resellers(std::slice::from_ref(new))?.pop();
        if let Some(Insert::Existing(_)) = inserted {
            taken_fields(tx, reseller, &mut errors)?;
        }
        if errors.is_empty() { Ok(()) } else { Err(errors.in_order_of(FORM_ORDER).into()) }
    }

    /// Until when idempotency keys that were made then have expired by now.
    fn expired(&self) -> Timestamp {
        self.now().plus_millis(-self.shared.retention.idempotency_keys)
    }

    /// The record and its credentials. Time, ids and the hash are drawn and the rows made here,
    /// before any transaction: none waits for a password to be hashed.
    pub(super) fn new_reseller(&self, draft: AcceptedDraft) -> Result<NewReseller> {
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
        NewReseller::new(reseller, credentials)
    }
}

/// Why a reseller of this agency may not have a label, whoever else has it.
pub(super) fn reserved_by(agency: &AgencyRow, label: &LoginDomain) -> Option<FieldError> {
    let reserved = agency.settings.reserved_labels.contains(label);
    reserved.then(|| FieldError::new("login_domain", Code::Reserved))
}

/// Keeps an idempotency key, also in place of one made at or before `expired`. Waits for a
/// concurrent transaction that keeps the same.
fn remember(
    tx: &mut Tx<'_>,
    key: &IdempotencyRow,
    expired: Timestamp,
) -> Result<Insert<IdempotencyRow>> {
    let keep = std::slice::from_ref(key);
    let insert = storage::insert_or_lock(tx.agency_id(), keep, Lock::Update)?;
    match tx.ask(insert)?.pop() {
        Some(Insert::Existing(before)) if before.created_at > expired => {
            Ok(Insert::Existing(before))
        }
        Some(Insert::Existing(_)) => tx.put(keep).map(|()| Insert::Done),
        _ => Ok(Insert::Done),
    }
}

/// A key belongs to the form it was first used for.
fn same_request(secrets: &Secrets, known: &IdempotencyRow, draft: &ResellerDraft) -> Result<()> {
    let same = secrets.verifies(KEYED, &[&draft.body()], &known.fingerprint);
    if same { Ok(()) } else { Err(Error::key_reused()) }
}
