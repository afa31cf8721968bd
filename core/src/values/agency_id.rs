//! The id of an agency (tenant).

use super::text_value;
use crate::error::{Code, Refusal};

/// An agency's id: 1–63 lowercase ASCII letters, digits and inner single hyphens.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AgencyId(String);

text_value!(AgencyId);

const PLATFORM: &str = "_platform";

impl AgencyId {
    /// Checks the slug as typed; nothing is lowercased or trimmed.
    /// Codes: `empty`, `too_long`, `invalid`.
    ///
    /// ```
    /// use partnerkit::{AgencyId, Code};
    ///
    /// assert_eq!(AgencyId::parse("north-wind").unwrap().as_str(), "north-wind");
    /// assert_eq!(AgencyId::parse("North Wind").unwrap_err().code(), Code::Invalid);
    /// ```
    pub fn parse(raw: &str) -> Result<Self, Refusal> {
        if raw.is_empty() {
            return Err(Code::Empty.into());
        }
        if raw.len() > 63 {
            return Err(Refusal::too_long(63));
        }
        let allowed = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
        let hyphens_inside = !raw.starts_with('-') && !raw.ends_with('-') && !raw.contains("--");
        if !raw.bytes().all(allowed) || !hyphens_inside {
            return Err(Refusal::invalid(
                "lowercase letters and digits, and single hyphens between them",
            ));
        }
        Ok(Self(raw.to_owned()))
    }

    /// The id under which rows of the whole platform are stored: its secrets and the sign-in
    /// attempts. No agency can have this id, because `parse` refuses it.
    pub(crate) fn platform() -> Self {
        Self(PLATFORM.to_owned())
    }

    /// Whether this is the platform's id.
    pub(crate) fn is_platform(&self) -> bool {
        self.0 == PLATFORM
    }
}
