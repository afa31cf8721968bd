//! Failed attempts to sign in, as rows: what counting them locks and costs, and what they survive.

use std::sync::Arc;
use std::time::Duration;

use super::Harness;
use super::faulty::Faulty;
use super::fixture::{Bench, PASSWORD, draft_with_password};
use super::sign_in::{DENIED, OTHER, kind, rotation};
use crate::access::{Attempt, AttemptKeys, Attempts};
use crate::{Agency, ChangeKind, ErrorKind, Platform, PlatformBuilder, Reseller, ResellerPatch};

/// A bench that records the calls on its store.
fn watched(
    harness: &dyn Harness,
    configure: impl FnOnce(PlatformBuilder) -> PlatformBuilder,
) -> (Bench<'_>, Arc<Faulty>) {
    let store = Arc::new(Faulty::new(harness.storage()));
    let bench = Bench::on(harness, store.clone(), configure);
    store.called();
    (bench, store)
}

/// The calls in transactions of this scope.
fn called_in(scope: &str, called: &[String]) -> Vec<String> {
    let transactions = called.split(|name| name == "commit");
    let calls = transactions.filter_map(|calls| {
        let begin = calls.iter().rposition(|name| ["own", "join"].contains(&name.as_str()))?;
        (calls[begin] == scope).then(|| calls[begin + 1..].to_vec())
    });
    calls.flatten().collect()
}

/// S19: an attempt, which commits on its own, locks no row that the host's own transaction may
/// lock.
pub(super) fn what_survives_a_rollback_locks_no_row_of_the_hosts(harness: &dyn Harness) {
    let (bench, store) = watched(harness, |builder| builder.sign_in_limit(2));
    let acme = bench.agency.create_reseller(draft_with_password("acme")).expect("creates");
    let name = Some("Acme II".to_owned());
    let patch = ResellerPatch { name, ..Default::default() };
    bench.agency.update_reseller(acme.id, None, &patch).expect("updates");
    let change = |current| kind(bench.agency.change_password(acme.id, current, OTHER, OTHER));
    let sign_in =
        |password| kind(bench.platform.sign_in("acme", "owner@acme.example", password, None));
    assert_eq!([change("x"), change("y"), change(PASSWORD)], [DENIED; 3]);
    bench.agency.unlock(acme.id).expect("unlocks");
    assert_eq!([sign_in("x"), sign_in("y"), sign_in(PASSWORD)], [DENIED; 3]);
    bench.agency.set_password(acme.id, OTHER, OTHER).expect("sets");
    assert_eq!([sign_in(OTHER), sign_in("x")], [None, DENIED]);
    bench.agency.delete_reseller(acme.id).expect("deletes");

    let mut own = called_in("own", &store.called());
    // No host's transaction locks attempts or the platform's secret, which is made at the first
    // use.
    own.retain(|name| name != "insert secrets");
    own.retain(|name| name.starts_with("lock ") || name.starts_with("insert "));
    assert!(own.len() >= 10, "{own:?}");
    assert!(own.iter().all(|name| name == "lock attempts"), "{own:?}");
    let feed = bench.agency.changes(Some(0), Some(100)).expect("reads").into_iter();
    let stops = feed.filter(|change| change.kind == ChangeKind::SignInLocked);
    let stops: Vec<_> = stops.map(|change| (change.reseller, change.version)).collect();
    assert_eq!(stops, [(Some(acme.id), 2); 2]);
}

/// S19: rows that upkeep removed in the host's transaction would stay locked until its end, and a
/// sign-in of the same host would wait for them.
pub(super) fn upkeep_in_a_hosts_transaction_leaves_attempts(harness: &dyn Harness) {
    let (bench, store) = watched(harness, |builder| builder);
    assert_eq!(kind(bench.platform.sign_in("acme", "owner@acme.example", "x", None)), DENIED);
    bench.clock.forward(31 * 86_400_000);
    let removed = |joined| {
        store.join(joined);
        bench.platform.maintain(Some(1_000)).expect("maintains").removed
    };
    assert_eq!([removed(true), removed(false), removed(false)], [0, 1, 0]);
}

/// S17, S19: a commit that stores nothing is faster than one that stores something, so every
/// attempt stores something.
pub(super) fn every_failure_costs_the_same_commits(harness: &dyn Harness) {
    let limit = |builder: PlatformBuilder| builder.sign_in_limit(3).sign_in_delay_from(1);
    let (bench, store) = watched(harness, limit);
    let acme = bench.agency.create_reseller(draft_with_password("acme")).expect("creates");
    let secrets = &bench.platform.operator.shared.secrets().expect("secrets");
    let nobody = "nobody@acme.example";
    let accounts = [
        (acme.email.as_str(), AttemptKeys::of_account(secrets, &(&acme).into())),
        (nobody, AttemptKeys::of_nobody(secrets, "acme", nobody)),
    ];
    // The commits of an attempt; each stores something.
    let fail = |email: &str, keys: &AttemptKeys| {
        let before = bench.attempts(keys);
        store.called();
        assert_eq!(kind(bench.platform.sign_in("acme", email, "wrong", None)), DENIED);
        let called = store.called();
        assert_ne!(bench.attempts(keys), before, "{called:?}");
        called.into_iter().filter(|name| name == "commit").count()
    };
    // One attempt that is verified, two that come too soon, and again, until the hard stop.
    for _ in 0..3 {
        let commits = [0; 3].map(|_| accounts.each_ref().map(|(email, keys)| fail(email, keys)));
        let [[of_account, of_nobody], refused @ ..] = commits;
        assert_eq!(of_account, of_nobody, "the last one is told to the feed, or is not");
        assert_eq!(refused, [[1; 2]; 2], "whether one is looked at or not");
        bench.clock.forward(3_600_000);
    }
    assert_eq!(accounts.map(|(email, keys)| fail(email, &keys)), [1; 2], "stopped");
    assert_eq!(bench.failures_of(&acme), 3);
}

/// S59, S19: a stop is lifted whichever operation lifts it, and whichever secrets its process
/// knows.
pub(super) fn a_stop_is_lifted_under_every_secret(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let [old, both, new] = rotation(&bench, |builder| builder.sign_in_limit(2));
    let acme = bench.agency.create_reseller(draft_with_password("acme")).expect("creates");
    let sign_in = |platform: &Platform, password| {
        kind(platform.sign_in("acme", "owner@acme.example", password, None))
    };
    let stop = || assert_eq!(["x", "y", PASSWORD].map(|typed| sign_in(&both, typed)), [DENIED; 3]);
    let northwind = |platform: &Platform| platform.agency("northwind").expect("there");
    let lift: [fn(&Agency, &Reseller); 2] = [
        |agency, of| agency.unlock(of.id).expect("unlocks"),
        |agency, of| agency.set_password(of.id, PASSWORD, PASSWORD).expect("sets"),
    ];
    for lift in lift {
        for platform in [&old, &both, &new] {
            stop();
            lift(&northwind(platform), &acme);
            assert_eq!(sign_in(&both, PASSWORD), None, "lifted");
        }
    }
    // A success counts under every secret, and so does the failure after it.
    assert_eq!([sign_in(&both, "x"), sign_in(&old, PASSWORD)], [DENIED, None]);
    assert_eq!([sign_in(&both, "x"), sign_in(&both, PASSWORD)], [DENIED, None], "one, not two");
    assert_eq!([sign_in(&both, "x"), sign_in(&old, PASSWORD)], [DENIED, None]);
    assert_eq!([sign_in(&old, "x"), sign_in(&both, "y")], [DENIED; 2]);
    assert_eq!([&old, &both, &new].map(|platform| sign_in(platform, PASSWORD)), [DENIED; 3]);
}

/// Begins an attempt on an account, and returns how it is counted.
fn begun(bench: &Bench<'_>, attempt: &Attempt) -> Attempts {
    bench.platform.operator.shared.reserve_attempt(attempt).expect("counts").expect("is looked at")
}

/// S19: the right password is verified while wrong ones of others reach the hard stop.
pub(super) fn a_success_lifts_no_stop_that_others_reach_meanwhile(harness: &dyn Harness) {
    let bench = Bench::with(harness, |builder| builder.sign_in_limit(3));
    let acme = bench.agency.create_reseller(draft_with_password("acme")).expect("creates");
    let (shared, sign_in) = (&bench.platform.operator.shared, |password| {
        kind(bench.platform.sign_in("acme", "owner@acme.example", password, None))
    });
    let attempt = shared.attempt_on(&(&acme).into()).expect("keys");
    let right = begun(&bench, &attempt);
    assert_eq!([sign_in("x"), sign_in("y")], [DENIED; 2]);
    shared.note_success(&attempt, &right).expect("notes");
    assert_eq!(sign_in(PASSWORD), DENIED, "stopped, as the feed says");

    bench.agency.unlock(acme.id).expect("unlocks");
    let [_, right, last] = [(); 3].map(|()| begun(&bench, &attempt));
    shared.note_success(&attempt, &right).expect("notes");
    shared.note_success(&attempt, &last).expect("notes");
    assert_eq!(sign_in(PASSWORD), None, "the last one was right, too: nobody was stopped");

    let [_, _, wrong] = [(); 3].map(|()| begun(&bench, &attempt));
    bench.agency.unlock(acme.id).expect("unlocks");
    let [_, _, right] = [(); 3].map(|()| begun(&bench, &attempt));
    assert!(shared.attempts.is_last(&wrong), "so it tells of what it finds");
    bench.agency.tenant.note_sign_in_locked(acme.id, &attempt).expect("notes");
    shared.note_success(&attempt, &right).expect("notes");
    assert_eq!(sign_in(PASSWORD), DENIED, "stopped, as the feed says");
}

/// S19: the feed never ends with a hard stop that has been lifted.
pub(super) fn a_stop_is_told_while_it_stands(harness: &dyn Harness) {
    let bench = Bench::with(harness, |builder| builder.sign_in_limit(2));
    let acme = bench.create("acme");
    let attempt = bench.platform.operator.shared.attempt_on(&(&acme).into()).expect("keys");
    let told = || bench.agency.tenant.note_sign_in_locked(acme.id, &attempt).expect("notes");
    let feed = || bench.agency.changes(Some(2), Some(100)).expect("reads").into_iter();
    let feed = || feed().map(|change| change.kind).collect::<Vec<_>>();
    let stop = || [(); 2].map(|()| begun(&bench, &attempt));
    stop();
    bench.agency.unlock(acme.id).expect("unlocks");
    told();
    assert_eq!(feed(), [ChangeKind::SignInUnlocked], "lifted before it was told");
    stop();
    told();
    assert_eq!(feed(), [ChangeKind::SignInUnlocked, ChangeKind::SignInLocked]);
    told();
    assert_eq!(feed().len(), 2, "by whoever failed for the last time before it was lifted");
}

/// S19: a failure that was written by a machine whose clock is an hour ahead delays no longer than
/// one of now.
pub(super) fn a_clock_that_is_ahead_blocks_nobody_elsewhere(harness: &dyn Harness) {
    let every = Duration::from_secs(10);
    let limits = |builder: PlatformBuilder| builder.source_limit(3, every).sign_in_delay_from(2);
    let bench = Bench::with(harness, limits);
    for label in ["acme", "globex"] {
        bench.agency.create_reseller(draft_with_password(label)).expect("creates");
    }
    let clock = bench.clock.ahead(3_600_000);
    let ahead = limits(Platform::builder()).clock(clock).open_storage(bench.storage.clone());
    let ahead = ahead.expect("opens");
    let from = |platform: &Platform, source, email, password| {
        kind(platform.sign_in("acme", email, password, Some(source)))
    };
    let guess = |source, n| from(&bench.platform, source, ["a@x.io", "b@x.io", "c@x.io"][n], "x");

    assert_eq!(from(&ahead, "192.0.2.1", "owner@acme.example", PASSWORD), None);
    assert_eq!([0, 1, 2].map(|n| guess("192.0.2.1", n)), [DENIED; 3], "a success counts nothing");
    assert_eq!(guess("192.0.2.1", 0), Some(ErrorKind::Throttled));

    assert_eq!(from(&ahead, "192.0.2.2", "d@x.io", "x"), DENIED);
    assert_eq!([0, 1].map(|n| guess("192.0.2.2", n)), [DENIED; 2], "a failure is one");
    assert_eq!(guess("192.0.2.2", 2), Some(ErrorKind::Throttled));

    for email in ["e@x.io", "f@x.io", "g@x.io"] {
        assert_eq!(from(&ahead, "192.0.2.3", email, "x"), DENIED);
    }
    assert_eq!(guess("192.0.2.3", 0), Some(ErrorKind::Throttled), "three are three");
    bench.clock.forward(10_000);
    assert_eq!(guess("192.0.2.3", 0), DENIED, "one each ten seconds");
    assert_eq!(guess("192.0.2.3", 1), Some(ErrorKind::Throttled));

    let sign_in = |platform: &Platform, password| {
        kind(platform.sign_in("globex", "owner@globex.example", password, None))
    };
    assert_eq!([sign_in(&ahead, "x"), sign_in(&ahead, "x")], [DENIED; 2]);
    assert_eq!(sign_in(&bench.platform, PASSWORD), DENIED, "delayed");
    bench.clock.forward(1_001);
    assert_eq!(sign_in(&bench.platform, PASSWORD), None, "by as long as any is");
}
