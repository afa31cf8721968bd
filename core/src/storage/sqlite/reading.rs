//! The questions of a read. Most reads ask whether the agency is open, and for one of its rows: one
//! statement answers both.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::rows::{NUMBER, Rows, read_row, statements_of};
use crate::error::Result;
use crate::schema::{AGENCIES, Row, TABLES, Table, Value};
use crate::storage::{self, Answer, Ask, Get, Scan, Tell};

/// The statements that get a row by key if its agency is open.
static OF_OPEN_AGENCY: LazyLock<BTreeMap<&'static str, String>> = LazyLock::new(|| {
    let number = "(SELECT number FROM agencies WHERE agency = ?1 AND closed_at IS NULL)";
    let of = |table: &Table| statements_of(table).get[table.key].replace(NUMBER, number);
    let of_agencies = TABLES.iter().filter(|table| table.of_agency());
    of_agencies.map(|table| (table.name, of(table))).collect()
});

pub(super) struct Reading<'c>(pub Rows<'c>);

impl storage::Rows for Reading<'_> {
    fn ask(&mut self, questions: Vec<Ask>, answers: &mut Vec<Answer>) -> Result<()> {
        match self.row_of_open_agency(&questions)? {
            Some(row) => answers.extend([Answer::Count(1), Answer::Rows(vec![Some(row)])]),
            None => self.0.ask(questions, answers)?,
        }
        Ok(())
    }

    fn tell(&mut self, writes: Vec<Tell>) -> Result<()> {
        self.0.tell(writes)
    }
}

impl Reading<'_> {
    /// The row that is asked for, if a read begins with these questions and finds it.
    fn row_of_open_agency(&self, questions: &[Ask]) -> Result<Option<Row>> {
        let [Ask::Any(open), Ask::Get(Get { table, by, keys, .. })] = questions else {
            return Ok(None);
        };
        let [key] = &keys[..] else { return Ok(None) };
        if *by != table.key || !table.of_agency() || !asks_for_open(open, key) {
            return Ok(None);
        }
        self.0.begin_with(&OF_OPEN_AGENCY[table.name], key, |row| read_row(table, key, row))
    }
}

/// Whether a scan asks if the agency of a key is open.
fn asks_for_open(Scan { table, columns, equals, .. }: &Scan, key: &Row) -> bool {
    table.name == AGENCIES.name
        && *columns == ["agency", "closed_at"]
        && matches!(&equals[..], [agency, Value::Null] if key.first() == Some(agency))
}
