//! An event that is taken back leaves everything as if it had never been reported (S35).

use fastrand::Rng;

use super::Harness;
use super::fixture::{Bench, draft, label};
use crate::records;
use crate::{
    Agency, Clock, Code, ErrorKind, EventOutcome, Meter, Metric, Overview, ResellerId, Timestamp,
    UsageEvent, UsageQuery, UsageRow, Window,
};

const METRICS: [Metric; 3] = [Metric::MESSAGES, Metric::WHATSAPP_MESSAGES, Metric::TEAM_MEMBERS];
const DAY: i64 = Timestamp::DAY;

/// Two agencies with as many resellers: in one, events are taken back that the other never has.
struct Twins<'h> {
    bench: Bench<'h>,
    agencies: [Agency; 2],
    resellers: [Vec<ResellerId>; 2],
}

/// An event, told for both.
#[derive(Clone)]
struct Told {
    id: String,
    reseller: usize,
    metric: Metric,
    quantity: i64,
    at: Timestamp,
}

/// All that is known of usage, with resellers by their numbers.
type Sums = (Overview, Vec<UsageRow>, Vec<(Option<usize>, UsageRow)>, Vec<(usize, Meter)>);

impl<'h> Twins<'h> {
    fn new(harness: &'h dyn Harness) -> Self {
        let bench = Bench::new(harness);
        let other = bench.platform.create_agency("tailspin", None).expect("creates");
        let agencies = [bench.agency.clone(), other];
        let create = |which: usize| -> Vec<_> {
            let forms = (0..4).map(|n| draft(&label(4 * which + n)));
            forms.map(|form| agencies[which].create_reseller(form).expect("creates").id).collect()
        };
        let resellers = [create(0), create(1)];
        Self { bench, agencies, resellers }
    }

    fn event(&self, of: usize, told: &Told) -> UsageEvent {
        let Told { ref id, reseller, metric, quantity, at } = *told;
        let reseller = self.resellers[of][reseller];
        UsageEvent { id: id.clone(), reseller, metric, quantity, at }
    }

    fn record<'t>(&self, of: usize, events: impl IntoIterator<Item = &'t Told>) {
        let events: Vec<_> = events.into_iter().map(|told| self.event(of, told)).collect();
        for batch in events.chunks(30) {
            self.agencies[of].record_usage(batch).expect("records");
        }
    }

    fn sums(&self, of: usize) -> Sums {
        let (agency, resellers) = (&self.agencies[of], &self.resellers[of]);
        let number = |id| resellers.iter().position(|other| *other == id).expect("its own");
        let now = self.bench.clock.now().as_millis();
        let [start, end] = [now - 40 * DAY, now + DAY].map(Timestamp::from_millis);
        let query = UsageQuery {
            window: Window::Hour,
            limit: Some(10_000),
            ..UsageQuery::between(start, end)
        };
        let together = agency.usage(&query).expect("reads").rows;
        let by_reseller = UsageQuery { by_reseller: true, ..query };
        let rows = agency.usage(&by_reseller).expect("reads").rows.into_iter();
        let mut each: Vec<_> = rows
            .map(|row| (row.reseller.map(number), UsageRow { reseller: None, ..row }))
            .collect();
        each.sort_by_key(|(number, row)| (*number, row.metric, row.start));
        let mut meters = Vec::new();
        for (number, id) in resellers.iter().enumerate() {
            let read = records::read(&*self.bench.storage, agency.id(), |reads| reads.meters(*id));
            let used = read.expect("reads").into_iter().filter(|meter| meter.events > 0);
            meters.extend(used.map(|mut meter| {
                meter.key.reseller = self.resellers[0][number];
                (number, meter)
            }));
        }
        (agency.overview().expect("reads"), together, each, meters)
    }
}

/// S34, S35: events come in any order, some twice, and some are taken back, early or late, once or
/// twice, also of a reseller that is deleted.
pub(super) fn what_was_taken_back_was_never_there(harness: &dyn Harness) {
    let twins = Twins::new(harness);
    let mut rng = Rng::with_seed(35);
    let now = twins.bench.clock.now().as_millis();
    let event = |n: usize, rng: &mut Rng| Told {
        id: format!("event-{n}"),
        reseller: rng.usize(..4),
        metric: METRICS[rng.usize(..METRICS.len())],
        quantity: rng.i64(0..20),
        // Most of them in a few quarter-hours, and some at one time.
        at: Timestamp::from_millis(now - rng.i64(0..4) * 8 * DAY - rng.i64(0..3) * 400_000),
    };
    let events: Vec<_> = (0..160).map(|n| event(n, &mut rng)).collect();
    let (back, kept): (Vec<_>, Vec<_>) = events.iter().partition(|_| rng.u8(0..3) == 0);
    for (of, agency) in twins.agencies.iter().enumerate() {
        // Meters that know the present period, and take back from it, too.
        for (n, reseller) in twins.resellers[of].iter().enumerate() {
            agency.consume(*reseller, Metric::MESSAGES, 1, &format!("use-{n}")).expect("consumes");
        }
    }
    let [agency, other] = &twins.agencies;
    let (early, late) = back.split_at(back.len() / 2);
    let take_back = |told: &Told, expected| {
        assert_eq!(agency.void_event(&told.id).expect("takes back"), expected, "{}", told.id);
    };

    let mut first: Vec<_> = early.iter().chain(&kept[..kept.len() / 2]).copied().collect();
    rng.shuffle(&mut first);
    twins.record(0, first);
    early.iter().for_each(|told| take_back(told, true));
    let mut rest: Vec<_> =
        late.iter().chain(&kept[kept.len() / 2..]).chain(early).copied().collect();
    rng.shuffle(&mut rest);
    twins.record(0, rest);
    twins.record(1, kept.iter().copied());
    for of in 0..2 {
        twins.agencies[of].delete_reseller(twins.resellers[of][3]).expect("deletes");
    }
    late.iter().for_each(|told| take_back(told, true));
    back.iter().for_each(|told| take_back(told, false));
    let (found, expected) = (twins.sums(0), twins.sums(1));
    assert_eq!(found.0, expected.0);
    assert_eq!(found.1, expected.1);
    assert_eq!(found.2, expected.2);
    assert_eq!(found.3, expected.3);
    assert!(!found.3.is_empty() && other.overview().expect("reads").team_members > 0);
}

/// S35, with real concurrency: others report levels of the same quarter-hour meanwhile.
pub(super) fn events_are_taken_back_while_others_come(harness: &dyn Harness) {
    let twins = Twins::new(harness);
    let now = twins.bench.clock.now();
    let told = |thread: usize, n: usize| Told {
        id: format!("event-{thread}-{n}"),
        reseller: 0,
        metric: METRICS[n % METRICS.len()],
        quantity: (thread * 7 + n * 5) as i64 % 11,
        at: Timestamp::from_millis(now.as_millis() - (n as i64 * 37_000) % 200_000),
    };
    let is_kept = |n: usize| n % 4 > 1;
    twins.bench.together(4, |thread| {
        for n in 0..12 {
            twins.record(0, [&told(thread, n)]);
            if !is_kept(n) {
                assert!(twins.agencies[0].void_event(&told(thread, n).id).expect("takes back"));
            }
        }
    });
    let all = (0..4).flat_map(|thread| (0..12).map(move |n| (thread, n)));
    let kept: Vec<_> = all.filter(|(_, n)| is_kept(*n)).map(|(t, n)| told(t, n)).collect();
    twins.record(1, &kept);
    assert_eq!(twins.sums(0), twins.sums(1));
}

/// S35: of many who take one event back, one does it.
pub(super) fn an_event_is_taken_back_once(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let acme = bench.create("acme");
    for (id, metric) in [("a", Metric::MESSAGES), ("b", Metric::TEAM_MEMBERS)] {
        let event = bench.event(id, &acme, metric, 3);
        bench.agency.record_usage(std::slice::from_ref(&event)).expect("records");
        let taken = bench.together(6, |_| bench.agency.void_event(id).expect("takes back"));
        assert_eq!(taken.iter().filter(|taken| **taken).count(), 1);
        let again = bench.agency.record_usage(&[event]).expect("reports");
        assert_eq!(again.outcomes, [EventOutcome::Duplicate], "its id stays known");
    }
    let overview = bench.agency.overview().expect("reads");
    assert_eq!((overview.messages, overview.team_members), (0, 0));
}

/// S35: later it is too late, and what nobody reported cannot be taken back.
pub(super) fn an_event_that_is_too_old_stays(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let acme = bench.create("acme");
    let event = bench.event("a", &acme, Metric::MESSAGES, 3);
    bench.agency.record_usage(&[event]).expect("records");
    let unknown = bench.agency.void_event("b").expect_err("unknown");
    assert_eq!(unknown.kind(), ErrorKind::NotFound);
    let other = bench.platform.create_agency("tailspin", None).expect("creates");
    assert_eq!(other.void_event("a").expect_err("unknown").kind(), ErrorKind::NotFound);

    bench.clock.forward(39 * DAY + 1);
    let late = bench.agency.void_event("a").expect_err("too late");
    assert_eq!((&*late.fields()[0].field, late.fields()[0].code), ("id", Code::TooLate));
    assert_eq!(bench.agency.overview().expect("reads").messages, 3);
    bench.clock.forward(-1);
    assert!(bench.agency.void_event("a").expect("takes back"));
}
