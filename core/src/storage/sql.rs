//! The statements that follow from the schema, for the backends that speak SQL.

mod conditions;
mod dialect;

use std::collections::BTreeMap;

pub(crate) use conditions::Conditions;
pub(crate) use dialect::{Dialect, Terms};

use super::Prunable;
use super::schema::{self, Column, Kind, TABLES, Table, Value};

/// The statements of one table. Parameters are numbered in the order of columns, or of the key.
#[derive(Debug)]
pub(crate) struct Statements {
    /// `SELECT … WHERE key`.
    pub get: String,
    /// `INSERT … ON CONFLICT DO NOTHING`.
    pub insert: String,
    /// `INSERT … ON CONFLICT (key) DO UPDATE`.
    pub put: String,
    /// `UPDATE … WHERE key`, with every column as a parameter.
    pub update: String,
    /// `DELETE … WHERE key`.
    pub delete: String,
    /// `DELETE … WHERE agency`, of a table that has one.
    pub erase: String,
}

/// Every table's statements, by the table's name; built once per backend.
pub(crate) fn statements(dialect: Dialect) -> BTreeMap<&'static str, Statements> {
    TABLES.iter().map(|table| (table.name, Statements::of(table, dialect))).collect()
}

/// Removes rows that are no longer needed, and the parameters behind the agency, which is the
/// first one.
pub(crate) fn prune(what: Prunable, max: u32, dialect: Dialect) -> (String, Vec<(Kind, Value)>) {
    let (table, of_agency) = match what {
        Prunable::Events(_) => (&schema::EVENTS, "agency ="),
        Prunable::IdempotencyKeys(_) => (&schema::IDEMPOTENCY, "agency ="),
        Prunable::Changes(_) => (&schema::CHANGES, "agency ="),
        // Those of every agency.
        Prunable::Labels(_) => (&schema::LABELS, "'' <"),
        Prunable::Attempts(_) => (&schema::ATTEMPTS, "agency ="),
    };
    let Conditions { sql, params, .. } = Conditions::of_prunable(what, max, dialect);
    let Dialect { prefix, parameter, .. } = dialect;
    let (table, key) = (format!("{prefix}{}", table.name), table.key.join(", "));
    let due = format!("SELECT {key} FROM {table} WHERE {of_agency} {parameter}1{sql}");
    (format!("DELETE FROM {table} WHERE ({key}) IN ({due})"), params)
}

/// The columns of a table, as a statement lists them.
pub(crate) fn columns(table: &Table) -> String {
    joined(table.columns.iter().map(|column| column.name.to_owned()), ", ")
}

impl Statements {
    fn of(table: &Table, dialect: Dialect) -> Self {
        let Dialect { prefix, parameter, .. } = dialect;
        let (name, columns) = (table.name, columns(table));
        let values = joined((1..=table.columns.len()).map(|n| format!("{parameter}{n}")), ", ");
        let by_key = joined(
            table.key.iter().zip(1..).map(|(column, n)| format!("{column} = {parameter}{n}")),
            " AND ",
        );
        let insert =
            format!("INSERT INTO {prefix}{name} ({columns}) VALUES ({values}) ON CONFLICT");
        Self {
            get: format!("SELECT {columns} FROM {prefix}{name} WHERE {by_key}"),
            insert: format!("{insert} DO NOTHING"),
            put: format!("{insert} ({}) DO UPDATE SET {}", table.key.join(", "), excluded(table)),
            update: update(table, dialect),
            delete: format!("DELETE FROM {prefix}{name} WHERE {by_key}"),
            erase: format!("DELETE FROM {prefix}{name} WHERE agency = {parameter}1"),
        }
    }
}

fn update(table: &Table, Dialect { prefix, parameter, .. }: Dialect) -> String {
    let (key, rest): (Vec<_>, Vec<_>) =
        table.columns.iter().zip(1..).partition(|(column, _)| table.key.contains(&column.name));
    let assign = |pairs: Vec<(&Column, i32)>, separator| {
        let equal = pairs.into_iter().map(|(c, n)| format!("{} = {parameter}{n}", c.name));
        joined(equal, separator)
    };
    let name = table.name;
    format!("UPDATE {prefix}{name} SET {} WHERE {}", assign(rest, ", "), assign(key, " AND "))
}

fn excluded(table: &Table) -> String {
    let rest = table.columns.iter().filter(|column| !table.key.contains(&column.name));
    joined(rest.map(|column| format!("{0} = excluded.{0}", column.name)), ", ")
}

fn joined(parts: impl Iterator<Item = String>, separator: &str) -> String {
    parts.collect::<Vec<_>>().join(separator)
}
