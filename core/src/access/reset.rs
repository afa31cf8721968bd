//! Tokens that set a password once (S15). Nothing is stored for them: a token's seal includes the
//! generation of the account's stamps, which changes when a password is set.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use super::{Generation, Identity, Secrets};
use crate::reseller::ResellerId;
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
        format!("{agency}.{}.{millis}.{seal}", reseller.as_uuid().simple())
    }

    /// The parts of a token, if the text is one. They are not trusted before `is_valid`.
    pub fn read(token: &str) -> Option<Self> {
        let mut parts = token.splitn(4, '.');
        let agency = AgencyId::parse(parts.next()?).ok()?;
        let reseller = ResellerId::from_uuid(Uuid::try_parse(parts.next()?).ok()?);
        let expires_at = Timestamp::from_millis(parts.next()?.parse().ok()?);
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
