//! Searching the list by time from its end, and stopping when the page is full.
//!
//! The index answers in the order of numbers, and rows are numbered as they come: nearly the
//! order of their times. By how much a time was ever behind one that was stored before it, the
//! agency's `disorder`, tells when no later answer can belong on the page. Clocks that differ by
//! a second cost the rows of a second, and never one that is missing.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::failure::storage_error;
use super::rows::{DIALECT, NUMBER, Rows, bound, values};
use super::search::Expression;
use crate::error::Result;
use crate::search::{Position, SortKey};
use crate::storage::NewReseller;
use crate::storage::PageSpec;
use crate::storage::schema::Value;
use crate::storage::sql::Conditions;

impl Rows<'_> {
    /// The numbers of a page's rows that the index finds.
    pub(super) fn stream(&self, index: &Expression, spec: &PageSpec) -> Result<Vec<i64>> {
        let sql = "SELECT coalesce(max(disorder), 0) FROM agencies WHERE agency = ?1";
        let disorder = self.number(sql, &self.key([]))?;
        let mut conditions = Conditions::of_filter(&spec.filter, DIALECT);
        if let Some(after) = &spec.after {
            conditions.behind(spec.sort, after);
        }
        let (side, way) = if spec.sort.descending { ("<", "DESC") } else { (">", "ASC") };
        let pieces = conditions.text(&index.pieces);
        let mut begins = String::new();
        if let Some(number) = self.where_to_begin(spec, disorder)? {
            begins = format!(" AND resellers_search.rowid {side} {}", conditions.integer(number));
        }
        let sql = format!(
            "SELECT number, created_at, id FROM resellers_search CROSS JOIN resellers
             ON number = resellers_search.rowid
             WHERE resellers_search MATCH {pieces}{begins} AND agency = {NUMBER}{}
             ORDER BY resellers_search.rowid {way}",
            conditions.sql
        );
        let mut page = Page::of(spec, disorder);
        let key = self.key(values(conditions.params));
        let mut statement = self.prepare(&sql)?;
        let mut rows = statement.query(bound(&key)).map_err(storage_error)?;
        while let Some(row) = rows.next().map_err(storage_error)? {
            let read = || Ok((row.get(0)?, row.get(1)?, row.get(2)?));
            let (number, at, id) = read().map_err(storage_error)?;
            if !page.wants_more_behind(number, at, id) {
                break;
            }
        }
        Ok(page.numbers())
    }

    /// The number of a row that is so far before a cursor's place that everything behind the
    /// place has a number on its other side.
    fn where_to_begin(&self, spec: &PageSpec, disorder: i64) -> Result<Option<i64>> {
        let Some(Position { key: SortKey::Instant(at), .. }) = &spec.after else {
            return Ok(None);
        };
        let (side, way, at) = match spec.sort.descending {
            true => (">", "ASC", at.as_millis().saturating_add(disorder)),
            false => ("<", "DESC", at.as_millis().saturating_sub(disorder)),
        };
        let sql = format!(
            "SELECT number FROM resellers WHERE agency = {NUMBER} AND created_at {side} ?2
             ORDER BY created_at {way}, id {way} LIMIT 1"
        );
        let mut statement = self.prepare(&sql)?;
        let key = self.key([Value::Integer(at)]);
        let mut rows = statement.query(bound(&key)).map_err(storage_error)?;
        let row = rows.next().map_err(storage_error)?;
        row.map(|row| row.get(0).map_err(storage_error)).transpose()
    }

    /// Keeps account of how far the order of times is from that of numbers.
    pub(super) fn note_times(&self, inserted: &[&NewReseller]) -> Result<()> {
        let times = inserted.iter().map(|new| new.reseller().created_at.as_millis());
        let (mut newest, mut oldest, mut behind) = (i64::MIN, i64::MAX, 0);
        for at in times {
            newest = newest.max(at);
            oldest = oldest.min(at);
            behind = behind.max(newest.saturating_sub(at));
        }
        if inserted.is_empty() {
            return Ok(());
        }
        let sql = "UPDATE agencies SET disorder = max(disorder, ?2, newest - ?3),
                   newest = max(newest, ?4) WHERE agency = ?1";
        let key = self.key([behind, oldest, newest].map(Value::Integer));
        self.execute(sql, &key).map(drop)
    }
}

/// The first rows of the list among those that were found so far.
struct Page {
    rows: BTreeMap<(i64, Uuid), i64>,
    descending: bool,
    limit: usize,
    disorder: i64,
}

impl Page {
    fn of(spec: &PageSpec, disorder: i64) -> Self {
        let (descending, limit) = (spec.sort.descending, spec.limit as usize);
        Self { rows: BTreeMap::new(), descending, limit, disorder }
    }

    /// Takes a row in, and says whether one that comes later could belong before the last one.
    fn wants_more_behind(&mut self, number: i64, at: i64, id: [u8; 16]) -> bool {
        self.rows.insert((at, Uuid::from_bytes(id)), number);
        if self.rows.len() > self.limit {
            if self.descending {
                self.rows.pop_first()
            } else {
                self.rows.pop_last()
            };
        }
        if self.rows.len() < self.limit {
            return true;
        }
        let last =
            if self.descending { self.rows.first_key_value() } else { self.rows.last_key_value() };
        let Some(((last, _), _)) = last else { return false };
        if self.descending {
            at.saturating_add(self.disorder) >= *last
        } else {
            at.saturating_sub(self.disorder) <= *last
        }
    }

    fn numbers(self) -> Vec<i64> {
        let numbers = self.rows.into_values();
        if self.descending { numbers.rev().collect() } else { numbers.collect() }
    }
}
