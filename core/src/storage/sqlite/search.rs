//! Searching: when to ask the index of pieces, and when to walk down the list.
//!
//! In the list by time the index answers row by row, from the end on, and the page is full soon or
//! the answers are few (`stream`). In the others, all that it finds has to be sorted: what is
//! common there is found faster by walking down the list until the page is full. Which one it is
//! shows when the index is asked for some thousand rows: if there are more, it is common.
//!
//! A term that is shorter than a piece is looked for by walking first, because all that begins
//! with it is gathered before the first answer. The rows found are looked into in any case, so
//! the plan decides nothing but the time.

use super::failure::storage_error;
use super::rows::{DIALECT, NUMBER, Rows, bound, values};
use super::words::word;
use crate::error::Result;
use crate::reseller::Reseller;
use crate::search::{SortBy, pieces_of_term};
use crate::storage::schema::Value;
use crate::storage::sql::Conditions;
use crate::storage::{Filter, PageSpec};

/// What is in more rows than this is common.
const RARE: u32 = 1_500;
/// For counting up to some thousand rows, walking pays only for what is in far more.
const RARE_TO_COUNT: u32 = 50_000;
/// How many rows a page is looked for in before the index is asked all the same. A row of the
/// list by time costs a fifth of a microsecond, one of the others five times as much.
const WALK: u32 = 5_000;

impl Rows<'_> {
    /// One page of the list.
    pub(super) fn find_page(&self, spec: &PageSpec) -> Result<Vec<Reseller>> {
        if !self.can_use_index(&spec.filter) {
            let Conditions { sql, params, .. } = Conditions::of_page(spec, DIALECT);
            return self.of_agency(&sql, values(params));
        }
        let index = self.expression(&spec.filter.terms)?;
        let by_time = spec.sort.by == SortBy::Joined;
        let may_be_common = || if by_time { Ok(false) } else { self.finds_more_than(RARE, &index) };
        if !index.is_selective || may_be_common()? {
            let found = self.walk(spec)?;
            if found.len() == spec.limit as usize {
                return self.numbered(&found);
            }
        }
        let found = if by_time { self.stream(&index, spec)? } else { self.sorted(&index, spec)? };
        self.numbered(&found)
    }

    /// How many rows a filter finds, up to a limit.
    pub(super) fn count_found(&self, filter: &Filter, cap: u64) -> Result<u64> {
        let mut conditions = Conditions::of_filter(filter, DIALECT);
        conditions.limit(i64::try_from(cap).unwrap_or(i64::MAX));
        let mut found =
            format!("SELECT 1 FROM resellers WHERE agency = {NUMBER}{}", conditions.sql);
        if self.can_use_index(filter) {
            let index = self.expression(&filter.terms)?;
            if index.is_selective && !self.finds_more_than(RARE_TO_COUNT, &index)? {
                found = self.of_index(&index, &mut conditions);
            }
        }
        let sql = format!("SELECT count(*) FROM ({found})");
        self.number(&sql, &self.key(values(conditions.params))).map(i64::unsigned_abs)
    }

    /// Not in a transaction that has something to tell it first.
    fn can_use_index(&self, filter: &Filter) -> bool {
        !filter.terms.is_empty() && self.unindexed.is_empty()
    }

    /// The first rows of the list that match, among as many as may be looked at.
    fn walk(&self, spec: &PageSpec) -> Result<Vec<i64>> {
        let everything = Filter::default();
        let listed = PageSpec { filter: everything, limit: WALK, ..spec.clone() };
        let mut list = Conditions::of_page(&listed, DIALECT);
        let list_sql = std::mem::take(&mut list.sql);
        list.filter(&spec.filter);
        list.limit(spec.limit.into());
        // Only what is asked for: without any filter, the index of the list has all of it.
        let further = [
            ("status", spec.filter.status.is_some()),
            ("partner_type", spec.filter.partner_type.is_some()),
        ];
        let further = further.into_iter().filter(|(_, asked)| *asked);
        let further: String = further.map(|(column, _)| format!(", {column}")).collect();
        let sql = format!(
            "SELECT number FROM (SELECT number, search_text, created_at{further}
             FROM resellers WHERE agency = {NUMBER}{list_sql}) WHERE true{}",
            list.sql
        );
        self.numbers(&sql, list)
    }

    /// The first rows of the list that the index finds: all of them are read to be sorted.
    fn sorted(&self, index: &Expression, spec: &PageSpec) -> Result<Vec<i64>> {
        let mut conditions = Conditions::of_page(spec, DIALECT);
        let found = self.of_index(index, &mut conditions);
        self.numbers(&found, conditions)
    }

    /// The numbers of the rows that the index finds and that meet the conditions.
    fn of_index(&self, index: &Expression, conditions: &mut Conditions) -> String {
        let pieces = conditions.text(&index.pieces);
        format!(
            "SELECT number FROM resellers_search CROSS JOIN resellers
             ON number = resellers_search.rowid
             WHERE resellers_search MATCH {pieces} AND agency = {NUMBER}{}",
            conditions.sql
        )
    }

    fn numbers(&self, sql: &str, conditions: Conditions) -> Result<Vec<i64>> {
        let key = self.key(values(conditions.params));
        let mut statement = self.prepare(sql)?;
        let rows = statement.query_map(bound(&key), |row| row.get(0));
        rows.map_err(storage_error)?.map(|number| number.map_err(storage_error)).collect()
    }

    fn numbered(&self, numbers: &[i64]) -> Result<Vec<Reseller>> {
        let mut resellers = Vec::with_capacity(numbers.len());
        for number in numbers {
            resellers
                .extend(self.of_agency::<Reseller>("AND number = ?2", [Value::Integer(*number)])?);
        }
        Ok(resellers)
    }

    fn finds_more_than(&self, most: u32, index: &Expression) -> Result<bool> {
        let sql = "SELECT count(*) FROM (SELECT 1 FROM resellers_search
                   WHERE resellers_search MATCH ?1 LIMIT ?2)";
        let most = i64::from(most);
        let parameters = [Value::Text(index.pieces.clone()), Value::Integer(most + 1)];
        Ok(self.number(sql, &parameters)? > most)
    }
}

/// What the index is asked for.
pub(super) struct Expression {
    pub pieces: String,
    /// Whether it stops early when it finds too much. Beginnings of pieces are first gathered.
    is_selective: bool,
}

impl Rows<'_> {
    fn expression(&self, terms: &[String]) -> Result<Expression> {
        let prefix = self.prefix()?;
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
