//! The statements that follow from the schema, for the backends that speak SQL.

mod conditions;
mod dialect;

use std::collections::BTreeMap;

pub(crate) use conditions::Conditions;
pub(crate) use dialect::{Dialect, Terms};

use crate::schema::{Column, TABLES, Table};

/// The statements of one table. Parameters are numbered in the order of columns, or of the key.
#[derive(Debug)]
pub(crate) struct Statements {
    /// `SELECT …`, of every row.
    pub select: String,
    /// `SELECT … WHERE key`, by the columns of the primary key or of a unique index.
    pub get: BTreeMap<&'static [&'static str], String>,
    /// `SELECT 1 … WHERE key`, by the same columns.
    pub exists: BTreeMap<&'static [&'static str], String>,
    /// `INSERT … ON CONFLICT DO NOTHING`.
    pub insert: String,
    /// `INSERT … ON CONFLICT (key) DO UPDATE`, or `REPLACE` where the dialect has it.
    pub put: String,
    /// `INSERT … ON CONFLICT (key) DO UPDATE`, which adds to the columns that are not in the key.
    pub add: String,
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

/// The columns for a statement that reads records: derived columns are selected as null.
pub(crate) fn read_columns(table: &Table) -> String {
    let name = |column: &Column| if column.derived { "NULL" } else { column.name }.to_owned();
    joined(table.columns.iter().map(name), ", ")
}

impl Statements {
    fn of(table: &Table, dialect: Dialect) -> Self {
        let (prefix, name, columns) = (dialect.prefix, table.name, columns(table));
        let numbered: Vec<(&str, String)> =
            table.columns.iter().zip(1..).map(parameter(table, dialect)).collect();
        let values = joined(numbered.iter().map(|(_, parameter)| parameter.clone()), ", ");
        let insert =
            format!("INSERT INTO {prefix}{name} ({columns}) VALUES ({values}) ON CONFLICT");
        let (key, by_key) = (table.key.join(", "), by(table, table.key, dialect));
        let select = format!("SELECT {} FROM {prefix}{name}", read_columns(table));
        let unique = table.indexes.iter().filter(|index| index.unique).map(|index| index.columns);
        let keys: Vec<_> = unique.chain([table.key]).collect();
        let by_keys = |select: &str| {
            let get = |columns| format!("{select} WHERE {}", by(table, columns, dialect));
            keys.iter().map(|columns| (*columns, get(columns))).collect()
        };
        Self {
            get: by_keys(&select),
            exists: by_keys(&format!("SELECT 1 FROM {prefix}{name}")),
            insert: format!("{insert} DO NOTHING"),
            put: match dialect.replaces && stands_alone(table) {
                true => format!("REPLACE INTO {prefix}{name} ({columns}) VALUES ({values})"),
                false => format!("{insert} ({key}) DO UPDATE SET {}", excluded(table)),
            },
            add: format!("{insert} ({key}) DO UPDATE SET {}", added(table)),
            update: update(table, dialect, numbered),
            delete: format!("DELETE FROM {prefix}{name} WHERE {by_key}"),
            select,
        }
    }
}

/// Whether rows of a table are found by their key alone: it has no further index, and no foreign key
/// begins or ends at it. SQLite replaces such a row by writing it, without a look at what is there.
fn stands_alone(table: &Table) -> bool {
    let refers_to_it = |other: &&Table| other.refers && other.parent == Some(table);
    table.indexes.is_empty() && !table.refers && !TABLES.iter().any(refers_to_it)
}

/// The condition that columns equal the first parameters.
fn by(table: &Table, columns: &[&str], dialect: Dialect) -> String {
    let known = columns.iter().map(|name| &table.columns[table.place(name)]);
    joined(known.zip(1..).map(parameter(table, dialect)).map(equal), " AND ")
}

/// The parameter for a column's value.
fn parameter<'c>(
    table: &Table,
    dialect: Dialect,
) -> impl Fn((&'c Column, usize)) -> (&'c str, String) {
    move |(column, n)| match column.name {
        "agency" if n == 1 => (column.name, dialect.agency(table)),
        name => (name, format!("{}{n}", dialect.parameter)),
    }
}

fn equal((column, parameter): (&str, String)) -> String {
    format!("{column} = {parameter}")
}

fn update(table: &Table, dialect: Dialect, parameters: Vec<(&str, String)>) -> String {
    let is_key = |(column, _): &(&str, String)| table.key.contains(column);
    let (key, rest): (Vec<_>, Vec<_>) = parameters.into_iter().partition(is_key);
    let (set, by_key) =
        (joined(rest.into_iter().map(equal), ", "), joined(key.into_iter().map(equal), " AND "));
    format!("UPDATE {}{} SET {set} WHERE {by_key}", dialect.prefix, table.name)
}

/// The assignments of an upsert, which replace a row by the one that was to be inserted.
pub(crate) fn excluded(table: &Table) -> String {
    let rest = table.columns.iter().filter(|column| !table.key.contains(&column.name));
    joined(rest.map(|column| format!("{0} = excluded.{0}", column.name)), ", ")
}

/// The assignments of an upsert, which add to the stored row the one that was to be inserted.
pub(crate) fn added(table: &Table) -> String {
    let rest = table.columns.iter().filter(|column| !table.key.contains(&column.name));
    let name = table.name;
    joined(rest.map(|column| format!("{0} = {name}.{0} + excluded.{0}", column.name)), ", ")
}

pub(crate) fn joined(parts: impl Iterator<Item = String>, separator: &str) -> String {
    parts.collect::<Vec<_>>().join(separator)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema;

    #[test]
    fn what_others_refer_to_or_an_index_knows_is_not_replaced() {
        let alone = |table| stands_alone(table);
        assert!([&schema::COUNTER_DAYS, &schema::GAUGE_DAYS].into_iter().all(alone));
        let known = [&schema::AGENCIES, &schema::RESELLERS, &schema::METERS, &schema::EVENTS];
        assert!(!known.into_iter().any(alone));
    }
}
