//! The verbs themselves, on a small table that nothing else refers to.

use super::Harness;
use super::fixture::{Bench, id};
use crate::error::{Error, ErrorKind, Result};
use crate::records::{self, Reads, Tx};
use crate::reseller::IdempotencyRow;
use crate::schema::entity::Entity;
use crate::storage::Scan;
use crate::usage::TotalDelta;
use crate::values::Timestamp;

const TABLE: &crate::schema::Table = IdempotencyRow::TABLE;

fn row(key: &str, at: i64) -> IdempotencyRow {
    IdempotencyRow {
        key: key.to_owned(),
        fingerprint: [7; 32],
        reseller: id(1),
        version: 1,
        created_at: Timestamp::from_millis(at),
    }
}

/// Rows whose keys and times are in different orders.
fn filled(harness: &dyn Harness) -> Bench<'_> {
    let bench = Bench::new(harness);
    let times = [("a", 50), ("b", 20), ("c", 40), ("d", 10), ("e", 30)];
    bench.write(|tx| tx.put(&times.map(|(key, at)| row(key, at))));
    bench
}

/// The keys of the rows that a scan finds.
fn found(bench: &Bench<'_>, scan: impl Fn(&Reads<'_>) -> Scan + Sync) -> String {
    let keys = |row: IdempotencyRow| row.key;
    bench.read(|reads| {
        let scan = scan(reads);
        Ok(reads.ask(records::scan(scan))?.into_iter().map(keys).collect())
    })
}

fn by_time(reads: &Reads<'_>, limit: u32) -> Scan {
    Scan { columns: TABLE.index("age"), ..reads.of_agency(TABLE, limit) }
}

pub(super) fn a_scan_follows_its_index_either_way(harness: &dyn Harness) {
    let bench = filled(harness);
    assert_eq!(found(&bench, |reads| reads.of_agency(TABLE, 9)), "abcde");
    assert_eq!(found(&bench, |reads| by_time(reads, 9)), "dbeca");
    let reversed = |reads: &Reads<'_>| Scan { reverse: true, ..by_time(reads, 9) };
    assert_eq!(found(&bench, reversed), "acebd");
    assert_eq!(found(&bench, |reads| by_time(reads, 2)), "db");
    assert_eq!(found(&bench, |reads| Scan { limit: 2, ..reversed(reads) }), "ac");
}

pub(super) fn a_scan_ends_where_its_range_does(harness: &dyn Harness) {
    let bench = filled(harness);
    let (after, through) =
        (|scan: Scan| scan.after(20.into()), |scan: Scan| scan.through(40.into()));
    assert_eq!(found(&bench, |reads| after(by_time(reads, 9))), "eca");
    assert_eq!(found(&bench, |reads| through(by_time(reads, 9))), "dbec");
    assert_eq!(found(&bench, |reads| through(after(by_time(reads, 9)))), "ec");
    let reversed = |reads: &Reads<'_>| Scan { reverse: true, ..through(after(by_time(reads, 9))) };
    assert_eq!(found(&bench, reversed), "ce");
    assert_eq!(found(&bench, |reads| reads.of_agency(TABLE, 9).after("b".into())), "cde");
}

pub(super) fn a_removal_takes_the_first_of_its_scan(harness: &dyn Harness) {
    let bench = filled(harness);
    assert_eq!(bench.write(|tx| tx.remove(by_time(tx, 2).through(40.into()))), 2);
    assert_eq!(found(&bench, |reads| by_time(reads, 9)), "eca");
    assert_eq!(bench.write(|tx| tx.remove(by_time(tx, 9).through(40.into()))), 2);
    assert_eq!(found(&bench, |reads| by_time(reads, 9)), "a");
}

/// A key that is asked for twice is answered twice.
pub(super) fn rows_are_answered_in_the_order_of_their_keys(harness: &dyn Harness) {
    let bench = filled(harness);
    let asked = ["e", "nobody", "a", "e"].map(str::to_owned);
    let rows = bench.read(|reads| reads.get::<IdempotencyRow>(&asked));
    let keys: Vec<_> = rows.into_iter().map(|row| row.map(|row| row.key)).collect();
    assert_eq!(keys, [Some("e"), None, Some("a"), Some("e")].map(|key| key.map(str::to_owned)));
}

pub(super) fn what_is_put_replaces_the_whole_row(harness: &dyn Harness) {
    let bench = filled(harness);
    let new = IdempotencyRow { version: 9, fingerprint: [8; 32], ..row("c", 60) };
    bench.write(|tx| tx.put(std::slice::from_ref(&new)));
    let read = bench.read(|reads| reads.one::<IdempotencyRow>(&"c".to_owned()));
    assert_eq!(read, Some(new));
    assert_eq!(found(&bench, |reads| by_time(reads, 9)), "dbeac");
}

pub(super) fn an_update_of_a_row_that_is_not_there_is_an_error(harness: &dyn Harness) {
    let bench = filled(harness);
    let update = |key, version| {
        bench.try_write(|tx| {
            let new = IdempotencyRow { version, ..row(key, 40) };
            let question = records::update(tx.agency_id(), &[new])?;
            tx.ask(question)
        })
    };
    assert_eq!(update("c", 2).expect("is there"), [true]);
    assert_eq!(update("nobody", 2).map_err(|error| error.kind()), Err(ErrorKind::Storage));
    assert_eq!(found(&bench, |reads| reads.of_agency(TABLE, 9)), "abcde");
}

/// Adding fails at once or at the next query, and the transaction is undone.
pub(super) fn a_sum_that_is_too_large_is_aborted(harness: &dyn Harness) {
    let bench = filled(harness);
    let add = |add| {
        let delta = [TotalDelta { name: "messages", add }];
        // This runs only once, while the core would retry aborted work.
        let once = |tx: &mut Tx<'_>| -> Result<()> {
            tx.put(&[row("f", add)])?;
            tx.add_totals(&delta)?;
            tx.one::<IdempotencyRow>(&"f".to_owned()).map(drop)
        };
        bench.try_write(|tx| once(tx).map_err(told))
    };
    add(i64::MAX).expect("has room");
    let error = add(1).expect_err("has no room");
    assert!(error.to_string().contains("aborted"), "{error}");
    assert_eq!(bench.total("messages"), i64::MAX);
    let kept = bench.read(|reads| reads.one::<IdempotencyRow>(&"f".to_owned()));
    assert_eq!(kept.map(|row| row.created_at), Some(Timestamp::from_millis(i64::MAX)));
}

/// Turns `aborted` into another kind, which the core does not retry, with a text that names it.
fn told(error: Error) -> Error {
    let aborted = error.kind() == ErrorKind::Aborted;
    if aborted { Error::storage("it was aborted") } else { error }
}
