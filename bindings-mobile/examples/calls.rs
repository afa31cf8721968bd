//! What calls take without a language in between, to compare with Kotlin: `bench-calls` runs both.
//! It makes the store at the path that it is given.

use std::time::Instant;

use partnerkit::{ContactDraft, PhoneDraft, Platform, ResellerDraft, ResellerQuery, Result};

const TIMES: usize = 2_000;

fn main() -> Result<()> {
    let path = std::env::args().nth(1).unwrap_or_else(|| ":missing:".to_owned());
    let platform = Platform::open(&format!("sqlite:{path}"))?;
    let agency = platform.ensure_agency("northwind", None)?;
    for n in 0..200_u8 {
        agency.create_reseller(draft(n))?;
    }
    let page = ResellerQuery::all();
    let some = agency.page(&page)?.resellers[7].id;
    median("reseller", || agency.reseller(some).map(drop))?;
    median("page of 25", || agency.page(&page).map(drop))
}

fn draft(n: u8) -> ResellerDraft {
    let letters = [n / 26, n % 26].map(|place| char::from(b'a' + place));
    let label = format!("acme{}", String::from_iter(letters));
    let email = format!("owner@{label}.example");
    ResellerDraft {
        partner_type: "own_plans".into(),
        name: format!("Acme Télécom {n}"),
        phone: PhoneDraft::national("US", "(415) 555-2671"),
        invite: true,
        contact: ContactDraft {
            name: "Ann Lee".into(),
            email: email.clone(),
            phone: PhoneDraft::international("+49 30 901820"),
        },
        email,
        login_domain: label,
        metadata: [("tier".to_owned(), "gold".to_owned())].into(),
        ..ResellerDraft::default()
    }
}

#[expect(clippy::print_stdout, reason = "figures are what it is for")]
fn median(what: &str, mut call: impl FnMut() -> Result<()>) -> Result<()> {
    let mut micros = Vec::new();
    for _ in 0..2 * TIMES {
        let begin = Instant::now();
        call()?;
        micros.push(begin.elapsed().as_nanos() as f64 / 1e3);
    }
    let mut micros = micros.split_off(TIMES); // warm by now
    micros.sort_by(f64::total_cmp);
    println!("{what}: {:.1} µs in Rust", micros[TIMES / 2]);
    Ok(())
}
