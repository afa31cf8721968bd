//! Signing in and checking stamps, across agencies.

use super::Platform;
use crate::access::{Access, AttemptKey, Attempts, Credentials, Identity, read_stamp, write_stamp};
use crate::error::{Error, Result};
use crate::reseller::{Reseller, Status};
use crate::storage::{self, Scope};
use crate::values::{AgencyId, Email, LoginDomain, Password};

impl Platform {
    /// Signs a reseller in at a login domain. Whatever is wrong, the error is `AccessDenied`,
    /// and the attempt costs one Argon2 computation (S17).
    ///
    /// The attempt is counted in a transaction of its own, so that it stays counted when the
    /// host rolls back what it had open (S19).
    pub fn sign_in(&self, login_domain: &str, email: &str, password: &str) -> Result<Access> {
        let email_key = Email::key_of(email);
        let typed_key = email_key.as_deref().unwrap_or(email);
        let attempt = AttemptKey::of(&self.shared.secret, login_domain, typed_key);
        let allowed = self.reserve_attempt(attempt)?;
        let account = self.account_at(login_domain, email_key.as_deref())?;

        let typed = Password::as_typed(password).filter(|_| allowed);
        let hash = account.as_ref().and_then(|(_, credentials)| credentials.hash.as_deref());
        let verified = self.shared.hasher.verify(typed.as_ref(), hash);

        let (reseller, credentials) =
            account.filter(|_| verified).ok_or_else(Error::access_denied)?;
        let identity = Identity { agency: reseller.agency.clone(), reseller: reseller.id };
        // Hashing takes long: the account may have been switched off or changed meanwhile.
        let (reseller, now) = self.account(&identity)?.ok_or_else(Error::access_denied)?;
        if reseller.status != Status::Active || now != credentials {
            return Err(Error::access_denied());
        }
        self.clear_attempts(attempt)?;
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

    /// Counts the attempt as failed before the password is looked at; false if it may not be.
    fn reserve_attempt(&self, key: AttemptKey) -> Result<bool> {
        let (now, policy) = (self.now(), self.shared.attempts);
        storage::write(&*self.shared.storage, &AgencyId::platform(), Scope::Own, |tx| match policy
            .reserve(tx.lock_attempts(&key)?, now)
        {
            Some(reserved) => tx.put_attempts(&reserved).map(|()| true),
            None => Ok(false),
        })
    }

    fn clear_attempts(&self, key: AttemptKey) -> Result<()> {
        storage::write(&*self.shared.storage, &AgencyId::platform(), Scope::Own, |tx| {
            tx.lock_attempts(&key)?;
            tx.put_attempts(&Attempts::none(key))
        })
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
