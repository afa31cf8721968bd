//! Locks are taken in one order, so nothing ever deadlocks. The core would retry after a deadlock
//! and so hide it; here every `Aborted` is counted.
#![cfg(feature = "postgres-server")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use partnerkit::storage::postgres::Postgres;
use partnerkit::storage::{ReadWork, Scope, Storage, WriteWork};
use partnerkit::{AgencyId, ErrorKind, Metric, Platform, Reseller, Result, UsageEvent};
use partnerkit_tests::postgres::Database;
use partnerkit_tests::{invitation, letters};

struct Counting {
    store: Postgres,
    aborted: AtomicU32,
}

impl Storage for Counting {
    fn read(&self, agency: &AgencyId, work: &mut ReadWork<'_>) -> Result<()> {
        self.store.read(agency, work)
    }

    fn write(&self, agency: &AgencyId, scope: Scope, work: &mut WriteWork<'_>) -> Result<()> {
        let written = self.store.write(agency, scope, work);
        if written.as_ref().is_err_and(|error| error.kind() == ErrorKind::Aborted) {
            self.aborted.fetch_add(1, Ordering::SeqCst);
        }
        written
    }
}

/// The same events and resellers as every other batch, in an order of its own.
fn batch(resellers: &[Reseller], thread: usize, round: usize) -> Vec<UsageEvent> {
    let event = |n: usize| {
        let n = (n * (thread % 4 + 3) + thread + round) % 40;
        let reseller = &resellers[n % resellers.len()];
        UsageEvent {
            id: format!("e-{round}-{n}"),
            reseller: reseller.id,
            metric: Metric::ALL[n % 4],
            quantity: 1,
            at: reseller.created_at,
        }
    };
    (0..40).map(event).collect()
}

#[test]
fn permuted_batches_beside_other_writers_never_deadlock() {
    let database = Database::create();
    let store = Postgres::open(&database.url).expect("opens");
    let counting = Arc::new(Counting { store, aborted: AtomicU32::new(0) });
    let platform = Platform::builder().open_storage(counting.clone()).expect("opens");
    let agency = platform.create_agency("northwind", None).expect("creates");
    let create = |n| agency.create_reseller(invitation(&letters(n))).expect("creates");
    let resellers: Vec<_> = (0..7).map(create).collect();
    thread::scope(|scope| {
        for thread in 0..8 {
            let (agency, resellers) = (&agency, &resellers);
            scope.spawn(move || {
                for round in 0..15 {
                    agency.record_usage(&batch(resellers, thread, round)).expect("records");
                    let other = &resellers[(thread + round) % 7];
                    match thread % 4 {
                        0 => drop(agency.deactivate(other.id, None).expect("deactivates")),
                        1 => drop(agency.activate(other.id).expect("activates")),
                        2 => drop(agency.changes(Some(0), Some(100)).expect("reads")),
                        _ => {
                            drop(agency.create_reseller(invitation(&letters(
                                1_000 + thread * 100 + round,
                            ))))
                        }
                    }
                }
            });
        }
    });
    assert_eq!(counting.aborted.load(Ordering::SeqCst), 0);
}
