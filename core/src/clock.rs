//! Where time and ids come from. The domain asks these, never the system.

use std::time::{SystemTime, UNIX_EPOCH};

use uuid::{Builder, Uuid};

use crate::values::Timestamp;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The present instant, to the millisecond.
    fn now(&self) -> Timestamp;
}

/// Draws ids and secrets.
pub trait Entropy: Send + Sync {
    /// Fills the bytes from a cryptographically secure source.
    fn fill(&self, bytes: &mut [u8]);
}

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let millis = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
            Err(before) => -i64::try_from(before.duration().as_millis()).unwrap_or(i64::MAX),
        };
        Timestamp::from_millis(millis)
    }
}

/// The operating system's random numbers.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        // Without random numbers no id and no secret can be made: nothing sensible is left to do.
        getrandom::fill(bytes).expect("the operating system gives random numbers");
    }
}

/// A version 7 UUID (RFC 9562): ids made later sort later, which keeps a store's pages together.
pub(crate) fn new_id(entropy: &dyn Entropy, now: Timestamp) -> Uuid {
    let mut random = [0; 10];
    entropy.fill(&mut random);
    let millis = u64::try_from(now.as_millis()).unwrap_or(0);
    Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

/// Random bytes of a fixed length.
pub(crate) fn random<const N: usize>(entropy: &dyn Entropy) -> [u8; N] {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes);
    bytes
}
