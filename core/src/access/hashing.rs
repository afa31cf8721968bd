//! Argon2id, and the promise that every attempt costs one computation of it (S16, S17).

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Version};

use super::permits::{Permit, Permits};
use super::stored::{LegacyVerifier, Stored};
use super::{HashingCost, Pepper};
use crate::error::{Code, Error, Refusal, Result};
use crate::values::Password;

/// No scheme's hash is longer.
const LONGEST: usize = 1_024;

/// Hashes and verifies passwords, a bounded number at a time, and counts what it did.
pub(crate) struct Hasher {
    argon2: Argon2<'static>,
    cost: HashingCost,
    /// By id; that of the highest goes into new hashes.
    peppers: BTreeMap<u32, Pepper>,
    legacy: Option<Arc<dyn LegacyVerifier>>,
    permits: Permits,
    /// Hashes that take more memory than new ones do: one at a time (S18).
    large: Permits,
    computations: AtomicU64,
}

/// A turn at hashing; what follows cannot be `Busy` any more.
pub(crate) struct Turn<'h> {
    hasher: &'h Hasher,
    _permit: Permit<'h>,
}

/// Whether a password was right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verified {
    No,
    Yes,
    /// It was, but the hash is not what one would be made today.
    Outdated,
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hasher").field("cost", &self.cost).finish_non_exhaustive()
    }
}

impl Hasher {
    pub fn new(
        permits: Permits,
        cost: HashingCost,
        peppers: BTreeMap<u32, Pepper>,
        legacy: Option<Arc<dyn LegacyVerifier>>,
    ) -> Result<Self> {
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, cost.params()?);
        let (large, computations) = (Permits::new(1, usize::MAX), AtomicU64::new(0));
        Ok(Self { argon2, cost, peppers, legacy, permits, large, computations })
    }

    /// Waits for a turn, or is `Busy`.
    pub fn turn(&self) -> Result<Turn<'_>> {
        Ok(Turn { hasher: self, _permit: self.permits.take()? })
    }

    /// How many Argon2 computations were made.
    pub fn computations(&self) -> u64 {
        self.computations.load(Ordering::Relaxed)
    }

    /// A hash that a host brings along. Codes: `too_long`, `invalid`; `out_of_range` for one
    /// that would cost more than [`HashingCost::CEILING`]. A cheaper one than the floor is taken:
    /// verifying it is filled up to the configured cost, and the first success makes it anew.
    pub fn imported(&self, text: &str) -> Result<String, Refusal> {
        if text.len() > LONGEST {
            return Err(Refusal::too_long(LONGEST as i64));
        }
        match Stored::read(text) {
            Stored::Argon2 { cost, .. } if !cost.is_within(HashingCost::CEILING) => {
                Err(Code::OutOfRange.into())
            }
            Stored::Argon2 { pepper: Some(id), .. } if !self.peppers.contains_key(&id) => {
                Err(Code::Invalid.into())
            }
            Stored::Other(text) if !self.recognises(text) => Err(Code::Invalid.into()),
            _ => Ok(text.to_owned()),
        }
    }

    fn recognises(&self, text: &str) -> bool {
        self.legacy.as_ref().is_some_and(|legacy| guarded(|| legacy.recognises(text)))
    }

    /// What is hashed instead of a password: a keyed hash of it, in hexadecimal digits so that
    /// no byte has a meaning (OWASP Password Storage Cheat Sheet, pre-hashing pepper).
    fn peppered(&self, password: &Password, id: Option<u32>) -> Option<Vec<u8>> {
        let Some(id) = id else { return Some(password.as_bytes().to_vec()) };
        let keyed = self.peppers.get(&id)?.keyed_hash(password.as_bytes());
        Some(keyed.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect())
    }

    fn newest_pepper(&self) -> Option<u32> {
        self.peppers.keys().next_back().copied()
    }
}

impl Turn<'_> {
    /// The stored form of a new password.
    pub fn hash(self, password: &Password, salt: [u8; 16]) -> Result<String> {
        let failed = || Error::storage("a password could not be hashed");
        let pepper = self.hasher.newest_pepper();
        let input = self.hasher.peppered(password, pepper).ok_or_else(failed)?;
        let hashed = self.count().hash_password_with_salt(&input, &salt);
        let hash: PasswordHash = hashed.map_err(|_| failed())?;
        Ok(pepper.map_or_else(|| hash.to_string(), |id| format!("p{id}{hash}")))
    }

    /// Whether the password is the hash's. Without a hash or a password the answer is no, and
    /// costs the same.
    pub fn verify(self, password: Option<&Password>, hash: Option<&str>) -> Verified {
        let argon2 = self.count();
        let own = self.hasher.cost;
        let right = match (password, hash.map(Stored::read)) {
            (Some(password), Some(Stored::Argon2 { pepper, hash, cost, is_id }))
                if cost.is_within(HashingCost::CEILING) =>
            {
                let input = self.hasher.peppered(password, pepper);
                let current = is_id && own.is_within(cost) && pepper == self.hasher.newest_pepper();
                // With a pepper that is not known it is another password, at the same cost.
                let known = input.is_some();
                let input = input.unwrap_or_else(|| password.as_bytes().to_vec());
                let right = self.computed(cost, || argon2.verify_password(&input, &*hash).is_ok());
                if let Some(rest) = own.less(cost) {
                    fill_up(rest);
                }
                (right && known).then_some(current)
            }
            (Some(password), Some(Stored::Other(hash))) => {
                spend(argon2);
                self.legacy(password, hash).then_some(false)
            }
            _ => {
                spend(argon2);
                None
            }
        };
        match right {
            None => Verified::No,
            Some(true) => Verified::Yes,
            Some(false) => Verified::Outdated,
        }
    }

    /// Computes what takes more memory than a new hash does behind others that do.
    fn computed(&self, cost: HashingCost, compute: impl FnOnce() -> bool) -> bool {
        let large = cost.is_larger(self.hasher.cost).then(|| self.hasher.large.take());
        // Its queue has no end, so nobody is `Busy` after all.
        let _alone = large.and_then(Result::ok);
        compute()
    }

    fn legacy(&self, password: &Password, hash: &str) -> bool {
        let legacy = self.hasher.legacy.as_ref();
        legacy.is_some_and(|legacy| guarded(|| legacy.verify(password.as_str(), hash)))
    }

    fn count(&self) -> &Argon2<'static> {
        self.hasher.computations.fetch_add(1, Ordering::Relaxed);
        &self.hasher.argon2
    }
}

/// One computation for nothing: only the time it takes matters.
fn spend(argon2: &Argon2<'static>) {
    let mut out = [0; 32];
    let _ = argon2.hash_password_into(b"nobody", &[0; 16], &mut out);
}

/// What a cheap computation lacks of a whole one.
fn fill_up(rest: HashingCost) {
    if let Ok(params) = rest.params() {
        spend(&Argon2::new(Algorithm::Argon2id, Version::V0x13, params));
    }
}

/// A panic of the host's own scheme is a no.
fn guarded(ask: impl FnOnce() -> bool) -> bool {
    catch_unwind(AssertUnwindSafe(ask)).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::thread;

    use argon2::Params;

    use super::{Algorithm, Argon2, Hasher, PasswordHash, PasswordHasher, Verified, Version};
    use crate::access::{HashingCost, Permits};
    use crate::values::Password;

    /// The reference implementation's own test vectors: of the password `password`.
    const LARGE: &str =
        "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
    const SMALL: &str =
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";

    #[test]
    fn s16_a_stored_hash_above_the_ceiling_is_refused() {
        let permits = Permits::new(1, 0);
        let hasher = Hasher::new(permits, HashingCost::FLOOR, BTreeMap::new(), None);
        let hasher = hasher.expect("opens");
        let password = Password::as_typed("password").expect("short");
        for (memory, passes, lanes, verified) in [
            (8, 16, 1, Verified::Outdated),
            (8, 17, 1, Verified::No),
            (136, 1, 16, Verified::Outdated),
            (136, 1, 17, Verified::No),
        ] {
            let params = Params::new(memory, passes, lanes, None).expect("possible");
            let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
            let hash = argon2.hash_password_with_salt(password.as_bytes(), &[7; 16]);
            let hash: PasswordHash = hash.expect("hashes");
            let turn = hasher.turn().expect("free");
            let found = turn.verify(Some(&password), Some(&hash.to_string()));
            assert_eq!(found, verified, "m={memory}, t={passes}, p={lanes}");
        }
    }

    #[test]
    fn s18_what_takes_more_memory_is_computed_alone() {
        let permits = Permits::new(4, 0);
        let hasher = Hasher::new(permits, HashingCost::FLOOR, BTreeMap::new(), None);
        let hasher = hasher.expect("opens");
        let password = Password::as_typed("password").expect("short");
        let verify = |hash| hasher.turn().expect("free").verify(Some(&password), Some(hash));
        let busy = hasher.large.take().expect("free");
        assert_eq!(verify(SMALL), Verified::Outdated, "what is small does not wait");
        thread::scope(|scope| {
            let waiting = scope.spawn(|| verify(LARGE));
            while hasher.large.waiting() == 0 {
                assert!(!waiting.is_finished(), "it was computed beside another one");
                thread::yield_now();
            }
            drop(busy);
            assert_eq!(waiting.join().expect("no panic"), Verified::Yes);
        });
    }
}
