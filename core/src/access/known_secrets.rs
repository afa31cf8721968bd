//! The platform's secrets: given by the host, or kept in the store, where every process finds them.
//! The store is asked at the first use, so that a platform can be opened before its store can be
//! queried.

use std::borrow::Cow;

use once_cell::race::OnceBox;

use super::{Secret, Secrets};
use crate::access::SecretRow;
use crate::clock::{Entropy, random};
use crate::error::{ErrorKind, Result};
use crate::records::{self, Insert, Tx};
use crate::shared::Shared;
use crate::storage::{Scope, Storage};
use crate::values::{AgencyId, Timestamp};

/// The secrets, once they are known. No thread waits for another one that is loading them: a child
/// of `fork` would wait for a thread that exists only in its parent.
#[derive(Default)]
pub(crate) struct KnownSecrets(OnceBox<Secrets>);

impl KnownSecrets {
    /// The host's secrets, in the order of their ids.
    pub fn of_host(by_id: impl DoubleEndedIterator<Item = Secret>) -> Self {
        let known = Self::default();
        if let Some(secrets) = newest_last(by_id) {
            drop(known.0.set(Box::new(secrets)));
        }
        known
    }
}

impl Shared {
    /// The secrets. Must not be called inside a transaction, which cannot begin another one.
    pub fn secrets(&self) -> Result<Cow<'_, Secrets>> {
        if let Some(known) = self.known_secrets.0.get() {
            return Ok(Cow::Borrowed(known));
        }
        let (secrets, lasting) = stored(&self.storage, &*self.entropy, self.clock.now())?;
        if lasting {
            // Another thread may have set it first; it has found the same secrets.
            drop(self.known_secrets.0.set(Box::new(secrets.clone())));
        }
        Ok(Cow::Owned(secrets))
    }
}

/// Loads the secrets from the store, or makes them where there are none. The second value says
/// whether they are committed: in a host's transaction they may still be rolled back.
fn stored(
    storage: &dyn Storage,
    entropy: &dyn Entropy,
    created_at: Timestamp,
) -> Result<(Secrets, bool)> {
    let platform = AgencyId::platform();
    let joined = storage.joined();
    let find = || {
        let rows = records::read(storage, &platform, |reads| reads.secrets());
        rows.map(|rows| newest_last(rows.into_iter().map(|row| row.secret)))
    };
    if !joined && let Some(found) = find()? {
        return Ok((found, true));
    }
    let row = SecretRow { id: 1, secret: Secret::from_bytes(random(entropy)), created_at };
    let make = |scope| records::write(storage, &platform, scope, |tx| found_or_made(tx, &row));
    // A transaction of its own, beside the host's: what it finds or makes is committed.
    match make(Scope::Own) {
        Ok(secrets) => Ok((secrets, true)),
        // The host's transaction has locked the database, so nobody else makes a secret meanwhile.
        Err(error) if joined && error.kind() == ErrorKind::InsideTransaction => {
            let found = find()?;
            Ok((found.map_or_else(|| make(Scope::Join), Ok)?, false))
        }
        Err(error) => Err(error),
    }
}

fn found_or_made(tx: &mut Tx<'_>, row: &SecretRow) -> Result<Secrets> {
    let found = tx.secrets()?.into_iter().map(|row| row.secret);
    if let Some(found) = newest_last(found) {
        return Ok(found);
    }
    let secret = match tx.insert(row)? {
        Insert::Done => row.secret.clone(),
        Insert::Existing(other) => other.secret,
    };
    Ok(Secrets::new(secret, Vec::new()))
}

fn newest_last(by_id: impl DoubleEndedIterator<Item = Secret>) -> Option<Secrets> {
    let mut newest_first = by_id.rev();
    newest_first.next().map(|newest| Secrets::new(newest, newest_first.collect()))
}
