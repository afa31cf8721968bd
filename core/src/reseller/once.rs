//! Creating a reseller once for an idempotency key of the host (S23).

use super::{Reseller, ResellerDraft, one};
use crate::access::Secrets;
use crate::error::{Error, Result};
use crate::records::{self, Insert, Tx};
use crate::reseller::IdempotencyRow;
use crate::storage::Lock;
use crate::tenant::Tenant;
use crate::values::{Timestamp, plain_text};

/// The purpose of a keyed hash of a form.
const KEYED: &str = "create_reseller";

/// An idempotency key that is stored with the new reseller, unless it was used before.
pub(super) struct Once<'s> {
    row: IdempotencyRow,
    secrets: &'s Secrets,
    body: Vec<u8>,
    /// A key that was stored at this time or earlier has expired.
    expired: Timestamp,
}

impl Tenant {
    /// Creates a reseller once for an idempotency key of the host.
    pub(super) fn create_once(&self, key: &str, draft: &ResellerDraft) -> Result<Reseller> {
        let key = plain_text(key, 255).map_err(|refusal| {
            // Reported together with the errors of the form.
            let mut errors = self.accept(draft).err().unwrap_or_default();
            errors.push(refusal.of("idempotency_key"));
            errors
        })?;
        let (secrets, body) = (self.shared.secrets()?, draft.body());
        let expired = self.now().plus_millis(-self.shared.retention.idempotency_keys);
        // The key is looked up first, so that a repeated create does not hash the password again.
        let before = self.read(|reads| {
            let known = reads.one::<IdempotencyRow>(&key)?;
            let Some(known) = known.filter(|row| row.created_at > expired) else {
                return Ok(None);
            };
            same_request(&secrets, &known, &body)?;
            one(reads.resellers(&[known.reseller])?).map(Some)
        })?;
        if let Some(before) = before {
            return Ok(before);
        }
        let fingerprint = secrets.keyed_hash(KEYED, &[&body]);
        self.create(draft, |new| {
            let (reseller, version, created_at) = (new.id, new.version, new.updated_at);
            let row = IdempotencyRow { key, fingerprint, reseller, version, created_at };
            Some(Once { row, secrets: &secrets, body, expired })
        })
    }
}

impl Once<'_> {
    /// Stores the key, also instead of an expired one, or returns the reseller that was created
    /// with it. It waits for a concurrent transaction that stores the same key.
    pub fn before(&self, tx: &mut Tx<'_>) -> Result<Option<Reseller>> {
        let keep = std::slice::from_ref(&self.row);
        let insert = records::insert_or_lock(tx.agency_id(), keep, Lock::Update)?;
        match tx.ask(insert)?.pop() {
            Some(Insert::Existing(known)) if known.created_at > self.expired => {
                same_request(self.secrets, &known, &self.body)?;
                one(tx.resellers(&[known.reseller])?).map(Some)
            }
            Some(Insert::Existing(_)) => tx.put(keep).map(|()| None),
            _ => Ok(None),
        }
    }
}

/// Fails if a key was first used for another form.
fn same_request(secrets: &Secrets, known: &IdempotencyRow, body: &[u8]) -> Result<()> {
    let same = secrets.verifies(KEYED, &[body], &known.fingerprint);
    if same { Ok(()) } else { Err(Error::key_reused()) }
}
