//! Does on one server what a distributed server does to the tables: every table is cut into
//! partitions by its home column. The distributed engine is in no package, and this finds most of
//! what it refuses.

use std::fmt::Write;

use partnerkit::schema::{Home, TABLES, Table};

use crate::postgres::Database;

/// The number of partitions of each table.
const PARTITIONS: u32 = 4;

/// The query for the definitions of all indexes and constraints of a table.
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
/// The query for columns whose statistics the server must collect in more detail than by default.
const STATISTICS: &str = "\
    SELECT format('ALTER TABLE %s ALTER COLUMN %I SET STATISTICS %s', attrelid::regclass, attname, \
    attstattarget) FROM pg_attribute \
    WHERE attstattarget > 0 AND attnum > 0 AND attrelid = '{table}'::regclass";

/// Cuts every table of a migrated and empty database. Open stores use the new tables from their
/// next statement on.
///
/// # Panics
/// If a table has rows, or something that a partitioned table cannot have.
pub fn cut(database: &Database) {
    let tables: Vec<_> =
        TABLES.iter().filter_map(|table| Some((*table, home_column(table)?))).collect();
    let mut sql = String::new();
    // First all indexes and keys are made again, then the foreign keys that refer to them.
    for (table, column) in &tables {
        sql += &cut_table(database, table, column);
    }
    for (table, _) in &tables {
        sql += &definitions(database, table, REFERENCES);
    }
    database.run(&format!("BEGIN; {sql} COMMIT"));
}

/// The column by which the rows of a table are distributed.
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

/// The statements that make again the objects of a table that a query finds.
fn definitions(database: &Database, table: &Table, query: &str) -> String {
    let query = query.replace("{table}", &format!("partnerkit.{}", table.name));
    let found = database.run(&query);
    found.iter().map(|statement| format!("{statement}; ")).collect()
}
