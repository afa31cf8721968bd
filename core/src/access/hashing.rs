//! Argon2id, and the promise that every attempt costs one computation of it (S16, S17).

use std::sync::atomic::{AtomicU64, Ordering};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};

use super::permits::{Permit, Permits};
use crate::error::{Error, Result};
use crate::values::Password;

/// m = 19,456 KiB, t = 2, p = 1: the OWASP Password Storage Cheat Sheet's floor.
const FLOOR: (u32, u32, u32) = (19_456, 2, 1);

/// Hashes and verifies passwords, a bounded number at a time, and counts what it did.
#[derive(Debug)]
pub(crate) struct Hasher {
    argon2: Argon2<'static>,
    permits: Permits,
    computations: AtomicU64,
}

/// A turn at hashing; what follows cannot be `Busy` any more.
pub(crate) struct Turn<'h> {
    hasher: &'h Hasher,
    _permit: Permit<'h>,
}

impl Hasher {
    pub fn new(permits: Permits) -> Result<Self> {
        let (memory, passes, lanes) = FLOOR;
        let params = Params::new(memory, passes, lanes, None).map_err(Error::configuration)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        Ok(Self { argon2, permits, computations: AtomicU64::new(0) })
    }

    /// Waits for a turn, or is `Busy`.
    pub fn turn(&self) -> Result<Turn<'_>> {
        Ok(Turn { hasher: self, _permit: self.permits.take()? })
    }

    /// How many Argon2 computations were made.
    pub fn computations(&self) -> u64 {
        self.computations.load(Ordering::Relaxed)
    }
}

impl Turn<'_> {
    /// The PHC string of a password.
    pub fn hash(self, password: &Password, salt: [u8; 16]) -> Result<String> {
        let argon2 = self.count();
        let failed = |_| Error::storage("a password could not be hashed");
        let hash: PasswordHash =
            argon2.hash_password_with_salt(password.as_bytes(), &salt).map_err(failed)?;
        Ok(hash.to_string())
    }

    /// Whether the password is the hash's. Without a hash or a password the answer is no, and
    /// costs the same.
    pub fn verify(self, password: Option<&Password>, hash: Option<&str>) -> bool {
        let argon2 = self.count();
        let parsed = hash.and_then(|hash| PasswordHash::new(hash).ok());
        match (password, parsed) {
            (Some(password), Some(hash)) => {
                argon2.verify_password(password.as_bytes(), &hash).is_ok()
            }
            _ => {
                let mut out = [0; 32];
                // Only the time it takes matters.
                let _ = argon2.hash_password_into(b"nobody", &[0; 16], &mut out);
                false
            }
        }
    }

    fn count(&self) -> &Argon2<'static> {
        self.hasher.computations.fetch_add(1, Ordering::Relaxed);
        &self.hasher.argon2
    }
}
