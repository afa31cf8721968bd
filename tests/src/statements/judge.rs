//! One statement, judged part by part.

use std::ops::ControlFlow;

use partnerkit::schema::{AGENCIES, Home, Table};
use sqlparser::ast::{
    Assignment, AssignmentTarget, BinaryOperator, Delete, Expr, FromTable, InTarget, Insert,
    OnConflictAction, OnInsert, Query, Select, SelectItem, SetExpr, Statement, TableFactor,
    TableObject, TableWithJoins, Update, UpdateTableFromKind, Value, Visit, Visitor,
    visit_expressions,
};

use super::scope::{Scope, conjuncts, is_kept_by_its_key, parameter};
use super::table_of;
use crate::partitions::home_column;

/// The findings about one statement.
pub struct Judge {
    modifies: bool,
    /// Whether its plan is generic.
    generic: bool,
    pub complaints: Vec<String>,
}

impl Judge {
    pub fn new(modifies: bool, generic: bool) -> Self {
        Self { modifies, generic, complaints: Vec::new() }
    }

    fn complain(&mut self, complaint: impl Into<String>) {
        self.complaints.push(complaint.into());
    }

    pub fn statement(&mut self, statement: &Statement, outer: Option<&Scope<'_>>) {
        match statement {
            Statement::Query(query) => self.query(query, outer),
            Statement::Insert(insert) => self.insert(insert),
            Statement::Update(update) => self.update(update, outer),
            Statement::Delete(delete) => self.delete(delete, outer),
            _ => self.complain("is no statement on rows"),
        }
    }

    fn query(&mut self, query: &Query, outer: Option<&Scope<'_>>) {
        for part in query.with.iter().flat_map(|with| &with.cte_tables) {
            self.query(&part.query, outer);
        }
        self.body(&query.body, query, outer);
    }

    fn body(&mut self, body: &SetExpr, query: &Query, outer: Option<&Scope<'_>>) {
        match body {
            SetExpr::Select(select) => self.select(select, query, outer),
            SetExpr::Query(inner) => self.query(inner, outer),
            SetExpr::SetOperation { left, right, .. } => {
                self.body(left, query, outer);
                self.body(right, query, outer);
            }
            SetExpr::Insert(part) | SetExpr::Update(part) | SetExpr::Delete(part) => {
                self.statement(part, outer);
            }
            _ => self.complain("has a part that nobody knows"),
        }
    }

    fn select(&mut self, select: &Select, query: &Query, outer: Option<&Scope<'_>>) {
        let from: Vec<_> = select.from.iter().collect();
        let scope = Scope::new(&from, select.selection.as_ref(), outer);
        let alone = scope.homes().count() == 1 && outer.is_none() && !self.generic;
        if !(alone && !self.modifies && query.locks.is_empty() && is_across(select, query, &scope))
        {
            self.homes(&scope);
        }
        self.inner(select, &scope);
    }

    /// Checks that the home column of each table is fixed.
    fn homes(&mut self, scope: &Scope<'_>) {
        for (table, place) in scope.homes() {
            if let Some(place) = place.filter(|place| !scope.is_fixed(place)) {
                self.complain(format!("does not say which {} of {}", place.1, table.name));
            }
        }
    }

    /// Checks the inner queries, which see the outer scope.
    fn inner(&mut self, part: &impl Visit, scope: &Scope<'_>) {
        for query in outermost(part) {
            self.query(&query, Some(scope));
        }
    }

    fn insert(&mut self, insert: &Insert) {
        let TableObject::TableName(name) = &insert.table else {
            return self.complain("inserts into nobody knows what");
        };
        let Some(table) = table_of(name) else { return };
        let names: Vec<String> = match &insert.columns[..] {
            [] => table.columns.iter().map(|column| column.name.to_owned()).collect(),
            columns => columns.iter().map(ToString::to_string).collect(),
        };
        let home = home_column(table).map(|home| {
            names.iter().position(|name| name == home).expect("the home is among the columns")
        });
        let Some(source) = &insert.source else { return self.complain("inserts nothing") };
        match (&*source.body, home) {
            (SetExpr::Values(values), home) => {
                let rows: Vec<&Vec<Expr>> = values.rows.iter().map(|row| &row.content).collect();
                self.values(table, &rows, home);
                let changes = matches!(&insert.on, Some(OnInsert::OnConflict(on))
                    if on.action != OnConflictAction::DoNothing);
                if changes && rows.len() > 1 && is_kept_by_its_key(table) {
                    self.complain(format!("changes several {}", table.name));
                }
            }
            (SetExpr::Select(select), Some(home)) => {
                self.inserted(table, select, home);
                self.query(source, None);
            }
            (_, Some(_)) => self.complain("inserts what is neither VALUES nor a SELECT"),
            (_, None) => self.query(source, None),
        }
        if let Some(OnInsert::OnConflict(on)) = &insert.on {
            if !matches!(*source.body, SetExpr::Values(_)) && has_parameter(on) {
                self.complain("has a parameter behind ON CONFLICT of an INSERT … SELECT");
            }
            if let OnConflictAction::DoUpdate(update) = &on.action {
                self.assignments(table, &update.assignments);
            }
            if !outermost(on).is_empty() {
                self.complain("has a subselect behind ON CONFLICT");
            }
        }
    }

    fn values(&mut self, table: &Table, rows: &[&Vec<Expr>], home: Option<usize>) {
        if rows.iter().any(|row| !outermost(*row).is_empty()) {
            self.complain("has a subselect in VALUES");
        }
        let Some(home) = home else { return };
        let mut homes: Vec<_> = rows.iter().map(|row| row.get(home).and_then(parameter)).collect();
        homes.dedup();
        if homes.contains(&None) {
            self.complain(format!("inserts a {} whose home is no parameter", table.name));
        } else if homes.len() > 1 && !is_kept_by_its_key(table) {
            self.complain(format!("inserts {} of several homes", table.name));
        }
    }

    /// Checks that inserted rows come from the node to which they go: from the row of their agency,
    /// or from other rows of the agency.
    fn inserted(&mut self, table: &Table, select: &Select, home: usize) {
        if table.home != Home::Agency {
            return self.complain(format!("inserts several {}", table.name));
        }
        let from: Vec<_> = select.from.iter().collect();
        let scope = Scope::new(&from, select.selection.as_ref(), None);
        let column = |item: &SelectItem| match item {
            SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
                scope.place(expr)
            }
            _ => None,
        };
        let is_expr = |item: &SelectItem| {
            matches!(item, SelectItem::UnnamedExpr(_) | SelectItem::ExprWithAlias { .. })
        };
        let place = select.projection.get(home).and_then(column);
        let routed = place.is_some_and(|place| {
            scope.homes().any(|(of, home)| of.home == Home::Agency && home.as_ref() == Some(&place))
        });
        if !routed || !select.projection.iter().take(home).all(is_expr) {
            self.complain(format!("inserts {} that are not selected from their home", table.name));
        }
    }

    fn update(&mut self, update: &Update, outer: Option<&Scope<'_>>) {
        let mut from = vec![&update.table];
        if let Some(
            UpdateTableFromKind::AfterSet(tables) | UpdateTableFromKind::BeforeSet(tables),
        ) = &update.from
        {
            from.extend(tables);
        }
        if let TableFactor::Table { name, .. } = &update.table.relation
            && let Some(table) = table_of(name)
        {
            self.assignments(table, &update.assignments);
        }
        self.change(update, &from, update.selection.as_ref(), outer);
    }

    fn delete(&mut self, delete: &Delete, outer: Option<&Scope<'_>>) {
        let (FromTable::WithFromKeyword(tables) | FromTable::WithoutKeyword(tables)) = &delete.from;
        let from: Vec<_> = tables.iter().chain(delete.using.iter().flatten()).collect();
        self.change(delete, &from, delete.selection.as_ref(), outer);
    }

    fn change(
        &mut self,
        change: &impl Visit,
        from: &[&TableWithJoins],
        condition: Option<&Expr>,
        outer: Option<&Scope<'_>>,
    ) {
        let scope = Scope::new(from, condition, outer);
        self.homes(&scope);
        self.inner(change, &scope);
        let repeats = visit_expressions(change, |expr| match expr {
            Expr::In { target: InTarget::Subquery(query), .. } if query.limit_clause.is_some() => {
                ControlFlow::Break(())
            }
            _ => ControlFlow::Continue(()),
        });
        if repeats.is_break() {
            self.complain("has a LIMIT in a subselect that may run again for each row");
        }
    }

    fn assignments(&mut self, table: &Table, assignments: &[Assignment]) {
        let home = home_column(table);
        let sets_home = assignments.iter().any(|assignment| {
            let columns = match &assignment.target {
                AssignmentTarget::ColumnName(column) => std::slice::from_ref(column),
                AssignmentTarget::Tuple(columns) => columns,
            };
            columns.iter().any(|column| Some(column.to_string().as_str()) == home)
        });
        if sets_home {
            self.complain(format!("sets the home of {}", table.name));
        }
    }
}

/// Whether this is one of the reads that may go to several nodes.
fn is_across(select: &Select, query: &Query, scope: &Scope<'_>) -> bool {
    scope.homes().all(|(table, place)| {
        let by_key = is_kept_by_its_key(table);
        let conditions = select.selection.iter().flat_map(conjuncts);
        let of_keys = by_key
            && conditions.into_iter().any(|condition| {
                matches!(condition, Expr::AnyOp { left, compare_op: BinaryOperator::Eq, right, .. }
                    if scope.place(left) == place && parameter(right).is_some())
            });
        of_keys || (by_key || *table == AGENCIES) && query.limit_clause.is_some()
    })
}

fn has_parameter(part: &impl Visit) -> bool {
    let found = visit_expressions(part, |expr| match expr {
        Expr::Value(value) if matches!(value.value, Value::Placeholder(_)) => {
            ControlFlow::Break(())
        }
        _ => ControlFlow::Continue(()),
    });
    found.is_break()
}

/// The outermost queries inside a part.
fn outermost(part: &impl Visit) -> Vec<Query> {
    #[derive(Default)]
    struct Outermost {
        depth: usize,
        found: Vec<Query>,
    }

    impl Visitor for Outermost {
        type Break = ();

        fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
            if self.depth == 0 {
                self.found.push(query.clone());
            }
            self.depth += 1;
            ControlFlow::Continue(())
        }

        fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            self.depth -= 1;
            ControlFlow::Continue(())
        }
    }

    let mut queries = Outermost::default();
    let _ = part.visit(&mut queries);
    queries.found
}
