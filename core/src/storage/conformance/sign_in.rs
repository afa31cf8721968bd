//! Signing in: one error for every failure, and "switched off" means now.

use super::Harness;
use super::fixture::{Bench, PASSWORD, draft, draft_with_password};
use crate::{ErrorKind, ResellerPatch};

const EMAIL: &str = "owner@acme.example";

fn kind<T>(result: crate::Result<T>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind())
}

const DENIED: Option<ErrorKind> = Some(ErrorKind::AccessDenied);

/// S20.
pub(super) fn a_reseller_signs_in_until_switched_off(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let acme = bench.agency.create_reseller(draft_with_password("acme")).expect("creates");
    let sign_in = || bench.platform.sign_in("acme", "Owner@ACME.example", PASSWORD);
    let access = sign_in().expect("signs in");
    assert_eq!((&access.agency, access.reseller.id), (bench.agency.id(), acme.id));
    let identity = bench.platform.check_access(&access.stamp).expect("valid");
    assert_eq!((&identity.agency, identity.reseller), (bench.agency.id(), acme.id));

    let name = Some("Acme II".into());
    let profile = ResellerPatch { name, ..Default::default() };
    bench.agency.update_reseller(acme.id, None, &profile).expect("updates");
    bench.platform.check_access(&access.stamp).expect("a profile does not end a stamp");

    bench.agency.deactivate(acme.id, None).expect("deactivates");
    assert_eq!(kind(bench.platform.check_access(&access.stamp)), DENIED);
    assert_eq!(kind(sign_in()), DENIED);

    bench.agency.activate(acme.id).expect("activates");
    assert_eq!(kind(bench.platform.check_access(&access.stamp)), DENIED, "not revived");
    let access = sign_in().expect("signs in again");
    bench.agency.delete_reseller(acme.id).expect("deletes");
    assert_eq!(kind(bench.platform.check_access(&access.stamp)), DENIED);
    assert_eq!(kind(sign_in()), DENIED);
    for stamp in ["", "northwind", "northwind.x.y", "a.b.c.d"] {
        assert_eq!(kind(bench.platform.check_access(stamp)), DENIED);
    }
}

/// S17.
pub(super) fn every_failure_is_one_error_and_one_computation(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let acme = bench.agency.create_reseller(draft_with_password("acme")).expect("creates");
    bench.agency.create_reseller(draft("invited")).expect("creates");
    let long = "x".repeat(100_000);
    let attempts = [
        ("acme", EMAIL, "wrong"),
        ("acme", EMAIL, ""),
        ("acme", EMAIL, long.as_str()),
        ("acme", "other@acme.example", PASSWORD),
        ("acme", "no address", PASSWORD),
        ("globex", EMAIL, PASSWORD),
        ("ACME", EMAIL, PASSWORD),
        ("", "", ""),
        ("invited", "owner@invited.example", ""),
    ];
    let attempt = |(label, email, password)| {
        let before = bench.platform.hash_computations();
        let error = bench.platform.sign_in(label, email, password).expect_err("denied");
        assert_eq!(error.to_string(), "access denied", "{label}, {email}");
        assert_eq!(bench.platform.hash_computations() - before, 1, "{label}, {email}");
    };
    attempts.into_iter().for_each(attempt);
    bench.agency.deactivate(acme.id, None).expect("deactivates");
    attempt(("acme", EMAIL, PASSWORD));
}

/// S19: reserved before hashing, so that no race evaluates more.
pub(super) fn racing_guesses_stay_within_the_limit(harness: &dyn Harness) {
    let limit =
        |builder: crate::PlatformBuilder| builder.sign_in_limit(5).sign_in_delay_from(1_000);
    let bench = Bench::with(harness, limit);
    bench.agency.create_reseller(draft_with_password("acme")).expect("creates");
    let right = bench.together(12, |i| {
        // The right password among the wrong ones: whoever comes after the limit is not let in.
        let password = if i == 11 { PASSWORD } else { "wrong" };
        bench.platform.sign_in("acme", EMAIL, password).is_ok()
    });
    // Whether the right one was among the first five, only the race knows.
    let won = right.into_iter().filter(|ok| *ok).count();
    for _ in 0..5 * won {
        assert_eq!(kind(bench.platform.sign_in("acme", EMAIL, "wrong")), DENIED);
    }
    assert_eq!(kind(bench.platform.sign_in("acme", EMAIL, PASSWORD)), DENIED, "stopped");
}

/// S20.
pub(super) fn a_changed_email_ends_every_stamp(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let acme = bench.agency.create_reseller(draft_with_password("acme")).expect("creates");
    let access = bench.platform.sign_in("acme", EMAIL, PASSWORD).expect("signs in");
    let patch = ResellerPatch { email: Some("new@acme.example".into()), ..Default::default() };
    bench.agency.update_reseller(acme.id, None, &patch).expect("updates");
    assert_eq!(kind(bench.platform.check_access(&access.stamp)), DENIED);
    assert_eq!(kind(bench.platform.sign_in("acme", EMAIL, PASSWORD)), DENIED);
    bench.platform.sign_in("acme", "new@acme.example", PASSWORD).expect("signs in");
}

/// S19: delays from the 10th failure in a row; a success starts over.
pub(super) fn a_success_clears_the_failures(harness: &dyn Harness) {
    let bench = Bench::with(harness, |builder| builder.sign_in_delay_from(3));
    bench.agency.create_reseller(draft_with_password("acme")).expect("creates");
    let sign_in = |password| kind(bench.platform.sign_in("acme", EMAIL, password));
    for _ in 0..2 {
        assert_eq!([sign_in("wrong"), sign_in("wrong")], [DENIED; 2]);
        assert_eq!(sign_in(PASSWORD), None, "two failures cost nothing");
    }
    assert_eq!([sign_in("wrong"), sign_in("wrong"), sign_in("wrong")], [DENIED; 3]);
    assert_eq!(sign_in(PASSWORD), DENIED, "too soon, though right");
    bench.clock.forward(999);
    assert_eq!(sign_in(PASSWORD), DENIED);
    bench.clock.forward(1);
    assert_eq!(sign_in(PASSWORD), None);
}
