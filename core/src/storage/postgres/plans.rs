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
        let mut since = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if since.elapsed() > LASTING {
            *since = Instant::now();
            pool.manager().statement_caches.clear();
        }
    }
}
