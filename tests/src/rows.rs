//! Rows of a store, for tests that use one without the core.

use partnerkit::storage::schema::{RESELLERS, Row, TOTALS, Table, Value};
use partnerkit::storage::{Answer, Ask, Batch, Get, Inserted, Insertion, Rows, Storage, Tell};
use partnerkit::{AgencyId, Reseller, Result};

/// The answer to one question.
///
/// # Errors
/// Whatever the store says.
///
/// # Panics
/// If there is no answer.
pub fn ask(rows: &mut dyn Rows, question: Ask) -> Result<Answer> {
    let mut answers = Vec::new();
    rows.ask(vec![question], &mut answers)?;
    Ok(answers.pop().expect("an answer"))
}

/// The row with a key, as it is committed.
///
/// # Panics
/// If the store cannot be read.
pub fn committed(
    storage: &dyn Storage,
    agency: &AgencyId,
    table: &'static Table,
    key: &Row,
) -> Option<Row> {
    let mut found = None;
    let mut read = |rows: &mut dyn Rows| {
        let get = Get { table, by: table.key, keys: vec![key.clone()], lock: None };
        found = Some(ask(rows, Ask::Get(get))?);
        Ok(())
    };
    storage.read(agency, &mut read).expect("reads");
    let Some(Answer::Rows(rows)) = found else { panic!("another answer") };
    rows.into_iter().next().flatten()
}

/// Inserts a row.
///
/// # Errors
/// Whatever the store says.
///
/// # Panics
/// If the answer is another question's.
pub fn insert(rows: &mut dyn Rows, table: &'static Table, row: Row) -> Result<Inserted> {
    let insertion = Insertion { table, rows: vec![row], lock: None };
    match ask(rows, Ask::Insert(insertion))? {
        Answer::Inserted(mut inserted) => Ok(inserted.pop().expect("an answer")),
        other => panic!("{other:?}"),
    }
}

/// Updates rows; whether each was.
///
/// # Errors
/// Whatever the store says.
///
/// # Panics
/// If the answer is another question's.
pub fn update(rows: &mut dyn Rows, table: &'static Table, new: Vec<Row>) -> Result<Vec<bool>> {
    match ask(rows, Ask::Update(Batch { table, rows: new }))? {
        Answer::Updated(updated) => Ok(updated),
        other => panic!("{other:?}"),
    }
}

/// Adds to one of an agency's totals.
///
/// # Errors
/// Whatever the store says.
pub fn add(rows: &mut dyn Rows, agency: &AgencyId, name: &str, add: i64) -> Result<()> {
    let row = vec![agency.as_str().into(), name.into(), add.into()];
    rows.tell(vec![Tell::Add(Batch { table: &TOTALS, rows: vec![row] })])
}

/// A reseller's row with some other values, and with what follows from them.
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

/// A reseller's row, as it is committed.
///
/// # Panics
/// If there is none.
pub fn row_of(storage: &dyn Storage, reseller: &Reseller) -> Row {
    let key = vec![reseller.agency.as_str().into(), Value::Uuid(reseller.id.as_uuid())];
    committed(storage, &reseller.agency, &RESELLERS, &key).expect("there")
}
