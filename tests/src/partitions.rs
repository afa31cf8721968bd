//! What a distributed server does to the tables, on one server: every table is cut into partitions
//! by its home column. No package has the distributed engine; this finds most of what it refuses.

use std::fmt::Write;

use partnerkit::schema::{Home, TABLES, Table};

use crate::postgres::Database;

/// Into how many partitions each table is cut.
const PARTITIONS: u32 = 4;

/// What leads the definition of an index or a constraint, so that one query answers all of a table.
const KEYS: &str = "\
    SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, \
    pg_get_constraintdef(oid)) FROM pg_constraint \
    WHERE contype IN ('p', 'u') AND conrelid = '{table}'::regclass";
const INDEXES: &str = "\
    SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = '{table}'::regclass \
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype <> 'f')";
const REFERENCES: &str = "\
    SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, \
    pg_get_constraintdef(oid)) FROM pg_constraint \
    WHERE contype = 'f' AND conrelid = '{table}'::regclass";
/// The server looks at more of these columns than it would by itself.
const STATISTICS: &str = "\
    SELECT format('ALTER TABLE %s ALTER COLUMN %I SET STATISTICS %s', attrelid::regclass, attname, \
    attstattarget) FROM pg_attribute \
    WHERE attstattarget > 0 AND attnum > 0 AND attrelid = '{table}'::regclass";

/// Cuts every table of a database that has been migrated and is empty. Stores that are open meet
/// the new tables at their next statement.
///
/// # Panics
/// When a table has rows, or has something that a table in partitions cannot have.
pub fn cut(database: &Database) {
    let tables: Vec<_> =
        TABLES.iter().filter_map(|table| Some((*table, home_column(table)?))).collect();
    let mut sql = String::new();
    // First what is in nobody's way when it is made again, then what refers to it.
    for (table, column) in &tables {
        sql += &cut_table(database, table, column);
    }
    for (table, _) in &tables {
        sql += &definitions(database, table, REFERENCES);
    }
    database.run(&format!("BEGIN; {sql} COMMIT"));
}

/// The column by which the rows of a table are spread.
pub fn home_column(table: &Table) -> Option<&'static str> {
    match table.home {
        Home::Agency => Some("agency"),
        Home::Column(column) => Some(column),
        Home::Everywhere => None,
    }
}

fn cut_table(database: &Database, table: &Table, column: &str) -> String {
    let name = format!("partnerkit.{}", table.name);
    assert_eq!(database.run(&format!("SELECT count(*) FROM {name}")), ["0"], "{name}");
    let again =
        [KEYS, INDEXES, STATISTICS].map(|query| definitions(database, table, query)).concat();
    let mut sql = format!(
        "ALTER TABLE {name} RENAME TO whole; \
         CREATE TABLE {name} (LIKE partnerkit.whole INCLUDING ALL EXCLUDING INDEXES) \
         PARTITION BY HASH ({column}); \
         DROP TABLE partnerkit.whole CASCADE; "
    );
    for n in 0..PARTITIONS {
        write!(
            sql,
            "CREATE TABLE {name}_{n} PARTITION OF {name} \
             FOR VALUES WITH (MODULUS {PARTITIONS}, REMAINDER {n}); "
        )
        .expect("a text takes more");
    }
    sql + &again
}

/// The statements that make again what a query finds at a table.
fn definitions(database: &Database, table: &Table, query: &str) -> String {
    let query = query.replace("{table}", &format!("partnerkit.{}", table.name));
    let found = database.run(&query);
    found.iter().map(|statement| format!("{statement}; ")).collect()
}
