//! Lists and search: the query as a host gives it, and the page it gets back.

mod cursor;
#[cfg(feature = "sqlite")]
mod pieces;
mod sort;

pub(crate) use cursor::CursorSeal;
#[cfg(feature = "sqlite")]
pub(crate) use pieces::{pieces_of_term, pieces_of_text};
pub use sort::{Position, Sort, SortBy, SortKey};

use crate::error::{FieldErrors, Refusal, Result};
use crate::given::limit;
use crate::partner_type::PartnerType;
use crate::reseller::{Reseller, Status};
use crate::schema::Value;
use crate::schema::entity::stored;
use crate::storage::{Condition, Filter, Is, PageSpec};
use crate::values::{AgencyId, Timestamp, fold};
use serde::{Deserialize, Serialize};

const DEFAULT_LIMIT: u32 = 25;
const MAX_LIMIT: u32 = 200;
/// Counting stops here, because a number that is shown as "more than" need not be exact (S30).
const MAX_COUNT: u64 = 10_000;

/// Which resellers to list, and in what order: the newest first unless it is set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ResellerQuery {
    /// Terms separated by white space. Each must occur in the name or the email; case and accents
    /// are ignored, and there are no wildcards.
    pub text: String,
    /// Only resellers of this status.
    pub status: Option<Status>,
    /// Only resellers of this partner type.
    pub partner_type: Option<PartnerType>,
    /// Only resellers that joined at this instant or later.
    pub joined_from: Option<Timestamp>,
    /// Only resellers that joined before this instant.
    pub joined_before: Option<Timestamp>,
    /// The order; by default by the time of joining.
    pub sort: SortBy,
    /// Whether the largest comes first. By default the newest comes first, but texts are in
    /// alphabetical order.
    pub descending: Option<bool>,
    /// The size of a page: 1–200, by default 25.
    #[serde(deserialize_with = "limit")]
    pub limit: Option<u32>,
    /// Where the page begins: the [`Page::next`] of the previous page. Such a cursor contains the
    /// last row's place, which is a name or email if that is the order: keep it out of logs like
    /// these.
    pub after: Option<String>,
    /// Whether to count the resellers on all pages together, too.
    pub with_total: bool,
}

/// A page of resellers, and where the next page begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Page {
    /// The resellers, at most as many as the query's limit.
    pub resellers: Vec<Reseller>,
    /// The cursor that the query for the next page takes as `after`; `None` at the end.
    pub next: Option<String>,
    /// The number of resellers on all pages, if the query asked for it.
    pub total: Option<Total>,
}

/// How many resellers a query finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Total {
    /// This many.
    Exact(u64),
    /// This many or more, because counting stopped.
    AtLeast(u64),
}

impl ResellerQuery {
    /// Every reseller.
    ///
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/setup.rs")); }
    /// # let setup::Scene { platform, agency, acme, password, form } = setup::scene()?;
    /// use partnerkit::ResellerQuery;
    ///
    /// agency.create_reseller(form)?;
    /// assert_eq!(agency.page(&ResellerQuery::all())?.resellers.len(), 2);
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub fn all() -> Self {
        Self::default()
    }

    /// Resellers whose name or email contains every term of the text; white space separates terms.
    /// Neither case nor accents matter, and nothing in a term is a wildcard.
    ///
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/setup.rs")); }
    /// # let setup::Scene { platform, agency, acme, password, form } = setup::scene()?;
    /// use partnerkit::ResellerQuery;
    ///
    /// agency.create_reseller(form)?;
    /// assert_eq!(agency.page(&ResellerQuery::text("telecom acme"))?.resellers, [acme]);
    /// assert!(agency.page(&ResellerQuery::text("%"))?.resellers.is_empty());
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// Only resellers of this status.
    ///
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/setup.rs")); }
    /// # let setup::Scene { platform, agency, acme, password, form } = setup::scene()?;
    /// use partnerkit::{ResellerQuery, Status};
    ///
    /// let globex = agency.create_reseller(form)?;
    /// let globex = agency.deactivate(globex.id, None)?;
    /// let query = ResellerQuery::all().status(Status::Inactive);
    /// assert_eq!(agency.page(&query)?.resellers, [globex]);
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub fn status(mut self, status: Status) -> Self {
        self.status = Some(status);
        self
    }

    /// Only resellers of this partner type.
    ///
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/setup.rs")); }
    /// # let setup::Scene { platform, agency, acme, password, form } = setup::scene()?;
    /// use partnerkit::{PartnerType, ResellerQuery};
    ///
    /// let query = ResellerQuery::all().partner_type(PartnerType::OwnPlans);
    /// assert_eq!(agency.page(&query)?.resellers, [acme]);
    /// let query = ResellerQuery::all().partner_type(PartnerType::Commission);
    /// assert!(agency.page(&query)?.resellers.is_empty());
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub fn partner_type(mut self, partner_type: PartnerType) -> Self {
        self.partner_type = Some(partner_type);
        self
    }

    /// Only resellers that joined at this instant or later.
    ///
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/setup.rs")); }
    /// # let setup::Scene { platform, agency, acme, password, form } = setup::scene()?;
    /// use partnerkit::ResellerQuery;
    ///
    /// let query = ResellerQuery::all().joined_from(acme.created_at);
    /// assert_eq!(agency.page(&query)?.resellers, [acme]);
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub fn joined_from(mut self, from: Timestamp) -> Self {
        self.joined_from = Some(from);
        self
    }

    /// Only resellers that joined before this instant.
    ///
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/setup.rs")); }
    /// # let setup::Scene { platform, agency, acme, password, form } = setup::scene()?;
    /// use partnerkit::ResellerQuery;
    ///
    /// let query = ResellerQuery::all().joined_before(acme.created_at); // not at that instant
    /// assert!(agency.page(&query)?.resellers.is_empty());
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub fn joined_before(mut self, before: Timestamp) -> Self {
        self.joined_before = Some(before);
        self
    }

    /// Sorted by this, the smallest first.
    ///
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/setup.rs")); }
    /// # let setup::Scene { platform, agency, acme, password, form } = setup::scene()?;
    /// use partnerkit::{ResellerQuery, SortBy};
    ///
    /// agency.create_reseller(form)?;
    /// let page = agency.page(&ResellerQuery::all().ascending(SortBy::Name))?;
    /// let names: Vec<_> = page.resellers.iter().map(|reseller| reseller.name.as_str()).collect();
    /// assert_eq!(names, ["Acme Télécom", "Globex"]);
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub fn ascending(mut self, by: SortBy) -> Self {
        (self.sort, self.descending) = (by, Some(false));
        self
    }

    /// Sorted by this, the largest first.
    ///
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/setup.rs")); }
    /// # let setup::Scene { platform, agency, acme, password, form } = setup::scene()?;
    /// use partnerkit::{ResellerQuery, SortBy};
    ///
    /// agency.create_reseller(form)?;
    /// let page = agency.page(&ResellerQuery::all().descending(SortBy::Name))?;
    /// let names: Vec<_> = page.resellers.iter().map(|reseller| reseller.name.as_str()).collect();
    /// assert_eq!(names, ["Globex", "Acme Télécom"]);
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub fn descending(mut self, by: SortBy) -> Self {
        (self.sort, self.descending) = (by, Some(true));
        self
    }

    /// At most this many resellers on a page: 1–200, and 25 unless it is set.
    ///
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/setup.rs")); }
    /// # let setup::Scene { platform, agency, acme, password, form } = setup::scene()?;
    /// use partnerkit::ResellerQuery;
    ///
    /// agency.create_reseller(form)?;
    /// let page = agency.page(&ResellerQuery::all().limit(1))?;
    /// assert_eq!((page.resellers.len(), page.next.is_some()), (1, true));
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// The page after the one whose [`Page::next`] this is. Such a cursor holds the last row's
    /// place, which is a name or an email if the list is sorted by that: keep it out of logs as you
    /// keep those.
    ///
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/setup.rs")); }
    /// # let setup::Scene { platform, agency, acme, password, form } = setup::scene()?;
    /// use partnerkit::ResellerQuery;
    ///
    /// agency.create_reseller(form)?;
    /// let mut query = Some(ResellerQuery::all().limit(1));
    /// let mut seen = 0;
    /// while let Some(asked) = query {
    ///     let page = agency.page(&asked)?;
    ///     seen += page.resellers.len();
    ///     query = page.next.map(|cursor| asked.after(cursor));
    /// }
    /// assert_eq!(seen, 2);
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub fn after(mut self, cursor: impl Into<String>) -> Self {
        self.after = Some(cursor.into());
        self
    }

    /// Also counts the resellers on all pages together.
    ///
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/setup.rs")); }
    /// # let setup::Scene { platform, agency, acme, password, form } = setup::scene()?;
    /// use partnerkit::{ResellerQuery, Total};
    ///
    /// let page = agency.page(&ResellerQuery::all().limit(1).with_total())?;
    /// assert_eq!(page.total, Some(Total::Exact(1)));
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub fn with_total(mut self) -> Self {
        self.with_total = true;
        self
    }

    /// The query for a store. It asks for one row more than the page has, which tells whether there
    /// is a next page.
    pub(crate) fn spec(&self, seal: &CursorSeal<'_>) -> Result<PageSpec> {
        let problems = self.problems();
        if !problems.is_empty() {
            return Err(problems.into());
        }
        let after = match &self.after {
            Some(cursor) => Some(seal.open(cursor, &self.fingerprint())?.values()),
            None => None,
        };
        let Sort { by, descending } = self.order();
        let order = by.column();
        Ok(PageSpec {
            filter: self.filter(seal.agency),
            order,
            descending,
            after,
            limit: self.limit.unwrap_or(DEFAULT_LIMIT) + 1,
        })
    }

    /// Everything that can be wrong without regard to what is stored, in the order of the form.
    pub(crate) fn problems(&self) -> FieldErrors {
        let mut errors = FieldErrors::default();
        let text = if self.text.len() > 1_024 { Err(Refusal::too_long(1_024)) } else { Ok(()) };
        errors.keep("text", text);
        let limit = match self.limit.unwrap_or(DEFAULT_LIMIT) {
            1..=MAX_LIMIT => Ok(()),
            _ => Err(Refusal::out_of_range(1, MAX_LIMIT.into())),
        };
        errors.keep("limit", limit);
        errors
    }

    fn filter(&self, agency: &AgencyId) -> Filter {
        let terms = self.text.split_whitespace().map(fold).collect();
        Filter { agency: agency.clone(), terms, conditions: self.conditions() }
    }

    /// The conditions besides the terms.
    fn conditions(&self) -> Vec<Condition> {
        let at = |at: Timestamp| Value::Integer(at.as_millis());
        let conditions = [
            ("status", self.status.map(|status| Is::Slug(status.slug()))),
            ("partner_type", self.partner_type.map(|of| Is::Slug(of.slug()))),
            ("created_at", self.joined_from.map(|from| Is::AtLeast(at(from)))),
            ("created_at", self.joined_before.map(|before| Is::Below(at(before)))),
        ];
        let asked = conditions.into_iter().filter_map(|(column, is)| Some((column, is?)));
        asked.map(|(column, is)| Condition { column, is }).collect()
    }

    fn order(&self) -> Sort {
        let descending = self.descending.unwrap_or(self.sort.descends());
        Sort { by: self.sort, descending }
    }

    /// The number at which a store may stop counting; `None` if no count was asked for.
    pub(crate) fn count_up_to(&self) -> Option<u64> {
        self.with_total.then_some(MAX_COUNT)
    }

    /// Removes the extra row, and makes the cursor for the next page.
    pub(crate) fn page(
        &self,
        mut rows: Vec<Reseller>,
        counted: Option<u64>,
        spec: &PageSpec,
        seal: &CursorSeal<'_>,
    ) -> Result<Page> {
        let limit = spec.limit as usize - 1;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let last = rows.last().filter(|_| more).map(|last| self.order().position(last));
        let next = last.map(|position| seal.close(&position, &self.fingerprint())).transpose()?;
        let total =
            counted.map(|n| if n < MAX_COUNT { Total::Exact(n) } else { Total::AtLeast(n) });
        Ok(Page { resellers: rows, next, total })
    }

    /// Everything that must be unchanged for a cursor to continue the query; the limit may change.
    fn fingerprint(&self) -> String {
        let Sort { by, descending } = self.order();
        let (conditions, by, text) = (self.conditions(), by.slug(), fold(&self.text));
        format!("{conditions:?}\n{by}\n{descending}\n{text}")
    }
}

stored! {
    /// The folded texts by which lists are sorted and in which searches look.
    #[derive(Debug)]
    pub(crate) struct Folded {
        pub email_key: String,
        pub sort_name: String,
        pub sort_email: String,
        /// Name and email on a line each, so that no term matches across both.
        pub search_text: String,
    }
}

impl Folded {
    pub fn of(reseller: &Reseller) -> Self {
        let (sort_name, sort_email) = (fold(reseller.name.as_str()), fold(reseller.email.as_str()));
        let search_text = [&*sort_name, "\n", &sort_email].concat();
        Self { email_key: reseller.email.key(), sort_name, sort_email, search_text }
    }
}
