//! Tests of SQLite's own store: its file, its schema's versions, several processes.

use partnerkit::schema::{TABLES, ddl};
use partnerkit::{ErrorKind, Metric, Platform};
use partnerkit_tests::invitation;
use partnerkit_tests::rollups::Dialect;
use rusqlite::Connection;

struct File {
    _folder: tempfile::TempDir,
    path: std::path::PathBuf,
}

impl File {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("resellers.db");
        Self { _folder: folder, path }
    }

    fn url(&self) -> String {
        format!("sqlite:{}", self.path.display())
    }

    fn connect(&self) -> Connection {
        Connection::open(&self.path).expect("opens")
    }

    /// A file that older migrations have made, with the rows of this one and what statements add.
    fn older(&self, migrations: &[&str], statements: &str) -> Self {
        let older = Self::new();
        let connection = older.connect();
        connection.execute_batch(&migrations.concat()).expect("makes the tables");
        connection.execute("ATTACH ?1 AS newest", [self.path.to_str()]).expect("attaches");
        for table in TABLES {
            copy(&connection, table.name);
        }
        connection.execute_batch(statements).expect("runs");
        connection.pragma_update(None, "user_version", migrations.len() as u32).expect("writes");
        older
    }
}

/// The migrations make the declared columns, keys, indexes and foreign keys. Only the SQLite store
/// has numbers of rows, further columns of agencies, further indexes, further columns in an index,
/// and events in the order of an index of theirs.
#[test]
fn the_migrations_make_what_is_declared() {
    let file = File::new();
    Platform::open(&file.url()).expect("opens");
    let made = file.connect();
    let declared = Connection::open_in_memory().expect("opens");
    declared.execute_batch(&ddl::sqlite()).expect("makes the tables");
    for table in TABLES {
        for sql in [COLUMNS, UNIQUE, FOREIGN_KEYS] {
            let declared = texts(&declared, sql, table.name);
            assert_eq!(texts(&made, sql, table.name), declared, "{}", table.name);
        }
        let in_order = texts(&made, IN_ORDER, table.name);
        let made = [texts(&made, INDEXES, table.name), in_order].concat();
        for index in texts(&declared, INDEXES, table.name) {
            assert!(made.iter().any(|made| made.starts_with(&index)), "{index} not in {made:?}");
        }
        assert_eq!(texts(&declared, COLUMNS, table.name).len(), table.columns.len());
    }
}

const COLUMNS: &str = "SELECT concat_ws(' ', name, type, \"notnull\") FROM pragma_table_info(?1)
    WHERE name NOT IN ('number', 'newest', 'disorder') ORDER BY name";
const UNIQUE: &str = "SELECT iif(list.origin = 'c', list.name, '') || ': '
        || group_concat(info.name ORDER BY info.seqno) AS columns
    FROM pragma_index_list(?1) AS list, pragma_index_info(list.name) AS info
    WHERE list.\"unique\" GROUP BY list.name
    HAVING columns NOT IN (': number', ': agency,at,id') ORDER BY columns";
const INDEXES: &str =
    "SELECT list.name || ': ' || group_concat(info.name || ',' ORDER BY info.seqno)
    FROM pragma_index_list(?1) AS list, pragma_index_info(list.name) AS info
    WHERE NOT list.\"unique\" GROUP BY list.name";
/// What serves as the index of events by their age.
const IN_ORDER: &str = "SELECT 'events_age: ' || group_concat(name || ',' ORDER BY pk)
    FROM pragma_table_info(?1) WHERE pk > 0 AND ?1 = 'events' HAVING count(*) > 0";
const FOREIGN_KEYS: &str = "SELECT concat_ws(' ', seq, \"from\", \"table\", \"to\")
    FROM pragma_foreign_key_list(?1) ORDER BY seq";

fn texts(connection: &Connection, sql: &str, table: &str) -> Vec<String> {
    let mut statement = connection.prepare(sql).expect("prepares");
    let rows = statement.query_map([table], |row| row.get(0)).expect("runs");
    rows.collect::<Result<_, _>>().expect("reads")
}

/// S52: a store from a newer release is refused with its version named.
#[test]
fn a_newer_schema_is_refused() {
    let file = File::new();
    Platform::open(&file.url()).expect("opens");
    file.connect().pragma_update(None, "user_version", 99).expect("writes");
    let error = Platform::open(&file.url()).map(drop).expect_err("too new");
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("99"), "{error}");
}

/// S52: the rows of a file of the first version are kept by the migrations.
#[test]
fn a_file_of_the_first_version_is_brought_along() {
    let newest = File::new();
    let platform = Platform::open(&newest.url()).expect("opens");
    let agency = platform.create_agency("northwind", None).expect("creates");
    let acme = agency.create_reseller(invitation("acme")).expect("creates");
    agency.set_allowance(acme.id, Metric::MESSAGES, Some(10)).expect("sets");
    agency.consume(acme.id, Metric::MESSAGES, 8, "c-1").expect("grants");
    // The first version stored a period as a date; nothing is used of it. A rollup of one
    // quarter-hour ended with the five fields of a gauge.
    let first = newest.older(
        &[include_str!("../../core/migrations/sqlite/001_initial.sql")],
        "UPDATE meters SET period = 20513, period_used = 0;
         INSERT INTO rollups SELECT agency, day, reseller, metric, sum, events,
             CAST(slots || x'0000000000' AS BLOB) FROM newest.counter_days;",
    );
    drop((agency, platform));

    let platform = Platform::open(&first.url()).expect("brings the file along");
    let agency = platform.agency("northwind").expect("there");
    assert_eq!(agency.reseller(acme.id).expect("there"), acme);
    let consume = |quantity, id| agency.consume(acme.id, Metric::MESSAGES, quantity, id);
    let denied = consume(3, "c-2").expect("answers");
    assert_eq!((denied.granted, denied.used), (false, 8));
    let granted = consume(2, "c-3").expect("answers");
    assert_eq!((granted.granted, granted.used), (true, 10));
    assert!(consume(8, "c-1").expect("answers").duplicate);
    let version = "SELECT user_version FROM pragma_user_version";
    let version: u32 = first.connect().query_row(version, [], |row| row.get(0)).expect("reads");
    assert_eq!(version, partnerkit::schema::VERSION);
}

/// S52: what the second version packed into rollups is in the days and slots of the third.
#[test]
fn rollups_of_the_second_version_are_unpacked() {
    let newest = File::new();
    let platform = Platform::open(&newest.url()).expect("opens");
    platform.create_agency("northwind", None).expect("creates");
    let dialect = Dialect {
        prefix: "",
        agency: "(SELECT number FROM agencies WHERE agency = 'northwind')",
        literal: |digits, _| format!("x'{digits}'"),
        digits: |column, _| format!("lower(hex({column}))"),
    };
    let migrations = [
        include_str!("../../core/migrations/sqlite/001_initial.sql"),
        include_str!("../../core/migrations/sqlite/002_periods_and_closing.sql"),
    ];
    let second = newest.older(&migrations, &dialect.insert());
    drop(platform);
    Platform::open(&second.url()).expect("brings the file along");
    let connection = second.connect();
    dialect.check(|sql| {
        let mut statement = connection.prepare(sql).expect("prepares");
        let rows = statement.query_map([], |row| row.get(0)).expect("runs");
        rows.collect::<Result<_, _>>().expect("reads")
    });
    assert!(texts(&connection, COLUMNS, "rollups").is_empty());
}

/// Copies the columns that both files have, if the older one has the table.
fn copy(connection: &Connection, table: &str) {
    let sql = format!("SELECT name FROM pragma_table_info('{table}', 'main')");
    let mut statement = connection.prepare(&sql).expect("prepares");
    let columns = statement.query_map([], |row| row.get(0)).expect("runs");
    let columns: Vec<String> = columns.collect::<Result<_, _>>().expect("reads");
    if columns.is_empty() {
        return;
    }
    let columns = columns.join(", ");
    let sql = format!("INSERT INTO main.{table} ({columns}) SELECT {columns} FROM newest.{table}");
    connection.execute(&sql, []).expect("copies");
}

#[test]
fn what_is_no_database_is_refused() {
    let file = File::new();
    std::fs::write(&file.path, "not a database, and longer than a header. ".repeat(100))
        .expect("writes");
    let error = Platform::open(&file.url()).map(drop).expect_err("no database");
    assert_eq!(error.kind(), ErrorKind::Storage);
    let folder = Platform::open("sqlite:/nowhere/resellers.db").map(drop).expect_err("no folder");
    assert_eq!(folder.kind(), ErrorKind::Storage);
    let scheme = Platform::open("mysql://localhost").map(drop).expect_err("no such store");
    assert_eq!(scheme.kind(), ErrorKind::Configuration);
}

#[test]
fn rows_and_secrets_outlive_the_process() {
    let file = File::new();
    let first = Platform::open(&file.url()).expect("opens");
    let agency = first.create_agency("northwind", None).expect("creates");
    agency.create_reseller(invitation("acme")).expect("creates");
    agency.create_reseller(invitation("globex")).expect("creates");
    let query = partnerkit::ResellerQuery::all().limit(1);
    let cursor = agency.page(&query).expect("reads").next.expect("more");
    drop((first, agency));
    let second = Platform::open(&file.url()).expect("opens again");
    let agency = second.agency("northwind").expect("there");
    let rest = agency.page(&query.after(cursor)).expect("the cursor's secret is kept");
    assert_eq!(rest.resellers[0].login_domain.as_str(), "acme");
}

/// S52: if several processes open a new file at once, each finds the schema.
#[test]
fn many_open_a_new_file_at_once() {
    let file = File::new();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| Platform::open(&file.url()).map(drop).expect("opens"));
        }
    });
}

/// S25: deleted data is not left in the log either.
#[test]
fn the_write_ahead_log_is_gone_when_the_store_is_closed() {
    let file = File::new();
    let platform = Platform::open(&file.url()).expect("opens");
    let agency = platform.create_agency("northwind", None).expect("creates");
    agency.create_reseller(invitation("acme")).expect("creates");
    agency.overview().expect("reads");
    let log = file.path.with_extension("db-wal");
    assert!(log.exists());
    drop((agency, platform));
    assert!(!log.exists());
}
