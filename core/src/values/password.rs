//! A password that has not been hashed yet.

mod context;
mod walks;

use std::fmt;

use context::{Strength, is_guessable};

use super::text::nfc;
use crate::error::{Code, Refusal};

/// How long a password must be. There are no rules about its composition (NIST SP 800-63B,
/// 3.1.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordPolicy {
    min_characters: usize,
    strength: Strength,
}

impl PasswordPolicy {
    /// The most code points; a longer password is refused, never truncated.
    pub const MAX_CHARACTERS: usize = 256;
    /// The most bytes.
    pub const MAX_BYTES: usize = 1_024;

    /// The policy for the password as the only factor: 15 code points or more.
    ///
    /// ```
    /// use partnerkit::{Code, Password, PasswordPolicy};
    ///
    /// let policy = PasswordPolicy::single_factor();
    /// assert!(Password::parse("plain teal walrus 94 umbrella", policy, &[]).is_ok());
    /// assert_eq!(Password::parse("teal w4lrus", policy, &[]).unwrap_err().code(), Code::TooShort);
    /// ```
    pub const fn single_factor() -> Self {
        Self { min_characters: 15, strength: Strength::Alone }
    }

    /// The policy for hosts that use a second factor: 8 code points or more.
    ///
    /// ```
    /// use partnerkit::{Code, Password, PasswordPolicy};
    ///
    /// let policy = PasswordPolicy::with_mfa();
    /// assert!(Password::parse("teal w4lrus", policy, &[]).is_ok());
    /// assert_eq!(Password::parse("teal w4", policy, &[]).unwrap_err().code(), Code::TooShort);
    /// ```
    pub const fn with_mfa() -> Self {
        Self { min_characters: 8, strength: Strength::BesideAnother }
    }
}

impl Default for PasswordPolicy {
    fn default() -> Self {
        Self::single_factor()
    }
}

/// A password in NFC that obeys the policy. Debug never shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// Checks a new password. `context` has the texts that an attacker would try first, completely
    /// and word by word: the reseller's name, email and login domain. Codes: `empty`, `too_short`,
    /// `too_long`, `guessable`.
    ///
    /// ```
    /// use partnerkit::{Code, Password, PasswordPolicy};
    ///
    /// let policy = PasswordPolicy::default();
    /// let judged = |raw: &str| Password::parse(raw, policy, &["Acme Télécom"]);
    /// assert!(judged("plain teal walrus 94 umbrella").is_ok());
    /// assert_eq!(judged("acmetelecom acmetelecom").unwrap_err().code(), Code::Guessable);
    /// ```
    pub fn parse(raw: &str, policy: PasswordPolicy, context: &[&str]) -> Result<Self, Refusal> {
        if raw.is_empty() {
            return Err(Code::Empty.into());
        }
        let password = Self::as_typed(raw)
            .ok_or_else(|| Refusal::too_long(PasswordPolicy::MAX_CHARACTERS as i64))?;
        if password.0.chars().count() < policy.min_characters {
            return Err(Refusal::too_short(policy.min_characters as i64));
        }
        if is_guessable(&password.0, context, policy.strength) {
            return Err(Code::Guessable.into());
        }
        Ok(password)
    }

    /// A password that is typed to sign in: it is bounded and converted to NFC, but not checked by
    /// the policy.
    pub(crate) fn as_typed(raw: &str) -> Option<Self> {
        let bounded = raw.len() <= PasswordPolicy::MAX_BYTES;
        let password = bounded.then(|| nfc(raw))?;
        let fits = password.len() <= PasswordPolicy::MAX_BYTES
            && password.chars().count() <= PasswordPolicy::MAX_CHARACTERS;
        fits.then_some(Self(password))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Whether both typed passwords are equal after NFC (S15).
    pub(crate) fn typed_twice(first: &str, second: &str) -> bool {
        first == second || Self::as_typed(first).is_some_and(|p| Some(p) == Self::as_typed(second))
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}
