//! Every statement of this backend. Those on many rows take one array for each column, so that
//! their text, and what the server has to parse, does not grow with the batch.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::codec::{Param, array_params, row_params};
use super::pipeline::Statement;
use crate::storage::schema::{AGENCIES, Kind, Row, TABLES, Table, Value};
use crate::storage::sql::{self, Dialect, Statements, Terms, columns, read_columns, statements};
use crate::storage::{Lock, Prunable};
use crate::values::AgencyId;

pub(super) const DIALECT: Dialect = Dialect {
    prefix: "partnerkit.",
    parameter: '$',
    agency: "$1",
    terms: Terms::Like,
    skip_locked: " FOR UPDATE SKIP LOCKED",
};

/// The statements of one table.
struct OfTable {
    one: Statements,
    insert_many: String,
    put_many: String,
    get_many: String,
}

static SQL: LazyLock<BTreeMap<&'static str, OfTable>> = LazyLock::new(|| {
    let mut one = statements(DIALECT);
    let of_table = |table: &&'static Table| {
        let one = one.remove(table.name)?;
        let (insert_many, put_many) = (insert_many(table), put_many(table));
        Some((table.name, OfTable { one, insert_many, put_many, get_many: get_many(table) }))
    };
    TABLES.iter().filter_map(of_table).collect()
});

/// Inserts a row unless its key or a unique index is taken.
pub(super) fn insert(table: &Table, row: Row) -> Statement {
    Statement::kept(&*SQL[table.name].one.insert, row_params(table, row))
}

/// Stores a row, whether it exists or not.
pub(super) fn put(table: &Table, row: Row) -> Statement {
    Statement::kept(&*SQL[table.name].one.put, row_params(table, row))
}

/// Stores a row that exists.
pub(super) fn update(table: &Table, row: Row) -> Statement {
    Statement::kept(&*SQL[table.name].one.update, row_params(table, row))
}

/// The row with this key.
pub(super) fn get(table: &Table, key: Row) -> Statement {
    Statement::kept(&*SQL[table.name].one.get, key_params(table, key))
}

/// The same, locked until the transaction ends.
pub(super) fn get_locked(table: &Table, key: Row, lock: Lock) -> Statement {
    let sql = format!("{} FOR {}", SQL[table.name].one.get, strength(lock));
    Statement::kept(sql, key_params(table, key))
}

/// A lock, as a statement names it.
pub(super) fn strength(lock: Lock) -> &'static str {
    match lock {
        Lock::KeyShare => "KEY SHARE",
        Lock::Share => "SHARE",
        Lock::NoKeyUpdate => "NO KEY UPDATE",
        Lock::Update => "UPDATE",
    }
}

/// An agency that is open, locked or not. Nobody waits for one that is being erased.
pub(super) fn open_agency(agency: Param, lock: Option<Lock>) -> Statement {
    let lock = lock.map(|lock| format!(" FOR {}", strength(lock))).unwrap_or_default();
    let condition = "WHERE agency = $1 AND closed_at IS NULL";
    Statement::kept(format!("{} {condition}{lock}", select(&AGENCIES)), vec![agency])
}

/// Agencies in the order of their ids.
pub(super) fn agencies(after: Option<&AgencyId>, limit: u32) -> Statement {
    let after = after.map_or(Value::Null, |id| Value::Text(id.to_string()));
    let condition = "WHERE $1::text IS NULL OR agency > $1 ORDER BY agency LIMIT $2";
    let params = vec![Param::one(Kind::Text, after), Param::integer(limit.into())];
    Statement::once(format!("{} {condition}", select(&AGENCIES)), params)
}

/// Removes the row with this key.
pub(super) fn delete(table: &Table, key: Row) -> Statement {
    Statement::kept(&*SQL[table.name].one.delete, key_params(table, key))
}

/// Removes the first rows of an agency, in the order of the key: an index has them together.
pub(super) fn erase_rows(table: &Table, agency: Param, max: u32) -> Statement {
    let (name, key) = (table.name, table.key.join(", "));
    let of_agency = format!("FROM partnerkit.{name} WHERE agency = $1");
    let first = format!("SELECT ctid {of_agency} ORDER BY {key} LIMIT $2");
    let sql = format!("DELETE {of_agency} AND ctid = ANY(ARRAY({first}))");
    Statement::kept(sql, vec![agency, Param::integer(max.into())])
}

/// Removes rows that are no longer needed.
pub(super) fn prune(agency: Param, what: Prunable, max: u32) -> Statement {
    let (sql, params) = sql::prune(what, max, DIALECT);
    let params = std::iter::once(agency).chain(typed(params)).collect();
    Statement::once(sql, params)
}

/// Values with their types.
pub(super) fn typed(params: Vec<(Kind, Value)>) -> impl Iterator<Item = Param> {
    params.into_iter().map(|(kind, value)| Param::one(kind, value))
}

/// Inserts rows in their order, each unless its key or a unique index is taken.
pub(super) fn insert_all(table: &Table, rows: Vec<Row>, tail: &str) -> Statement {
    let params = array_params(table.columns.iter().map(|column| column.kind), rows);
    Statement::kept(format!("{}{tail}", SQL[table.name].insert_many), params)
}

/// Stores rows in their order, whether they exist or not.
pub(super) fn put_all(table: &Table, rows: Vec<Row>) -> Statement {
    let params = array_params(table.columns.iter().map(|column| column.kind), rows);
    Statement::kept(&*SQL[table.name].put_many, params)
}

/// The rows of an agency with these keys (without the agency), in their order, and behind each
/// row its place among the keys, from 1. Locks rows in that order if the tail says so.
pub(super) fn get_all(table: &Table, agency: Param, keys: Vec<Row>, tail: &str) -> Statement {
    let kinds = table.key[1..].iter().filter_map(|key| column_kind(table, key));
    let mut params = array_params(kinds, keys);
    params.insert(0, agency);
    Statement::once(format!("{}{tail}", SQL[table.name].get_many), params)
}

fn column_kind(table: &Table, name: &str) -> Option<Kind> {
    table.columns.iter().find(|column| column.name == name).map(|column| column.kind)
}

fn key_params(table: &Table, key: Row) -> Vec<Param> {
    let kinds = table.key.iter().filter_map(|key| column_kind(table, key));
    kinds.zip(key).map(|(kind, value)| Param::one(kind, value)).collect()
}

/// A `SELECT` of a table's columns, up to its conditions.
pub(super) fn select(table: &Table) -> String {
    format!("SELECT {} FROM partnerkit.{}", read_columns(table), table.name)
}

/// `$1, $2, …`
fn parameters(from: usize, n: usize) -> String {
    joined((from..from + n).map(|n| format!("${n}")), ", ")
}

fn insert_many(table: &Table) -> String {
    let (name, columns) = (table.name, columns(table));
    let arrays = parameters(1, table.columns.len());
    let rows = format!("SELECT * FROM unnest({arrays})");
    format!("INSERT INTO partnerkit.{name} ({columns}) {rows} ON CONFLICT DO NOTHING")
}

fn put_many(table: &Table) -> String {
    let rest = table.columns.iter().filter(|column| !table.key.contains(&column.name));
    let set = joined(rest.map(|column| format!("{0} = excluded.{0}", column.name)), ", ");
    let update = format!("({}) DO UPDATE SET {set}", table.key.join(", "));
    insert_many(table).replace("DO NOTHING", &update)
}

fn get_many(table: &Table) -> String {
    let (name, columns, keys) = (table.name, read_columns(table), &table.key[1..]);
    let arrays = parameters(2, keys.len());
    let wanted = joined((1..=keys.len()).map(|n| format!("key_{n}, ")), "");
    let equal = joined(keys.iter().zip(1..).map(|(key, n)| format!(" AND {key} = key_{n}")), "");
    if keys.is_empty() {
        return String::new(); // one row an agency, or a table that the agency does not lead
    }
    format!(
        "SELECT {columns}, place FROM unnest({arrays}) WITH ORDINALITY AS wanted ({wanted}place) \
         JOIN partnerkit.{name} ON agency = $1{equal} ORDER BY place"
    )
}

fn joined(parts: impl Iterator<Item = String>, separator: &str) -> String {
    parts.collect::<Vec<_>>().join(separator)
}

/// Takes labels that are free or whose quarantine is over, and returns them. A label that it
/// does not take it locks all the same.
pub(super) const CLAIM_LABELS: &str = "\
    INSERT INTO partnerkit.labels (label, agency, reseller, quarantined_until) \
    SELECT * FROM unnest($1, $2, $3, $4) \
    ON CONFLICT (label) DO UPDATE SET agency = excluded.agency, reseller = excluded.reseller, \
    quarantined_until = excluded.quarantined_until \
    WHERE labels.quarantined_until <= $5 RETURNING label";

/// Keeps an idempotency key that is free, or whose last use has expired, and returns it.
pub(super) const REMEMBER: &str = "\
    INSERT INTO partnerkit.idempotency \
    (agency, idempotency_key, fingerprint, reseller, version, created_at) \
    VALUES ($1, $2, $3, $4, $5, $6) \
    ON CONFLICT (agency, idempotency_key) DO UPDATE SET fingerprint = excluded.fingerprint, \
    reseller = excluded.reseller, version = excluded.version, created_at = excluded.created_at \
    WHERE idempotency.created_at <= $7 RETURNING agency";

/// Stores a label that the agency holds, or nobody.
pub(super) const PUT_LABEL: &str = "\
    INSERT INTO partnerkit.labels (label, agency, reseller, quarantined_until) \
    VALUES ($1, $2, $3, $4) \
    ON CONFLICT (label) DO UPDATE SET reseller = excluded.reseller, \
    quarantined_until = excluded.quarantined_until WHERE labels.agency = excluded.agency";

/// Adds to a total.
pub(super) const ADD_TOTAL: &str = "\
    INSERT INTO partnerkit.totals (agency, name, value) VALUES ($1, $2, $3) \
    ON CONFLICT (agency, name) DO UPDATE SET value = totals.value + excluded.value";

/// Totals by name.
pub(super) const TOTALS: &str =
    "SELECT name, value FROM partnerkit.totals WHERE agency = $1 AND name = ANY($2)";

/// Removes a reseller's meters.
pub(super) const DELETE_METERS: &str =
    "DELETE FROM partnerkit.meters WHERE agency = $1 AND reseller = $2";

/// Moves the first pending entries to the feed and numbers them on from the agency's newest.
/// All parts see the agency as it was before.
pub(super) const NUMBER_CHANGES: &str = "\
    WITH first AS (\
      SELECT agency, at, version, id FROM partnerkit.pending_changes \
      WHERE agency = $1 ORDER BY at, version, id LIMIT $2\
    ), moved AS (\
      DELETE FROM partnerkit.pending_changes AS p USING first AS f \
      WHERE p.agency = $1 AND (p.agency, p.at, p.version, p.id) = (f.agency, f.at, f.version, f.id) \
      RETURNING p.at, p.version, p.id, p.kind, p.reseller, p.actor, p.fields\
    ), numbered AS (\
      INSERT INTO partnerkit.changes \
      (agency, sequence, at, version, id, kind, reseller, actor, fields) \
      SELECT a.agency, a.numbered + row_number() OVER (ORDER BY m.at, m.version, m.id), \
      m.at, m.version, m.id, m.kind, m.reseller, m.actor, m.fields \
      FROM moved AS m JOIN partnerkit.agencies AS a ON a.agency = $1 RETURNING sequence\
    ) \
    UPDATE partnerkit.agencies SET numbered = n.newest \
    FROM (SELECT max(sequence) AS newest, count(*) AS n FROM numbered) AS n \
    WHERE agency = $1 AND n.n > 0 RETURNING n.n";
