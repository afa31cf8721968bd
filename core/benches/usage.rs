//! Compares metering on SQLite with the same work written by hand: `cargo bench --bench usage`.
//!
//! Each result is a ratio to the floor in the same run. Sizes come from the environment: `EVENTS`,
//! `RESELLERS`, `SINGLES`; `IDS=random` or `IDS=time-ordered` selects one kind of ids; `TUNED=1` gives
//! the floor the library's settings of SQLite.

#![allow(clippy::print_stdout, reason = "a benchmark prints its report")]

mod support;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;
use partnerkit::{Agency, Clock, Metric, Platform, ResellerId, Timestamp, UsageEvent, UsageReport};
use support::usage_floor::UsageFloor;
use support::{Rows, Used, heading, median, report, size, syncs_per_second, time};
use uuid::{Builder, Uuid};

const AGENCY: &str = "northwind";
const BATCH: usize = 1_000;
const DAY: i64 = 86_400_000;
/// The present instant of the platform's clock: 2026-06-01T00:00Z.
const NOW: i64 = 1_780_272_000_000;
const CALLERS: usize = 32;

fn main() {
    for ids in [Ids::Random, Ids::Ordered] {
        let wanted = std::env::var("IDS").unwrap_or_default();
        if wanted.is_empty() || wanted == ids.name() {
            measure(ids);
        }
    }
}

fn measure(ids: Ids) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (ours, floor) = (Ours::create(folder.path()), folder.path().join("floor.db"));
    let floor = (UsageFloor::open(&floor), floor);
    heading(&format!("{} ids", ids.name()));
    let mut events = Events::new(ids, ours.resellers.clone(), size("EVENTS", 200_000));
    batches(&ours, &floor, &mut events, folder.path());
    singles(&ours.agency, &floor.0, &mut events, folder.path());
    callers(&ours.agency, floor.0, &mut events);
}

/// A clock that stands still at the end of the events.
struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(NOW)
    }
}

struct Ours {
    agency: Agency,
    resellers: Vec<ResellerId>,
    file: PathBuf,
    /// The length of the file before any event.
    before: u64,
}

impl Ours {
    fn create(folder: &Path) -> Self {
        let file = folder.join("ours.db");
        let platform = open(&file);
        let agency = platform.create_agency(AGENCY, None).expect("an agency");
        let (mut rows, mut resellers) = (Rows::new("u"), Vec::new());
        while resellers.len() < size("RESELLERS", 5_000) {
            let created = agency.create_resellers(&rows.forms(500)).expect("creates");
            resellers.extend(created.into_iter().map(|reseller| reseller.expect("a form").id));
        }
        drop((agency, platform));
        let before = length(&file);
        let agency = open(&file).agency(AGENCY).expect("opens");
        Self { agency, resellers, file, before }
    }
}

fn open(file: &Path) -> Platform {
    let url = format!("sqlite:{}", file.display());
    Platform::builder().clock(Arc::new(Still)).open(&url).expect("opens")
}

fn length(file: &Path) -> u64 {
    std::fs::metadata(file).expect("a file").len()
}

#[derive(Clone, Copy)]
enum Ids {
    Random,
    /// Of version 7: they begin with the time.
    Ordered,
}

impl Ids {
    fn name(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Ordered => "time-ordered",
        }
    }
}

/// Events in the order of their times over 35 days. One in ten repeats one of the latest.
struct Events {
    ids: Ids,
    resellers: Vec<ResellerId>,
    /// How far the next event's time is from the one before, in milliseconds.
    step: f64,
    at: f64,
    latest: Vec<UsageEvent>,
    made: usize,
    random: Rng,
}

impl Events {
    fn new(ids: Ids, resellers: Vec<ResellerId>, expected: usize) -> Self {
        let (step, at) = (35.0 * DAY as f64 / expected as f64, (NOW - 35 * DAY) as f64);
        Self { ids, resellers, step, at, latest: Vec::new(), made: 0, random: Rng::with_seed(3) }
    }

    fn next(&mut self) -> UsageEvent {
        if self.made > 0 && self.random.u8(..10) == 0 {
            return self.latest[self.random.usize(..self.latest.len())].clone();
        }
        self.at = (self.at + self.step).min(NOW as f64);
        let (at, bytes) = (self.at as i64, self.random.u128(..).to_be_bytes());
        let id = match self.ids {
            Ids::Random => Builder::from_random_bytes(bytes).into_uuid(),
            Ids::Ordered => ordered(at, bytes),
        };
        let event = UsageEvent {
            id: id.to_string(),
            reseller: self.resellers[self.random.usize(..self.resellers.len())],
            metric: Metric::ALL[self.random.usize(..3)],
            quantity: self.random.i64(1..6),
            at: Timestamp::from_millis(at),
        };
        let place = self.made % 10_000;
        self.made += 1;
        match self.latest.get_mut(place) {
            Some(old) => *old = event.clone(),
            None => self.latest.push(event.clone()),
        }
        event
    }

    fn take(&mut self, n: usize) -> Vec<UsageEvent> {
        (0..n).map(|_| self.next()).collect()
    }
}

fn ordered(at: i64, bytes: [u8; 16]) -> Uuid {
    let random = bytes[..10].try_into().expect("ten bytes");
    Builder::from_unix_timestamp_millis(at.unsigned_abs(), random).into_uuid()
}

fn new(report: &UsageReport) -> usize {
    report.outcomes.iter().filter(|outcome| outcome.slug() == "accepted").count()
}

/// In turns of ours and the floor's, so that changes of the disk's speed affect both.
fn batches(ours: &Ours, floor: &(UsageFloor, PathBuf), events: &mut Events, folder: &Path) {
    let (n, turns) = (size("EVENTS", 200_000), 20);
    let each = (n / BATCH).div_ceil(turns);
    let (mut our_time, mut floor_time) = (Duration::ZERO, Duration::ZERO);
    let (mut our_use, mut floor_use) = (Used::default(), Used::default());
    let (mut syncs, mut slowest) = (Vec::new(), Duration::ZERO);
    let floor_before = length(&floor.1);
    let mut done = 0;
    for _ in 0..turns {
        let chunk: Vec<_> = (0..each).map(|_| events.take(BATCH)).collect();
        done += chunk.len() * BATCH;
        let (mut counted, mut by_hand) = (0, 0);
        our_use.add(Used::by(|| {
            for batch in &chunk {
                let record = || ours.agency.record_usage(batch).expect("records");
                let took = time(|| counted += new(&record()));
                slowest = slowest.max(took);
                our_time += took;
            }
        }));
        floor_use.add(Used::by(|| {
            let record = || chunk.iter().map(|batch| floor.0.record(AGENCY, batch)).sum::<usize>();
            floor_time += time(|| by_hand += record());
        }));
        assert_eq!(counted, by_hand, "both count the same events");
        syncs.push(syncs_per_second(folder));
    }
    let rate = |time: Duration| done as f64 / time.as_secs_f64();
    report("batches of 1,000", rate(our_time), rate(floor_time), "events/s", ">= 2");
    let each = |used: f64| used / done as f64;
    report("  processor time", each(our_use.micros), each(floor_use.micros), "µs/event", "");
    report("  written", each(our_use.written), each(floor_use.written), "B/event", "");
    println!("{:44} {:>12.1} ms", "  the slowest batch of ours", slowest.as_secs_f64() * 1e3);
    println!("{:44} {:>12.1} fdatasync/s, median", "  the disk meanwhile", median(syncs));
    // One platform is closed, so that its log is empty.
    ours.agency.overview().expect("reads");
    let backup = folder.join("backup.db");
    open(&ours.file).backup(&backup).expect("copies");
    floor.0.checkpoint();
    let per_event = |bytes: u64| bytes as f64 / done as f64;
    let (ours, floor) = (length(&backup) - ours.before, length(&floor.1) - floor_before);
    report("bytes per event", per_event(ours), per_event(floor), "bytes", "");
}

/// One caller, an event in each transaction.
fn singles(ours: &Agency, floor: &UsageFloor, events: &mut Events, folder: &Path) {
    let (turns, each) = (20, size("SINGLES", 4_000) / 20);
    let (mut our_time, mut floor_time) = (Duration::ZERO, Duration::ZERO);
    let mut syncs = Vec::new();
    for _ in 0..turns {
        let some = events.take(each);
        let record = |event| drop(ours.record_usage(std::slice::from_ref(event)).expect("records"));
        our_time += time(|| some.iter().for_each(record));
        floor_time += time(|| {
            for event in &some {
                floor.record(AGENCY, std::slice::from_ref(event));
            }
        });
        syncs.push(syncs_per_second(folder));
    }
    let rate = |time: Duration| (turns * each) as f64 / time.as_secs_f64();
    report("single events, 1 caller", rate(our_time), rate(floor_time), "events/s", "");
    println!("{:44} {:>12.1} fdatasync/s, median", "  the disk meanwhile", median(syncs));
}

/// 32 callers that share commits, compared with callers that take turns with a commit each.
fn callers(ours: &Agency, floor: UsageFloor, events: &mut Events) {
    let (turns, each) = (6, size("SINGLES", 4_000) / CALLERS);
    let floor = Mutex::new(floor);
    let (mut our_time, mut floor_time) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..turns {
        let shares: Vec<_> = (0..CALLERS).map(|_| events.take(each)).collect();
        our_time += time(|| {
            together(&shares, |event| {
                drop(ours.record_usage(std::slice::from_ref(event)).expect("records"));
            });
        });
        floor_time += time(|| {
            together(&shares, |event| {
                let floor = floor.lock().expect("no panic");
                floor.record(AGENCY, std::slice::from_ref(event));
            });
        });
    }
    let rate = |time: Duration| (turns * each * CALLERS) as f64 / time.as_secs_f64();
    let (ours, floor) = (rate(our_time), rate(floor_time));
    report("single events, 32 callers", ours, floor, "events/s", ">= 2.5");
}

fn together(shares: &[Vec<UsageEvent>], record: impl Fn(&UsageEvent) + Sync) {
    std::thread::scope(|scope| {
        for share in shares {
            scope.spawn(|| share.iter().for_each(&record));
        }
    });
}
