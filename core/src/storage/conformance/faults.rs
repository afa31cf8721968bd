//! With a fault at any call of the storage, an operation happens completely or not at all.

use std::sync::Arc;

use super::Harness;
use super::faulty::{FAULT, Faulty};
use super::fixture::{Bench, draft, draft_with_password};
use crate::access::Credentials;
use crate::agency::{AgencyPatch, AgencySettings};
use crate::changes::Change;
use crate::login_domain::LabelRow;
use crate::reseller::IdempotencyRow;
use crate::usage::{AgencySlot, CounterDay, DayKey, Event, EventId, Meter, Overview};
use crate::{Agency, Metric, Platform, Reseller, ResellerId, ResellerPatch, ResellerQuery, Result};

/// All rows of an agency, as text.
#[derive(Debug, PartialEq)]
struct State {
    resellers: Vec<Reseller>,
    accounts: Vec<Option<(Reseller, Credentials)>>,
    labels: Vec<Option<LabelRow>>,
    settings: AgencySettings,
    idempotency_key: Option<IdempotencyRow>,
    events: Vec<Option<Event>>,
    meters: Vec<Meter>,
    days: Vec<Option<CounterDay>>,
    slots: Vec<AgencySlot>,
    overview: Overview,
    changes: Vec<Change>,
}

const LABELS: [&str; 6] = ["acme", "globex", "initech", "fabrikam", "proseware", "wingtip"];

fn state(bench: &Bench<'_>, watched: ResellerId) -> State {
    let page = bench.agency.page(&ResellerQuery::all().limit(200)).expect("reads");
    let events: Vec<_> =
        ["e-1", "e-2", "c-1"].iter().map(|id| EventId::parse(id).expect("an id")).collect();
    let day = |metric| DayKey {
        day: crate::Clock::now(&*bench.clock).utc_day(),
        meter: crate::MeterKey { reseller: watched, metric },
    };
    let days: Vec<_> = Metric::ALL.into_iter().map(day).collect();
    let ids: Vec<_> = page.resellers.iter().map(|reseller| reseller.id).collect();
    let slots = bench.agency_slots();
    let (accounts, events, meters, days) = bench.read(|reads| {
        let accounts = ids.iter().map(|id| reads.account(*id)).collect::<Result<_>>()?;
        Ok((accounts, reads.events(&events)?, reads.meters(watched)?, reads.counter_days(&days)?))
    });
    State {
        resellers: page.resellers,
        accounts,
        labels: LABELS.iter().map(|label| bench.label(label)).collect(),
        settings: bench.agency.settings().expect("there"),
        idempotency_key: bench.read(|reads| reads.one::<IdempotencyRow>(&"key-1".to_owned())),
        events,
        meters,
        days,
        slots,
        overview: bench.agency.overview().expect("reads"),
        changes: bench.agency.changes(Some(0), Some(1_000)).expect("reads"),
    }
}

/// One operation of the public handles.
type Operation = (&'static str, fn(&Bench<'_>, &Platform, &Agency, &Reseller) -> Result<()>);

/// Operations each of which changes something when it succeeds.
const OPERATIONS: &[Operation] = &[
    ("create", |_, _, agency, _| agency.create_reseller(draft("globex")).map(drop)),
    ("create once", |_, _, agency, _| {
        agency.create_reseller(draft("fabrikam").once("key-1")).map(drop)
    }),
    ("create many", |_, _, agency, _| {
        let drafts = [draft("proseware"), draft("wingtip")];
        agency.create_resellers(&drafts).map(drop)
    }),
    ("configure", |_, _, agency, _| {
        let patch = AgencyPatch { time_zone: Some("Asia/Tokyo".into()), ..Default::default() };
        agency.configure(None, &patch).map(drop)
    }),
    ("change the partner type", |_, _, agency, acme| {
        agency.change_partner_type(acme.id, None, "commission").map(drop)
    }),
    ("update", |_, _, agency, acme| {
        let email = Some("new@acme.example".into());
        let patch = ResellerPatch { email, name: Some("Acme II".into()), ..Default::default() };
        agency.update_reseller(acme.id, Some(acme.version), &patch).map(drop)
    }),
    ("deactivate", |_, _, agency, acme| agency.deactivate(acme.id, Some("nonpayment")).map(drop)),
    ("activate", |_, _, agency, acme| agency.activate(acme.id).map(drop)),
    ("record", |bench, _, agency, acme| {
        let messages = bench.event("e-1", acme, Metric::MESSAGES, 3);
        let members = bench.event("e-2", acme, Metric::TEAM_MEMBERS, 4);
        agency.record_usage(&[messages, members]).map(drop)
    }),
    ("consume", |_, _, agency, acme| agency.consume(acme.id, Metric::MESSAGES, 2, "c-1").map(drop)),
    ("set a password", |_, _, agency, acme| {
        let password = "another teal walrus 95 umbrella";
        agency.set_password(acme.id, password, password)
    }),
    ("revoke", |_, _, agency, acme| agency.revoke_access(acme.id)),
    ("rename", |_, _, agency, acme| agency.rename_login_domain(acme.id, None, "initech").map(drop)),
    ("allowance", |_, _, agency, acme| agency.set_allowance(acme.id, Metric::MESSAGES, Some(10))),
    ("create an agency", |_, platform, _, _| platform.create_agency("tailspin", None).map(drop)),
    ("delete", |_, _, agency, acme| agency.delete_reseller(acme.id).map(drop)),
    ("delete an agency", |_, platform, _, _| platform.delete_agency("tailspin").map(drop)),
];

pub(super) fn a_fault_at_any_call_leaves_all_or_nothing(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let created = bench.agency.create_reseller(draft_with_password("acme")).expect("creates");
    for (name, operation) in OPERATIONS {
        let acme = bench.agency.reseller(created.id).unwrap_or_else(|_| created.clone());
        let before = state(&bench, acme.id);
        let mut call = 1;
        while fails_at(&bench, call, operation, &acme, name) {
            assert_eq!(state(&bench, acme.id), before, "{name}, fault at call {call}");
            call += 1;
        }
        assert!(call > 3, "{name} makes calls that can fail");
        let tailspin = bench.platform.agency("tailspin").is_ok();
        match *name {
            "create an agency" => assert!(tailspin, "was created when no call failed"),
            "delete an agency" => assert!(!tailspin, "was deleted when no call failed"),
            _ => assert_ne!(state(&bench, acme.id), before, "{name} had an effect"),
        }
    }
}

/// Runs the operation with a fault at the n-th call; `false` if it ended before that call.
fn fails_at(
    bench: &Bench<'_>,
    call: u32,
    operation: &fn(&Bench<'_>, &Platform, &Agency, &Reseller) -> Result<()>,
    acme: &Reseller,
    name: &str,
) -> bool {
    let faulty = Arc::new(Faulty::new(bench.storage.clone()));
    let builder = Platform::builder().clock(bench.clock.clone());
    let platform = builder.open_storage(faulty.clone()).expect("opens");
    let agency = platform.agency("northwind").expect("there");
    faulty.fail_at(call);
    let result = operation(bench, &platform, &agency, acme);
    if faulty.has_failed() {
        let error = result.expect_err("a fault is not swallowed");
        assert_eq!(error.to_string(), FAULT, "{name}");
        return true;
    }
    result.expect("succeeds without a fault");
    false
}
