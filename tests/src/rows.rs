//! Rows of a store, asked for without the core.

use partnerkit::schema::{RESELLERS, Row, TABLES, Table, Value};
use partnerkit::storage::{
    Answer, Ask, Batch, Get, Inserted, Insertion, Lock, Rows, Scan, Storage,
};
use partnerkit::{AgencyId, Reseller, Result};

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

/// Inserts one row at once.
///
/// # Panics
/// When the store answers something else.
pub fn insert_one(rows: &mut dyn Rows, table: &'static Table, row: Row) -> Result<Inserted> {
    let answer = ask(rows, vec![insert(table, vec![row], None)])?.pop();
    let Some(Answer::Inserted(mut inserted)) = answer else { panic!("{answer:?}") };
    Ok(inserted.remove(0))
}

/// Updates rows at once, and says of each whether it is stored.
///
/// # Panics
/// When the store answers something else.
pub fn update(rows: &mut dyn Rows, table: &'static Table, new: Vec<Row>) -> Result<Vec<bool>> {
    let answer = ask(rows, vec![Ask::Update(Batch { table, rows: new })])?.pop();
    let Some(Answer::Updated(updated)) = answer else { panic!("{answer:?}") };
    Ok(updated)
}

/// The row with a key, as it is committed.
///
/// # Panics
/// When the store cannot be read.
pub fn committed(storage: &dyn Storage, table: &'static Table, key: Row) -> Option<Row> {
    let mut found = None;
    let anybody = AgencyId::parse("anybody").expect("an id");
    let mut read = |reads: &mut dyn Rows| {
        found = ask(reads, vec![get(table, vec![key.clone()])])?.pop();
        Ok(())
    };
    storage.read(&anybody, &mut read).expect("reads");
    rows(found.expect("an answer")).remove(0)
}

/// A reseller's row, as it is committed.
///
/// # Panics
/// When there is none.
pub fn row_of(storage: &dyn Storage, reseller: &Reseller) -> Row {
    let key = vec![reseller.agency.as_str().into(), Value::Uuid(reseller.id.as_uuid())];
    committed(storage, &RESELLERS, key).expect("there")
}

/// A reseller's row with some other values, and with what follows from them.
///
/// # Panics
/// When the row is another table's.
pub fn changed(row: &Row, values: &[(&str, Value)]) -> Row {
    let mut row = row.clone();
    for (column, value) in values {
        row[RESELLERS.place(column)] = value.clone();
    }
    let folded = |column| match &row[RESELLERS.place(column)] {
        Value::Text(text) => text.to_lowercase(),
        other => panic!("{other:?}"),
    };
    let (name, email) = (folded("name"), folded("email"));
    for (column, value) in [
        ("email_key", email.clone()),
        ("sort_name", name.clone()),
        ("sort_email", email.clone()),
        ("search_text", format!("{name} {email}")),
    ] {
        row[RESELLERS.place(column)] = value.into();
    }
    row
}
