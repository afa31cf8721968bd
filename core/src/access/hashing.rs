//! Argon2id password hashes. Every attempt to sign in costs one computation (S16, S17).

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use argon2::{Algorithm, Argon2, Version};

use super::computation::Computation;
use super::permits::{Permit, Permits, Size};
use super::stored::{Argon2Hash, LegacyVerifier, Stored};
use super::verifying::Verifying;
use super::{HashingCost, Pepper};
use crate::error::{Code, Error, Refusal, Result};
use crate::values::{AgencyId, Password};

/// The longest hash that is taken, in bytes; no scheme has longer ones.
const LONGEST: usize = 1_024;

/// Hashes and verifies passwords, a bounded number at a time, and counts what it did.
pub(crate) struct Hasher {
    argon2: Argon2<'static>,
    cost: HashingCost,
    /// The hash that is computed where there is none to verify.
    nobody: Argon2Hash,
    /// The peppers by id; new hashes use the one with the highest id.
    peppers: BTreeMap<u32, Pepper>,
    legacy: Option<Arc<dyn LegacyVerifier>>,
    /// A hash that takes more memory than a new one takes a large turn (S18).
    permits: Permits,
    computations: AtomicU64,
}

/// A turn at hashing. Once it is taken, the operation can no longer be `Busy`.
pub(crate) struct Turn<'h> {
    hasher: &'h Hasher,
    permit: Permit<'h>,
}

/// Whether a password was right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verified {
    No,
    Yes,
    /// The password was right, but the hash was made with older settings.
    Outdated,
    /// The host's verifier could not tell.
    Unknown,
}

impl Verified {
    pub fn is_right(self) -> bool {
        matches!(self, Self::Yes | Self::Outdated)
    }
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
        let nobody = Argon2Hash::of_nobody(argon2.clone(), cost);
        let computations = AtomicU64::new(0);
        Ok(Self { argon2, cost, nobody, peppers, legacy, permits, computations })
    }

    /// Waits for a tenant's turn to verify a hash, or to make one if none is given. Fails with
    /// `Busy`, and with `Configuration` inside the host's verifier.
    pub fn turn(&self, tenant: Option<&AgencyId>, hash: Option<&str>) -> Result<Turn<'_>> {
        Verifying::refuse(self)?;
        let stored = hash.map(Stored::read);
        let known = stored.as_ref().and_then(|stored| stored.verifiable(&self.peppers));
        let large = known.is_some_and(|hash| self.is_large(hash));
        let size = if large { Size::Large } else { Size::Ordinary };
        Ok(Turn { hasher: self, permit: self.permits.take(tenant, size)? })
    }

    /// How many Argon2 computations were made.
    pub fn computations(&self) -> u64 {
        self.computations.load(Ordering::Relaxed)
    }

    /// Accepts a hash that a host imports. Codes: `too_long`, `invalid`; `out_of_range` for one
    /// that would cost more than [`HashingCost::CEILING`]. A hash that is cheaper than the floor is
    /// accepted: its verification is filled up to the configured cost, and the first successful
    /// sign-in replaces it.
    pub fn imported(&self, text: &str) -> Result<String, Refusal> {
        if text.len() > LONGEST {
            return Err(Refusal::too_long(LONGEST as i64));
        }
        match Stored::read(text) {
            Stored::Argon2(hash) if !hash.cost.is_within(HashingCost::CEILING) => {
                Err(Code::OutOfRange.into())
            }
            Stored::Argon2(hash)
                if hash.pepper.is_some_and(|id| !self.peppers.contains_key(&id)) =>
            {
                Err(Refusal::invalid("a hash whose pepper this platform has"))
            }
            Stored::Other(text) if !self.recognises(text) => Err(Refusal::invalid(
                "a hash of Argon2, or one that the legacy verifier recognises",
            )),
            _ => Ok(text.to_owned()),
        }
    }

    fn recognises(&self, text: &str) -> bool {
        self.legacy.as_ref().and_then(|legacy| guarded(|| legacy.recognises(text))) == Some(true)
    }

    /// What is hashed instead of a password: a keyed hash of it, in hexadecimal digits so that
    /// no byte has a meaning (OWASP Password Storage Cheat Sheet, pre-hashing pepper).
    fn peppered(&self, password: &Password, id: Option<u32>) -> Option<Vec<u8>> {
        let Some(id) = id else { return Some(password.as_bytes().to_vec()) };
        let keyed = self.peppers.get(&id)?.keyed_hash(password.as_bytes());
        Some(keyed.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect())
    }

    /// Whether a hash whose password was right is up to date.
    fn verified(&self, hash: &Argon2Hash) -> Verified {
        let current = hash.is_id && self.cost.is_within(hash.cost);
        let newest = hash.pepper == self.newest_pepper();
        if current && newest { Verified::Yes } else { Verified::Outdated }
    }

    fn is_large(&self, hash: &Argon2Hash) -> bool {
        hash.cost.is_larger(self.cost)
    }

    /// Whether the hash was made from this input. A hash that is cheaper than the configured cost
    /// is filled up to it.
    fn compute(&self, hash: &Argon2Hash, input: &[u8]) -> bool {
        let memory = if self.is_large(hash) { hash.cost } else { self.cost };
        let mut computation = Computation::of(memory);
        let right = computation.is_right(hash, input);
        if let Some(rest) = self.cost.less(hash.cost) {
            computation.spend(rest);
        }
        right
    }

    fn legacy(&self, password: &Password, hash: &str) -> Verified {
        // The verifier that recognised the hash when it was stored is no longer configured.
        let Some(legacy) = &self.legacy else { return Verified::No };
        let _verifying = Verifying::by(self);
        match guarded(|| legacy.verify(password.as_str(), hash)).flatten() {
            Some(true) => Verified::Outdated,
            Some(false) => Verified::No,
            None => Verified::Unknown,
        }
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
        let mut computation = Computation::of(self.hasher.cost);
        let hash = computation.hash(self.count(), &input, &salt).ok_or_else(failed)?;
        Ok(pepper.map_or_else(|| hash.to_string(), |id| format!("p{id}{hash}")))
    }

    /// Whether the password is right for the hash. Without a hash or a password the answer is `No`,
    /// at the same cost.
    pub fn verify(self, password: Option<&Password>, hash: Option<&str>) -> Verified {
        self.count();
        let Self { hasher, permit } = self;
        let stored = hash.map(Stored::read);
        let known = stored.as_ref().and_then(|stored| stored.verifiable(&hasher.peppers));
        // There is one path for all cases, because even the position on the stack affects how long
        // a computation takes. Without a password the hash is computed, too; otherwise the faster
        // answer would tell that the account is stopped.
        let of = known.unwrap_or(&hasher.nobody);
        let input = password.and_then(|password| hasher.peppered(password, of.pepper));
        // The host may have stored another hash since the turn was taken.
        let _permit = if hasher.is_large(of) { permit.enlarged() } else { permit };
        let right = hasher.compute(of, input.as_deref().unwrap_or_default());
        match (known, password, &stored) {
            (Some(hash), Some(_), _) if right => hasher.verified(hash),
            (None, Some(password), Some(Stored::Other(hash))) => hasher.legacy(password, hash),
            _ => Verified::No,
        }
    }

    fn count(&self) -> &Argon2<'static> {
        self.hasher.computations.fetch_add(1, Ordering::Relaxed);
        &self.hasher.argon2
    }
}

/// Asks the host's verifier; `None` if it panics.
fn guarded<T>(ask: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(ask)).ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::thread;

    use argon2::Params;
    use argon2::password_hash::PasswordHasher;
    use argon2::password_hash::phc::PasswordHash;

    use super::{Algorithm, Argon2, Hasher, Verified, Version};
    use crate::access::{HashingCost, Permits};
    use crate::values::{AgencyId, Password};

    /// Test vectors of the reference implementation, for the password `password`.
    const LARGE: &str =
        "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
    const SMALL: &str =
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";

    #[test]
    fn s16_a_stored_hash_above_the_ceiling_is_refused() {
        let hasher = hasher(0);
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
            let hash = hash.to_string();
            let turn = hasher.turn(None, Some(&hash)).expect("free");
            let found = turn.verify(Some(&password), Some(&hash));
            assert_eq!(found, verified, "m={memory}, t={passes}, p={lanes}");
        }
    }

    /// A hasher with one turn at a time and a queue of the given length.
    fn hasher(queue: usize) -> Hasher {
        let permits = Permits::new(1, queue);
        let hasher = Hasher::new(permits, HashingCost::FLOOR, BTreeMap::new(), None);
        hasher.expect("opens")
    }

    /// S18, S19: a large hash waits only for other large hashes, also of other tenants, and nothing
    /// else waits for it.
    #[test]
    fn s18_what_takes_more_memory_is_computed_alone() {
        let hasher = hasher(1);
        let password = Password::as_typed("password").expect("short");
        let verify = |turn_for, hash| {
            let turn = hasher.turn(None, Some(turn_for)).expect("there is room");
            turn.verify(Some(&password), Some(hash))
        };
        let other = AgencyId::parse("contoso").expect("an id");
        // With a small turn, as when the host stores a larger hash after the turn was taken; and
        // with a large one.
        for turn_for in [SMALL, LARGE] {
            let busy = hasher.turn(Some(&other), Some(LARGE)).expect("free");
            assert_eq!(verify(SMALL, SMALL), Verified::Outdated, "what is small does not wait");
            thread::scope(|scope| {
                let waiting = scope.spawn(|| verify(turn_for, LARGE));
                while hasher.permits.waiting() == 0 {
                    assert!(!waiting.is_finished(), "it was computed beside another one");
                    thread::yield_now();
                }
                let turn = hasher.turn(Some(&other), Some(SMALL)).expect("nobody has it");
                assert_eq!(turn.verify(Some(&password), Some(SMALL)), Verified::Outdated);
                drop(busy);
                assert_eq!(waiting.join().expect("no panic"), Verified::Yes);
            });
        }
    }

    /// S17: the time of an answer does not tell that an account is stopped.
    #[test]
    fn s17_without_a_password_a_large_hash_has_its_turn_all_the_same() {
        let hasher = hasher(1);
        let busy = hasher.turn(None, Some(LARGE)).expect("free");
        thread::scope(|scope| {
            let turn = hasher.turn(None, None).expect("free");
            let waiting = scope.spawn(|| turn.verify(None, Some(LARGE)));
            while hasher.permits.waiting() == 0 {
                assert!(!waiting.is_finished(), "it was not computed");
                thread::yield_now();
            }
            drop(busy);
            assert_eq!(waiting.join().expect("no panic"), Verified::No);
        });
    }
}
