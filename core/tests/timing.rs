//! No way to fail can be told from another by the time it takes (S17). A program of its own, so
//! that no other test runs beside it.

use std::sync::Arc;
use std::time::Instant;

use partnerkit::storage::memory::Memory;
use partnerkit::{ContactDraft, LegacyVerifier, PhoneDraft, Platform, ResellerDraft};

fn form(label: &str, password: Option<&str>) -> ResellerDraft {
    let password = password.unwrap_or_default();
    ResellerDraft {
        partner_type: "own_plans".into(),
        name: "Acme".into(),
        email: format!("owner@{label}.example"),
        phone: PhoneDraft::international("+49 30 901820"),
        password: password.into(),
        password_confirmation: password.into(),
        invite: password.is_empty(),
        contact: ContactDraft {
            name: "Ann".into(),
            email: "ann@acme.example".into(),
            phone: PhoneDraft::international("+49 30 901820"),
        },
        login_domain: label.into(),
        ..ResellerDraft::default()
    }
}

/// The form of somebody who brings along a hash.
fn import(label: &str, hash: &str) -> ResellerDraft {
    ResellerDraft { password_hash: Some(hash.into()), invite: false, ..form(label, None) }
}

/// The reference implementation's own test vector; it takes a 75th of the floor.
const CHEAP: &str =
    "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
/// An old scheme that takes no time.
struct Plain;

impl LegacyVerifier for Plain {
    fn recognises(&self, hash: &str) -> bool {
        hash.starts_with("plain:")
    }

    fn verify(&self, password: &str, hash: &str) -> Option<bool> {
        Some(hash.strip_prefix("plain:") == Some(password))
    }
}

/// What a tenth of the samples is below. Whatever else the machine does only adds to them.
fn undisturbed(samples: &mut [f64]) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 10]
}

fn shuffled(n: usize, random: &mut u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    for i in (1..n).rev() {
        *random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        order.swap(i, (*random >> 33) as usize % (i + 1));
    }
    order
}

/// What is taken undisturbed lies within 5 %. Machines are shared and their speed drifts, so every
/// round asks all ways in another order, and more rounds follow while they are apart.
#[test]
fn s17_every_way_to_fail_takes_as_long() {
    let store = Arc::new(Memory::new());
    let open = |limit| {
        let builder = Platform::builder().sign_in_limit(limit).sign_in_delay_from(1_000_000);
        let builder = builder.legacy_verifier(Arc::new(Plain));
        builder.open_storage(store.clone()).expect("opens")
    };
    // Nobody is stopped by the one, and everybody by the other.
    let (lax, strict) = (open(1_000_000), open(1));
    let agency = lax.create_agency("northwind", None).expect("creates");
    let password = "plain teal walrus 94 umbrella";
    agency.create_reseller(form("acme", Some(password))).expect("creates");
    agency.create_reseller(form("globex", None)).expect("creates");
    let inactive = agency.create_reseller(form("initech", Some(password))).expect("creates");
    agency.deactivate(inactive.id, None).expect("deactivates");
    agency.create_reseller(form("fabrikam", Some(password))).expect("creates");
    strict.sign_in("fabrikam", "owner@fabrikam.example", "wrong", None).expect_err("the last one");
    agency.create_reseller(import("proseware", CHEAP)).expect("creates");
    agency.create_reseller(import("tailspin", "plain:password")).expect("creates");
    let long = "x".repeat(5_000);
    let ways = [
        (&lax, "acme", "owner@acme.example", "wrong"),
        (&lax, "acme", "owner@acme.example", long.as_str()),
        (&lax, "acme", "nobody@acme.example", "wrong"),
        (&lax, "hooli", "owner@acme.example", "wrong"),
        (&lax, "globex", "owner@globex.example", "wrong"),
        (&lax, "initech", "owner@initech.example", password),
        (&strict, "fabrikam", "owner@fabrikam.example", password),
        (&lax, "proseware", "owner@proseware.example", "wrong"),
        (&lax, "tailspin", "owner@tailspin.example", "wrong"),
        (&lax, "Acme!", "no address", ""),
    ];
    let mut random = 1_u64;
    let mut taken = ways.map(|_| Vec::new());
    let mut ratio = f64::MAX;
    for round in 1..=1_000 {
        for way in shuffled(ways.len(), &mut random) {
            let (platform, label, email, password) = ways[way];
            let began = Instant::now();
            platform.sign_in(label, email, password, None).expect_err("denied");
            taken[way].push(began.elapsed().as_secs_f64());
        }
        if round % 25 == 0 {
            let undisturbed = taken.each_mut().map(|taken| undisturbed(taken));
            let least = undisturbed.iter().copied().fold(f64::MAX, f64::min);
            ratio = undisturbed.iter().copied().fold(0.0, f64::max) / least;
            if ratio <= 1.05 {
                return;
            }
        }
    }
    panic!("one way to fail can be told from another: the slowest takes {ratio} times as long");
}
