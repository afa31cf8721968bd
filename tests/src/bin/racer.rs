//! One of many processes that want the same thing. It opens a store, reports that it is ready,
//! waits for a line, does what its arguments say, and reports the result.

use std::fs::OpenOptions;
use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use partnerkit::{
    Agency, ErrorKind, LegacyVerifier, Platform, PlatformBuilder, ResellerPatch, Result,
};
use partnerkit_tests::races::{EMAIL, LABEL, PASSWORD};
use partnerkit_tests::{invitation, letters};

/// A verifier for the old scheme `old:`, which stores passwords in plain text. Each verification
/// appends a byte to a file that all processes share.
struct Counted(PathBuf);

impl LegacyVerifier for Counted {
    fn recognises(&self, hash: &str) -> bool {
        hash.starts_with("old:")
    }

    fn verify(&self, password: &str, hash: &str) -> Option<bool> {
        let mut file = OpenOptions::new().append(true).open(&self.0).expect("a file to count in");
        file.write_all(b".").expect("counts");
        Some(hash.strip_prefix("old:") == Some(password))
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, what, rest @ ..] = &arguments[..] else { panic!("URL WHAT …") };
    let builder = Platform::builder().sign_in_delay_from(1_000_000);
    let done = match (what.as_str(), rest) {
        ("open", []) => {
            tell("ready");
            wait();
            word(builder.open(url))
        }
        ("ensure", []) => word(open(builder, url).ensure_agency("northwind", None)),
        ("create", [labels, emails]) => create(&open(builder, url), labels, emails),
        ("fill", [name, threads, each]) => {
            fill(&agency(&open(builder, url)), name, number(threads), number(each))
        }
        ("update", [id]) => update(&agency(&open(builder, url)), id),
        ("guess", [limit, guesses, evaluated]) => {
            let counted = Arc::new(Counted(evaluated.into()));
            let builder = builder.sign_in_limit(number(limit)).legacy_verifier(counted);
            guess(&open(builder, url), number(guesses))
        }
        ("enter", [stamp, checks, sign_ins]) => {
            let platform = open(builder.sign_in_limit(1_000_000), url);
            enter(&platform, stamp, number(checks), number(sign_ins))
        }
        _ => panic!("unknown arguments"),
    };
    tell(&done);
}

fn open(builder: PlatformBuilder, url: &str) -> Platform {
    let platform = builder.open(url).expect("opens");
    tell("ready");
    wait();
    platform
}

fn agency(platform: &Platform) -> Agency {
    platform.agency("northwind").expect("there")
}

fn number(text: &str) -> u32 {
    text.parse().expect("a number")
}

fn tell(line: &str) {
    let mut out = std::io::stdout();
    writeln!(out, "{line}").and_then(|()| out.flush()).expect("somebody listens");
}

fn wait() {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).expect("a line");
}

/// How a call ended, as one word.
fn word<T>(result: Result<T>) -> String {
    match result {
        Ok(_) => "ok".to_owned(),
        Err(error) => {
            let fields = error.fields().iter().map(|e| format!("{}:{}", e.field, e.code.slug()));
            let fields: Vec<_> = fields.collect();
            if fields.is_empty() { error.kind().slug().to_owned() } else { fields.join("+") }
        }
    }
}

/// Creates resellers, with one thread for each email and the labels in turn.
fn create(platform: &Platform, labels: &str, emails: &str) -> String {
    let agency = agency(platform);
    let labels: Vec<_> = labels.split(',').collect();
    let words: Vec<_> = std::thread::scope(|scope| {
        let create = |(n, email): (usize, &str)| {
            let mut form = invitation(labels[n % labels.len()]);
            form.email = email.to_owned();
            let agency = &agency;
            scope.spawn(move || word(agency.create_reseller(form)))
        };
        let threads: Vec<_> = emails.split(',').enumerate().map(create).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    words.join(" ")
}

/// Creates resellers as fast as it can, and reports how many milliseconds that took, or the first
/// error.
fn fill(agency: &Agency, name: &str, threads: u32, each: u32) -> String {
    let began = Instant::now();
    let ended: Result<Vec<()>> = std::thread::scope(|scope| {
        let create = |thread| {
            let labels = (thread * each..(thread + 1) * each).map(|n| letters(n as usize));
            let mut forms = labels.map(|label| invitation(&format!("{name}{label}")));
            scope.spawn(move || forms.try_for_each(|form| agency.create_reseller(form).map(drop)))
        };
        let threads: Vec<_> = (0..threads).map(create).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    ended.map_or_else(|error| error.to_string(), |_| began.elapsed().as_millis().to_string())
}

fn update(agency: &Agency, id: &str) -> String {
    let name = Some(format!("Name of {}", std::process::id()));
    let patch = ResellerPatch { name, ..ResellerPatch::default() };
    word(agency.update_reseller(id.parse().expect("an id"), Some(1), &patch))
}

fn guess(platform: &Platform, guesses: u32) -> String {
    for _ in 0..guesses {
        let denied = platform.sign_in(LABEL, EMAIL, "wrong", None).expect_err("wrong");
        assert_eq!(denied.kind(), ErrorKind::AccessDenied);
    }
    "done".to_owned()
}

/// Whether access was granted; otherwise it must have been denied, and not have failed in another
/// way.
fn came_in<T>(result: Result<T>) -> bool {
    if let Err(error) = &result {
        assert_eq!(error.kind(), ErrorKind::AccessDenied);
    }
    result.is_ok()
}

/// Uses the access as often as it can until it is told that the access has ended, and counts how
/// often it succeeds after that.
fn enter(platform: &Platform, stamp: &str, checks: u32, sign_ins: u32) -> String {
    platform.check_access(stamp, None).expect("the stamp is valid before");
    platform.sign_in(LABEL, EMAIL, PASSWORD, None).expect("signs in before");
    tell("inside");
    let (heard, hear) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        wait();
        heard.send(())
    });
    // There is load when the access ends.
    while hear.try_recv().is_err() {
        drop(platform.check_access(stamp, None));
        drop(platform.sign_in(LABEL, EMAIL, PASSWORD, None));
    }
    let checked = (0..checks).filter(|_| came_in(platform.check_access(stamp, None))).count();
    let sign_in = |_: &u32| came_in(platform.sign_in(LABEL, EMAIL, PASSWORD, None));
    let signed_in = (0..sign_ins).filter(sign_in).count();
    (checked + signed_in).to_string()
}
