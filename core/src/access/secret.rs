//! The platform's secret, and the keyed hashes made with it (S59).

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::schema::entity::{entity, stored};
use crate::values::Timestamp;

/// A 256-bit key that never leaves the store. Debug does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret([u8; 32]);

stored!(Secret([u8; 32]));

impl Secret {
    /// From bytes.
    ///
    /// ```
    /// use partnerkit::access::Secret;
    ///
    /// assert_eq!(format!("{:?}", Secret::from_bytes([7; 32])), "Secret(…)");
    /// ```
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, for a store to keep.
    ///
    /// ```
    /// use partnerkit::access::Secret;
    ///
    /// assert_eq!(Secret::from_bytes([7; 32]).as_bytes(), &[7; 32]);
    /// ```
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// HMAC-SHA-256 over a purpose and parts.
    fn keyed_hash(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        self.mac(purpose, parts).finalize().into_bytes().into()
    }

    /// Whether a keyed hash, or its beginning, was made of these parts. The comparison takes
    /// constant time.
    fn verifies(&self, purpose: &str, parts: &[&[u8]], hash: &[u8]) -> bool {
        self.mac(purpose, parts).verify_truncated_left(hash).is_ok()
    }

    /// Each part is preceded by its length, so that no two lists of parts give the same bytes.
    fn mac(&self, purpose: &str, parts: &[&[u8]]) -> Hmac<Sha256> {
        let mut mac = Hmac::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        for part in std::iter::once(purpose.as_bytes()).chain(parts.iter().copied()) {
            Mac::update(&mut mac, &(part.len() as u64).to_be_bytes());
            Mac::update(&mut mac, part);
        }
        mac
    }
}

stored! {
    /// A key of the platform's keyed hashes.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct SecretRow {
        /// The number of the rotation.
        pub id: i64,
        /// The key.
        pub secret: Secret,
        /// When it was made.
        pub created_at: Timestamp,
    }
}

entity! {
    SecretRow in "secrets" {
        key: i64 [agency, id];
        home: Home::Everywhere;
        parent: None, refers: false;
    }
}

/// The secrets of a platform: the newest one makes hashes, all of them verify (S59).
#[derive(Debug, Clone)]
pub(crate) struct Secrets {
    newest: Secret,
    older: Vec<Secret>,
}

impl Secrets {
    pub fn new(newest: Secret, older: Vec<Secret>) -> Self {
        Self { newest, older }
    }

    /// A keyed hash made with the newest secret.
    pub fn keyed_hash(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        self.newest.keyed_hash(purpose, parts)
    }

    /// The keyed hashes made with all secrets, the newest secret's first.
    pub fn keyed_hashes(&self, purpose: &str, parts: &[&[u8]]) -> Vec<[u8; 32]> {
        self.all().map(|secret| secret.keyed_hash(purpose, parts)).collect()
    }

    /// Like `keyed_hashes`, but with only `buckets` different results for each secret. The parts
    /// decide which one it is.
    pub fn keyed_hashes_of(&self, buckets: u64, purpose: &str, parts: &[&[u8]]) -> Vec<[u8; 32]> {
        let hash = |secret: &Secret| {
            let whole = secret.keyed_hash(purpose, parts);
            let beginning = u64::from_be_bytes(std::array::from_fn(|i| whole[i]));
            secret.keyed_hash(purpose, &[&(beginning % buckets).to_be_bytes()])
        };
        self.all().map(hash).collect()
    }

    /// Whether a keyed hash, or its beginning, was made of these parts with one of the secrets.
    pub fn verifies(&self, purpose: &str, parts: &[&[u8]], hash: &[u8]) -> bool {
        self.all().any(|secret| secret.verifies(purpose, parts, hash))
    }

    fn all(&self) -> impl Iterator<Item = &Secret> {
        std::iter::once(&self.newest).chain(&self.older)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A key that goes into password hashes and is never stored beside them (S16).
#[derive(Clone)]
pub(crate) struct Pepper(Vec<u8>);

impl Pepper {
    pub fn new(key: Vec<u8>) -> Self {
        Self(key)
    }

    /// Whether it is too long to be guessed.
    pub fn is_long_enough(&self) -> bool {
        self.0.len() >= 16
    }

    pub fn keyed_hash(&self, password: &[u8]) -> [u8; 32] {
        let mut mac: Hmac<Sha256> =
            Hmac::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        Mac::update(&mut mac, password);
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pepper(…)")
    }
}
