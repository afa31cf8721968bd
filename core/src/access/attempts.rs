//! Failed sign-ins, and how they slow the next one down (S19).

use super::{Identity, Secrets};
use crate::schema::entity::{entity, stored};
use crate::values::Timestamp;

/// A keyed hash that says whose failures a row counts: those of an account, or, where the label and
/// email that were typed belong to no account, those of the label and email. The hash does not show
/// which of the two it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AttemptKey([u8; 32]);

stored!(AttemptKey([u8; 32]));

impl AttemptKey {
    /// From bytes.
    ///
    /// ```
    /// use partnerkit::access::AttemptKey;
    ///
    /// assert_eq!(AttemptKey::from_bytes([7; 32]).as_bytes(), &[7; 32]);
    /// ```
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, for a store to keep.
    ///
    /// ```
    /// use partnerkit::access::AttemptKey;
    ///
    /// let mut keys = [[2; 32], [1; 32]].map(AttemptKey::from_bytes);
    /// keys.sort();
    /// assert_eq!(keys[0].as_bytes(), &[1; 32]); // in the order of their bytes
    /// ```
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// The keys under which the failures of one account or source are stored: one key for each secret,
/// so that a new secret forgets nothing (S59), and, where there are several secrets, one more for
/// the value that all rows had when they were last stored together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AttemptKeys {
    /// The keys of the secrets, the newest secret's first. With several secrets, the common key is
    /// last.
    all: Vec<AttemptKey>,
}

/// How many rows all failures without an account share. They only make such a failure cost as much
/// as any other, so it does not matter that they mix up counts; and somebody who invents names must
/// not fill the store (S51).
const NOBODIES: u64 = 4_096;

impl AttemptKeys {
    /// The keys of an account. They do not change with its login domain or email.
    pub fn of_account(secrets: &Secrets, Identity { agency, reseller }: &Identity) -> Self {
        let id = reseller.as_uuid();
        Self::keyed(secrets, "account", &[agency.as_str().as_bytes(), id.as_bytes()])
    }

    /// The keys of what was typed where no account has it. Other labels and emails share them.
    pub fn of_nobody(secrets: &Secrets, label: &str, email_key: &str) -> Self {
        let typed = [label.as_bytes(), email_key.as_bytes()];
        Self::of(secrets, secrets.keyed_hashes_of(NOBODIES, "attempt", &typed))
    }

    /// The keys of the source that an attempt comes from.
    pub fn of_source(secrets: &Secrets, source: &str) -> Self {
        Self::keyed(secrets, "source", &[source.as_bytes()])
    }

    fn keyed(secrets: &Secrets, purpose: &str, parts: &[&[u8]]) -> Self {
        Self::of(secrets, secrets.keyed_hashes(purpose, parts))
    }

    fn of(secrets: &Secrets, mut hashes: Vec<[u8; 32]>) -> Self {
        if hashes.len() > 1 {
            let parts: Vec<&[u8]> = hashes.iter().map(|hash| &hash[..]).collect();
            hashes.push(secrets.keyed_hash("common", &parts));
        }
        Self { all: hashes.into_iter().map(AttemptKey::from_bytes).collect() }
    }

    /// Every key.
    pub fn as_slice(&self) -> &[AttemptKey] {
        &self.all
    }

    /// The state that the rows of all keys stand for. A row that differs from the common one was
    /// changed later, by a process that does not know the other secrets: the changed row counts,
    /// even if the change was to forgive all failures. If several were changed, the strictest
    /// values count.
    pub fn together(&self, row: impl Fn(&AttemptKey) -> Attempts) -> Attempts {
        match &self.all[..] {
            [only] => row(only),
            [of_secrets @ .., common] => {
                let common = row(common);
                let rows = of_secrets.iter().map(|key| row(key).under(common.key));
                let changed = rows.filter(|row| *row != common);
                changed.reduce(Attempts::and).unwrap_or(common)
            }
            [] => unreachable!("a platform has a secret"),
        }
    }
}

stored! {
    /// The failures in a row of one key.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Attempts {
        /// The account or source.
        pub key: AttemptKey as attempt,
        /// How many attempts failed since the last success, including attempts that are under way.
        pub failures: u32,
        /// No password is verified before this instant.
        pub blocked_until: Timestamp,
    }
}

entity! {
    Attempts in "attempts" {
        key: AttemptKey [agency, attempt];
        home: Home::Column("attempt");
        parent: None, refers: false;
        index age [agency, blocked_until];
    }
}

impl Attempts {
    /// No attempt so far.
    ///
    /// ```
    /// use partnerkit::access::{AttemptKey, Attempts};
    ///
    /// assert_eq!(Attempts::none(AttemptKey::from_bytes([7; 32])).failures, 0);
    /// ```
    pub const fn none(key: AttemptKey) -> Self {
        Self { key, failures: 0, blocked_until: Timestamp::from_millis(i64::MIN) }
    }

    /// A copy of the row under another key.
    pub(crate) fn under(self, key: AttemptKey) -> Self {
        Self { key, ..self }
    }

    /// A row that means what this one means, but differs from the stored one by a millisecond, so
    /// that storing it is a commit like any other (S17).
    pub(crate) fn unlike(self, stored: Self) -> Self {
        if self.blocked_until != stored.blocked_until {
            return self;
        }
        Self { blocked_until: Timestamp::from_millis(self.blocked_until.as_millis() ^ 1), ..self }
    }

    /// The instant, without the millisecond that [`unlike`](Self::unlike) may have added to it.
    fn blocked_from(&self) -> Timestamp {
        Timestamp::from_millis(self.blocked_until.as_millis() & !1)
    }

    /// The stricter value of each field.
    fn and(self, other: Self) -> Self {
        let failures = self.failures.max(other.failures);
        Self { failures, blocked_until: self.blocked_until.max(other.blocked_until), ..self }
    }
}

/// Whether an attempt is on an account that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whom {
    /// A hard stop stays until somebody lifts it.
    Account,
    /// There is no account. Nobody would ever lift a hard stop, so it ends like any other delay
    /// (S51).
    Nobody,
}

/// After how many failures delays begin, and after how many the hard stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AttemptPolicy {
    pub free: u32,
    pub hard_stop: u32,
}

impl Default for AttemptPolicy {
    /// Delays begin with the 10th failure in a row; the 100th is the last attempt that is verified
    /// (NIST SP 800-63B, 3.2.2).
    fn default() -> Self {
        Self { free: 10, hard_stop: 100 }
    }
}

impl AttemptPolicy {
    /// Marks a hard stop that is in the change feed. It differs from `i64::MAX`, and from what
    /// [`Attempts::unlike`] makes of it.
    const TOLD: Timestamp = Timestamp::from_millis(i64::MAX - 2);
    const FIRST_DELAY: i64 = 1_000;
    const LONGEST_DELAY: i64 = 15 * 60_000;

    /// Counts an attempt as failed before it is made, so that racing attempts cannot all be the
    /// first. If it may not be made now, nothing is counted, and the error holds the row to store
    /// anyway: a commit that stores nothing would be faster, and so would tell the caller (S17).
    pub fn reserve(
        self,
        stored: Attempts,
        whom: Whom,
        now: Timestamp,
    ) -> Result<Attempts, Attempts> {
        let before = self.as_of(stored, whom, now);
        // While there is no delay, `blocked_until` is the time of the last attempt. Of two racing
        // attempts, the one that read the clock first may come second; it must not be blocked.
        let delayed = before.failures >= self.free && now < before.blocked_from();
        if before.failures >= self.hard_stop || delayed {
            return Err(before.unlike(stored));
        }
        let failures = before.failures + 1;
        let blocked_until = now.plus_millis(self.delay(failures, whom));
        Ok(Attempts { failures, blocked_until, ..before })
    }

    /// Takes one failure back. If nothing else has been counted since, nothing is delayed any more:
    /// the delay of the failures before was over when the attempt was allowed.
    pub fn take_back(stored: Attempts, reserved: &Attempts, now: Timestamp) -> Attempts {
        let failures = stored.failures.saturating_sub(1);
        let is_alone = stored.blocked_until == reserved.blocked_until;
        let over = if is_alone { now } else { stored.blocked_until };
        Attempts { failures, blocked_until: stored.blocked_until.min(over), ..stored }
    }

    /// The row with its instant bounded: if the clock that set it was far ahead, the block still
    /// lasts no longer than the delay for its failures. Instants within the longest delay of that
    /// are left alone, so that a clock that is slightly behind does not end a delay.
    fn as_of(self, stored: Attempts, whom: Whom, now: Timestamp) -> Attempts {
        let delayed = now.plus_millis(self.delay(stored.failures, whom));
        let is_of_here = stored.blocked_until <= delayed.plus_millis(Self::LONGEST_DELAY);
        Attempts {
            blocked_until: if is_of_here { stored.blocked_until } else { delayed },
            ..stored
        }
    }

    /// Whether this attempt is the last one before the hard stop.
    pub fn is_last(self, reserved: &Attempts) -> bool {
        reserved.failures >= self.hard_stop
    }

    /// The hard stop of an account, marked as recorded in the change feed.
    pub fn told(stop: Attempts) -> Attempts {
        Attempts { blocked_until: Self::TOLD, ..stop }
    }

    /// Whether the hard stop is recorded in the change feed.
    pub fn is_told(attempts: &Attempts) -> bool {
        attempts.blocked_from()
            == Attempts { blocked_until: Self::TOLD, ..*attempts }.blocked_from()
    }

    /// The delay in milliseconds: from 1 s, doubled with each failure, to 15 min. After the last
    /// failure of an account it is endless.
    fn delay(self, failures: u32, whom: Whom) -> i64 {
        if failures >= self.hard_stop && whom == Whom::Account {
            return i64::MAX;
        }
        match failures.checked_sub(self.free) {
            None => 0,
            Some(beyond) => (Self::FIRST_DELAY << beyond.min(20)).min(Self::LONGEST_DELAY),
        }
    }
}

/// The rate limit on failed attempts of one source: a burst, and then one attempt per interval (the
/// generic cell rate algorithm, ITU-T I.371, annex A). A success gives its attempt back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SourcePolicy {
    pub burst: u32,
    /// The interval between attempts after the burst, in milliseconds.
    pub every: i64,
}

impl Default for SourcePolicy {
    /// An office that shares one address may mistype 50 times at once, and then six times a minute.
    fn default() -> Self {
        Self { burst: 50, every: 10_000 }
    }
}

/// The source may not make an attempt now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooEarly {
    /// How many milliseconds it has to wait.
    pub by: i64,
    /// The row to store. It differs from the stored one where another machine's clock was ahead.
    pub known: Attempts,
}

impl SourcePolicy {
    /// Counts an attempt, unless it is too early for another one. `blocked_until` is the instant at
    /// which the whole burst is available again (the theoretical arrival time of the algorithm).
    pub fn reserve(self, stored: Attempts, now: Timestamp) -> Result<Attempts, TooEarly> {
        let known = self.as_of(stored, now);
        let made_up = known.blocked_until.plus_millis(self.every);
        let burst = self.every.saturating_mul(self.burst.into());
        let by = made_up.as_millis().saturating_sub(burst).saturating_sub(now.as_millis());
        if by > 0 {
            return Err(TooEarly { by, known });
        }
        let failures = known.failures.saturating_add(1);
        Ok(Attempts { failures, blocked_until: made_up, ..known })
    }

    /// Takes one attempt back.
    pub fn give_back(self, before: Attempts) -> Attempts {
        let failures = before.failures.saturating_sub(1);
        let blocked_until = before.blocked_until.plus_millis(-self.every);
        Attempts { failures, blocked_until, ..before }
    }

    /// The row with its instant bounded: if the clock that set it was far ahead, the source still
    /// waits no longer than if all its failures had happened now.
    fn as_of(self, stored: Attempts, now: Timestamp) -> Attempts {
        if stored.blocked_until <= now {
            return Attempts { failures: 0, blocked_until: now, ..stored };
        }
        let failures = i64::from(stored.failures.min(self.burst));
        let latest = now.plus_millis(self.every.saturating_mul(failures));
        Attempts { blocked_until: stored.blocked_until.min(latest), ..stored }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{AttemptKey, AttemptKeys, AttemptPolicy, Attempts, SourcePolicy, Whom};
    use crate::access::{Secret, Secrets};
    use crate::values::Timestamp;

    const NONE: Attempts = Attempts::none(AttemptKey::from_bytes([0; 32]));
    const NOW: Timestamp = Timestamp::from_millis(1_773_576_000_000);

    /// The delay after each failure, up to the hard stop, if the next attempt is always made as
    /// soon as it is allowed.
    fn delays(whom: Whom) -> Vec<i64> {
        let policy = AttemptPolicy::default();
        let (mut attempts, mut now, mut delays) = (NONE, NOW, Vec::new());
        while let Ok(reserved) = policy.reserve(attempts, whom, now) {
            delays.push(reserved.blocked_until.as_millis().saturating_sub(now.as_millis()));
            let before = reserved.blocked_until.plus_millis(-1);
            let too_soon = policy.reserve(reserved, whom, before).is_err();
            assert_eq!(too_soon, delays.len() >= 10, "failure {}", delays.len());
            (attempts, now) = (reserved, reserved.blocked_until);
        }
        assert!(policy.is_last(&attempts) && attempts.failures as usize == delays.len());
        assert!(policy.reserve(attempts, whom, Timestamp::from_millis(i64::MAX)).is_err());
        delays
    }

    /// S19: delays grow from 1 s after the 10th failure to 15 min; the 100th is the last attempt.
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

    /// S51: a hard stop without an account ends after a while, a hard stop of an account never
    /// does.
    #[test]
    fn s51_only_the_stop_of_an_account_is_for_ever() {
        let policy = AttemptPolicy::default();
        let before = Attempts { failures: 99, blocked_until: NOW, ..NONE };
        let last = |whom| policy.reserve(before, whom, NOW).expect("the last one").blocked_until;
        assert_eq!(last(Whom::Account).as_millis(), i64::MAX);
        assert_eq!(last(Whom::Nobody), NOW.plus_millis(15 * 60_000));
    }

    /// S19: 50 attempts at once, and then one every ten seconds.
    #[test]
    fn s19_the_default_limit_of_a_source() {
        let policy = SourcePolicy::default();
        let reserve = |before, now| policy.reserve(before, now).map_err(|early| early.by);
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

    /// S19: concurrent attempts read the clock before they wait for the row, so their times may
    /// arrive out of order.
    #[test]
    fn s19_an_attempt_that_comes_late_into_the_row_is_not_delayed() {
        let policy = AttemptPolicy { free: 3, hard_stop: 10 };
        let at = Timestamp::from_millis;
        let none = Attempts::none(AttemptKey::from_bytes([0; 32]));
        let reserve = |before, now| policy.reserve(before, Whom::Account, at(now));
        let first = reserve(none, 10).expect("allowed");
        let second = reserve(first, 9).expect("allowed");
        let third = reserve(second, 8).expect("allowed");
        assert!(reserve(third, 8).is_err(), "delayed from here on");
    }
    /// S17, S19: a refused attempt is stored like any other, and does not prolong the delay.
    #[test]
    fn s17_what_is_refused_is_stored_and_counts_nothing() {
        let policy = AttemptPolicy { free: 1, hard_stop: 2 };
        for whom in [Whom::Account, Whom::Nobody] {
            let mut stored = policy.reserve(NONE, whom, NOW).expect("the first one");
            for _ in 0..2 {
                let first = stored;
                for _ in 0..10 {
                    let refused = policy.reserve(stored, whom, NOW).expect_err("too soon");
                    assert_ne!(refused, stored);
                    assert_eq!(refused.failures, first.failures);
                    let moved =
                        refused.blocked_until.as_millis().abs_diff(first.blocked_until.as_millis());
                    assert!(moved <= 1, "{moved}");
                    stored = refused;
                }
                let later = NOW.plus_millis(1_001);
                stored = policy.reserve(stored, whom, later).unwrap_or(stored);
            }
        }
    }

    /// S19: a clock that is a year ahead blocks no longer than a correct one.
    #[test]
    fn s19_no_clock_blocks_for_longer_than_the_delay() {
        let policy = AttemptPolicy::default();
        let ahead = NOW.plus_millis(365 * Timestamp::DAY);
        let before = Attempts { failures: 9, ..NONE };
        let stored = policy.reserve(before, Whom::Account, ahead).expect("allowed");
        let refused = policy.reserve(stored, Whom::Account, NOW).expect_err("delayed");
        assert_eq!(refused.blocked_until, NOW.plus_millis(1_000));
        policy.reserve(refused, Whom::Account, NOW.plus_millis(1_000)).expect("no longer");

        let sources = SourcePolicy { burst: 2, every: 1_000 };
        let once = sources.reserve(NONE, ahead).expect("allowed");
        assert_eq!(sources.give_back(once).failures, 0);
        sources.reserve(sources.give_back(once), NOW).expect("a success");
        let twice = sources.reserve(once, ahead).expect("allowed");
        let early = sources.reserve(twice, NOW).expect_err("too early");
        assert_eq!((early.by, early.known.blocked_until), (1_000, NOW.plus_millis(2_000)));
        sources.reserve(early.known, NOW.plus_millis(1_000)).expect("one more");
    }

    /// S51: the number of rows is bounded, however many names somebody invents.
    #[test]
    fn s51_the_rows_of_nobody_are_bounded() {
        let secrets = Secrets::new(Secret::from_bytes([7; 32]), Vec::new());
        let email = |n| format!("{n}@acme.example");
        let key = |n| AttemptKeys::of_nobody(&secrets, "acme", &email(n)).as_slice()[0];
        let keys: HashSet<_> = (0..40_000).map(key).collect();
        assert!((4_000..=4_096).contains(&keys.len()), "{}", keys.len());
        assert_ne!(key(1), AttemptKeys::of_nobody(&secrets, "globex", &email(1)).as_slice()[0]);
    }
}
