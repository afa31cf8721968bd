//! Password hashes as they are stored: our own, and those a host brings along (S15, S16).
//!
//! A hash is a PHC string of Argon2, with `p7` in front if pepper 7 went into it, or a text of the
//! host's older scheme, which only the host's verifier understands.

use std::collections::BTreeMap;

use argon2::password_hash::phc::{Output, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Params, Version};

use super::{HashingCost, Pepper};

/// Checks passwords against hashes of a scheme that the host used before. A password that it
/// accepts is hashed with Argon2id at once.
///
/// ```
/// use partnerkit::LegacyVerifier;
///
/// /// Stands for a real scheme: the password backwards.
/// struct Backwards;
///
/// impl LegacyVerifier for Backwards {
///     fn recognises(&self, hash: &str) -> bool {
///         hash.starts_with("backwards:")
///     }
///
///     fn verify(&self, password: &str, hash: &str) -> Option<bool> {
///         let backwards: String = password.chars().rev().collect();
///         Some(hash.strip_prefix("backwards:") == Some(&*backwards))
///     }
/// }
/// assert!(Backwards.recognises("backwards:drowssap"));
/// assert_eq!(Backwards.verify("password", "backwards:drowssap"), Some(true));
/// ```
pub trait LegacyVerifier: Send + Sync {
    /// Whether a text is a hash of the scheme.
    fn recognises(&self, hash: &str) -> bool;
    /// Whether the password is right for the hash; `None` if that cannot be checked now. If it is
    /// `None`, or if this panics, the sign-in is refused like any other, but not counted as a
    /// failure of the account.
    ///
    /// This runs within a turn at hashing. So it may not sign in or set a password on the same
    /// platform: those calls fail with `Configuration`.
    fn verify(&self, password: &str, hash: &str) -> Option<bool>;
}

/// A stored hash, taken apart.
pub(super) enum Stored<'h> {
    Argon2(Box<Argon2Hash>),
    Other(&'h str),
}

/// A PHC string of Argon2, ready to be computed.
pub(super) struct Argon2Hash {
    pub pepper: Option<u32>,
    pub argon2: Argon2<'static>,
    pub salt: Salt,
    pub output: Output,
    pub cost: HashingCost,
    pub is_id: bool,
}

impl<'h> Stored<'h> {
    pub fn read(text: &'h str) -> Self {
        Self::argon2(text).unwrap_or(Self::Other(text))
    }

    /// The hash, if it can be verified here: its pepper is known, and its cost is not above the
    /// ceiling.
    pub fn verifiable(&self, peppers: &BTreeMap<u32, Pepper>) -> Option<&Argon2Hash> {
        let Self::Argon2(hash) = self else { return None };
        let peppered = hash.pepper.is_none_or(|id| peppers.contains_key(&id));
        (peppered && hash.cost.is_within(HashingCost::CEILING)).then_some(hash)
    }

    fn argon2(text: &str) -> Option<Self> {
        let (pepper, phc) = match text.strip_prefix('p') {
            Some(rest) => {
                let end = rest.find('$')?;
                (Some(rest[..end].parse().ok()?), &rest[end..])
            }
            None => (None, text),
        };
        let hash = PasswordHash::new(phc).ok()?;
        // Version 16 did not write its number (PHC string format, Argon2).
        let version = Version::try_from(hash.version.unwrap_or(16)).ok()?;
        let algorithm = Algorithm::new(hash.algorithm.as_str()).ok()?;
        // The parameters may stand in any order: npm's argon2 writes m, p, t.
        let params = Params::try_from(&hash).ok()?;
        // A hash with a secret key of another system cannot be verified with the password alone.
        params.keyid().is_empty().then_some(())?;
        // An Argon2 hash without salt or output verifies nothing.
        let (salt, output) = hash.salt.zip(hash.hash)?;
        let (cost, is_id) = (HashingCost::of(&params), algorithm == Algorithm::Argon2id);
        let argon2 = Argon2::new(algorithm, version, params);
        Some(Self::Argon2(Box::new(Argon2Hash { pepper, argon2, salt, output, cost, is_id })))
    }
}

impl Argon2Hash {
    /// A hash that no password matches.
    pub fn of_nobody(argon2: Argon2<'static>, cost: HashingCost) -> Self {
        let salt = Salt::new(&[0; 16]).expect("a salt has 8 to 64 bytes");
        let output = Output::new(&[0; 32]).expect("an output has 10 to 64 bytes");
        Self { pepper: None, argon2, salt, output, cost, is_id: true }
    }
}
