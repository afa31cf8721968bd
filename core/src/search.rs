//! Lists and search: the query as a host gives it, and the page it gets back.

mod cursor;
mod fold;

pub(crate) use cursor::CursorSeal;
pub(crate) use fold::fold;

use crate::error::{Code, FieldError, Refusal, Result};
use crate::reseller::{Reseller, ResellerId, Status};
use crate::values::Timestamp;

const DEFAULT_LIMIT: u32 = 25;
const MAX_LIMIT: u32 = 200;

/// Which resellers to list, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResellerQuery {
    text: String,
    status: Option<Status>,
    limit: Option<u32>,
    after: Option<String>,
}

/// Resellers, and where the next page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// At most as many as the query's limit.
    pub resellers: Vec<Reseller>,
    /// Give this to [`ResellerQuery::after`] for the next page; `None` at the end.
    pub next: Option<String>,
}

/// A row's place in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// When the reseller joined.
    pub created_at: Timestamp,
    /// Decides between resellers of one millisecond.
    pub id: ResellerId,
}

impl Position {
    /// The place of a reseller.
    pub fn of(reseller: &Reseller) -> Self {
        Self { created_at: reseller.created_at, id: reseller.id }
    }
}

/// A page of resellers, newest first: by `created_at`, then `id`, both descending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageSpec {
    /// Folded terms; each must be a substring of the row's `search_text`. No wildcards.
    pub terms: Vec<String>,
    /// Only this status.
    pub status: Option<Status>,
    /// Only rows behind this place.
    pub after: Option<Position>,
    /// At most this many rows.
    pub limit: u32,
}

impl ResellerQuery {
    /// Every reseller.
    pub fn all() -> Self {
        Self::default()
    }

    /// Resellers in whose name or email every white-space separated term occurs, whatever its
    /// case and accents; nothing in a term is a wildcard (S27).
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// Only resellers of this status.
    pub fn status(mut self, status: Status) -> Self {
        self.status = Some(status);
        self
    }

    /// At most this many a page: 1–200, 25 when not said (S28).
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// The page that follows the one whose [`Page::next`] this is.
    pub fn after(mut self, cursor: impl Into<String>) -> Self {
        self.after = Some(cursor.into());
        self
    }

    /// The query as a store runs it, one row longer than the page: the extra row tells that
    /// there is a next page.
    pub(crate) fn spec(&self, seal: &CursorSeal<'_>) -> Result<PageSpec> {
        let limit = self.limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            let range = vec![("min", 1), ("max", MAX_LIMIT.into())];
            let refusal = Refusal { code: Code::OutOfRange, params: range };
            return Err(crate::error::FieldErrors::from(refusal.of("limit")).into());
        }
        if self.text.len() > 1_024 {
            let error: FieldError = Refusal::too_long(1_024).of("text");
            return Err(crate::error::FieldErrors::from(error).into());
        }
        let after = match &self.after {
            Some(cursor) => Some(seal.open(cursor, &self.fingerprint())?),
            None => None,
        };
        let terms = fold(&self.text).split_whitespace().map(str::to_owned).collect();
        Ok(PageSpec { terms, status: self.status, after, limit: limit + 1 })
    }

    /// Cuts the extra row off and tells where the next page begins.
    pub(crate) fn page(
        &self,
        mut rows: Vec<Reseller>,
        spec: &PageSpec,
        seal: &CursorSeal<'_>,
    ) -> Page {
        let limit = spec.limit as usize - 1;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let last = rows.last().filter(|_| more).map(Position::of);
        let next = last.map(|position| seal.close(position, &self.fingerprint()));
        Page { resellers: rows, next }
    }

    /// What must be the same for a cursor to continue the query; the limit may change.
    fn fingerprint(&self) -> String {
        format!("{}\n{}", self.status.map_or("", Status::slug), fold(&self.text))
    }
}

/// The text a search looks into: folded name and email.
pub(crate) fn searchable(name: &str, email: &str) -> String {
    format!("{}\n{}", fold(name), fold(email))
}
