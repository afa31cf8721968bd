//! A name, as its owner writes it.

use super::{plain_text, text_value};
use crate::error::Refusal;

/// A reseller's or a contact person's name: 1–200 characters in NFC, any script.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Name(String);

text_value!(Name);

impl Name {
    /// Trims, normalises to NFC and checks. Codes: `empty`, `too_long`, `control_character`.
    ///
    /// ```
    /// use partnerkit::{Code, Name};
    ///
    /// assert_eq!(Name::parse("  Acme Télécom ").unwrap().as_str(), "Acme Télécom");
    /// assert_eq!(Name::parse("Acme\u{202e}").unwrap_err().code(), Code::ControlCharacter);
    /// ```
    pub fn parse(raw: &str) -> Result<Self, Refusal> {
        plain_text(raw, 200).map(Self)
    }
}
