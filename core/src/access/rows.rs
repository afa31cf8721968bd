//! Rows of the platform: failed sign-ins, and secrets.

use crate::access::{AttemptKey, Attempts, SecretRow};
use crate::error::Result;
use crate::records::{self, Reads, Tx};
use crate::schema::entity::Entity;
use crate::storage::Lock;

/// More than there can be: there is one for each rotation.
const SECRETS: u32 = 10_000;

impl Reads<'_> {
    /// The attempts under these keys, in the order of the keys.
    pub fn attempts(&mut self, keys: &[AttemptKey]) -> Result<Vec<Option<Attempts>>> {
        self.get(keys)
    }

    /// The platform's secrets, oldest first.
    pub fn secrets(&mut self) -> Result<Vec<SecretRow>> {
        let all = self.of_agency(SecretRow::TABLE, SECRETS);
        self.ask(records::scan(all))
    }
}

impl Tx<'_> {
    /// Locks the rows of these keys in their order; also works in an agency's transaction. A key
    /// without a row gets one with [`Attempts::none`], which is locked, too.
    pub fn lock_attempts(&mut self, keys: &[AttemptKey]) -> Result<Vec<Attempts>> {
        let none = keys.iter().map(|key| Attempts::none(*key)).collect();
        let lock = records::lock_or_insert(self.agency_id(), none, Lock::NoKeyUpdate)?;
        self.ask(lock)
    }
}
