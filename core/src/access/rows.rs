//! Rows of the platform: failed sign-ins, and secrets.

use crate::access::{AttemptKey, Attempts};
use crate::error::Result;
use crate::storage::schema::Value;
use crate::storage::{self, Entity, Insert, Lock, Reads, Scan, SecretRow, Tx};

/// There are fewer: one for each time that they were renewed.
const SECRETS: u32 = 10_000;

impl Reads<'_> {
    /// Attempts by key.
    pub fn attempts(&mut self, keys: &[AttemptKey]) -> Result<Vec<Option<Attempts>>> {
        self.get(keys)
    }

    /// The platform's secrets, oldest first.
    pub fn secrets(&mut self) -> Result<Vec<SecretRow>> {
        let table = SecretRow::TABLE;
        let of_platform = vec![Value::Text(self.agency_id().to_string())];
        self.ask(storage::scan(Scan::all(table, table.key, of_platform, SECRETS)))
    }
}

impl Tx<'_> {
    /// Locks the attempts of keys, in their order; no attempts so far are [`Attempts::none`], and
    /// locked, too.
    pub fn lock_attempts(&mut self, keys: &[AttemptKey]) -> Result<Vec<Attempts>> {
        let none = keys.iter().map(|key| Attempts::none(*key)).collect();
        let lock = storage::lock_or_insert(self.agency_id(), none, Lock::NoKeyUpdate)?;
        self.ask(lock)
    }

    /// Stores attempts that are locked.
    pub fn put_attempts(&mut self, attempts: &Attempts) -> Result<()> {
        self.put(&[*attempts])
    }

    /// Removes attempts that are locked.
    pub fn forget_attempts(&mut self, keys: &[AttemptKey]) -> Result<()> {
        self.delete::<Attempts>(keys)
    }

    /// Keeps a platform secret unless its id is taken.
    pub fn insert_secret(&mut self, secret: &SecretRow) -> Result<Insert<SecretRow>> {
        self.insert(secret)
    }
}
