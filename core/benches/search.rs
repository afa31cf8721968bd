//! Search in one file with a large, a middle and many small agencies, by classes of terms:
//! `cargo bench --bench search`. `ROWS` is the size of the large agency, a million otherwise.
//!
//! For each class the slowest term counts: its 99th of 100 times. The floor is the query one
//! writes by hand, its own slowest beside it.

#![allow(clippy::print_stdout, reason = "a benchmark prints its report")]

mod support;

use std::path::Path;

use partnerkit::{Agency, Platform, ResellerQuery};
use support::floor::Floor;
use support::{Random, Rows, size, time};

/// Names as they are written where words are not set apart.
const CJK: &[&str] = &[
    "北京大学",
    "清华大学",
    "上海交通大学",
    "复旦大学",
    "浙江大学",
    "南京大学",
    "武汉大学",
    "中山大学",
    "東京大学",
    "京都大学",
    "大阪大学",
    "早稲田大学",
    "慶應義塾大学",
    "北海道大学",
    "九州大学",
    "名古屋大学",
    "서울대학교",
    "고려대학교",
    "연세대학교",
    "부산대학교",
    "国立台湾大学",
    "香港中文大学",
    "四川大学",
    "厦门大学",
];
/// How many terms a class has.
const TERMS: usize = 12;

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
    /// Of the large agency, lowercase, to choose terms from.
    texts: Vec<String>,
    /// Of one small agency.
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
            let agency = platform.create_agency(name).expect("creates");
            floor.create_agency(name);
            let mut filled = Vec::new();
            for start in (0..n).step_by(1_000) {
                let mut forms = source.forms(1_000.min(n - start));
                for (i, form) in forms.iter_mut().enumerate().filter(|(i, _)| i % 50 == 7) {
                    let (a, b) = (CJK[i % CJK.len()], CJK[(start / 1_000 + i / 50) % CJK.len()]);
                    form.name = format!("{a}{b}{}", form.login_domain.len() % 7);
                }
                filled.extend(
                    forms.iter().map(|f| format!("{}\n{}", f.name, f.email).to_lowercase()),
                );
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
            let mut times: Vec<f64> = (0..100)
                .map(|_| time(|| drop(agency.page(&query).expect("finds"))).as_secs_f64() * 1e3)
                .collect();
            times.sort_by(f64::total_cmp);
            if times[98] > slowest.1 {
                slowest = (times[50], times[98], matches(texts, term), term);
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

fn matches(texts: &[String], terms: &str) -> usize {
    let terms: Vec<&str> = terms.split_whitespace().collect();
    texts.iter().filter(|text| terms.iter().all(|term| text.contains(term))).count()
}

struct Class {
    name: &'static str,
    terms: Vec<String>,
}

/// Terms that really are in the texts, by how many of them have it.
fn classes(texts: &[String]) -> Vec<Class> {
    let mut random = Random(11);
    let probe: Vec<&String> =
        (0..texts.len().min(20_000)).map(|_| &texts[random.below(texts.len())]).collect();
    let share = |term: &str| {
        probe.iter().filter(|text| text.contains(term)).count() as f64 / probe.len() as f64
    };
    let mut pick =
        |name, length: &[usize], wanted: &dyn Fn(f64) -> bool, script: &dyn Fn(char) -> bool| {
            let mut terms = Vec::<String>::new();
            for _ in 0..4_000 {
                if terms.len() == TERMS {
                    break;
                }
                let text = &texts[random.below(texts.len())];
                let words: Vec<&str> = text.split_whitespace().collect();
                let word: Vec<char> = words[random.below(words.len())].chars().collect();
                let length = length[random.below(length.len())];
                if word.len() < length {
                    continue;
                }
                let start = random.below(word.len() - length + 1);
                let term: String = word[start..start + length].iter().collect();
                if term.chars().all(script) && wanted(share(&term)) && !terms.contains(&term) {
                    terms.push(term);
                }
            }
            Class { name, terms }
        };
    let any = |c: char| c.is_alphanumeric();
    let han = |c: char| c >= '\u{3000}';
    let mut classes = vec![
        pick("nearly every row", &[1, 2, 3], &|share| share > 0.4, &any),
        pick("common", &[3, 4, 5, 6], &|share| (0.01..0.2).contains(&share), &any),
        pick("rare", &[5, 6, 7, 8], &|share| share < 0.0005, &any),
        pick("two characters, common", &[2], &|share| share > 0.02, &any),
        pick("two characters, rare", &[2], &|share| share < 0.001, &any),
        pick("one character", &[1], &|_| true, &any),
        pick("CJK", &[1, 2, 3, 4], &|_| true, &han),
    ];
    let none = pick("none", &[5, 6, 7, 8], &|share| share < 0.01, &any);
    // The same letters the other way round: their pieces are common, the term is not there.
    let reversed = none.terms.iter().map(|term| term.chars().rev().collect::<String>());
    let none =
        Class { name: "none", terms: reversed.filter(|term| matches(texts, term) == 0).collect() };
    let several = pick("several terms", &[3, 4], &|share| (0.001..0.3).contains(&share), &any);
    let pairs =
        several.terms.iter().zip(several.terms.iter().skip(1)).map(|(a, b)| format!("{a} {b}"));
    classes.push(none);
    classes.push(Class { name: "several terms", terms: pairs.collect() });
    classes
}
