//! Rollups of the second version of the schema, and the rows that a migration makes of them: see
//! `data/rollups.tsv`. Every store is given the same ones.

use partnerkit::schema::{Kind, TABLES};

const ROWS: &str = include_str!("../data/rollups.tsv");
/// The tables that have what was in rollups.
const NEW: [&str; 3] = ["counter_days", "gauge_days", "agency_slots"];

/// How a store writes tables and values.
pub struct Dialect {
    /// What comes before the name of a table.
    pub prefix: &'static str,
    /// What a row has of the agency `northwind`.
    pub agency: &'static str,
    /// Bytes, or a UUID, that have these hexadecimal digits.
    pub literal: fn(&str, Kind) -> String,
    /// The hexadecimal digits of a column of this kind.
    pub digits: fn(&str, Kind) -> String,
}

impl Dialect {
    /// Stores the rollups in a database of the second version.
    pub fn insert(&self) -> String {
        let insert = |row: Vec<&str>| {
            let [day, reseller, metric, sum, events, slots] = row[..] else { panic!("{row:?}") };
            let reseller = (self.literal)(reseller, Kind::Uuid);
            let slots = (self.literal)(slots, Kind::Bytes);
            let agency = self.agency;
            format!(
                "INSERT INTO {}rollups SELECT {agency}, {day}, {reseller}, '{metric}', {sum}, \
                 {events}, {slots};",
                self.prefix
            )
        };
        rows("rollups").map(insert).collect()
    }

    /// Checks that the new tables have these rollups and nothing else. `read` returns the first
    /// column of each row.
    pub fn check(&self, read: impl Fn(&str) -> Vec<String>) {
        for name in NEW {
            let mut found = read(&self.select(name));
            let mut expected: Vec<_> = rows(name).map(|row| row.join(" ")).collect();
            found.sort();
            expected.sort();
            assert_eq!(found, expected, "{name}");
        }
    }

    fn select(&self, name: &str) -> String {
        let table = TABLES.iter().find(|table| table.name == name).expect("a table");
        let columns = table.columns.iter().filter(|column| column.name != "agency");
        let texts = columns.map(|column| match column.kind {
            Kind::Bytes | Kind::Uuid => (self.digits)(column.name, column.kind),
            _ => column.name.to_owned(),
        });
        let texts: Vec<_> = texts.collect();
        format!("SELECT concat_ws(' ', {}) FROM {}{name}", texts.join(", "), self.prefix)
    }
}

/// The rows of a table, without the agency.
fn rows(table: &str) -> impl Iterator<Item = Vec<&'static str>> {
    let lines = ROWS.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    lines.filter(move |row| row[0] == table).map(|row| row[1..].to_vec())
}
