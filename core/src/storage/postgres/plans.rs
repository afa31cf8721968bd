//! Renewal of the plans of prepared statements.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use deadpool_postgres::Pool;

/// How long plans are used. A plan that was made when a table was small may read all rows of an
/// agency once it has grown, and the server makes a new one only after it has analysed the table
/// again, which takes a minute or never happens.
const LASTING: Duration = Duration::from_secs(10);

/// The time when the prepared statements were last dropped.
pub(super) struct Plans(Mutex<Instant>);

impl Plans {
    pub fn new() -> Self {
        Self(Mutex::new(Instant::now()))
    }

    /// Drops the prepared statements of every connection if they are old.
    pub fn renew(&self, pool: &Pool) {
        if self.are_old(Instant::now()) {
            pool.manager().statement_caches.clear();
        }
    }

    /// Whether the prepared statements are to be dropped; of several concurrent callers, only one
    /// gets `true`.
    fn are_old(&self, now: Instant) -> bool {
        let mut since = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let old = now.saturating_duration_since(*since) > LASTING;
        if old {
            *since = now;
        }
        old
    }
}

#[cfg(test)]
mod tests {
    use super::{Instant, LASTING, Plans};

    #[test]
    fn plans_are_forgotten_once_each_time() {
        let began = Instant::now();
        let plans = Plans::new();
        let later = [0, 1, 3, 3, 4, 6].map(|n| plans.are_old(began + n * LASTING));
        assert_eq!(later, [false, false, true, false, false, true]);
    }
}
