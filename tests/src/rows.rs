//! Rows of a store, asked for without the core.

use partnerkit::Result;
use partnerkit::storage::schema::{Row, TABLES, Table, Value};
use partnerkit::storage::{Answer, Ask, Get, Insertion, Lock, Rows, Scan};

/// A table of the schema.
///
/// # Panics
/// When there is none of this name.
pub fn table(name: &str) -> &'static Table {
    TABLES.iter().find(|table| table.name == name).expect("a table")
}

/// A row of the agency `northwind`, or a key.
pub fn of_northwind(rest: impl IntoIterator<Item = Value>) -> Row {
    std::iter::once("northwind".into()).chain(rest).collect()
}

/// The answers to questions.
pub fn ask(rows: &mut dyn Rows, questions: Vec<Ask>) -> Result<Vec<Answer>> {
    let mut answers = Vec::new();
    rows.ask(questions, &mut answers).map(|()| answers)
}

/// Asks for rows by their primary keys.
pub fn get(table: &'static Table, keys: Vec<Row>) -> Ask {
    Ask::Get(Get { table, by: table.key, keys, lock: None })
}

/// Inserts rows, and locks those that are there already if it is told how.
pub fn insert(table: &'static Table, rows: Vec<Row>, lock: Option<Lock>) -> Ask {
    Ask::Insert(Insertion { table, rows, lock })
}

/// Locks the agency as every transaction does.
pub fn hold() -> Ask {
    let columns = &["agency", "closed_at"];
    let open = Scan::all(table("agencies"), columns, of_northwind([Value::Null]), 1);
    Ask::Scan(Scan { lock: Some(Lock::KeyShare), ..open })
}

/// The rows that were asked for by their keys.
///
/// # Panics
/// When that is not what was asked.
pub fn rows(answer: Answer) -> Vec<Option<Row>> {
    let Answer::Rows(rows) = answer else { panic!("{answer:?}") };
    rows
}
