//! The plan of a page.
//!
//! The planner needs half a millisecond to estimate how common a term is, and takes what is common
//! for evenly spread. The newest rows tell at once: if they have the terms, walking down the list
//! soon fills a page, and no plan is needed; if not, what there is is older, and all of it is asked
//! for, so that the planner takes the index. What they do not tell is left to the planner.

use super::pipeline::Statement;
use super::questions::{Question, cannot_match};
use super::session::Session;
use super::sql::{DIALECT, select, typed};
use crate::error::Result;
use crate::schema::RESELLERS;
use crate::storage::sql::Conditions;
use crate::storage::{Filter, PageSpec};

/// What is between these has one plan, whatever its values are: down the index that has the order
/// of the list, and nothing has to be sorted. Planned for any values, an agency is as small as they
/// are on average, and sorting all of it would seem to cost nothing.
const DOWN_THE_LIST: Statement = Statement::Plain(
    "SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_sort = off; \
     SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off",
);
const AS_USUAL: Statement = Statement::Plain(
    "SET LOCAL plan_cache_mode = auto; SET LOCAL enable_sort = on; \
     SET LOCAL enable_seqscan = on; SET LOCAL enable_bitmapscan = on",
);

const NEWEST_FIRST: &str = " ORDER BY created_at DESC, id DESC";

/// More terms than these are too many texts of statements to keep.
const TERMS: usize = 4;

/// How to find a page.
enum Plan {
    /// Down the list.
    Walk,
    /// All that the index finds, sorted then.
    Index,
    /// As the planner likes.
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

/// No index has the conditions as they are written here, and whatever the terms are, the planner
/// takes every second row for one that meets them.
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

/// What is found is sorted by what is narrow.
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

/// Whether a database of any locale has trigrams of a term.
fn is_indexed(term: &str) -> bool {
    term.as_bytes().windows(3).any(|piece| piece.iter().all(u8::is_ascii_alphanumeric))
}
