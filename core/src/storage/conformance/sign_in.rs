//! Signing in: one error for every failure, and a deactivation takes effect at once.

use std::sync::Arc;
use std::time::Duration;

use super::Harness;
use super::fixture::{Bench, PASSWORD, draft, draft_with_password};
use crate::{
    Agency, ChangeKind, Code, ErrorKind, LegacyVerifier, LoginDomainPolicy, Platform,
    PlatformBuilder, Quarantine, Reseller, ResellerDraft, ResellerPatch, ResellerQuery,
};

const EMAIL: &str = "owner@acme.example";

pub(super) fn kind<T>(result: crate::Result<T>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind())
}

pub(super) const DENIED: Option<ErrorKind> = Some(ErrorKind::AccessDenied);

/// S20.
pub(super) fn a_reseller_signs_in_until_switched_off(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let acme = bench.agency.create_reseller(draft_with_password("acme")).expect("creates");
    let sign_in = || bench.platform.sign_in("acme", "Owner@ACME.example", PASSWORD, None);
    let access = sign_in().expect("signs in");
    assert_eq!((&access.agency, access.reseller.id), (bench.agency.id(), acme.id));
    let identity = bench.platform.check_access(&access.stamp, None).expect("valid");
    for host in ["acme.partner.example.com", "ACME.partner.example.com.:8443"] {
        let here = bench.platform.check_access(&access.stamp, Some(host)).expect("its own host");
        assert_eq!(here, identity);
    }
    for host in ["globex.partner.example.com", "acme.example.com", "partner.example.com", ""] {
        assert_eq!(kind(bench.platform.check_access(&access.stamp, Some(host))), DENIED, "{host}");
    }
    assert_eq!((&identity.agency, identity.reseller), (bench.agency.id(), acme.id));

    let name = Some("Acme II".into());
    let profile = ResellerPatch { name, ..Default::default() };
    bench.agency.update_reseller(acme.id, None, &profile).expect("updates");
    bench.platform.check_access(&access.stamp, None).expect("a profile does not end a stamp");

    bench.agency.deactivate(acme.id, None).expect("deactivates");
    assert_eq!(kind(bench.platform.check_access(&access.stamp, None)), DENIED);
    assert_eq!(kind(sign_in()), DENIED);

    bench.agency.activate(acme.id).expect("activates");
    assert_eq!(kind(bench.platform.check_access(&access.stamp, None)), DENIED, "not revived");
    let access = sign_in().expect("signs in again");
    bench.agency.delete_reseller(acme.id).expect("deletes");
    assert_eq!(kind(bench.platform.check_access(&access.stamp, None)), DENIED);
    assert_eq!(kind(sign_in()), DENIED);
    for stamp in ["", "northwind", "northwind.x.y", "a.b.c.d"] {
        assert_eq!(kind(bench.platform.check_access(stamp, None)), DENIED);
    }
}

/// An old scheme of a host, which stores passwords in plain text.
struct Plain;

impl LegacyVerifier for Plain {
    fn recognises(&self, hash: &str) -> bool {
        hash.starts_with("plain:")
    }

    fn verify(&self, password: &str, hash: &str) -> Option<bool> {
        Some(hash.strip_prefix("plain:") == Some(password))
    }
}

/// The reference implementation's test vector for the password `password`, which is cheaper than
/// the floor.
const CHEAP: &str =
    "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";

/// Asserts that a sign-in is denied with the usual error, after exactly one computation.
fn denied_after_one(platform: &Platform, (label, email, password): (&str, &str, &str)) {
    let before = platform.hash_computations();
    let error = platform.sign_in(label, email, password, None).expect_err("denied");
    assert_eq!(error.to_string(), "access denied", "{label}, {email}");
    assert_eq!(platform.hash_computations() - before, 1, "{label}, {email}");
}

/// S17.
pub(super) fn every_failure_is_one_error_and_one_computation(harness: &dyn Harness) {
    let bench = Bench::with(harness, |builder| builder.legacy_verifier(Arc::new(Plain)));
    let acme = bench.agency.create_reseller(draft_with_password("acme")).expect("creates");
    bench.agency.create_reseller(draft("invited")).expect("creates");
    for (label, hash) in [("imported", CHEAP), ("legacy", "plain:password")] {
        let hash = Some(hash.to_owned());
        let form = ResellerDraft { invite: false, password_hash: hash, ..draft(label) };
        bench.agency.create_reseller(form).expect("creates");
    }
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
        ("imported", "owner@imported.example", "wrong"),
        ("legacy", "owner@legacy.example", "wrong"),
    ];
    attempts.into_iter().for_each(|attempt| denied_after_one(&bench.platform, attempt));
    bench.agency.deactivate(acme.id, None).expect("deactivates");
    denied_after_one(&bench.platform, ("acme", EMAIL, PASSWORD));
}

/// S17: right and wrong passwords, both during a delay and after the hard stop.
pub(super) fn a_locked_account_costs_one_computation(harness: &dyn Harness) {
    let limit = |builder: PlatformBuilder| builder.sign_in_limit(2).sign_in_delay_from(1);
    let bench = Bench::with(harness, limit);
    bench.agency.create_reseller(draft_with_password("acme")).expect("creates");
    let attempts = [("acme", EMAIL, "wrong"), ("acme", EMAIL, PASSWORD), ("acme", EMAIL, "wrong")];
    let try_all = || attempts.into_iter().for_each(|of| denied_after_one(&bench.platform, of));
    // The first attempt fails, the others come too soon.
    try_all();
    bench.clock.forward(1_000);
    // The first attempt is the last one that is verified.
    try_all();
    bench.clock.forward(86_400_000);
    try_all();
}

/// S19: an attempt is reserved before hashing, so that a race cannot evaluate more.
pub(super) fn racing_guesses_stay_within_the_limit(harness: &dyn Harness) {
    let limit = |builder: PlatformBuilder| builder.sign_in_limit(5).sign_in_delay_from(1_000);
    let bench = Bench::with(harness, limit);
    bench.agency.create_reseller(draft_with_password("acme")).expect("creates");
    let right = bench.together(12, |i| {
        // The right password is among the wrong ones; it is refused if it comes after the limit.
        let password = if i == 11 { PASSWORD } else { "wrong" };
        bench.platform.sign_in("acme", EMAIL, password, None).is_ok()
    });
    // Whether the right password was among the first five depends on the race.
    let won = right.into_iter().filter(|ok| *ok).count();
    for _ in 0..5 * won {
        assert_eq!(kind(bench.platform.sign_in("acme", EMAIL, "wrong", None)), DENIED);
    }
    assert_eq!(kind(bench.platform.sign_in("acme", EMAIL, PASSWORD, None)), DENIED, "stopped");
}

/// S20.
pub(super) fn a_changed_email_ends_every_stamp(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let acme = bench.agency.create_reseller(draft_with_password("acme")).expect("creates");
    let access = bench.platform.sign_in("acme", EMAIL, PASSWORD, None).expect("signs in");
    let patch = ResellerPatch { email: Some("new@acme.example".into()), ..Default::default() };
    bench.agency.update_reseller(acme.id, None, &patch).expect("updates");
    assert_eq!(kind(bench.platform.check_access(&access.stamp, None)), DENIED);
    assert_eq!(kind(bench.platform.sign_in("acme", EMAIL, PASSWORD, None)), DENIED);
    bench.platform.sign_in("acme", "new@acme.example", PASSWORD, None).expect("signs in");
}

/// S19: delays from the 10th failure in a row; a success starts over.
pub(super) fn a_success_clears_the_failures(harness: &dyn Harness) {
    let bench = Bench::with(harness, |builder| builder.sign_in_delay_from(3));
    bench.agency.create_reseller(draft_with_password("acme")).expect("creates");
    let sign_in = |password| kind(bench.platform.sign_in("acme", EMAIL, password, None));
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

pub(super) const OTHER: &str = "another teal walrus 95 umbrella";

/// S15, S20.
pub(super) fn a_new_password_ends_every_stamp(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let acme = bench.create("acme");
    assert_eq!(kind(bench.platform.sign_in("acme", EMAIL, "", None)), DENIED, "invited");
    bench.agency.set_password(acme.id, PASSWORD, PASSWORD).expect("sets");
    let access = bench.platform.sign_in("acme", EMAIL, PASSWORD, None).expect("signs in");
    bench.agency.set_password(acme.id, OTHER, OTHER).expect("sets");
    assert_eq!(kind(bench.platform.check_access(&access.stamp, None)), DENIED);
    assert_eq!(kind(bench.platform.sign_in("acme", EMAIL, PASSWORD, None)), DENIED);
    bench.platform.sign_in("acme", EMAIL, OTHER, None).expect("signs in");
    assert_eq!(bench.agency.reseller(acme.id).expect("there").version, 1, "no edit is in conflict");
    let last = bench.agency.changes(Some(0), Some(100)).expect("reads").pop().expect("an entry");
    assert_eq!((last.kind, last.version), (ChangeKind::PasswordChanged, 1));
    let refused = bench.agency.set_password(acme.id, "short", "shirt").expect_err("refused");
    let codes: Vec<_> = refused.fields().iter().map(|e| (e.field.as_str(), e.code)).collect();
    let expected = [("password", Code::TooShort), ("password_confirmation", Code::Mismatch)];
    assert_eq!(codes, expected);
    let guessable = "owner@acme.example";
    let refused = bench.agency.set_password(acme.id, guessable, guessable).expect_err("refused");
    assert_eq!(refused.fields()[0].code, Code::Guessable);
}

/// S15: guessing the current password is limited like guessing at sign-in.
pub(super) fn changing_a_password_needs_the_current_one(harness: &dyn Harness) {
    let bench = Bench::with(harness, |builder| builder.sign_in_limit(3));
    let acme = bench.agency.create_reseller(draft_with_password("acme")).expect("creates");
    let change = |current, new| kind(bench.agency.change_password(acme.id, current, new, new));
    assert_eq!(change("wrong", OTHER), DENIED);
    assert_eq!(change(PASSWORD, "short"), Some(ErrorKind::Validation));
    assert_eq!(change(PASSWORD, OTHER), None);
    assert_eq!([change(PASSWORD, OTHER), change("x", OTHER), change("y", OTHER)], [DENIED; 3]);
    assert_eq!(change(OTHER, PASSWORD), DENIED, "stopped, though right");
    assert_eq!(kind(bench.platform.sign_in("acme", EMAIL, OTHER, None)), DENIED, "there, too");
}

/// S15.
pub(super) fn a_reset_token_works_once_and_in_time(harness: &dyn Harness) {
    let bench = Bench::with(harness, |builder| builder.sign_in_limit(2));
    let acme = bench.create("acme");
    let globex = bench.create("globex");
    let reset = |token: &str| kind(bench.platform.reset_password(token, OTHER, OTHER));
    let (first, second) = (bench.agency.reset_token(acme.id), bench.agency.reset_token(acme.id));
    let (first, second) = (first.expect("makes"), second.expect("makes"));
    let foreign = bench.agency.reset_token(globex.id).expect("makes");
    let stolen = first.replace(
        &acme.id.as_uuid().simple().to_string(),
        &globex.id.as_uuid().simple().to_string(),
    );
    for bad in ["", "a.b.c.d", &first[..first.len() - 1], &format!("{first}A"), &stolen] {
        assert_eq!(reset(bad), DENIED, "{bad}");
    }
    assert_eq!(
        [
            kind(bench.platform.sign_in("acme", EMAIL, "x", None)),
            kind(bench.platform.sign_in("acme", EMAIL, "y", None))
        ],
        [DENIED; 2]
    );
    assert_eq!(reset(&first), None);
    bench.platform.sign_in("acme", EMAIL, OTHER, None).expect("the failures are forgotten");
    assert_eq!([reset(&first), reset(&second)], [DENIED; 2], "one password, one token");
    bench.clock.forward(60 * 60_000);
    assert_eq!(reset(&foreign), DENIED, "too late");
}

/// S20.
pub(super) fn revoked_access_ends_every_stamp(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let acme = bench.agency.create_reseller(draft_with_password("acme")).expect("creates");
    let access = bench.platform.sign_in("acme", EMAIL, PASSWORD, None).expect("signs in");
    bench.agency.revoke_access(acme.id).expect("revokes");
    assert_eq!(kind(bench.platform.check_access(&access.stamp, None)), DENIED);
    let again = bench.platform.sign_in("acme", EMAIL, PASSWORD, None).expect("signs in again");
    bench.platform.check_access(&again.stamp, None).expect("valid");
}

/// S19.
pub(super) fn an_unlocked_reseller_signs_in_again(harness: &dyn Harness) {
    let bench = Bench::with(harness, |builder| builder.sign_in_limit(2));
    let acme = bench.agency.create_reseller(draft_with_password("acme")).expect("creates");
    let sign_in = |password| kind(bench.platform.sign_in("acme", EMAIL, password, None));
    assert_eq!([sign_in("x"), sign_in("y"), sign_in(PASSWORD)], [DENIED; 3]);
    bench.agency.unlock(acme.id).expect("unlocks");
    assert_eq!(sign_in(PASSWORD), None);
}

/// S19: a source is limited for all accounts together, before any password is verified; a success
/// does not count.
pub(super) fn one_source_cannot_go_on_guessing(harness: &dyn Harness) {
    let seconds = Duration::from_secs;
    let bench = Bench::with(harness, |builder| builder.source_limit(3, seconds(10)));
    bench.agency.create_reseller(draft_with_password("acme")).expect("creates");
    let guess = |source: &str, email: &str, password: &str| {
        bench.platform.sign_in("acme", email, password, Some(source))
    };
    for _ in 0..5 {
        guess("192.0.2.1", EMAIL, PASSWORD).expect("a success is given back");
    }
    for n in 0..3 {
        let email = format!("guess{n}@acme.example");
        assert_eq!(kind(guess("192.0.2.1", &email, "wrong")), DENIED);
    }
    let computed = bench.platform.hash_computations();
    let throttled = guess("192.0.2.1", EMAIL, PASSWORD).expect_err("throttled");
    assert_eq!(throttled.kind(), ErrorKind::Throttled);
    assert_eq!(throttled.retry_after(), Some(seconds(10)));
    assert_eq!(bench.platform.hash_computations(), computed, "before any hashing");
    guess("192.0.2.2", EMAIL, PASSWORD).expect("another source");
    bench.platform.sign_in("acme", EMAIL, PASSWORD, None).expect("no source at all");
    bench.clock.forward(10_000);
    assert_eq!(kind(guess("192.0.2.1", EMAIL, "wrong")), DENIED);
    assert_eq!(kind(guess("192.0.2.1", EMAIL, "wrong")), Some(ErrorKind::Throttled));
    bench.clock.forward(60_000);
    guess("192.0.2.1", EMAIL, PASSWORD).expect("forgiven in time");
}

/// S19.
pub(super) fn a_hard_stop_is_told_to_the_feed_once(harness: &dyn Harness) {
    let limit = |builder: PlatformBuilder| builder.sign_in_limit(3).sign_in_delay_from(1_000);
    let bench = Bench::with(harness, limit);
    let acme = bench.agency.create_reseller(draft_with_password("acme")).expect("creates");
    for _ in 0..5 {
        assert_eq!(kind(bench.platform.sign_in("acme", EMAIL, "wrong", None)), DENIED);
        // Unknown accounts are stopped, too, but no feed has an entry.
        assert_eq!(kind(bench.platform.sign_in("acme", "x@acme.example", "wrong", None)), DENIED);
    }
    let told = || {
        let feed = bench.agency.changes(Some(0), Some(100)).expect("reads").into_iter();
        let stops = feed.filter(|change| change.kind == ChangeKind::SignInLocked);
        stops.map(|change| (change.reseller, change.version)).collect::<Vec<_>>()
    };
    assert_eq!(told(), [(Some(acme.id), 1)]);
    bench.clock.forward(400 * 86_400_000);
    bench.platform.maintain(Some(1_000)).expect("maintains");
    assert_eq!(
        kind(bench.platform.sign_in("acme", EMAIL, PASSWORD, None)),
        DENIED,
        "no time ends it"
    );
    bench.agency.unlock(acme.id).expect("unlocks");
    bench.platform.sign_in("acme", EMAIL, PASSWORD, None).expect("signs in");
    let new = "another teal walrus 95 umbrella";
    for expected in [1, 1, 2, 2] {
        let denied = bench.agency.change_password(acme.id, "wrong", new, new);
        assert_eq!(kind(denied), DENIED);
        assert_eq!(told().len(), expected, "guessing by another door");
    }
}

/// S19: only a success, `unlock` and a new password lift a hard stop.
pub(super) fn failures_stay_with_their_account(harness: &dyn Harness) {
    let bench = Bench::with(harness, |builder| builder.sign_in_limit(2));
    let acme = bench.agency.create_reseller(draft_with_password("acme")).expect("creates");
    let sign_in =
        |label, email, password| kind(bench.platform.sign_in(label, email, password, None));
    assert_eq!([sign_in("acme", EMAIL, "x"), sign_in("acme", EMAIL, "y")], [DENIED; 2]);
    bench.agency.rename_login_domain(acme.id, None, "acmetwo").expect("renames");
    assert_eq!(sign_in("acmetwo", EMAIL, PASSWORD), DENIED, "another login domain");
    let email = "new@acme.example";
    let patch = ResellerPatch { email: Some(email.into()), ..Default::default() };
    bench.agency.update_reseller(acme.id, None, &patch).expect("updates");
    assert_eq!(sign_in("acmetwo", email, PASSWORD), DENIED, "another email");
    bench.agency.unlock(acme.id).expect("unlocks");
    assert_eq!(sign_in("acmetwo", email, PASSWORD), None);
}

/// S25, S19: a later reseller with the same login domain and email starts without failures.
pub(super) fn no_failure_is_inherited(harness: &dyn Harness) {
    let at_once = LoginDomainPolicy::letters().quarantine(Quarantine::Immediately);
    let limit = |builder: PlatformBuilder| builder.sign_in_limit(2).login_domain_policy(at_once);
    let bench = Bench::with(harness, limit);
    let sign_in = |password| kind(bench.platform.sign_in("acme", EMAIL, password, None));
    let stop = || assert_eq!([sign_in("x"), sign_in("y"), sign_in(PASSWORD)], [DENIED; 3]);
    let create =
        |agency: &Agency| agency.create_reseller(draft_with_password("acme")).expect("creates");
    stop();
    let first = create(&bench.agency);
    assert_eq!(sign_in(PASSWORD), None, "guesses at nobody were no guesses at it");
    stop_and_forget(&bench, stop, &first, |_| bench.agency.delete_reseller(first.id));
    let second = create(&bench.agency);
    assert_eq!(sign_in(PASSWORD), None, "after a deletion");
    stop_and_forget(&bench, stop, &second, |platform| platform.delete_agency("northwind"));
    create(&bench.platform.create_agency("northwind", None).expect("creates"));
    assert_eq!(sign_in(PASSWORD), None, "after the deletion of its agency");
}

/// Stops an account, deletes it, and checks whether any of its failures are left.
fn stop_and_forget(
    bench: &Bench<'_>,
    stop: impl Fn(),
    account: &Reseller,
    delete: impl FnOnce(&Platform) -> crate::Result<crate::Erasure>,
) {
    stop();
    let failures = || bench.failures_of(account);
    assert_eq!(failures(), 2);
    delete(&bench.platform).expect("deletes");
    assert_eq!(failures(), 0, "nothing is left");
}

/// S51: a hard stop without an account ends, because nobody would ever lift it.
pub(super) fn a_stop_of_nobody_has_an_end(harness: &dyn Harness) {
    let bench = Bench::with(harness, |builder| builder.sign_in_limit(2));
    bench.agency.create_reseller(draft_with_password("acme")).expect("creates");
    let sign_in = |email, password| kind(bench.platform.sign_in("acme", email, password, None));
    for email in [EMAIL, "nobody@acme.example"] {
        assert_eq!([sign_in(email, "x"), sign_in(email, "y")], [DENIED; 2]);
    }
    assert_eq!(bench.platform.maintain(Some(1_000)).expect("maintains").removed, 0, "not yet");
    bench.clock.forward(31 * 86_400_000);
    assert_eq!(
        bench.platform.maintain(Some(1_000)).expect("maintains").removed,
        1,
        "that of nobody"
    );
    assert_eq!(sign_in(EMAIL, PASSWORD), DENIED, "that of an account stays");
}

/// Platforms on one store during the rotation of a secret: with the old one, with both, with the
/// new one.
pub(super) fn rotation(
    bench: &Bench<'_>,
    configure: fn(PlatformBuilder) -> PlatformBuilder,
) -> [Platform; 3] {
    let open = |secrets: &[u32]| {
        let builder = configure(Platform::builder().clock(bench.clock.clone()));
        let with = |builder: PlatformBuilder, id: &u32| builder.secret(*id, [*id as u8; 32]);
        let builder = secrets.iter().fold(builder, with);
        builder.open_storage(bench.storage.clone()).expect("opens")
    };
    [open(&[1]), open(&[1, 2]), open(&[2])]
}

/// S59, S19: failures count together, whichever secrets the counting process knows.
pub(super) fn a_new_secret_forgets_no_failure(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let [old, both, new] = rotation(&bench, |builder| builder.sign_in_limit(2));
    let acme = bench.agency.create_reseller(draft_with_password("acme")).expect("creates");
    let sign_in =
        |platform: &Platform, password| kind(platform.sign_in("acme", EMAIL, password, None));
    let unlock = |platform: &Platform| {
        platform.agency("northwind").expect("there").unlock(acme.id).expect("unlocks");
    };
    assert_eq!([sign_in(&old, "x"), sign_in(&both, "y")], [DENIED; 2]);
    assert_eq!([&old, &both, &new].map(|platform| sign_in(platform, PASSWORD)), [DENIED; 3]);
    unlock(&both);
    assert_eq!([&old, &both, &new].map(|platform| sign_in(platform, PASSWORD)), [None; 3]);

    assert_eq!([sign_in(&old, "x"), sign_in(&old, "y")], [DENIED; 2]);
    assert_eq!(sign_in(&both, PASSWORD), DENIED, "stopped before there was another secret");
    assert_eq!(sign_in(&new, PASSWORD), DENIED, "and after the old one has gone");
}

/// S59, S19.
pub(super) fn a_new_secret_forgives_no_source(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let [old, both, new] = rotation(&bench, |builder| {
        builder.source_limit(2, Duration::from_secs(10)).sign_in_limit(1_000)
    });
    let guess = |platform: &Platform| kind(platform.sign_in("acme", EMAIL, "x", Some("192.0.2.1")));
    assert_eq!([guess(&old), guess(&both)], [DENIED; 2]);
    assert_eq!([&old, &both, &new].map(guess), [Some(ErrorKind::Throttled); 3]);
}

/// S59: cursors and tokens that were made with the old secret work until it is removed.
pub(super) fn what_was_sealed_outlives_a_new_secret(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let [old, both, new] = rotation(&bench, |builder| builder);
    let acme = bench.create("acme");
    bench.create("globex");
    let [old, both_agency, new_agency] =
        [&old, &both, &new].map(|platform| platform.agency("northwind").expect("there"));
    let cursor = old.page(&ResellerQuery::all().limit(1)).expect("reads").next.expect("more");
    let after = ResellerQuery::all().limit(1).after(cursor);
    let rest = both_agency.page(&after).expect("reads").resellers;
    assert_eq!(rest.iter().map(|row| row.id).collect::<Vec<_>>(), [acme.id]);
    assert_eq!(kind(new_agency.page(&after)), Some(ErrorKind::InvalidCursor));
    let token = old.reset_token(acme.id).expect("makes");
    assert_eq!(kind(new.reset_password(&token, OTHER, OTHER)), DENIED);
    both.reset_password(&token, OTHER, OTHER).expect("resets");
}
