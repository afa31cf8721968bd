//! Keeping the search index up to date when rows are inserted, changed and removed.

use super::failure::storage_error;
use super::rows::{NUMBER, Rows, Store, bound};
use super::words::{IndexChange, Indexed};
use crate::error::Result;
use crate::schema::{RESELLERS, Row, Table, Value, damaged};
use crate::storage::Batch;

/// Whether a table's rows are in the index.
pub(super) fn is_searched(table: &Table) -> bool {
    table.name == RESELLERS.name
}

impl Rows<'_> {
    /// The prefix of all pieces of an agency, so that a large agency does not slow a small one.
    pub(super) fn prefix(&self, agency: &Value) -> Result<String> {
        let sql = format!("SELECT coalesce({NUMBER}, -1)");
        let number = self.number(&sql, std::slice::from_ref(agency))?;
        Ok(format!("{number}\u{80}"))
    }

    /// Stores rows, and notes the changes for the index.
    pub(super) fn store_searched(&mut self, how: &Store<'_>, batch: &Batch) -> Result<Vec<bool>> {
        let Some(agency) = batch.rows.first().and_then(|row| row.first()) else {
            return Ok(Vec::new());
        };
        let prefix = self.prefix(agency)?;
        let mut statement = self.prepare(how.sql)?;
        let (mut stored, mut new) = (Vec::with_capacity(batch.rows.len()), Vec::new());
        for row in &batch.rows {
            let before = if how.may_exist { self.indexed(&RESELLERS.key_of(row))? } else { None };
            let is_stored = (how.is_stored)(statement.execute(bound(row)))?;
            stored.push(is_stored);
            if is_stored {
                let (text, at) = searched(row)?;
                if before.is_none() {
                    new.push(at);
                }
                self.reindex(&prefix, before, text);
            }
        }
        self.note_times(agency, &new)?;
        Ok(stored)
    }

    /// Removes rows by a statement, notes the changes for the index, and returns the number of
    /// rows.
    pub(super) fn take_searched(&mut self, sql: &str, parameters: &[Value]) -> Result<u64> {
        let taken =
            self.indexed_rows(&format!("{sql} RETURNING number, search_text"), parameters)?;
        let many = taken.len() as u64;
        self.unindexed.extend(taken.into_iter().map(IndexChange::Take));
        Ok(many)
    }

    /// Notes for the index that a row was stored, and what it was before.
    fn reindex(&mut self, prefix: &str, before: Option<Indexed>, text: &str) {
        if before.as_ref().is_some_and(|before| before.text == text) {
            return;
        }
        let number = before.as_ref().map_or_else(|| self.inserted(), |before| before.number);
        let after = Indexed { number, prefix: prefix.to_owned(), text: text.to_owned() };
        self.unindexed.extend(before.map(IndexChange::Take));
        self.unindexed.push(IndexChange::Put(after));
    }

    /// The row as the index has it.
    fn indexed(&self, key: &Row) -> Result<Option<Indexed>> {
        let sql = format!(
            "SELECT number, search_text FROM resellers WHERE agency = {NUMBER} AND id = ?2"
        );
        Ok(self.indexed_rows(&sql, key)?.pop())
    }

    fn indexed_rows(&self, sql: &str, parameters: &[Value]) -> Result<Vec<Indexed>> {
        let prefix = self.prefix(parameters.first().ok_or_else(damaged)?)?;
        let mut statement = self.prepare(sql)?;
        let rows = statement.query_map(bound(parameters), |row| {
            Ok(Indexed { number: row.get(0)?, prefix: prefix.clone(), text: row.get(1)? })
        });
        rows.map_err(storage_error)?.map(|row| row.map_err(storage_error)).collect()
    }
}

/// The text by which a row is found, and the time by which the list is ordered.
fn searched(row: &Row) -> Result<(&str, i64)> {
    const TEXT: usize = RESELLERS.place("search_text");
    const TIME: usize = RESELLERS.place("created_at");
    match (row.get(TEXT), row.get(TIME)) {
        (Some(Value::Text(text)), Some(Value::Integer(at))) => Ok((text, *at)),
        _ => Err(damaged()),
    }
}
