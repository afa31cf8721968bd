//! The use of a period is the sum of its events, in whichever order they arrive, and whichever
//! clock, handle or time zone is used (S43).

use std::sync::Arc;

use super::Harness;
use super::fixture::{Bench, StillClock};
use crate::{
    Agency, AgencyPatch, Clock, EventOutcome, Metric, Platform, Reseller, Timestamp, UsageEvent,
};

const LIMIT: i64 = 10;
const MINUTE: i64 = 60_000;
/// 2026-04-01T00:00Z, half a month ahead of the bench's clock.
const APRIL: i64 = 1_775_001_600_000;

/// The clock of another machine.
struct Fast {
    clock: Arc<StillClock>,
    by: i64,
}

impl Clock for Fast {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.clock.now().as_millis() + self.by)
    }
}

/// The bench's agency, on a machine whose clock is fast.
fn fast(bench: &Bench<'_>, by: i64) -> Agency {
    let clock = Arc::new(Fast { clock: bench.clock.clone(), by });
    let builder = Platform::builder().login_base("partner.example.com").clock(clock);
    let platform = builder.open_storage(bench.storage.clone()).expect("opens");
    platform.agency("northwind").expect("there")
}

/// A bench before the end of March, and a reseller with a limit.
fn before_april(harness: &dyn Harness, minutes: i64) -> (Bench<'_>, Reseller) {
    let bench = Bench::new(harness);
    bench.clock.forward(APRIL - minutes * MINUTE - bench.clock.now().as_millis());
    let acme = bench.create("acme");
    bench.agency.set_allowance(acme.id, Metric::MESSAGES, Some(LIMIT)).expect("sets");
    (bench, acme)
}

/// Whether the call was granted, and the use after it.
fn consume(agency: &Agency, reseller: &Reseller, quantity: i64, id: &str) -> (bool, i64) {
    let answer = agency.consume(reseller.id, Metric::MESSAGES, quantity, id).expect("answers");
    (answer.granted, answer.used)
}

fn configure(agency: &Agency, zone: &str) {
    let patch = AgencyPatch { time_zone: Some(zone.into()), ..AgencyPatch::default() };
    agency.configure(None, &patch).expect("configures");
}

pub(super) fn an_early_event_leaves_the_period_as_it_is(harness: &dyn Harness) {
    let (bench, acme) = before_april(harness, 2);
    assert_eq!(consume(&bench.agency, &acme, 8, "c-1"), (true, 8));
    for (id, quantity) in [("e-1", 0), ("e-2", 6)] {
        let event = bench.event(id, &acme, Metric::MESSAGES, quantity);
        let at = Timestamp::from_millis(APRIL + MINUTE);
        let report = bench.agency.record_usage(&[UsageEvent { at, ..event }]).expect("records");
        assert_eq!(report.outcomes, [EventOutcome::Accepted]);
        assert_eq!(consume(&bench.agency, &acme, 3, "c-2"), (false, 8), "after {id}");
    }
    assert_eq!(consume(&bench.agency, &acme, 2, "c-3"), (true, 10));
    bench.clock.forward(2 * MINUTE);
    assert_eq!(consume(&bench.agency, &acme, 5, "c-4"), (false, 6), "it is April's");
    assert_eq!(consume(&bench.agency, &acme, 4, "c-5"), (true, 10));
}

pub(super) fn a_fast_clock_leaves_the_period_as_it_is(harness: &dyn Harness) {
    let (bench, acme) = before_april(harness, 2);
    let fast = fast(&bench, 5 * MINUTE);
    for n in 0..4 {
        let used = (n + 1) * 2;
        let (march, april) = (format!("m-{n}"), format!("a-{n}"));
        assert_eq!(consume(&bench.agency, &acme, 2, &march), (true, used));
        assert_eq!(consume(&fast, &acme, 2, &april), (true, used));
        assert_eq!(consume(&fast, &acme, 2, &april), (true, used), "a repeated one is answered");
        assert_eq!(consume(&bench.agency, &acme, 2, &march), (true, used));
    }
    assert_eq!(consume(&bench.agency, &acme, 3, "m-5"), (false, 8));
    assert_eq!(consume(&fast, &acme, 3, "a-5"), (false, 8));
}

pub(super) fn an_old_handle_counts_in_the_stored_zone(harness: &dyn Harness) {
    let (bench, acme) = before_april(harness, 120);
    let old = bench.agency.clone();
    assert_eq!(consume(&old, &acme, 8, "c-1"), (true, 8));
    // Kathmandu is 5:45 hours ahead, so it is April there.
    configure(&old, "Asia/Kathmandu");
    let new = bench.platform.agency("northwind").expect("there");
    let april = consume(&new, &acme, 1, "c-2");
    assert_eq!(april, (true, 9), "what was used two hours after midnight is April's");
    for n in 0..3 {
        let id = format!("c-{}", n + 3);
        assert_eq!(consume(&old, &acme, 1_000, &id), (false, 9));
        assert_eq!(consume(&new, &acme, 1_000, &id), (false, 9));
    }
    let denied = old.consume(acme.id, Metric::MESSAGES, 9, "c-9").expect("answers");
    assert!(!denied.granted);
    // Midnight of the first of May in Kathmandu.
    assert_eq!(denied.resets_at.as_millis(), APRIL + 30 * 86_400_000 - 345 * MINUTE);
}

/// Everything that was used in the month of the new zone counts, wherever that month begins.
pub(super) fn another_time_zone_gives_no_second_allowance(harness: &dyn Harness) {
    let (bench, acme) = before_april(harness, 720);
    let event = |id: &str, minutes: i64, quantity| {
        let event = bench.event(id, &acme, Metric::MESSAGES, quantity);
        UsageEvent { at: Timestamp::from_millis(APRIL - minutes * MINUTE), ..event }
    };
    // One minute before March in UTC, when it is March already further east.
    let events = [event("e-1", 31 * 1_440 + 1, 100), event("e-2", 900, 3), event("e-3", 721, 4)];
    bench.agency.record_usage(&events).expect("records");
    let (mut used, east) = (7, ["Asia/Kathmandu", "Australia/Lord_Howe"]);
    for zone in ["UTC", east[0], "America/New_York", east[1], "America/St_Johns"] {
        configure(&bench.agency, zone);
        if east.contains(&zone) {
            assert_eq!(consume(&bench.agency, &acme, 1, zone), (false, used + 100), "{zone}");
            continue;
        }
        let beyond = LIMIT - used + 1;
        assert_eq!(consume(&bench.agency, &acme, beyond, zone), (false, used), "{zone}");
        used += 1;
        assert_eq!(consume(&bench.agency, &acme, 1, zone), (true, used), "{zone}");
    }
    // Lord Howe's April begins eleven hours before UTC's.
    bench.clock.forward(61 * MINUTE);
    for (zone, expected) in
        [("UTC", (false, 10)), (east[1], (true, 1)), ("UTC", (false, 11)), (east[1], (true, 2))]
    {
        configure(&bench.agency, zone);
        let id = format!("{zone} {expected:?}");
        assert_eq!(consume(&bench.agency, &acme, 1, &id), expected, "{zone}");
    }
}

/// Whatever the clock, the zone and the period that the meter knows, what is read is what a denial then
/// says.
pub(super) fn an_allowance_is_what_consume_decides_by(harness: &dyn Harness) {
    let (bench, acme) = before_april(harness, 30);
    let machines = [bench.agency.clone(), fast(&bench, 31 * MINUTE)];
    let read = |agency: &Agency| agency.allowance(acme.id, Metric::MESSAGES).expect("reads");
    let agrees = |agency: &Agency, context: &str| {
        let allowance = read(agency);
        let denied = agency.consume(acme.id, Metric::MESSAGES, 1_000, "denied").expect("answers");
        assert!(!denied.granted, "{context}");
        let told = (denied.limit, denied.used, denied.resets_at);
        assert_eq!((allowance.limit, allowance.used, allowance.resets_at), told, "{context}");
        assert_eq!(read(agency), allowance, "{context}: a denial changes nothing");
        allowance.used
    };
    assert_eq!(read(&bench.agency).used, 0);
    let early = bench.event("early", &acme, Metric::MESSAGES, 4);
    let early = UsageEvent { at: Timestamp::from_millis(APRIL), ..early };
    let fast = Agency::clone(&machines[1]);
    fast.record_usage(&[early]).expect("records");
    consume(&bench.agency, &acme, 3, "c-1");
    let [march, april] = [&bench.agency, &fast].map(|agency| agrees(agency, "two clocks"));
    assert_eq!((march, april), (3, 4));
    for zone in ["Asia/Kathmandu", "America/New_York", "UTC"] {
        configure(&bench.agency, zone);
        for agency in &machines {
            agrees(agency, zone);
        }
    }
    // What `record_usage` reports beyond the limit counts, and so does what is taken back.
    let beyond = bench.event("beyond", &acme, Metric::MESSAGES, 20);
    bench.agency.record_usage(&[beyond]).expect("records");
    assert_eq!(agrees(&bench.agency, "beyond"), 23);
    bench.agency.void_event("beyond").expect("voids");
    assert_eq!(agrees(&bench.agency, "taken back"), 3);
    bench.agency.set_allowance(acme.id, Metric::WHATSAPP_MESSAGES, Some(0)).expect("sets");
    let all = bench.agency.allowances(acme.id).expect("reads");
    let all: Vec<_> = all.iter().map(|one| (one.metric.slug(), one.limit, one.used)).collect();
    let others = [("whatsapp_messages", Some(0), 0), ("whatsapp_conversations", None, 0)];
    assert_eq!(all, [&[("messages", Some(LIMIT), 3)], &others[..]].concat());
}

/// 64 callers have clocks on both sides of a month's end: neither limit is passed, and both are
/// used up.
pub(super) fn racing_consumers_pass_no_limit_at_a_months_end(harness: &dyn Harness) {
    let (bench, acme) = before_april(harness, 2);
    let machines = [bench.agency.clone(), fast(&bench, 5 * MINUTE)];
    let early = bench.event("early", &acme, Metric::MESSAGES, 0);
    let early = UsageEvent { at: Timestamp::from_millis(APRIL), ..early };
    let granted = bench.together(64, |i| {
        if i % 8 == 0 {
            bench.agency.record_usage(std::slice::from_ref(&early)).expect("records");
        }
        let calls = (0..2).filter(|n| consume(&machines[i % 2], &acme, 1, &format!("c-{i}-{n}")).0);
        calls.count()
    });
    for machine in 0..2 {
        let granted: usize = granted.iter().skip(machine).step_by(2).sum();
        assert_eq!(i64::try_from(granted), Ok(LIMIT), "by clock {machine}");
    }
    assert_eq!(bench.agency.overview().expect("reads").messages, 2 * LIMIT);
}
