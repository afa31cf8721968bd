//! The platform's secrets: the host's, or those that the store keeps, the same in every process.
//! The store is asked at the first use, so that a platform can be opened where no store can be
//! asked yet.

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

/// What is known of the secrets. Nobody waits for whoever is finding out: a child of `fork` may
/// have inherited that.
#[derive(Default)]
pub(crate) struct KnownSecrets(OnceBox<Secrets>);

impl KnownSecrets {
    /// Those of the host, by id.
    pub fn of_host(by_id: impl DoubleEndedIterator<Item = Secret>) -> Self {
        let known = Self::default();
        if let Some(secrets) = newest_last(by_id) {
            drop(known.0.set(Box::new(secrets)));
        }
        known
    }
}

impl Shared {
    /// The secrets. Not for work inside a transaction, which cannot begin another one.
    pub fn secrets(&self) -> Result<Cow<'_, Secrets>> {
        if let Some(known) = self.known_secrets.0.get() {
            return Ok(Cow::Borrowed(known));
        }
        let (secrets, lasting) = stored(&self.storage, &*self.entropy, self.clock.now())?;
        if lasting {
            // Others may have been as fast; they have found the same.
            drop(self.known_secrets.0.set(Box::new(secrets.clone())));
        }
        Ok(Cow::Owned(secrets))
    }
}

/// The secrets that the store keeps, made where there are none, and whether they are there to
/// stay: in a transaction of the host's they may be undone.
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
    // Beside the host's transaction: what is found there is committed, and what is made stays.
    match make(Scope::Own) {
        Ok(secrets) => Ok((secrets, true)),
        // The host's transaction keeps everybody out, so nobody makes another one meanwhile.
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
