//! What is stored of usage is what it is made of, and a number that is not is named.

use fastrand::Rng;

use super::Harness;
use super::fixture::{Bench, label};
use crate::schema::entity::Entity;
use crate::usage::{
    AgencySlot, AgencySlotKey, CounterDay, DayKey, Event, EventId, GaugeDay, GaugeDayKey, Meter,
    MeterKey, Portions, TotalRow, WHOLE_DAY,
};
use crate::{
    Clock, Metric, ResellerId, Timestamp, UsageDifference, UsageEvent, UsageField,
    UsageVerification,
};

const METRICS: [Metric; 3] = [Metric::MESSAGES, Metric::WHATSAPP_MESSAGES, Metric::TEAM_MEMBERS];
const DAY: i64 = Timestamp::DAY;
/// So small that a few rows need many of them.
const SMALL: Portions = Portions { page: 3, slots: 2, meters: 5 };

impl Bench<'_> {
    /// Verifies in small portions and in large ones, which find the same.
    fn verified(&self) -> UsageVerification {
        let found = self.agency.verify_usage().expect("verifies");
        let tenant = &self.agency.tenant;
        assert_eq!(tenant.verify_usage_by(SMALL).expect("verifies"), found);
        found
    }

    fn is_right(&self) -> UsageVerification {
        let found = self.verified();
        assert_eq!((found.found, &found.differences[..]), (0, [].as_slice()));
        found
    }

    /// What is found while a row is another one.
    fn falsified<E: Entity + Clone + Send + Sync + 'static>(
        &self,
        key: &E::Key,
        change: impl Fn(&mut E),
    ) -> Vec<UsageDifference>
    where
        E::Key: Sync,
    {
        let right = self.read(|reads| reads.one::<E>(key)).expect("is stored");
        let mut wrong = right.clone();
        change(&mut wrong);
        self.write(|tx| tx.put(std::slice::from_ref(&wrong)));
        let found = self.verified();
        self.write(|tx| tx.put(std::slice::from_ref(&right)));
        self.is_right();
        assert_eq!(found.found, found.differences.len() as u64);
        found.differences
    }

    /// What is found while a row is missing.
    fn lost<E: Entity + Clone + Send + Sync + 'static>(&self, key: &E::Key) -> Vec<UsageDifference>
    where
        E::Key: Clone + Sync,
    {
        let row = self.read(|reads| reads.one::<E>(key)).expect("is stored");
        self.write(|tx| tx.delete::<E>(std::slice::from_ref(key)));
        let found = self.verified();
        self.write(|tx| tx.put(std::slice::from_ref(&row)));
        self.is_right();
        found.differences
    }
}

/// Some use of two resellers on two days, of which one reseller was deleted.
struct Used<'h> {
    bench: Bench<'h>,
    acme: ResellerId,
    today: i32,
    slot: u8,
}

impl<'h> Used<'h> {
    fn new(harness: &'h dyn Harness) -> Self {
        let bench = Bench::new(harness);
        let (acme, globex) = (bench.create("acme"), bench.create("globex"));
        let now = bench.clock.now();
        for (n, reseller) in [&acme, &globex].into_iter().enumerate() {
            for (of, metric) in METRICS.into_iter().enumerate() {
                let event = |back: i64| UsageEvent {
                    id: format!("event-{n}-{of}-{back}"),
                    at: now.plus_millis(-back),
                    ..bench.event("", reseller, metric, 5 + back % 7)
                };
                let events = [0, 60_000, 3 * 3_600_000, DAY].map(event);
                bench.agency.record_usage(&events).expect("records");
            }
        }
        bench.agency.consume(acme.id, Metric::MESSAGES, 2, "consumed").expect("consumes");
        bench.agency.delete_reseller(globex.id).expect("deletes");
        let used = Self { bench, acme: acme.id, today: now.utc_day(), slot: now.quarter_hour() };
        let verification = used.bench.is_right();
        assert_eq!(verification.events, 25);
        assert!(verification.sums > 0);
        used
    }

    fn meter(&self, metric: Metric) -> MeterKey {
        MeterKey { reseller: self.acme, metric }
    }

    fn counter_day(&self) -> DayKey {
        DayKey { day: self.today, meter: self.meter(Metric::MESSAGES) }
    }

    fn gauge_day(&self) -> GaugeDayKey {
        GaugeDayKey { meter: self.meter(Metric::TEAM_MEMBERS), day: self.today }
    }
}

/// Whose number differs, of which hours, which one, and by how much.
type Found = (Option<ResellerId>, Metric, Option<i64>, UsageField, i64);

/// Differences, the time as its length in minutes.
fn told(differences: &[UsageDifference]) -> Vec<Found> {
    let tell = |of: &UsageDifference| {
        let minutes = of.start.zip(of.end);
        let minutes = minutes.map(|(start, end)| (end.as_millis() - start.as_millis()) / 60_000);
        (of.reseller, of.metric, minutes, of.field, of.stored - of.expected)
    };
    differences.iter().map(tell).collect()
}

const QUARTER_HOUR: Option<i64> = Some(15);
const WHOLE: Option<i64> = Some(24 * 60);

/// S37: a total, a day, an agency's sum, a gauge.
pub(super) fn a_falsified_number_is_named(harness: &dyn Harness) {
    let used = Used::new(harness);
    let (bench, acme) = (&used.bench, Some(used.acme));
    let (messages, seats) = (Metric::MESSAGES, Metric::TEAM_MEMBERS);
    let (value, events) = (UsageField::Value, UsageField::Events);

    for metric in [messages, seats] {
        let name = metric.slug().to_owned();
        let found = bench.falsified::<TotalRow>(&name, |total| total.value += 3);
        assert_eq!(told(&found), [(None, metric, None, value, 3)]);
    }

    let key = used.meter(messages);
    let found = bench.falsified::<Meter>(&key, |meter| meter.value -= 1);
    assert_eq!(told(&found), [(acme, messages, None, value, -1)]);
    let found = bench.falsified::<Meter>(&key, |meter| meter.events += 1);
    assert_eq!(told(&found), [(acme, messages, None, events, 1)]);
    let found = bench.falsified::<Meter>(&key, |meter| meter.period_used += 4);
    assert_eq!(told(&found), [(acme, messages, Some(31 * 24 * 60), value, 4)]);

    let found = bench.falsified::<CounterDay>(&used.counter_day(), |day| day.sum += 9);
    let day = (acme, messages, WHOLE, value, 9);
    let (all, month) =
        ((acme, messages, None, value, -9), (acme, messages, Some(31 * 24 * 60), value, -9));
    assert_eq!(told(&found), [day, day, all, month], "by its slots, by its events, by the meter");
    let start = found[0].start.expect("of a day");
    assert_eq!(start, Timestamp::midnight_of(used.today));
    let found = bench.falsified::<CounterDay>(&used.counter_day(), |day| {
        day.slots.get_mut(&used.slot).expect("is used").sum -= 1;
    });
    let slots = [
        (acme, messages, WHOLE, value, 1),
        (None, messages, QUARTER_HOUR, value, 1),
        (None, messages, WHOLE, value, 1),
        (acme, messages, QUARTER_HOUR, value, -1),
    ];
    assert_eq!(told(&found), slots);

    for (slot, length) in [(used.slot, QUARTER_HOUR), (WHOLE_DAY, WHOLE)] {
        let key = AgencySlotKey { day: used.today - 1, metric: messages, slot };
        let found = bench.falsified::<AgencySlot>(&key, |slot| slot.events -= 1);
        assert_eq!(told(&found), [(None, messages, length, events, -1)]);
        let mut of_total = vec![(None, messages, length, value, 1)];
        let found = bench.falsified::<AgencySlot>(&key, |slot| slot.sum += 1);
        if slot == WHOLE_DAY {
            of_total.push((None, messages, None, value, -1));
        }
        assert_eq!(told(&found), of_total);
    }

    a_falsified_gauge_is_named(&used);
}

fn a_falsified_gauge_is_named(used: &Used<'_>) {
    let (bench, acme, seats) = (&used.bench, Some(used.acme), Metric::TEAM_MEMBERS);
    let (value, events) = (UsageField::Value, UsageField::Events);
    let latest_at = UsageField::LatestAt;
    let slot = |change: fn(&mut crate::GaugeSlot)| {
        move |day: &mut GaugeDay| change(day.slots.get_mut(&used.slot).expect("is used"))
    };
    let key = used.gauge_day();
    for (change, field, by) in [
        ((|slot| slot.min -= 2) as fn(&mut crate::GaugeSlot), UsageField::Min, -2),
        (|slot| slot.max += 2, UsageField::Max, 2),
    ] {
        let found = bench.falsified::<GaugeDay>(&key, slot(change));
        assert_eq!(told(&found), [(acme, seats, QUARTER_HOUR, field, by)]);
    }
    let found = bench.falsified::<GaugeDay>(&key, slot(|slot| slot.last += 2));
    let meter = (acme, seats, None, value, -2);
    assert_eq!(told(&found), [(acme, seats, QUARTER_HOUR, value, 2), meter]);
    let found = bench.falsified::<GaugeDay>(&key, slot(|slot| slot.events += 1));
    let meter = (acme, seats, None, events, -1);
    assert_eq!(told(&found), [(acme, seats, QUARTER_HOUR, events, 1), meter]);
    let found = bench.falsified::<GaugeDay>(&key, slot(|slot| slot.last_event = "x".into()));
    let meter = (acme, seats, None, latest_at, 0);
    assert_eq!(told(&found), [(acme, seats, QUARTER_HOUR, latest_at, 0), meter]);

    let key = used.meter(seats);
    let found = bench.falsified::<Meter>(&key, |meter| meter.value += 1);
    assert_eq!(told(&found), [(acme, seats, None, value, 1), (None, seats, None, value, -1)]);
    let later = |meter: &mut Meter| meter.last_at = meter.last_at.plus_millis(7);
    let found = bench.falsified::<Meter>(&key, later);
    assert_eq!(told(&found), [(acme, seats, None, latest_at, 7)]);
}

/// S37: what is missing is a difference, too.
pub(super) fn a_lost_row_is_named(harness: &dyn Harness) {
    let used = Used::new(harness);
    let (bench, acme) = (&used.bench, Some(used.acme));
    let of = |found: Vec<UsageDifference>, reseller, metric| {
        assert!(!found.is_empty());
        assert!(found.iter().all(|of| of.metric == metric), "{found:?}");
        assert!(found.iter().any(|of| of.reseller == reseller), "{found:?}");
    };
    of(bench.lost::<CounterDay>(&used.counter_day()), acme, Metric::MESSAGES);
    of(bench.lost::<GaugeDay>(&used.gauge_day()), acme, Metric::TEAM_MEMBERS);
    of(bench.lost::<Meter>(&used.meter(Metric::MESSAGES)), acme, Metric::MESSAGES);
    of(bench.lost::<TotalRow>(&"messages".to_owned()), None, Metric::MESSAGES);
    let key = AgencySlotKey { day: used.today, metric: Metric::MESSAGES, slot: WHOLE_DAY };
    of(bench.lost::<AgencySlot>(&key), None, Metric::MESSAGES);
    let event = EventId::parse("event-0-1-0").expect("an id");
    of(bench.lost::<Event>(&event), acme, Metric::WHATSAPP_MESSAGES);

    // An event that was taken back is counted by nobody.
    bench.agency.void_event("event-0-2-0").expect("takes back");
    bench.is_right();
    let back = EventId::parse("event-0-2-0").expect("an id");
    let found = bench.falsified::<Event>(&back, |event| event.voided = false);
    of(found, acme, Metric::TEAM_MEMBERS);
}

/// S34, S35, S37: in any order, some twice, some taken back, some by backfill, some of resellers that are
/// deleted, and with old events removed.
pub(super) fn what_is_recorded_in_any_way_is_right(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let mut rng = Rng::with_seed(37);
    let mut resellers: Vec<_> = (0..8).map(|n| bench.create(&label(n))).collect();
    let mut ids: Vec<String> = Vec::new();
    for round in 0..6 {
        let now = bench.clock.now();
        let some = |rng: &mut Rng, n: usize, first: i64, last: i64| {
            let reseller = &resellers[rng.usize(..resellers.len())];
            let metric = METRICS[rng.usize(..METRICS.len())];
            let at = now.plus_millis(-rng.i64(first..last));
            let id = format!("event-{round}-{n}");
            UsageEvent { id, at, ..bench.event("", reseller, metric, rng.i64(0..9)) }
        };
        let mut events: Vec<_> = (0..70)
            .map(|n| {
                let last = if n % 2 == 0 { 2 * DAY } else { 35 * DAY };
                some(&mut rng, n, 0, last)
            })
            .collect();
        ids.extend(events.iter().map(|event| event.id.clone()));
        events.extend_from_within(..20);
        rng.shuffle(&mut events);
        for batch in events.chunks(25) {
            bench.agency.record_usage(batch).expect("records");
        }
        let old: Vec<_> = (0..10).map(|n| some(&mut rng, n, 35 * DAY + 1, 400 * DAY)).collect();
        bench.agency.backfill(&old).expect("backfills");
        let of = resellers[rng.usize(..resellers.len())].id;
        bench.agency.consume(of, Metric::MESSAGES, 1, &format!("use-{round}")).expect("consumes");
        for _ in 0..15 {
            // Some are too late, or not known any more.
            let _ = bench.agency.void_event(&ids[rng.usize(..ids.len())]);
        }
        if round % 2 == 1 {
            let erased = resellers.remove(rng.usize(..resellers.len()));
            bench.agency.delete_reseller(erased.id).expect("deletes");
        }
        let verification = bench.is_right();
        assert!(verification.events > 0 && verification.sums > 0);
        bench.clock.forward(rng.i64(1..12) * DAY + rng.i64(0..DAY));
        while !bench.platform.maintain(Some(1_000)).expect("maintains").finished {}
        bench.is_right();
    }
}

/// With real concurrency: nobody is told of what is half counted.
pub(super) fn what_is_recorded_meanwhile_is_no_difference(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let resellers: Vec<_> = (0..3).map(|n| bench.create(&label(n))).collect();
    bench.together(3, |thread| {
        for n in 0..10_usize {
            if thread == 0 {
                let tenant = &bench.agency.tenant;
                let found = tenant.verify_usage_by(SMALL).expect("verifies");
                assert_eq!((found.found, &found.differences[..]), (0, [].as_slice()));
                continue;
            }
            let event = |of: usize| {
                let id = format!("event-{thread}-{n}-{of}");
                let at = bench.clock.now().plus_millis(-((n * of) as i64) * 20_000_000);
                let metric = METRICS[(n + of) % METRICS.len()];
                UsageEvent { id, at, ..bench.event("", &resellers[of], metric, n as i64) }
            };
            bench.agency.record_usage(&[0, 1, 2].map(event)).expect("records");
            if n % 3 == 0 {
                bench.agency.void_event(&event(n % 2).id).expect("takes back");
            }
        }
    });
    assert!(bench.is_right().events > 30);
}

/// What cannot be compared with events any more is compared with itself: a day with the agency's.
pub(super) fn pruned_days_agree_with_themselves(harness: &dyn Harness) {
    let used = Used::new(harness);
    let bench = &used.bench;
    bench.clock.forward(41 * DAY);
    while !bench.platform.maintain(Some(1_000)).expect("maintains").finished {}
    assert_eq!(bench.is_right().events, 0);
    let (acme, messages) = (Some(used.acme), Metric::MESSAGES);
    let found = bench.falsified::<CounterDay>(&used.counter_day(), |day| {
        day.sum += 1;
        day.slots.get_mut(&used.slot).expect("is used").sum += 1;
    });
    let value = UsageField::Value;
    let expected = [
        (None, messages, QUARTER_HOUR, value, -1),
        (None, messages, WHOLE, value, -1),
        (acme, messages, None, value, -1),
        (acme, messages, Some(31 * 24 * 60), value, -1),
    ];
    assert_eq!(told(&found), expected);
}
