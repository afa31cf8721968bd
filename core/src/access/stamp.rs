//! Credentials and access stamps, through which a deactivation takes effect at once everywhere
//! (S20).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use super::Identity;
use crate::reseller::{Reseller, ResellerId};
use crate::schema::entity::{entity, stored};
use crate::values::AgencyId;

/// A random number that every stamp carries; renewing it ends all of them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Generation([u8; 16]);

stored!(Generation([u8; 16]));

impl Generation {
    /// From random bytes.
    ///
    /// ```
    /// use partnerkit::access::Generation;
    ///
    /// let generation = Generation::from_bytes([7; 16]);
    /// assert_eq!(format!("{generation:?}"), "Generation(…)"); // it is in every stamp
    /// ```
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes, for a store to keep.
    ///
    /// ```
    /// use partnerkit::access::Generation;
    ///
    /// assert_eq!(Generation::from_bytes([7; 16]).as_bytes(), &[7; 16]);
    /// ```
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Generation(…)")
    }
}

stored! {
    /// What a reseller signs in with. Debug shows neither field.
    #[derive(Clone, PartialEq, Eq)]
    pub struct Credentials {
        /// The generation of the stamps that are valid.
        pub generation: Generation,
        /// The password's PHC string; none after an invitation.
        pub(crate) hash: Option<String>,
    }
}

stored! {
    /// Credentials and the reseller they belong to.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub(crate) struct CredentialsRow {
        pub reseller: ResellerId,
        pub credentials: Credentials,
    }
}

entity! {
    CredentialsRow in "credentials" {
        key: ResellerId [agency, reseller];
        home: Home::Agency;
        parent: Some(Reseller::TABLE), refers: true;
    }
}

impl Credentials {
    /// Makes credentials from stored values.
    pub(crate) fn from_stored(generation: [u8; 16], hash: Option<String>) -> Self {
        Self { generation: Generation(generation), hash }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hash = if self.hash.is_some() { "…" } else { "none" };
        f.debug_struct("Credentials").field("hash", &hash).finish_non_exhaustive()
    }
}

/// `agency.reseller.generation`: no character in it needs escaping in a cookie.
pub(crate) fn write_stamp(identity: &Identity, generation: Generation) -> String {
    let Identity { agency, reseller } = identity;
    format!("{agency}.{}.{}", write_id(*reseller), URL_SAFE_NO_PAD.encode(generation.0))
}

/// The parts of a stamp, if it is one. Only the text that [`write_stamp`] writes is one: a host may
/// compare stamps as texts, for example in a list of those that it has withdrawn.
pub(crate) fn read_stamp(stamp: &str) -> Option<(Identity, Generation)> {
    let mut parts = stamp.splitn(3, '.');
    let agency = AgencyId::parse(parts.next()?).ok()?;
    let reseller = read_id(parts.next()?)?;
    let generation = URL_SAFE_NO_PAD.decode(parts.next()?).ok()?;
    Some((Identity { agency, reseller }, Generation(generation.try_into().ok()?)))
}

/// An id in a stamp or a token: 32 small hexadecimal digits.
pub(super) fn write_id(id: ResellerId) -> String {
    id.as_uuid().simple().to_string()
}

/// The id that [`write_id`] wrote; other spellings of a UUID are none.
pub(super) fn read_id(text: &str) -> Option<ResellerId> {
    let id = ResellerId::from_uuid(Uuid::try_parse(text).ok()?);
    (write_id(id) == text).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s20_a_stamp_has_one_spelling() {
        let reseller = "01936b2e-3f4a-7c1d-8e5f-0123456789ab".parse().expect("an id");
        let agency = AgencyId::parse("northwind").expect("an id");
        let identity = Identity { agency, reseller };
        let stamp = write_stamp(&identity, Generation::from_bytes([0; 16]));
        assert_eq!(stamp, "northwind.01936b2e3f4a7c1d8e5f0123456789ab.AAAAAAAAAAAAAAAAAAAAAA");
        assert!(read_stamp(&stamp) == Some((identity, Generation::from_bytes([0; 16]))));
        let id = "01936b2e3f4a7c1d8e5f0123456789ab";
        for spelt in [
            "01936B2E3F4A7C1D8E5F0123456789AB",
            "01936b2e-3f4a-7c1d-8e5f-0123456789ab",
            "{01936b2e-3f4a-7c1d-8e5f-0123456789ab}",
            "urn:uuid:01936b2e-3f4a-7c1d-8e5f-0123456789ab",
        ] {
            assert!(read_stamp(&stamp.replace(id, spelt)).is_none(), "{spelt}");
        }
        for (generation, other) in
            [("AAAA", "AAAB"), ("AAAA", "AA=="), ("AAAA", "AAAA=="), (".", "..")]
        {
            let (before, _) = stamp.rsplit_once(generation).expect("there");
            assert!(read_stamp(&format!("{before}{other}")).is_none(), "{other}");
        }
    }
}
