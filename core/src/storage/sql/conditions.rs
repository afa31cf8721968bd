//! Scans, pages and counts as conditions of a statement. They are the same for every SQL backend,
//! except for the way a term is searched.

use std::fmt::{self, Display, Write as _};
use std::ops::Bound;

use uuid::Uuid;

use super::dialect::{Dialect, Terms};
use super::joined;
use crate::schema::{Kind, RESELLERS, Table, Value};
use crate::storage::{Condition, Filter, Is, PageSpec, Scan};

/// The text from `WHERE` on, and all parameters. If the table belongs to agencies, parameter 1 is
/// the agency.
pub(crate) struct Conditions {
    pub sql: String,
    pub params: Vec<(Kind, Value)>,
    table: &'static Table,
    dialect: Dialect,
}

/// A parameter, as it is written in a statement.
#[derive(Clone, Copy)]
pub(crate) struct Parameter {
    marker: char,
    number: usize,
}

impl Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.marker, self.number)
    }
}

impl Conditions {
    /// Reserves room for most conditions at once, because every read makes some.
    fn on(table: &'static Table, dialect: Dialect) -> Self {
        Self { sql: String::with_capacity(256), params: Vec::with_capacity(4), table, dialect }
    }

    /// The conditions of a scan, without its order and limit.
    pub fn of_range(scan: &Scan, dialect: Dialect) -> Self {
        let mut conditions = Self::on(scan.table, dialect);
        for (column, value) in scan.columns.iter().zip(&scan.equals) {
            conditions.equal(column, value);
        }
        let (from, to) = &scan.range;
        for (bound, including, excluding) in [(from, ">=", ">"), (to, "<=", "<")] {
            match bound {
                Bound::Unbounded => {}
                Bound::Included(row) => conditions.compare(scan.ranged(row), including, row),
                Bound::Excluded(row) => conditions.compare(scan.ranged(row), excluding, row),
            }
        }
        conditions
    }

    /// The conditions of a scan, with its order and limit.
    pub fn of_scan(scan: &Scan, dialect: Dialect) -> Self {
        let mut conditions = Self::of_range(scan, dialect);
        let ordered = scan.columns.get(scan.equals.len()..).unwrap_or_default();
        conditions.order(ordered, scan.reverse);
        conditions.limit(scan.limit.into());
        conditions
    }

    /// The conditions of a filter.
    pub fn of_filter(filter: &Filter, dialect: Dialect) -> Self {
        let mut conditions = Self::on(&RESELLERS, dialect);
        conditions.equal("agency", &filter.agency.as_str().into());
        conditions.filter(filter);
        conditions
    }

    /// The conditions of a page, with its order and limit.
    pub fn of_page(spec: &PageSpec, dialect: Dialect) -> Self {
        let mut conditions = Self::of_filter(&spec.filter, dialect);
        conditions.behind_and_in_order(spec);
        conditions.limit(spec.limit.into());
        conditions
    }

    /// Adds the page's start and its order.
    pub fn behind_and_in_order(&mut self, spec: &PageSpec) {
        if let Some(after) = &spec.after {
            self.behind(spec, after);
        }
        self.order(&[spec.order, "id"], spec.descending);
    }

    /// Adds the condition that rows come after a place.
    pub fn behind(&mut self, spec: &PageSpec, (value, id): &(Value, Uuid)) {
        let place = vec![value.clone(), Value::Uuid(*id)];
        self.compare(&[spec.order, "id"], if spec.descending { "<" } else { ">" }, &place);
    }

    /// Adds the conditions of a filter, except for the agency.
    pub fn filter(&mut self, Filter { terms, conditions, .. }: &Filter) {
        // There is one condition for each term, not one on an array of terms, so that an index can
        // be used.
        terms.iter().for_each(|term| self.term(term));
        for Condition { column, is } in conditions {
            match is {
                // Written out, so that a partial index can be used.
                Is::Slug(slug) => self.and(format_args!("{column} = '{slug}'")),
                Is::AtLeast(value) => self.compare(&[column], ">=", std::slice::from_ref(value)),
                Is::Below(value) => self.compare(&[column], "<", std::slice::from_ref(value)),
            }
        }
    }

    /// Adds a condition.
    pub fn and(&mut self, condition: impl Display) {
        self.also();
        self.write(condition);
    }

    fn also(&mut self) {
        self.sql += if self.sql.is_empty() { " WHERE " } else { " AND " };
    }

    fn write(&mut self, text: impl Display) {
        // Writing to a text does not fail.
        let _ = write!(self.sql, "{text}");
    }

    pub fn order(&mut self, columns: &[&str], descending: bool) {
        let way = if descending { "DESC" } else { "ASC" };
        let columns: Vec<_> = columns.iter().map(|column| format!("{column} {way}")).collect();
        if !columns.is_empty() {
            self.sql += &format!(" ORDER BY {}", columns.join(", "));
        }
    }

    pub fn limit(&mut self, limit: i64) {
        let limit = self.bind(Kind::Integer, Value::Integer(limit));
        self.write(format_args!(" LIMIT {limit}"));
    }

    /// Adds a parameter.
    pub fn bind(&mut self, kind: Kind, value: Value) -> Parameter {
        self.params.push((kind, value));
        Parameter { marker: self.dialect.parameter, number: self.params.len() }
    }

    fn equal(&mut self, column: &str, value: &Value) {
        self.also();
        self.sql += column;
        if *value == Value::Null {
            self.sql += " IS NULL";
            return;
        }
        self.sql += " = ";
        let parameter = self.bind(self.kind(column), value.clone());
        if column == "agency" && parameter.number == 1 && self.table.of_agency() {
            self.sql += self.dialect.agency;
        } else {
            self.write(parameter);
        }
    }

    fn compare(&mut self, columns: &[&str], how: &str, values: &[Value]) {
        let mut bound = Vec::with_capacity(values.len());
        for (column, value) in columns.iter().zip(values) {
            bound.push(self.bind(self.kind(column), value.clone()));
        }
        match (columns, &bound[..]) {
            ([column], [value]) => self.and(format_args!("{column} {how} {value}")),
            _ => {
                let bound = joined(bound.iter().map(Parameter::to_string), ", ");
                self.and(format_args!("({}) {how} ({bound})", columns.join(", ")));
            }
        }
    }

    fn term(&mut self, term: &str) {
        match self.dialect.terms {
            Terms::Instr => {
                // `instr` compares bytes, so that no character is a wildcard.
                let term = self.bind(Kind::Text, term.into());
                self.and(format_args!("instr(search_text, {term}) > 0"));
            }
            Terms::Like => {
                let pattern = self.bind(Kind::Text, pattern(term).into());
                self.and(format_args!("search_text LIKE {pattern}"));
            }
        }
    }

    fn kind(&self, column: &str) -> Kind {
        self.table.columns[self.table.place(column)].kind
    }
}

/// A pattern that matches every text with the term; its wildcards are escaped.
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
