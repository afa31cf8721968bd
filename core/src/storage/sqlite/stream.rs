//! Searching the list by time from its end, and stopping when the page is full.
//!
//! The index returns rows in the order of their numbers, and rows are numbered as they are stored,
//! which is nearly the order of their times. The agency's `disorder` is the most by which a time
//! was ever earlier than one that was stored before it. It tells when no later row can belong on
//! the page. So clocks that differ by a second cost the reading of one more second of rows, but no
//! row is ever missed.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::failure::storage_error;
use super::rows::{DIALECT, NUMBER, Rows, bound, values};
use super::search::{Expression, INDEXED};
use crate::error::Result;
use crate::schema::{Kind, Value};
use crate::storage::sql::Conditions;
use crate::storage::{Filter, PageSpec};

impl Rows<'_> {
    /// The numbers of a page's rows that the index finds.
    pub(super) fn stream(
        &self,
        index: &Expression,
        spec: &PageSpec,
        disorder: i64,
    ) -> Result<Vec<i64>> {
        let agency = Value::from(spec.filter.agency.as_str());
        let mut conditions = Conditions::of_filter(&spec.filter, DIALECT);
        if let Some(after) = &spec.after {
            conditions.behind(spec, after);
        }
        let (side, way) = if spec.descending { ("<", "DESC") } else { (">", "ASC") };
        conditions.of_index(index);
        if let Some(number) = self.where_to_begin(agency, spec, disorder)? {
            let number = conditions.bind(Kind::Integer, Value::Integer(number));
            conditions.and(format_args!("resellers_search.rowid {side} {number}"));
        }
        let sql = format!(
            "SELECT number, created_at, id FROM {INDEXED}{}
             ORDER BY resellers_search.rowid {way}",
            conditions.sql
        );
        let mut page = Page::of(spec, disorder);
        let parameters = values(conditions.params);
        let mut statement = self.prepare(&sql)?;
        let mut rows = statement.query(bound(&parameters)).map_err(storage_error)?;
        while let Some(row) = rows.next().map_err(storage_error)? {
            let read = || Ok((row.get(0)?, row.get(1)?, row.get(2)?));
            let (number, at, id) = read().map_err(storage_error)?;
            if !page.wants_more_behind(number, at, id) {
                break;
            }
        }
        Ok(page.numbers())
    }

    /// The most milliseconds by which a time was ever earlier than one that was stored before it.
    pub(super) fn disorder(&self, filter: &Filter) -> Result<i64> {
        let agency = Value::from(filter.agency.as_str());
        let sql = "SELECT coalesce(max(disorder), 0) FROM agencies WHERE agency = ?1";
        self.number(sql, &[agency])
    }

    /// The number of a row that is so far before a cursor's place in the list that all rows after
    /// the place have numbers beyond it.
    fn where_to_begin(&self, agency: Value, spec: &PageSpec, disorder: i64) -> Result<Option<i64>> {
        let Some((Value::Integer(at), _)) = spec.after else { return Ok(None) };
        let (side, way, at) = match spec.descending {
            true => (">", "ASC", at.saturating_add(disorder)),
            false => ("<", "DESC", at.saturating_sub(disorder)),
        };
        let sql = format!(
            "SELECT number FROM resellers WHERE agency = {NUMBER} AND created_at {side} ?2
             ORDER BY created_at {way}, id {way} LIMIT 1"
        );
        Ok(self.numbers(&sql, &[agency, Value::Integer(at)])?.pop())
    }

    /// Updates the agency's `disorder` for new rows.
    pub(super) fn note_times(&self, agency: &Value, new: &[i64]) -> Result<()> {
        let Some(oldest) = new.iter().min() else { return Ok(()) };
        let (mut newest, mut behind) = (i64::MIN, 0);
        for at in new {
            newest = newest.max(*at);
            behind = behind.max(newest.saturating_sub(*at));
        }
        let sql = "UPDATE agencies SET disorder = max(disorder, ?2, newest - ?3),
                   newest = max(newest, ?4) WHERE agency = ?1";
        let [behind, oldest, newest] = [behind, *oldest, newest].map(Value::Integer);
        self.execute(sql, &[agency.clone(), behind, oldest, newest]).map(drop)
    }
}

/// The first rows of the list among the rows that were found so far.
struct Page {
    rows: BTreeMap<(i64, Uuid), i64>,
    descending: bool,
    limit: usize,
    disorder: i64,
}

impl Page {
    fn of(spec: &PageSpec, disorder: i64) -> Self {
        let (descending, limit) = (spec.descending, spec.limit as usize);
        Self { rows: BTreeMap::new(), descending, limit, disorder }
    }

    /// Adds a row, and returns whether a later row could still belong on the page.
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
