//! A storage that fails at the n-th call of any of its methods, and otherwise is the one it wraps;
//! it tells what was called.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use crate::access::{AttemptKey, Attempts, Credentials};
use crate::changes::Change;
use crate::error::{Error, Result};
use crate::reseller::Lookup;
use crate::reseller::{Reseller, ResellerId};
use crate::storage::schema::Table;
use crate::storage::{
    AgencyRow, Erasure, Filter, IdempotencyRow, Insert, LabelRow, Lock, NewReseller, PageSpec,
    ReadWork, Reads, Scope, SecretRow, Storage, Tx, WriteWork,
};
use crate::usage::TotalDelta;
use crate::usage::{DayKey, DayRollup, Event, EventId, Meter, MeterKey};
use crate::values::{AgencyId, LoginDomain, Timestamp};

/// What a fault is called.
pub(super) const FAULT: &str = "storage: an injected fault";

pub(super) struct Faulty {
    inner: Arc<dyn Storage>,
    countdown: Countdown,
    joined: AtomicBool,
}

/// Counts calls down to the one that fails; 0 fails never, and after one fault none follows.
#[derive(Default)]
struct Countdown {
    left: AtomicU32,
    failed: AtomicBool,
    called: Mutex<Vec<&'static str>>,
}

impl Countdown {
    fn call(&self, name: &'static str) -> Result<()> {
        self.called.lock().expect("no panic").push(name);
        let down = |left: u32| left.checked_sub(1);
        match self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, down) {
            Ok(1) => {
                self.failed.store(true, Ordering::SeqCst);
                Err(Error::storage("an injected fault"))
            }
            _ => Ok(()),
        }
    }
}

impl Faulty {
    /// Fails never, until told to.
    pub fn new(inner: Arc<dyn Storage>) -> Self {
        Self { inner, countdown: Countdown::default(), joined: AtomicBool::new(false) }
    }

    /// Fails at the n-th call from now, counted from 1.
    pub fn fail_at(&self, n: u32) {
        self.countdown.left.store(n, Ordering::SeqCst);
    }

    /// What was called since this was asked last: each transaction begins with `own` or `join`
    /// and ends with `commit`, unless its work fails.
    pub fn called(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.countdown.called.lock().expect("no panic"))
    }

    /// Says that a host has a transaction open, or none any more.
    pub fn join(&self, joined: bool) {
        self.joined.store(joined, Ordering::SeqCst);
    }

    /// Whether the call that fails has been reached.
    pub fn has_failed(&self) -> bool {
        self.countdown.failed.load(Ordering::SeqCst)
    }
}

impl Storage for Faulty {
    fn read(&self, agency: &AgencyId, work: &mut ReadWork<'_>) -> Result<()> {
        self.countdown.call("read")?;
        self.inner.read(agency, &mut |reads| {
            work(&mut FaultyReads { inner: reads, countdown: &self.countdown })
        })
    }

    fn write(&self, agency: &AgencyId, scope: Scope, work: &mut WriteWork<'_>) -> Result<()> {
        self.countdown.call(match scope {
            Scope::Own => "own",
            Scope::Join => "join",
        })?;
        self.inner.write(agency, scope, &mut |tx| {
            work(&mut FaultyTransaction { inner: tx, countdown: &self.countdown })?;
            // The last thing that can go wrong before COMMIT.
            self.countdown.call("commit")
        })
    }

    fn labels(&self, labels: &[LoginDomain]) -> Result<Vec<Option<LabelRow>>> {
        self.countdown.call("labels")?;
        self.inner.labels(labels)
    }

    fn agencies(&self, after: Option<&AgencyId>, limit: u32) -> Result<Vec<AgencyRow>> {
        self.countdown.call("agencies")?;
        self.inner.agencies(after, limit)
    }

    fn joined(&self) -> bool {
        self.joined.load(Ordering::SeqCst)
    }

    /// Not counted: what was deleted is deleted, so a fault here is no error.
    fn scrub(&self) -> Result<Erasure> {
        self.inner.scrub()
    }
}

struct FaultyReads<'a> {
    inner: &'a mut dyn Reads,
    countdown: &'a Countdown,
}

struct FaultyTransaction<'a> {
    inner: &'a mut dyn Transaction,
    countdown: &'a Countdown,
}

/// Counts each call, then makes it.
macro_rules! counted {
    ($(fn $name:ident(&mut self $(, $arg:ident: $type:ty)*) -> $result:ty;)*) => {
        $(fn $name(&mut self $(, $arg: $type)*) -> Result<$result> {
            self.countdown.call(stringify!($name))?;
            self.inner.$name($($arg),*)
        })*
    };
}

macro_rules! counted_reads {
    ($wrapper:ident) => {
        impl Reads for $wrapper<'_> {
            counted! {
                fn agency(&mut self) -> Option<AgencyRow>;
                fn hold_agency(&mut self) -> ();
                fn held_agency(&mut self) -> AgencyRow;
                fn resellers(&mut self, ids: &[ResellerId]) -> Vec<Option<Reseller>>;
                fn find(&mut self, lookups: &[Lookup]) -> Vec<Option<Reseller>>;
                fn account(&mut self, id: ResellerId) -> Option<(Reseller, Credentials)>;
                fn page(&mut self, spec: &PageSpec) -> Vec<Reseller>;
                fn count(&mut self, filter: &Filter, cap: u64) -> u64;
                fn remembered(&mut self, key: &str) -> Option<IdempotencyRow>;
                fn events(&mut self, ids: &[EventId]) -> Vec<Option<Event>>;
                fn meters(&mut self, reseller: ResellerId) -> Vec<Meter>;
                fn rollups(&mut self, days: &[DayKey]) -> Vec<Option<DayRollup>>;
                fn totals(&mut self, names: &[&str]) -> Vec<i64>;
                fn changes(&mut self, after: u64, limit: u32) -> Vec<Change>;
                fn attempts(&mut self, keys: &[AttemptKey]) -> Vec<Option<Attempts>>;
                fn secrets(&mut self) -> Vec<SecretRow>;
            }
        }
    };
}

counted_reads!(FaultyReads);
counted_reads!(FaultyTransaction);

impl Transaction for FaultyTransaction<'_> {
    counted! {
        fn lock_attempts(&mut self, key: &AttemptKey) -> Attempts;
        fn lock_agency(&mut self, lock: Lock) -> Option<AgencyRow>;
        fn lock_resellers(&mut self, ids: &[ResellerId], lock: Lock) -> Vec<Option<Reseller>>;
        fn lock_usage(&mut self, meters: &[MeterKey], days: &[DayKey]) -> (Vec<Meter>, Vec<DayRollup>);
        fn insert_secret(&mut self, secret: &SecretRow) -> Insert<SecretRow>;
        fn insert_agency(&mut self, agency: &AgencyRow) -> Insert<AgencyRow>;
        fn put_agency(&mut self, agency: &AgencyRow) -> ();
        fn erase_rows(&mut self, table: &'static Table, max: u32) -> u32;
        fn remember(&mut self, key: &IdempotencyRow, expired: Timestamp) -> Insert<IdempotencyRow>;
        fn claim_labels(&mut self, labels: &[LabelRow], now: Timestamp) -> Vec<Insert<LabelRow>>;
        fn put_label(&mut self, label: &LabelRow) -> ();
        fn insert_resellers(&mut self, new: &[NewReseller]) -> Vec<Insert<()>>;
        fn update_reseller(&mut self, reseller: &Reseller) -> Insert<()>;
        fn put_credentials(&mut self, id: ResellerId, credentials: &Credentials) -> ();
        fn erase_reseller(&mut self, id: ResellerId) -> ();
        fn put_attempts(&mut self, attempts: &Attempts) -> ();
        fn forget_attempts(&mut self, key: &AttemptKey) -> ();
        fn insert_events(&mut self, events: &[Event]) -> Vec<Insert<Event>>;
        fn put_usage(&mut self, meters: &[Meter], days: &[DayRollup]) -> ();
        fn add_totals(&mut self, deltas: &[TotalDelta]) -> ();
        fn append_changes(&mut self, changes: &[Change]) -> ();
        fn number_changes(&mut self, max: u32) -> u32;
        fn prune(&mut self, what: Prunable, max: u32) -> u32;
    }
}
