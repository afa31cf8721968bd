//! Keeping the search index: what it has to be told of rows that come, change and go.

use super::failure::storage_error;
use super::rows::{NUMBER, Rows, bound};
use super::words::{IndexChange, Indexed};
use crate::error::Result;
use crate::reseller::{Reseller, ResellerId};
use crate::search::Folded;
use crate::storage::schema::Value;

impl Rows<'_> {
    /// What every piece of this agency's begins with, so that a large agency costs a small one
    /// nothing.
    pub(super) fn prefix(&self) -> Result<String> {
        let number = self.number(&format!("SELECT coalesce({NUMBER}, -1)"), &self.key([]))?;
        Ok(format!("{number}\u{80}"))
    }

    /// Makes a new row findable.
    pub(super) fn index(&mut self, prefix: &str, number: i64, text: &str) {
        let (prefix, text) = (prefix.to_owned(), text.to_owned());
        self.unindexed.push(IndexChange::Put(Indexed { number, prefix, text }));
    }

    /// A reseller's row as the index knows it; none if there is no such reseller.
    pub(super) fn indexed(&self, id: ResellerId) -> Result<Vec<Indexed>> {
        let sql = format!(
            "SELECT number, search_text FROM resellers WHERE agency = {NUMBER} AND id = ?2"
        );
        self.indexed_rows(&sql, &self.id_key(id))
    }

    /// Takes rows out of the index; their text must be what was put in.
    pub(super) fn unindex(&mut self, rows: Vec<Indexed>) {
        self.unindexed.extend(rows.into_iter().map(IndexChange::Take));
    }

    /// Keeps a changed row findable.
    pub(super) fn reindex(&mut self, before: Vec<Indexed>, reseller: &Reseller) {
        let text = Folded::of(reseller).search_text;
        for before in before.into_iter().filter(|before| before.text != text) {
            let (number, prefix) = (before.number, before.prefix.clone());
            let after = Indexed { number, prefix, text: text.clone() };
            self.unindexed.extend([IndexChange::Take(before), IndexChange::Put(after)]);
        }
    }

    fn indexed_rows(&self, sql: &str, key: &[Value]) -> Result<Vec<Indexed>> {
        let prefix = self.prefix()?;
        let mut statement = self.prepare(sql)?;
        let rows = statement.query_map(bound(key), |row| {
            Ok(Indexed { number: row.get(0)?, prefix: prefix.clone(), text: row.get(1)? })
        });
        rows.map_err(storage_error)?.map(|row| row.map_err(storage_error)).collect()
    }
}
