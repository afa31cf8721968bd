//! Compares the SQLite store with the same work written by hand: `cargo bench --bench store`.
//!
//! Each result is a ratio to the floor in the same run; absolute times mean little. Sizes come from
//! the environment: `CREATES`, `BULK`, `READS`.

#![allow(clippy::print_stdout, reason = "a benchmark prints its report")]

mod support;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use partnerkit::{Agency, Platform, ResellerQuery};
use support::floor::Floor;
use support::processes::{self, Process};
use support::{Rows, heading, median, report, size, syncs_per_second, time};

const AGENCY: &str = "northwind";

fn main() {
    if let Some(role) = processes::role() {
        return write_for_a_while(&role);
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (ours, floor) = (Ours::open(folder.path()), Floor::open(&folder.path().join("floor.db")));
    floor.create_agency(AGENCY);
    heading("durable creates");
    one_thread(&ours, &floor, folder.path());
    many_threads(&ours, folder.path());
    two_processes(folder.path());
    heading("in bulk, and reading");
    bulk(&ours, &floor);
    reads(&ours, &floor);
}

struct Ours {
    _platform: Platform,
    agency: Agency,
}

impl Ours {
    fn open(folder: &Path) -> Self {
        let url = format!("sqlite:{}", folder.join("ours.db").display());
        let platform = Platform::open(&url).expect("opens");
        let agency = platform.agency(AGENCY).or_else(|_| platform.create_agency(AGENCY, None));
        Self { agency: agency.expect("an agency"), _platform: platform }
    }
}

/// One operation after another, in turns of ours and the floor's, so that changes of the disk's
/// speed affect both.
fn one_thread(ours: &Ours, floor: &Floor, folder: &Path) {
    let (turns, each) = (20, size("CREATES", 4_000) / 20);
    let (mut our_rows, mut floor_rows) = (Rows::new("a"), Rows::new("b"));
    let (mut our_time, mut floor_time) = (Duration::ZERO, Duration::ZERO);
    let mut syncs = Vec::new();
    // Data that the library loads once (the numbering plans) is not part of a create.
    for form in Rows::new("o").forms(50) {
        floor.create(AGENCY, &form);
        ours.agency.create_reseller(form).expect("creates");
    }
    for _ in 0..turns {
        let forms = our_rows.forms(each);
        our_time += time(|| {
            for form in forms {
                ours.agency.create_reseller(form).expect("creates");
            }
        });
        let forms = floor_rows.forms(each);
        floor_time += time(|| forms.iter().for_each(|form| floor.create(AGENCY, form)));
        syncs.push(syncs_per_second(folder));
    }
    let n = f64::from(turns) * each as f64;
    let (ours, floor) = (n / our_time.as_secs_f64(), n / floor_time.as_secs_f64());
    report("1 thread", ours, floor, "rows/s", ">= 0.8");
    println!(
        "{:44} {:>12.1} fdatasync/s, median of {turns}",
        "  the disk meanwhile",
        median(syncs)
    );
}

/// 32 callers that share commits, compared with callers that take turns with a commit each.
fn many_threads(ours: &Ours, folder: &Path) {
    let threads = 32;
    let each = size("CREATES", 4_000) / threads;
    let marks = ["c", "d", "e", "f", "g", "h"];
    let (mut shared, mut alone) = (0.0, 0.0);
    for (turn, mark) in marks.into_iter().enumerate() {
        let rows = &mut Rows::new(mark);
        let forms: Vec<_> = (0..threads).map(|_| rows.forms(each)).collect();
        let n = (threads * each) as f64;
        if turn % 2 == 0 {
            let took = time(|| {
                std::thread::scope(|scope| {
                    for forms in forms {
                        scope.spawn(|| {
                            for form in forms {
                                ours.agency.create_reseller(form).expect("creates");
                            }
                        });
                    }
                });
            });
            shared += n / took.as_secs_f64() / 3.0;
        } else {
            let floor = Arc::new(std::sync::Mutex::new(Floor::open(&folder.join("floor.db"))));
            let took = time(|| {
                std::thread::scope(|scope| {
                    for forms in forms {
                        let floor = Arc::clone(&floor);
                        scope.spawn(move || {
                            for form in forms {
                                floor.lock().expect("no panic").create(AGENCY, &form);
                            }
                        });
                    }
                });
            });
            alone += n / took.as_secs_f64() / 3.0;
        }
    }
    report("32 threads, against one commit each", shared, alone, "rows/s", ">= 2.5");
}

/// Two processes write for the same time; each counts its commits.
fn two_processes(folder: &Path) {
    for (who, mark) in [("ours", ["i", "j"]), ("floor", ["k", "l"])] {
        let place = folder.display().to_string();
        let mut both = mark.map(|mark| Process::start(&["as", who, &place, mark]));
        both.iter_mut().for_each(Process::go);
        let counts = both.map(|process| process.finish().parse::<f64>().expect("a number"));
        let share = counts[0] / counts[1];
        let target = if who == "ours" { "0.8 to 1.25" } else { "" };
        println!(
            "{:44} {:>12.0} {:>12.0} {:8} {share:>7.2}   {target}",
            format!("two processes, rows of each ({who})"),
            counts[0],
            counts[1],
            ""
        );
    }
}

fn write_for_a_while(role: &[String]) {
    let folder = Path::new(&role[1]);
    let mark: &'static str = Box::leak(role[2].clone().into_boxed_str());
    let mut rows = Rows::new(mark);
    let (ours, floor);
    let mut create: Box<dyn FnMut()> = if role[0] == "ours" {
        ours = Ours::open(folder);
        Box::new(|| drop(ours.agency.create_reseller(rows.next_form()).expect("creates")))
    } else {
        floor = Floor::open(&folder.join("floor.db"));
        Box::new(|| floor.create(AGENCY, &rows.next_form()))
    };
    processes::ready();
    let began = Instant::now();
    let mut n = 0;
    while began.elapsed() < Duration::from_secs(2) {
        create();
        n += 1;
    }
    drop(create);
    println!("{n}");
}

fn bulk(ours: &Ours, floor: &Floor) {
    let (each, turns) = (500, size("BULK", 20_000).div_ceil(500));
    let (mut our_rows, mut floor_rows) = (Rows::new("m"), Rows::new("n"));
    let (mut our_time, mut floor_time) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..turns {
        let forms = our_rows.forms(each);
        our_time += time(|| {
            let answers = ours.agency.create_resellers(&forms).expect("creates");
            let refused = answers.iter().find(|answer| answer.is_err());
            assert!(refused.is_none(), "{refused:?}");
        });
        let forms = floor_rows.forms(each);
        floor_time += time(|| floor.bulk(AGENCY, &forms));
    }
    let n = (turns * each) as f64;
    let (ours, floor) = (n / our_time.as_secs_f64(), n / floor_time.as_secs_f64());
    report("bulk create, 500 rows a commit", ours, floor, "rows/s", ">= 0.8");
}

/// Reads; each result is a median.
fn reads(ours: &Ours, floor: &Floor) {
    let n = size("READS", 20_000);
    let our_page = || ours.agency.page(&ResellerQuery::all()).expect("reads");
    let our_ids: Vec<_> = our_page().resellers.iter().map(|reseller| reseller.id).collect();
    let floor_ids: Vec<_> = floor.page(AGENCY, None).into_iter().map(|record| record.id).collect();
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for i in 0..n {
        a.push(micros(|| drop(ours.agency.reseller(our_ids[i % 25]).expect("there"))));
        b.push(micros(|| drop(floor.get(AGENCY, &floor_ids[i % 25]).expect("there"))));
    }
    report("get by id", median(a), median(b), "µs", ">= 0.8");
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for _ in 0..n / 20 {
        a.push(micros(|| drop(our_page())));
        b.push(micros(|| drop(floor.page(AGENCY, None))));
    }
    let first = median(a);
    report("first page of 25", first, median(b), "µs", ">= 0.8");
    deep_page(ours, first, n / 20);
}

/// A page far down the list.
fn deep_page(ours: &Ours, first: f64, n: usize) {
    let depth = size("BULK", 20_000) / 2;
    let mut query = ResellerQuery::all().limit(200);
    for _ in 0..depth / 200 {
        let next = ours.agency.page(&query).expect("reads").next;
        query = query.after(next.expect("more rows"));
    }
    let query = query.limit(25);
    let times = (0..n).map(|_| micros(|| drop(ours.agency.page(&query).expect("reads")))).collect();
    let deep = median(times);
    println!(
        "{:44} {deep:>12.1} {first:>12.1} {:8} {:>7.2}   <= 1.2 of the first page",
        format!("page at row {depth}"),
        "µs",
        deep / first
    );
}

fn micros(work: impl FnOnce()) -> f64 {
    time(work).as_secs_f64() * 1e6
}
