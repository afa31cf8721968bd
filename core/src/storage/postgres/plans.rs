//! For how long the server keeps the plans of prepared statements.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use deadpool_postgres::Pool;

/// A plan that was made when a table was small may read all of an agency once it has grown, and
/// the server notices only when it next looks at the table, a minute later or never.
const LASTING: Duration = Duration::from_secs(10);

/// When the statements were last forgotten.
pub(super) struct Plans(Mutex<Instant>);

impl Plans {
    pub fn new() -> Self {
        Self(Mutex::new(Instant::now()))
    }

    /// Forgets what every connection has prepared, if that is long ago.
    pub fn renew(&self, pool: &Pool) {
        if self.are_old(Instant::now()) {
            pool.manager().statement_caches.clear();
        }
    }

    /// Whether they are to be forgotten; only one of several who ask is told so.
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
