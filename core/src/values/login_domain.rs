//! The subdomain under which a reseller's customers sign in.

use super::text_value;
use crate::error::{Code, Refusal};

/// The left-most label of a reseller's sign-in host, unique on the platform: lowercase letters,
/// digits and inner single hyphens, at most 63 (RFC 1035, 2.3.1). The platform's
/// [`LoginDomainPolicy`](super::LoginDomainPolicy) says which of these a new reseller may have.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LoginDomain(String);

text_value!(LoginDomain);

impl LoginDomain {
    /// Checks the label exactly as typed: it is never lowercased, trimmed or mapped.
    /// Codes: `empty`, `too_long`, `not_ascii`, `whitespace`, `uppercase`, `special_character`,
    /// `hyphen`.
    ///
    /// ```
    /// use partnerkit::{Code, LoginDomain};
    ///
    /// assert_eq!(LoginDomain::parse("acme-24").unwrap().as_str(), "acme-24");
    /// assert_eq!(LoginDomain::parse("Acme").unwrap_err().code(), Code::Uppercase);
    /// ```
    pub fn parse(raw: &str) -> Result<Self, Refusal> {
        Self::of_shape(raw, Shape::Dns)
    }

    /// Checks a label for a shape; a shape without digits adds the code `digit`.
    pub(super) fn of_shape(raw: &str, shape: Shape) -> Result<Self, Refusal> {
        if raw.is_empty() {
            return Err(Code::Empty.into());
        }
        if let Some(code) = raw.chars().find(|c| !shape.allows(*c)).map(complaint) {
            return Err(code.into());
        }
        // Two in a row would make it look like an internationalised name (RFC 5891, 4.2.3.1).
        if raw.starts_with('-') || raw.ends_with('-') || raw.contains("--") {
            return Err(Code::Hyphen.into());
        }
        if raw.len() > 63 {
            return Err(Refusal::too_long(63));
        }
        Ok(Self(raw.to_owned()))
    }
}

/// Which characters a label may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Letters,
    Dns,
}

impl Shape {
    pub fn allows(self, c: char) -> bool {
        c.is_ascii_lowercase() || (self == Self::Dns && (c.is_ascii_digit() || c == '-'))
    }
}

/// The code for a character that is not allowed.
fn complaint(c: char) -> Code {
    match c {
        'A'..='Z' => Code::Uppercase,
        '0'..='9' => Code::Digit,
        c if c.is_whitespace() => Code::Whitespace,
        c if c.is_ascii() => Code::SpecialCharacter,
        _ => Code::NotAscii,
    }
}
