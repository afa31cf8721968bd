//! The host's own id of a record.

use super::{plain_text, text_value};
use crate::error::Refusal;

/// The id by which the host knows a reseller: 1–255 characters, unique per agency.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ExternalId(String);

text_value!(ExternalId);

impl ExternalId {
    /// Trims and checks. Codes: `empty`, `too_long`, `control_character`.
    ///
    /// ```
    /// use partnerkit::{Code, ExternalId};
    ///
    /// assert_eq!(ExternalId::parse(" customer-7 ").unwrap().as_str(), "customer-7");
    /// assert_eq!(ExternalId::parse(" ").unwrap_err().code(), Code::Empty);
    /// ```
    pub fn parse(raw: &str) -> Result<Self, Refusal> {
        plain_text(raw, 255).map(Self)
    }
}
