//! Measures searches in one file with a large, a medium and many small agencies, by classes of
//! terms: `cargo bench --bench search`. `ROWS` is the size of the large agency, by default a
//! million.
//!
//! Each class is represented by its slowest term, of which the 99th of 100 times counts. The floor
//! is the query that one writes by hand, measured with the slowest term of its own.

#![allow(clippy::print_stdout, reason = "a benchmark prints its report")]

mod support;

use std::path::Path;

use partnerkit::{Agency, Platform, ResellerQuery};
use support::floor::Floor;
use support::terms::{Class, TERMS, classes, matches, name_some_in_cjk, text_of};
use support::{Rows, size, time};

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let rows = size("ROWS", 1_000_000);
    let store = Store::build(folder.path(), rows);
    println!(
        "one file: agencies of {rows} and {} resellers and 100 of 200; times in ms, the slowest term of {TERMS}",
        rows / 10
    );
    for (agency, texts) in
        [("large", &store.texts), ("middle", &store.texts), ("small", &store.small)]
    {
        println!("\n{agency:28} {:>10} {:>10} {:>10} {:>10}", "found in", "median", "p99", "floor");
        for class in classes(texts) {
            store.measure(agency, &class, texts);
        }
    }
}

struct Store {
    platform: Platform,
    floor: Floor,
    /// The lowercase texts of the large agency, from which terms are chosen.
    texts: Vec<String>,
    /// The texts of one small agency.
    small: Vec<String>,
}

impl Store {
    fn build(folder: &Path, rows: usize) -> Self {
        let url = format!("sqlite:{}", folder.join("ours.db").display());
        let platform = Platform::open(&url).expect("opens");
        let floor = Floor::open(&folder.join("floor.db"));
        let mut source = Rows::new("");
        let mut texts = Vec::new();
        let (mut ours_took, mut floor_took) = (0.0, 0.0);
        let mut fill = |name: &str, n: usize| {
            let agency = platform.create_agency(name, None).expect("creates");
            floor.create_agency(name);
            let mut filled = Vec::new();
            for start in (0..n).step_by(1_000) {
                let mut forms = source.forms(1_000.min(n - start));
                name_some_in_cjk(&mut forms, start);
                filled.extend(forms.iter().map(text_of));
                ours_took += time(|| {
                    let answers = agency.create_resellers(&forms).expect("creates");
                    let refused = answers.iter().find(|answer| answer.is_err());
                    assert!(refused.is_none(), "{refused:?}");
                })
                .as_secs_f64();
                floor_took += time(|| floor.bulk(name, &forms)).as_secs_f64();
            }
            filled
        };
        texts.extend(fill("large", rows));
        fill("middle", rows / 10);
        let small = (0..100).map(|i| fill(&format!("small-{i}"), 200)).next_back();
        println!(
            "filled in {ours_took:.1} s, the floor in {floor_took:.1} s: ratio {:.2}",
            floor_took / ours_took
        );
        Self { platform, floor, texts, small: small.unwrap_or_default() }
    }

    fn agency(&self, name: &str) -> (Agency, String) {
        let id = if name == "small" { "small-99".to_owned() } else { name.to_owned() };
        (self.platform.agency(&id).expect("there"), id)
    }

    fn measure(&self, agency: &str, class: &Class, texts: &[String]) {
        let (agency, id) = self.agency(agency);
        let mut slowest = (0.0, 0.0, 0, "");
        let mut floor_slowest: f64 = 0.0;
        for term in &class.terms {
            let query = ResellerQuery::text(term.as_str());
            let mut times: Vec<f64> = (0..size("TIMES", 100))
                .map(|_| time(|| drop(agency.page(&query).expect("finds"))).as_secs_f64() * 1e3)
                .collect();
            times.sort_by(f64::total_cmp);
            let (median, p99) = (times[times.len() / 2], times[times.len() * 98 / 100]);
            if p99 > slowest.1 {
                slowest = (median, p99, matches(texts, term), term);
            }
            let floor =
                (0..3).map(|_| time(|| drop(self.floor.search(&id, term))).as_secs_f64() * 1e3);
            floor_slowest = floor_slowest.max(floor.fold(f64::INFINITY, f64::min));
        }
        let (median, p99, found, term) = slowest;
        println!(
            "{:28} {found:>10} {median:>10.2} {p99:>10.2} {floor_slowest:>10.2}   {term:?}",
            class.name
        );
    }
}
