//! The change feed: it is gapless and in order, and no entry appears before a reader's position.

use std::collections::BTreeSet;

use super::Harness;
use super::fixture::{Bench, id};
use crate::changes::{Change, ChangeKind};
use crate::values::Timestamp;
use uuid::Uuid;

const WRITERS: usize = 6;
const ENTRIES: usize = 15;
const ALL: usize = WRITERS * ENTRIES;

fn entry(n: usize, version: u64, at: i64) -> Change {
    Change {
        sequence: 0,
        id: Uuid::from_u128(n as u128),
        kind: ChangeKind::ResellerUpdated,
        reseller: Some(id(1)),
        version,
        at: Timestamp::from_millis(at),
        actor: None,
        fields: Vec::new(),
    }
}

/// Follows the feed from the start until it has seen the agency's creation and `all` entries.
fn follow(bench: &Bench<'_>, all: usize) -> Vec<Change> {
    let mut seen: Vec<Change> = Vec::new();
    while seen.len() < all + 1 {
        let after = seen.last().map_or(0, |change| change.sequence);
        seen.extend(bench.agency.changes(Some(after), Some(7)).expect("reads the feed"));
    }
    seen
}

fn write_entries(bench: &Bench<'_>, writer: usize) {
    for n in 0..ENTRIES {
        // The times go up and down: an entry that is committed late may look old.
        let change = entry(writer * ENTRIES + n, 1, ((n * 7919) % 13) as i64);
        bench.write(|tx| tx.append_changes(std::slice::from_ref(&change)));
    }
}

pub(super) fn the_feed_is_gapless_while_many_write(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    bench.together(WRITERS, |writer| write_entries(&bench, writer));
    let seen = follow(&bench, ALL);
    let sequences: Vec<_> = seen.iter().map(|change| change.sequence).collect();
    assert_eq!(sequences, (1..=ALL as u64 + 1).collect::<Vec<_>>());
    let again = bench.agency.changes(Some(0), Some(1_000)).expect("reads the feed");
    assert_eq!(again, seen, "numbers never change");
}

pub(super) fn entries_of_one_reseller_follow_its_versions(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let reseller = bench.create("acme");
    for n in 0..5 {
        // All within one millisecond.
        match n % 2 {
            0 => bench.agency.deactivate(reseller.id, None).expect("deactivates"),
            _ => bench.agency.activate(reseller.id).expect("activates"),
        };
    }
    let feed = bench.agency.changes(Some(0), Some(100)).expect("reads the feed");
    let versions: Vec<_> =
        feed.iter().filter(|c| c.reseller.is_some()).map(|change| change.version).collect();
    assert_eq!(versions, [1, 2, 3, 4, 5, 6]);
}

/// A reader that follows the feed while others write gets every entry, once.
pub(super) fn a_reader_sees_every_entry_once(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let seen = bench.together(WRITERS + 1, |i| {
        if i < WRITERS {
            write_entries(&bench, i);
            return Vec::new();
        }
        follow(&bench, ALL)
    });
    let seen = seen.into_iter().flatten().collect::<Vec<_>>();
    let ids: BTreeSet<_> = seen.iter().map(|change| change.id).collect();
    assert_eq!((seen.len(), ids.len()), (ALL + 1, ALL + 1));
    assert!(seen.windows(2).all(|pair| pair[0].sequence + 1 == pair[1].sequence));
}
