//! An email address, and the key under which two spellings are one address.

use super::domain_name;
use super::text::{is_invisible, nfc};
use crate::error::{Code, Refusal};

/// An email address: the local part in NFC as typed, the domain as lowercase A-labels.
///
/// It has at most 254 bytes, and its local part at most 64 (RFC 5321, 4.5.3.1). Quoted local parts
/// and address literals are refused.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Email(String);

super::text_value!(Email);

impl Email {
    /// Checks and canonicalises. Codes: `empty`, `too_long`, `whitespace`, `invalid`.
    ///
    /// ```
    /// use partnerkit::{Code, Email};
    ///
    /// let email = Email::parse("Owner+Sales@BÜRO.example").unwrap();
    /// assert_eq!(email.as_str(), "Owner+Sales@xn--bro-hoa.example");
    /// assert_eq!(Email::parse("owner@localhost").unwrap_err().code(), Code::Invalid);
    /// ```
    pub fn parse(raw: &str) -> Result<Self, Refusal> {
        if raw.is_empty() {
            return Err(Code::Empty.into());
        }
        // A-labels can be longer than the typed form; this bounds the work of making them.
        if raw.len() > 1_024 {
            return Err(Refusal::too_long(254));
        }
        if raw.chars().any(char::is_whitespace) {
            return Err(Code::Whitespace.into());
        }
        let (local, domain) = raw.rsplit_once('@').ok_or_else(not_valid)?;
        if local.chars().any(becomes_ascii) {
            return Err(not_valid());
        }
        let local = nfc(local);
        if !is_dot_atom(&local) {
            return Err(not_valid());
        }
        if domain.chars().any(maps_to_ascii) {
            return Err(not_valid());
        }
        let domain = domain_name(domain).filter(|domain| domain.contains('.'));
        let domain = domain.ok_or_else(not_valid)?;
        if local.len() > 64 {
            return Err(Refusal::too_long(64));
        }
        if local.len() + 1 + domain.len() > 254 {
            return Err(Refusal::too_long(254));
        }
        Ok(Self(format!("{local}@{domain}")))
    }

    /// The form that is compared: ASCII letters without case, everything else exactly. So a dotless
    /// i is never an `i`, and a long s is never an `s`.
    ///
    /// ```
    /// use partnerkit::Email;
    ///
    /// let [one, other] = ["Owner@acme.example", "owner@acme.example"].map(|raw| Email::parse(raw).unwrap());
    /// assert_ne!(one, other);
    /// assert_eq!(one.key(), other.key());
    /// ```
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// The key of a text that was typed at sign-in; `None` if it is not an address.
    pub(crate) fn key_of(raw: &str) -> Option<String> {
        Self::parse(raw).ok().map(|email| email.key())
    }
}

fn not_valid() -> Refusal {
    Refusal::invalid("an address like ann@example.com")
}

/// Whether NFC turns a character into ASCII, as it does with the Kelvin sign. With such a character
/// an address would look different from what it is.
fn becomes_ascii(c: char) -> bool {
    !c.is_ascii() && nfc(c.encode_utf8(&mut [0; 4])).is_ascii()
}

/// Whether lowercasing a domain turns a character into ASCII or removes it (a Kelvin sign, a
/// full-width letter, a soft hyphen). Such characters are refused for the same reason.
fn maps_to_ascii(c: char) -> bool {
    !c.is_ascii() && idna::domain_to_unicode(c.encode_utf8(&mut [0; 4])).0.is_ascii()
}

/// RFC 5322 dot-atom, with characters beyond ASCII allowed (RFC 6532).
fn is_dot_atom(local: &str) -> bool {
    let atom_text = |c: char| {
        c.is_ascii_alphanumeric()
            || "!#$%&'*+-/=?^_`{|}~".contains(c)
            || (!c.is_ascii() && !c.is_whitespace() && !is_invisible(c))
    };
    local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(atom_text))
}
