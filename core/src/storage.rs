//! The storage contract: what a backend has to do, and nothing of why.
//!
//! The rules live in the core; a backend moves rows. It gives a short snapshot to read from and
//! a transaction to write in, answers conflicts as values, and locks rows by name. What each
//! method must do under faults and races is proven by `storage::conformance`, which is the
//! definition where this text leaves a doubt.

#[cfg(feature = "conformance")]
pub mod conformance;
pub(crate) mod entity;
mod first_use;
mod home;
pub mod memory;
#[cfg(feature = "postgres")]
pub mod postgres;
pub mod schema;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod sql;
#[cfg(feature = "sqlite")]
pub mod sqlite;
pub mod tables;
mod work;

use std::path::Path;

use crate::access::{AttemptKey, Attempts, Credentials};
use crate::changes::Change;
use crate::error::{Error, Result};
use crate::reseller::{Reseller, ResellerId};
use crate::usage::{DayKey, DayRollup, Event, EventId, Meter, MeterKey};
use crate::values::{AgencyId, Email, ExternalId, LoginDomain, Timestamp};

pub use crate::access::SecretRow;
pub use crate::reseller::{IdempotencyRow, LabelRow, LabelState, NewReseller};
pub use crate::search::{Filter, PageSpec};
pub use crate::settings::AgencyRow;
pub(crate) use first_use::CheckedAtFirstUse;
pub(crate) use work::{read, read_beside, read_unheld, write, write_unheld};

/// What is done with a snapshot.
pub type ReadWork<'w> = dyn FnMut(&mut dyn Reads) -> Result<()> + Send + 'w;
/// What is done in a transaction. It may be run again after [`Error::aborted`], and then does
/// exactly the same: time, ids and hashes are drawn before.
///
/// [`Error::aborted`]: crate::Error::aborted
pub type WriteWork<'w> = dyn FnMut(&mut dyn Transaction) -> Result<()> + Send + 'w;

/// A place where rows are kept.
pub trait Storage: Send + Sync {
    /// Runs the work on one snapshot of an agency's rows.
    fn read(&self, agency: &AgencyId, work: &mut ReadWork<'_>) -> Result<()>;

    /// The same on what is committed, beside a host's transaction that is open on this thread.
    /// Only a store that joins one has anything to do here, and where it can read in no other
    /// way, what the host sees will do.
    fn read_beside(&self, agency: &AgencyId, work: &mut ReadWork<'_>) -> Result<()> {
        self.read(agency, work)
    }

    /// Runs the work in a transaction and commits it; an error or a panic of the work undoes
    /// everything. Runs the work once: trying again is the core's business.
    fn write(&self, agency: &AgencyId, scope: Scope, work: &mut WriteWork<'_>) -> Result<()>;

    /// Who holds each label, across agencies.
    fn labels(&self, labels: &[LoginDomain]) -> Result<Vec<Option<LabelRow>>>;

    /// The same, beside a host's transaction.
    fn labels_beside(&self, labels: &[LoginDomain]) -> Result<Vec<Option<LabelRow>>> {
        self.labels(labels)
    }

    /// Agencies in the order of their ids, behind the given one, closed ones included.
    fn agencies(&self, after: Option<&AgencyId>, limit: u32) -> Result<Vec<AgencyRow>>;

    /// Makes sure that nothing that was deleted can be read from the store's files any more, if
    /// nobody is in the way (S25). A database server's own files are beyond anybody's reach here.
    fn scrub(&self) -> Result<Erasure> {
        Ok(Erasure::Complete)
    }

    /// Writes a copy of everything into a new file that opens as a store of its own (S54), for a
    /// store in a file.
    fn backup(&self, _path: &Path) -> Result<()> {
        Err(Error::configuration("this store is backed up with its database's own tools"))
    }

    /// Whether a [`Scope::Join`] on this thread would now become part of a host's transaction.
    fn joined(&self) -> bool {
        false
    }

    /// The version of the schema that the store has, asked before it is first used. Not for
    /// stores that bring themselves up to date: they refuse a newer one on their own.
    fn schema_version(&self) -> Result<u32> {
        Ok(schema::VERSION)
    }
}

/// Whose transaction a write is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// A transaction of its own, whatever the host has open, or the error
    /// [`inside_transaction`](crate::Error::inside_transaction) where none can be had.
    Own,
    /// Part of the host's transaction if there is one, as a savepoint: an error of the work
    /// leaves the host's transaction usable. Otherwise a transaction of its own.
    Join,
}

/// How far a deletion has got (S25).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Erasure {
    /// What was deleted can be read nowhere.
    Complete,
    /// No query finds it, but a reader or an open transaction still keeps it in the store's
    /// files; [`Platform::maintain`](crate::Platform::maintain) will finish it.
    Pending,
}

impl Erasure {
    /// The stable slug.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Pending => "pending",
        }
    }
}

/// Rows that are no longer needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prunable {
    /// Events of before this instant.
    Events(Timestamp),
    /// Idempotency keys of before this instant.
    IdempotencyKeys(Timestamp),
    /// Numbered changes up to this sequence.
    Changes(u64),
    /// Labels of every agency whose quarantine ended at or before this instant.
    Labels(Timestamp),
    /// Attempts that are blocked until an instant before this one.
    Attempts(Timestamp),
}

/// How strongly rows are held until the transaction ends. The strengths are those of PostgreSQL;
/// a store with fewer takes the next stronger one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// Others may change them and hold them so, too, but nobody may remove them or hold them for
    /// `Update`.
    KeyShare,
    /// Nobody may change them; others may hold them in share, too.
    Share,
    /// Nobody else may change them; they may be held in `KeyShare`.
    NoKeyUpdate,
    /// Nobody else may hold them at all.
    Update,
}

/// What became of a row that was to be inserted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Insert<T> {
    /// It was inserted.
    Done,
    /// Another row, or another row's unique field, was there already. The transaction goes on.
    Existing(T),
}

/// A reseller by a unique field other than its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// By email.
    Email(Email),
    /// By the host's own id.
    ExternalId(ExternalId),
}

/// Something to add to one of an agency's totals; negative takes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TotalDelta {
    /// The total's name.
    pub name: &'static str,
    /// What to add.
    pub add: i64,
}

/// A snapshot of one agency's rows. Results stand in the order of what was asked for.
pub trait Reads {
    /// The agency itself, also while it is closed.
    fn agency(&mut self) -> Result<Option<AgencyRow>>;
    /// Whatever follows is about an agency that is open: otherwise this, or the next question or
    /// the commit, is `NotFound`. A transaction holds the agency in [`Lock::KeyShare`] from here
    /// on, so that it is not erased before the end.
    fn hold_agency(&mut self) -> Result<()> {
        self.held_agency().map(drop)
    }
    /// The agency as it was when it was held. Errors: `NotFound`.
    fn held_agency(&mut self) -> Result<AgencyRow> {
        let open = self.agency()?.filter(AgencyRow::is_open);
        open.ok_or_else(|| Error::not_found("agency"))
    }
    /// Resellers by id.
    fn resellers(&mut self, ids: &[ResellerId]) -> Result<Vec<Option<Reseller>>>;
    /// Resellers by other unique fields.
    fn find(&mut self, lookups: &[Lookup]) -> Result<Vec<Option<Reseller>>>;
    /// A reseller with its credentials.
    fn account(&mut self, id: ResellerId) -> Result<Option<(Reseller, Credentials)>>;
    /// One page of the list.
    fn page(&mut self, spec: &PageSpec) -> Result<Vec<Reseller>>;
    /// How many resellers a filter finds; `cap` stands for that many or more.
    fn count(&mut self, filter: &Filter, cap: u64) -> Result<u64>;
    /// What an idempotency key was used for.
    fn remembered(&mut self, key: &str) -> Result<Option<IdempotencyRow>>;
    /// Events by id.
    fn events(&mut self, ids: &[EventId]) -> Result<Vec<Option<Event>>>;
    /// Every meter of a reseller, by metric.
    fn meters(&mut self, reseller: ResellerId) -> Result<Vec<Meter>>;
    /// Rollups by day.
    fn rollups(&mut self, days: &[DayKey]) -> Result<Vec<Option<DayRollup>>>;
    /// Totals by name; 0 where nothing was ever added.
    fn totals(&mut self, names: &[&str]) -> Result<Vec<i64>>;
    /// Numbered entries of the change feed behind `after`, in order.
    fn changes(&mut self, after: u64, limit: u32) -> Result<Vec<Change>>;
    /// Attempts by key; those of the whole platform, as secrets are.
    fn attempts(&mut self, keys: &[AttemptKey]) -> Result<Vec<Option<Attempts>>>;
    /// The platform's secrets, oldest first.
    fn secrets(&mut self) -> Result<Vec<SecretRow>>;
}

/// A transaction on one agency's rows.
///
/// Locks are taken in the order attempts, the agency in key share, idempotency keys, labels, the
/// agency for an update, resellers, usage, events, totals, changes, and within one call in the
/// order of keys, which the core has sorted: so permuted batches never deadlock. Two transactions that hold one key queue, or one gets
/// [`aborted`](crate::Error::aborted). A read that follows a lock sees the newest commit.
pub trait Transaction: Reads {
    /// Locks the attempts of a key; no attempts so far are [`Attempts::none`], and locked, too.
    fn lock_attempts(&mut self, key: &AttemptKey) -> Result<Attempts>;
    /// Locks the agency, also while it is closed.
    fn lock_agency(&mut self, lock: Lock) -> Result<Option<AgencyRow>>;
    /// Locks resellers.
    fn lock_resellers(&mut self, ids: &[ResellerId], lock: Lock) -> Result<Vec<Option<Reseller>>>;
    /// Locks meters, those that do not exist yet included, and then reads meters and rollups:
    /// a meter's lock guards its rollups.
    fn lock_usage(
        &mut self,
        meters: &[MeterKey],
        days: &[DayKey],
    ) -> Result<(Vec<Meter>, Vec<DayRollup>)>;

    /// Keeps a platform secret unless its id is taken.
    fn insert_secret(&mut self, secret: &SecretRow) -> Result<Insert<SecretRow>>;
    /// Creates the agency unless its id is taken.
    fn insert_agency(&mut self, agency: &AgencyRow) -> Result<Insert<AgencyRow>>;
    /// Stores the agency.
    fn put_agency(&mut self, agency: &AgencyRow) -> Result<()>;
    /// Removes at most `max` rows of this agency, which the caller has locked, from a table to
    /// which no other one refers; says how many.
    fn erase_rows(&mut self, table: &'static schema::Table, max: u32) -> Result<u32>;
    /// Keeps an idempotency key, also in place of one made at or before `expired`. Waits for a
    /// concurrent transaction that keeps the same.
    fn remember(
        &mut self,
        key: &IdempotencyRow,
        expired: Timestamp,
    ) -> Result<Insert<IdempotencyRow>>;
    /// Takes labels that are free, or whose quarantine ended at or before `now`.
    fn claim_labels(
        &mut self,
        labels: &[LabelRow],
        now: Timestamp,
    ) -> Result<Vec<Insert<LabelRow>>>;
    /// Stores a label that the transaction's agency holds.
    fn put_label(&mut self, label: &LabelRow) -> Result<()>;
    /// Inserts resellers with their credentials, unless a unique field is taken: the core then
    /// looks which.
    fn insert_resellers(&mut self, new: &[NewReseller]) -> Result<Vec<Insert<()>>>;
    /// Stores a reseller that is locked, unless a unique field is taken.
    fn update_reseller(&mut self, reseller: &Reseller) -> Result<Insert<()>>;
    /// Stores the credentials of a reseller that is locked.
    fn put_credentials(&mut self, id: ResellerId, credentials: &Credentials) -> Result<()>;
    /// Removes a reseller with its credentials and meters. Events and rollups stay.
    fn erase_reseller(&mut self, id: ResellerId) -> Result<()>;
    /// Stores attempts that are locked.
    fn put_attempts(&mut self, attempts: &Attempts) -> Result<()>;
    /// Removes attempts that are locked.
    fn forget_attempts(&mut self, key: &AttemptKey) -> Result<()>;
    /// Inserts events unless their id is taken, and answers with what is there. Waits for a
    /// concurrent transaction that has inserted the same id.
    fn insert_events(&mut self, events: &[Event]) -> Result<Vec<Insert<Event>>>;
    /// Stores meters that are locked, and their rollups.
    fn put_usage(&mut self, meters: &[Meter], days: &[DayRollup]) -> Result<()>;
    /// Adds to totals. An overflow is [`aborted`](crate::Error::aborted): the next run sees it.
    fn add_totals(&mut self, deltas: &[TotalDelta]) -> Result<()>;
    /// Appends entries to the change feed, unnumbered or numbered at once.
    fn append_changes(&mut self, changes: &[Change]) -> Result<()>;
    /// Numbers at most `max` committed entries, oldest first, under the agency's lock, which
    /// the caller holds; says how many.
    fn number_changes(&mut self, max: u32) -> Result<u32>;
    /// Removes at most `max` rows that are no longer needed; says how many.
    /// Attempts and labels are removed by a transaction of the pseudo-agency of the platform.
    fn prune(&mut self, what: Prunable, max: u32) -> Result<u32>;
}
