//! Tokens that set a password once (S15). Nothing is stored for them: a token's seal includes the
//! generation of the account's stamps, which changes when a password is set.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::stamp::{read_id, write_id};
use super::{Generation, Identity, Secrets};
use crate::values::{AgencyId, Timestamp};

/// A token, taken apart.
pub(crate) struct ResetToken {
    pub identity: Identity,
    expires_at: Timestamp,
    seal: Vec<u8>,
}

impl ResetToken {
    /// The text of a token.
    pub fn write(
        identity: &Identity,
        expires_at: Timestamp,
        generation: Generation,
        secrets: &Secrets,
    ) -> String {
        let Identity { agency, reseller } = identity;
        let millis = expires_at.as_millis();
        let seal = with_parts(identity, expires_at, generation, |parts| {
            secrets.keyed_hash("reset", parts)
        });
        let seal = URL_SAFE_NO_PAD.encode(seal);
        format!("{agency}.{}.{millis}.{seal}", write_id(*reseller))
    }

    /// The parts of a token, if the text is one, spelt as [`write`](Self::write) spells it. They are
    /// not trusted before `is_valid`.
    pub fn read(token: &str) -> Option<Self> {
        let mut parts = token.splitn(4, '.');
        let agency = AgencyId::parse(parts.next()?).ok()?;
        let reseller = read_id(parts.next()?)?;
        let digits = parts.next()?;
        let millis: i64 =
            digits.parse().ok().filter(|millis: &i64| millis.to_string() == digits)?;
        let expires_at = Timestamp::from_millis(millis);
        let seal = URL_SAFE_NO_PAD.decode(parts.next()?).ok()?;
        Some(Self { identity: Identity { agency, reseller }, expires_at, seal })
    }

    /// Whether the token is ours and in time, and the account's stamps have not ended since it was
    /// made.
    pub fn is_valid(&self, secrets: &Secrets, generation: Generation, now: Timestamp) -> bool {
        let ours = with_parts(&self.identity, self.expires_at, generation, |parts| {
            self.seal.len() == 32 && secrets.verifies("reset", parts, &self.seal)
        });
        ours && now < self.expires_at
    }
}

fn with_parts<T>(
    Identity { agency, reseller }: &Identity,
    expires_at: Timestamp,
    generation: Generation,
    work: impl FnOnce(&[&[u8]]) -> T,
) -> T {
    let millis = expires_at.as_millis().to_be_bytes();
    let id = reseller.as_uuid();
    work(&[agency.as_str().as_bytes(), id.as_bytes(), &millis, generation.as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s15_a_reset_token_has_one_spelling() {
        let id = "01936b2e3f4a7c1d8e5f0123456789ab";
        let token = format!("northwind.{id}.1773576000000.AAAA");
        assert!(ResetToken::read(&token).is_some());
        for (from, to) in [
            (id, "01936B2E3F4A7C1D8E5F0123456789AB"),
            (id, "01936b2e-3f4a-7c1d-8e5f-0123456789ab"),
            (".17", ".+17"),
            (".17", ".017"),
            ("AAAA", "AAAA="),
            ("AAAA", "AAB"),
        ] {
            let other = token.replace(from, to);
            assert!(ResetToken::read(&other).is_none(), "{other}");
        }
    }
}
