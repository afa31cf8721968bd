//! The tables of one `SELECT`, `UPDATE` or `DELETE`, and the columns that are fixed by a parameter.

use std::collections::BTreeSet;
use std::iter::once;

use partnerkit::schema::{Home, Table};
use sqlparser::ast::{
    BinaryOperator, Expr, Join, JoinConstraint, JoinOperator, TableFactor, TableWithJoins, Value,
    ValueWithSpan,
};

use super::table_of;
use crate::partitions::home_column;

/// A column, as the name of its table in the scope and its own name.
pub type Place = (String, String);

struct Relation {
    alias: String,
    /// The table if it is one of ours; others have no home.
    table: Option<&'static Table>,
}

impl Relation {
    fn of(factor: &TableFactor) -> Self {
        let (name, alias) = match factor {
            TableFactor::Table { name, alias, .. } => (Some(name), alias.as_ref()),
            TableFactor::Derived { alias, .. }
            | TableFactor::Function { alias, .. }
            | TableFactor::UNNEST { alias, .. } => (None, alias.as_ref()),
            _ => (None, None),
        };
        let last = name.and_then(|name| name.0.last()?.as_ident());
        let alias = alias.map(|alias| &alias.name).or(last);
        let alias = alias.map(|alias| alias.value.clone()).unwrap_or_default();
        Self { alias, table: name.and_then(table_of) }
    }
}

pub struct Scope<'o> {
    outer: Option<&'o Scope<'o>>,
    relations: Vec<Relation>,
    fixed: BTreeSet<Place>,
}

/// If the first column is fixed, so is the second one.
type Equal = (Place, Place);

impl<'o> Scope<'o> {
    pub fn new(
        from: &[&TableWithJoins],
        condition: Option<&Expr>,
        outer: Option<&'o Scope<'o>>,
    ) -> Self {
        let tables = from.iter().flat_map(|table| {
            once(&table.relation).chain(table.joins.iter().map(|join| &join.relation))
        });
        let relations = tables.map(Relation::of).collect();
        let mut scope = Self { outer, relations, fixed: BTreeSet::new() };
        let (mut fixed, mut equal) = (BTreeSet::new(), Vec::new());
        for join in from.iter().flat_map(|table| &table.joins) {
            scope.join(join, &mut fixed, &mut equal);
        }
        if let Some(condition) = condition {
            scope.condition(condition, None, &mut fixed, &mut equal);
        }
        // A column that equals a fixed one, here or outside, is fixed.
        scope.fixed = fixed;
        loop {
            let more = equal.iter().filter(|(one, _)| scope.is_fixed(one));
            let more: BTreeSet<_> = more.map(|(_, other)| other.clone()).collect();
            if more.is_subset(&scope.fixed) {
                return scope;
            }
            scope.fixed.extend(more);
        }
    }

    /// Whether a column has the value of a parameter in all rows.
    pub fn is_fixed(&self, (alias, column): &Place) -> bool {
        let here = self.relations.iter().any(|relation| relation.alias == *alias);
        match self.outer {
            Some(outer) if !here => outer.is_fixed(&(alias.clone(), column.clone())),
            _ => self.fixed.contains(&(alias.clone(), column.clone())),
        }
    }

    /// Our tables, each with the place of its home column; `None` if every node has all rows.
    pub fn homes(&self) -> impl Iterator<Item = (&'static Table, Option<Place>)> {
        self.relations.iter().filter_map(|relation| {
            let table = relation.table?;
            let place = home_column(table).map(|home| (relation.alias.clone(), home.to_owned()));
            Some((table, place))
        })
    }

    /// The column that an expression is.
    pub fn place(&self, expr: &Expr) -> Option<Place> {
        match expr {
            Expr::Nested(inner) => self.place(inner),
            Expr::CompoundIdentifier(parts) => {
                let [.., alias, column] = &parts[..] else { return None };
                Some((alias.value.clone(), column.value.clone()))
            }
            Expr::Identifier(column) => {
                let mut of_ours = self.relations.iter().filter(|relation| {
                    let table = relation.table.into_iter();
                    table.flat_map(|t| t.columns).any(|known| known.name == column.value)
                });
                let alias = of_ours.next()?.alias.clone();
                Some((alias, column.value.clone()))
            }
            _ => None,
        }
    }

    fn join(&self, join: &Join, fixed: &mut BTreeSet<Place>, equal: &mut Vec<Equal>) {
        let (constraint, is_inner) = match &join.join_operator {
            JoinOperator::Join(on) | JoinOperator::Inner(on) => (on, true),
            // The condition says nothing about rows that are kept without a partner.
            JoinOperator::Left(on) | JoinOperator::LeftOuter(on) => (on, false),
            _ => return,
        };
        let joined = Relation::of(&join.relation).alias;
        match constraint {
            JoinConstraint::On(on) => {
                let only = (!is_inner).then_some(&joined);
                self.condition(on, only, fixed, equal);
            }
            JoinConstraint::Using(columns) => {
                let before = self.relations.iter().take_while(|before| before.alias != joined);
                for one in before.filter(|before| before.table.is_some()) {
                    for column in columns.iter().map(ToString::to_string) {
                        let there = (one.alias.clone(), column.clone());
                        let here = (joined.clone(), column);
                        if is_inner {
                            equal.push((here.clone(), there.clone()));
                        }
                        equal.push((there, here));
                    }
                }
            }
            _ => {}
        }
    }

    /// Takes a condition apart. With `only`, it restricts only the rows of this table.
    fn condition(
        &self,
        condition: &Expr,
        only: Option<&String>,
        fixed: &mut BTreeSet<Place>,
        equal: &mut Vec<Equal>,
    ) {
        for part in conjuncts(condition) {
            let Expr::BinaryOp { left, op: BinaryOperator::Eq, right } = part else { continue };
            match (&**left, &**right) {
                (Expr::Tuple(left), Expr::Tuple(right)) => {
                    for (left, right) in left.iter().zip(right) {
                        self.equality(left, right, only, fixed, equal);
                    }
                }
                (left, right) => self.equality(left, right, only, fixed, equal),
            }
        }
    }

    fn equality(
        &self,
        left: &Expr,
        right: &Expr,
        only: Option<&String>,
        fixed: &mut BTreeSet<Place>,
        equal: &mut Vec<Equal>,
    ) {
        for (column, value) in [(left, right), (right, left)] {
            let Some(place) = self.place(column) else { continue };
            if only.is_some_and(|only| *only != place.0) {
                continue;
            }
            if parameter(value).is_some() {
                fixed.insert(place);
            } else if let Some(one) = self.place(value) {
                equal.push((one, place));
            }
        }
    }
}

/// The conditions that are combined by `AND`.
pub fn conjuncts(condition: &Expr) -> Vec<&Expr> {
    match condition {
        Expr::Nested(inner) => conjuncts(inner),
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            [conjuncts(left), conjuncts(right)].concat()
        }
        one => vec![one],
    }
}

/// The parameter, if an expression is one, with or without a type.
pub fn parameter(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => parameter(inner),
        Expr::Value(ValueWithSpan { value: Value::Placeholder(name), .. }) => Some(name),
        _ => None,
    }
}

/// Whether rows of a table are not stored with their agency, but scattered by another column.
pub fn is_kept_by_its_key(table: &Table) -> bool {
    matches!(table.home, Home::Column(_))
}
