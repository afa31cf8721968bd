//! Deleting an agency of any size: it is closed at once, and erased in steps (S64).

use serde::Serialize;

use super::agencies::existing;
use crate::access::Identity;
use crate::agency::AgencyRow;
use crate::error::{Error, Result};
use crate::login_domain::{LabelState, label_row};
use crate::observe::DeletedAgency;
use crate::platform::Operator;
use crate::records::{self, Tx};
use crate::reseller::{Reseller, ResellerId};
use crate::schema::TABLES;
use crate::schema::entity::Entity;
use crate::storage::{Filter, Lock, PageSpec, Scope, Storage};
use crate::values::{AgencyId, Timestamp};

/// How many rows a step removes: few enough that the locks are short and no statement takes long.
const STEP: u32 = 1_000;
/// How many resellers a step removes. Removing one from the search index takes SQLite a millisecond
/// or more, while all other writers wait.
const RESELLERS: u32 = 50;

/// What deleting an agency would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AgencyDeletionPreview {
    /// The agency.
    pub agency: AgencyId,
    /// How many resellers would be deleted with it.
    pub resellers: u64,
}

/// What one step of an erasure did.
pub(crate) struct Erased {
    /// How many rows were removed; a reseller counts as one, together with all rows that refer to
    /// it.
    pub rows: u32,
    /// Whether nothing is left, not even the agency itself.
    pub finished: bool,
}

impl Operator {
    /// Reports what [`delete_agency`](Self::delete_agency) would do now, and changes nothing.
    ///
    /// ```example
    /// let preview = platform.preview_agency_deletion("northwind")?;
    /// assert_eq!(preview.resellers, 1);
    /// assert_eq!(agency.reseller(acme.id)?, acme); // nothing has happened
    /// ```
    /// ```python
    /// preview = platform.preview_agency_deletion("northwind")
    /// assert preview.resellers == 1
    /// assert agency.reseller(acme.id) == acme  # nothing has happened
    /// ```
    /// ```javascript
    /// const preview = await platform.previewAgencyDeletion('northwind');
    /// assert.equal(preview.resellers, 1);
    /// assert.deepEqual(await agency.reseller(acme.id), acme); // nothing has happened
    /// ```
    pub fn preview_agency_deletion(&self, id: &str) -> Result<AgencyDeletionPreview> {
        let id = existing(id)?;
        let resellers = records::read(&self.shared.storage, &id, |reads| {
            reads.count(&Filter::all(id.clone()), i64::MAX as u64)
        })?;
        Ok(AgencyDeletionPreview { agency: id, resellers })
    }

    /// Deletes an agency permanently, with its resellers, their usage and its change feed. Login
    /// domains are quarantined as if each reseller had been deleted.
    ///
    /// First the agency is closed: from then on every call on it is `NotFound`, and every sign-in
    /// and every stamp of its resellers fails. Then its rows are removed in small steps. If this
    /// call is interrupted, call it again, or let [`maintain`](Self::maintain) continue; the id
    /// stays `taken` until the last row is removed.
    ///
    /// The result tells whether the data is also erased from the store's files.
    ///
    /// ```example
    /// use partnerkit::Erasure;
    ///
    /// assert_eq!(platform.delete_agency("northwind")?, Erasure::Complete);
    /// assert!(agency.reseller(acme.id).is_err());
    /// assert!(platform.agencies(None, None)?.is_empty());
    /// ```
    /// ```python
    /// assert platform.delete_agency("northwind") == "complete"
    /// assert platform.agencies() == []
    /// ```
    /// ```javascript
    /// assert.equal(await platform.deleteAgency('northwind'), 'complete');
    /// assert.deepEqual(await platform.agencies(), []);
    /// ```
    pub fn delete_agency(&self, id: &str) -> Result<DeletedAgency> {
        let id = existing(id)?;
        records::write_unheld(&self.shared.storage, &id, Scope::Join, |tx| {
            let agency = tx.lock_agency(Lock::NoKeyUpdate)?;
            let agency = agency.ok_or_else(|| Error::not_found("agency"))?;
            if !agency.is_open() {
                return Ok(()); // it is being deleted already
            }
            let closed_at = Some(self.shared.clock.now());
            tx.put_agency(&AgencyRow { closed_at, ..agency })
        })?;
        while !self.erase_some(&id, STEP)?.finished {}
        Ok(DeletedAgency { id, erasure: self.shared.scrub() })
    }

    /// Removes at most `max` rows of an agency that is closed.
    pub(crate) fn erase_some(&self, id: &AgencyId, max: u32) -> Result<Erased> {
        let first = self.first_resellers(id, max.min(RESELLERS))?;
        if !self.shared.storage.joined() {
            // This comes first because it is a transaction of its own: if a later step fails, the
            // resellers are still there to be found again.
            self.shared.forget_attempts_on(&first)?;
        }
        let first: Vec<_> = first.into_iter().map(|account| account.reseller).collect();
        records::write_unheld(&self.shared.storage, id, Scope::Join, |tx| {
            // Waits for transactions that have held the agency since before it was closed.
            let agency = tx.lock_agency(Lock::Update)?;
            match agency.and_then(|agency| agency.closed_at) {
                Some(closed_at) => self.erase_step(tx, closed_at, &first, max),
                None => Ok(Erased { rows: 0, finished: true }),
            }
        })
    }

    fn first_resellers(&self, id: &AgencyId, limit: u32) -> Result<Vec<Identity>> {
        records::read_unheld(&self.shared.storage, id, |reads| {
            // There may be a new agency with this id by now, whose hard stops must stay.
            if reads.agency()?.is_none_or(|agency| agency.is_open()) {
                return Ok(Vec::new());
            }
            Ok(reads.page(&first_page(id, limit))?.iter().map(Identity::from).collect())
        })
    }

    /// Removes resellers first, because they are personal data, then the rows of one table after
    /// the other, and last the agency itself.
    fn erase_step(
        &self,
        tx: &mut Tx<'_>,
        closed_at: Timestamp,
        first: &[ResellerId],
        max: u32,
    ) -> Result<Erased> {
        let quarantined = LabelState::Quarantined(self.shared.login_domains.free_at(closed_at));
        let mut resellers: Vec<_> = tx.resellers(first)?.into_iter().flatten().collect();
        resellers.sort_by(|one, other| one.login_domain.cmp(&other.login_domain));
        let labels = resellers.iter().map(|reseller| label_row(reseller, quarantined));
        tx.put(&labels.collect::<Vec<_>>())?;
        let mut ids: Vec<_> = resellers.iter().map(|reseller| reseller.id).collect();
        ids.sort();
        tx.erase_resellers(&ids)?;
        let mut left = max - u32::try_from(resellers.len()).unwrap_or(max);
        // Events, days and changes, which are the most, and all other rows that do not belong to
        // a reseller.
        let with_it = TABLES.iter().rev().filter(|table| table.goes_with(AgencyRow::TABLE));
        for table in with_it.filter(|table| table.name != Reseller::TABLE.name) {
            if left > 0 {
                left -= tx.remove(tx.of_agency(table, left))?;
            }
        }
        let page = first_page(tx.agency_id(), 1);
        // A transaction that held the agency until now may have created another reseller.
        let finished = left > 0 && tx.page(&page)?.is_empty();
        if finished {
            tx.delete::<AgencyRow>(&[()])?;
        }
        Ok(Erased { rows: max - left, finished })
    }
}

fn first_page(agency: &AgencyId, limit: u32) -> PageSpec {
    let (filter, order) = (Filter::all(agency.clone()), "created_at");
    PageSpec { filter, order, descending: false, after: None, limit }
}
