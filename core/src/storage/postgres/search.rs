//! The query plan of a page.
//!
//! The planner needs half a millisecond to estimate how common a term is, and assumes that common
//! terms are evenly spread. The sample of the newest rows tells it at once: if they have the terms,
//! walking down the list soon fills a page, and no plan has to be made. If not, the matches are
//! older, and all of them are selected, so that the planner uses the index. Pages that the sample
//! does not decide are left to the planner.

use super::pipeline::Statement;
use super::questions::{Question, cannot_match};
use super::session::Session;
use super::sql::{DIALECT, select, typed};
use crate::error::Result;
use crate::schema::RESELLERS;
use crate::storage::sql::Conditions;
use crate::storage::{Filter, PageSpec};

/// The statement between this one and [`AS_USUAL`] gets one plan for all values: it follows the
/// index in the order of the list, without sorting. With a generic plan the planner assumes an
/// agency of average size, for which sorting would seem to cost nothing, so sorting is switched
/// off.
const DOWN_THE_LIST: Statement = Statement::Plain(
    "SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_sort = off; \
     SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off",
);
const AS_USUAL: Statement = Statement::Plain(
    "SET LOCAL plan_cache_mode = auto; SET LOCAL enable_sort = on; \
     SET LOCAL enable_seqscan = on; SET LOCAL enable_bitmapscan = on",
);

const NEWEST_FIRST: &str = " ORDER BY created_at DESC, id DESC";

/// With more terms than these, there would be too many different statements to keep.
const TERMS: usize = 4;

/// How to find a page.
enum Plan {
    /// Walks down the list.
    Walk,
    /// Sorts everything that the index finds.
    Index,
    /// Leaves the choice to the planner.
    Free,
}

impl Session<'_> {
    pub(super) fn page(&mut self, spec: &PageSpec) -> Result<Question> {
        let statements = match self.plan(spec)? {
            _ if cannot_match(&spec.filter) => Vec::new(),
            Plan::Walk => vec![DOWN_THE_LIST, walking(spec), AS_USUAL],
            Plan::Index => vec![by_index(spec)],
            Plan::Free => vec![as_planned(spec)],
        };
        Ok(Question::found(&RESELLERS, statements))
    }

    fn plan(&mut self, spec: &PageSpec) -> Result<Plan> {
        let PageSpec { filter, order, descending, after, .. } = spec;
        let terms = &filter.terms;
        if filter.is_all() {
            return Ok(Plan::Walk);
        }
        let newest_first = *order == "created_at" && *descending && after.is_none();
        if !newest_first || !filter.conditions.is_empty() || terms.len() > TERMS {
            return Ok(Plan::Free);
        }
        Ok(match self.newest_have_often(&filter.agency, terms)? {
            true => Plan::Walk,
            false if terms.iter().any(|term| is_indexed(term)) => Plan::Index,
            false => Plan::Free,
        })
    }
}

/// The statement that walks down the list. The conditions are wrapped in `CASE`, so that no index
/// matches them, and the planner expects every second row to match.
fn walking(spec: &PageSpec) -> Statement {
    let mut conditions = Conditions::of_filter(&Filter::all(spec.filter.agency.clone()), DIALECT);
    let of_agency = conditions.sql.len();
    conditions.filter(&spec.filter);
    let further = conditions.sql.split_off(of_agency);
    if !further.is_empty() {
        conditions.and(format_args!("CASE WHEN true{further} THEN true ELSE false END"));
    }
    conditions.behind_and_in_order(spec);
    let Conditions { sql, params, .. } = conditions;
    let sql = format!("{}{sql} LIMIT {}", select(&RESELLERS), spec.limit);
    Statement::kept(sql, typed(params))
}

/// The statement that uses the index. Only times and ids are sorted, because complete rows are
/// wide.
fn by_index(spec: &PageSpec) -> Statement {
    let Conditions { sql, params, .. } = Conditions::of_filter(&spec.filter, DIALECT);
    let page = format!(
        "{} WHERE agency = $1 AND id = ANY(ARRAY(WITH found AS MATERIALIZED \
         (SELECT created_at, id FROM partnerkit.resellers{sql}) \
         SELECT id FROM found{NEWEST_FIRST} LIMIT {})){NEWEST_FIRST}",
        select(&RESELLERS),
        spec.limit
    );
    Statement::once(page, typed(params))
}

fn as_planned(spec: &PageSpec) -> Statement {
    let Conditions { sql, params, .. } = Conditions::of_page(spec, DIALECT);
    Statement::once(format!("{}{sql}", select(&RESELLERS)), typed(params))
}

/// Whether the index has trigrams of a term in a database of any locale.
fn is_indexed(term: &str) -> bool {
    term.as_bytes().windows(3).any(|piece| piece.iter().all(u8::is_ascii_alphanumeric))
}
