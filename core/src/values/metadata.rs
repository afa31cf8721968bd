//! The host's own data, kept with a record.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::error::{Code, Refusal};

/// The host's own data: at most 50 pairs of texts, with keys of up to 40 and values of up to 500
/// characters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Metadata(BTreeMap<String, String>);

impl Metadata {
    /// Checks counts and lengths. Codes: `too_many`, `empty`, `too_long`, `control_character`.
    ///
    /// ```
    /// use std::collections::BTreeMap;
    /// use partnerkit::{Code, Metadata};
    ///
    /// let pairs = |key: String| BTreeMap::from([(key, "gold".to_owned())]);
    /// assert!(Metadata::parse(pairs("tier".to_owned())).is_ok());
    /// let refusal = Metadata::parse(pairs("x".repeat(41))).unwrap_err();
    /// assert_eq!(refusal.code(), Code::TooLong);
    /// ```
    pub fn parse(raw: BTreeMap<String, String>) -> Result<Self, Refusal> {
        if raw.len() > 50 {
            return Err(Refusal::too_many(50));
        }
        for (key, value) in &raw {
            if key.is_empty() {
                return Err(Code::Empty.into());
            }
            if key.chars().count() > 40 {
                return Err(Refusal::too_long(40));
            }
            if value.chars().count() > 500 {
                return Err(Refusal::too_long(500));
            }
            if key.contains('\0') || value.contains('\0') {
                return Err(Code::ControlCharacter.into());
            }
        }
        Ok(Self(raw))
    }

    /// The pairs, by key.
    ///
    /// ```
    /// use std::collections::BTreeMap;
    /// use partnerkit::Metadata;
    ///
    /// let pairs = BTreeMap::from([("tier".to_owned(), "gold".to_owned())]);
    /// let metadata = Metadata::parse(pairs).unwrap();
    /// assert_eq!(metadata.as_map()["tier"], "gold");
    /// ```
    pub fn as_map(&self) -> &BTreeMap<String, String> {
        &self.0
    }

    pub(crate) fn from_stored(pairs: BTreeMap<String, String>) -> Self {
        Self(pairs)
    }
}

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = BTreeMap::deserialize(deserializer)?;
        Self::parse(raw).map_err(|refusal| de::Error::custom(refusal.code().slug()))
    }
}
