//! What a page, a count or a pruning asks for, as conditions of a statement: the same for every
//! backend that speaks SQL, but for the way a term is looked for.

use super::dialect::{Dialect, Terms};
use crate::search::{Position, Sort, SortKey};
use crate::storage::schema::{Kind, Value, sort_column};
use crate::storage::{Filter, PageSpec};

/// Conditions behind `WHERE agency = ` parameter 1, and their parameters from the second one on.
pub(crate) struct Conditions {
    pub sql: String,
    pub params: Vec<(Kind, Value)>,
    dialect: Dialect,
}

impl Conditions {
    fn none(dialect: Dialect) -> Self {
        Self { sql: String::new(), params: Vec::new(), dialect }
    }

    /// Of a page, in its order and no longer than it.
    pub fn of_page(spec: &PageSpec, dialect: Dialect) -> Self {
        let mut conditions = Self::of_filter(&spec.filter, dialect);
        conditions.behind_and_in_order(spec);
        conditions.limit(spec.limit.into());
        conditions
    }

    /// Only rows behind a page's beginning, in its order.
    pub fn behind_and_in_order(&mut self, spec: &PageSpec) {
        if let Some(after) = &spec.after {
            self.behind(spec.sort, after);
        }
        let (column, way) = (sort_column(spec.sort.by), way(spec.sort));
        self.sql += &format!(" ORDER BY {column} {way}, id {way}");
    }

    /// Of a filter.
    pub fn of_filter(filter: &Filter, dialect: Dialect) -> Self {
        let mut conditions = Self::none(dialect);
        conditions.filter(filter);
        conditions
    }

    /// Adds those of a filter.
    pub fn filter(&mut self, filter: &Filter) {
        let Filter { terms, status, partner_type, joined_from, joined_before } = filter;
        // One condition for each term, not one on an array of them: an index can serve it.
        terms.iter().for_each(|term| self.term(term));
        if let Some(status) = status {
            // Written out, so that an index of the few that are switched off can serve it.
            self.sql += &format!(" AND status = '{}'", status.slug());
        }
        if let Some(kind) = partner_type {
            self.and("partner_type =", Kind::Text, Value::Text(kind.slug().to_owned()));
        }
        if let Some(from) = joined_from {
            self.and("created_at >=", Kind::Integer, Value::Integer(from.as_millis()));
        }
        if let Some(before) = joined_before {
            self.and("created_at <", Kind::Integer, Value::Integer(before.as_millis()));
        }
    }

    /// What makes a row one to remove; and the conditions of the first such rows, in the order of
    /// an index.
    pub fn of_prunable(what: Prunable, max: u32, dialect: Dialect) -> (String, Self) {
        let mut conditions = Self::none(dialect);
        let (column, through) = match what {
            Prunable::Events(before) => ("at", before.as_millis() - 1),
            Prunable::IdempotencyKeys(before) => ("created_at", before.as_millis() - 1),
            Prunable::Changes(through) => ("sequence", i64::try_from(through).unwrap_or(i64::MAX)),
            Prunable::Labels(now) => ("quarantined_until", now.as_millis()),
            Prunable::Attempts(before) => ("blocked_until", before.as_millis() - 1),
        };
        let through = conditions.bind(Kind::Integer, Value::Integer(through));
        let is_due = format!("{column} <= {through}");
        conditions.sql += &format!(" AND {is_due} ORDER BY {column}");
        conditions.limit(max.into());
        (is_due, conditions)
    }

    /// Another parameter, a text.
    #[cfg(feature = "sqlite")]
    pub fn text(&mut self, text: &str) -> String {
        self.bind(Kind::Text, Value::Text(text.to_owned()))
    }

    /// Another parameter, a whole number.
    #[cfg(feature = "sqlite")]
    pub fn integer(&mut self, integer: i64) -> String {
        self.bind(Kind::Integer, Value::Integer(integer))
    }

    pub fn limit(&mut self, limit: i64) {
        let limit = self.bind(Kind::Integer, Value::Integer(limit));
        self.sql += &format!(" LIMIT {limit}");
    }

    /// Only rows behind a place.
    pub fn behind(&mut self, Sort { by, descending }: Sort, after: &Position) {
        let (kind, key) = match &after.key {
            SortKey::Instant(at) => (Kind::Integer, Value::Integer(at.as_millis())),
            SortKey::Text(text) => (Kind::Text, Value::Text(text.clone())),
        };
        let key = self.bind(kind, key);
        let id = self.bind(Kind::Uuid, Value::Uuid(after.id.as_uuid()));
        let (column, side) = (sort_column(by), if descending { '<' } else { '>' });
        self.sql += &format!(" AND ({column}, id) {side} ({key}, {id})");
    }

    fn term(&mut self, term: &str) {
        match self.dialect.terms {
            Terms::Instr => {
                // Compares bytes, so that no character is a wildcard.
                let term = self.bind(Kind::Text, Value::Text(term.to_owned()));
                self.sql += &format!(" AND instr(search_text, {term}) > 0");
            }
            Terms::Like => {
                let pattern = self.bind(Kind::Text, Value::Text(pattern(term)));
                self.sql += &format!(" AND search_text LIKE {pattern}");
            }
        }
    }

    fn and(&mut self, condition: &str, kind: Kind, value: Value) {
        let parameter = self.bind(kind, value);
        self.sql += &format!(" AND {condition} {parameter}");
    }

    fn bind(&mut self, kind: Kind, value: Value) -> String {
        self.params.push((kind, value));
        format!("{}{}", self.dialect.parameter, self.params.len() + 1)
    }
}

fn way(sort: Sort) -> &'static str {
    if sort.descending { "DESC" } else { "ASC" }
}

/// A pattern for every text that contains the term, in which nothing of it is a wildcard.
fn pattern(term: &str) -> String {
    let mut pattern = String::with_capacity(term.len() + 2);
    pattern.push('%');
    for c in term.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}
