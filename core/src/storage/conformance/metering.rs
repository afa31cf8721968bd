//! Usage counts once, whatever races, repeats or overflows.

use std::sync::Barrier;
use std::time::Duration;

use super::Harness;
use super::fixture::{Bench, label};
use crate::usage::{AgencySlot, AgencySlotKey, DayKey, Event, GaugeDayKey, WHOLE_DAY};
use crate::{
    Clock, Code, Consumption, DenialReason, ErrorKind, EventId, EventOutcome, FieldError, Metric,
    Timestamp, UsageEvent,
};

/// S32.
pub(super) fn an_event_counts_once(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let acme = bench.create("acme");
    let batch = [
        bench.event("a", &acme, Metric::MESSAGES, 3),
        bench.event("b", &acme, Metric::WHATSAPP_MESSAGES, 2),
    ];
    let results = bench.together(6, |_| bench.agency.record_usage(&batch).expect("records"));
    let accepted: usize = results.iter().map(|report| report.accepted()).sum();
    assert_eq!(accepted, 2);
    let overview = bench.agency.overview().expect("reads");
    assert_eq!((overview.messages, overview.whatsapp_messages), (3, 2));
    let repeated = bench.agency.record_usage(&batch).expect("records");
    assert_eq!(repeated.outcomes, [EventOutcome::Duplicate, EventOutcome::Duplicate]);
}

pub(super) fn another_event_with_a_known_id_is_a_conflict(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let (acme, globex) = (bench.create("acme"), bench.create("globex"));
    let first = bench.event("a", &acme, Metric::MESSAGES, 3);
    bench.agency.record_usage(std::slice::from_ref(&first)).expect("records");
    let others = [
        UsageEvent { quantity: 4, ..first.clone() },
        UsageEvent { reseller: globex.id, ..first.clone() },
        UsageEvent { metric: Metric::WHATSAPP_MESSAGES, ..first.clone() },
        UsageEvent { at: Timestamp::from_millis(first.at.as_millis() - 1), ..first.clone() },
    ];
    for other in others {
        let report = bench.agency.record_usage(&[other]).expect("reports");
        assert_eq!(report.outcomes, [EventOutcome::Conflict]);
    }
    assert_eq!(bench.agency.overview().expect("reads").messages, 3);
}

/// S32, S33: an outcome for each event, and the good ones count.
pub(super) fn a_batch_reports_each_event(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let acme = bench.create("acme");
    let good = bench.event("a", &acme, Metric::MESSAGES, 3);
    let at = |days: i64| Timestamp::from_millis(bench.clock.now().as_millis() + days * 86_400_000);
    let batch = [
        good.clone(),
        good.clone(),
        UsageEvent { quantity: 9, ..good.clone() },
        UsageEvent { id: "b".into(), quantity: -1, ..good.clone() },
        UsageEvent { id: "c".into(), at: at(1), ..good.clone() },
        UsageEvent { id: "d".into(), at: at(-36), ..good.clone() },
        UsageEvent { id: "e".into(), reseller: super::fixture::id(9), ..good.clone() },
        UsageEvent { id: String::new(), ..good.clone() },
        UsageEvent { id: "f".into(), at: at(-35), ..good.clone() },
    ];
    let report = bench.agency.record_usage(&batch).expect("reports");
    let expected = [
        EventOutcome::Accepted,
        EventOutcome::Duplicate,
        EventOutcome::Conflict,
        rejected("quantity", Code::Negative),
        rejected("at", Code::InTheFuture),
        rejected("at", Code::TooOld),
        rejected("reseller", Code::UnknownReseller),
        rejected("id", Code::Empty),
        EventOutcome::Accepted,
    ];
    assert_eq!(report.outcomes, expected);
    assert_eq!(bench.agency.overview().expect("reads").messages, 6);
    let many = vec![good; 10_001];
    let refused = bench.agency.record_usage(&many).expect_err("too many");
    assert_eq!(refused.fields()[0].code, Code::TooMany);
}

/// S34.
pub(super) fn any_arrival_order_gives_the_same_sums(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let (acme, globex) = (bench.create("acme"), bench.create("globex"));
    let batch = |reseller: &crate::Reseller| {
        let event = |n: i64| {
            let at =
                Timestamp::from_millis(bench.clock.now().as_millis() - (n * 37 % 10) * 3_600_000);
            let metric = if n % 3 == 0 { Metric::TEAM_MEMBERS } else { Metric::MESSAGES };
            UsageEvent {
                id: format!("{}-{n}", reseller.login_domain),
                reseller: reseller.id,
                metric,
                quantity: n,
                at,
            }
        };
        (0..30).map(event).collect::<Vec<_>>()
    };
    bench.agency.record_usage(&batch(&acme)).expect("records");
    for event in batch(&globex).into_iter().rev() {
        bench.agency.record_usage(&[event]).expect("records");
    }
    let sums = |reseller: &crate::Reseller| {
        let days: Vec<_> = batch(reseller).iter().map(day).collect();
        let levels: Vec<_> = batch(reseller).iter().map(|e| GaugeDayKey::of(&checked(e))).collect();
        let read = bench.read(|reads| {
            let days = (reads.counter_days(&days)?, reads.gauge_days(&levels)?);
            Ok((reads.meters(reseller.id)?, days.0, days.1))
        });
        let meters: Vec<_> =
            read.0.into_iter().map(|m| (m.key.metric, m.value, m.events, m.period_used)).collect();
        let mut levels: Vec<_> = read.2.into_iter().flatten().collect();
        for slot in levels.iter_mut().flat_map(|day| day.slots.values_mut()) {
            slot.last_event = slot.last_event.replace("globex", "acme");
        }
        let levels: Vec<_> = levels.into_iter().map(|day| (day.key.day, day.slots)).collect();
        let days: Vec<_> = read.1.into_iter().flatten().collect();
        let days: Vec<_> = days
            .into_iter()
            .map(|d| (d.key.day, d.key.meter.metric, d.sum, d.events, d.slots))
            .collect();
        assert!(!days.is_empty() && !levels.is_empty());
        (meters, days, levels)
    };
    assert_eq!(sums(&acme), sums(&globex));
}

fn rejected(field: &str, code: Code) -> EventOutcome {
    EventOutcome::Rejected(FieldError::new(field, code))
}

fn checked(event: &UsageEvent) -> Event {
    let UsageEvent { reseller, metric, quantity, at, .. } = *event;
    let id = EventId::parse(&event.id).expect("an id");
    Event { id, reseller, metric, quantity, at, voided: false }
}

fn day(event: &UsageEvent) -> DayKey {
    DayKey::of(&checked(event))
}

/// S38.
pub(super) fn the_latest_level_of_a_gauge_counts(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let (acme, globex) = (bench.create("acme"), bench.create("globex"));
    let level = |id: &str, reseller, quantity, minutes: i64| {
        let event = bench.event(id, reseller, Metric::TEAM_MEMBERS, quantity);
        let at = Timestamp::from_millis(event.at.as_millis() - minutes * 60_000);
        UsageEvent { at, ..event }
    };
    let batch = [
        level("c", &acme, 4, 0),
        level("a", &acme, 3, 2),
        level("b", &acme, 5, 1),
        level("d", &globex, 10, 3),
        level("e", &globex, 2, 0),
        level("f", &globex, 6, 0),
    ];
    bench.agency.record_usage(&batch).expect("records");
    assert_eq!(bench.agency.overview().expect("reads").team_members, 4 + 6);
    let day = GaugeDayKey::of(&checked(&batch[0]));
    let levels = bench.read(|reads| reads.gauge_days(&[day])).pop().flatten().expect("there");
    let slots: Vec<_> = levels.slots.values().map(|slot| (slot.min, slot.max, slot.last)).collect();
    // The two earlier ones are in the quarter-hour before noon.
    assert_eq!(slots, [(3, 5, 5), (4, 4, 4)]);
}

/// S37: an agency's sum of a quarter-hour or a day is that of its resellers, deleted ones included,
/// and each event is in it once, whichever way it came.
pub(super) fn an_agency_is_summed_by_quarter_hour_and_day(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let (acme, globex) = (bench.create("acme"), bench.create("globex"));
    let noon = bench.clock.now();
    let at = |minutes: i64, event: UsageEvent| UsageEvent {
        at: Timestamp::from_millis(noon.as_millis() - minutes * 60_000),
        ..event
    };
    let batch = [
        at(0, bench.event("a", &acme, Metric::MESSAGES, 3)),
        at(1, bench.event("b", &globex, Metric::MESSAGES, 4)),
        at(15, bench.event("c", &acme, Metric::MESSAGES, 5)),
        at(1_440, bench.event("d", &acme, Metric::MESSAGES, 6)),
        at(0, bench.event("e", &acme, Metric::WHATSAPP_MESSAGES, 7)),
        at(0, bench.event("f", &acme, Metric::TEAM_MEMBERS, 8)),
    ];
    bench.together(4, |_| bench.agency.record_usage(&batch).expect("records"));
    let consume = |id| bench.agency.consume(globex.id, Metric::MESSAGES, 10, id).expect("answers");
    assert!(consume("g").granted && consume("g").duplicate);
    bench.agency.delete_reseller(acme.id).expect("deletes");
    let today = noon.utc_day();
    let slot = |day, metric, slot, sum, events| AgencySlot {
        key: AgencySlotKey { day, metric, slot },
        sum,
        events,
    };
    let expected = [
        slot(today - 1, Metric::MESSAGES, 48, 6, 1),
        slot(today - 1, Metric::MESSAGES, WHOLE_DAY, 6, 1),
        slot(today, Metric::MESSAGES, 47, 9, 2),
        slot(today, Metric::MESSAGES, 48, 13, 2),
        slot(today, Metric::MESSAGES, WHOLE_DAY, 22, 4),
        slot(today, Metric::WHATSAPP_MESSAGES, 48, 7, 1),
        slot(today, Metric::WHATSAPP_MESSAGES, WHOLE_DAY, 7, 1),
    ];
    assert_eq!(bench.agency_slots(), expected);
}

/// S35: an event that was taken back is still known.
pub(super) fn a_voided_event_is_still_known(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let acme = bench.create("acme");
    let batch = [bench.event("a", &acme, Metric::MESSAGES, 3)];
    bench.agency.record_usage(&batch).expect("records");
    let voided = Event { voided: true, ..checked(&batch[0]) };
    bench.write(|tx| {
        tx.lock::<Event>(std::slice::from_ref(&voided.id), crate::storage::Lock::Update)?;
        tx.put(std::slice::from_ref(&voided))
    });
    let stored = bench.read(|reads| reads.events(std::slice::from_ref(&voided.id)));
    assert_eq!(stored, [Some(voided)]);
    let outcomes = |event: &UsageEvent| {
        bench.agency.record_usage(std::slice::from_ref(event)).expect("records").outcomes
    };
    assert_eq!(outcomes(&batch[0]), [EventOutcome::Duplicate]);
    let other = UsageEvent { quantity: 4, ..batch[0].clone() };
    assert_eq!(outcomes(&other), [EventOutcome::Conflict]);
}

/// S37: an overflow rejects only the event that causes it.
pub(super) fn a_sum_never_overflows(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let (acme, globex) = (bench.create("acme"), bench.create("globex"));
    let half = i64::MAX / 2 + 1;
    let batch = [
        bench.event("a", &acme, Metric::MESSAGES, half),
        bench.event("b", &acme, Metric::MESSAGES, half),
        bench.event("c", &globex, Metric::MESSAGES, half),
        bench.event("d", &globex, Metric::WHATSAPP_MESSAGES, 7),
        bench.event("e", &acme, Metric::MESSAGES, half - 1),
    ];
    let report = bench.agency.record_usage(&batch).expect("reports");
    let overflow = rejected("quantity", Code::Overflow);
    let accepted = EventOutcome::Accepted;
    let expected = [accepted.clone(), overflow.clone(), overflow, accepted.clone(), accepted];
    assert_eq!(report.outcomes, expected);
    let overview = bench.agency.overview().expect("reads");
    assert_eq!((overview.messages, overview.whatsapp_messages), (i64::MAX, 7));
    let again = bench.agency.record_usage(&batch[..1]).expect("reports");
    assert_eq!(again.outcomes, [EventOutcome::Duplicate], "full, yet a duplicate stays one");
    let refused = bench.agency.consume(globex.id, Metric::MESSAGES, 1, "f").expect_err("full");
    assert_eq!(refused.fields()[0].code, Code::Overflow);
}

/// S37: an overflow of a total of levels, too, rejects only the event that causes it, and no later
/// one.
pub(super) fn a_total_of_levels_never_overflows(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let (acme, globex) = (bench.create("acme"), bench.create("globex"));
    let level = |id, reseller, quantity| bench.event(id, reseller, Metric::TEAM_MEMBERS, quantity);
    let record =
        |batch: Vec<UsageEvent>| bench.agency.record_usage(&batch).expect("reports").outcomes;
    let overflow = rejected("quantity", Code::Overflow);
    let accepted = EventOutcome::Accepted;
    assert_eq!(record(vec![level("a", &acme, i64::MAX)]), std::slice::from_ref(&accepted));
    let batch = vec![
        level("b", &globex, 5),
        bench.event("c", &globex, Metric::MESSAGES, 3),
        level("d", &globex, 0),
        UsageEvent { at: Timestamp::from_millis(1_773_575_000_000), ..level("e", &acme, 4) },
    ];
    let expected = [overflow.clone(), accepted.clone(), accepted.clone(), accepted.clone()];
    assert_eq!(record(batch), expected, "an older level changes no total");
    assert_eq!(record(vec![level("f", &globex, 1)]), std::slice::from_ref(&overflow));
    // Events are counted in the order of their ids: a level that makes room comes before one that
    // needs it.
    let batch =
        vec![level("h", &globex, 4), level("g", &acme, i64::MAX - 4), level("i", &globex, 5)];
    assert_eq!(record(batch), [accepted.clone(), accepted.clone(), overflow]);
    let overview = bench.agency.overview().expect("reads");
    assert_eq!((overview.team_members, overview.messages), (i64::MAX, 3));
    bench.agency.delete_reseller(acme.id).expect("deletes");
    assert_eq!(record(vec![level("j", &globex, 5)]), [accepted]);
    assert_eq!(bench.agency.overview().expect("reads").team_members, 5);
}

/// S37: the first event gets the room that is left, and later ones are rejected.
pub(super) fn racing_levels_fill_a_total_once(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let resellers: Vec<_> = (0..6).map(|n| bench.create(&label(n))).collect();
    let half = i64::MAX / 2 + 1;
    let outcomes = bench.together(6, |i| {
        let level = bench.event(&format!("l-{i}"), &resellers[i], Metric::TEAM_MEMBERS, half);
        let sent = bench.event(&format!("m-{i}"), &resellers[i], Metric::MESSAGES, 1);
        bench.agency.record_usage(&[level, sent]).expect("reports").outcomes
    });
    let of = |n: usize, outcome: &EventOutcome| {
        outcomes.iter().filter(|outcomes| outcomes[n] == *outcome).count()
    };
    assert_eq!(of(0, &EventOutcome::Accepted), 1);
    assert_eq!(of(0, &rejected("quantity", Code::Overflow)), 5);
    assert_eq!(of(1, &EventOutcome::Accepted), 6, "{outcomes:?}");
    let overview = bench.agency.overview().expect("reads");
    assert_eq!((overview.team_members, overview.messages), (half, 6));
}

/// S37: an event is not rejected because of another event in the batch that is not counted in the
/// end, since a concurrent event took its id.
pub(super) fn no_rejection_rests_on_what_is_not_counted(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let (acme, globex) = (bench.create("acme"), bench.create("globex"));
    let batch = [
        bench.event("a", &acme, Metric::MESSAGES, i64::MAX),
        bench.event("b", &globex, Metric::MESSAGES, 5),
    ];
    let other = Event { quantity: 1, ..checked(&batch[0]) };
    let inserted = Barrier::new(2);
    let insert_and_wait = || {
        let mut waited = false;
        bench.write(|tx| {
            tx.insert_events(std::slice::from_ref(&other))?;
            if !std::mem::replace(&mut waited, true) {
                inserted.wait();
                // Gives the other transaction time to meet the row; its answer is right without
                // this, too.
                std::thread::sleep(Duration::from_millis(50));
            }
            Ok(())
        });
        None
    };
    let record = || {
        inserted.wait();
        Some(bench.agency.record_usage(&batch).expect("reports").outcomes)
    };
    let mut answers = bench.together(2, |i| if i == 0 { insert_and_wait() } else { record() });
    let outcomes = answers.pop().flatten().expect("the second is answered");
    assert_eq!(outcomes, [EventOutcome::Conflict, EventOutcome::Accepted]);
    assert_eq!(bench.agency.overview().expect("reads").messages, 5);
}

/// S43: 64 callers, one limit.
pub(super) fn racing_consumers_never_pass_the_limit(harness: &dyn Harness) {
    const LIMIT: i64 = 100;
    let bench = Bench::new(harness);
    let acme = bench.create("acme");
    bench.agency.set_allowance(acme.id, Metric::MESSAGES, Some(LIMIT)).expect("sets");
    let granted = bench.together(64, |i| {
        let consume = |n: usize| {
            let id = format!("c-{i}-{n}");
            let result = bench.agency.consume(acme.id, Metric::MESSAGES, 1, &id).expect("answers");
            result.granted
        };
        (0..3).filter(|n| consume(*n)).count() as i64
    });
    assert_eq!(granted.into_iter().sum::<i64>(), LIMIT);
    assert_eq!(bench.agency.overview().expect("reads").messages, LIMIT);
}

pub(super) fn a_denial_explains_itself(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let berlin = bench.platform.create_agency("berlin", Some("Europe/Berlin")).expect("creates");
    let acme = berlin.create_reseller(super::fixture::draft("acme")).expect("creates");
    let consume = |quantity, id: &str| {
        berlin.consume(acme.id, Metric::MESSAGES, quantity, id).expect("answers")
    };
    berlin.set_allowance(acme.id, Metric::MESSAGES, Some(10)).expect("sets");
    // At 2026-04-01T00:00, Berlin already has summer time.
    let resets_at = Timestamp::from_millis(1_774_994_400_000);
    let granted = Consumption {
        granted: true,
        used: 8,
        limit: Some(10),
        requested: 8,
        resets_at,
        duplicate: false,
        reason: None,
    };
    assert_eq!(consume(8, "a"), granted);
    let reason = Some(DenialReason::LimitReached);
    let denied = Consumption { granted: false, requested: 3, reason, ..granted };
    assert_eq!(consume(3, "b"), denied);
    // S44: a limit below the use so far blocks further use, and the use stays.
    berlin.set_allowance(acme.id, Metric::MESSAGES, Some(5)).expect("sets");
    let denied = consume(1, "c");
    assert_eq!((denied.granted, denied.limit, denied.used), (false, Some(5), 8));
    bench.clock.forward(resets_at.as_millis() - bench.clock.now().as_millis());
    let new_month = consume(1, "d");
    assert_eq!((new_month.granted, new_month.used), (true, 1));
    berlin.deactivate(acme.id, None).expect("deactivates");
    let denied = consume(1, "e");
    assert_eq!((denied.granted, denied.reason), (false, Some(DenialReason::Inactive)));
    assert_eq!(berlin.overview().expect("reads").messages, 9);
}

pub(super) fn a_repeated_consume_is_answered_as_before(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let (acme, globex) = (bench.create("acme"), bench.create("globex"));
    let consume = |id, quantity| bench.agency.consume(id, Metric::MESSAGES, quantity, "c-1");
    bench.agency.set_allowance(acme.id, Metric::MESSAGES, Some(2)).expect("sets");
    let first = consume(acme.id, 2).expect("answers");
    assert_eq!((first.granted, first.duplicate), (true, false));
    bench.clock.forward(1_000);
    let again = consume(acme.id, 2).expect("answers");
    assert_eq!((again.granted, again.used, again.duplicate), (true, 2, true));
    for other in [consume(acme.id, 1), consume(globex.id, 2)] {
        let refused = other.expect_err("the id is taken");
        assert_eq!(refused.kind(), ErrorKind::Validation);
        assert_eq!(
            (refused.fields()[0].field.as_str(), refused.fields()[0].code),
            ("id", Code::Taken)
        );
    }
    let gauge = bench.agency.consume(acme.id, Metric::TEAM_MEMBERS, 1, "c-2").expect_err("a gauge");
    assert_eq!(gauge.fields()[0].code, Code::NotACounter);
    let limited = bench.agency.set_allowance(acme.id, Metric::TEAM_MEMBERS, Some(1));
    assert_eq!(limited.expect_err("a gauge").fields()[0].code, Code::NotACounter);
    assert_eq!(bench.agency.overview().expect("reads").messages, 2);
}

/// Each thread's batches touch the same resellers and events, in another order.
pub(super) fn permuted_batches_never_deadlock(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let resellers: Vec<_> = (0..7).map(|n| bench.create(&label(n))).collect();
    let batches = |i: usize| {
        (0..6).map(move |round| {
            (0..21).map(move |n| (n * (i % 3 + 2) + i + round) % 21).collect::<Vec<_>>()
        })
    };
    let accepted = bench.together(8, |i| {
        let record = |batch: Vec<usize>| {
            let event =
                |n: usize| bench.event(&format!("e-{n}"), &resellers[n % 7], Metric::MESSAGES, 1);
            let own = |n: usize| {
                bench.event(
                    &format!("{i}-{n}-{}", batch[0]),
                    &resellers[n % 7],
                    Metric::ALL[n % 4],
                    1,
                )
            };
            let events: Vec<_> = batch.iter().flat_map(|n| [event(*n), own(*n)]).collect();
            bench.agency.record_usage(&events).expect("never deadlocks").outcomes
        };
        batches(i).flat_map(record).collect::<Vec<_>>()
    });
    let outcomes: Vec<_> = accepted.into_iter().flatten().collect();
    assert!(!outcomes.contains(&EventOutcome::Conflict));
    let accepted = outcomes.iter().filter(|o| **o == EventOutcome::Accepted).count() as i64;
    let counted: i64 = resellers
        .iter()
        .flat_map(|reseller| bench.read(|reads| reads.meters(reseller.id)))
        .map(|meter| meter.events)
        .sum();
    assert_eq!(counted, accepted);
}

pub(super) fn a_large_batch_is_one_step(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let acme = bench.create("acme");
    let event = |n| bench.event(&format!("e-{n:05}"), &acme, Metric::MESSAGES, 1);
    let batch: Vec<_> = (0..3_000).map(event).collect();
    assert_eq!(bench.agency.record_usage(&batch).expect("records").accepted(), 3_000);
    let again = bench.agency.record_usage(&batch).expect("records");
    assert!(again.outcomes.iter().all(|outcome| *outcome == EventOutcome::Duplicate));
    assert_eq!(bench.agency.overview().expect("reads").messages, 3_000);
}
