//! Password hashes as they are stored: our own, and those a host brings along (S15, S16).
//!
//! A hash is a PHC string of Argon2, behind `p7` if pepper 7 went into it; or whatever an older
//! scheme of the host's has left, which only the host's verifier understands.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Params, Version};

use super::HashingCost;

/// Checks passwords against hashes of a scheme that a host has had before (S15). A password that
/// it accepts is hashed anew at once.
pub trait LegacyVerifier: Send + Sync {
    /// Whether a text is a hash of the scheme.
    fn recognises(&self, hash: &str) -> bool;
    /// Whether the password is the hash's.
    fn verify(&self, password: &str, hash: &str) -> bool;
}

/// A stored hash, taken apart.
pub(super) enum Stored<'h> {
    Argon2 { pepper: Option<u32>, hash: Box<PasswordHash>, cost: HashingCost, is_id: bool },
    Other(&'h str),
}

impl<'h> Stored<'h> {
    pub fn read(text: &'h str) -> Self {
        Self::argon2(text).unwrap_or(Self::Other(text))
    }

    fn argon2(text: &str) -> Option<Self> {
        let (pepper, phc) = match text.strip_prefix('p') {
            Some(rest) => {
                let end = rest.find('$')?;
                (Some(rest[..end].parse().ok()?), &rest[end..])
            }
            None => (None, text),
        };
        let mut hash = PasswordHash::new(phc).ok()?;
        // Version 16 did not write its number (PHC string format, Argon2).
        Version::try_from(*hash.version.get_or_insert(16)).ok()?;
        // An Argon2 hash without salt or output verifies nothing.
        hash.salt.as_ref().zip(hash.hash.as_ref())?;
        let algorithm = Algorithm::new(hash.algorithm.as_str()).ok()?;
        // The parameters may stand in any order: npm's argon2 writes m, p, t.
        let params = Params::try_from(&hash).ok()?;
        // With a key of somebody else's it is not enough to know the password.
        params.keyid().is_empty().then_some(())?;
        let cost = HashingCost::of(&params);
        let is_id = algorithm == Algorithm::Argon2id;
        Some(Self::Argon2 { pepper, hash: Box::new(hash), cost, is_id })
    }
}
