//! Rows of the change feed: appended without a number, and numbered when they are read.
//!
//! So writers never wait for a number, and an entry that is committed late comes after the entries
//! that readers have seen.

use super::Change;
use crate::agency::AgencyRow;
use crate::changes::PendingChange;
use crate::error::{Code, Error, Refusal, Result, refused};
use crate::records::{self, Question, Reads, Tx};
use crate::schema::Value;
use crate::schema::entity::Entity;
use crate::storage::Lock;
use crate::tenant::Tenant;

impl Tenant {
    /// Entries of the change feed in order: those whose sequence is larger than `after`, so give the
    /// last one that you have seen, or all of them from the first one on.
    /// There are no gaps, and whatever is committed later comes after what has been seen. `limit`
    /// is 1–1,000, and 100 unless it is given.
    ///
    /// Field errors: `limit`; `after` (`too_old`) if entries after it have been removed, as the
    /// host has configured: then read everything again, and follow the feed from `min` on.
    ///
    /// ```example
    /// use partnerkit::ChangeKind;
    ///
    /// agency.acting_as("user-42")?.deactivate(acme.id, Some("nonpayment"))?;
    /// let changes = agency.changes(None, None)?; // the agency, acme, and that it was switched off
    /// assert_eq!(changes[2].kind, ChangeKind::ResellerDeactivated);
    /// assert_eq!(changes[2].actor.as_deref(), Some("user-42"));
    /// assert!(agency.changes(Some(changes[2].sequence), None)?.is_empty()); // so far
    /// ```
    /// ```python
    /// agency.acting_as("user-42").deactivate(acme.id, "nonpayment")
    /// changes = agency.changes()  # the agency, acme, and that it was switched off
    /// assert (changes[2].kind, changes[2].actor) == ("reseller_deactivated", "user-42")
    /// assert agency.changes(after=changes[2].sequence) == []  # so far
    /// ```
    /// ```javascript
    /// await agency.actingAs('user-42').deactivate(acme.id, { reason: 'nonpayment' });
    /// const changes = await agency.changes(); // the agency, acme, and that it was switched off
    /// const { kind, actor, sequence } = changes[2];
    /// assert.deepEqual([kind, actor], ['reseller_deactivated', 'user-42']);
    /// assert.deepEqual(await agency.changes({ after: sequence }), []); // so far
    /// ```
    pub fn changes(&self, after: Option<u64>, limit: Option<u32>) -> Result<Vec<Change>> {
        let (after, limit) = (after.unwrap_or(0), limit.unwrap_or(100));
        if !(1..=1_000).contains(&limit) {
            return Err(refused("limit")(Refusal::out_of_range(1, 1_000)));
        }
        self.write(|tx| tx.follow(after, limit))
    }
}

impl Reads<'_> {
    /// Numbered entries after `after`, in order.
    #[cfg(feature = "conformance")]
    pub fn changes(&mut self, after: u64, limit: u32) -> Result<Vec<Change>> {
        let changes = self.numbered_after(after, limit);
        self.ask(changes)
    }

    /// The query for numbered entries after `after`, in order.
    pub fn numbered_after(&self, after: u64, limit: u32) -> Question<Vec<Change>> {
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        records::scan(self.of_agency(Change::TABLE, limit).after(Value::Integer(after)))
    }

    /// The query for entries that have no number yet, in the order of numbering.
    pub fn pending(&self, limit: u32) -> Question<Vec<PendingChange>> {
        records::scan(self.of_agency(PendingChange::TABLE, limit))
    }
}

impl Tx<'_> {
    /// Appends entries to the change feed.
    pub fn append_changes(&mut self, changes: &[Change]) -> Result<()> {
        let pending: Vec<_> = changes.iter().cloned().map(PendingChange).collect();
        self.put(&pending)
    }

    /// Numbers committed entries as far as a reader needs them, and returns entries after `after`.
    /// The agency's lock keeps other readers from numbering the same entries.
    pub fn follow(&mut self, after: u64, limit: u32) -> Result<Vec<Change>> {
        let most = limit as usize;
        loop {
            let agency = records::lock::<AgencyRow>(self.agency_id(), &[()], Lock::NoKeyUpdate);
            let questions = (agency, self.pending(limit), self.numbered_after(after, limit));
            let (mut agency, pending, mut found) = self.ask(questions)?;
            let missing = || Error::not_found("agency");
            let mut agency = agency.pop().flatten().ok_or_else(missing)?;
            if after < agency.pruned {
                return Err(pruned(agency.pruned));
            }
            let seen_all = pending.len() < most;
            let numbered = self.number(&mut agency, pending)?;
            found.extend(numbered.into_iter().filter(|change| change.sequence > after));
            // This is enough for the page; a later read numbers the rest.
            if seen_all || found.len() >= most {
                found.truncate(most);
                return Ok(found);
            }
        }
    }

    /// Numbers entries, continuing from the newest one of the agency, which is locked, and returns
    /// them.
    pub fn number(
        &mut self,
        agency: &mut AgencyRow,
        pending: Vec<PendingChange>,
    ) -> Result<Vec<Change>> {
        let (mut keys, mut numbered) = (Vec::new(), Vec::new());
        for PendingChange(change) in pending {
            keys.push(change.numbering_order());
            agency.numbered += 1;
            numbered.push(Change { sequence: agency.numbered, ..change });
        }
        if !numbered.is_empty() {
            self.put(&numbered)?;
            self.delete::<PendingChange>(&keys)?;
            self.put_agency(agency)?;
        }
        Ok(numbered)
    }
}

/// The error for a place in the feed whose entries have been removed.
fn pruned(through: u64) -> Error {
    let min = i64::try_from(through).unwrap_or(i64::MAX);
    refused("after")(Refusal::bounded(Code::TooOld, vec![("min", min)]))
}
