//! Argon2id, and the promise that every attempt costs one computation of it (S16, S17).

use std::sync::atomic::{AtomicU64, Ordering};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};

use crate::error::{Error, Result};
use crate::values::Password;

/// m = 19,456 KiB, t = 2, p = 1: the OWASP Password Storage Cheat Sheet's floor.
const FLOOR: (u32, u32, u32) = (19_456, 2, 1);

/// Hashes and verifies passwords, and counts what it did.
#[derive(Debug)]
pub(crate) struct Hasher {
    argon2: Argon2<'static>,
    computations: AtomicU64,
}

impl Hasher {
    pub fn new() -> Result<Self> {
        let (memory, passes, lanes) = FLOOR;
        let params = Params::new(memory, passes, lanes, None).map_err(Error::configuration)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        Ok(Self { argon2, computations: AtomicU64::new(0) })
    }

    /// The PHC string of a password.
    pub fn hash(&self, password: &Password, salt: [u8; 16]) -> Result<String> {
        self.computations.fetch_add(1, Ordering::Relaxed);
        let failed = |_| Error::storage("a password could not be hashed");
        let hash: PasswordHash =
            self.argon2.hash_password_with_salt(password.as_bytes(), &salt).map_err(failed)?;
        Ok(hash.to_string())
    }

    /// Whether the password is the hash's. Without a hash or a password the answer is no, and
    /// costs the same.
    pub fn verify(&self, password: Option<&Password>, hash: Option<&str>) -> bool {
        self.computations.fetch_add(1, Ordering::Relaxed);
        let parsed = hash.and_then(|hash| PasswordHash::new(hash).ok());
        match (password, parsed) {
            (Some(password), Some(hash)) => {
                self.argon2.verify_password(password.as_bytes(), &hash).is_ok()
            }
            _ => {
                let mut out = [0; 32];
                // Only the time it takes matters.
                let _ = self.argon2.hash_password_into(b"nobody", &[0; 16], &mut out);
                false
            }
        }
    }

    /// How many Argon2 computations were made.
    pub fn computations(&self) -> u64 {
        self.computations.load(Ordering::Relaxed)
    }
}
