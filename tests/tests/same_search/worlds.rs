//! One platform on each store. All draw the same ids and make the same cursors.

use std::sync::Arc;

use partnerkit::{Agency, Clock, Page, Platform, ResellerQuery};
use partnerkit_tests::seeded::Seeded;
use partnerkit_tests::vectors::StillClock;

/// A large agency, and a small one whose rows are in the same index.
pub const AGENCIES: [&str; 2] = ["northwind", "tailspin"];

pub struct World {
    pub name: &'static str,
    /// The platforms on one store. The first one writes, and all are searched in turn.
    platforms: Vec<Platform>,
    clock: Arc<StillClock>,
    settle: Box<dyn Fn() + Send + Sync>,
    _keep: Box<dyn std::any::Any + Send + Sync>,
}

impl World {
    fn open<K: std::any::Any + Send + Sync>(name: &'static str, urls: &[String], keep: K) -> Self {
        let clock = StillClock::new();
        let open = |url: &String| {
            let builder = Platform::builder().secret(1, [7; 32]).clock(clock.clone());
            builder.entropy(Arc::new(Seeded::new(42))).open(url).expect("opens")
        };
        let platforms = urls.iter().map(open).collect();
        let settle = Box::new(|| ());
        Self { name, platforms, clock, settle, _keep: Box::new(keep) }
    }

    pub fn page(&self, n: usize, agency: &str, query: &ResellerQuery) -> Page {
        let platform = &self.platforms[n % self.platforms.len()];
        platform.agency(agency).expect("there").page(query).expect("finds")
    }

    pub fn platform(&self) -> &Platform {
        &self.platforms[0]
    }

    pub fn agency(&self, name: &str) -> Agency {
        self.platform().agency(name).expect("there")
    }

    pub fn forward(&self, millis: i64) {
        self.clock.forward(millis);
    }

    pub fn now(&self) -> i64 {
        self.clock.now().as_millis()
    }

    /// Does what a database does on its own some time after many rows were inserted.
    pub fn settle(&self) {
        (self.settle)();
    }
}

pub fn worlds() -> Vec<World> {
    let folder = tempfile::tempdir().expect("a folder");
    let sqlite = format!("sqlite:{}", folder.path().join("resellers.db").display());
    #[allow(unused_mut, reason = "without a server there is no third one")]
    let mut worlds = vec![
        World::open("memory", &["memory:".to_owned()], ()),
        World::open("SQLite", &[sqlite], folder),
    ];
    #[cfg(feature = "postgres-server")]
    worlds.push(postgres());
    worlds
}

/// One platform with the plan that the server chooses, and one with each of the two plans it may
/// choose.
#[cfg(feature = "postgres-server")]
fn postgres() -> World {
    let database = Arc::new(partnerkit_tests::postgres::Database::create());
    let without = |plans: &str| format!("{}?options={plans}", database.url);
    let walk = without("-c%20enable_bitmapscan=off");
    let index = without("-c%20enable_indexscan=off%20-c%20enable_seqscan=off");
    let urls = [database.url.clone(), walk, index];
    let settled = Arc::clone(&database);
    let settle = Box::new(move || drop(settled.run("ANALYZE")));
    World { settle, ..World::open("PostgreSQL", &urls, database) }
}
