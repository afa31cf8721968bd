//! All statements on rows. Statements on many rows take one array for each column, so that their
//! text, which the server has to parse, does not grow with the batch.
//!
//! All of them also run on a database that is spread over several nodes: each has the agency as
//! parameter 1, and inserted values are selected from the agency's own row, so that the whole
//! statement goes to the agency's node. Rows that are not stored with their agency take a statement
//! each.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use super::codec::{Param, params, params_of_many};
use super::pipeline::Statement;
use super::spread::Spread;
use crate::schema::{Home, Kind, Row, TABLES, Table, Value};
use crate::storage::sql::{
    Conditions, Dialect, Statements, Terms, added, columns, excluded, joined, read_columns,
    statements,
};
use crate::storage::{Batch, Filter, Get, Keys, Lock, Scan};

pub(super) const DIALECT: Dialect = Dialect {
    prefix: "partnerkit.",
    parameter: '$',
    agency: "$1",
    terms: Terms::Like,
    replaces: false,
};

/// The texts of the statements on one table, made once.
struct OfTable {
    one: Statements,
    insert_many: String,
    put_many: String,
    add_many: String,
}

static SQL: LazyLock<BTreeMap<&'static str, OfTable>> = LazyLock::new(|| {
    let mut one = statements(DIALECT);
    let of_table = |table: &&'static Table| {
        let insert = insert_many(table);
        let (key, own_key) = (table.key.join(", "), own(table.key).join(", "));
        let put_many = format!("{insert} ({key}) DO UPDATE SET {}", excluded(table));
        let add_many = format!("{insert} ({key}) DO UPDATE SET {}", added(table));
        let insert_many = format!("{insert} DO NOTHING RETURNING {own_key}");
        let one = one.remove(table.name)?;
        Some((table.name, OfTable { one, insert_many, put_many, add_many }))
    };
    TABLES.iter().filter_map(of_table).collect()
});

impl Spread {
    /// Whether rows of a table may each be on another node.
    pub fn is_scattered(self, table: &Table) -> bool {
        self.0 && matches!(table.home, Home::Column(_))
    }

    /// Whether many scattered rows of a table are inserted by one statement, because most often
    /// none of them exists. This is so for labels. Attempts are few and most often exist, so each
    /// is inserted or locked by its own statements.
    pub fn inserts_scattered(self, table: &Table) -> bool {
        self.0 && matches!(table.home, Home::Column(column) if table.key == [column])
    }

    /// Whether `rows` rows of a table take a statement each.
    pub fn one_by_one(self, table: &Table, rows: usize) -> bool {
        rows <= 1 || table.key == ["agency"] || self.is_scattered(table)
    }

    /// Reads rows by key: one statement for each, or one for all, whose answer has after each row
    /// the place of its key, counted from 1. Locks the rows in the order of the keys.
    pub fn get(self, Get { table, by, keys, lock }: Get) -> Vec<Statement> {
        let lock_one = lock.map(locking).unwrap_or_default();
        if self.one_by_one(table, keys.len()) {
            let sql = SQL[table.name].one.get[by].clone() + &lock_one;
            return keys.into_iter().map(|key| of_row(table, by, sql.clone(), key)).collect();
        }
        let columns = read_columns(table) + ", place";
        vec![many(&columns, Get { table, by, keys, lock })]
    }

    /// Finds rows without reading them, and locks them like [`get`](Self::get): one statement for
    /// each, or one for all, whose answer has the places of the keys.
    pub fn exist(self, Get { table, by, keys, lock }: Get) -> Vec<Statement> {
        let lock_one = lock.map(locking).unwrap_or_default();
        if self.one_by_one(table, keys.len()) {
            let sql = SQL[table.name].one.exists[by].clone() + &lock_one;
            return keys.into_iter().map(|key| of_row(table, by, sql.clone(), key)).collect();
        }
        vec![many("place", Get { table, by, keys, lock })]
    }

    /// Stores rows, whether they exist or not.
    pub fn put(self, Batch { table, rows }: Batch) -> Vec<Statement> {
        let (columns, sql) = (names(table), &SQL[table.name]);
        if self.one_by_one(table, rows.len()) {
            let put = |row| of_row(table, &columns, &*sql.one.put, row);
            return rows.into_iter().map(put).collect();
        }
        vec![Statement::kept(&*sql.put_many, params_of_many(table, &columns, rows))]
    }

    /// Removes rows by key.
    pub fn delete(self, Keys { table, keys }: Keys) -> Vec<Statement> {
        if self.one_by_one(table, keys.len()) {
            let delete = |key| of_row(table, table.key, &*SQL[table.name].one.delete, key);
            return keys.into_iter().map(delete).collect();
        }
        let (wanted, equal) = wanted(table, table.key);
        let sql = format!("DELETE FROM partnerkit.{} USING {wanted} WHERE {equal}", table.name);
        vec![Statement::once(sql, params_of_many(table, table.key, keys))]
    }
}

/// Selects columns of many rows, and locks the rows in the order of the keys.
fn many(columns: &str, Get { table, by, keys, lock }: Get) -> Statement {
    let (name, (wanted, equal)) = (table.name, wanted(table, by));
    let from = format!("{wanted} JOIN partnerkit.{name} ON {equal}");
    let lock = lock.map(|lock| format!("{} OF {name}", locking(lock))).unwrap_or_default();
    let sql = format!("SELECT {columns} FROM {from} ORDER BY place{lock}");
    Statement::once(sql, params_of_many(table, by, keys))
}

/// Inserts a row unless its key or a unique index is taken.
pub(super) fn insert(table: &Table, row: Row) -> Statement {
    of_row(table, &names(table), &*SQL[table.name].one.insert, row)
}

/// Inserts rows in their order, each unless its key or a unique index is taken. It returns the keys
/// of the inserted rows, without the agency.
pub(super) fn insert_all(table: &Table, rows: Vec<Row>) -> Statement {
    Statement::kept(&*SQL[table.name].insert_many, params_of_many(table, &names(table), rows))
}

/// Inserts scattered rows like [`insert_all`], up to 65,535 values. Citus inserts them in the order
/// of shards, so two statements on the same rows never deadlock.
pub(super) fn insert_scattered(table: &Table, rows: Vec<Row>) -> Statement {
    let (names, own_key) = (names(table), own(table.key).join(", "));
    let row = |first: usize| {
        let parameters = (first..first + names.len()).map(|n| format!("${n}"));
        format!("({})", joined(parameters, ", "))
    };
    let values = joined((0..rows.len()).map(|n| row(1 + n * names.len())), ", ");
    let sql = format!(
        "INSERT INTO partnerkit.{} ({}) VALUES {values} ON CONFLICT DO NOTHING RETURNING {own_key}",
        table.name,
        columns(table)
    );
    Statement::once(sql, rows.into_iter().flat_map(|row| params(table, &names, row)).collect())
}

/// Finds the existing ones of many scattered rows, in any order. They are not locked, because no
/// statement can lock rows on several nodes.
pub(super) fn find_scattered(table: &Table, keys: Vec<Row>) -> Statement {
    let (own_key, keys_of_all) = (own(table.key).join(", "), arrays(table, table.key));
    let agency = if own(table.key) == table.key { "" } else { "agency = $1 AND " };
    let sql = format!("{} WHERE {agency}{own_key} = ANY({keys_of_all})", select(table));
    Statement::once(sql, params_of_many(table, table.key, keys))
}

/// Stores an existing row, unless a value of a unique index is taken.
pub(super) fn update(table: &Table, row: Row) -> Statement {
    let sql = Cow::Borrowed(&*SQL[table.name].one.update);
    Statement::Attempt(sql, params(table, &names(table), row))
}

/// Adds rows to those that are stored under their keys: by one statement, if no two rows have one
/// key, because one statement cannot change a row twice.
pub(super) fn add(Batch { table, rows }: Batch) -> Vec<Statement> {
    let (columns, sql) = (names(table), &SQL[table.name]);
    let keys: BTreeSet<Row> = rows.iter().map(|row| table.key_of(row)).collect();
    if rows.len() > 1 && keys.len() == rows.len() {
        return vec![Statement::kept(&*sql.add_many, params_of_many(table, &columns, rows))];
    }
    rows.into_iter().map(|row| of_row(table, &columns, &*sql.one.add, row)).collect()
}

/// The rows of a scan.
pub(super) fn scan(scan: &Scan) -> Statement {
    let Conditions { sql, params, .. } = Conditions::of_scan(scan, DIALECT);
    let lock = scan.lock.map(locking).unwrap_or_default();
    planned_for(scan, format!("{}{sql}{lock}", select(scan.table)), typed(params))
}

/// Finds a row without reading it.
pub(super) fn any(scan: &Scan) -> Statement {
    let Conditions { sql, params, .. } = Conditions::of_scan(scan, DIALECT);
    let sql = format!("SELECT 1 FROM partnerkit.{}{sql}", scan.table.name);
    planned_for(scan, sql, typed(params))
}

/// Locks and removes the rows of a scan. It skips rows that others have locked, and rows that they
/// have changed meanwhile, because those have another `ctid`. To find 1,000 rows again by their
/// `ctid` takes 1 ms, by their keys 2 to 30 ms.
pub(super) fn remove(scan: &Scan) -> Statement {
    let mut first = Conditions::of_scan(scan, DIALECT);
    let mut again = Conditions::of_range(scan, DIALECT);
    let (name, found) = (scan.table.name, std::mem::take(&mut first.sql));
    let these = format!("SELECT ctid FROM partnerkit.{name}{found} FOR UPDATE SKIP LOCKED");
    again.and(format_args!("ctid = ANY(ARRAY({these}))"));
    planned_for(scan, format!("DELETE FROM partnerkit.{name}{}", again.sql), typed(first.params))
}

/// A scan that is narrower than an agency has one good plan, by its index. A scan of an agency is
/// planned for its values: with a plan for an agency of average size, all rows of a large one would
/// be sorted.
fn planned_for(scan: &Scan, sql: String, params: Vec<Param>) -> Statement {
    let narrow = scan.equals.len() > 1 || scan.equals.len() == scan.table.key.len();
    if narrow { Statement::kept(sql, params) } else { Statement::once(sql, params) }
}

/// Counts the rows that a filter finds, up to `cap`.
pub(super) fn count(filter: &Filter, cap: u64) -> Statement {
    let mut conditions = Conditions::of_filter(filter, DIALECT);
    conditions.limit(i64::try_from(cap).unwrap_or(i64::MAX));
    let Conditions { sql, params, .. } = conditions;
    let found = format!("SELECT FROM partnerkit.resellers{sql}");
    Statement::once(format!("SELECT count(*) FROM ({found}) AS found"), typed(params))
}

/// The `SELECT` of a table's columns, without conditions.
pub(super) fn select(table: &Table) -> &'static str {
    &SQL[table.name].one.select
}

/// Values with their types.
pub(super) fn typed(params: Vec<(Kind, Value)>) -> Vec<Param> {
    params.into_iter().map(|(kind, value)| Param::one(kind, value)).collect()
}

/// The columns without the agency, if it comes first: all rows of a statement have the same agency.
pub(super) fn own<'c>(columns: &'c [&'static str]) -> &'c [&'static str] {
    if let ["agency", own @ ..] = columns { own } else { columns }
}

/// The columns of a table.
pub(super) fn names(table: &Table) -> Vec<&'static str> {
    table.columns.iter().map(|column| column.name).collect()
}

fn of_row(
    table: &Table,
    columns: &[&str],
    sql: impl Into<Cow<'static, str>>,
    row: Row,
) -> Statement {
    Statement::kept(sql, params(table, columns, row))
}

/// The array parameters with their types. The types are written out, because a node that forwards a
/// statement does not forward the types that the client has given.
fn arrays(table: &Table, columns: &[&'static str]) -> String {
    let own = own(columns);
    let array = |(column, n): (&&str, usize)| {
        let kind = match table.columns[table.place(column)].kind {
            Kind::Integer => "bigint",
            Kind::Text => "text",
            Kind::Bytes => "bytea",
            Kind::Uuid => "uuid",
        };
        format!("${n}::{kind}[]")
    };
    joined(own.iter().zip(1 + columns.len() - own.len()..).map(array), ", ")
}

/// An `INSERT` of many rows, up to the action of its `ON CONFLICT`. It joins only the one row of
/// the agency, so the order of the rows is kept.
fn insert_many(table: &Table) -> String {
    let (name, arrays) = (table.name, arrays(table, &names(table)));
    let rows = match table.columns {
        _ if table.of_agency() => format!(
            "SELECT a.agency, u.* FROM partnerkit.agencies AS a, unnest({arrays}) AS u \
             WHERE a.agency = $1"
        ),
        [first, ..] if first.name == "agency" => {
            format!("SELECT $1, u.* FROM unnest({arrays}) AS u")
        }
        _ => format!("SELECT u.* FROM unnest({arrays}) AS u"),
    };
    format!("INSERT INTO partnerkit.{name} ({}) {rows} ON CONFLICT", columns(table))
}

/// Many keys as an item of `FROM`, and the condition that a row has one of them.
fn wanted(table: &Table, by: &[&'static str]) -> (String, String) {
    let (arrays, own) = (arrays(table, by), own(by));
    let keys = joined((1..=own.len()).map(|n| format!("key_{n}")), ", ");
    let agency = (own.len() < by.len()).then(|| "agency = $1".to_owned());
    let equal = own.iter().zip(1..).map(|(column, n)| format!("{column} = key_{n}"));
    let wanted = format!("unnest({arrays}) WITH ORDINALITY AS wanted ({keys}, place)");
    (wanted, joined(agency.into_iter().chain(equal), " AND "))
}

/// The locking clause at the end of a statement.
fn locking(lock: Lock) -> String {
    let strength = match lock {
        Lock::KeyShare => "KEY SHARE",
        Lock::Share => "SHARE",
        Lock::NoKeyUpdate => "NO KEY UPDATE",
        Lock::Update => "UPDATE",
    };
    format!(" FOR {strength}")
}
