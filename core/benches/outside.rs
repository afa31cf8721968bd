//! Compares lists and search with the least that somebody writes by hand for them:
//! `cargo bench --bench outside`. `ROWS` is the size of the agency, by default 100,000; `TIMES` says
//! how often each term is searched.
//!
//! A class of terms has the median of all its searches, and the 99th percentile of its slowest term.
//! Its floor is the better of two ways, each by its own median; `worst` is the term that is slowest
//! compared with the better way for that very term.

#![allow(clippy::print_stdout, reason = "a benchmark prints its report")]

mod support;

use std::path::Path;

use partnerkit::{Agency, Platform, ResellerQuery};
use support::plain::{Plain, Way};
use support::terms::{Class, matches, name_some_in_cjk, text_of};
use support::vocabulary::vocabulary;
use support::{Rows, median, organisations, size, time};

const AGENCY: &str = "northwind";
/// Every so many rows one has an organisation's whole name.
const WHOLE: usize = 10;

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let outside = Outside::build(folder.path(), size("ROWS", 100_000));
    outside.lists();
    outside.searches();
}

struct Outside {
    _platform: Platform,
    agency: Agency,
    plain: Plain,
    /// The lowercase texts of all rows.
    texts: Vec<String>,
    /// The whole names that rows have.
    names: Vec<String>,
}

impl Outside {
    fn build(folder: &Path, rows: usize) -> Self {
        let url = format!("sqlite:{}", folder.join("ours.db").display());
        let platform = Platform::open(&url).expect("opens");
        let agency = platform.create_agency(AGENCY, None).expect("creates");
        let mut plain = Plain::open(&folder.join("plain.db"));
        let (mut source, organisations) = (Rows::new(""), organisations());
        let (mut texts, mut names) = (Vec::new(), Vec::new());
        let (mut ours_took, mut plain_took) = (0.0, 0.0);
        for start in (0..rows).step_by(1_000) {
            let mut forms = source.forms(1_000.min(rows - start));
            name_some_in_cjk(&mut forms, start);
            for (i, form) in forms.iter_mut().enumerate().step_by(WHOLE) {
                let (name, _) = organisations[(start + i) / WHOLE % organisations.len()];
                form.name = name.chars().filter(|c| !c.is_control()).take(190).collect();
                names.push(form.name.clone());
            }
            texts.extend(forms.iter().map(text_of));
            ours_took += time(|| {
                let answers = agency.create_resellers(&forms).expect("creates");
                let refused = answers.iter().find(|answer| answer.is_err());
                assert!(refused.is_none(), "{refused:?}");
            })
            .as_secs_f64();
            plain_took += time(|| plain.bulk(AGENCY, &forms)).as_secs_f64();
        }
        println!(
            "{rows} rows, filled in {ours_took:.1} s, by hand in {plain_took:.1} s: ratio {:.2}",
            plain_took / ours_took
        );
        Self { _platform: platform, agency, plain, texts, names }
    }

    fn lists(&self) {
        println!("\n{:24} {:>9} {:>9} {:>9}   target", "µs", "ours", "by hand", "ratio");
        let n = size("READS", 4_000);
        let first = self.agency.page(&ResellerQuery::all()).expect("reads").resellers;
        let ids: Vec<_> = first.iter().map(|reseller| reseller.id).collect();
        let plain_ids: Vec<_> = self.plain.page(AGENCY, None).iter().map(|row| row.id).collect();
        compare(
            "get by id",
            n * 5,
            "<= 1.3",
            |i| drop(self.agency.reseller(ids[i % 25]).expect("there")),
            |i| drop(self.plain.get(AGENCY, &plain_ids[i % 25]).expect("there")),
        );
        compare(
            "first page of 25",
            n,
            "<= 1.3",
            |_| drop(self.agency.page(&ResellerQuery::all()).expect("reads")),
            |_| drop(self.plain.page(AGENCY, None)),
        );
        let (deep, after) = self.in_the_middle();
        compare(
            "page at depth",
            n,
            "<= 1.3",
            |_| drop(self.agency.page(&deep).expect("reads")),
            |_| drop(self.plain.page(AGENCY, Some(after))),
        );
    }

    /// The page in the middle of the list, ours and the one by hand.
    fn in_the_middle(&self) -> (ResellerQuery, (i64, [u8; 16])) {
        let mut query = ResellerQuery::all().limit(200);
        let mut after = None;
        for _ in 0..self.texts.len() / 2 / 200 {
            let next = self.agency.page(&query).expect("reads").next;
            query = query.after(next.expect("more rows"));
        }
        for _ in 0..self.texts.len() / 2 / 26 {
            after = self.plain.page(AGENCY, after).last().map(|row| (row.created_at, row.id));
        }
        (query.limit(25), after.expect("more rows"))
    }

    fn searches(&self) {
        println!(
            "\n{:22} {:>15} {:>8} {:>8} {:>9} {:>9} {:>6} {:>6}  (ms; targets: ratio <= 2, p99 <= 5)",
            "terms", "found in", "median", "p99", "trigrams", "walk", "ratio", "worst"
        );
        for class in vocabulary(&self.texts, &self.names) {
            self.search(&class);
        }
    }

    fn search(&self, class: &Class) {
        let (mut ours, mut trigrams, mut walks) = (Vec::new(), Vec::new(), Vec::new());
        let (mut p99, mut worst, mut found) = (0.0_f64, (0.0, ""), Vec::new());
        for term in &class.terms {
            let query = ResellerQuery::text(term.as_str());
            let mut times = Vec::new();
            for _ in 0..size("TIMES", 100) {
                times.push(millis(|| drop(self.agency.page(&query).expect("finds"))));
            }
            times.sort_by(f64::total_cmp);
            p99 = p99.max(times[times.len() * 98 / 100]);
            let by_hand = [Way::Trigrams, Way::Walk].map(|way| self.by_hand(term, way));
            let best = by_hand
                .each_ref()
                .map(|times| if times.is_empty() { f64::INFINITY } else { median(times.clone()) });
            let ratio = times[times.len() / 2] / best[0].min(best[1]);
            if ratio > worst.0 {
                worst = (ratio, term.as_str());
            }
            found.push(matches(&self.texts, term));
            let [first, second] = by_hand;
            trigrams.extend(first);
            walks.extend(second);
            ours.extend(times);
        }
        let way = |times: Vec<f64>| if times.is_empty() { f64::INFINITY } else { median(times) };
        let (ours, trigrams, walks) = (median(ours), way(trigrams), way(walks));
        let found =
            format!("{}-{}", found.iter().min().unwrap_or(&0), found.iter().max().unwrap_or(&0));
        println!(
            "{:22} {found:>15} {ours:>8.3} {p99:>8.3} {trigrams:>9.3} {walks:>9.3} {:>6.2} {:>6.2}  {:?}",
            class.name,
            ours / trigrams.min(walks),
            worst.0,
            worst.1
        );
    }

    /// Times of one way by hand: few of them if it is slow; none if it cannot answer.
    fn by_hand(&self, term: &str, way: Way) -> Vec<f64> {
        if self.plain.search(AGENCY, term, way).is_none() {
            return Vec::new();
        }
        let mut times = Vec::new();
        while times.len() < 31 && times.iter().sum::<f64>() < 100.0 {
            times.push(millis(|| drop(self.plain.search(AGENCY, term, way))));
        }
        times
    }
}

/// Times the two ways in turn, and prints their medians.
fn compare(what: &str, n: usize, target: &str, ours: impl Fn(usize), by_hand: impl Fn(usize)) {
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for i in 0..n {
        a.push(millis(|| ours(i)) * 1e3);
        b.push(millis(|| by_hand(i)) * 1e3);
    }
    let (a, b) = (median(a), median(b));
    println!("{what:24} {a:>9.1} {b:>9.1} {:>9.2}   {target}", a / b);
}

fn millis(work: impl FnOnce()) -> f64 {
    time(work).as_secs_f64() * 1e3
}
