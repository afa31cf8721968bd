//! Hashing: bounded, the same for every way to fail, taken over from others, made anew when it
//! has become too cheap (S15–S18).

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Condvar, Mutex, OnceLock};
use std::time::Duration;

use partnerkit::storage::memory::Memory;
use partnerkit::{
    Code, ContactDraft, ErrorKind, HashingCost, LegacyVerifier, PhoneDraft, Platform,
    PlatformBuilder, ResellerDraft, ResellerQuery,
};

#[test]
fn s18_every_attempt_is_hashed_once_or_told_to_come_again() {
    let platform = Platform::builder().hashing(1, 1).open("memory:").expect("opens");
    let attempt = || {
        let error =
            platform.sign_in("acme", "owner@acme.example", "wrong", None).expect_err("refused");
        error.kind()
    };
    let kinds: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..12).map(|_| scope.spawn(attempt)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    let denied = kinds.iter().filter(|kind| **kind == ErrorKind::AccessDenied).count();
    let busy = kinds.iter().filter(|kind| **kind == ErrorKind::Busy).count();
    assert_eq!(denied + busy, 12);
    assert!(denied >= 1);
    assert_eq!(platform.hash_computations(), denied as u64);
    assert_eq!(attempt(), ErrorKind::AccessDenied, "free again");
}

const RIGHT: &str = "password";
const LONG: &str = "plain teal walrus 94 umbrella";

/// The reference implementation's own test vectors, and one as npm's argon2 orders parameters.
const OF_OTHERS: [&str; 4] = [
    "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
    "$argon2id$v=19$m=65536,p=1,t=2$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
    "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA",
    "$argon2i$m=65536,t=2,p=1$c29tZXNhbHQ$9sTbSlTio3Biev89thdrlKKiCaYsjjYVJxGAL3swxpQ",
];

fn form(hash: &str) -> ResellerDraft {
    ResellerDraft {
        partner_type: "own_plans".into(),
        name: "Acme".into(),
        email: "owner@acme.example".into(),
        phone: PhoneDraft::international("+49 30 901820"),
        password_hash: Some(hash.into()),
        contact: ContactDraft {
            name: "Ann".into(),
            email: "ann@acme.example".into(),
            phone: PhoneDraft::international("+49 30 901820"),
        },
        login_domain: "acme".into(),
        ..ResellerDraft::default()
    }
}

/// How many computations a sign-in took, and how it ended.
fn sign_in(platform: &Platform, password: &str) -> (u64, Option<ErrorKind>) {
    let before = platform.hash_computations();
    let result = platform.sign_in("acme", "owner@acme.example", password, None);
    (platform.hash_computations() - before, result.err().map(|error| error.kind()))
}

const DENIED: Option<ErrorKind> = Some(ErrorKind::AccessDenied);

/// An old scheme that tells how many ask it at once: those that hold a turn at hashing.
#[derive(Default)]
struct Counted {
    running: AtomicUsize,
    most: AtomicUsize,
}

impl LegacyVerifier for Counted {
    fn recognises(&self, hash: &str) -> bool {
        hash.starts_with("counted:")
    }

    fn verify(&self, _: &str, _: &str) -> Option<bool> {
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(running, Ordering::SeqCst);
        // Long enough that others would come in.
        std::thread::sleep(Duration::from_millis(2));
        self.running.fetch_sub(1, Ordering::SeqCst);
        Some(false)
    }
}

#[test]
fn s18_of_a_thousand_at_once_no_more_compute_than_may() {
    let counted = Arc::new(Counted::default());
    let builder = Platform::builder().legacy_verifier(counted.clone()).hashing(2, 30);
    let builder = builder.sign_in_limit(1_000_000).sign_in_delay_from(1_000_000);
    let platform = builder.open("memory:").expect("opens");
    let agency = platform.create_agency("northwind", None).expect("creates");
    agency.create_reseller(form("counted:")).expect("creates");
    let barrier = Barrier::new(1_000);
    let attempt = || {
        barrier.wait();
        let result = platform.sign_in("acme", "owner@acme.example", "wrong", None);
        result.expect_err("refused").kind()
    };
    let kinds: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..1_000).map(|_| scope.spawn(attempt)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    let answered = kinds.iter().filter(|kind| **kind == ErrorKind::AccessDenied).count();
    let busy = kinds.iter().filter(|kind| **kind == ErrorKind::Busy).count();
    assert_eq!(answered + busy, 1_000);
    assert_eq!(platform.hash_computations(), answered as u64);
    assert!((1..=2).contains(&counted.most.load(Ordering::SeqCst)));
}

#[test]
fn s15_a_password_is_compared_as_it_is() {
    let platform = Platform::open("memory:").expect("opens");
    let agency = platform.create_agency("northwind", None).expect("creates");
    let password = " plain te\u{301}al walrus\094 umbrella ";
    let mut draft = form("");
    (draft.password, draft.password_confirmation) = (password.into(), password.into());
    agency.create_reseller(draft).expect("creates");
    assert_eq!(sign_in(&platform, password), (1, None));
    assert_eq!(sign_in(&platform, " plain t\u{e9}al walrus\094 umbrella "), (1, None), "in NFC");
    for other in [
        password.trim(),
        password.trim_start(),
        password.trim_end(),
        " plain t\u{e9}al walrus",
        " plain t\u{e9}al walrus 94 umbrella ",
        " PLAIN T\u{c9}AL WALRUS\094 UMBRELLA ",
    ] {
        assert_eq!(sign_in(&platform, other), (1, DENIED), "{other}");
    }
}

#[test]
fn s15_a_hash_of_another_library_is_taken_over() {
    for hash in OF_OTHERS {
        let platform = Platform::open("memory:").expect("opens");
        let agency = platform.create_agency("northwind", None).expect("creates");
        agency.create_reseller(form(hash)).expect("creates");
        assert_eq!(platform.hash_computations(), 0, "an import hashes nothing");
        assert_eq!(sign_in(&platform, "wrong"), (1, DENIED), "{hash}");
        let anew = u64::from(hash.starts_with("$argon2i$"));
        assert_eq!(sign_in(&platform, RIGHT), (1 + anew, None), "{hash}");
        assert_eq!(sign_in(&platform, RIGHT), (1, None), "{hash}");
    }
}

/// Of the password `password`, each cheaper than the floor: the reference implementation's own
/// test vectors.
const CHEAP: [&str; 3] = [
    "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
    "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
    "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8",
];

#[test]
fn s17_a_cheap_hash_is_taken_over_and_made_anew() {
    for hash in CHEAP {
        let platform = Platform::open("memory:").expect("opens");
        let agency = platform.create_agency("northwind", None).expect("creates");
        agency.create_reseller(form(hash)).expect("creates");
        assert_eq!(sign_in(&platform, "wrong"), (1, DENIED), "{hash}");
        assert_eq!(sign_in(&platform, RIGHT), (2, None), "{hash}");
        assert_eq!(sign_in(&platform, RIGHT), (1, None), "{hash}");
    }
}

#[test]
fn s15_a_hash_that_nobody_understands_is_refused() {
    let platform = Platform::open("memory:").expect("opens");
    let agency = platform.create_agency("northwind", None).expect("creates");
    let refused = |draft: ResellerDraft| {
        let error = agency.create_reseller(draft).expect_err("refused");
        assert!(!format!("{error} {error:?}").contains("argon2"), "no input in an error");
        error.fields().iter().map(|e| (e.field.clone(), e.code)).collect::<Vec<_>>()
    };
    let long = "x".repeat(1_025);
    for (hash, code) in [
        ("$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW", Code::Invalid),
        ("$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ", Code::Invalid),
        (
            "$argon2id$v=18$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            Code::Invalid,
        ),
        (
            "$argon2id$v=19$m=65536,t=2,p=1,keyid=Zm9v$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            Code::Invalid,
        ),
        (
            "p7$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            Code::Invalid,
        ),
        (
            "$argon2id$v=19$m=262145,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            Code::OutOfRange,
        ),
        (
            "$argon2id$v=19$m=65536,t=17,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            Code::OutOfRange,
        ),
        (long.as_str(), Code::TooLong),
    ] {
        assert_eq!(refused(form(hash)), [("password_hash".to_owned(), code)], "{hash}");
    }
    let mut both = form(OF_OTHERS[0]);
    both.password = "plain teal walrus 94 umbrella".into();
    both.password_confirmation = both.password.clone();
    assert_eq!(refused(both), [("password".to_owned(), Code::Unexpected)]);
    let mut invited = form(OF_OTHERS[0]);
    invited.invite = true;
    assert_eq!(refused(invited), [("password_hash".to_owned(), Code::Unexpected)]);
    assert!(!format!("{:?}", form(OF_OTHERS[0])).contains("argon2"));
}

/// A scheme of a host's own, which breaks down over one password.
struct Reversed;

impl LegacyVerifier for Reversed {
    fn recognises(&self, hash: &str) -> bool {
        hash.starts_with("rev:")
    }

    fn verify(&self, password: &str, hash: &str) -> Option<bool> {
        assert_ne!(password, "poison", "breaks down");
        let rest = hash.strip_prefix("rev:").filter(|_| password != "offline")?;
        Some(rest.chars().rev().eq(password.chars()))
    }
}

#[test]
fn s15_an_old_schemes_hash_is_made_anew_at_the_first_success() {
    let verifier = Arc::new(Reversed);
    let builder = Platform::builder().legacy_verifier(verifier).hashing(1, 0);
    let platform = builder.open("memory:").expect("opens");
    let agency = platform.create_agency("northwind", None).expect("creates");
    agency.create_reseller(form("rev:drowssap")).expect("creates");
    assert_eq!(sign_in(&platform, "wrong"), (1, DENIED));
    assert_eq!(sign_in(&platform, "poison"), (1, DENIED), "and the turn is given back");
    let access = platform.sign_in("acme", "owner@acme.example", RIGHT, None).expect("signs in");
    assert_eq!(sign_in(&platform, RIGHT), (1, None), "the library's own now");
    assert_eq!(sign_in(&platform, "poison"), (1, DENIED), "nobody asks the old scheme");
    platform.check_access(&access.stamp, None).expect("a new hash ends no stamp");
}

/// A scheme whose verifier uses the platform that asks it.
#[derive(Default)]
struct Nested {
    platform: OnceLock<Platform>,
    kinds: Mutex<Vec<ErrorKind>>,
}

impl LegacyVerifier for Nested {
    fn recognises(&self, hash: &str) -> bool {
        hash.starts_with("nested:")
    }

    fn verify(&self, password: &str, _: &str) -> Option<bool> {
        let platform = self.platform.get().expect("set");
        let agency = platform.agency("northwind").expect("what hashes nothing works");
        let acme = agency.page(&ResellerQuery::default()).expect("reads").resellers[0].id;
        let signed_in = platform.sign_in("acme", "owner@acme.example", LONG, None).map(drop);
        let changed = agency.set_password(acme, LONG, LONG);
        let kinds = [signed_in, changed].map(|result| result.expect_err("refused").kind());
        self.kinds.lock().expect("no panic").extend(kinds);
        // Another platform has turns of its own.
        let other = Platform::open("memory:").expect("opens");
        let denied = other.sign_in("acme", "owner@acme.example", LONG, None).expect_err("nobody");
        self.kinds.lock().expect("no panic").push(denied.kind());
        Some(password == RIGHT)
    }
}

#[test]
fn s18_a_verifier_that_waited_for_its_own_turn_is_told() {
    let nested = Arc::new(Nested::default());
    // Without a queue: what waits for its own turn is `Busy`, and does not hang.
    let builder = Platform::builder().legacy_verifier(nested.clone()).hashing(1, 0);
    let platform = builder.open("memory:").expect("opens");
    let agency = platform.create_agency("northwind", None).expect("creates");
    agency.create_reseller(form("nested:")).expect("creates");
    nested.platform.set(platform.clone()).ok().expect("once");
    assert_eq!(sign_in(&platform, "wrong"), (1, DENIED));
    let expected = [ErrorKind::Configuration, ErrorKind::Configuration, ErrorKind::AccessDenied];
    assert_eq!(*nested.kinds.lock().expect("no panic"), expected);
    // A success hashes the password anew once the verifier has answered.
    assert_eq!(sign_in(&platform, RIGHT), (2, None));
}

/// A host whose verifier is down for an hour would find every account stopped otherwise.
#[test]
fn s19_an_attempt_that_the_old_scheme_could_not_judge_counts_as_none() {
    let builder = Platform::builder().legacy_verifier(Arc::new(Reversed)).hashing(1, 0);
    let builder = builder.sign_in_limit(3).source_limit(7, Duration::from_secs(3_600));
    let platform = builder.open("memory:").expect("opens");
    let agency = platform.create_agency("northwind", None).expect("creates");
    let acme = agency.create_reseller(form("rev:drowssap")).expect("creates").id;
    let from = |password| {
        let result = platform.sign_in("acme", "owner@acme.example", password, Some("192.0.2.1"));
        result.err().map(|error| error.kind())
    };
    assert_eq!(from("wrong"), DENIED);
    for unknown in ["offline", "poison"].into_iter().cycle().take(10) {
        let changed = agency.change_password(acme, unknown, LONG, LONG);
        assert_eq!(changed.map_err(|error| error.kind()), Err(ErrorKind::AccessDenied));
    }
    for _ in 0..5 {
        assert_eq!(from("offline"), DENIED);
    }
    assert_eq!(from("wrong"), DENIED, "the first failure is still counted, and this is the second");
    assert_eq!(from("offline"), Some(ErrorKind::Throttled), "of the source everything counts");
    let wrong = agency.change_password(acme, "wrong", LONG, LONG);
    assert_eq!(wrong.map_err(|error| error.kind()), Err(ErrorKind::AccessDenied), "the third");
    assert_eq!(sign_in(&platform, RIGHT), (1, DENIED), "which is the last");
}

/// An old scheme that takes until it is let go.
#[derive(Default)]
struct Held {
    state: Mutex<(usize, bool)>,
    changed: Condvar,
}

impl Held {
    /// Waits until somebody is being verified.
    fn is_entered(&self) {
        let state = self.state.lock().expect("no panic");
        drop(self.changed.wait_while(state, |(entered, _)| *entered == 0).expect("no panic"));
    }

    fn let_go(&self) {
        self.state.lock().expect("no panic").1 = true;
        self.changed.notify_all();
    }
}

impl LegacyVerifier for Held {
    fn recognises(&self, hash: &str) -> bool {
        hash.starts_with("held:")
    }

    fn verify(&self, _: &str, _: &str) -> Option<bool> {
        let mut state = self.state.lock().expect("no panic");
        state.0 += 1;
        self.changed.notify_all();
        drop(self.changed.wait_while(state, |(_, let_go)| !*let_go).expect("no panic"));
        Some(false)
    }
}

/// A source that has used its attempts up does not even queue.
#[test]
fn s19_a_source_is_throttled_before_it_waits_for_a_turn() {
    let held = Arc::new(Held::default());
    let builder = Platform::builder().legacy_verifier(held.clone()).hashing(1, 0);
    let builder = builder.source_limit(1, Duration::from_secs(3_600));
    let platform = builder.open("memory:").expect("opens");
    let agency = platform.create_agency("northwind", None).expect("creates");
    agency.create_reseller(form("held:")).expect("creates");
    let from = |source: &str, label: &str| {
        let result = platform.sign_in(label, "owner@acme.example", "wrong", Some(source));
        result.expect_err("refused").kind()
    };
    assert_eq!(from("192.0.2.1", "globex"), ErrorKind::AccessDenied);
    std::thread::scope(|scope| {
        let hashing = scope.spawn(|| from("192.0.2.2", "acme"));
        held.is_entered();
        let answers = (from("192.0.2.1", "globex"), from("192.0.2.3", "globex"));
        held.let_go();
        assert_eq!(answers, (ErrorKind::Throttled, ErrorKind::Busy));
        assert_eq!(hashing.join().expect("no panic"), ErrorKind::AccessDenied);
    });
}

/// S19: the attempts of one agency fill no queue for those of another one.
#[test]
fn s19_one_tenants_attempts_keep_no_other_out() {
    let held = Arc::new(Held::default());
    let builder = Platform::builder().legacy_verifier(held.clone()).hashing(1, 2);
    let platform = builder.open("memory:").expect("opens");
    for (id, hash, label) in [("northwind", "held:", "acme"), ("contoso", CHEAP[0], "globex")] {
        let agency = platform.create_agency(id, None).expect("creates");
        let draft = ResellerDraft { login_domain: label.into(), ..form(hash) };
        agency.create_reseller(draft).expect("creates");
    }
    let busy = AtomicUsize::new(0);
    let attempt = |label: &str| {
        let result = platform.sign_in(label, "owner@acme.example", "wrong", None);
        let kind = result.expect_err("refused").kind();
        busy.fetch_add(usize::from(kind == ErrorKind::Busy), Ordering::SeqCst);
        kind
    };
    let told_busy = |times: usize| {
        while busy.load(Ordering::SeqCst) < times {
            std::thread::yield_now();
        }
    };
    std::thread::scope(|scope| {
        // One is looked at, two wait for their turn.
        let flood: Vec<_> = (0..10).map(|_| scope.spawn(|| attempt("acme"))).collect();
        told_busy(7);
        let guest = scope.spawn(|| attempt("globex"));
        told_busy(8);
        held.let_go();
        assert_eq!(guest.join().expect("no panic"), ErrorKind::AccessDenied);
        let flood = flood.into_iter().map(|attempt| attempt.join().expect("no panic"));
        assert_eq!(flood.filter(|kind| *kind == ErrorKind::Busy).count(), 8, "one made room");
    });
}

/// Each is opened on the same store, one after another.
#[test]
fn s16_a_hash_is_made_anew_when_the_cost_rises_or_the_pepper_changes() {
    let store: Arc<Memory> = Arc::new(Memory::new());
    let open = |configure: fn(PlatformBuilder) -> PlatformBuilder| {
        configure(Platform::builder()).open_storage(store.clone()).expect("opens")
    };
    let plain = open(|builder| builder);
    let agency = plain.create_agency("northwind", None).expect("creates");
    let mut draft = form("");
    draft.password = "plain teal walrus 94 umbrella".into();
    draft.password_confirmation = draft.password.clone();
    let right = draft.password.clone();
    agency.create_reseller(draft).expect("creates");
    assert_eq!(sign_in(&plain, &right), (1, None));
    let dearer =
        |b: PlatformBuilder| b.hashing_cost(HashingCost::new(20_000, 2, 1).expect("reasonable"));
    assert_eq!(sign_in(&open(dearer), &right), (2, None), "dearer");
    assert_eq!(sign_in(&open(dearer), &right), (1, None));
    assert_eq!(sign_in(&plain, &right), (1, None), "what is dearer stays");
    let first = |b: PlatformBuilder| b.pepper(1, *b"0123456789abcdef");
    assert_eq!(sign_in(&open(first), &right), (2, None), "peppered");
    assert_eq!(sign_in(&open(first), "wrong"), (1, DENIED));
    assert_eq!(sign_in(&plain, &right), (1, DENIED), "not without the pepper");
    let second =
        |b: PlatformBuilder| b.pepper(2, *b"fedcba9876543210").pepper(1, *b"0123456789abcdef");
    assert_eq!(sign_in(&open(second), &right), (2, None), "replaced");
    assert_eq!(sign_in(&open(first), &right), (1, DENIED));
    assert_eq!(sign_in(&open(second), &right), (1, None));
}

#[test]
fn s16_unreasonable_settings_are_refused() {
    for (memory, passes, lanes) in
        [(19_455, 2, 1), (19_456, 1, 1), (300_000, 2, 1), (19_456, 99, 1)]
    {
        let refused = HashingCost::new(memory, passes, lanes).expect_err("refused");
        assert_eq!(refused.kind(), ErrorKind::Configuration);
    }
    let short = Platform::builder().pepper(1, *b"short").open("memory:");
    assert_eq!(short.map(drop).expect_err("refused").kind(), ErrorKind::Configuration);
}
