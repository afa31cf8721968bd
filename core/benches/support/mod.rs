//! Shared by the benchmarks: rows made of real organisations, and ratios to a floor.

#![allow(dead_code, reason = "no benchmark needs all of it")]

#[cfg(feature = "postgres")]
pub mod by_hand;
#[cfg(feature = "sqlite")]
pub mod floor;
#[cfg(feature = "sqlite")]
pub mod plain;
pub mod processes;
pub mod terms;
#[cfg(feature = "sqlite")]
pub mod usage_floor;
#[cfg(feature = "sqlite")]
pub mod vocabulary;

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use fastrand::Rng;
use partnerkit::{ContactDraft, PhoneDraft, ResellerDraft};

/// Real organisations: name and domain.
pub fn organisations() -> Vec<(&'static str, &'static str)> {
    let text =
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/organisations.tsv"));
    let fields = text.lines().filter_map(|line| line.split_once('\t'));
    fields
        .map(|(name, rest)| (name, rest.split('\t').next().unwrap_or("")))
        .filter(|(_, domain)| !domain.is_empty())
        .collect()
}

/// Any number of resellers with different unique values. A name consists of the beginning of one
/// organisation's name and the end of another's.
pub struct Rows {
    organisations: Vec<(&'static str, &'static str)>,
    /// Random numbers that are the same in every run.
    random: Rng,
    made: usize,
    /// A mark that makes the labels of several sources different.
    pub mark: &'static str,
}

impl Rows {
    pub fn new(mark: &'static str) -> Self {
        Self { organisations: organisations(), random: Rng::with_seed(7), made: 0, mark }
    }

    pub fn next_form(&mut self) -> ResellerDraft {
        let n = self.organisations.len();
        let (first, _) = self.organisations[self.random.usize(..n)];
        let (second, domain) = self.organisations[self.random.usize(..n)];
        let halves = |name: &'static str| -> (Vec<&str>, Vec<&str>) {
            let words: Vec<_> = name.split(' ').collect();
            let (a, b) = words.split_at(words.len().div_ceil(2));
            (a.to_vec(), b.to_vec())
        };
        let name: Vec<_> = [halves(first).0, halves(second).1].concat();
        let role = ["info", "office", "contact", "hello"][self.random.usize(..4)];
        self.made += 1;
        let (label, made) = (letters(self.made), self.made);
        let email = format!("{role}{}{made}@{domain}", self.mark);
        ResellerDraft {
            partner_type: "own_plans".into(),
            name: name.join(" ").chars().filter(|c| !c.is_control()).take(190).collect(),
            phone: PhoneDraft::international("+49 30 901820"),
            invite: true,
            contact: ContactDraft {
                name: "Ann Lee".into(),
                email: email.clone(),
                phone: PhoneDraft::international("+49 30 901820"),
            },
            email,
            login_domain: format!("bench{}{label}", self.mark),
            ..ResellerDraft::default()
        }
    }

    pub fn forms(&mut self, n: usize) -> Vec<ResellerDraft> {
        (0..n).map(|_| self.next_form()).collect()
    }
}

/// A number as letters.
pub fn letters(mut n: usize) -> String {
    let mut word = String::new();
    while n > 0 {
        word.push(char::from(b'a' + (n % 26) as u8));
        n /= 26;
    }
    word
}

/// A size from the environment, so that a run can be a short one.
pub fn size(name: &str, otherwise: usize) -> usize {
    std::env::var(name)
        .ok()
        .and_then(|text| text.replace('_', "").parse().ok())
        .unwrap_or(otherwise)
}

/// How long the work takes.
pub fn time(work: impl FnOnce()) -> Duration {
    let began = Instant::now();
    work();
    began.elapsed()
}

/// What a thread has used so far: its time on a processor, in microseconds, and the bytes it has
/// written. They vary less than the time on the clock beside other work.
#[derive(Default, Clone, Copy)]
pub struct Used {
    pub micros: f64,
    pub written: f64,
}

impl Used {
    /// What the work used; nothing where the system does not tell.
    pub fn by(work: impl FnOnce()) -> Self {
        let before = Self::so_far();
        work();
        let after = Self::so_far();
        Self { micros: after.micros - before.micros, written: after.written - before.written }
    }

    pub fn add(&mut self, other: Self) {
        self.micros += other.micros;
        self.written += other.written;
    }

    fn so_far() -> Self {
        let read = |file| std::fs::read_to_string(file).unwrap_or_default();
        let (times, bytes) = (read("/proc/thread-self/schedstat"), read("/proc/thread-self/io"));
        let nanos = times.split(' ').next().and_then(|nanos| nanos.parse::<f64>().ok());
        let written = bytes.lines().find_map(|line| line.strip_prefix("wchar: "));
        let written = written.and_then(|written| written.parse().ok()).unwrap_or_default();
        Self { micros: nanos.unwrap_or_default() / 1e3, written }
    }
}

/// The median.
pub fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// How many small appends to a file beside the store can be synced to the disk in a second.
pub fn syncs_per_second(folder: &Path) -> f64 {
    let mut file = File::create(folder.join("sync")).expect("creates");
    let n = 200;
    let took = time(|| {
        for _ in 0..n {
            file.write_all(&[0; 4_096]).expect("writes");
            file.sync_data().expect("syncs");
        }
    });
    f64::from(n) / took.as_secs_f64()
}

/// One line of a benchmark's report.
pub fn report(what: &str, ours: f64, floor: f64, unit: &str, target: &str) {
    let ratio = if unit.ends_with("s/s") { ours / floor } else { floor / ours };
    println!("{what:44} {ours:>12.1} {floor:>12.1} {unit:8} {ratio:>7.2}   {target}");
}

pub fn heading(title: &str) {
    println!("\n{title:44} {:>12} {:>12} {:8} {:>7}   target", "ours", "floor", "", "ratio");
}
