//! Eight processes maintain, create, rename, delete and sign in at once, without a pause: in the
//! end no login domain has two holders or a deleted one, and no hard stop is lost.

use std::sync::Arc;

use partnerkit::Platform;
use partnerkit::storage::Storage;
use partnerkit::storage::sqlite::Sqlite;
use partnerkit_tests::churn::{LIMIT, assert_holds};
use partnerkit_tests::races::race;
use partnerkit_tests::sqlite::assert_sound;

const PROCESSES: u64 = 8;

/// How much each process does: `CHURN_STEPS=5000` takes minutes.
fn steps() -> String {
    std::env::var("CHURN_STEPS").unwrap_or_else(|_| "150".to_owned())
}

fn churn(url: &str, storage: Arc<dyn Storage>) {
    let (steps, seed) = (steps(), fastrand::u64(..1 << 32));
    let seeds: Vec<_> = (0..PROCESSES).map(|n| (seed + n).to_string()).collect();
    let arguments: Vec<_> = seeds.iter().map(|seed| vec![url, seed, &steps]).collect();
    let told = race(env!("CARGO_BIN_EXE_churner"), &arguments);
    assert!(told.iter().all(|told| told == "done"), "seed {seed}: {told:?}");
    let builder = Platform::builder().sign_in_limit(LIMIT);
    let platform = builder.open_storage(storage.clone()).expect("opens");
    // First, finish what a process was about to erase when it ended.
    while !platform.maintain(Some(1_000)).expect("maintains").finished {}
    assert_holds(&platform, &*storage);
}

#[test]
fn s3_s7_s19_everything_at_once_in_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("resellers.db");
    let storage = Arc::new(Sqlite::open(&path).expect("opens"));
    churn(&format!("sqlite:{}", path.display()), storage);
    assert_sound(&path);
}

#[test]
#[cfg(feature = "postgres-server")]
fn s3_s7_s19_everything_at_once_on_a_server() {
    let database = partnerkit_tests::postgres::Database::create();
    let storage = partnerkit::storage::postgres::Postgres::open(&database.url).expect("opens");
    churn(&database.url, Arc::new(storage));
}
