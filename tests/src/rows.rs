//! Access to the rows of a store without the core.

use partnerkit::schema::{RESELLERS, Row, TABLES, Table, Value};
use partnerkit::storage::{
    Answer, Ask, Batch, Get, Inserted, Insertion, Lock, Rows, Scan, Storage,
};
use partnerkit::{AgencyId, Reseller, Result};

/// A table of the schema.
///
/// # Panics
/// If there is no table with this name.
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

/// Inserts rows, and locks existing ones if a lock is given.
pub fn insert(table: &'static Table, rows: Vec<Row>, lock: Option<Lock>) -> Ask {
    Ask::Insert(Insertion { table, rows, lock })
}

/// Locks the agency as every transaction does.
pub fn hold() -> Ask {
    let columns = &["agency", "closed_at"];
    let open = Scan::all(table("agencies"), columns, of_northwind([Value::Null]), 1);
    Ask::Scan(Scan { lock: Some(Lock::KeyShare), ..open })
}

/// The rows in an answer to a query by keys.
///
/// # Panics
/// If the answer is of another kind.
pub fn rows(answer: Answer) -> Vec<Option<Row>> {
    let Answer::Rows(rows) = answer else { panic!("{answer:?}") };
    rows
}

/// Inserts one row at once.
///
/// # Panics
/// If the store's answer is of another kind.
pub fn insert_one(rows: &mut dyn Rows, table: &'static Table, row: Row) -> Result<Inserted> {
    let answer = ask(rows, vec![insert(table, vec![row], None)])?.pop();
    let Some(Answer::Inserted(mut inserted)) = answer else { panic!("{answer:?}") };
    Ok(inserted.remove(0))
}

/// Updates rows at once, and returns for each whether it was stored.
///
/// # Panics
/// If the store's answer is of another kind.
pub fn update(rows: &mut dyn Rows, table: &'static Table, new: Vec<Row>) -> Result<Vec<bool>> {
    let answer = ask(rows, vec![Ask::Update(Batch { table, rows: new })])?.pop();
    let Some(Answer::Updated(updated)) = answer else { panic!("{answer:?}") };
    Ok(updated)
}

/// The committed row with a key.
///
/// # Panics
/// If the store cannot be read.
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

/// A reseller's committed row.
///
/// # Panics
/// If there is none.
pub fn row_of(storage: &dyn Storage, reseller: &Reseller) -> Row {
    let key = vec![reseller.agency.as_str().into(), Value::Uuid(reseller.id.as_uuid())];
    committed(storage, &RESELLERS, key).expect("there")
}

/// A reseller's row with some changed values, and with the derived columns updated.
///
/// # Panics
/// If the row is of another table.
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
