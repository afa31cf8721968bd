//! The statements that create the tables in each database, from the declarations. Migrations are
//! written by hand; tests compare their result with this.

use std::fmt::Write;

use super::{Column, Kind, TABLES, Table};

/// The dialect of a database.
struct Ddl<'s> {
    /// The prefix of the names of tables.
    prefix: &'s str,
    kind: fn(&Table, &Column) -> &'static str,
    /// The column by which rows of an agency refer to it.
    agency: &'static str,
    /// An additional first column of the table of agencies.
    number: &'static str,
    /// The options after a table's definition.
    options: &'static str,
}

/// The statements for SQLite, where an agency's rows have its number instead of its id.
pub fn sqlite() -> String {
    Ddl {
        prefix: "",
        kind: |table, column| match column.kind {
            _ if table.of_agency() && column.name == "agency" => "INTEGER",
            Kind::Integer => "INTEGER",
            Kind::Text => "TEXT",
            Kind::Bytes | Kind::Uuid => "BLOB",
        },
        agency: "number",
        number: "number INTEGER NOT NULL UNIQUE, ",
        options: " STRICT",
    }
    .tables()
}

/// The statements for PostgreSQL, in a schema. Text is compared by code points.
pub fn postgres(schema: &str) -> String {
    Ddl {
        prefix: &format!("{schema}."),
        kind: |_, column| match column.kind {
            Kind::Integer => "bigint",
            Kind::Text => "text COLLATE \"C\"",
            Kind::Bytes => "bytea",
            Kind::Uuid => "uuid",
        },
        agency: "agency",
        number: "",
        options: "",
    }
    .tables()
}

impl Ddl<'_> {
    fn tables(&self) -> String {
        TABLES.iter().map(|table| self.table(table) + &self.indexes(table)).collect()
    }

    fn table(&self, table: &Table) -> String {
        let (name, prefix, key) = (table.name, self.prefix, table.key.join(", "));
        let number = if name == "agencies" { self.number } else { "" };
        let mut sql = format!("CREATE TABLE {prefix}{name} ({number}");
        for column in table.columns {
            let null = if column.nullable { "" } else { " NOT NULL" };
            let kind = (self.kind)(table, column);
            write!(sql, "{} {kind}{null}, ", column.name).expect("a text takes more");
        }
        sql + &format!("PRIMARY KEY ({key}){}){};\n", self.foreign_key(table), self.options)
    }

    /// A foreign key to the parent, whose key is the beginning of this table's key.
    fn foreign_key(&self, table: &Table) -> String {
        let Some(parent) = table.parent.filter(|_| table.refers) else { return String::new() };
        let own = table.key[..parent.key.len()].join(", ");
        let of_parent =
            if parent.of_agency() { parent.key.join(", ") } else { self.agency.to_owned() };
        let (prefix, parent) = (self.prefix, parent.name);
        format!(", FOREIGN KEY ({own}) REFERENCES {prefix}{parent} ({of_parent})")
    }

    fn indexes(&self, table: &Table) -> String {
        let index = |index: &super::Index| {
            let (unique, columns) = (if index.unique { "UNIQUE " } else { "" }, index.columns);
            let (prefix, name) = (self.prefix, table.name);
            format!(
                "CREATE {unique}INDEX {name}_{} ON {prefix}{name} ({});\n",
                index.name,
                columns.join(", ")
            )
        };
        table.indexes.iter().map(index).collect()
    }
}
