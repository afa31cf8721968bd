//! What a reseller signs in with: set, change, reset; ending stamps, forgiving failures.

use super::Agency;
use super::resellers::{one, renew};
use crate::access::{Credentials, Identity, ResetToken, Verified};
use crate::changes::{Change, ChangeKind};
use crate::clock::random;
use crate::error::{Code, Error, FieldError, FieldErrors, Result};
use crate::reseller::{Reseller, ResellerId};
use crate::shared::Attempt;
use crate::storage::{self, Lock, Scope, Tx};
use crate::values::Password;

/// How long a reset token is good for.
const RESET_TOKEN: i64 = 60 * 60_000;

impl Agency {
    /// Sets a reseller's password, as the agency decides. Earlier stamps end, failed sign-ins
    /// are forgotten. Errors: `NotFound`; fields `password` and `password_confirmation`.
    pub fn set_password(&self, id: ResellerId, password: &str, confirmation: &str) -> Result<()> {
        self.observe("set_password", id, || {
            let (reseller, _) = self.account(id)?;
            let password = self.accepted(&reseller, password, confirmation)?;
            self.replace_password(&reseller, None, &password)
        })
    }

    /// Changes a reseller's password for somebody who knows the current one; a wrong one counts
    /// as a failed sign-in. Earlier stamps end.
    ///
    /// Errors: `NotFound`, `AccessDenied`; fields `password` and `password_confirmation`.
    pub fn change_password(
        &self,
        id: ResellerId,
        current: &str,
        password: &str,
        confirmation: &str,
    ) -> Result<()> {
        self.observe("change_password", id, || {
            let (reseller, credentials) = self.account(id)?;
            // Judged first: a new password that is refused is no failed attempt.
            let password = self.accepted(&reseller, password, confirmation)?;
            let hash = credentials.hash.as_deref();
            let turn = self.shared.hasher.turn(Some(&self.id), hash)?;
            let reserved = self.shared.reserve_attempt(&self.attempt_on(id)?)?;
            let typed = Password::as_typed(current).filter(|_| reserved.is_some());
            if turn.verify(typed.as_ref(), hash) == Verified::No {
                if reserved.is_some_and(|reserved| self.shared.attempts.is_last(&reserved)) {
                    self.note_sign_in_locked(id)?;
                }
                return Err(Error::access_denied());
            }
            self.replace_password(&reseller, Some(&credentials), &password)
        })
    }

    /// A token with which [`Platform::reset_password`](crate::Platform::reset_password) sets a
    /// password, once and within an hour. It is as good as the password: send it to the
    /// reseller's own address only. Errors: `NotFound`.
    pub fn reset_token(&self, id: ResellerId) -> Result<String> {
        self.observe("reset_token", id, || {
            let (_, credentials) = self.account(id)?;
            let identity = self.identity(id);
            let expires_at = self.now().plus_millis(RESET_TOKEN);
            let secrets = self.shared.secrets()?;
            Ok(ResetToken::write(&identity, expires_at, credentials.generation, &secrets))
        })
    }

    /// Ends every access stamp of a reseller; it may sign in again. Errors: `NotFound`.
    pub fn revoke_access(&self, id: ResellerId) -> Result<()> {
        self.observe("revoke_access", id, || {
            let generation = self.shared.new_generation();
            self.note(id, ChangeKind::AccessRevoked, |tx| renew(tx, id, generation))
        })
    }

    /// Forgets a reseller's failed sign-ins, a hard stop included. Errors: `NotFound`.
    pub fn unlock(&self, id: ResellerId) -> Result<()> {
        self.observe("unlock", id, || {
            self.shared.clear_attempts(&self.attempt_on(id)?)?;
            self.note(id, ChangeKind::SignInUnlocked, |_| Ok(()))
        })
    }

    /// Tells the feed that so many sign-ins have failed that no further one is looked at. Stays,
    /// like the count itself, when the host rolls back, and so may wait for nothing that the
    /// host's transaction has locked: it locks nothing, and tells of the version that is committed.
    pub(crate) fn note_sign_in_locked(&self, id: ResellerId) -> Result<()> {
        let now = self.now();
        let change = self.change(ChangeKind::SignInLocked, Some(id), 0, now);
        storage::write(&*self.shared.storage, &self.id, Scope::Own, |tx| {
            // Deleted meanwhile, or not committed yet: nothing is there to tell of.
            let Some(reseller) = tx.resellers(&[id])?.pop().flatten() else { return Ok(()) };
            let (version, at) = (reseller.version, now.max(reseller.updated_at));
            tx.append_changes(&[Change { version, at, ..change.clone() }])
        })
    }

    /// Stores a new password, unless the credentials are no longer those that were `seen`.
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
        // First, because it is a transaction of its own: a fault between the two leaves the old
        // password, and an error that is true.
        self.shared.clear_attempts(&self.attempt_on(id)?)?;
        self.note(id, ChangeKind::PasswordChanged, |tx| {
            let (_, now) = tx.account(id)?.ok_or_else(|| Error::not_found("reseller"))?;
            if seen.is_some_and(|seen| seen.generation != now.generation) {
                return Err(Error::access_denied());
            }
            tx.put_credentials(id, &new)
        })
    }

    /// Replaces a hash that is not what one would be today, by one of the same password: stamps
    /// stay. Under load, or when anything is in the way, the next sign-in will.
    pub(crate) fn hash_anew(&self, id: ResellerId, seen: &Credentials, password: &Password) {
        let salt = random(&*self.shared.entropy);
        let Ok(turn) = self.shared.hasher.turn(Some(&self.id), None) else { return };
        let Ok(hash) = turn.hash(password, salt) else { return };
        let new = Credentials { hash: Some(hash), ..seen.clone() };
        let replaced = self.write(|tx| {
            tx.lock_resellers(&[id], Lock::Update)?;
            match tx.account(id)? {
                Some((_, now)) if now == *seen => tx.put_credentials(id, &new),
                _ => Ok(()),
            }
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

    /// Does something to a locked reseller's credentials and notes it in the feed. The record
    /// stays as it is, and so does its version: nobody who edits the profile is in conflict.
    fn note(
        &self,
        id: ResellerId,
        kind: ChangeKind,
        mut work: impl FnMut(&mut Tx<'_>) -> Result<()> + Send,
    ) -> Result<()> {
        let now = self.now();
        let change = self.change(kind, Some(id), 0, now);
        self.write(|tx| {
            let held = one(tx.lock_resellers(&[id], Lock::Update)?)?;
            work(tx)?;
            let (version, at) = (held.version, now.max(held.updated_at));
            tx.append_changes(&[Change { version, at, ..change.clone() }])
        })
    }

    fn account(&self, id: ResellerId) -> Result<(Reseller, Credentials)> {
        let account = self.read(|reads| reads.account(id))?;
        account.ok_or_else(|| Error::not_found("reseller"))
    }

    pub(super) fn identity(&self, id: ResellerId) -> Identity {
        Identity { agency: self.id.clone(), reseller: id }
    }

    pub(super) fn attempt_on(&self, id: ResellerId) -> Result<Attempt> {
        self.shared.attempt_on(&self.identity(id))
    }
}
