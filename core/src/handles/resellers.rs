//! Every reseller that a query finds, one after another.

use std::collections::VecDeque;

use crate::{Agency, Reseller, ResellerQuery, Result};

/// The resellers that a query finds, read page by page as they are asked for.
///
/// After an error the next call reads the same page again.
pub struct Resellers {
    agency: Agency,
    read: VecDeque<Reseller>,
    /// The query of the next page; `None` after the last page.
    next: Option<ResellerQuery>,
}

impl Agency {
    /// Every reseller that a query finds. The query's limit is the size of a page, and each page
    /// is a call of [`page`](Self::page), whose errors it has.
    ///
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/setup.rs")); }
    /// # let setup::Scene { platform, agency, acme, password, form } = setup::scene()?;
    /// use partnerkit::ResellerQuery;
    ///
    /// agency.create_reseller(form)?;
    /// for reseller in agency.search(ResellerQuery::all()) {
    ///     println!("{}", reseller?.name);
    /// }
    /// assert_eq!(agency.search(ResellerQuery::text("telecom")).count(), 1);
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub fn search(&self, query: ResellerQuery) -> Resellers {
        Resellers { agency: self.clone(), read: VecDeque::new(), next: Some(query) }
    }
}

impl Resellers {
    /// The next reseller of the page that has been read.
    #[cfg(feature = "tokio")]
    pub(crate) fn read(&mut self) -> Option<Reseller> {
        self.read.pop_front()
    }
}

impl Iterator for Resellers {
    type Item = Result<Reseller>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.read.is_empty() {
            let query = self.next.as_ref()?;
            match self.agency.page(query) {
                Ok(page) => {
                    self.next = page.next.map(|cursor| query.clone().after(cursor));
                    self.read = page.resellers.into();
                }
                Err(error) => return Some(Err(error)),
            }
        }
        self.read.pop_front().map(Ok)
    }
}
