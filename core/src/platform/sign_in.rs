//! Signing in and checking stamps, across agencies.

use super::Platform;
use crate::access::{
    Access, AttemptKey, Credentials, Identity, ResetToken, read_stamp, write_stamp,
};
use crate::error::{Error, Result};
use crate::reseller::{Reseller, Status};
use crate::storage;
use crate::values::{Email, LoginDomain, Password};

impl Platform {
    /// Signs a reseller in at a login domain. Whatever is wrong, the error is `AccessDenied`,
    /// and the attempt costs one Argon2 computation (S17). `Busy`, under too much load, depends
    /// on nothing else.
    ///
    /// The attempt is counted in a transaction of its own, so that it stays counted when the
    /// host rolls back what it had open (S19).
    pub fn sign_in(&self, login_domain: &str, email: &str, password: &str) -> Result<Access> {
        let email_key = Email::key_of(email);
        let typed_key = email_key.as_deref().unwrap_or(email);
        let attempt = AttemptKey::of(&self.shared.secret, login_domain, typed_key);
        // A turn first: who is told `Busy` has cost nothing and was counted as nothing (S17).
        let turn = self.shared.hasher.turn()?;
        let allowed = self.shared.reserve_attempt(attempt)?;
        let account = self.account_at(login_domain, email_key.as_deref())?;

        let typed = Password::as_typed(password).filter(|_| allowed);
        let hash = account.as_ref().and_then(|(_, credentials)| credentials.hash.as_deref());
        let verified = turn.verify(typed.as_ref(), hash);

        let (reseller, credentials) =
            account.filter(|_| verified).ok_or_else(Error::access_denied)?;
        let identity = Identity { agency: reseller.agency.clone(), reseller: reseller.id };
        // Hashing takes long: the account may have been switched off or changed meanwhile.
        let (reseller, now) = self.account(&identity)?.ok_or_else(Error::access_denied)?;
        if reseller.status != Status::Active || now != credentials {
            return Err(Error::access_denied());
        }
        self.shared.clear_attempts(attempt)?;
        let stamp = write_stamp(&identity, credentials.generation);
        Ok(Access { agency: identity.agency, reseller, stamp })
    }

    /// Whose access a stamp is, if it still is valid: asked at every request, it makes
    /// "switched off" take effect at once, in every process (S20).
    pub fn check_access(&self, stamp: &str) -> Result<Identity> {
        let (identity, generation) = read_stamp(stamp).ok_or_else(Error::access_denied)?;
        let (reseller, credentials) = self.account(&identity)?.ok_or_else(Error::access_denied)?;
        if reseller.status != Status::Active || credentials.generation != generation {
            return Err(Error::access_denied());
        }
        Ok(identity)
    }

    /// Sets a password with the token that [`Agency::reset_token`](crate::Agency::reset_token)
    /// gave: once, and in time. Failed sign-ins are forgotten, and earlier stamps end.
    ///
    /// Errors: `AccessDenied` for a token that is not valid (any more); fields `password` and
    /// `password_confirmation`.
    pub fn reset_password(&self, token: &str, password: &str, confirmation: &str) -> Result<()> {
        let token = ResetToken::read(token).ok_or_else(Error::access_denied)?;
        let (reseller, credentials) =
            self.account(&token.identity)?.ok_or_else(Error::access_denied)?;
        let (secret, now) = (&self.shared.secret, self.shared.clock.now());
        if !token.is_valid(secret, credentials.generation, now) {
            return Err(Error::access_denied());
        }
        let agency = self.agency(reseller.agency.as_str())?;
        let password = agency.accepted(&reseller, password, confirmation)?;
        agency.replace_password(&reseller, Some(&credentials), &password)
    }

    /// The account that a login domain and an email belong to.
    fn account_at(
        &self,
        login_domain: &str,
        email_key: Option<&str>,
    ) -> Result<Option<(Reseller, Credentials)>> {
        let (Ok(label), Some(email_key)) = (LoginDomain::parse(login_domain), email_key) else {
            return Ok(None);
        };
        let Some((agency, reseller)) = self.holder(&label)? else { return Ok(None) };
        let account = self.account(&Identity { agency, reseller })?;
        Ok(account.filter(|(reseller, _)| reseller.email.key() == email_key))
    }

    fn account(&self, identity: &Identity) -> Result<Option<(Reseller, Credentials)>> {
        let storage = &*self.shared.storage;
        storage::read(storage, &identity.agency, |reads| reads.account(identity.reseller))
    }
}
