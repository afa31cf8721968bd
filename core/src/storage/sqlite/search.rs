//! Searching: when to use the full-text index of pieces, and when to walk down the list.
//!
//! A sample of the agency's newest resellers tells how common the terms are, and which of their
//! pieces are rare. In the list by time, a common term is looked for by walking down the list until
//! the page is full. Otherwise the index returns rows from the end of the list on, as long as rows
//! were stored in about that order, so the page is full soon, or there are few matches (`stream`).
//! In the other lists, everything that the index finds has to be sorted, so a common term is faster
//! by walking, too. To find out whether it is common, the index is asked for some thousand rows: if
//! there are more, it is.
//!
//! For a term that is shorter than a piece, the index gathers all pieces with that prefix before it
//! returns a row, so walking is tried for rarer terms, too. The rows that are found are always
//! checked for the term, so the plan changes only the time.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use super::failure::storage_error;
use super::rows::{DIALECT, Rows, bound, read_row, statements_of, values};
use super::words::word;
use crate::error::Result;
use crate::schema::{Kind, RESELLERS, Row, Value};
use crate::search::pieces_of_term;
use crate::storage::newest::{ROWS, Texts};
use crate::storage::sql::Conditions;
use crate::storage::{Filter, PageSpec};

/// A term in more rows than this is common.
const RARE: u32 = 1_500;
/// For counting up to some thousand rows, walking pays only for terms in far more rows.
const RARE_TO_COUNT: u32 = 50_000;
/// How many pieces the index is asked for at most.
const PIECES: usize = 3;
/// How many rows are walked at most for a page of the list by time, as far as the newest rows tell.
const SOON: u32 = 1_000;
/// How many rows are walked for a page before the index is used after all. A row of the list by
/// time costs 0.2 µs, a row of the other lists five times as much.
const WALK: u32 = 5_000;
/// By how many milliseconds the order of times may differ from the order of numbers if the index is
/// to return rows nearly in the order of their times. It differs by more where resellers were
/// imported with the earlier time at which they joined.
const ORDERLY: i64 = 60 * 60_000;

/// The index, joined with the rows that it finds.
pub(super) const INDEXED: &str =
    "resellers_search CROSS JOIN resellers ON number = resellers_search.rowid";

impl Rows<'_> {
    /// One page of the list.
    pub(super) fn find_page(&self, spec: &PageSpec) -> Result<Vec<Row>> {
        if !self.can_use_index(&spec.filter) {
            let Conditions { sql, params, .. } = Conditions::of_page(spec, DIALECT);
            let sql = statements_of(&RESELLERS).select.clone() + &sql;
            return self.find(&sql, &RESELLERS, &values(params));
        }
        let newest = self.newest_texts(&spec.filter.agency)?;
        let found = match spec.order {
            "created_at" => self.found_by_time(spec, &newest)?,
            _ => self.found_in_another_order(spec, &self.expression(&spec.filter, &newest)?)?,
        };
        self.numbered(spec, &found)
    }

    fn found_by_time(&self, spec: &PageSpec, newest: &Texts) -> Result<Vec<i64>> {
        if is_met_soon(spec, newest)
            && let Some(found) = self.walk(spec)?
        {
            return Ok(found);
        }
        let index = self.expression(&spec.filter, newest)?;
        match self.disorder(&spec.filter)? {
            disorder if disorder <= ORDERLY => self.stream(&index, spec, disorder),
            _ => self.found_in_another_order(spec, &index),
        }
    }

    /// The first rows of a list whose order is not that of the index.
    fn found_in_another_order(&self, spec: &PageSpec, index: &Expression) -> Result<Vec<i64>> {
        if (!index.is_selective || self.finds_more_than(RARE, index)?)
            && let Some(found) = self.walk(spec)?
        {
            return Ok(found);
        }
        self.sorted(index, spec)
    }

    /// Counts the rows that a filter finds, up to a limit.
    pub(super) fn count_found(&self, filter: &Filter, cap: u64) -> Result<u64> {
        let mut conditions = Conditions::of_filter(filter, DIALECT);
        let mut from = "resellers";
        if self.can_use_index(filter) {
            let index = self.expression(filter, &*self.newest_texts(&filter.agency)?)?;
            if index.is_selective && !self.finds_more_than(RARE_TO_COUNT, &index)? {
                from = INDEXED;
                conditions.of_index(&index);
            }
        }
        conditions.limit(i64::try_from(cap).unwrap_or(i64::MAX));
        let sql = format!("SELECT count(*) FROM (SELECT 1 FROM {from}{})", conditions.sql);
        self.number(&sql, &values(conditions.params)).map(i64::unsigned_abs)
    }

    /// The index cannot be used in a transaction with changes that are not in it yet.
    fn can_use_index(&self, filter: &Filter) -> bool {
        !filter.terms.is_empty() && self.unindexed.is_empty()
    }

    /// Walks down the list: the first rows that match, if the first [`WALK`] rows fill the page.
    fn walk(&self, spec: &PageSpec) -> Result<Option<Vec<i64>>> {
        let everything = Filter::all(spec.filter.agency.clone());
        let listed = PageSpec { filter: everything, limit: WALK, ..spec.clone() };
        let mut conditions = Conditions::of_page(&listed, DIALECT);
        let list = std::mem::take(&mut conditions.sql);
        conditions.filter(&spec.filter);
        conditions.limit(spec.limit.into());
        // Only the columns that are needed: without further conditions, the list's index has all of
        // them.
        let further = spec.filter.conditions.iter().map(|condition| condition.column);
        let columns: BTreeSet<_> = further.chain(["number", "search_text"]).collect();
        let columns = Vec::from_iter(columns).join(", ");
        let sql =
            format!("SELECT number FROM (SELECT {columns} FROM resellers{list}){}", conditions.sql);
        let found = self.numbers(&sql, &values(conditions.params))?;
        Ok(Some(found).filter(|found| found.len() == spec.limit as usize))
    }

    /// The first rows of the list that the index finds. All rows that it finds are read and sorted.
    fn sorted(&self, index: &Expression, spec: &PageSpec) -> Result<Vec<i64>> {
        let mut conditions = Conditions::of_filter(&spec.filter, DIALECT);
        conditions.of_index(index);
        conditions.behind_and_in_order(spec);
        conditions.limit(spec.limit.into());
        let sql = format!("SELECT number FROM {INDEXED}{}", conditions.sql);
        self.numbers(&sql, &values(conditions.params))
    }

    /// The numbers that a statement returns.
    pub(super) fn numbers(&self, sql: &str, parameters: &[Value]) -> Result<Vec<i64>> {
        let mut statement = self.prepare(sql)?;
        let rows = statement.query_map(bound(parameters), |row| row.get(0));
        rows.map_err(storage_error)?.map(|number| number.map_err(storage_error)).collect()
    }

    /// A page's rows by their numbers.
    fn numbered(&self, spec: &PageSpec, numbers: &[i64]) -> Result<Vec<Row>> {
        let sql = statements_of(&RESELLERS).select.clone() + " WHERE number = ?2";
        let mut statement = self.prepare(&sql)?;
        let mut parameters = [Value::from(spec.filter.agency.as_str()), Value::Null];
        let mut found = Vec::with_capacity(numbers.len());
        for number in numbers {
            parameters[1] = Value::Integer(*number);
            let mut rows = statement.query(bound(&parameters)).map_err(storage_error)?;
            while let Some(row) = rows.next().map_err(storage_error)? {
                found.push(read_row(&RESELLERS, &parameters, row)?);
            }
        }
        Ok(found)
    }

    fn finds_more_than(&self, most: u32, index: &Expression) -> Result<bool> {
        let sql = "SELECT count(*) FROM (SELECT 1 FROM resellers_search
                   WHERE resellers_search MATCH ?1 LIMIT ?2)";
        let most = i64::from(most);
        let parameters = [Value::Text(index.pieces.clone()), Value::Integer(most + 1)];
        Ok(self.number(sql, &parameters)? > most)
    }
}

/// Whether walking down the list by time soon fills the page, if all rows are like the newest ones.
fn is_met_soon(spec: &PageSpec, newest: &Texts) -> bool {
    let Filter { terms, conditions, .. } = &spec.filter;
    let pieces = pieces_of(terms);
    if !pieces.is_empty() && !conditions.is_empty() {
        return false;
    }
    let (limit, walked) = (spec.limit as usize, if pieces.is_empty() { WALK } else { SOON });
    let often = match newest.len() {
        // These are all rows, so they have to fill the page.
        all if all < ROWS => limit,
        some => (limit * some).div_ceil(walked as usize),
    };
    // Most rare terms have a rare piece, which is found faster than the term in the texts.
    let may_be = |piece: &&str| usize::from(newest.occurrences(piece)) >= often;
    pieces.iter().all(may_be) && newest.count(terms, often) == often
}

/// A search expression for the index.
pub(super) struct Expression {
    pub pieces: String,
    /// Whether a search can stop early. A search by prefixes of pieces cannot, because it gathers
    /// all of them first.
    is_selective: bool,
}

impl Conditions {
    /// Adds the condition that the index finds the row.
    pub(super) fn of_index(&mut self, index: &Expression) {
        let pieces = self.bind(Kind::Text, Value::from(index.pieces.as_str()));
        self.and(format_args!("resellers_search MATCH {pieces}"));
    }
}

impl Rows<'_> {
    fn expression(&self, filter: &Filter, newest: &Texts) -> Result<Expression> {
        let Filter { agency, terms, .. } = filter;
        let prefix = self.prefix(&Value::from(agency.as_str()))?;
        let quoted = |piece| format!("\"{prefix}{}\"", word(piece).collect::<String>());
        let pieces = rarest(terms, newest);
        let is_selective = !pieces.is_empty();
        let pieces: Vec<String> = match is_selective {
            true => pieces.into_iter().map(quoted).collect(),
            false => terms.iter().map(|term| quoted(term) + " *").collect(),
        };
        Ok(Expression { pieces: pieces.join(" AND "), is_selective })
    }
}

fn pieces_of(terms: &[String]) -> Vec<&str> {
    terms.iter().flat_map(|term| pieces_of_term(term)).collect()
}

/// The rarest pieces of the terms, the rarest first. FTS5 reads the list of each piece that it is
/// asked for, so it is not asked for what excludes hardly any row: the text decides anyway.
fn rarest<'t>(terms: &'t [String], newest: &Texts) -> Vec<&'t str> {
    let mut pieces = pieces_of(terms);
    pieces.sort_unstable();
    pieces.dedup();
    if pieces.len() > PIECES {
        pieces.sort_by_cached_key(|piece| newest.occurrences(piece));
        pieces.truncate(PIECES);
    }
    pieces
}
