//! Compares the store on PostgreSQL with the better of two plans written by hand, through the same
//! driver: `tests/with-postgres cargo bench -p partnerkit --features postgres --bench postgres`.
//!
//! `ROWS` is the size of the large agency, by default 200,000. The time of a class of terms is the
//! sum of the medians of its terms; the code by hand may use another plan for each term. It runs
//! like the store, in a transaction and with nothing prepared, so that only the plan differs. The
//! report also has the times with prepared statements and without a transaction.

#![allow(clippy::print_stdout, reason = "a benchmark prints its report")]

mod support;

use std::time::{Duration, Instant};

use partnerkit::{Agency, Platform, ResellerQuery};
use support::by_hand::{ByHand, Plan, Way};
use support::terms::{Class, classes, name_some_in_cjk, text_of};
use support::{Rows, heading, median, report, size, time};

const LARGE: &str = "large";
const TARGET: &str = ">= 0.7";

fn main() {
    let database = Database::create();
    let platform = Platform::open(&database.url).expect("opens");
    let rows = size("ROWS", 200_000);
    let mut source = Rows::new("");
    let mut texts = Vec::new();
    let took = time(|| {
        texts = fill(&platform, LARGE, rows, &mut source);
        for n in 0..100 {
            fill(&platform, &format!("small-{n}"), rows.min(200), &mut source);
        }
    });
    println!("{rows} rows and 100 agencies of 200 in {:.0} s", took.as_secs_f64());
    ByHand::connect(&database.url, Way::Prepared).run("ANALYZE");
    let agency = platform.agency(LARGE).expect("there");
    for way in [Way::AsTheStore, Way::Prepared] {
        simple(&agency, ByHand::connect(&database.url, way), &mut source, way);
    }
    let mut plans = PLANS.map(|(way, plan)| ByHand::with_plan(&database.url, way, plan));
    println!(
        "\n{:28} {:>9} {:>9} {:>9} {:>6} {:>9} {:>6}   target {TARGET}",
        "a search, ms for 12 terms", "ours", "walk", "index", "ratio", "prepared", "ratio"
    );
    for class in classes(&texts) {
        search(&agency, &mut plans, &class);
    }
}

const PLANS: [(Way, Plan); 4] = [
    (Way::AsTheStore, Plan::Walk),
    (Way::AsTheStore, Plan::Index),
    (Way::Prepared, Plan::Walk),
    (Way::Prepared, Plan::Index),
];

/// A database that is dropped afterwards.
struct Database {
    server: ByHand,
    name: String,
    url: String,
}

impl Database {
    fn create() -> Self {
        let server = std::env::var("PARTNERKIT_TEST_POSTGRES_URL");
        let url = server.expect("PARTNERKIT_TEST_POSTGRES_URL names a server");
        let (server, name) =
            (ByHand::connect(&url, Way::Prepared), format!("bench_{}", std::process::id()));
        server.run(&format!("CREATE DATABASE {name}"));
        let (address, _) = url.rsplit_once('/').expect("a URL with a database");
        Self { server, url: format!("{address}/{name}"), name }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.server.run(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

fn fill(platform: &Platform, name: &str, rows: usize, source: &mut Rows) -> Vec<String> {
    let agency = platform.create_agency(name, None).expect("creates");
    let mut texts = Vec::new();
    for start in (0..rows).step_by(1_000) {
        let mut forms = source.forms(1_000.min(rows - start));
        name_some_in_cjk(&mut forms, start);
        texts.extend(forms.iter().map(text_of));
        let answers = agency.create_resellers(&forms).expect("creates");
        let refused = answers.iter().find(|answer| answer.is_err());
        assert!(refused.is_none(), "{refused:?}");
    }
    texts
}

/// Measures operations that need no plan.
fn simple(agency: &Agency, mut by_hand: ByHand, source: &mut Rows, way: Way) {
    heading(match way {
        Way::AsTheStore => "against the same way by hand",
        Way::Prepared => "against prepared statements",
    });
    let n = size("READS", 2_000);
    let page = agency.page(&ResellerQuery::all()).expect("reads").resellers;
    let ids: Vec<_> = page.iter().map(|reseller| (reseller.id, reseller.id.to_string())).collect();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for i in 0..n {
        let (id, text) = &ids[i % ids.len()];
        ours.push(micros(|| drop(agency.reseller(*id).expect("there"))));
        theirs.push(micros(|| drop(by_hand.get(LARGE, text).expect("there"))));
    }
    report("get by id", median(ours), median(theirs), "µs", TARGET);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..n / 4 {
        ours.push(micros(|| drop(agency.page(&ResellerQuery::all()).expect("reads"))));
        theirs.push(micros(|| drop(by_hand.first_page(LARGE))));
    }
    report("first page of 25", median(ours), median(theirs), "µs", TARGET);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..n / 4 {
        let form = source.next_form();
        ours.push(micros(|| drop(agency.create_reseller(form).expect("creates"))));
        let form = source.next_form();
        theirs.push(micros(|| by_hand.create(LARGE, &form)));
    }
    report("create", median(ours), median(theirs), "µs", TARGET);
}

/// Measures in turns, so that other load on the machine affects all of them.
fn search(agency: &Agency, plans: &mut [ByHand; 4], class: &Class) {
    let most = size("TIMES", 25);
    let mut sums = [0.0; 5];
    let mut worst = (f64::INFINITY, "");
    for term in &class.terms {
        let query = ResellerQuery::text(term.as_str());
        let mut times = [const { Vec::new() }; 5];
        let began = Instant::now();
        while times[0].len() < 3
            || times[0].len() < most && began.elapsed() < Duration::from_millis(1_500)
        {
            times[0].push(micros(|| drop(agency.page(&query).expect("finds"))));
            for ((times, by_hand), (_, plan)) in times[1..].iter_mut().zip(&mut *plans).zip(PLANS) {
                times.push(micros(|| drop(by_hand.search(plan, LARGE, term))));
            }
        }
        let [ours, walk, index, walk_prepared, index_prepared] =
            times.map(|times| median(times) / 1e3);
        let (best, best_prepared) = (walk.min(index), walk_prepared.min(index_prepared));
        let these = [ours, walk, index, best, best_prepared];
        sums.iter_mut().zip(these).for_each(|(sum, this)| *sum += this);
        if best / ours < worst.0 {
            worst = (best / ours, term);
        }
    }
    let [ours, walk, index, best, prepared] = sums;
    println!(
        "{:28} {ours:>9.2} {walk:>9.2} {index:>9.2} {:>6.2} {prepared:>9.2} {:>6.2}   worst {:.2} {:?}",
        class.name,
        best / ours,
        prepared / ours,
        worst.0,
        worst.1
    );
}

fn micros(work: impl FnOnce()) -> f64 {
    time(work).as_secs_f64() * 1e6
}
