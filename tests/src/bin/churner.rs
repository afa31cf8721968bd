//! One of several processes that do everything at once on one store, without a pause.

use std::io::{BufRead, Write};
use std::time::Duration;

use fastrand::Rng;
use partnerkit::{
    Agency, ErrorKind, LoginDomainPolicy, Metric, Platform, Quarantine, Reseller, ResellerQuery,
    Result,
};
use partnerkit_tests::churn::{LABELS, LIMIT, PASSWORD, form, label};

/// So few that the processes get in each other's way.
const AGENCIES: usize = 3;
const KEYS: usize = 16;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, seed, steps] = &arguments[..] else { panic!("URL SEED STEPS") };
    let [seed, steps] = [seed, steps].map(|number| number.parse::<u64>().expect("a number"));
    let platform = Platform::builder()
        // Labels are free at once, so that any upkeep may meet a process that takes the label.
        .login_domain_policy(LoginDomainPolicy::letters().quarantine(Quarantine::Immediately))
        .keep_idempotency_keys(Duration::from_millis(1))
        .sign_in_limit(LIMIT)
        .open(url)
        .expect("opens");
    tell("ready");
    std::io::stdin().lock().read_line(&mut String::new()).expect("a line");
    let mut rng = Rng::with_seed(seed);
    for _ in 0..steps {
        if let Err(error) = step(&platform, &mut rng)
            && !is_in_the_way(error.kind())
        {
            return tell(&format!("{error}"));
        }
    }
    tell("done");
}

/// Whether an error may be caused by other processes that act at the same moment.
fn is_in_the_way(kind: ErrorKind) -> bool {
    use ErrorKind::{Aborted, AccessDenied, Busy, Conflict, NotFound, Validation};
    [Aborted, AccessDenied, Busy, Conflict, NotFound, Validation].contains(&kind)
}

fn step(platform: &Platform, rng: &mut Rng) -> Result<()> {
    let what = rng.u32(..100);
    let id = format!("agency-{}", rng.usize(..AGENCIES));
    if what < 25 {
        return platform.maintain(Some(20)).map(drop);
    }
    if what == 25 && rng.bool() {
        return platform.delete_agency(&id).map(drop);
    }
    let agency = platform.ensure_agency(&id, None)?;
    if what < 55 {
        let key = format!("key-{}", rng.usize(..KEYS));
        let form = form(rng.usize(..LABELS), what < 30);
        return agency.create_reseller(form.once(&key)).map(drop);
    }
    let Some(reseller) = some_reseller(&agency, rng)? else { return Ok(()) };
    match what {
        55..75 => {
            agency.rename_login_domain(reseller.id, None, &label(rng.usize(..LABELS))).map(drop)
        }
        75..80 => agency.delete_reseller(reseller.id).map(drop),
        80..87 => {
            agency.consume(reseller.id, Metric::MESSAGES, 1, &rng.u64(..).to_string()).map(drop)
        }
        87 => agency.unlock(reseller.id),
        _ => {
            let password = if rng.u32(..4) == 0 { PASSWORD } else { "wrong" };
            let (label, email) = (reseller.login_domain.as_str(), reseller.email.as_str());
            platform.sign_in(label, email, password, None).map(drop)
        }
    }
}

fn some_reseller(agency: &Agency, rng: &mut Rng) -> Result<Option<Reseller>> {
    let mut page = agency.page(&ResellerQuery::all().limit(50))?.resellers;
    let chosen = rng.usize(..page.len().max(1));
    Ok((!page.is_empty()).then(|| page.swap_remove(chosen)))
}

fn tell(line: &str) {
    let mut out = std::io::stdout();
    writeln!(out, "{line}").and_then(|()| out.flush()).expect("somebody listens");
}
