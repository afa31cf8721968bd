//! The storage contract on Postgres, on the server that `tests/with-postgres` starts: on tables as
//! they are, and on tables that are cut into partitions as a distributed server cuts them.
#![cfg(feature = "postgres-server")]

use std::sync::Arc;

use partnerkit::storage::conformance::Harness;
use partnerkit::storage::postgres::Postgres;
use partnerkit::storage::{AgencyRow, LabelRow, ReadWork, Scope, Storage, WriteWork};
use partnerkit::{AgencyId, LoginDomain, Result};
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

/// A cluster has cut its tables already.
#[cfg(not(feature = "citus-server"))]
mod in_partitions {
    use super::*;

    struct InPartitions;

    impl Harness for InPartitions {
        fn storage(&self) -> Arc<dyn Storage> {
            let database = Database::create();
            drop(Postgres::open(&database.url).expect("makes the tables"));
            partnerkit_tests::partitions::cut(&database);
            let store = Postgres::open(&database.url).expect("opens");
            Arc::new(Disposable { store, _database: database })
        }
    }

    partnerkit::conformance_tests!(InPartitions);
}

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

    fn labels(&self, labels: &[LoginDomain]) -> Result<Vec<Option<LabelRow>>> {
        self.store.labels(labels)
    }

    fn agencies(&self, after: Option<&AgencyId>, limit: u32) -> Result<Vec<AgencyRow>> {
        self.store.agencies(after, limit)
    }
}
