//! Many processes write into one SQLite file: each gets its share, and nothing is lost.

use std::collections::BTreeSet;

use partnerkit::{Agency, ChangeKind, Platform};
use partnerkit_tests::races::race;
use partnerkit_tests::sqlite::assert_sound;

const PROCESSES: usize = 8;
const ROWS: usize = 10_000;
/// Enough threads to share commits within a process, too.
const THREADS: usize = 8;

/// The resellers in the order of their creation, from a change feed without gaps.
fn created(agency: &Agency) -> Vec<partnerkit::ResellerId> {
    let (mut created, mut last) = (Vec::new(), 0);
    loop {
        let changes = agency.changes(Some(last), Some(1_000)).expect("reads");
        if changes.is_empty() {
            return created;
        }
        for change in changes {
            assert_eq!(change.sequence, last + 1, "a gap in the feed");
            last = change.sequence;
            if change.kind == ChangeKind::ResellerCreated {
                created.extend(change.reseller);
            }
        }
    }
}

/// Checks fairness, not speed: after a common start the last process ends soon after the first,
/// however long all of them take.
#[test]
fn eight_processes_write_ten_thousand_rows_each_and_none_waits_for_the_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("resellers.db");
    let url = format!("sqlite:{}", path.display());
    let platform = Platform::open(&url).expect("opens");
    let agency = platform.create_agency("northwind", None).expect("creates");

    let (threads, each) = (THREADS.to_string(), (ROWS / THREADS).to_string());
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let arguments = names.map(|name| vec![&*url, "fill", name, &*threads, &*each]);
    let told = race(env!("CARGO_BIN_EXE_racer"), &arguments);
    let took: Result<Vec<u32>, _> = told.iter().map(|took| took.parse()).collect();
    let took = took.unwrap_or_else(|_| panic!("somebody was refused: {told:?}"));

    let created = created(&agency);
    assert_eq!(created.len(), PROCESSES * ROWS);
    assert_eq!(created.iter().collect::<BTreeSet<_>>().len(), PROCESSES * ROWS);
    let there = agency.overview().expect("reads").active_resellers;
    assert_eq!(usize::try_from(there), Ok(PROCESSES * ROWS));
    assert_sound(&path);
    let (fastest, slowest) = (took.iter().min(), took.iter().max());
    let ratio = slowest.zip(fastest).map_or(0.0, |(s, f)| f64::from(*s) / f64::from(*f));
    assert!((1.0..=1.5).contains(&ratio), "ms: {took:?}");
}
