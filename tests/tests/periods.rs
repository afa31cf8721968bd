//! S43: the use of a period is the sum of its events, for any order of arrival, any clock within
//! the accepted range, a handle of any age, and any change of the time zone. It is compared with a
//! sum over the events themselves.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::ToSpan;
use jiff::tz::TimeZone;
use partnerkit::{
    Agency, AgencyPatch, Clock, Consumption, Metric, Platform, ResellerId, Timestamp, UsageEvent,
};
use partnerkit_tests::invitation;
use proptest::prelude::*;

const MINUTE: i64 = 60_000;
const DAY: i64 = 1_440 * MINUTE;
/// How far the two clocks may differ, and how early an event may come.
const AHEAD: i64 = 5 * MINUTE;
const LIMIT: i64 = 25;
const ZONES: [&str; 5] =
    ["UTC", "Asia/Kathmandu", "Australia/Lord_Howe", "America/New_York", "America/St_Johns"];

/// The clock of one of two machines.
struct Machine {
    now: Arc<AtomicI64>,
    ahead: i64,
}

impl Clock for Machine {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now.load(Ordering::SeqCst) + self.ahead)
    }
}

#[derive(Debug, Clone)]
enum Step {
    Forward { millis: i64 },
    Record { reseller: usize, quantity: i64, back: i64 },
    Consume { handle: usize, reseller: usize, quantity: i64 },
    Zone { zone: usize },
    Handle { machine: usize },
}

fn step() -> impl Strategy<Value = Step> {
    // Times near now are more frequent than other times within the 35 days.
    let back = prop_oneof![3 => -AHEAD..DAY, 1 => -AHEAD..35 * DAY];
    let forward = prop_oneof![4 => 0..20 * MINUTE, 1 => 0..DAY, 1 => 0..35 * DAY];
    prop_oneof![
        1 => forward.prop_map(|millis| Step::Forward { millis }),
        3 => (0..2_usize, 0..8_i64, back)
            .prop_map(|(reseller, quantity, back)| Step::Record { reseller, quantity, back }),
        5 => (any::<usize>(), 0..2_usize, 0..8_i64)
            .prop_map(|(handle, reseller, quantity)| Step::Consume { handle, reseller, quantity }),
        1 => (0..ZONES.len()).prop_map(|zone| Step::Zone { zone }),
        1 => (0..2_usize).prop_map(|machine| Step::Handle { machine }),
    ]
}

/// A time shortly before or after the end of a month in some zone.
fn start() -> impl Strategy<Value = i64> {
    (0..ZONES.len(), 2024..2027_i16, 1..13_i8, -DAY..DAY, 1..100_i64).prop_map(
        |(zone, year, month, by, nearer)| {
            let zone = TimeZone::get(ZONES[zone]).expect("a zone");
            let first = jiff::civil::date(year, month, 1).to_zoned_datetime(zone).expect("a date");
            first.timestamp().as_millisecond() + by / nearer
        },
    )
}

/// The calendar month.
fn month(at: i64, zone: &str) -> (i64, i64) {
    let zone = TimeZone::get(zone).expect("a zone");
    let date =
        jiff::Timestamp::from_millisecond(at).expect("an instant").to_zoned_datetime(zone.clone());
    let first = date.date().first_of_month();
    let midnight = |date: jiff::civil::Date| {
        date.to_zoned_datetime(zone.clone()).expect("a date").timestamp().as_millisecond()
    };
    (midnight(first), midnight(first.checked_add(1.month()).expect("a date")))
}

/// One store with two machines, and every event that it has accepted.
struct World {
    now: Arc<AtomicI64>,
    platforms: [Platform; 2],
    handles: Vec<(usize, Agency)>,
    resellers: Vec<ResellerId>,
    zone: &'static str,
    counted: Vec<(usize, i64, i64)>,
}

impl World {
    fn new(url: &str, storage: Option<Arc<dyn partnerkit::storage::Storage>>, start: i64) -> Self {
        let now = Arc::new(AtomicI64::new(start));
        let platforms = [0, AHEAD].map(|ahead| {
            let machine = Arc::new(Machine { now: now.clone(), ahead });
            let builder = Platform::builder().clock(machine);
            match &storage {
                Some(storage) => builder.open_storage(storage.clone()),
                None => builder.open(url),
            }
            .expect("opens")
        });
        let agency = platforms[0].create_agency("northwind", None).expect("creates");
        let create = |label| agency.create_reseller(invitation(label)).expect("creates").id;
        let resellers = vec![create("acme"), create("globex")];
        agency.set_allowance(resellers[0], Metric::MESSAGES, Some(LIMIT)).expect("sets");
        let handles = vec![(0, agency)];
        Self { now, platforms, handles, resellers, zone: "UTC", counted: Vec::new() }
    }

    fn used(&self, reseller: usize, (start, end): (i64, i64)) -> i64 {
        let of_period =
            |&&(whose, at, _): &&(usize, i64, i64)| whose == reseller && (start..end).contains(&at);
        self.counted.iter().filter(of_period).map(|(_, _, quantity)| quantity).sum()
    }

    fn perform(&mut self, n: usize, step: &Step) {
        match *step {
            Step::Forward { millis } => {
                self.now.fetch_add(millis, Ordering::SeqCst);
            }
            Step::Zone { zone } => {
                self.zone = ZONES[zone];
                let time_zone = Some(self.zone.to_owned());
                let patch = AgencyPatch { time_zone, ..AgencyPatch::default() };
                self.handles[0].1.configure(None, &patch).expect("configures");
            }
            Step::Handle { machine } => {
                let agency = self.platforms[machine].agency("northwind").expect("there");
                self.handles.push((machine, agency));
            }
            Step::Record { reseller, quantity, back } => {
                let at = self.now.load(Ordering::SeqCst) - back;
                let event = UsageEvent {
                    id: format!("e-{n}"),
                    reseller: self.resellers[reseller],
                    metric: Metric::MESSAGES,
                    quantity,
                    at: Timestamp::from_millis(at),
                };
                let report = self.handles[0].1.record_usage(&[event]).expect("records");
                assert_eq!(report.accepted(), 1, "{report:?}");
                self.counted.push((reseller, at, quantity));
            }
            Step::Consume { handle, reseller, quantity } => {
                self.consume(n, handle, reseller, quantity)
            }
        }
    }

    fn consume(&mut self, n: usize, handle: usize, reseller: usize, quantity: i64) {
        let (machine, agency) = &self.handles[handle % self.handles.len()];
        let at = self.now.load(Ordering::SeqCst) + AHEAD * i64::try_from(*machine).expect("small");
        let period = month(at, self.zone);
        let before = self.used(reseller, period);
        let limit = (reseller == 0).then_some(LIMIT);
        let id = format!("c-{n}");
        let call = || agency.consume(self.resellers[reseller], Metric::MESSAGES, quantity, &id);
        let resets_at = Timestamp::from_millis(period.1);
        let answer = call().expect("answers");
        if limit.is_some_and(|limit| before + quantity > limit) {
            let found = (answer.granted, answer.used, answer.resets_at);
            assert_eq!(found, (false, before, resets_at));
            return;
        }
        let granted = Consumption {
            granted: true,
            used: before + quantity,
            limit,
            requested: quantity,
            resets_at,
            duplicate: false,
            reason: None,
        };
        assert_eq!(answer, granted);
        assert_eq!(call().expect("answers"), Consumption { duplicate: true, ..granted });
        self.counted.push((reseller, at, quantity));
    }
}

fn every_answer_is_the_sum_of_events(mut world: World, steps: &[Step]) {
    for (n, step) in steps.iter().enumerate() {
        world.perform(n, step);
    }
}

/// A period is summed from whole days, and from quarter-hours at its edges, so no month may begin
/// off a quarter-hour.
#[test]
fn every_month_of_every_zone_begins_on_a_quarter_hour() {
    let mut zones = 0;
    for name in jiff::tz::db().available() {
        let zone = TimeZone::get(name.as_str()).expect("a zone");
        let mut first = jiff::civil::date(1980, 1, 1);
        while first.year() < 2050 {
            let begins = first.to_zoned_datetime(zone.clone()).expect("a date");
            let rest = begins.timestamp().as_millisecond() % (15 * MINUTE);
            assert_eq!(rest, 0, "{name}, {first}");
            first = first.checked_add(1.month()).expect("a date");
        }
        zones += 1;
    }
    assert!(zones > 400, "{zones} zones");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn in_memory(start in start(), steps in prop::collection::vec(step(), 1..60)) {
        let storage = Arc::new(partnerkit::storage::memory::Memory::new());
        every_answer_is_the_sum_of_events(World::new("", Some(storage), start), &steps);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn in_a_file(start in start(), steps in prop::collection::vec(step(), 1..40)) {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite:{}", folder.path().join("resellers.db").display());
        every_answer_is_the_sum_of_events(World::new(&url, None, start), &steps);
    }

    #[cfg(feature = "postgres-server")]
    #[test]
    fn on_postgres(start in start(), steps in prop::collection::vec(step(), 1..40)) {
        let database = partnerkit_tests::postgres::Database::create();
        every_answer_is_the_sum_of_events(World::new(&database.url, None, start), &steps);
    }
}
