//! Partitioned tables have everything that they had before. Runs on the server that
//! `tests/with-postgres` starts.
#![cfg(all(feature = "postgres-server", not(feature = "citus-server")))]

use std::sync::Arc;

use partnerkit::schema::{Row, TABLES, Value};
use partnerkit::storage::postgres::Postgres;
use partnerkit::storage::{Answer, Inserted, Lock, Scope, Storage};
use partnerkit::{Platform, Result};
use partnerkit_tests::partitions::{cut, home_column};
use partnerkit_tests::postgres::Database;
use partnerkit_tests::proxy::Proxy;
use partnerkit_tests::rows::{ask, get, insert, rows, table};

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
    // Objects of kinds that the schema does not have so far.
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
    let platform = Platform::open(&database.url).expect("opens");
    platform.create_agency("northwind", None).expect("creates");
    cut(&database);
}

/// The number of statements on labels that a proxy has recorded.
fn on_labels(wire: &Proxy) -> usize {
    let heard = wire.heard();
    heard.iter().flatten().filter(|sent| sent.sql.contains("partnerkit.labels")).count()
}

/// A batch of labels does not take one statement for each, which took five sixths of its time on a
/// cluster.
#[test]
fn many_labels_are_claimed_together_and_looked_up_together() {
    let database = Database::create();
    drop(Postgres::open(&database.url).expect("makes the tables"));
    cut(&database);
    let (wire, url) = database.on_a_wire();
    let store = Arc::new(Postgres::open(&url).expect("opens"));
    let platform = Platform::builder().open_storage(store.clone()).expect("opens");
    let northwind = platform.create_agency("northwind", None).expect("creates");
    let labels = table("labels");
    let row = |label: &str, until: i64| -> Row {
        vec![label.into(), "northwind".into(), Value::Null, Value::Integer(until)]
    };
    let claim = |names: &[&str], until: i64| {
        let (mut inserted, before) = (Vec::new(), on_labels(&wire));
        let new: Vec<_> = names.iter().map(|name| row(name, until)).collect();
        let claimed: Result<()> = store.write(northwind.id(), Scope::Own, &mut |tx| {
            let answer = ask(tx, vec![insert(labels, new.clone(), Some(Lock::Update))])?.remove(0);
            let Answer::Inserted(outcomes) = answer else { panic!("{answer:?}") };
            inserted = outcomes;
            Ok(())
        });
        claimed.expect("claims");
        (inserted, on_labels(&wire) - before)
    };
    let (a, b, c, d) = ("a", "b", "c", "d");
    let done = || Inserted::Done;
    assert_eq!(claim(&[a, b, d], 1), (vec![done(), done(), done()], 1));
    // Existing labels are locked by one statement each.
    let there = |label| Inserted::Existing(row(label, 1));
    assert_eq!(claim(&[a, b, c, d], 2), (vec![there(a), there(b), done(), there(d)], 1 + 3));

    let (mut found, before) = (Vec::new(), on_labels(&wire));
    let keys = |names: &[&str]| names.iter().map(|name| vec![(*name).into()]).collect();
    let read: Result<()> = store.read(northwind.id(), &mut |reads| {
        found = rows(ask(reads, vec![get(labels, keys(&[d, "x", c, d, a]))])?.remove(0));
        Ok(())
    });
    read.expect("reads");
    let there = |label, until| Some(row(label, until));
    assert_eq!(found, [there(d, 1), None, there(c, 2), there(d, 1), there(a, 1)]);
    assert_eq!(on_labels(&wire) - before, 1);
}
