//! Which resellers to list: named conditions into the core's query.

use partnerkit::{Code, PartnerType, ResellerQuery, SortBy};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::refused;
use crate::value::{self, Text, Typed, only, status, timestamp};

const CONDITIONS: &[&str] = &[
    "text",
    "status",
    "partner_type",
    "joined_from",
    "joined_before",
    "sort",
    "descending",
    "limit",
];

/// The query of a list, from its text and conditions by name.
pub fn query(
    py: Python<'_>,
    text: Text,
    conditions: Option<&Bound<'_, PyDict>>,
) -> PyResult<ResellerQuery> {
    let mut query = ResellerQuery::text(text.of(py, "text")?);
    let Some(conditions) = conditions else { return Ok(query) };
    only(conditions, CONDITIONS)?;
    let given =
        |name| -> PyResult<_> { Ok(conditions.get_item(name)?.filter(|value| !value.is_none())) };
    let slug = |name| given(name)?.map(|value| value.extract::<Typed>()).transpose();
    if let Some(Typed(slug)) = slug("status")? {
        query = query.status(status(py, &slug)?);
    }
    if let Some(Typed(slug)) = slug("partner_type")? {
        let kind = PartnerType::from_slug(&slug);
        query = query.partner_type(kind.ok_or_else(|| refused(py, "partner_type", Code::Invalid))?);
    }
    if let Some(from) = given("joined_from")? {
        query = query.joined_from(timestamp(&from)?);
    }
    if let Some(before) = given("joined_before")? {
        query = query.joined_before(timestamp(&before)?);
    }
    let sort = slug("sort")?;
    let by = sort.map_or(Some(SortBy::default()), |Typed(slug)| SortBy::from_slug(&slug));
    let by = by.ok_or_else(|| refused(py, "sort", Code::Invalid))?;
    let descending = match given("descending")? {
        Some(descending) => descending.is_truthy()?,
        None => by.descends(),
    };
    query = if descending { query.descending(by) } else { query.ascending(by) };
    match given("limit")? {
        Some(limit) => Ok(query.limit(value::limit(&limit)?)),
        None => Ok(query),
    }
}
