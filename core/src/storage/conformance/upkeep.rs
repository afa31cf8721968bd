//! Upkeep: rows that are no longer needed are removed in small steps, and nothing else.

use std::fs;
use std::time::Duration;

use std::sync::atomic::{AtomicUsize, Ordering};
use uuid::Uuid;

use super::Harness;
use super::fixture::{Bench, draft, label};
use super::life::codes;
use crate::access::AttemptKey;
use crate::login_domain::LabelState;
use crate::records;
use crate::storage::Scope;
use crate::values::AgencyId;
use crate::{Code, ErrorKind, Metric};

const DAY: i64 = 86_400_000;

/// S51.
pub(super) fn what_is_due_is_removed(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let acme = bench.agency.create_reseller(draft("acme").once("key-1")).expect("creates");
    let globex = bench.create("globex");
    bench.agency.delete_reseller(globex.id).expect("deletes");
    let events: Vec<_> =
        (0..30).map(|n| bench.event(&format!("e-{n}"), &acme, Metric::MESSAGES, 1)).collect();
    bench.agency.record_usage(&events).expect("records");
    bench.platform.sign_in("acme", "nobody@acme.example", "wrong", None).expect_err("denied");
    let nothing = bench.platform.maintain(Some(1_000)).expect("maintains");
    assert_eq!((nothing.removed, nothing.finished), (0, true), "nothing is due yet");

    bench.clock.forward(DAY + 1);
    let keys = bench.platform.maintain(Some(1_000)).expect("maintains");
    assert_eq!(keys.removed, 1, "an idempotency key");
    bench.clock.forward(30 * DAY);
    let labels = bench.platform.maintain(Some(1_000)).expect("maintains");
    assert_eq!(labels.removed, 2, "a tombstone and a forgotten failure");
    assert_eq!(bench.label("globex"), None);
    assert!(bench.label("acme").is_some(), "who has a label keeps it");
    bench.clock.forward(10 * DAY);
    let (mut removed, mut calls) = (0, 0);
    loop {
        let step = bench.platform.maintain(Some(7)).expect("maintains");
        (removed, calls) = (removed + step.removed, calls + 1);
        assert!(step.removed <= 7);
        if step.finished {
            break;
        }
    }
    assert_eq!(removed, 30, "every event");
    assert!(calls > 4, "in small steps");
    let overview = bench.agency.overview().expect("reads");
    assert_eq!(overview.messages, 30, "what they added up to stays");
    let late = bench.agency.record_usage(&events[..1]).expect("reports");
    assert_eq!(
        late.outcomes,
        [crate::EventOutcome::Rejected(crate::FieldError::new("at", Code::TooOld))],
        "counted once"
    );
}

/// S54: a store in a file makes a backup; other stores refuse.
pub(super) fn a_backup_opens_or_is_refused(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let acme = bench.create("acme");
    let name = format!("partnerkit-backup-{}.db", Uuid::now_v7());
    let path = std::env::temp_dir().join(name);
    match bench.platform.backup(&path) {
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Configuration);
            assert!(!path.exists(), "nothing is left behind");
        }
        Ok(()) => {
            assert!(fs::metadata(&path).expect("there").len() > 0);
            let again = bench.platform.backup(&path).expect_err("it replaces nothing");
            assert_eq!(again.kind(), ErrorKind::Io);
            fs::remove_file(&path).expect("removes");
        }
    }
    assert_eq!(bench.agency.reseller(acme.id).expect("reads"), acme);
}

/// S51, S47.
pub(super) fn old_changes_go_if_the_host_wants(harness: &dyn Harness) {
    let bench = Bench::with(harness, |b| b.keep_changes(Duration::from_secs(60 * 86_400)));
    (0..5).for_each(|n| drop(bench.create(&label(n))));
    bench.clock.forward(61 * DAY);
    let recent = bench.create(&label(5));
    assert_eq!(bench.agency.changes(Some(0), Some(100)).expect("reads").len(), 7);
    let done = bench.platform.maintain(Some(1_000)).expect("maintains");
    assert_eq!((done.removed, done.finished), (6, true));
    let refused = bench.agency.changes(Some(0), Some(100)).expect_err("no longer from the start");
    assert_eq!(codes(&refused), [("after", Code::TooOld)]);
    assert_eq!(refused.fields()[0].params, [("min", 6)]);
    let rest = bench.agency.changes(Some(6), Some(100)).expect("reads");
    let rest: Vec<_> = rest.iter().map(|change| (change.sequence, change.reseller)).collect();
    assert_eq!(rest, [(7, Some(recent.id))]);
    bench.create(&label(6));
    assert_eq!(bench.agency.changes(Some(7), Some(100)).expect("reads")[0].sequence, 8);
}

/// S51: many threads run upkeep at once, and every agency has its turn.
pub(super) fn upkeep_runs_from_many_at_once(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    for n in 0..4 {
        let agency = bench.platform.create_agency(&format!("agency-{n}"), None).expect("creates");
        agency.create_reseller(draft(&label(n)).once("key-1")).expect("creates");
    }
    bench.clock.forward(2 * DAY);
    let removed = bench.together(4, |_| {
        let maintain = |_| match bench.platform.maintain(Some(2)) {
            Ok(step) => step.removed,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Aborted);
                0
            }
        };
        (0..40).map(maintain).sum::<u64>()
    });
    assert_eq!(removed.iter().sum::<u64>(), 4, "each key once");
}

/// S3, S7, S23, S19, S51: whether a row is due is decided once it is locked. Labels, keys and
/// failures that have expired are used again while others keep removing what is due.
pub(super) fn upkeep_takes_nothing_that_was_just_taken_anew(harness: &dyn Harness) {
    const LABELS: usize = 64;
    const CALLERS: usize = 4;
    let bench = Bench::new(harness);
    let key = |n: usize| format!("key-{n}");
    for n in 0..LABELS {
        let first = bench.agency.create_reseller(draft(&label(n)).once(key(n)));
        bench.agency.delete_reseller(first.expect("creates").id).expect("deletes");
        fail(&bench, n);
    }
    bench.clock.forward(62 * DAY);
    let creating = AtomicUsize::new(CALLERS);
    let made = bench.together(CALLERS + 2, |i| {
        if i >= CALLERS {
            while creating.load(Ordering::SeqCst) > 0 {
                // Others were in the way too often; the next call continues.
                let kind = bench.platform.maintain(Some(20)).err().map(|error| error.kind());
                assert!(kind.is_none_or(|kind| kind == ErrorKind::Aborted), "{kind:?}");
            }
            return Vec::new();
        }
        let anew = (i..LABELS).step_by(CALLERS).map(|n| {
            fail(&bench, n);
            let made = bench.agency.create_reseller(draft(&label(n)).once(key(n)));
            (n, made.map(|reseller| reseller.id))
        });
        let made = anew.collect();
        creating.fetch_sub(1, Ordering::SeqCst);
        made
    });
    for (n, made) in made.into_iter().flatten() {
        let id = made.expect("creates");
        let holder = bench.label(&label(n)).map(|row| row.state);
        assert_eq!(holder, Some(LabelState::Held(id)), "label {n}");
        let again = bench.agency.create_reseller(draft(&label(n)).once(key(n)));
        assert_eq!(again.expect("replays").id, id, "key {n}");
        let failures = records::read(&*bench.storage, &AgencyId::platform(), |reads| {
            reads.attempts(&[attempt(n)])
        });
        assert!(failures.expect("reads")[0].is_some(), "failure {n}");
    }
}

fn attempt(n: usize) -> AttemptKey {
    AttemptKey::from_bytes([n as u8; 32])
}

/// A failed sign-in that blocks until now.
fn fail(bench: &Bench<'_>, n: usize) {
    let platform = AgencyId::platform();
    let failed = records::write(&*bench.storage, &platform, Scope::Own, |tx| {
        let mut attempts = tx.lock_attempts(&[attempt(n)])?;
        attempts[0].failures += 1;
        attempts[0].blocked_until = crate::Clock::now(&*bench.clock);
        tx.put(&attempts[..1])
    });
    failed.expect("writes");
}
