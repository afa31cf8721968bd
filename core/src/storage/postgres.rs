//! The store on PostgreSQL 15 or newer, behind the feature `postgres`.
//!
//! ```no_run
//! # fn main() -> partnerkit::Result<()> {
//! let platform = partnerkit::Platform::open("postgres://partnerkit@localhost/partners")?;
//! # Ok(())
//! # }
//! ```
//!
//! Round trips to the server cost time, so statements are sent together: `BEGIN` with the first
//! query, and writes without an answer with the next query or with `COMMIT`. Rows are in the schema
//! `partnerkit`; every statement has the agency as a parameter, except statements on labels.

mod address;
mod codec;
mod distribution;
mod driver;
mod failure;
mod migrations;
mod newest;
mod pipeline;
mod plans;
mod questions;
mod search;
mod session;
mod spread;
mod sql;

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Pool, QueueMode, RecyclingMethod, Runtime};
use tokio_postgres::{Config, NoTls};

use super::home::Home;
use super::newest::Newest;
use super::{ReadWork, Scope, Storage, WriteWork};
use crate::error::{Error, Result};
use crate::values::AgencyId;
use driver::Driver;
use failure::Failure;
use plans::Plans;
use session::{Mode, Session};
use spread::Spread;

/// How many connections a store opens at most; further callers queue.
const CONNECTIONS: usize = 16;
/// How long a caller waits for a connection.
const QUEUE: Duration = Duration::from_secs(30);

/// A store on a PostgreSQL database. A child process opens its own connections at its first use.
pub struct Postgres(Home<Connections>);

/// The connections of one process, and the thread that drives them.
struct Connections {
    // Dropped before the driver, on whose thread its connections run.
    pool: Pool,
    driver: Driver,
    plans: Plans,
    newest: Newest,
    spread: Spread,
}

impl Postgres {
    /// Opens the database at a URL `postgres://user:password@host:port/database` and brings its
    /// schema to the newest version. Without `sslmode=disable` the host must be this machine:
    /// there is no TLS yet.
    ///
    /// ```no_run
    /// use std::sync::Arc;
    /// use partnerkit::Platform;
    /// use partnerkit::storage::postgres::Postgres;
    ///
    /// let store = Arc::new(Postgres::open("postgres://partnerkit@localhost/partnerkit")?);
    /// let platform = Platform::builder().open_storage(store)?;
    /// platform.ensure_agency("northwind", None)?;
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub fn open(url: &str) -> Result<Self> {
        let config = address::parse(url)?;
        Home::open(move || Connections::open(config.clone()).map(Arc::new)).map(Self)
    }

    /// The number of round trips so far, for tests and measurements.
    ///
    /// ```no_run
    /// use std::sync::Arc;
    /// use partnerkit::Platform;
    /// use partnerkit::storage::postgres::Postgres;
    ///
    /// let store = Arc::new(Postgres::open("postgres://partnerkit@localhost/partnerkit")?);
    /// let platform = Platform::builder().open_storage(store.clone())?;
    /// let agency = platform.ensure_agency("northwind", None)?;
    /// let before = store.waits();
    /// agency.overview()?;
    /// println!("the overview waited {} times", store.waits() - before);
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub fn waits(&self) -> u64 {
        self.0.get().map_or(0, |connections| connections.driver.waits())
    }
}

impl Connections {
    fn open(config: Config) -> Result<Self> {
        // A dead connection is noticed at its next use, so it needs no round trip of its own here.
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let pool = Pool::builder(Manager::from_config(config, NoTls, recycling))
            .runtime(Runtime::Tokio1)
            .max_size(CONNECTIONS)
            // The connection that was used last has the most useful prepared statements.
            .queue_mode(QueueMode::Lifo)
            .wait_timeout(Some(QUEUE))
            .build()
            .map_err(|_| Error::storage("the connection pool could not be created"))?;
        let (driver, plans, newest) = (Driver::start()?, Plans::new(), Newest::default());
        let spread = driver.wait(prepare(pool.clone()))??;
        Ok(Self { pool, driver, plans, newest, spread })
    }
}

/// Migrates the schema to the newest version, and finds out whether the tables are distributed.
async fn prepare(pool: Pool) -> Result<Spread> {
    let client = pool.get().await.map_err(Failure::from)?;
    migrations::migrate(&client).await?;
    spread::find(&client).await
}

impl Drop for Connections {
    fn drop(&mut self) {
        self.pool.close();
    }
}

impl Storage for Postgres {
    fn read(&self, _: &AgencyId, work: &mut ReadWork<'_>) -> Result<()> {
        work(&mut Session::new(&*self.0.get()?, Mode::Read))
    }

    fn write(&self, _: &AgencyId, _: Scope, work: &mut WriteWork<'_>) -> Result<()> {
        let here = self.0.get()?;
        let mut session = Session::new(&here, Mode::Write);
        work(&mut session)?;
        session.commit()
    }

    fn close(&self) {
        self.0.close();
    }
}
