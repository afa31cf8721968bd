//! Signing in and checking stamps, across agencies.

use super::counting::Attempt;
use super::{
    Access, AttemptKeys, Attempts, Credentials, Identity, ResetToken, Verified, read_stamp,
    write_stamp,
};
use crate::error::{Error, ErrorKind, Result, optional};
use crate::platform::Operator;
use crate::records;
use crate::reseller::{Reseller, Status};
use crate::storage::Storage;
use crate::values::{AgencyId, Email, LoginDomain, Password};

/// A reseller with its credentials.
type Account = (Reseller, Credentials);

/// Which state is read while a host's transaction is open.
#[derive(Clone, Copy)]
enum View {
    /// What the host's transaction sees.
    Hosts,
    /// What is committed.
    Committed,
}

impl Operator {
    /// Signs a reseller in at a login domain: the label exactly as it is stored, in small letters,
    /// not the whole host name. The case of the email does not matter.
    ///
    /// Whatever is wrong, the error is `AccessDenied`, and the attempt costs one Argon2 computation
    /// (S17). `Busy` means that too many passwords are being hashed, and tells nothing of the
    /// account.
    ///
    /// The attempt is counted in a transaction of its own, and stays counted when the host rolls
    /// back the one that it has open (S19).
    ///
    /// If you know the address that an attempt comes from, give it as `source`, without its port. Only so many
    /// attempts from one source may fail; any further one is `Throttled`, before a password is
    /// looked at and whatever the account (S19). An empty text is no source.
    ///
    /// ```example
    /// use partnerkit::ErrorKind;
    ///
    /// let access = platform.sign_in("acme", "Owner@acme.example", password, Some("203.0.113.7"))?;
    /// assert_eq!(access.reseller, acme);
    ///
    /// let wrong = platform.sign_in("acme", "owner@acme.example", "a guess", None).unwrap_err();
    /// assert_eq!(wrong.kind(), ErrorKind::AccessDenied);
    /// ```
    /// ```python
    /// access = platform.sign_in("acme", "Owner@acme.example", password, "203.0.113.7")
    /// assert access.reseller == acme
    /// try:
    ///     platform.sign_in("acme", "owner@acme.example", "a guess")
    /// except partnerkit.AccessDeniedError as error:
    ///     assert error.http_status == 401
    /// ```
    /// ```javascript
    /// import { AccessDeniedError } from 'partnerkit';
    ///
    /// const login = { loginDomain: 'acme', email: 'Owner@acme.example', source: '203.0.113.7' };
    /// const access = await platform.signIn({ ...login, password });
    /// assert.deepEqual(access.reseller, acme);
    /// await assert.rejects(platform.signIn({ ...login, password: 'a guess' }), AccessDeniedError);
    /// ```
    pub fn sign_in(
        &self,
        login_domain: &str,
        email: &str,
        password: &str,
        source: Option<&str>,
    ) -> Result<Access> {
        let secrets = self.shared.secrets()?;
        let source = source.filter(|source| !source.trim().is_empty());
        let source = source.map(|source| AttemptKeys::of_source(&secrets, source));
        if let Some(source) = &source {
            self.shared.check_source(source)?;
        }
        let email_key = Email::key_of(email);
        let typed_at = (login_domain, email_key.as_deref());
        let (tenant, committed) = self.account_at(typed_at, View::Committed)?;
        // The turn comes before the count: an attempt that is `Busy` is not counted (S17).
        let turn = self.shared.hasher.turn(tenant.as_ref(), hash_of(&committed))?;
        let attempt = match &committed {
            Some((reseller, _)) => self.shared.attempt_on(&reseller.into())?,
            None => {
                let email_key = email_key.as_deref().unwrap_or(email);
                self.shared.attempt_on_nobody(login_domain, email_key)?
            }
        };
        let attempt = attempt.from(source);
        let reserved = self.shared.reserve_attempt(&attempt)?;
        // The host may have created or changed the account in its own transaction. This read comes
        // after the count, because SQLite cannot count beside a host's transaction that has read.
        let joined = self.shared.storage.joined();
        let account = if joined { self.account_at(typed_at, View::Hosts)?.1 } else { committed };

        let typed = Password::as_typed(password).filter(|_| reserved.is_some());
        let verified = turn.verify(typed.as_ref(), hash_of(&account));
        if let (Verified::Unknown, Some(reserved)) = (verified, &reserved) {
            self.shared.take_back(&attempt, reserved)?;
            return Err(Error::access_denied());
        }

        let right = account.as_ref().filter(|_| verified.is_right());
        let (Some(access), Some(reserved)) = (self.admit(right)?, reserved) else {
            self.note_hard_stop(account, &attempt, reserved)?;
            return Err(Error::access_denied());
        };
        self.shared.note_success(&attempt, &reserved)?;
        if let (Verified::Outdated, Some((_, seen)), Some(typed)) = (verified, &account, &typed) {
            // If the agency was deleted meanwhile, there is no hash left to replace.
            if let Ok(agency) = self.agency(access.agency.as_str()) {
                agency.hash_anew(access.reseller.id, seen, typed);
            }
        }
        Ok(access)
    }

    /// Gives access to an account whose password was right, unless the account was deactivated or
    /// changed while the password was hashed.
    fn admit(&self, account: Option<&Account>) -> Result<Option<Access>> {
        let Some((reseller, credentials)) = account else { return Ok(None) };
        let identity = Identity::from(reseller);
        let now = self.account(&identity)?;
        let generation = credentials.generation;
        let same = |(now, credentials): &Account| {
            now.status == Status::Active && credentials.generation == generation
        };
        let now = now.filter(same);
        Ok(now.map(|(reseller, credentials)| {
            let stamp = write_stamp(&identity, credentials.generation);
            Access { agency: identity.agency, reseller, stamp }
        }))
    }

    /// Records a hard stop in the agency's change feed, if this failure was the last one allowed
    /// (S19).
    fn note_hard_stop(
        &self,
        account: Option<Account>,
        attempt: &Attempt,
        reserved: Option<Attempts>,
    ) -> Result<()> {
        if !reserved.is_some_and(|reserved| self.shared.attempts.is_last(&reserved)) {
            return Ok(());
        }
        let Some((reseller, _)) = account else { return self.shared.tell_nobody(attempt) };
        let agency = self.agency(reseller.agency.as_str());
        let noted = agency.and_then(|agency| agency.note_sign_in_locked(reseller.id, attempt));
        // The agency or reseller was deleted meanwhile: there is nothing to record.
        noted.or_else(|e| if e.kind() == ErrorKind::NotFound { Ok(()) } else { Err(e) })
    }

    /// Says whose access a stamp is, while it is valid. Ask this at every request: it makes
    /// "switched off" take effect at once, in every process (S20).
    ///
    /// With the request's host name a stamp is valid at its own reseller's login domain only. The host
    /// name is read as by [`resolve_host`](Self::resolve_host). For a request that names no host, give
    /// an empty text, which is no reseller's. With `None` the host name is not checked: then a stamp of
    /// one reseller opens the pages of another.
    ///
    /// Errors: `AccessDenied` for a stamp that is not valid, or no longer.
    ///
    /// ```example
    /// let access = platform.sign_in("acme", "owner@acme.example", password, None)?;
    /// let identity = platform.check_access(&access.stamp, Some("acme.partner.example.com"))?;
    /// assert_eq!((&identity.agency, identity.reseller), (agency.id(), acme.id));
    /// assert!(platform.check_access(&access.stamp, Some("globex.partner.example.com")).is_err());
    /// ```
    /// ```python
    /// access = platform.sign_in("acme", "owner@acme.example", password)
    /// identity = platform.check_access(access.stamp, "acme.partner.example.com")
    /// assert (identity.agency, identity.reseller) == ("northwind", acme.id)
    /// ```
    /// ```javascript
    /// const email = 'owner@acme.example';
    /// const { stamp } = await platform.signIn({ loginDomain: 'acme', email, password });
    /// const identity = await platform.checkAccess(stamp, 'acme.partner.example.com');
    /// assert.deepEqual(identity, { agency: 'northwind', reseller: acme.id });
    /// ```
    pub fn check_access(&self, stamp: &str, host: Option<&str>) -> Result<Identity> {
        let (identity, generation) = read_stamp(stamp).ok_or_else(Error::access_denied)?;
        let (reseller, credentials) = self.account(&identity)?.ok_or_else(Error::access_denied)?;
        let is_here =
            host.is_none_or(|host| self.label_of(host).as_ref() == Some(&reseller.login_domain));
        if reseller.status == Status::Active && credentials.generation == generation && is_here {
            Ok(identity)
        } else {
            Err(Error::access_denied())
        }
    }

    /// Sets a password with a token that [`Agency::reset_token`](crate::Agency::reset_token) gave:
    /// once, and in time. Stamps from before end, and failed sign-ins are forgotten.
    ///
    /// Errors: `AccessDenied` for a token that is not valid, or no longer; fields `password` and
    /// `password_confirmation`.
    ///
    /// ```example
    /// let token = agency.reset_token(acme.id)?;
    /// let new = "nine cobalt otters 17 harbour";
    /// platform.reset_password(&token, new, new)?;
    /// assert!(platform.reset_password(&token, new, new).is_err()); // once
    /// ```
    /// ```python
    /// token = agency.reset_token(acme.id)
    /// new = "nine cobalt otters 17 harbour"
    /// platform.reset_password(token, password=new, password_confirmation=new)
    /// access = platform.sign_in("acme", "owner@acme.example", new)
    /// assert access.reseller.id == acme.id
    /// ```
    /// ```javascript
    /// const token = await agency.resetToken(acme.id);
    /// const changed = 'nine cobalt otters 17 harbour';
    /// await platform.resetPassword({ token, password: changed, passwordConfirmation: changed });
    /// const email = 'owner@acme.example';
    /// const access = await platform.signIn({ loginDomain: 'acme', email, password: changed });
    /// assert.equal(access.reseller.id, acme.id);
    /// ```
    pub fn reset_password(
        &self,
        token: &str,
        password: &str,
        password_confirmation: &str,
    ) -> Result<()> {
        let token = ResetToken::read(token).ok_or_else(Error::access_denied)?;
        let (reseller, credentials) =
            self.account(&token.identity)?.ok_or_else(Error::access_denied)?;
        let (secrets, now) = (self.shared.secrets()?, self.shared.clock.now());
        if !token.is_valid(&secrets, credentials.generation, now) {
            return Err(Error::access_denied());
        }
        let agency = self.agency(reseller.agency.as_str())?;
        let password = agency.accepted(&reseller, password, password_confirmation)?;
        agency.replace_password(&reseller, Some(&credentials), &password)
    }

    /// The agency that a login domain belongs to, and the account, if the email is the account's.
    fn account_at(
        &self,
        (login_domain, email_key): (&str, Option<&str>),
        view: View,
    ) -> Result<(Option<AgencyId>, Option<Account>)> {
        let Ok(label) = LoginDomain::parse(login_domain) else { return Ok((None, None)) };
        let holder = match view {
            View::Hosts => self.holder(&label)?,
            View::Committed => self.holder_beside(&label)?,
        };
        let Some((agency, reseller)) = holder else { return Ok((None, None)) };
        let storage = &self.shared.storage;
        let account = match view {
            View::Hosts => records::read(storage, &agency, |reads| reads.account(reseller)),
            View::Committed => {
                records::read_beside(storage, &agency, |reads| reads.account(reseller))
            }
        };
        let is_typed = |reseller: &Reseller| Some(&*reseller.email.key()) == email_key;
        Ok((Some(agency), optional(account)?.filter(|(reseller, _)| is_typed(reseller))))
    }

    fn account(&self, identity: &Identity) -> Result<Option<Account>> {
        let storage = &self.shared.storage;
        let account =
            records::read(storage, &identity.agency, |reads| reads.account(identity.reseller));
        optional(account)
    }
}

/// The stored hash of an account, if it has one.
fn hash_of(account: &Option<Account>) -> Option<&str> {
    account.as_ref().and_then(|(_, credentials)| credentials.hash.as_deref())
}
