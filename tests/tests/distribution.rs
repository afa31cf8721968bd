//! How a store distributes its tables over a Citus cluster. These tests run only by hand, with the
//! feature `citus-server`, because Citus is in no package.
#![cfg(feature = "citus-server")]

use std::thread;

use partnerkit::Platform;
use partnerkit::schema::{Home, TABLES};
use partnerkit::storage::postgres::Postgres;
use partnerkit_tests::postgres::Database;

/// The query for how a table is distributed, and whether its rows are stored with their agency's.
const PLACE: &str = "\
    SELECT concat_ws(' ', partmethod, column_to_column_name(logicalrelid, partkey), \
    colocationid = (SELECT colocationid FROM pg_dist_partition \
    WHERE logicalrelid = 'partnerkit.agencies'::regclass)) \
    FROM pg_dist_partition WHERE logicalrelid = 'partnerkit.{table}'::regclass";
const SPREAD: &str = "SELECT count(*) FROM pg_dist_partition";

/// A database that was made by an older release, or on a server without Citus.
fn not_spread(versions: usize) -> Database {
    let database = Database::create();
    database.run(
        "CREATE SCHEMA partnerkit; CREATE TABLE partnerkit.migrations (\
         version bigint PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())",
    );
    let migrations = [
        include_str!("../../core/migrations/postgres/001_initial.sql"),
        include_str!("../../core/migrations/postgres/002_periods_and_closing.sql"),
    ];
    for (sql, version) in migrations.iter().zip(1..).take(versions) {
        database.run(sql);
        database.run(&format!("INSERT INTO partnerkit.migrations (version) VALUES ({version})"));
    }
    database.run(
        "INSERT INTO partnerkit.agencies (agency, version, time_zone, capacity, reserved_labels, \
         created_at, updated_at, numbered, pruned) \
         SELECT 'agency-' || n, 1, 'UTC', '{}', '[]', 0, 0, 0, 0 FROM generate_series(1, 99) AS n; \
         INSERT INTO partnerkit.totals SELECT agency, 'resellers', 7 FROM partnerkit.agencies; \
         INSERT INTO partnerkit.labels (label, agency) \
         SELECT 'label-' || agency, agency FROM partnerkit.agencies; \
         INSERT INTO partnerkit.secrets VALUES ('agency-1', 1, 'secret', 0)",
    );
    database
}

fn assert_spread(database: &Database) {
    for table in TABLES {
        let place = match table.home {
            Home::Agency => "h agency t".to_owned(),
            Home::Column(column) => format!("h {column} f"),
            Home::Everywhere => "n f".to_owned(),
        };
        assert_eq!(database.run(&PLACE.replace("{table}", table.name)), [place], "{}", table.name);
    }
    assert_eq!(database.run(&PLACE.replace("{table}", "migrations")), ["n f"]);
}

#[test]
fn each_table_goes_to_its_home() {
    let database = Database::create();
    for _ in 0..2 {
        drop(Postgres::open(&database.url).expect("opens"));
        assert_spread(&database);
    }
    let nodes = "SELECT count(DISTINCT nodename || nodeport) FROM citus_shards \
                 WHERE table_name = 'partnerkit.agencies'::regclass";
    assert_eq!(database.run(nodes), [database.worker_urls().len().to_string()]);
}

#[test]
fn rows_that_are_there_go_along_and_leave_nothing_behind() {
    for versions in [1, 2] {
        let database = not_spread(versions);
        drop(Postgres::open(&database.url).expect("opens"));
        assert_spread(&database);
        for table in ["agencies", "totals", "labels"] {
            let count = database.run(&format!("SELECT count(*) FROM partnerkit.{table}"));
            assert_eq!(count, ["99"], "{table}");
        }
        let secret = database.run("SELECT convert_from(secret, 'UTF8') FROM partnerkit.secrets");
        assert_eq!(secret, ["secret"]);
        for table in TABLES {
            let left = format!("SELECT pg_relation_size('partnerkit.{}')", table.name);
            assert_eq!(database.run(&left), ["0"], "{}", table.name);
        }
    }
}

#[test]
fn many_can_open_a_database_that_is_not_spread() {
    for database in [Database::create(), not_spread(1), not_spread(2)] {
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| Postgres::open(&database.url).expect("opens"));
            }
        });
        assert_spread(&database);
    }
}

#[test]
fn a_store_opens_through_any_node() {
    let database = not_spread(2);
    drop(Postgres::open(&database.url).expect("opens"));
    for url in database.worker_urls() {
        let platform = Platform::open(&url).expect("opens");
        assert_eq!(platform.agency("agency-7").expect("is there").id().as_str(), "agency-7");
        assert!(platform.agency("agency-0").is_err());
    }
}

/// A role with the right to do so distributes the tables; until then they are used as they are.
#[test]
fn a_role_that_owns_nothing_opens_the_database_as_it_is() {
    let database = not_spread(2);
    let role = format!("guest_of_{}", database.address().1);
    database.run(&format!(
        "CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA partnerkit TO {role}; \
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA partnerkit TO {role}"
    ));
    let url = database.url.replace("//postgres@", &format!("//{role}@"));
    let opened = Platform::open(&url).and_then(|platform| platform.agency("agency-7"));
    let spread = database.run(SPREAD);
    database.run(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
    opened.expect("opens and reads");
    assert_eq!(spread, ["0"]);
}
