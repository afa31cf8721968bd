//! Credentials of a reseller: setting, changing and resetting the password, ending stamps, and
//! forgiving failed sign-ins.

use super::counting::Attempt;
use super::{Credentials, Identity, ResetToken, Verified};
use crate::changes::ChangeKind;
use crate::clock::random;
use crate::error::{Code, Error, FieldError, FieldErrors, Result};
use crate::reseller::{Reseller, ResellerId};
use crate::storage::Storage;
use crate::tenant::Tenant;
use crate::values::Password;

/// How long a reset token is good for.
const RESET_TOKEN: i64 = 60 * 60_000;

impl Tenant {
    /// Sets a reseller's password, as the agency decides. Stamps from before end, and failed
    /// sign-ins are forgotten.
    ///
    /// Errors: `NotFound`; fields `password` and `password_confirmation`.
    ///
    /// ```example
    /// let new = "nine cobalt otters 17 harbour";
    /// agency.set_password(acme.id, new, new)?;
    /// assert!(platform.sign_in("acme", "owner@acme.example", password, None).is_err());
    /// assert!(platform.sign_in("acme", "owner@acme.example", new, None).is_ok());
    /// ```
    /// ```python
    /// new = "nine cobalt otters 17 harbour"
    /// agency.set_password(acme.id, password=new, password_confirmation=new)
    /// access = platform.sign_in("acme", "owner@acme.example", new)
    /// assert access.reseller.id == acme.id
    /// ```
    /// ```javascript
    /// const changed = 'nine cobalt otters 17 harbour';
    /// const passwords = { password: changed, passwordConfirmation: changed };
    /// await agency.setPassword({ id: acme.id, ...passwords });
    /// const email = 'owner@acme.example';
    /// const access = await platform.signIn({ loginDomain: 'acme', email, password: changed });
    /// assert.equal(access.reseller.id, acme.id);
    /// ```
    pub fn set_password(
        &self,
        id: ResellerId,
        password: &str,
        password_confirmation: &str,
    ) -> Result<()> {
        let (reseller, _) = self.account(id)?;
        let password = self.accepted(&reseller, password, password_confirmation)?;
        self.replace_password(&reseller, None, &password)
    }

    /// Changes a reseller's password for somebody who knows the current one; a wrong one counts as
    /// a failed sign-in. Stamps from before end.
    ///
    /// Errors: `NotFound`, `AccessDenied`; fields `password` and `password_confirmation`.
    ///
    /// ```example
    /// use partnerkit::ErrorKind;
    ///
    /// let new = "nine cobalt otters 17 harbour";
    /// let wrong = agency.change_password(acme.id, "not the password", new, new).unwrap_err();
    /// assert_eq!(wrong.kind(), ErrorKind::AccessDenied);
    /// agency.change_password(acme.id, password, new, new)?;
    /// assert!(platform.sign_in("acme", "owner@acme.example", new, None).is_ok());
    /// ```
    /// ```python
    /// new = "nine cobalt otters 17 harbour"
    /// agency.change_password(
    ///     acme.id, current=password, password=new, password_confirmation=new
    /// )
    /// access = platform.sign_in("acme", "owner@acme.example", new)
    /// assert access.reseller.id == acme.id
    /// ```
    /// ```javascript
    /// const changed = 'nine cobalt otters 17 harbour';
    /// const passwords = { password: changed, passwordConfirmation: changed };
    /// await agency.changePassword({ id: acme.id, current: password, ...passwords });
    /// const email = 'owner@acme.example';
    /// const access = await platform.signIn({ loginDomain: 'acme', email, password: changed });
    /// assert.equal(access.reseller.id, acme.id);
    /// ```
    pub fn change_password(
        &self,
        id: ResellerId,
        current: &str,
        password: &str,
        password_confirmation: &str,
    ) -> Result<()> {
        let (reseller, credentials) = self.account(id)?;
        // The new password is checked first: if it is refused, no failed attempt is counted.
        let password = self.accepted(&reseller, password, password_confirmation)?;
        let hash = credentials.hash.as_deref();
        let turn = self.shared.hasher.turn(Some(&self.id), hash)?;
        let attempt = self.attempt_on(id)?;
        let reserved = self.shared.reserve_attempt(&attempt)?;
        let typed = Password::as_typed(current).filter(|_| reserved.is_some());
        let verified = turn.verify(typed.as_ref(), hash);
        if !verified.is_right() {
            match reserved {
                Some(reserved) if verified == Verified::Unknown => {
                    self.shared.take_back(&attempt, &reserved)?;
                }
                Some(reserved) if self.shared.attempts.is_last(&reserved) => {
                    self.note_sign_in_locked(id, &attempt)?;
                }
                _ => {}
            }
            return Err(Error::access_denied());
        }
        self.replace_password(&reseller, Some(&credentials), &password)
    }

    /// Makes a token with which [`Platform::reset_password`](crate::Platform::reset_password) sets
    /// a password, once and within an hour. It is as good as the password: send it to the
    /// reseller's own address only. Errors: `NotFound`.
    ///
    /// ```example
    /// let token = agency.reset_token(acme.id)?; // goes into a mail to `acme.email`
    /// let new = "nine cobalt otters 17 harbour";
    /// platform.reset_password(&token, new, new)?;
    /// assert!(platform.sign_in("acme", "owner@acme.example", new, None).is_ok());
    /// ```
    /// ```python
    /// token = agency.reset_token(acme.id)  # goes into a mail to `acme.email`
    /// new = "nine cobalt otters 17 harbour"
    /// platform.reset_password(token, password=new, password_confirmation=new)
    /// access = platform.sign_in("acme", "owner@acme.example", new)
    /// assert access.reseller.id == acme.id
    /// ```
    /// ```javascript
    /// const token = await agency.resetToken(acme.id); // goes into a mail to `acme.email`
    /// const changed = 'nine cobalt otters 17 harbour';
    /// await platform.resetPassword({ token, password: changed, passwordConfirmation: changed });
    /// const email = 'owner@acme.example';
    /// const access = await platform.signIn({ loginDomain: 'acme', email, password: changed });
    /// assert.equal(access.reseller.id, acme.id);
    /// ```
    pub fn reset_token(&self, id: ResellerId) -> Result<String> {
        let (_, credentials) = self.account(id)?;
        let identity = self.identity(id);
        let expires_at = self.now().plus_millis(RESET_TOKEN);
        let secrets = self.shared.secrets()?;
        Ok(ResetToken::write(&identity, expires_at, credentials.generation, &secrets))
    }

    /// Ends every access stamp of a reseller, which may sign in again. Errors: `NotFound`.
    ///
    /// ```example
    /// let access = platform.sign_in("acme", "owner@acme.example", password, None)?;
    /// agency.revoke_access(acme.id)?;
    /// assert!(platform.check_access(&access.stamp, None).is_err());
    /// ```
    /// ```python
    /// access = platform.sign_in("acme", "owner@acme.example", password)
    /// agency.revoke_access(acme.id)
    /// try:
    ///     platform.check_access(access.stamp, None)
    /// except partnerkit.AccessDeniedError as error:
    ///     assert error.http_status == 401
    /// ```
    /// ```javascript
    /// import { AccessDeniedError } from 'partnerkit';
    ///
    /// const email = 'owner@acme.example';
    /// const { stamp } = await platform.signIn({ loginDomain: 'acme', email, password });
    /// await agency.revokeAccess(acme.id);
    /// await assert.rejects(platform.checkAccess(stamp, null), AccessDeniedError);
    /// ```
    pub fn revoke_access(&self, id: ResellerId) -> Result<()> {
        let generation = self.shared.new_generation();
        self.renew(id, ChangeKind::AccessRevoked, |now| {
            Ok(Some(Credentials { generation, ..now.clone() }))
        })
    }

    /// Forgets a reseller's failed sign-ins, a hard stop included. Errors: `NotFound`.
    ///
    /// ```example
    /// use partnerkit::{ChangeKind, Platform};
    ///
    /// let strict = Platform::builder().sign_in_limit(1).open("memory:")?;
    /// let agency = strict.create_agency("northwind", None)?;
    /// let globex = agency.create_reseller(form)?;
    /// let _ = strict.sign_in("globex", "owner@globex.example", "a guess", None);
    /// agency.unlock(globex.id)?;
    /// let kinds: Vec<_> = agency.changes(None, None)?.iter().map(|change| change.kind).collect();
    /// assert_eq!(kinds[2..], [ChangeKind::SignInLocked, ChangeKind::SignInUnlocked]);
    /// ```
    /// ```python
    /// agency.unlock(acme.id)
    /// change = agency.changes()[-1]
    /// assert (change.kind, change.reseller) == ("sign_in_unlocked", acme.id)
    /// ```
    /// ```javascript
    /// await agency.unlock(acme.id);
    /// const change = (await agency.changes()).at(-1);
    /// assert.deepEqual([change?.kind, change?.reseller], ['sign_in_unlocked', acme.id]);
    /// ```
    pub fn unlock(&self, id: ResellerId) -> Result<()> {
        self.clear_attempts(id)?;
        self.renew(id, ChangeKind::SignInUnlocked, |_| Ok(None))
    }

    /// Records in the change feed that an account has reached its hard stop, unless somebody has
    /// lifted the stop or recorded it already. Like the count itself, the entry stays when the host
    /// rolls back. So this must not wait for anything that the host's transaction has locked: it
    /// locks the attempt row, which no host's transaction locks, and records the version that is
    /// committed.
    pub(crate) fn note_sign_in_locked(&self, id: ResellerId, attempt: &Attempt) -> Result<()> {
        let mutation = self.mutation(ChangeKind::SignInLocked, id);
        self.write_beside(|tx| {
            // The reseller was deleted meanwhile, or is not committed yet: there is nothing to
            // record.
            let Some(reseller) = tx.resellers(&[id])?.pop().flatten() else { return Ok(()) };
            if !self.shared.is_to_be_told(tx, attempt)? {
                return Ok(());
            }
            mutation.note(tx, &reseller, Vec::new())
        })
    }

    /// Stores a new password, unless the credentials have changed since they were `seen`.
    pub(crate) fn replace_password(
        &self,
        reseller: &Reseller,
        seen: Option<&Credentials>,
        password: &Password,
    ) -> Result<()> {
        let id = reseller.id;
        let salt = random(&*self.shared.entropy);
        let turn = self.shared.hasher.turn(Some(&self.id), None)?;
        let hash = Some(turn.hash(password, salt)?);
        let new = Credentials { generation: self.shared.new_generation(), hash };
        // This comes first because it is a transaction of its own: if the next one fails, the old
        // password stays, and the error says so.
        self.clear_attempts(id)?;
        self.renew(id, ChangeKind::PasswordChanged, |now| {
            if seen.is_some_and(|seen| seen.generation != now.generation) {
                return Err(Error::access_denied());
            }
            Ok(Some(new.clone()))
        })
    }

    /// Forgets an account's failures, before the change that reports it is stored.
    fn clear_attempts(&self, id: ResellerId) -> Result<()> {
        let attempt = self.attempt_on(id)?;
        if self.shared.storage.joined() {
            // On SQLite, a host's transaction that has only read cannot write any more once another
            // transaction has written. So it takes its write lock first.
            self.write(|tx| tx.lock_account(id).map(drop))?;
        }
        self.shared.clear_attempts(&attempt)
    }

    /// Replaces an outdated hash with a new one of the same password; stamps stay. If that fails,
    /// for instance under load, the next sign-in tries again.
    pub(crate) fn hash_anew(&self, id: ResellerId, seen: &Credentials, password: &Password) {
        let salt = random(&*self.shared.entropy);
        let Ok(turn) = self.shared.hasher.turn(Some(&self.id), None) else { return };
        let Ok(hash) = turn.hash(password, salt) else { return };
        let new = Credentials { hash: Some(hash), ..seen.clone() };
        let replaced = self.write(|tx| {
            let (_, now) = tx.lock_account(id)?;
            if now == *seen { tx.put_credentials(id, &new) } else { Ok(()) }
        });
        drop(replaced);
    }

    /// A new password, typed twice, that the policy accepts for this reseller.
    pub(crate) fn accepted(
        &self,
        of: &Reseller,
        password: &str,
        confirmation: &str,
    ) -> Result<Password> {
        let mut errors = FieldErrors::default();
        let context = [of.name.as_str(), of.email.as_str(), of.login_domain.as_str()];
        let parsed = Password::parse(password, self.shared.password_policy, &context);
        let parsed = errors.keep("password", parsed);
        if !Password::typed_twice(password, confirmation) {
            errors.push(FieldError::new("password_confirmation", Code::Mismatch));
        }
        parsed.filter(|_| errors.is_empty()).ok_or_else(|| errors.into())
    }

    /// Locks a reseller, stores the new credentials that `work` returns, if any, and records the
    /// change. The record and its version stay as they are, so that nobody who edits the profile
    /// gets a conflict.
    fn renew(
        &self,
        id: ResellerId,
        kind: ChangeKind,
        mut work: impl FnMut(&Credentials) -> Result<Option<Credentials>> + Send,
    ) -> Result<()> {
        let mutation = self.mutation(kind, id);
        self.write(|tx| {
            let (held, now) = tx.lock_account(id)?;
            if let Some(new) = work(&now)? {
                tx.put_credentials(id, &new)?;
            }
            mutation.note(tx, &held, Vec::new())
        })
    }

    fn account(&self, id: ResellerId) -> Result<(Reseller, Credentials)> {
        let account = self.read(|reads| reads.account(id))?;
        account.ok_or_else(|| Error::not_found("reseller"))
    }

    pub(crate) fn identity(&self, id: ResellerId) -> Identity {
        Identity { agency: self.id.clone(), reseller: id }
    }

    pub(crate) fn attempt_on(&self, id: ResellerId) -> Result<Attempt> {
        self.shared.attempt_on(&self.identity(id))
    }
}
