//! The store on PostgreSQL 15 or newer, behind the feature `postgres`.
//!
//! ```no_run
//! # fn main() -> partnerkit::Result<()> {
//! let platform = partnerkit::Platform::open("postgres://partnerkit@localhost/partners")?;
//! # Ok(())
//! # }
//! ```
//!
//! What costs time is waiting for the server, so statements leave together: `BEGIN` with the
//! first question, what answers nothing with the next question or with `COMMIT`. Rows lie in the
//! schema `partnerkit`; every statement but those on labels carries the agency.

mod address;
mod codec;
mod distribution;
mod driver;
mod failure;
mod migrations;
mod newest;
mod pipeline;
mod plans;
mod reads;
mod search;
mod session;
mod sql;
mod transaction;

use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Pool, QueueMode, RecyclingMethod, Runtime};
use tokio_postgres::{Config, NoTls};

use super::home::Home;
use super::{AgencyRow, LabelRow, ReadWork, Scope, Storage, WriteWork};
use crate::error::{Error, Result};
use crate::values::{AgencyId, LoginDomain};
use driver::Driver;
use failure::Failure;
use newest::Newest;
use plans::Plans;
use session::{Mode, Session};

/// How many connections a store opens at most; further callers queue.
const CONNECTIONS: usize = 16;
/// How long a caller queues for one.
const QUEUE: Duration = Duration::from_secs(30);

/// A store on a Postgres database. A child process opens its own connections at its first use.
pub struct Postgres(Home<Connections>);

/// The connections of one process, and the thread that drives them.
struct Connections {
    // Dropped before the thread that its connections live on.
    pool: Pool,
    driver: Driver,
    plans: Plans,
    newest: Newest,
}

impl Postgres {
    /// Opens the database at a URL `postgres://user:password@host:port/database` and brings its
    /// schema to the newest version. Without `sslmode=disable` the host must be this machine:
    /// there is no TLS yet.
    pub fn open(url: &str) -> Result<Self> {
        let config = address::parse(url)?;
        Home::open(move || Connections::open(config.clone())).map(Self)
    }

    /// How often callers have waited for the server so far, for tests and measurements.
    pub fn waits(&self) -> u64 {
        self.0.get().map_or(0, |connections| connections.driver.waits())
    }
}

impl Connections {
    fn open(config: Config) -> Result<Self> {
        // A dead connection is found out at its next use, which needs no wait of its own.
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let pool = Pool::builder(Manager::from_config(config, NoTls, recycling))
            .runtime(Runtime::Tokio1)
            .max_size(CONNECTIONS)
            // The one that was used last knows what is asked most.
            .queue_mode(QueueMode::Lifo)
            .wait_timeout(Some(QUEUE))
            .build()
            .map_err(|_| Error::storage("the pool of connections cannot be made"))?;
        let (driver, plans, newest) = (Driver::start()?, Plans::new(), Newest::default());
        let connections = Self { pool, driver, plans, newest };
        connections.migrate()?;
        Ok(connections)
    }

    fn migrate(&self) -> Result<()> {
        let pool = self.pool.clone();
        self.driver.wait(async move {
            let client = pool.get().await.map_err(Failure::from)?;
            migrations::migrate(&client).await
        })?
    }
}

impl Drop for Connections {
    fn drop(&mut self) {
        self.pool.close();
    }
}

impl Storage for Postgres {
    fn read(&self, agency: &AgencyId, work: &mut ReadWork<'_>) -> Result<()> {
        let mut session = Session::new(self.0.get()?, agency, Mode::Read);
        work(&mut session)?;
        session.hold()
    }

    fn write(&self, agency: &AgencyId, _: Scope, work: &mut WriteWork<'_>) -> Result<()> {
        let mut session = Session::new(self.0.get()?, agency, Mode::Write);
        work(&mut session)?;
        session.commit()
    }

    fn labels(&self, labels: &[LoginDomain]) -> Result<Vec<Option<LabelRow>>> {
        Session::new(self.0.get()?, &AgencyId::platform(), Mode::Read).label_rows(labels)
    }

    fn agencies(&self, after: Option<&AgencyId>, limit: u32) -> Result<Vec<AgencyRow>> {
        let platform = AgencyId::platform();
        let mut session = Session::new(self.0.get()?, &platform, Mode::Read);
        session.ask(sql::agencies(after, limit))?.records()
    }
}
