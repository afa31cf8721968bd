//! History from before events are accepted comes in as rollups, each of which counts once (S33).

use std::time::Duration;

use super::Harness;
use super::fixture::{Bench, id, label};
use crate::usage::{Event, EventId, TotalRow};
use crate::{
    Clock, Code, EventOutcome, FieldError, Metric, Platform, Reseller, Timestamp, UsageEvent,
    UsageQuery, Window,
};

const DAY: i64 = Timestamp::DAY;

/// A rollup of a day of messages.
fn rollup(
    bench: &Bench<'_>,
    id: &str,
    reseller: &Reseller,
    days: i64,
    quantity: i64,
) -> UsageEvent {
    let at = bench.clock.now().plus_millis(-days * DAY);
    UsageEvent { at, ..bench.event(id, reseller, Metric::MESSAGES, quantity) }
}

fn rejected(field: &str, code: Code) -> EventOutcome {
    EventOutcome::Rejected(FieldError::new(field, code))
}

/// S33: whenever it comes again.
pub(super) fn a_rollup_counts_once(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let (acme, globex) = (bench.create("acme"), bench.create("globex"));
    let first = rollup(&bench, "a", &acme, 100, 7);
    let report = bench.agency.backfill(&[first.clone(), first.clone()]).expect("backfills");
    assert_eq!(report.outcomes, [EventOutcome::Accepted, EventOutcome::Duplicate]);

    // Its id outlives everything that upkeep removes.
    bench.clock.forward(1_000 * DAY);
    while !bench.platform.maintain(Some(1_000)).expect("maintains").finished {}
    let others = [
        UsageEvent { quantity: 8, ..first.clone() },
        UsageEvent { reseller: globex.id, ..first.clone() },
        UsageEvent { metric: Metric::WHATSAPP_MESSAGES, ..first.clone() },
        UsageEvent { at: first.at.plus_millis(1), ..first.clone() },
    ];
    for other in others {
        let report = bench.agency.backfill(&[other]).expect("reports");
        assert_eq!(report.outcomes, [EventOutcome::Conflict]);
    }
    let again = bench.agency.backfill(std::slice::from_ref(&first)).expect("reports");
    assert_eq!(again.outcomes, [EventOutcome::Duplicate]);
    assert_eq!(bench.agency.overview().expect("reads").messages, 7);

    // Events have ids of their own, and so have new resellers.
    let event = bench.event("a", &acme, Metric::MESSAGES, 2);
    assert_eq!(bench.agency.record_usage(&[event]).expect("records").accepted(), 1);
    let form = super::fixture::draft("initech").once("a");
    bench.agency.create_reseller(form).expect("creates");
    assert_eq!(bench.agency.overview().expect("reads").messages, 9);
    let verification = bench.agency.verify_usage().expect("verifies");
    assert_eq!((verification.events, verification.found), (1, 0));
}

/// S33, S37, S39: totals, days, quarter-hours, rankings, and levels, which take their place by time.
pub(super) fn every_view_shows_what_was_backfilled(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let (acme, globex) = (bench.create("acme"), bench.create("globex"));
    let of_day = |n: i64| rollup(&bench, &format!("{n}"), &acme, 100 + n, 10 + n);
    let mut history: Vec<_> = (0..5).map(of_day).collect();
    history
        .push(UsageEvent { reseller: globex.id, ..rollup(&bench, "of globex", &globex, 100, 3) });
    let seats = |id: &str, days: i64, level: i64| UsageEvent {
        metric: Metric::TEAM_MEMBERS,
        ..rollup(&bench, id, &acme, days, level)
    };
    history.extend([seats("old", 300, 4), seats("newer", 90, 6), seats("between", 200, 9)]);
    assert_eq!(bench.agency.backfill(&history).expect("backfills").accepted(), 9);

    let overview = bench.agency.overview().expect("reads");
    assert_eq!((overview.messages, overview.team_members), (63, 6));
    let now = bench.clock.now();
    let from = Timestamp::midnight_of(now.utc_day() - 104);
    let query = UsageQuery {
        window: Window::Day,
        time_zone: Some("UTC".to_owned()),
        metrics: Some(vec![Metric::MESSAGES]),
        ..UsageQuery::between(from, now)
    };
    let values = |query: &UsageQuery| {
        let rows = bench.agency.usage(query).expect("reads").rows;
        rows.iter().map(|row| (row.value, row.events)).collect::<Vec<_>>()
    };
    assert_eq!(values(&query), [(14, 1), (13, 1), (12, 1), (11, 1), (13, 2)]);
    let of_globex = UsageQuery { resellers: Some(vec![globex.id]), ..query };
    assert_eq!(values(&of_globex), [(3, 1)]);
    let top = bench.agency.top_resellers(Metric::MESSAGES, from, now, 5).expect("reads");
    assert_eq!(top.iter().map(|of| of.value).collect::<Vec<_>>(), [60, 3]);
    let at = |days: i64| {
        let end = now.plus_millis(-days * DAY + Timestamp::QUARTER_HOUR);
        bench
            .agency
            .overview_between(from.plus_millis(-300 * DAY), end)
            .expect("reads")
            .team_members
    };
    assert_eq!([301, 300, 200, 90].map(at), [0, 4, 9, 6]);

    let late = UsageEvent { at: now.plus_millis(-DAY), ..seats("level", 0, 2) };
    bench.agency.record_usage(&[late]).expect("records");
    let older = bench.agency.backfill(&[seats("older", 60, 50)]).expect("backfills");
    assert_eq!(older.accepted(), 1);
    assert_eq!(bench.agency.overview().expect("reads").team_members, 2, "the event is later");
    let verification = bench.agency.verify_usage().expect("verifies");
    assert_eq!((verification.events, verification.found), (1, 0));
}

/// S33, S37: times from 1980 to the first one of events, and no overflow.
pub(super) fn a_rollup_that_cannot_be_counted_is_rejected_alone(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let acme = bench.create("acme");
    let good = rollup(&bench, "a", &acme, 100, 7);
    let at = |at: i64, id: &str| UsageEvent {
        id: id.to_owned(),
        at: Timestamp::from_millis(at),
        ..good.clone()
    };
    let first_of_events = bench.clock.now().as_millis() - 35 * DAY;
    let batch = [
        good.clone(),
        at(first_of_events, "b"),
        at(first_of_events - 1, "c"),
        at(315_532_800_000 - 1, "d"),
        at(315_532_800_000, "e"),
        at(bench.clock.now().as_millis() + 3 * DAY, "f"),
        UsageEvent { id: "g".into(), reseller: id(9), ..good.clone() },
        UsageEvent { id: "h".into(), quantity: -1, ..good.clone() },
        UsageEvent { id: "i".into(), quantity: i64::MAX, ..good.clone() },
        UsageEvent { id: "".into(), ..good.clone() },
        UsageEvent { quantity: 8, ..good.clone() },
    ];
    let report = bench.agency.backfill(&batch).expect("reports");
    let expected = [
        EventOutcome::Accepted,
        rejected("at", Code::TooRecent),
        EventOutcome::Accepted,
        rejected("at", Code::TooOld),
        EventOutcome::Accepted,
        rejected("at", Code::TooRecent),
        rejected("reseller", Code::UnknownReseller),
        rejected("quantity", Code::Negative),
        rejected("quantity", Code::Overflow),
        rejected("id", Code::Empty),
        EventOutcome::Conflict,
    ];
    assert_eq!(report.outcomes, expected);
    assert_eq!(bench.agency.overview().expect("reads").messages, 21);
    // What was rejected has used no id up.
    let fits = UsageEvent { id: "i".into(), ..good.clone() };
    assert_eq!(bench.agency.backfill(&[fits]).expect("reports").accepted(), 1);
    let refused = bench.agency.backfill(&vec![good; 10_001]).expect_err("too many");
    assert_eq!((&*refused.fields()[0].field, refused.fields()[0].code), ("rollups", Code::TooMany));
    assert_eq!(bench.agency.verify_usage().expect("verifies").found, 0);
}

/// S33, with real concurrency, beside events of the same meters.
pub(super) fn racing_rollups_count_once(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let resellers: Vec<_> = (0..3).map(|n| bench.create(&label(n))).collect();
    let history: Vec<_> = (0..30_usize)
        .map(|n| {
            let metric = [Metric::MESSAGES, Metric::TEAM_MEMBERS][n % 2];
            let of = rollup(&bench, &format!("{n}"), &resellers[n % 3], 40 + n as i64 / 4, 5);
            UsageEvent { metric, ..of }
        })
        .collect();
    let accepted = bench.together(4, |thread| {
        let mut mine = history.clone();
        mine.rotate_left(thread * 7);
        let mut accepted = 0;
        for (n, batch) in mine.chunks(9).enumerate() {
            accepted += bench.agency.backfill(batch).expect("backfills").accepted();
            let id = format!("event-{thread}-{n}");
            let event = bench.event(&id, &resellers[n % 3], Metric::MESSAGES, 1);
            bench.agency.record_usage(&[event]).expect("records");
        }
        accepted
    });
    assert_eq!(accepted.iter().sum::<usize>(), history.len());
    let overview = bench.agency.overview().expect("reads");
    assert_eq!((overview.messages, overview.team_members), (15 * 5 + 16, 3 * 5));
    assert_eq!(bench.agency.verify_usage().expect("verifies").found, 0);
}

/// S33, S35: a gauge's quarter-hour is made anew of its events when one is taken back, and a rollup is none.
pub(super) fn what_is_backfilled_cannot_be_lost_by_taking_back(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let acme = bench.create("acme");
    let level = |id: &str, back: i64, quantity: i64| UsageEvent {
        at: bench.clock.now().plus_millis(-back),
        ..bench.event(id, &acme, Metric::TEAM_MEMBERS, quantity)
    };
    let (event, later) = (level("a", 35 * DAY - 60_000, 3), level("b", 20 * DAY, 3));
    bench.agency.record_usage(&[event, later]).expect("records");
    // Of the same quarter-hour, whose beginning is before the first time of events.
    bench.clock.forward(120_000);
    let rollup = level("c", 35 * DAY + 60_000, 8);
    assert_eq!(bench.agency.backfill(&[rollup]).expect("backfills").accepted(), 1);
    let late = bench.agency.void_event("a").expect_err("too late");
    assert_eq!((&*late.fields()[0].field, late.fields()[0].code), ("id", Code::TooLate));
    assert!(bench.agency.void_event("b").expect("takes back"));
    assert_eq!(bench.agency.verify_usage().expect("verifies").found, 0);
}

/// S33: what is accepted, what is kept, what can be taken back and what is backfilled follow one setting.
pub(super) fn how_late_events_may_come_is_configured(harness: &dyn Harness) {
    let days = |days: u64| Duration::from_secs(days * 86_400);
    for refused in [days(0), days(1) / 24 - Duration::from_millis(1), days(3_651), Duration::MAX] {
        assert!(Platform::builder().usage_lateness(refused).open("memory:").is_err());
    }
    let bench = Bench::with(harness, |builder| builder.usage_lateness(days(2)));
    let acme = bench.create("acme");
    let event = |id: &str, back: i64| UsageEvent {
        at: bench.clock.now().plus_millis(-back),
        ..bench.event(id, &acme, Metric::MESSAGES, 1)
    };
    let report = bench.agency.record_usage(&[event("a", 2 * DAY), event("b", 2 * DAY + 1)]);
    let expected = [EventOutcome::Accepted, rejected("at", Code::TooOld)];
    assert_eq!(report.expect("records").outcomes, expected);
    let report = bench.agency.backfill(&[event("c", 2 * DAY), event("b", 2 * DAY + 1)]);
    let expected = [rejected("at", Code::TooRecent), EventOutcome::Accepted];
    assert_eq!(report.expect("backfills").outcomes, expected);

    bench.agency.record_usage(&[event("d", 0)]).expect("records");
    bench.clock.forward(6 * DAY + 1);
    let late = bench.agency.void_event("d").expect_err("too late");
    assert_eq!(late.fields()[0].code, Code::TooLate);
    let events = |removed: u64| {
        let done = bench.platform.maintain(Some(1_000)).expect("maintains");
        assert_eq!(done.removed, removed);
        bench.agency.verify_usage().expect("verifies")
    };
    let kept = events(1);
    assert_eq!((kept.events, kept.found), (1, 0), "the dedupe window outlives the other one");
    bench.clock.forward(DAY);
    let kept = events(1);
    assert_eq!((kept.events, kept.found), (0, 0));
    assert_eq!(bench.agency.overview().expect("reads").messages, 3);
}

/// S33: events that were forgotten are not counted again, also if a platform takes later ones than that
/// one did which forgot them.
pub(super) fn what_was_forgotten_is_not_counted_again(harness: &dyn Harness) {
    let bench =
        Bench::with(harness, |builder| builder.usage_lateness(Duration::from_secs(2 * 86_400)));
    let acme = bench.create("acme");
    let [first, second] = ["first", "second"].map(|id| bench.event(id, &acme, Metric::MESSAGES, 1));
    bench.agency.record_usage(std::slice::from_ref(&first)).expect("records");
    bench.clock.forward(8 * DAY);
    assert_eq!(bench.platform.maintain(Some(1_000)).expect("maintains").removed, 1);

    let builder = Platform::builder().clock(bench.clock.clone());
    let later = builder.open_storage(bench.storage.clone()).expect("opens");
    let agency = later.agency(bench.agency.id().as_str()).expect("finds");
    let kept = UsageEvent {
        at: bench.clock.now().plus_millis(-6 * DAY),
        ..bench.event("third", &acme, Metric::MESSAGES, 1)
    };
    let report = agency.record_usage(&[first, kept.clone(), second]).expect("records");
    let too_old = rejected("at", Code::TooOld);
    assert_eq!(report.outcomes, [too_old.clone(), EventOutcome::Accepted, too_old]);
    let report = agency.record_usage(&[kept]).expect("records");
    assert_eq!(report.outcomes, [EventOutcome::Duplicate]);
    assert_eq!(agency.overview().expect("reads").messages, 2);
    assert_eq!(agency.verify_usage().expect("verifies").found, 0);
}

/// S33: the same of a store in which an older version of the library has removed events, which did not
/// store up to when.
pub(super) fn what_an_older_version_forgot_is_not_counted_again(harness: &dyn Harness) {
    let bench =
        Bench::with(harness, |builder| builder.usage_lateness(Duration::from_secs(90 * 86_400)));
    let acme = bench.create("acme");
    let old = bench.event("old", &acme, Metric::MESSAGES, 5);
    let late = UsageEvent { id: "late".into(), at: old.at.plus_millis(20 * DAY), ..old.clone() };
    bench.agency.record_usage(std::slice::from_ref(&old)).expect("records");
    bench.clock.forward(45 * DAY);
    let new = bench.event("new", &acme, Metric::MESSAGES, 1);
    bench.agency.record_usage(std::slice::from_ref(&new)).expect("records");
    bench.write(|tx| {
        tx.delete::<TotalRow>(&["events_forgotten_before".to_owned()])?;
        tx.delete::<Event>(&[EventId::parse("old").expect("is an id")])
    });

    assert_eq!(bench.agency.verify_usage().expect("verifies").found, 0);
    let report = bench.agency.record_usage(&[old, late, new]).expect("records");
    let expected = [rejected("at", Code::TooOld), EventOutcome::Accepted, EventOutcome::Duplicate];
    assert_eq!(report.outcomes, expected);
    assert_eq!(bench.agency.overview().expect("reads").messages, 11);
    assert_eq!(bench.agency.verify_usage().expect("verifies").found, 0);
}

/// S33: between what is recorded as events and what is backfilled there is no gap.
pub(super) fn events_and_rollups_meet(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let acme = bench.create("acme");
    let border = bench.clock.now().plus_millis(-35 * DAY);
    let of = |id: &str, at| UsageEvent { at, ..bench.event(id, &acme, Metric::MESSAGES, 1) };
    let first = of("first", border.plus_millis(1));
    bench.agency.record_usage(std::slice::from_ref(&first)).expect("records");
    let rollup = of("rollup", border.plus_millis(-1));
    assert_eq!(bench.agency.backfill(&[rollup]).expect("backfills").accepted(), 1);
    let report = bench.agency.record_usage(&[first, of("second", border)]).expect("records");
    assert_eq!(report.outcomes, [EventOutcome::Duplicate, EventOutcome::Accepted]);
    assert_eq!(bench.agency.verify_usage().expect("verifies").found, 0);
}

/// S33: a clock that is wrong does not let events of before 1980 in.
pub(super) fn no_event_is_of_before_1980(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let acme = bench.create("acme");
    let year_1980 = Timestamp::from_millis(315_532_800_000);
    bench.clock.forward(year_1980.as_millis() - bench.clock.now().as_millis() + DAY);
    let event = |id: &str, at| UsageEvent { at, ..bench.event(id, &acme, Metric::MESSAGES, 1) };
    let batch = [event("a", year_1980.plus_millis(-1)), event("b", year_1980)];
    let report = bench.agency.record_usage(&batch).expect("records");
    assert_eq!(report.outcomes, [rejected("at", Code::TooOld), EventOutcome::Accepted]);
}
