//! The storage contract on PostgreSQL, on the server that `tests/with-postgres` starts: on ordinary
//! tables, and on tables that are partitioned as a distributed server does it.
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

/// Not on a cluster, which has cut its tables already.
#[cfg(not(feature = "citus-server"))]
mod in_partitions {
    use std::collections::BTreeSet;
    use std::sync::Mutex;
    use std::thread;

    use partnerkit_tests::proxy::Proxy;
    use partnerkit_tests::statements::complaints;

    use super::*;

    /// Stores behind recording proxies, to check that a distributed server accepts what they send.
    #[derive(Default)]
    struct InPartitions(Mutex<Vec<Proxy>>);

    impl Harness for InPartitions {
        fn storage(&self) -> Arc<dyn Storage> {
            let database = Database::create();
            drop(Postgres::open(&database.url).expect("makes the tables"));
            partnerkit_tests::partitions::cut(&database);
            let (wire, url) = database.on_a_wire();
            self.0.lock().expect("no panic").push(wire);
            let store = Postgres::open(&url).expect("opens");
            Arc::new(Disposable { store, _database: database })
        }
    }

    impl Drop for InPartitions {
        fn drop(&mut self) {
            if thread::panicking() {
                return; // the case has failed already
            }
            let wires = self.0.lock().expect("no panic");
            let heard: Vec<_> = wires.iter().flat_map(Proxy::heard).collect();
            let complaints: BTreeSet<_> = heard.iter().flat_map(complaints).collect();
            assert!(complaints.is_empty(), "{complaints:#?}");
        }
    }

    partnerkit::conformance_tests!(InPartitions::default());
}

/// A store whose database is deleted with it, after its connections are closed.
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
