//! Tables that are cut into partitions have all that they had before. Runs on the server that
//! `tests/with-postgres` starts.
#![cfg(all(feature = "postgres-server", not(feature = "citus-server")))]

use partnerkit::schema::TABLES;
use partnerkit::storage::postgres::Postgres;
use partnerkit_tests::partitions::{cut, home_column};
use partnerkit_tests::postgres::Database;

const COLUMNS: &str = "\
    SELECT concat_ws(' ', attname, format_type(atttypid, atttypmod), attcollation::regcollation, \
    attnotnull, attstattarget, pg_get_expr(adbin, adrelid)) FROM pg_attribute \
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum \
    WHERE attrelid = '{table}'::regclass AND attnum > 0 ORDER BY attnum";
const CONSTRAINTS: &str = "\
    SELECT conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint \
    WHERE conrelid = '{table}'::regclass AND conparentid = 0 ORDER BY conname";
const INDEXES: &str = "\
    SELECT replace(indexdef, ' ON ONLY ', ' ON ') FROM pg_indexes \
    WHERE format('%I.%I', schemaname, tablename) = '{table}' ORDER BY indexname";
const CUT_BY: &str = "\
    SELECT pg_get_partkeydef('{table}'::regclass) UNION ALL \
    SELECT count(*)::text FROM pg_inherits WHERE inhparent = '{table}'::regclass";

#[test]
fn tables_are_cut_by_their_home_and_keep_everything() {
    let database = Database::create();
    drop(Postgres::open(&database.url).expect("makes the tables"));
    // Something of each kind, where the schema has none by now.
    database.run(
        "ALTER TABLE partnerkit.meters ALTER COLUMN value SET DEFAULT 7, \
         ADD CONSTRAINT not_less CHECK (value >= 0)",
    );
    let queries = [COLUMNS, CONSTRAINTS, INDEXES];
    let ask = |query: &str, table: &str| {
        database.run(&query.replace("{table}", &format!("partnerkit.{table}")))
    };
    let all = || -> Vec<_> {
        TABLES.iter().map(|table| queries.map(|query| ask(query, table.name))).collect()
    };
    let before = all();
    cut(&database);
    assert_eq!(all(), before);
    for table in TABLES {
        match home_column(table) {
            Some(home) => {
                assert_eq!(ask(CUT_BY, table.name), [&*format!("HASH ({home})"), "4"]);
            }
            None => assert_eq!(ask(CUT_BY, table.name), ["", "0"]),
        }
    }
}

#[test]
#[should_panic(expected = "partnerkit.agencies")]
fn no_row_is_lost_by_it() {
    let database = Database::create();
    let platform = partnerkit::Platform::open(&database.url).expect("opens");
    platform.create_agency("northwind").expect("creates");
    cut(&database);
}
