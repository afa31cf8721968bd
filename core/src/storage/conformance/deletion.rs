//! Deleting an agency while others use it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Harness;
use super::faulty::{FAULT, Faulty};
use super::fixture::{Bench, PASSWORD, draft, draft_with_password, label};
use super::life::codes;
use crate::error::Result;
use crate::records::{self, Reads};
use crate::reseller::IdempotencyRow;
use crate::schema::entity::Entity;
use crate::storage::memory::Memory;
use crate::storage::{Erasure, Filter, ReadWork, Scope, Storage, WriteWork};
use crate::usage::{AgencySlot, DayKey, EventId, GaugeDayKey};
use crate::{
    AgencyId, AgencyPatch, ChangeKind, Clock, Code, ErrorKind, Metric, Platform, Reseller,
    ResellerPatch, ResellerQuery,
};

/// S56, S25, S46.
pub(super) fn a_deleted_agency_leaves_nothing_but_tombstones(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let other = bench.platform.create_agency("tailspin", None).expect("creates");
    let kept = other.create_reseller(draft("globex")).expect("creates");
    let acme = bench.agency.create_reseller(draft_with_password("acme").once("key-1"));
    let acme = acme.expect("creates");
    bench.create("umbrella");
    let events = [bench.event("e-1", &acme, Metric::MESSAGES, 5)];
    bench.agency.record_usage(&events).expect("records");
    let sign_in = || bench.platform.sign_in("acme", "owner@acme.example", PASSWORD, None);
    let access = sign_in().expect("signs in");
    let plan = bench.platform.preview_agency_deletion("northwind").expect("plans");
    assert_eq!((plan.agency.as_str(), plan.resellers), ("northwind", 2));
    assert_eq!(bench.agency.reseller(acme.id).expect("still there"), acme);

    let erased = bench.platform.delete_agency("northwind").expect("deletes");
    assert_eq!(erased, Erasure::Complete);
    only_tombstones(&bench, &events[0]);
    assert_eq!(sign_in().expect_err("denied").kind(), ErrorKind::AccessDenied);
    let stamp = bench.platform.check_access(&access.stamp, None).expect_err("denied");
    assert_eq!(stamp.kind(), ErrorKind::AccessDenied);
    let refused = other.create_reseller(draft("acme")).expect_err("quarantined");
    assert_eq!(codes(&refused), [("login_domain", Code::Quarantined)]);
    assert_eq!(other.reseller(kept.id).expect("untouched"), kept);

    let again = bench.platform.create_agency("northwind", None).expect("creates");
    assert_eq!(again.overview().expect("reads").messages, 0);
    assert_eq!(again.changes(Some(0), Some(10)).expect("reads").len(), 1);
    bench.clock.forward(30 * 86_400_000);
    again.create_reseller(draft("acme").once("key-1")).expect("free again, and so is the key");
}

/// A handle from before the deletion reaches nothing and creates nothing.
fn only_tombstones(bench: &Bench<'_>, late: &crate::UsageEvent) {
    let errors = [
        bench.platform.agency("northwind").map(drop),
        bench.platform.delete_agency("northwind").map(drop),
        bench.platform.preview_agency_deletion("northwind").map(drop),
        bench.agency.create_reseller(draft("initech")).map(drop),
        bench.agency.create_resellers(&[draft("initech")]).map(drop),
        bench.agency.changes(Some(0), Some(10)).map(drop),
        bench.agency.settings().map(drop),
        bench.agency.page(&ResellerQuery::all()).map(drop),
        bench.agency.page(&ResellerQuery::text("acme").with_total()).map(drop),
        bench.agency.export_csv(&ResellerQuery::all(), &mut Vec::new()).map(drop),
        bench.agency.reseller_by_external_id("crm-1").map(drop),
        bench.agency.overview().map(drop),
        bench.agency.check_resellers(&[]).map(drop),
        bench.agency.record_usage(std::slice::from_ref(late)).map(drop),
        bench.agency.record_usage(&[] as &[crate::UsageEvent]).map(drop),
        bench.agency.domain_availability("acme").map(drop),
        bench.agency.configure(None, &AgencyPatch::default()).map(drop),
    ]
    .map(|result| result.expect_err("gone"));
    for error in errors {
        assert_eq!(error.to_string(), "no such agency");
    }
    assert_eq!(bench.label("initech"), None);
}

/// S56.
pub(super) fn of_many_that_need_an_agency_one_creates_it(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let ensured = bench.together(8, |_| {
        let agency = bench.platform.ensure_agency("tailspin", Some("Europe/Berlin"))?;
        agency.settings().map(|settings| (settings.version, settings.time_zone))
    });
    for settings in ensured {
        assert_eq!(settings.expect("there for each"), (1, "Europe/Berlin".to_owned()));
    }
    let there = bench.platform.ensure_agency("tailspin", None).expect("there");
    assert_eq!(there.settings().expect("reads").time_zone, "Europe/Berlin", "as it was");
    assert_eq!(there.changes(Some(0), Some(10)).expect("reads").len(), 1, "created once");
    let both = [("id", Code::Invalid), ("time_zone", Code::UnknownTimeZone)];
    for (id, zone, expected) in [("x y", "Mars/Base", &both[..]), ("tailspin", "", &both[1..])] {
        let refused = bench.platform.ensure_agency(id, Some(zone)).map(drop).expect_err("refused");
        assert_eq!(codes(&refused), expected);
    }
}

/// S56: a caller that needs an agency which others delete gets a complete one or an error.
pub(super) fn who_needs_a_deleted_agency_has_another_or_is_told(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let results = bench.together(6, |i| {
        (0..4).try_for_each(|_| match i {
            0 | 1 => match bench.platform.delete_agency("tailspin") {
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
                deleted => deleted.map(drop),
            },
            _ => match bench.platform.ensure_agency("tailspin", None) {
                Err(error) if codes(&error) == [("id", Code::Taken)] => Ok(()),
                ensured => ensured.map(|agency| assert_eq!(agency.id().as_str(), "tailspin")),
            },
        })
    });
    for result in results {
        result.expect("nothing else");
    }
    let agency = bench.platform.ensure_agency("tailspin", None).expect("nobody is in the way now");
    let changes = agency.changes(Some(0), Some(10)).expect("reads");
    assert_eq!(
        changes.iter().map(|change| change.kind).collect::<Vec<_>>(),
        [ChangeKind::AgencyCreated]
    );
    agency.create_reseller(draft("acme")).expect("creates");
}

/// A store with an agency that no reader finds and whose id is still taken, as during its deletion.
struct Deleted(Arc<dyn Storage>, Memory);

impl Storage for Deleted {
    fn read(&self, agency: &AgencyId, work: &mut ReadWork<'_>) -> Result<()> {
        self.1.read(agency, work)
    }

    fn write(&self, agency: &AgencyId, scope: Scope, work: &mut WriteWork<'_>) -> Result<()> {
        self.0.write(agency, scope, work)
    }
}

/// S56: there is no handle on an agency that is being deleted.
pub(super) fn an_agency_that_is_being_deleted_is_not_answered(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let storage = Deleted(bench.storage.clone(), Memory::new());
    let platform = Platform::builder().open_storage(Arc::new(storage)).expect("opens");
    let refused = platform.ensure_agency("northwind", None).map(drop).expect_err("not yet");
    assert_eq!(codes(&refused), [("id", Code::Taken)]);
}

/// S56: a create either comes before the agency's end, and its row is deleted with it, or finds no
/// agency.
pub(super) fn no_create_outlives_its_agency(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let results = bench.together(9, |i| {
        if i == 8 {
            return bench.platform.delete_agency("northwind").map(drop);
        }
        (0..4).try_for_each(|n| bench.agency.create_reseller(draft(&label(i * 4 + n))).map(drop))
    });
    for (i, result) in results.into_iter().enumerate() {
        let kind = result.err().map(|error| error.kind());
        assert!(kind.is_none_or(|kind| kind == ErrorKind::NotFound && i < 8), "{i}: {kind:?}");
    }
    nothing_is_left(&bench, &[]);
    let again = bench.platform.create_agency("northwind", None).expect("creates");
    assert_eq!(again.overview().expect("reads").active_resellers, 0);
    let mut held = (0..32).filter_map(|n| bench.label(&label(n)));
    assert!(held.all(|row| row.state.refusal() == Code::Quarantined), "labels are tombstones");
}

/// No row of the agency is left, for any reader.
fn nothing_is_left(bench: &Bench<'_>, resellers: &[Reseller]) {
    let day = bench.clock.now().utc_day();
    let left = |reads: &mut Reads<'_>| {
        let mut left = vec![("agencies", u64::from(reads.agency()?.is_some()))];
        left.push(("resellers", reads.count(&Filter::all(bench.agency.id().clone()), 1_000)?));
        left.push(("changes", reads.changes(0, 1_000)?.len() as u64));
        left.push(("keys", u64::from(reads.one::<IdempotencyRow>(&"key-1".to_owned())?.is_some())));
        let slots = reads.of_agency(AgencySlot::TABLE, 10_000);
        left.push(("slots", reads.ask(records::scan::<AgencySlot>(slots))?.len() as u64));
        let totals = reads.totals(&["active_resellers", "messages", "team_members"])?;
        left.push(("totals", totals.into_iter().map(i64::unsigned_abs).sum()));
        for (n, reseller) in resellers.iter().enumerate() {
            let event = EventId::parse(&format!("e-{n}")).expect("an id");
            left.push(("events", reads.events(&[event])?.into_iter().flatten().count() as u64));
            let meters = reads.meters(reseller.id)?;
            let days: Vec<_> =
                meters.iter().map(|meter| DayKey { day, meter: meter.key }).collect();
            left.push(("meters", meters.len() as u64));
            left.push(("days", reads.counter_days(&days)?.into_iter().flatten().count() as u64));
            let days: Vec<_> =
                meters.iter().map(|meter| GaugeDayKey { meter: meter.key, day }).collect();
            left.push(("levels", reads.gauge_days(&days)?.into_iter().flatten().count() as u64));
            left.push(("accounts", u64::from(reads.account(reseller.id)?.is_some())));
        }
        Ok(left)
    };
    let left = records::read_unheld(&*bench.storage, bench.agency.id(), left).expect("reads");
    assert!(left.iter().all(|(_, rows)| *rows == 0), "{left:?}");
}

/// S64, S25: from the first step on nobody finds the agency, whatever interrupts its erasure, and
/// upkeep or another call continues it.
pub(super) fn a_deletion_that_is_cut_short_goes_on(harness: &dyn Harness) {
    const RESELLERS: usize = 5;
    let bench = Bench::new(harness);
    for call in 1.. {
        let create = |n| match n {
            0 => bench.agency.create_reseller(draft_with_password(&label(call * 5)).once("key-1")),
            n => bench.agency.create_reseller(draft(&label(call * 5 + n))),
        };
        let all: Vec<_> = (0..RESELLERS).map(|n| create(n).expect("creates")).collect();
        let event = |(n, of)| bench.event(&format!("e-{n}"), of, Metric::ALL[n % 4], 3);
        let events: Vec<_> = all.iter().enumerate().map(event).collect();
        bench.agency.record_usage(&events).expect("records");
        let (label, email) = (all[0].login_domain.as_str(), all[0].email.as_str());
        bench.platform.sign_in(label, email, "wrong", None).expect_err("denied");

        let faulty = Arc::new(Faulty::new(bench.storage.clone()));
        let builder = Platform::builder().clock(bench.clock.clone());
        let platform = builder.open_storage(faulty.clone()).expect("opens");
        faulty.fail_at(call as u32);
        let deleted = platform.delete_agency("northwind");
        let open = bench.platform.agency("northwind").is_ok();
        if !faulty.has_failed() {
            deleted.expect("deletes");
        } else {
            assert_eq!(deleted.expect_err("not swallowed").to_string(), FAULT, "call {call}");
        }
        if open {
            assert_eq!(bench.agency.overview().expect("whole").active_resellers, 5, "call {call}");
            bench.platform.delete_agency("northwind").expect("deletes");
        } else {
            gone_for_everybody(&bench, &all[0]);
            // In the smallest steps, or at once.
            if call % 2 == 0 {
                while !bench.platform.maintain(Some(2)).expect("maintains").finished {}
            } else if faulty.has_failed() {
                bench.platform.delete_agency("northwind").expect("goes on");
            }
        }
        nothing_is_left(&bench, &all);
        assert_eq!(bench.failures_of(&all[0]), 0, "call {call}");
        let labels =
            all.iter().map(|of| bench.label(of.login_domain.as_str()).expect("a tombstone"));
        labels.for_each(|row| assert_eq!(row.state.refusal(), Code::Quarantined, "call {call}"));
        let again = bench.platform.create_agency("northwind", None).expect("creates");
        assert_eq!(again.changes(Some(0), Some(10)).expect("reads").len(), 1);
        if !faulty.has_failed() {
            assert!(call > 10, "it makes calls that can fail");
            return;
        }
    }
}

/// The answers about an agency that is closed, but not erased yet.
fn gone_for_everybody(bench: &Bench<'_>, acme: &Reseller) {
    let missing = |result: Result<()>| {
        assert_eq!(result.expect_err("gone").kind(), ErrorKind::NotFound);
    };
    missing(bench.platform.agency("northwind").map(drop));
    missing(bench.platform.preview_agency_deletion("northwind").map(drop));
    let host = format!("{}.partner.example.com", acme.login_domain);
    missing(bench.platform.resolve_host(&host).map(drop));
    missing(bench.agency.reseller(acme.id).map(drop));
    missing(bench.agency.page(&ResellerQuery::all()).map(drop));
    missing(bench.agency.overview().map(drop));
    missing(bench.agency.changes(Some(0), Some(10)).map(drop));
    missing(bench.agency.create_reseller(draft("initech")).map(drop));
    missing(bench.agency.deactivate(acme.id, None).map(drop));
    missing(bench.agency.consume(acme.id, Metric::MESSAGES, 1, "late").map(drop));
    missing(bench.agency.record_usage(&[bench.event("e", acme, Metric::MESSAGES, 1)]).map(drop));
    assert!(!bench.platform.agencies(None, Some(10)).expect("lists").contains(bench.agency.id()));
    let sign_in =
        bench.platform.sign_in(acme.login_domain.as_str(), acme.email.as_str(), PASSWORD, None);
    assert_eq!(sign_in.expect_err("denied").kind(), ErrorKind::AccessDenied);
}

/// S19, S51, S64: upkeep in the middle of an erasure does not touch a new agency that has got the
/// id meanwhile.
pub(super) fn upkeep_erases_no_agency_that_has_the_id_by_now(harness: &dyn Harness) {
    let bench = Bench::with(harness, |builder| builder.sign_in_limit(2));
    (0..3).for_each(|n| drop(bench.create(&label(n))));
    let faulty = Arc::new(Faulty::new(bench.storage.clone()));
    let builder = Platform::builder().clock(bench.clock.clone()).sign_in_limit(2);
    let upkeep = builder.clone().open_storage(faulty.clone()).expect("opens");
    upkeep.agencies(None, Some(1)).expect("is prepared");
    // Closed, and one of its resellers erased.
    for call in 1.. {
        faulty.fail_at(call);
        drop(upkeep.delete_agency("northwind"));
        faulty.fail_at(0);
        if bench.platform.agency("northwind").is_err() {
            break;
        }
    }
    while upkeep.maintain(Some(1)).expect("maintains").removed == 0 {}
    bench.platform.delete_agency("northwind").expect("goes on");
    let again = bench.platform.create_agency("northwind", None).expect("creates");
    let acme = again.create_reseller(draft_with_password("umbrella")).expect("creates");
    let sign_in = |password| {
        let email = acme.email.as_str();
        bench.platform.sign_in("umbrella", email, password, None).map(drop).map_err(|e| e.kind())
    };
    let denied = Err(ErrorKind::AccessDenied);
    assert_eq!([sign_in("x"), sign_in("y"), sign_in(PASSWORD)], [denied; 3]);
    while !upkeep.maintain(Some(2)).expect("maintains").finished {}
    assert_eq!(sign_in(PASSWORD), denied, "the stop stands");
    assert_eq!(again.reseller(acme.id).expect("there"), acme);
}

/// S56, S25, S26: an event either comes before the agency's end, and is deleted with it, or finds
/// no agency.
pub(super) fn no_use_outlives_its_agency(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    for round in 0..8 {
        let id = AgencyId::parse(&format!("tailspin-{round}")).expect("an id");
        let agency = bench.platform.create_agency(id.as_str(), None).expect("creates");
        let acme = agency.create_reseller(draft(&label(round))).expect("creates");
        let ended = AtomicBool::new(false);
        let use_it = |i: usize, n: usize| match i {
            0 => agency.consume(acme.id, Metric::MESSAGES, 1, &format!("c-{n}")).map(drop),
            1 => {
                let events = [bench.event(&format!("e-{n}"), &acme, Metric::TEAM_MEMBERS, 1)];
                agency.record_usage(&events).map(drop)
            }
            2 => {
                let name = Some(format!("Name {n}"));
                let patch = ResellerPatch { name, ..ResellerPatch::default() };
                agency.update_reseller(acme.id, None, &patch).map(drop)
            }
            _ => agency.set_allowance(acme.id, Metric::MESSAGES, Some(n as i64)),
        };
        bench.together(5, |i| {
            if i == 4 {
                bench.platform.delete_agency(id.as_str()).expect("deletes");
                return ended.store(true, Ordering::SeqCst);
            }
            let mut n = 0;
            loop {
                let after = ended.load(Ordering::SeqCst);
                match use_it(i, n).map_err(|error| error.kind()) {
                    Err(ErrorKind::NotFound) => return,
                    used => assert!(used.is_ok() && !after, "{i}: {used:?} after {after}"),
                }
                n += 1;
            }
        });
        let again = bench.platform.create_agency(id.as_str(), None).expect("creates");
        assert_eq!(
            again.changes(Some(0), Some(1_000)).expect("reads").len(),
            1,
            "a feed of its own"
        );
        assert_eq!(again.overview().expect("reads"), crate::Overview::default());
    }
}

/// S46.
pub(super) fn a_planned_deletion_changes_nothing(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let acme = bench.create("acme");
    let members = bench.event("e-1", &acme, Metric::TEAM_MEMBERS, 4);
    bench.agency.record_usage(&[members]).expect("records");
    let plan = bench.agency.preview_deletion(acme.id).expect("plans");
    let month = bench.clock.now().plus_millis(30 * 86_400_000);
    assert_eq!((plan.reseller, plan.login_domain.as_str()), (acme.id, "acme"));
    assert_eq!((plan.quarantined_until, plan.levels), (month, vec![(Metric::TEAM_MEMBERS, 4)]));
    assert_eq!(bench.agency.reseller(acme.id).expect("still there"), acme);
    bench.agency.delete_reseller(acme.id).expect("deletes");
    let gone = bench.agency.preview_deletion(acme.id).expect_err("gone");
    assert_eq!(gone.kind(), ErrorKind::NotFound);
}
