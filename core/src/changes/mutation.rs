//! What every change does besides the change itself: it increments the record's version, sets its
//! time, and appends an entry to the feed.

use super::{Change, ChangeKind};
use crate::agency::AgencySettings;
use crate::error::Result;
use crate::records::Tx;
use crate::reseller::{Reseller, ResellerId};
use crate::tenant::Tenant;
use crate::values::Timestamp;

/// A change that is about to be made. Its time and the id of its entry are drawn before the
/// transaction, so that a second run of the transaction is identical.
pub(crate) struct Mutation(Change);

/// A record with a version.
pub(crate) trait Versioned {
    /// The version, and the time of the last change.
    fn version(&mut self) -> (&mut u64, &mut Timestamp);
}

impl Versioned for Reseller {
    fn version(&mut self) -> (&mut u64, &mut Timestamp) {
        (&mut self.version, &mut self.updated_at)
    }
}

impl Versioned for AgencySettings {
    fn version(&mut self) -> (&mut u64, &mut Timestamp) {
        (&mut self.version, &mut self.updated_at)
    }
}

impl Tenant {
    /// A change of a reseller, or of the agency itself.
    pub(crate) fn mutation(
        &self,
        kind: ChangeKind,
        reseller: impl Into<Option<ResellerId>>,
    ) -> Mutation {
        self.mutation_at(self.now(), kind, reseller)
    }

    /// A change with a given time, for a record that is created with that time.
    pub(crate) fn mutation_at(
        &self,
        at: Timestamp,
        kind: ChangeKind,
        reseller: impl Into<Option<ResellerId>>,
    ) -> Mutation {
        let (id, actor, reseller) = (self.shared.new_id(at), self.actor.clone(), reseller.into());
        let fields = Vec::new();
        Mutation(Change { sequence: 0, id, kind, reseller, version: 0, at, actor, fields })
    }
}

impl Mutation {
    /// The time of the change.
    pub fn at(&self) -> Timestamp {
        self.0.at
    }

    /// The record as its next version. Its time never goes backwards, whatever the clocks of
    /// several machines say.
    pub fn next<R: Versioned>(&self, mut record: R) -> R {
        let (version, updated_at) = record.version();
        *version += 1;
        *updated_at = self.0.at.max(*updated_at);
        record
    }

    /// The entry about a record of this version.
    pub fn entry(&self, version: u64, updated_at: Timestamp, fields: Vec<&str>) -> Change {
        let at = self.0.at.max(updated_at);
        let fields = fields.into_iter().map(str::to_owned).collect();
        Change { version, at, fields, ..self.0.clone() }
    }

    /// Appends an entry about a reseller whose record does not change.
    pub fn note(&self, tx: &mut Tx<'_>, of: &Reseller, fields: Vec<&str>) -> Result<()> {
        tx.append_changes(&[self.entry(of.version, of.updated_at, fields)])
    }
}
