//! A transaction happens completely or not at all.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::Harness;
use super::fixture::{Bench, held, id, row};
use crate::access::{AttemptKey, Attempts, Credentials};
use crate::changes::{Change, ChangeKind};
use crate::error::{Error, ErrorKind};
use crate::records::Tx;
use crate::reseller::Lookup;
use crate::storage::Lock;
use crate::usage::{
    CounterDay, DayKey, Event, EventId, Meter, MeterKey, Metric, Period, TotalDelta,
};
use crate::values::Timestamp;

/// One row of every kind.
fn write_everything(bench: &Bench<'_>, tx: &mut Tx<'_>) -> crate::Result<()> {
    let (agency, new) = (bench.agency.id(), row(bench.agency.id(), 1));
    let event = sample_event();
    let (mut meter, mut day) =
        (Meter::new(DayKey::of(&event).meter), CounterDay::new(DayKey::of(&event)));
    meter.count(&event);
    day.count(&event);
    tx.claim_labels(&[held(agency, "acme", 1)], Timestamp::from_millis(0))?;
    tx.insert_resellers(&[new])?;
    tx.insert_events(&[event])?;
    tx.put_usage(&[meter], &[day])?;
    tx.add_totals(&[TotalDelta { name: "messages", add: 5 }])?;
    tx.append_changes(&[sample_change()])
}

fn sample_event() -> Event {
    let (id, reseller) = (EventId::parse("e-1").expect("an id"), id(1));
    Event {
        id,
        reseller,
        metric: Metric::MESSAGES,
        quantity: 5,
        at: Timestamp::from_millis(90_000_000),
        voided: false,
    }
}

fn sample_change() -> Change {
    Change {
        sequence: 0,
        id: uuid::Uuid::from_u128(77),
        kind: ChangeKind::ResellerUpdated,
        reseller: Some(id(1)),
        version: 3,
        at: Timestamp::from_millis(4),
        actor: Some("user-42".into()),
        fields: vec!["name".into(), "email".into()],
    }
}

fn assert_nothing_there(bench: &Bench<'_>) {
    assert_eq!(bench.label("acme"), None);
    bench.read(|reads| {
        assert_eq!(reads.resellers(&[id(1)])?, [None]);
        assert_eq!(reads.account(id(1))?, None);
        assert_eq!(reads.events(&[sample_event().id])?, [None]);
        assert_eq!(reads.meters(id(1))?, []);
        assert_eq!(reads.counter_days(&[DayKey::of(&sample_event())])?, [None]);
        assert_eq!(reads.totals(&["messages"])?, [0]);
        Ok(())
    });
    let kinds: Vec<_> = changes(bench).into_iter().map(|change| change.kind).collect();
    assert_eq!(kinds, [ChangeKind::AgencyCreated]);
}

fn changes(bench: &Bench<'_>) -> Vec<Change> {
    bench.agency.changes(Some(0), Some(100)).expect("reads the feed")
}

pub(super) fn an_error_of_the_work_undoes_everything(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let failed: crate::Result<()> = bench.try_write(|tx| {
        write_everything(&bench, tx)?;
        Err(Error::storage("told to fail"))
    });
    assert_eq!(failed.map_err(|error| error.kind()), Err(ErrorKind::Storage));
    assert_nothing_there(&bench);
}

/// S50: after a panic, the next call works.
pub(super) fn a_panic_of_the_work_undoes_everything(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        bench.write(|tx| -> crate::Result<()> {
            write_everything(&bench, tx)?;
            std::panic::panic_any("told to panic");
        });
    }));
    assert_eq!(panicked.expect_err("the panic goes up").downcast_ref(), Some(&"told to panic"));
    assert_nothing_there(&bench);
    bench.write(|tx| write_everything(&bench, tx));
    assert!(bench.label("acme").is_some(), "the store is usable");
}

pub(super) fn aborted_work_runs_again_and_counts_once(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let runs = AtomicU32::new(0);
    let aborted_twice = || match runs.fetch_add(1, Ordering::SeqCst) {
        0 | 1 => Err(Error::aborted("told to")),
        _ => Ok(()),
    };
    bench.write(|tx| {
        write_everything(&bench, tx)?;
        aborted_twice()
    });
    assert_eq!(runs.swap(0, Ordering::SeqCst), 3);
    assert_eq!(bench.total("messages"), 5);
    assert_eq!(changes(&bench).len(), 2);
    let total = bench.read(|reads| {
        aborted_twice()?;
        reads.totals(&["messages"])
    });
    assert_eq!((runs.into_inner(), total), (3, vec![5]));
}

pub(super) fn work_inside_work_is_refused(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    bench.write(|_| {
        let inner = bench.agency.overview().map_err(|error| error.kind());
        assert_eq!(inner.err(), Some(ErrorKind::InsideTransaction));
        Ok(())
    });
    bench.agency.overview().expect("reads");
}

pub(super) fn a_transaction_reads_its_own_writes(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let new = row(bench.agency.id(), 1);
    bench.write(|tx| {
        write_everything(&bench, tx)?;
        assert_eq!(tx.resellers(&[id(1)])?, [Some(new.reseller().clone())]);
        assert_eq!(tx.totals(&["messages"])?, [5]);
        assert_eq!(tx.events(&[sample_event().id])?, [Some(sample_event())]);
        tx.add_totals(&[TotalDelta { name: "messages", add: 2 }])?;
        assert_eq!(tx.totals(&["messages"])?, [7]);
        Ok(())
    });
}

/// A writer moves 1 from one total to another; every reader of both sees the same sum.
pub(super) fn a_read_is_not_torn(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let done = AtomicBool::new(false);
    bench.together(3, |i| {
        if i == 0 {
            for _ in 0..50 {
                bench.write(|tx| {
                    tx.add_totals(&[
                        TotalDelta { name: "a", add: 1 },
                        TotalDelta { name: "b", add: -1 },
                    ])
                });
            }
            done.store(true, Ordering::SeqCst);
        }
        while !done.load(Ordering::SeqCst) {
            let (a, b) =
                bench.read(|reads| Ok((reads.totals(&["a"])?[0], reads.totals(&["b"])?[0])));
            assert_eq!(a + b, 0);
        }
    });
    assert_eq!((bench.total("a"), bench.total("b")), (50, -50));
}

pub(super) fn every_row_comes_back_as_it_was_stored(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let new = row(bench.agency.id(), 1);
    bench.write(|tx| write_everything(&bench, tx));
    let event = sample_event();
    let (mut meter, mut day) =
        (Meter::new(DayKey::of(&event).meter), CounterDay::new(DayKey::of(&event)));
    meter.count(&event);
    day.count(&event);
    bench.read(|reads| {
        assert_eq!(reads.meters(id(1))?, [meter.clone()]);
        assert_eq!(reads.counter_days(&[day.key])?, [Some(day.clone())]);
        assert_eq!(
            reads.find(&[Lookup::Email(new.reseller().email.clone())])?.pop().flatten(),
            Some(new.reseller().clone())
        );
        Ok(())
    });
    let change = changes(&bench).into_iter().find(|change| change.reseller.is_some());
    let change = change.expect("the entry");
    assert_eq!(Change { sequence: 0, ..change }, sample_change());

    extremes(&bench, meter);
}

/// Rows with the largest numbers, bytes of every value, and empty optional fields.
fn extremes(bench: &Bench<'_>, mut meter: Meter) {
    (meter.value, meter.limit, meter.last_event) = (i64::MAX, Some(i64::MAX), None);
    let at = Timestamp::from_millis;
    (meter.period, meter.period_used) = (Period { start: at(-7), end: at(i64::MAX) }, 3);
    meter.last_at = Timestamp::from_millis(i64::MIN);
    let key: Vec<u8> = (0..=255).rev().step_by(8).collect();
    let key = AttemptKey::from_bytes(key.try_into().expect("32 bytes"));
    let attempts = Attempts { key, failures: u32::MAX, blocked_until: Timestamp::from_millis(-1) };
    let credentials = Credentials::from_stored([255; 16], Some("$argon2id$v=19$…".into()));
    bench.write(|tx| {
        tx.put_usage(&[meter.clone()], &[])?;
        tx.lock_resellers(&[id(1)], Lock::Update)?;
        tx.put_credentials(id(1), &credentials)
    });
    bench.write(|tx| {
        assert_eq!(tx.lock_attempts(&[key])?, [Attempts::none(key)]);
        tx.put(&[attempts])
    });
    bench.write(|tx| {
        assert_eq!(tx.lock_attempts(&[key])?, [attempts]);
        let unknown = AttemptKey::from_bytes([9; 32]);
        assert_eq!(tx.attempts(&[unknown, key])?, [None, Some(attempts)]);
        let other = MeterKey { metric: Metric::TEAM_MEMBERS, ..meter.key };
        let (locked, _) = tx.lock_usage(&[meter.key, other], &[])?;
        assert_eq!(locked, [meter.clone(), Meter::new(other)]);
        assert_eq!(tx.account(id(1))?.expect("there").1, credentials);
        Ok(())
    });
}
