//! The statements that follow from the schema, for the backends that speak SQL.

use std::collections::BTreeMap;

use super::schema::{TABLES, Table};

/// How a database writes what the statements need.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dialect {
    /// What stands before a table's name: a schema and its dot, or nothing.
    pub prefix: &'static str,
    /// What stands before a parameter's number.
    pub parameter: char,
}

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
}

/// Every table's statements, by the table's name; built once per backend.
pub(crate) fn statements(dialect: Dialect) -> BTreeMap<&'static str, Statements> {
    TABLES.iter().map(|table| (table.name, Statements::of(table, dialect))).collect()
}

/// The columns of a table, as a statement lists them.
pub(crate) fn columns(table: &Table) -> String {
    joined(table.columns.iter().map(|column| column.name.to_owned()), ", ")
}

impl Statements {
    fn of(table: &Table, dialect: Dialect) -> Self {
        let Dialect { prefix, parameter } = dialect;
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
        }
    }
}

fn update(table: &Table, Dialect { prefix, parameter }: Dialect) -> String {
    let (key, rest): (Vec<_>, Vec<_>) =
        table.columns.iter().zip(1..).partition(|(column, _)| table.key.contains(&column.name));
    let assign = |pairs: Vec<(&super::schema::Column, i32)>, separator| {
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
