//! A lock loses no update: many read, change and write the same row, and every change counts.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::Harness;
use super::fixture::{Bench, held, id, row};
use crate::access::AttemptKey;
use crate::records::Tx;
use crate::storage::Lock;
use crate::usage::{CounterDay, DayKey, Event, EventId, MeterKey, Metric, TotalDelta};
use crate::values::Timestamp;

const THREADS: usize = 8;
const ROUNDS: usize = 12;
const ALL: usize = THREADS * ROUNDS;

/// Many threads, each running the same transaction again and again.
fn race(bench: &Bench<'_>, work: impl Fn(&mut Tx<'_>) -> crate::Result<()> + Sync) {
    let race = |_| (0..ROUNDS).for_each(|_| bench.write(|tx| work(tx)));
    bench.together(THREADS, race);
}

pub(super) fn no_update_of_an_agency_is_lost(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let before = bench.read(|reads| reads.agency()).expect("there").numbered;
    race(&bench, |tx| {
        let mut agency = tx.lock_agency(Lock::NoKeyUpdate)?.expect("there");
        agency.numbered += 1;
        tx.put_agency(&agency)
    });
    let after = bench.read(|reads| reads.agency()).expect("there").numbered;
    assert_eq!(after - before, ALL as u64);
}

pub(super) fn no_update_of_a_reseller_is_lost(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    bench.write(|tx| tx.insert_resellers(&[row(bench.agency.id(), 1)]));
    race(&bench, |tx| {
        let locked = tx.lock_resellers(&[id(1)], Lock::Update)?.pop().flatten();
        let mut reseller = locked.expect("there");
        reseller.version += 1;
        tx.update_reseller(&reseller).map(drop)
    });
    let reseller = bench.read(|reads| reads.resellers(&[id(1)])).pop().flatten();
    assert_eq!(reseller.expect("there").version, 1 + ALL as u64);
}

fn meter_key() -> MeterKey {
    MeterKey { reseller: id(1), metric: Metric::MESSAGES }
}

/// The row does not exist when the first transactions lock it.
pub(super) fn no_update_of_a_meter_is_lost(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    bench.write(|tx| tx.insert_resellers(&[row(bench.agency.id(), 1)]));
    race(&bench, |tx| {
        let (mut meters, _) = tx.lock_usage(&[meter_key()], &[])?;
        meters[0].value += 1;
        tx.put_usage(&meters, &[])
    });
    let meters = bench.read(|reads| reads.meters(id(1)));
    assert_eq!(meters[0].value, ALL as i64);
}

/// A day has no lock of its own: its meter's lock guards it.
pub(super) fn no_update_of_a_day_is_lost(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    bench.write(|tx| tx.insert_resellers(&[row(bench.agency.id(), 1)]));
    let (reseller, at) = (id(1), Timestamp::from_millis(0));
    let id = EventId::parse("e").expect("an id");
    let event = Event { id, reseller, metric: Metric::MESSAGES, quantity: 1, at, voided: false };
    let key = DayKey::of(&event);
    race(&bench, |tx| {
        let (meters, days) = tx.lock_usage(&[meter_key()], &[key])?;
        let mut day = days.into_iter().next().unwrap_or_else(|| CounterDay::new(key));
        day.count(&event);
        tx.put_usage(&meters, &[day])
    });
    let day = bench.read(|reads| reads.counter_days(&[key])).pop().flatten().expect("there");
    assert_eq!((day.sum, day.slots[&0].sum), (ALL as i64, ALL as i64));
}

pub(super) fn no_failed_attempt_is_lost(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let key = AttemptKey::from_bytes([3; 32]);
    race(&bench, |tx| {
        let mut attempts = tx.lock_attempts(&[key])?;
        attempts[0].failures += 1;
        tx.put(&attempts[..1])
    });
    assert_eq!(bench.write(|tx| tx.lock_attempts(&[key]))[0].failures, ALL as u32);
}

pub(super) fn nothing_added_to_a_total_is_lost(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let add = |name, add| TotalDelta { name, add };
    race(&bench, |tx| tx.add_totals(&[add("a", 2), add("b", -1)]));
    assert_eq!((bench.total("a"), bench.total("b")), (2 * ALL as i64, -(ALL as i64)));
}

/// While a transaction has locked a reseller in share, nobody changes it, so what was read stays
/// true until the transaction ends.
pub(super) fn a_shared_lock_keeps_writers_out(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let new = row(bench.agency.id(), 1);
    let label = held(bench.agency.id(), "acme", 1);
    bench.write(|tx| {
        tx.claim_labels(std::slice::from_ref(&label), Timestamp::from_millis(0))?;
        tx.insert_resellers(std::slice::from_ref(&new))
    });
    let (holding, ended) = (Barrier::new(2), AtomicBool::new(false));
    let hold = || {
        let mut waited = false;
        bench.write(|tx| {
            tx.lock_resellers(&[id(1)], Lock::Share)?;
            if !std::mem::replace(&mut waited, true) {
                holding.wait();
                // Gives the other transaction time to try; it must not succeed, however long this
                // takes.
                std::thread::sleep(Duration::from_millis(50));
            }
            ended.store(true, Ordering::SeqCst);
            Ok(())
        });
    };
    let change = || {
        holding.wait();
        bench.write(|tx| {
            tx.lock_resellers(&[id(1)], Lock::Update)?;
            assert!(ended.load(Ordering::SeqCst), "the lock was given to two");
            Ok(())
        });
    };
    bench.together(2, |i| if i == 0 { hold() } else { change() });
}
