//! What is read of usage is what the events add up to, however it is divided (S36–S39).

use std::collections::BTreeSet;

use fastrand::Rng;

use super::Harness;
use super::fixture::{Bench, label};
use crate::MetricKind;
use crate::usage::windows_in;
use crate::{
    Clock, Metric, Overview, Period, ResellerId, Timestamp, TopReseller, UsageEvent, UsageQuery,
    UsageRow, Window,
};

/// Zones with another offset than full hours, with summer time of half an hour, and with days of 23
/// and 25 hours.
const ZONES: [&str; 5] =
    ["UTC", "Asia/Kathmandu", "Australia/Lord_Howe", "America/New_York", "Europe/Berlin"];
const METRICS: [Metric; 3] = [Metric::MESSAGES, Metric::WHATSAPP_MESSAGES, Metric::TEAM_MEMBERS];
const QUARTER_HOUR: i64 = Timestamp::QUARTER_HOUR;
const DAY: i64 = Timestamp::DAY;

/// Resellers, and everything that they have reported, in two seasons in which clocks are changed.
struct Reported<'h> {
    bench: Bench<'h>,
    rng: Rng,
    resellers: Vec<ResellerId>,
    erased: ResellerId,
    events: Vec<UsageEvent>,
}

impl<'h> Reported<'h> {
    fn new(harness: &'h dyn Harness) -> Self {
        let bench = Bench::new(harness);
        let mut resellers: Vec<_> = (0..12).map(|n| bench.create(&label(n)).id).collect();
        resellers.sort();
        let mut of = Self {
            erased: resellers[5],
            bench,
            rng: Rng::with_seed(36),
            resellers,
            events: Vec::new(),
        };
        for now in ["2026-04-10T00:00:00Z", "2026-11-05T00:00:00Z"] {
            of.bench.clock.forward(at(now).as_millis() - of.now());
            of.report();
        }
        of.bench.agency.delete_reseller(of.erased).expect("deletes");
        of
    }

    fn now(&self) -> i64 {
        self.bench.clock.now().as_millis()
    }

    /// Reports events of the 35 days before now, in any order, and some of them once more.
    fn report(&mut self) {
        let first = self.events.len();
        for n in first..first + 150 {
            // Half of them on a few days, so that many resellers have the same ones.
            let days = if self.rng.bool() { self.rng.i64(0..3) } else { self.rng.i64(0..34) };
            let into = self.rng.i64(0..DAY);
            self.events.push(UsageEvent {
                id: format!("event-{n}"),
                reseller: self.resellers[self.rng.usize(..self.resellers.len())],
                metric: METRICS[self.rng.usize(..METRICS.len())],
                quantity: self.rng.i64(0..50),
                at: Timestamp::from_millis(self.now() - 35 * DAY + days * DAY + into),
            });
        }
        let mut reported = self.events[first..].to_vec();
        self.rng.shuffle(&mut reported);
        reported.extend_from_within(..20);
        for batch in reported.chunks(60) {
            self.bench.agency.record_usage(batch).expect("records");
        }
    }

    /// A range in both seasons or between them, not too long for the window.
    fn range(&mut self, window: Window) -> Period {
        let most = match window {
            Window::Hour => 3 * DAY,
            Window::Day => 40 * DAY,
            _ => 250 * DAY,
        };
        let quarters = self.rng.i64(0..=most / QUARTER_HOUR);
        let last = self.now() + DAY - quarters * QUARTER_HOUR;
        let first = at("2026-03-01T00:00:00Z").as_millis();
        let start = self.rng.i64(first / QUARTER_HOUR..=last / QUARTER_HOUR) * QUARTER_HOUR;
        let start = Timestamp::from_millis(start);
        Period { start, end: start.plus_millis(quarters * QUARTER_HOUR) }
    }

    fn query(&mut self) -> UsageQuery {
        let windows = [Window::Whole, Window::Hour, Window::Day, Window::Week, Window::Month];
        let window = windows[self.rng.usize(..windows.len())];
        let range = self.range(window);
        let by_reseller = self.rng.bool();
        let (is_named, named) = (self.rng.u8(0..3) == 0, self.rng.usize(0..6));
        UsageQuery {
            window,
            time_zone: Some(ZONES[self.rng.usize(..ZONES.len())].to_owned()),
            metrics: Some(METRICS[self.rng.usize(0..3)..].to_vec()),
            resellers: is_named
                .then(|| self.rng.choose_multiple(self.resellers.iter().copied(), named)),
            by_reseller,
            // By the hour and by the reseller, most rows would be empty.
            fill: self.rng.bool() && !(by_reseller && window == Window::Hour),
            limit: Some(self.rng.u32(20..=1_000)),
            ..UsageQuery::between(range.start, range.end)
        }
    }

    /// All pages of the answer.
    fn read(&self, mut query: UsageQuery) -> Vec<UsageRow> {
        let mut rows = Vec::new();
        loop {
            let page = self.bench.agency.usage(&query).expect("reads");
            assert!(page.rows.len() <= query.limit.expect("a limit") as usize);
            rows.extend(page.rows);
            match page.next {
                Some(next) => query.after = Some(next),
                None => return rows,
            }
        }
    }

    /// The events of some resellers in a window; of an erased one, only those of counters.
    fn within(
        &self,
        resellers: &[ResellerId],
        metric: Metric,
        window: &Period,
    ) -> Vec<&UsageEvent> {
        let is_there = |event: &UsageEvent| {
            event.reseller != self.erased || metric.kind() == MetricKind::Counter
        };
        let of = |event: &&UsageEvent| {
            event.metric == metric && resellers.contains(&event.reseller) && is_there(event)
        };
        self.events.iter().filter(of).filter(|event| window.contains(event.at)).collect()
    }

    /// A counter's sum, or the sum of the latest levels before the end.
    fn value(&self, resellers: &[ResellerId], metric: Metric, window: &Period) -> i64 {
        if metric.kind() == MetricKind::Counter {
            return self.within(resellers, metric, window).iter().map(|event| event.quantity).sum();
        }
        let ever = Period { start: at("2026-01-01T00:00:00Z"), ..*window };
        let level = |reseller: &ResellerId| {
            let before = self.within(&[*reseller], metric, &ever).into_iter();
            before.max_by_key(|event| (event.at, &event.id)).map_or(0, |event| event.quantity)
        };
        resellers.iter().map(level).sum()
    }

    /// What the answer has to be, from the events themselves.
    fn expected(&self, query: &UsageQuery) -> Vec<UsageRow> {
        let range = Period { start: query.start.expect("set"), end: query.end.expect("set") };
        let windows = windows_in(range, query.window, query.time_zone.as_deref().expect("set"));
        let named: Option<BTreeSet<_>> = query.resellers.clone().map(BTreeSet::from_iter);
        let all = named.clone().map_or(self.resellers.clone(), Vec::from_iter);
        let mut metrics = query.metrics.clone().expect("set");
        metrics.sort();
        let groups: Vec<Vec<ResellerId>> = match query.by_reseller {
            true => all.iter().map(|reseller| vec![*reseller]).collect(),
            false => vec![all],
        };
        let mut rows = Vec::new();
        for group in groups {
            let is_known = named.is_some() || !query.by_reseller || {
                let any = |metric: &Metric| !self.within(&group, *metric, &range).is_empty();
                metrics.iter().any(any) || self.has_gauge(&group, &metrics)
            };
            for &metric in &metrics {
                for &window in &windows {
                    let events = self.within(&group, metric, &window);
                    if events.is_empty() && !(query.fill && is_known) {
                        continue;
                    }
                    let levels = query.by_reseller && metric.kind() == MetricKind::Gauge;
                    let levels = events.iter().filter(|_| levels).map(|event| event.quantity);
                    rows.push(UsageRow {
                        start: window.start,
                        end: window.end,
                        metric,
                        reseller: query.by_reseller.then(|| group[0]),
                        value: self.value(&group, metric, &window),
                        events: events.len() as u64,
                        min: levels.clone().min(),
                        max: levels.max(),
                    });
                }
            }
        }
        rows
    }

    /// Whether a reseller has ever reported a level, and still exists.
    fn has_gauge(&self, group: &[ResellerId], metrics: &[Metric]) -> bool {
        let ever = Period { start: at("2026-01-01T00:00:00Z"), end: at("2027-01-01T00:00:00Z") };
        metrics.contains(&Metric::TEAM_MEMBERS)
            && !self.within(group, Metric::TEAM_MEMBERS, &ever).is_empty()
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

/// S36, S37, S38: any range, any division, any zone, whoever is asked for, page after page.
pub(super) fn windows_are_what_the_events_add_up_to(harness: &dyn Harness) {
    let mut reported = Reported::new(harness);
    for _ in 0..40 {
        let query = reported.query();
        let (read, expected) = (reported.read(query.clone()), reported.expected(&query));
        for (read, expected) in read.iter().zip(&expected) {
            assert_eq!(read, expected, "of {query:?}");
        }
        assert_eq!(read.len(), expected.len(), "of {query:?}");
    }
}

/// S39: a period's overview.
pub(super) fn a_period_has_an_overview(harness: &dyn Harness) {
    let mut reported = Reported::new(harness);
    for _ in 0..20 {
        let period = reported.range(Window::Whole);
        let is_over = period.end.as_millis() <= reported.now();
        let now = Period { end: at("2027-01-01T00:00:00Z"), ..period };
        let of = |metric| reported.value(&reported.resellers, metric, &period);
        let of_gauge = |period| reported.value(&reported.resellers, Metric::TEAM_MEMBERS, period);
        let expected = Overview {
            active_resellers: 11,
            messages: of(Metric::MESSAGES),
            whatsapp_messages: of(Metric::WHATSAPP_MESSAGES),
            whatsapp_conversations: 0,
            team_members: of_gauge(if is_over { &period } else { &now }),
        };
        let agency = &reported.bench.agency;
        let overview = agency.overview_between(period.start, period.end).expect("reads");
        assert_eq!(overview, expected, "of {period:?}");
    }
}

/// S36: the largest use first.
pub(super) fn resellers_are_ranked(harness: &dyn Harness) {
    let mut reported = Reported::new(harness);
    for n in 0..20 {
        let period = reported.range(Window::Whole);
        let metric = METRICS[n % METRICS.len()];
        let used = reported.resellers.iter().map(|&reseller| TopReseller {
            reseller,
            value: reported.value(&[reseller], metric, &period),
        });
        let mut expected: Vec<_> = used.filter(|of| of.value > 0).collect();
        expected.sort_by_key(|of| (-of.value, of.reseller));
        expected.truncate(n + 1);
        let agency = &reported.bench.agency;
        let top = agency.top_resellers(metric, period.start, period.end, n as u32 + 1);
        assert_eq!(top.expect("reads"), expected, "of {metric:?} in {period:?}");
    }
}

/// S37: levels that are too large together only in the past can be read, as the largest number.
pub(super) fn levels_that_once_were_too_large_can_be_read(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let now = bench.clock.now();
    let past = Timestamp::from_millis(now.as_millis() - 5 * DAY - now.as_millis() % DAY);
    for label in ["acme", "globex"] {
        let present = bench.event(label, &bench.create(label), Metric::TEAM_MEMBERS, 1);
        let id = format!("{label}-late");
        let late = UsageEvent { id, quantity: i64::MAX, at: past, ..present.clone() };
        let report = bench.agency.record_usage(&[present, late]).expect("records");
        assert_eq!(report.accepted(), 2);
    }
    let end = past.plus_millis(DAY);
    let rows = bench.agency.usage(&UsageQuery::between(past, end)).expect("reads").rows;
    assert_eq!(rows.iter().map(|row| row.value).collect::<Vec<_>>(), [i64::MAX]);
    let overview = bench.agency.overview_between(past, end).expect("reads");
    assert_eq!(overview.team_members, i64::MAX);
    assert_eq!(bench.agency.overview().expect("reads").team_members, 2);
}
