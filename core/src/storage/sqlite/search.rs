//! Searching: when to use the full-text index of pieces, and when to walk down the list.
//!
//! In the list by time, the index returns rows from the end of the list on, as long as rows were
//! stored in about that order. So the page is full soon, or there are few matches (`stream`). In
//! the other lists, everything that the index finds has to be sorted, so a common term is faster by
//! walking down the list until the page is full. To find out whether it is common, the index is
//! asked for some thousand rows: if there are more, it is.
//!
//! For a term that is shorter than a piece, walking comes first, because the index gathers all
//! pieces with that prefix before it returns a row. The rows that are found are always checked for
//! the term, so the plan changes only the time.

use std::collections::BTreeSet;

use super::failure::storage_error;
use super::rows::{DIALECT, NUMBER, Rows, bound, statements_of, values};
use super::words::word;
use crate::error::Result;
use crate::schema::{Kind, RESELLERS, Row, Value};
use crate::search::pieces_of_term;
use crate::storage::sql::Conditions;
use crate::storage::{Filter, PageSpec};

/// A term in more rows than this is common.
const RARE: u32 = 1_500;
/// For counting up to some thousand rows, walking pays only for terms in far more rows.
const RARE_TO_COUNT: u32 = 50_000;
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
        let index = self.expression(&spec.filter)?;
        let disorder = match spec.order {
            "created_at" => {
                Some(self.disorder(&spec.filter)?).filter(|disorder| *disorder <= ORDERLY)
            }
            _ => None,
        };
        let may_be_common = || match disorder {
            Some(_) => Ok(false),
            None => self.finds_more_than(RARE, &index),
        };
        if !index.is_selective || may_be_common()? {
            let found = self.walk(spec)?;
            if found.len() == spec.limit as usize {
                return self.numbered(spec, &found);
            }
        }
        let found = match disorder {
            Some(disorder) => self.stream(&index, spec, disorder)?,
            None => self.sorted(&index, spec)?,
        };
        self.numbered(spec, &found)
    }

    /// Counts the rows that a filter finds, up to a limit.
    pub(super) fn count_found(&self, filter: &Filter, cap: u64) -> Result<u64> {
        let mut conditions = Conditions::of_filter(filter, DIALECT);
        let mut from = "resellers";
        if self.can_use_index(filter) {
            let index = self.expression(filter)?;
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

    /// Walks down the list: the first rows that match, among the first [`WALK`] rows.
    fn walk(&self, spec: &PageSpec) -> Result<Vec<i64>> {
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
        self.numbers(&sql, &values(conditions.params))
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
        let select = &statements_of(&RESELLERS).select;
        let sql = format!("{select} WHERE agency = {NUMBER} AND number = ?2");
        let agency = Value::from(spec.filter.agency.as_str());
        let mut found = Vec::with_capacity(numbers.len());
        for number in numbers {
            let parameters = [agency.clone(), Value::Integer(*number)];
            found.append(&mut self.find(&sql, &RESELLERS, &parameters)?);
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
    fn expression(&self, Filter { agency, terms, .. }: &Filter) -> Result<Expression> {
        let prefix = self.prefix(&Value::from(agency.as_str()))?;
        let quoted = |piece| format!("\"{prefix}{}\"", word(piece).collect::<String>());
        let pieces = terms.iter().flat_map(|term| pieces_of_term(term));
        let mut pieces: Vec<String> = pieces.map(quoted).collect();
        let is_selective = !pieces.is_empty();
        if !is_selective {
            pieces = terms.iter().map(|term| quoted(term) + " *").collect();
        }
        pieces.sort_unstable();
        pieces.dedup();
        Ok(Expression { pieces: pieces.join(" AND "), is_selective })
    }
}
