//! No way to fail can be told from another by the time it takes (S17). A program of its own, so
//! that no other test runs beside it.

use std::time::Instant;

use partnerkit::{ContactDraft, PhoneDraft, Platform, ResellerDraft};

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

fn median(samples: &mut [f64]) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

fn shuffled(n: usize, random: &mut u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    for i in (1..n).rev() {
        *random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        order.swap(i, (*random >> 33) as usize % (i + 1));
    }
    order
}

/// The medians lie within 5 %. Machines are shared and their speed drifts, so every round asks
/// all ways in another order, each is measured against its round's mean, and more rounds follow
/// while the medians are apart.
#[test]
fn s17_every_way_to_fail_takes_as_long() {
    let builder = Platform::builder().sign_in_limit(1_000_000).sign_in_delay_from(1_000_000);
    let platform = builder.open("memory:").expect("opens");
    let agency = platform.create_agency("northwind").expect("creates");
    let password = "plain teal walrus 94 umbrella";
    agency.create_reseller(form("acme", Some(password))).expect("creates");
    agency.create_reseller(form("globex", None)).expect("creates");
    let inactive = agency.create_reseller(form("initech", Some(password))).expect("creates");
    agency.deactivate(inactive.id, None).expect("deactivates");
    let long = "x".repeat(5_000);
    let ways = [
        ("acme", "owner@acme.example", "wrong"),
        ("acme", "owner@acme.example", long.as_str()),
        ("acme", "nobody@acme.example", "wrong"),
        ("hooli", "owner@acme.example", "wrong"),
        ("globex", "owner@globex.example", "wrong"),
        ("initech", "owner@initech.example", password),
        ("Acme!", "no address", ""),
    ];
    let mut random = 1_u64;
    let mut taken = ways.map(|_| Vec::new());
    let mut ratio = f64::MAX;
    for round in 1..=400 {
        let mut seconds = ways.map(|_| 0.0);
        for way in shuffled(ways.len(), &mut random) {
            let (label, email, password) = ways[way];
            let began = Instant::now();
            platform.sign_in(label, email, password).expect_err("denied");
            seconds[way] = began.elapsed().as_secs_f64();
        }
        let mean = seconds.iter().sum::<f64>() / seconds.len() as f64;
        taken.iter_mut().zip(seconds).for_each(|(taken, seconds)| taken.push(seconds / mean));
        if round % 25 == 0 {
            let medians = taken.each_mut().map(|taken| median(taken));
            let least = medians.iter().copied().fold(f64::MAX, f64::min);
            ratio = medians.iter().copied().fold(0.0, f64::max) / least;
            if ratio <= 1.05 {
                return;
            }
        }
    }
    panic!("one way to fail can be told from another: the slowest takes {ratio} times as long");
}
