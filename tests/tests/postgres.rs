//! Tests of PostgreSQL's own store: few round trips, lost connections, the schema's versions. Runs
//! on the server that `tests/with-postgres` starts.
#![cfg(feature = "postgres-server")]

use std::sync::{Arc, Barrier};
use std::thread;

use partnerkit::schema::{Kind, TABLES, Value, ddl};
use partnerkit::storage::postgres::Postgres;
use partnerkit::storage::{Batch, Rows, Scope, Storage, Tell};
use partnerkit::{
    Agency, ErrorKind, Metric, Platform, Reseller, ResellerPatch, ResellerQuery, UsageEvent,
};
use partnerkit_tests::invitation;
use partnerkit_tests::postgres::Database;
use partnerkit_tests::proxy::{Cut, Proxy};
use partnerkit_tests::rollups::Dialect;
use partnerkit_tests::rows::{self, ask, get, hold, insert, of_northwind, table};
use uuid::Uuid;

/// A store in a database of its own, with an agency and a reseller.
struct Bench {
    store: Arc<Postgres>,
    platform: Platform,
    agency: Agency,
    acme: Reseller,
    database: Database,
}

impl Bench {
    fn new() -> Self {
        let database = Database::create();
        Self::at(database.url.clone(), database)
    }

    fn at(url: String, database: Database) -> Self {
        let store = Arc::new(Postgres::open(&url).expect("opens"));
        let platform = Platform::builder().open_storage(store.clone()).expect("opens");
        platform.prepare().expect("is there");
        let agency = platform.create_agency("northwind", None).expect("creates");
        let acme = agency.create_reseller(invitation("acme")).expect("creates");
        Self { store, platform, agency, acme, database }
    }

    /// A bench behind a proxy that can cut the connection.
    fn on_a_wire() -> (Self, Proxy) {
        let database = Database::create();
        let (proxy, url) = database.on_a_wire();
        (Self::at(url, database), proxy)
    }

    /// How many round trips the work takes.
    fn waits<T>(&self, work: impl FnOnce(&Agency) -> partnerkit::Result<T>) -> u64 {
        let before = self.store.waits();
        work(&self.agency).expect("works");
        self.store.waits() - before
    }

    fn event(&self, id: &str) -> UsageEvent {
        let (reseller, metric) = (self.acme.id, Metric::MESSAGES);
        UsageEvent { id: id.to_owned(), reseller, metric, quantity: 1, at: self.acme.created_at }
    }

    /// Runs work once, as a backend does.
    fn write(
        &self,
        mut work: impl FnMut(&mut dyn Rows) -> partnerkit::Result<()> + Send,
    ) -> Result<(), ErrorKind> {
        let written = self.store.write(self.agency.id(), Scope::Own, &mut work);
        written.map_err(|error| error.kind())
    }

    fn total(&self) -> i64 {
        let mut total = 0;
        let mut read = |rows: &mut dyn Rows| {
            total = ask_total(rows)?;
            Ok(())
        };
        self.store.read(self.agency.id(), &mut read).expect("reads");
        total
    }
}

/// Adds to the total `t`.
fn add(rows: &mut dyn Rows, n: i64) -> partnerkit::Result<()> {
    let row = of_northwind(["t".into(), n.into()]);
    rows.tell(vec![Tell::Add(Batch { table: table("totals"), rows: vec![row] })])
}

fn ask_total(tx: &mut dyn Rows) -> partnerkit::Result<i64> {
    let total = ask(tx, vec![get(table("totals"), vec![of_northwind(["t".into()])])])?.remove(0);
    let total = rows::rows(total).remove(0).unwrap_or_else(|| vec![0.into()]);
    let Some(Value::Integer(total)) = total.last() else { panic!("{total:?}") };
    Ok(*total)
}

#[test]
fn waits_are_few() {
    let bench = Bench::new();
    let id = bench.acme.id;
    assert_eq!(bench.waits(|agency| agency.reseller(id)), 1, "get");
    assert_eq!(bench.waits(|agency| agency.page(&ResellerQuery::all())), 1, "page");
    let search = |agency: &Agency| agency.page(&ResellerQuery::text("acme"));
    assert_eq!(bench.waits(search), 2, "the first search looks at the newest rows");
    assert_eq!(bench.waits(search), 1, "search");
    let nobody = ResellerQuery::text("nobody");
    assert_eq!(bench.waits(|agency| agency.page(&nobody)), 1, "an empty page");
    assert_eq!(bench.waits(|agency| agency.overview()), 1, "overview");
    assert_eq!(bench.waits(|agency| agency.create_reseller(invitation("globex"))), 2, "create");
    let patch = ResellerPatch { name: Some("Acme Ltd".into()), ..ResellerPatch::default() };
    assert_eq!(bench.waits(|agency| agency.update_reseller(id, None, &patch)), 3, "update");
    let consume = |id| move |agency: &Agency| agency.consume(id, Metric::MESSAGES, 1, "c-1");
    assert_eq!(bench.waits(consume(id)), 5, "consume: the first of a month sums it");
    assert_eq!(bench.waits(consume(id)), 3, "consume again");
    let events: Vec<_> = (0..1_000).map(|n| bench.event(&format!("e-{n}"))).collect();
    assert_eq!(bench.waits(|agency| agency.record_usage(&events)), 4, "record");
    assert_eq!(bench.waits(|agency| agency.record_usage(&events[..1])), 4, "a duplicate");
    assert_eq!(bench.waits(|agency| agency.record_usage(&events[..2])), 4 + 1, "duplicates");
    assert_eq!(bench.waits(|agency| agency.deactivate(id, None)), 3, "deactivate");
    assert_eq!(bench.waits(|agency| agency.delete_reseller(id)), 5, "delete");
    let before = bench.store.waits();
    let globex = bench.platform.resolve_host("globex.partner.localhost").expect("resolves");
    assert_eq!(bench.store.waits() - before, 2, "resolve");
    bench.platform.sign_in("globex", "owner@globex.example", "wrong", None).expect_err("wrong");
    let delete = |agency: &Agency| agency.delete_reseller(globex.reseller);
    assert_eq!(bench.waits(delete), 7, "delete with a failed sign-in");
}

/// S64: while a deletion waits for a transaction that began before it, no other caller waits,
/// neither for the agency, which can no longer be found, nor for a connection.
#[test]
fn nobody_waits_for_an_agency_that_is_being_erased() {
    let bench = Bench::new();
    let other = bench.platform.create_agency("tailspin", None).expect("creates");
    let (holds, release) = (Barrier::new(2), Barrier::new(2));
    thread::scope(|scope| {
        let holder = scope.spawn(|| {
            bench.write(|tx| {
                ask(tx, vec![hold()])?;
                holds.wait();
                release.wait();
                add(tx, 1)
            })
        });
        holds.wait();
        let deletion = scope.spawn(|| bench.platform.delete_agency("northwind"));
        while bench.platform.agency("northwind").is_ok() {
            thread::yield_now();
        }
        // More callers than there are connections.
        let callers: Vec<_> = (0..40)
            .map(|n| {
                let bench = &bench;
                scope.spawn(move || match n % 4 {
                    0 => bench.agency.consume(bench.acme.id, Metric::MESSAGES, 1, "c").map(drop),
                    1 => bench.agency.deactivate(bench.acme.id, None).map(drop),
                    2 => bench.agency.create_reseller(invitation("globex")).map(drop),
                    _ => bench.agency.overview().map(drop),
                })
            })
            .collect();
        for caller in callers {
            let error = caller.join().expect("no panic").expect_err("gone");
            assert_eq!(error.kind(), ErrorKind::NotFound);
        }
        other.create_reseller(invitation("globex")).expect("creates");
        assert!(!deletion.is_finished(), "it waits for who began before");
        release.wait();
        assert_eq!(holder.join().expect("no panic"), Ok(()));
        deletion.join().expect("no panic").expect("deletes");
    });
    assert_eq!(bench.database.run("SELECT count(*) FROM partnerkit.totals"), ["1"], "tailspin's");
}

/// Each page length is a statement of its own, of which a connection keeps only a limited number.
#[test]
fn pages_of_every_length_are_whole() {
    let bench = Bench::new();
    let more = ["globex", "initech", "umbrella"].map(invitation);
    let created = bench.agency.create_resellers(&more).expect("creates");
    assert!(created.iter().all(Result::is_ok));
    for text in ["", "example"] {
        for limit in (1..=200).chain(1..=10) {
            let page = bench.agency.page(&ResellerQuery::text(text).limit(limit)).expect("reads");
            assert_eq!(page.resellers.len(), 4.min(limit as usize), "{text:?} {limit}");
            assert_eq!(page.next.is_some(), limit < 4, "{text:?} {limit}");
        }
    }
}

#[test]
fn a_connection_that_died_in_the_pool_is_replaced() {
    let (bench, proxy) = Bench::on_a_wire();
    proxy.cut(Cut::Next);
    assert_eq!(bench.agency.reseller(bench.acme.id).expect("reads"), bench.acme);
    proxy.cut(Cut::Next);
    bench.agency.create_reseller(invitation("globex")).expect("creates");
    // A connection that the server has ended is not even tried.
    bench.database.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
    assert_eq!(bench.agency.reseller(bench.acme.id).expect("reads"), bench.acme);
}

#[test]
fn a_connection_lost_before_commit_leaves_nothing() {
    let (bench, proxy) = Bench::on_a_wire();
    let written = bench.write(|tx| {
        add(tx, 1)?;
        ask_total(tx)?;
        proxy.cut(Cut::Next);
        ask_total(tx).map(drop)
    });
    assert_eq!(written, Err(ErrorKind::Storage));
    assert_eq!(bench.total(), 0);
}

#[test]
fn a_connection_lost_during_commit_is_an_unknown_outcome() {
    let (bench, proxy) = Bench::on_a_wire();
    let add_and_cut = |cut| {
        let (proxy, mut runs) = (&proxy, 0);
        let written = bench.write(|tx| {
            runs += 1;
            ask(tx, vec![hold()])?;
            add(tx, 1)?;
            proxy.cut(cut);
            Ok(())
        });
        (written, runs)
    };
    assert_eq!(add_and_cut(Cut::Next), (Err(ErrorKind::OutcomeUnknown), 1));
    assert_eq!(bench.total(), 0, "it did not arrive");
    assert_eq!(add_and_cut(Cut::CommitAnswer), (Err(ErrorKind::OutcomeUnknown), 1));
    // The server may not be done yet.
    let arrived = (0..100).any(|_| {
        thread::sleep(std::time::Duration::from_millis(20));
        bench.total() == 1
    });
    assert!(arrived, "it did arrive");
}

/// One key cannot be stored twice in one batch.
fn put_twice(rows: &mut dyn Rows) -> partnerkit::Result<()> {
    let row = of_northwind(["u".into(), 1.into()]);
    rows.tell(vec![Tell::Put(Batch { table: table("totals"), rows: vec![row; 2] })])
}

#[test]
fn a_deferred_failure_fails_the_commit() {
    let bench = Bench::new();
    let mut work = |tx: &mut dyn Rows| {
        ask(tx, vec![hold()])?;
        add(tx, 1)?;
        put_twice(tx)
    };
    let error = bench.store.write(bench.agency.id(), Scope::Own, &mut work).expect_err("fails");
    assert_eq!(error.kind(), ErrorKind::Storage);
    assert_eq!(error.to_string(), "storage: SQLSTATE 21000");
    assert_eq!(bench.total(), 0);
    // Nothing is stored either if the work ignores the error.
    let overlooked = bench.write(|tx| {
        add(tx, 1)?;
        put_twice(tx)?;
        assert!(ask(tx, vec![hold()]).is_err());
        assert!(ask_total(tx).is_err(), "and nothing more is asked");
        Ok(())
    });
    assert_eq!(overlooked, Err(ErrorKind::Storage));
    assert_eq!(bench.total(), 0);
}

/// Adds a check that the server makes at COMMIT, and that fails with a code as long as `t` is 13.
fn fail_commits(bench: &Bench, code: &str) {
    bench.database.run(&format!(
        "CREATE OR REPLACE FUNCTION partnerkit.fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         IF new.value = 13 THEN RAISE EXCEPTION 'at commit' USING ERRCODE = '{code}'; END IF; \
         RETURN NULL; END $$; \
         DROP TRIGGER IF EXISTS fail ON partnerkit.totals; \
         CREATE CONSTRAINT TRIGGER fail AFTER INSERT OR UPDATE ON partnerkit.totals \
         DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION partnerkit.fail()"
    ));
}

/// Only codes that are known to roll back the transaction mean that nothing was written: a
/// distributed server answers XX000 even if a part was committed.
#[test]
#[cfg_attr(feature = "citus-server", ignore = "Citus takes no triggers on tables that are spread")]
fn an_unknown_answer_to_commit_is_an_unknown_outcome() {
    let bench = Bench::new();
    for (code, told) in [
        ("XX000", ErrorKind::OutcomeUnknown),
        ("40003", ErrorKind::OutcomeUnknown), // statement completion unknown
        ("P0001", ErrorKind::OutcomeUnknown),
        ("23514", ErrorKind::Storage),
        ("23505", ErrorKind::Storage),
        ("40001", ErrorKind::Aborted),
    ] {
        fail_commits(&bench, code);
        let written = bench.write(|tx| {
            ask(tx, vec![hold()])?;
            add(tx, 13)
        });
        assert_eq!(written, Err(told), "{code}");
    }
}

#[test]
fn a_total_that_overflows_aborts() {
    let bench = Bench::new();
    let add = |n| bench.write(|tx| add(tx, n));
    assert_eq!(add(i64::MAX), Ok(()));
    assert_eq!(add(1), Err(ErrorKind::Aborted));
    assert_eq!(bench.total(), i64::MAX);
}

#[test]
fn an_error_tells_names_and_no_values() {
    let bench = Bench::new();
    let nobodys = of_northwind([
        Value::Uuid(Uuid::from_u128(5)),
        Value::Bytes(b"secret".to_vec()),
        Value::Null,
    ]);
    let mut work = |tx: &mut dyn Rows| {
        ask(tx, vec![insert(table("credentials"), vec![nobodys.clone()], None)]).map(drop)
    };
    let error = bench.store.write(bench.agency.id(), Scope::Own, &mut work);
    let error = error.expect_err("no such reseller");
    // Citus forwards a node's refusal without the names.
    let names =
        [", credentials, credentials_reseller", ""][usize::from(cfg!(feature = "citus-server"))];
    assert_eq!(error.to_string(), format!("storage: SQLSTATE 23503{names}"));
}

#[test]
fn many_can_open_a_new_database_at_once() {
    let database = Database::create();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| Postgres::open(&database.url).expect("opens"));
        }
    });
    assert_eq!(database.run("SELECT max(version) FROM partnerkit.migrations"), [newest()]);
}

#[test]
fn a_newer_schema_is_refused() {
    let database = Database::create();
    drop(Postgres::open(&database.url).expect("opens"));
    database.run("INSERT INTO partnerkit.migrations (version) VALUES (7)");
    let error = Postgres::open(&database.url).err().expect("refuses");
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("version 7"), "{error}");
}

fn newest() -> String {
    partnerkit::schema::VERSION.to_string()
}

/// Brings a database back to the tables that older migrations made, with the rows that it has.
fn make_older(database: &Database, migrations: &[&str]) {
    database.run(&format!(
        "ALTER SCHEMA partnerkit RENAME TO newest; CREATE SCHEMA partnerkit; \
         CREATE TABLE partnerkit.migrations (LIKE newest.migrations INCLUDING ALL); \
         INSERT INTO partnerkit.migrations (version) VALUES ({})",
        migrations.len()
    ));
    database.run(&migrations.concat());
    for table in TABLES {
        let columns = database.run(&format!(
            "SELECT string_agg(column_name, ', ') FROM information_schema.columns AS old \
             WHERE table_schema = 'partnerkit' AND table_name = '{0}' AND EXISTS ( \
             SELECT FROM information_schema.columns AS new WHERE new.table_schema = 'newest' \
             AND new.table_name = '{0}' AND new.column_name = old.column_name)",
            table.name
        ));
        let (name, columns) = (table.name, &columns[0]);
        if !columns.is_empty() {
            database.run(&format!(
                "INSERT INTO partnerkit.{name} ({columns}) SELECT {columns} FROM newest.{name}"
            ));
        }
    }
}

/// S52: the rows of a database of the first version are kept by the migrations.
#[test]
fn a_database_of_the_first_version_is_brought_along() {
    let Bench { store, platform, agency, acme, database } = Bench::new();
    agency.set_allowance(acme.id, Metric::MESSAGES, Some(10)).expect("sets");
    agency.consume(acme.id, Metric::MESSAGES, 8, "c-1").expect("grants");
    drop((agency, platform, store));
    make_older(&database, &[include_str!("../../core/migrations/postgres/001_initial.sql")]);
    // The first version stored a period as a date; nothing is used of it. A rollup of one
    // quarter-hour ended with the five fields of a gauge.
    database.run(
        "UPDATE partnerkit.meters SET period = 20513, period_used = 0; \
         INSERT INTO partnerkit.rollups SELECT agency, day, reseller, metric, sum, events, \
         slots || '\\x0000000000' FROM newest.counter_days",
    );

    let platform = Platform::open(&database.url).expect("brings the database along");
    let agency = platform.agency("northwind").expect("there");
    assert_eq!(agency.reseller(acme.id).expect("there"), acme);
    let consume = |quantity, id| agency.consume(acme.id, Metric::MESSAGES, quantity, id);
    let denied = consume(3, "c-2").expect("answers");
    assert_eq!((denied.granted, denied.used), (false, 8));
    let granted = consume(2, "c-3").expect("answers");
    assert_eq!((granted.granted, granted.used), (true, 10));
    assert_eq!(database.run("SELECT max(version) FROM partnerkit.migrations"), [newest()]);
}

/// S52: what the second version packed into rollups is in the days and slots of the third.
#[test]
fn rollups_of_the_second_version_are_unpacked() {
    let Bench { store, platform, agency, database, .. } = Bench::new();
    drop((agency, platform, store));
    let migrations = [
        include_str!("../../core/migrations/postgres/001_initial.sql"),
        include_str!("../../core/migrations/postgres/002_periods_and_closing.sql"),
    ];
    make_older(&database, &migrations);
    let dialect = Dialect {
        prefix: "partnerkit.",
        agency: "'northwind'",
        literal: |digits, kind| match kind {
            Kind::Uuid => format!("'{digits}'"),
            _ => format!("'\\x{digits}'"),
        },
        digits: |column, kind| match kind {
            Kind::Uuid => format!("replace({column}::text, '-', '')"),
            _ => format!("encode({column}, 'hex')"),
        },
    };
    database.run(&dialect.insert());
    Platform::open(&database.url).expect("opens").prepare().expect("brings the database along");
    dialect.check(|sql| database.run(sql));
    assert_eq!(database.run("SELECT to_regclass('partnerkit.rollups') IS NULL"), ["t"]);
}

/// The migrations make the declared columns, keys, indexes and foreign keys. Only the PostgreSQL
/// store has further indexes.
#[test]
fn the_migrations_make_what_is_declared() {
    let database = Database::create();
    drop(Postgres::open(&database.url).expect("opens"));
    database.run("CREATE SCHEMA declared");
    database.run(&ddl::postgres("declared"));
    for table in TABLES {
        let ask = |sql: &str, schema: &str| {
            database.run(&sql.replace("{schema}", schema).replace("{table}", table.name))
        };
        for sql in [COLUMNS, UNIQUE, FOREIGN_KEYS] {
            assert_eq!(ask(sql, "partnerkit"), ask(sql, "declared"), "{}", table.name);
        }
        let made = ask(INDEXES, "partnerkit");
        for index in ask(INDEXES, "declared") {
            assert!(made.contains(&index), "{index} is not in {made:?}");
        }
        assert_eq!(ask(COLUMNS, "declared").len(), table.columns.len());
    }
}

const COLUMNS: &str = "\
    SELECT concat_ws(' ', column_name, data_type, collation_name, is_nullable) \
    FROM information_schema.columns \
    WHERE table_schema = '{schema}' AND table_name = '{table}' ORDER BY column_name";
const UNIQUE: &str = "\
    SELECT indexname || substring(indexdef FROM ' USING .*') FROM pg_indexes \
    WHERE schemaname = '{schema}' AND tablename = '{table}' AND indexdef LIKE 'CREATE UNIQUE %' \
    ORDER BY indexname";
const INDEXES: &str = "\
    SELECT indexname || substring(indexdef FROM ' USING .*') FROM pg_indexes \
    WHERE schemaname = '{schema}' AND tablename = '{table}' AND indexdef LIKE 'CREATE INDEX %'";
const FOREIGN_KEYS: &str = "\
    SELECT replace(pg_get_constraintdef(oid), '{schema}.', '') FROM pg_constraint \
    WHERE contype = 'f' AND conrelid = '{schema}.{table}'::regclass";

#[test]
fn a_thread_of_a_hosts_runtime_may_wait() {
    let bench = Bench::new();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let read = runtime.block_on(async { bench.agency.reseller(bench.acme.id) });
    assert_eq!(read.expect("reads"), bench.acme);
}

/// A port that was free a moment ago, where no server listens.
#[test]
fn where_no_server_listens_the_error_says_so() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    let refused = Platform::open(&format!("postgres://nobody@127.0.0.1:{port}/x"));
    let refused = refused.map(drop).expect_err("no server");
    assert_eq!(refused.to_string(), "storage: could not connect to the server: connection refused");
}
