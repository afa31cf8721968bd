//! Failed sign-ins, and how they slow the next one down (S19).

use super::{Identity, Secrets};
use crate::values::Timestamp;

/// A keyed hash of whose failures are counted: of an account, or of the label and email that
/// were typed where they are nobody's. Neither can be told from the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AttemptKey([u8; 32]);

impl AttemptKey {
    /// From bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, for a store to keep.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Under which keys the failures of one account or source are kept: one for each secret, so that
/// a new secret forgets nothing (S59).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AttemptKeys(Vec<AttemptKey>);

impl AttemptKeys {
    /// Of an account, whatever its login domain and email are or become.
    pub fn of_account(secrets: &Secrets, Identity { agency, reseller }: &Identity) -> Self {
        let id = reseller.as_uuid();
        Self::keyed(secrets, "account", &[agency.as_str().as_bytes(), id.as_bytes()])
    }

    /// Of what was typed, where it is nobody's.
    pub fn of_nobody(secrets: &Secrets, label: &str, email_key: &str) -> Self {
        Self::keyed(secrets, "attempt", &[label.as_bytes(), email_key.as_bytes()])
    }

    /// Of where an attempt comes from.
    pub fn of_source(secrets: &Secrets, source: &str) -> Self {
        Self::keyed(secrets, "source", &[source.as_bytes()])
    }

    fn keyed(secrets: &Secrets, purpose: &str, parts: &[&[u8]]) -> Self {
        let hashes = secrets.keyed_hashes(purpose, parts).into_iter();
        Self(hashes.map(AttemptKey::from_bytes).collect())
    }

    /// The keys, that of the newest secret first.
    pub fn as_slice(&self) -> &[AttemptKey] {
        &self.0
    }
}

/// The failures in a row of one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempts {
    /// Whose.
    pub key: AttemptKey,
    /// How many since the last success, those under way included.
    pub failures: u32,
    /// No password is looked at before this instant.
    pub blocked_until: Timestamp,
}

impl Attempts {
    /// No attempt so far.
    pub const fn none(key: AttemptKey) -> Self {
        Self { key, failures: 0, blocked_until: Timestamp::from_millis(i64::MIN) }
    }

    /// The same under another key.
    pub(crate) fn under(self, key: AttemptKey) -> Self {
        Self { key, ..self }
    }

    /// As strict as both.
    pub(crate) fn and(self, other: Self) -> Self {
        let failures = self.failures.max(other.failures);
        Self { failures, blocked_until: self.blocked_until.max(other.blocked_until), ..self }
    }
}

/// Whom an attempt is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whom {
    /// A hard stop of it stays until somebody lifts it.
    Account,
    /// Nobody would ever lift it: it is remembered as long as any failure (S51).
    Nobody,
}

/// When failures begin to cost time, and when they end it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AttemptPolicy {
    pub free: u32,
    pub hard_stop: u32,
}

impl Default for AttemptPolicy {
    /// Delays from the 10th failure in a row, none looked at after the 100th
    /// (NIST SP 800-63B, 3.2.2).
    fn default() -> Self {
        Self { free: 10, hard_stop: 100 }
    }
}

impl AttemptPolicy {
    const FIRST_DELAY: i64 = 1_000;
    const LONGEST_DELAY: i64 = 15 * 60_000;

    /// Counts an attempt as failed before it is made, so that racing ones cannot all be first.
    /// `None` when it may not be made now; nothing is counted then.
    pub fn reserve(self, before: Attempts, whom: Whom, now: Timestamp) -> Option<Attempts> {
        // Without a delay the instant is that of the last attempt, and of two that race the later
        // one may have been first: that blocks nobody.
        let delayed = before.failures >= self.free && now < before.blocked_until;
        if before.failures >= self.hard_stop || delayed {
            return None;
        }
        let failures = before.failures + 1;
        // Behind the last one there is no time at which another is looked at.
        let stopped = failures >= self.hard_stop && whom == Whom::Account;
        let delay = if stopped { i64::MAX } else { self.delay(failures) };
        let blocked_until = now.plus_millis(delay);
        Some(Attempts { failures, blocked_until, ..before })
    }

    /// Whether no further attempt is looked at behind this one.
    pub fn is_last(self, reserved: &Attempts) -> bool {
        reserved.failures >= self.hard_stop
    }

    /// From 1 s, doubled with each failure, to 15 min.
    fn delay(self, failures: u32) -> i64 {
        match failures.checked_sub(self.free) {
            None => 0,
            Some(beyond) => (Self::FIRST_DELAY << beyond.min(20)).min(Self::LONGEST_DELAY),
        }
    }
}

/// How many failed attempts one source may make: a number at once, and then one each so often
/// (the generic cell rate algorithm, ITU-T I.371, annex A). A success gives its attempt back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SourcePolicy {
    pub burst: u32,
    /// In milliseconds.
    pub every: i64,
}

impl Default for SourcePolicy {
    /// An office behind one address may mistype 50 times, and then six times a minute.
    fn default() -> Self {
        Self { burst: 50, every: 10_000 }
    }
}

impl SourcePolicy {
    /// Counts an attempt, or says for how many milliseconds none may be made. The instant that
    /// is kept is when the source will have made up for everything it did.
    pub fn reserve(self, before: Attempts, now: Timestamp) -> Result<Attempts, i64> {
        let made_up = before.blocked_until.max(now).plus_millis(self.every);
        let burst = self.every.saturating_mul(self.burst.into());
        let early = made_up.as_millis().saturating_sub(burst).saturating_sub(now.as_millis());
        if early > 0 {
            return Err(early);
        }
        let failures = before.failures.saturating_add(1);
        Ok(Attempts { failures, blocked_until: made_up, ..before })
    }

    /// Takes one attempt back.
    pub fn give_back(self, before: Attempts) -> Attempts {
        let failures = before.failures.saturating_sub(1);
        let blocked_until = before.blocked_until.plus_millis(-self.every);
        Attempts { failures, blocked_until, ..before }
    }
}

#[cfg(test)]
mod tests {
    use super::{AttemptKey, AttemptPolicy, Attempts, SourcePolicy, Whom};
    use crate::values::Timestamp;

    const NONE: Attempts = Attempts::none(AttemptKey::from_bytes([0; 32]));
    const NOW: Timestamp = Timestamp::from_millis(1_773_576_000_000);

    /// The delays behind each failure of a run that is tried again as soon as it may be, up to
    /// the one that is refused for good.
    fn delays(whom: Whom) -> Vec<i64> {
        let policy = AttemptPolicy::default();
        let (mut attempts, mut now, mut delays) = (NONE, NOW, Vec::new());
        while let Some(reserved) = policy.reserve(attempts, whom, now) {
            delays.push(reserved.blocked_until.as_millis().saturating_sub(now.as_millis()));
            let before = reserved.blocked_until.plus_millis(-1);
            let too_soon = policy.reserve(reserved, whom, before).is_none();
            assert_eq!(too_soon, delays.len() >= 10, "failure {}", delays.len());
            (attempts, now) = (reserved, reserved.blocked_until);
        }
        assert!(policy.is_last(&attempts) && attempts.failures as usize == delays.len());
        assert_eq!(policy.reserve(attempts, whom, Timestamp::from_millis(i64::MAX)), None);
        delays
    }

    /// From 1 s behind the 10th failure to 15 min, and none is looked at behind the 100th.
    #[test]
    fn s19_the_default_delays_and_the_hard_stop() {
        let grows = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512].map(|seconds| seconds * 1_000);
        let mut expected = [[0; 9].as_slice(), &grows, &[900_000; 81]].concat();
        assert_eq!(expected.len(), 100);
        assert_eq!(delays(Whom::Nobody), expected);
        expected.pop();
        let of_account = delays(Whom::Account);
        assert_eq!((of_account.len(), &of_account[..99]), (100, &expected[..]));
    }

    /// S51: the last failure of nobody is forgotten in time, that of an account never.
    #[test]
    fn s51_only_the_stop_of_an_account_is_for_ever() {
        let policy = AttemptPolicy::default();
        let before = Attempts { failures: 99, blocked_until: NOW, ..NONE };
        let last = |whom| policy.reserve(before, whom, NOW).expect("the last one").blocked_until;
        assert_eq!(last(Whom::Account).as_millis(), i64::MAX);
        assert_eq!(last(Whom::Nobody), NOW.plus_millis(15 * 60_000));
    }

    /// 50 at once, and then one each ten seconds.
    #[test]
    fn s19_the_default_limit_of_a_source() {
        let policy = SourcePolicy::default();
        let reserve = |before, now| policy.reserve(before, now);
        let mut attempts = NONE;
        for n in 0..50 {
            attempts = reserve(attempts, NOW).unwrap_or_else(|_| panic!("attempt {n}"));
        }
        assert_eq!(reserve(attempts, NOW), Err(10_000));
        assert_eq!(reserve(attempts, NOW.plus_millis(9_999)), Err(1));
        let later = NOW.plus_millis(10_000);
        let next = reserve(attempts, later).expect("one more");
        assert_eq!(reserve(next, later), Err(10_000));
        assert_eq!(policy.give_back(next), attempts, "a success counts for nothing");
    }

    /// Two that sign in at once read the clock before they queue for the row.
    #[test]
    fn s19_an_attempt_that_comes_late_into_the_row_is_not_delayed() {
        let policy = AttemptPolicy { free: 3, hard_stop: 10 };
        let at = Timestamp::from_millis;
        let none = Attempts::none(AttemptKey::from_bytes([0; 32]));
        let reserve = |before, now| policy.reserve(before, Whom::Account, at(now));
        let first = reserve(none, 10).expect("allowed");
        let second = reserve(first, 9).expect("allowed");
        let third = reserve(second, 8).expect("allowed");
        assert_eq!(reserve(third, 8), None, "delayed from here on");
    }
}
