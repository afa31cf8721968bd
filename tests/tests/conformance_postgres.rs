//! The storage contract on Postgres, on the server that `tests/with-postgres` starts.
#![cfg(feature = "postgres-server")]

use std::sync::Arc;

use partnerkit::storage::conformance::Harness;
use partnerkit::storage::postgres::Postgres;
use partnerkit::storage::{ReadWork, Scope, Storage, WriteWork};
use partnerkit::{AgencyId, Result};
use partnerkit_tests::postgres::Database;

struct OnPostgres;

impl Harness for OnPostgres {
    fn storage(&self) -> Arc<dyn Storage> {
        let database = Database::create();
        let store = Postgres::open(&database.url).expect("opens");
        Arc::new(Disposable { store, _database: database })
    }
}

partnerkit::conformance_tests!(OnPostgres);

/// A store whose database goes with it, after its connections.
struct Disposable {
    store: Postgres,
    _database: Database,
}

impl Storage for Disposable {
    fn read(&self, agency: &AgencyId, work: &mut ReadWork<'_>) -> Result<()> {
        self.store.read(agency, work)
    }

    fn write(&self, agency: &AgencyId, scope: Scope, work: &mut WriteWork<'_>) -> Result<()> {
        self.store.write(agency, scope, work)
    }
}
