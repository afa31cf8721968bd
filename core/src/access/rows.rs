//! Rows of the platform: failed sign-ins, and secrets.

use crate::access::{AttemptKey, Attempts, SecretRow};
use crate::error::Result;
use crate::records::{self, Reads, Tx};
use crate::schema::entity::Entity;
use crate::storage::Lock;

/// There are fewer: one for each time that they were renewed.
const SECRETS: u32 = 10_000;

impl Reads<'_> {
    /// Attempts by key.
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
    /// Locks the attempts of keys, in their order, in an agency's transaction, too; no attempts so
    /// far are [`Attempts::none`], and locked, too.
    pub fn lock_attempts(&mut self, keys: &[AttemptKey]) -> Result<Vec<Attempts>> {
        let none = keys.iter().map(|key| Attempts::none(*key)).collect();
        let lock = records::lock_or_insert(self.agency_id(), none, Lock::NoKeyUpdate)?;
        self.ask(lock)
    }
}
