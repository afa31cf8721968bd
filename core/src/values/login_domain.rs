//! The subdomain under which a reseller's customers sign in.

use super::{Timestamp, text_value};
use crate::error::{Code, Refusal};

/// How long nobody may have a label after it was given up, in milliseconds (S7).
pub(crate) const QUARANTINE: i64 = 30 * Timestamp::DAY;

/// Labels that would be mistaken for the platform's own, or that browsers and mail programs
/// look up by themselves (`wpad`, `autodiscover`).
const RESERVED: &[&str] = &[
    "abuse",
    "admin",
    "administrator",
    "api",
    "app",
    "assets",
    "auth",
    "autoconfig",
    "autodiscover",
    "billing",
    "blog",
    "cdn",
    "dashboard",
    "dev",
    "docs",
    "ftp",
    "help",
    "hostmaster",
    "imap",
    "isatap",
    "localhost",
    "login",
    "mail",
    "news",
    "noc",
    "ns",
    "pop",
    "postmaster",
    "root",
    "security",
    "smtp",
    "ssl",
    "staging",
    "static",
    "status",
    "support",
    "test",
    "usenet",
    "uucp",
    "webmail",
    "webmaster",
    "wpad",
    "www",
];

/// The left-most label of a reseller's sign-in host: `[a-z]{1,63}`, unique on the platform.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LoginDomain(String);

text_value!(LoginDomain);

impl LoginDomain {
    /// Checks the label exactly as typed: it is never lowercased, trimmed or mapped (S1).
    /// Codes: `empty`, `too_long`, `not_ascii`, `whitespace`, `uppercase`, `digit`,
    /// `special_character`.
    pub fn parse(raw: &str) -> Result<Self, Refusal> {
        if raw.is_empty() {
            return Err(Code::Empty.into());
        }
        if let Some(code) = raw.chars().find_map(complaint) {
            return Err(code.into());
        }
        if raw.len() > 63 {
            return Err(Refusal::too_long(63));
        }
        Ok(Self(raw.to_owned()))
    }

    /// Whether new resellers may not have the label (S4). Whoever holds it keeps it.
    pub fn is_reserved(&self) -> bool {
        RESERVED.binary_search(&self.as_str()).is_ok()
    }
}

fn complaint(c: char) -> Option<Code> {
    match c {
        'a'..='z' => None,
        'A'..='Z' => Some(Code::Uppercase),
        '0'..='9' => Some(Code::Digit),
        c if c.is_whitespace() => Some(Code::Whitespace),
        c if c.is_ascii() => Some(Code::SpecialCharacter),
        _ => Some(Code::NotAscii),
    }
}
