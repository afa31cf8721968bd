//! Checks whether a distributed server (Citus) accepts the statements that a store has sent, and
//! can route them to one node. Nothing here runs them; the rules are from trials on a cluster. It
//! accepts several parts of a `WITH` that change rows, but runs them one after another, through the
//! coordinator. The rules are:
//!
//! - For each table, the home column is compared with a parameter by equality, directly or through
//!   a join. The exceptions read without locks: agencies in their order, and, of scattered rows,
//!   several keys or the first ones of an order.
//! - Rows of an agency are inserted by `VALUES`, or selected from its own row. No statement changes
//!   or locks several scattered rows; `VALUES` may insert several.
//! - There is no parameter after `ON CONFLICT` of an `INSERT … SELECT`, and no subselect in
//!   `VALUES`.
//! - A home column is never set, and only known functions are called in statements that change
//!   rows.
//! - In statements that change rows, `IN` has no subselect with a `LIMIT`, which might run again
//!   for each row.
//! - A generic plan is used only for statements on one table.

mod judge;
mod scope;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, Insert, ObjectName, Query, SetExpr, Statement, TableFactor, TableObject, Visit, Visitor,
};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, Tokenizer};

use crate::wire::Sent;
use judge::Judge;
use partnerkit::schema::{TABLES, Table};

/// What is wrong with the statements of one connection, which are given in their order. Each text
/// is reported once.
pub fn complaints<'s>(sent: impl IntoIterator<Item = &'s Sent>) -> BTreeSet<String> {
    let (mut found, mut judged, mut generic) = (BTreeSet::new(), BTreeSet::new(), false);
    for statement in sent {
        if judged.insert((statement, generic)) {
            let wrong = judge(statement, generic);
            found.extend(wrong.into_iter().map(|wrong| format!("{wrong}: {}", statement.sql)));
        }
        if !statement.parameters {
            generic = plans_for_any_values(&statement.sql).unwrap_or(generic);
        }
    }
    found
}

/// Whether plans are generic after a statement, if it changes that.
fn plans_for_any_values(sql: &str) -> Option<bool> {
    let (_, mode) = sql.rsplit_once("plan_cache_mode = ")?;
    Some(mode.starts_with("force_generic_plan"))
}

fn judge(Sent { sql, parameters }: &Sent, generic: bool) -> Vec<String> {
    // Statements that name no table (transactions and settings) need not be parsed.
    if !TABLES.iter().any(|table| sql.contains(&format!("partnerkit.{}", table.name))) {
        return Vec::new();
    }
    let statements = match parse(sql) {
        Ok(statements) if statements.len() == 1 && *parameters => statements,
        Ok(_) => return vec!["names a table and has no parameters".to_owned()],
        Err(error) => return vec![format!("cannot be read ({error})")],
    };
    let mut all = All::of(&statements);
    let mut judge = Judge::new(all.modifies, generic);
    judge.statement(&statements[0], None);
    let mut complaints = judge.complaints;
    if generic && !all.is_simple() {
        complaints.push("has no plan for any values".to_owned());
    }
    let own_key = all.tables.iter().find(|table| scope::is_kept_by_its_key(table));
    if own_key.is_some_and(|own_key| all.tables.iter().any(|table| table != own_key)) {
        complaints.push("names a table that is kept by its own key, and another one".to_owned());
    }
    all.calls.retain(|name| !HARMLESS.contains(&&**name));
    if all.modifies && !all.calls.is_empty() {
        complaints.push(format!("calls {:?} where rows change", all.calls));
    }
    complaints
}

/// Functions that return the same result for the same arguments.
const HARMLESS: [&str; 8] =
    ["array", "coalesce", "count", "greatest", "least", "max", "row_number", "unnest"];

/// The parser does not know the weaker locks, which are routed like the stronger ones.
fn parse(sql: &str) -> Result<Vec<Statement>, String> {
    let dialect = PostgreSqlDialect {};
    let tokens = Tokenizer::new(&dialect, sql).tokenize().map_err(|error| error.to_string())?;
    let words: Vec<_> =
        tokens.into_iter().filter(|token| !matches!(token, Token::Whitespace(_))).collect();
    let is = |token: Option<&Token>, word: &str| matches!(token, Some(Token::Word(found)) if found.value.eq_ignore_ascii_case(word));
    let mut kept: Vec<Token> = Vec::new();
    for (n, token) in words.iter().enumerate() {
        let next = words.get(n + 1);
        let is_weak = is(kept.last(), "FOR") && is(Some(token), "NO") && is(next, "KEY")
            || is(kept.last(), "FOR") && is(Some(token), "KEY");
        if !is_weak {
            kept.push(token.clone());
        }
    }
    let mut parser = Parser::new(&dialect).with_tokens(kept);
    parser.parse_statements().map_err(|error| error.to_string())
}

/// What occurs anywhere in a statement.
#[derive(Default)]
struct All {
    tables: BTreeSet<ByName>,
    relations: usize,
    queries: usize,
    calls: BTreeSet<String>,
    modifies: bool,
}

/// A table, ordered by its name.
#[derive(Clone, Copy, PartialEq, Eq)]
struct ByName(&'static Table);

impl PartialOrd for ByName {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ByName {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.name.cmp(other.0.name)
    }
}

impl std::ops::Deref for ByName {
    type Target = Table;

    fn deref(&self) -> &Table {
        self.0
    }
}

impl All {
    fn of(statements: &[Statement]) -> Self {
        let mut all = Self::default();
        let _ = statements.iter().try_for_each(|statement| statement.visit(&mut all));
        all
    }

    /// Whether a statement can be sent to its node without being planned.
    fn is_simple(&self) -> bool {
        self.relations == 1 && self.queries <= 1 && self.tables.len() == 1
    }
}

impl Visitor for All {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        self.queries += usize::from(!matches!(*query.body, SetExpr::Values(_)));
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, _: &TableFactor) -> ControlFlow<()> {
        self.relations += 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, name: &ObjectName) -> ControlFlow<()> {
        self.tables.extend(table_of(name).map(ByName));
        ControlFlow::Continue(())
    }

    fn pre_visit_statement(&mut self, statement: &Statement) -> ControlFlow<()> {
        self.modifies |= !matches!(statement, Statement::Query(_));
        if let Statement::Insert(Insert { table: TableObject::TableName(_), .. }) = statement {
            self.relations += 1;
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if let Expr::Function(function) = expr {
            self.calls.insert(function.name.to_string().to_lowercase());
        }
        ControlFlow::Continue(())
    }
}

/// Our table with this name, if it is one.
fn table_of(name: &ObjectName) -> Option<&'static Table> {
    let [schema, table] = &name.0[..] else { return None };
    let (schema, table) = (&schema.as_ident()?.value, &table.as_ident()?.value);
    TABLES.iter().copied().find(|known| schema == "partnerkit" && known.name == table)
}
