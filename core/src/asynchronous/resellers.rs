//! Every reseller that a query finds, awaited one after another.

use super::{AsyncAgency, blocking};
use crate::{Reseller, ResellerQuery, Resellers, Result};

/// The resellers that a query finds, read page by page as they are asked for.
pub struct AsyncResellers(Option<Resellers>);

impl AsyncAgency {
    /// [`Agency::search`](crate::Agency::search), awaited one by one.
    ///
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/setup.rs")); }
    /// # let setup::Scene { platform, agency, acme, password, form } = setup::scene()?;
    /// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    /// # runtime.block_on(async {
    /// use partnerkit::{AsyncAgency, ResellerQuery};
    ///
    /// let mut found = AsyncAgency::from(agency).search(ResellerQuery::text("telecom"));
    /// while let Some(reseller) = found.next().await {
    ///     assert_eq!(reseller?.id, acme.id);
    /// }
    /// # Ok::<(), partnerkit::Error>(()) })?;
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub fn search(&self, query: ResellerQuery) -> AsyncResellers {
        AsyncResellers(Some(self.0.search(query)))
    }
}

impl AsyncResellers {
    /// The next reseller; `None` at the end. After an error the next call reads the same page again.
    /// A call whose future is dropped before its end leaves nothing to read.
    ///
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/setup.rs")); }
    /// # let setup::Scene { platform, agency, acme, password, form } = setup::scene()?;
    /// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    /// # runtime.block_on(async {
    /// use partnerkit::{AsyncAgency, ResellerQuery};
    ///
    /// let mut found = AsyncAgency::from(agency).search(ResellerQuery::all());
    /// assert_eq!(found.next().await.transpose()?.map(|reseller| reseller.id), Some(acme.id));
    /// assert!(found.next().await.is_none());
    /// # Ok::<(), partnerkit::Error>(()) })?;
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub async fn next(&mut self) -> Option<Result<Reseller>> {
        // What has been read already asks no store.
        if let Some(read) = self.0.as_mut()?.read() {
            return Some(Ok(read));
        }
        let mut resellers = self.0.take()?;
        let answered = blocking(move || {
            let next = resellers.next();
            Ok((resellers, next))
        });
        match answered.await {
            Ok((resellers, next)) => {
                self.0 = Some(resellers);
                next
            }
            Err(error) => Some(Err(error)),
        }
    }
}
