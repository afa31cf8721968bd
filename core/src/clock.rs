//! The sources of time and ids. The domain uses these, never the system.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use uuid::{Builder, Uuid};

use crate::values::Timestamp;

/// Tells the time.
///
/// ```
/// use partnerkit::{Clock, Timestamp};
///
/// /// The first millisecond of 1970.
/// struct Epoch;
///
/// impl Clock for Epoch {
///     fn now(&self) -> Timestamp {
///         Timestamp::from_millis(0)
///     }
/// }
/// assert_eq!(Epoch.now().to_string(), "1970-01-01T00:00:00Z");
/// ```
pub trait Clock: Send + Sync {
    /// The present instant, to the millisecond.
    fn now(&self) -> Timestamp;
}

/// Draws the random bytes of which ids and secrets are made.
///
/// ```
/// use partnerkit::{Entropy, SystemEntropy};
///
/// let mut bytes = [[0; 16]; 2];
/// bytes.iter_mut().for_each(|bytes| SystemEntropy.fill(bytes));
/// assert_ne!(bytes[0], bytes[1]);
/// ```
pub trait Entropy: Send + Sync {
    /// Fills the bytes from a cryptographically secure source.
    fn fill(&self, bytes: &mut [u8]);
}

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        SystemTime::now().into()
    }
}

/// The operating system's random numbers.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        // Without random numbers neither ids nor secrets can be made, so nothing works.
        getrandom::fill(bytes).expect("the operating system gives random numbers");
    }
}

/// Makes version 7 UUIDs (RFC 9562): ids made later sort later, which keeps a store's pages
/// together. Ids of one source are ordered within a millisecond, too: the 12 bits after the time
/// are a counter (section 6.2, method 1), which overflows into the time.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    /// The milliseconds and the counter of the newest id.
    newest: AtomicU64,
}

impl Ids {
    const COUNTED: u32 = 12;

    pub fn next(&self, entropy: &dyn Entropy, now: Timestamp) -> Uuid {
        let now = u64::try_from(now.as_millis()).unwrap_or(0) << Self::COUNTED;
        let following = |newest: u64| Some(now.max(newest + 1));
        let before = self.newest.fetch_update(Ordering::Relaxed, Ordering::Relaxed, following);
        let newest = now.max(before.unwrap_or(0) + 1);
        let mut tail: [u8; 10] = random(entropy);
        let count = (newest & 0xfff) as u16;
        tail[..2].copy_from_slice(&count.to_be_bytes());
        Builder::from_unix_timestamp_millis(newest >> Self::COUNTED, &tail).into_uuid()
    }
}

/// Random bytes of a fixed length.
pub(crate) fn random<const N: usize>(entropy: &dyn Entropy) -> [u8; N] {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use super::{Ids, SystemEntropy};
    use crate::values::Timestamp;

    #[test]
    fn ids_of_one_source_sort_as_they_were_made() {
        let ids = Ids::default();
        let at = |n: i64| Timestamp::from_millis(1_773_576_000_000 + n / 5_000 - n % 2);
        let made: Vec<_> = (0..20_000).map(|n| ids.next(&SystemEntropy, at(n))).collect();
        assert!(made.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(made.iter().all(|id| id.get_version_num() == 7));
        let hour_later = Timestamp::from_millis(1_773_579_600_000);
        let (seconds, nanos) =
            ids.next(&SystemEntropy, hour_later).get_timestamp().expect("has one").to_unix();
        assert_eq!((seconds, nanos), (1_773_579_600, 0));
    }
}
