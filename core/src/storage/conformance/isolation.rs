//! Nothing reaches from one agency into another: each method has its cross-agency twin.

mod operations;
mod subject;

use operations::CALLS;
use subject::{NEW_PASSWORD, Subject};

use super::Harness;
use super::fixture::{Bench, PASSWORD, draft, draft_with_password, id, label, new_reseller, row};
use crate::error::{ErrorKind, Result};
use crate::login_domain::LabelState;
use crate::records::{self, Insert};
use crate::reseller::{IdempotencyRow, Lookup};
use crate::storage::{Filter, Lock, PageSpec, Scope};
use crate::usage::{CounterDay, DayKey, Event, EventId, Meter, MeterKey, Metric, TotalDelta};
use crate::{Agency, AgencyId, Clock, Reseller, ResellerPatch};

/// An agency with a reseller and a row of every kind, and another agency that tries to reach it.
struct Neighbours<'h> {
    bench: Bench<'h>,
    acme: Reseller,
    event: Event,
    other: Agency,
}

fn neighbours(harness: &dyn Harness) -> Neighbours<'_> {
    let bench = Bench::new(harness);
    let mut draft = draft_with_password("acme");
    draft.external_id = Some("crm-7".into());
    let acme = bench.agency.create_reseller(draft.once("key-1")).expect("creates");
    let usage = bench.event("e-1", &acme, Metric::MESSAGES, 3);
    bench.agency.record_usage(&[usage]).expect("records");
    let other = bench.platform.create_agency("tailspin", None).expect("creates");
    let id = EventId::parse("e-1").expect("an id");
    let (reseller, metric, at) = (acme.id, Metric::MESSAGES, bench.clock.now());
    let event = Event { id, reseller, metric, quantity: 3, at, voided: false };
    Neighbours { bench, acme, event, other }
}

pub(super) fn no_read_reaches_another_agency(harness: &dyn Harness) {
    let Neighbours { bench, acme, event, other } = neighbours(harness);
    let external = acme.external_id.clone().expect("has one");
    records::read(&*bench.storage, other.id(), |reads| {
        let everybody = Filter::all(other.id().clone());
        assert_eq!(reads.agency()?.map(|row| row.settings.agency), Some(other.id().clone()));
        assert_eq!(reads.resellers(&[acme.id])?, [None]);
        let lookups = [Lookup::Email(acme.email.clone()), Lookup::ExternalId(external.clone())];
        assert_eq!(reads.find(&lookups)?, [None, None]);
        assert_eq!(reads.count(&everybody, 10)?, 0);
        assert_eq!(reads.one::<IdempotencyRow>(&"key-1".to_owned())?, None);
        assert_eq!(reads.account(acme.id)?, None);
        let (filter, order) = (everybody, "created_at");
        let page = PageSpec { filter, order, descending: true, after: None, limit: 10 };
        assert_eq!(reads.page(&page)?, []);
        assert_eq!(reads.events(std::slice::from_ref(&event.id))?, [None]);
        assert_eq!(reads.meters(acme.id)?, []);
        assert_eq!(reads.counter_days(&[DayKey::of(&event)])?, [None]);
        assert_eq!(reads.totals(&["messages", "active_resellers"])?, [0, 0]);
        Ok(())
    })
    .expect("reads");
    let kinds: Vec<_> =
        other.changes(Some(0), Some(100)).expect("reads").iter().map(|c| c.reseller).collect();
    assert_eq!(kinds, [None], "only its own creation");
}

/// What operations answer about a reseller: each one that names a reseller, by the list of
/// operations, and some in other words, for which another rule might answer first.
fn operations(agency: &Agency, of: &Subject) -> Vec<(&'static str, String)> {
    let (id, new) = (of.id, NEW_PASSWORD);
    let patch = ResellerPatch { name: Some("Theirs".into()), ..ResellerPatch::default() };
    let wrong = ResellerPatch { name: Some(" ".into()), ..ResellerPatch::default() };
    let mut answers: Vec<_> = CALLS.iter().map(|(name, call)| (*name, call(agency, of))).collect();
    answers.extend([
        ("a stale update", told(agency.update_reseller(id, Some(7), &patch))),
        ("a wrong update", told(agency.update_reseller(id, None, &wrong))),
        ("a rename to its own", told(agency.rename_login_domain(id, None, "acme"))),
        ("a rename to a reserved", told(agency.rename_login_domain(id, None, "www"))),
        ("a wrong password", told(agency.set_password(id, "short", "shirt"))),
        ("a wrong current", told(agency.change_password(id, "guessed", new, new))),
        ("no limit", told(agency.set_allowance(id, Metric::MESSAGES, None))),
        ("a new event", told(agency.consume(id, Metric::MESSAGES, 1, "e-2"))),
    ]);
    answers
}

fn told<T: std::fmt::Debug>(result: Result<T>) -> String {
    match result {
        Ok(answer) => format!("{answer:?}"),
        Err(error) => format!("{:?}: {error} {:?}", error.kind(), error.fields()),
    }
}

/// S26: every operation answers exactly as if the record did not exist, and leaves it alone.
pub(super) fn no_operation_reaches_another_agency(harness: &dyn Harness) {
    let Neighbours { bench, acme, other, .. } = neighbours(harness);
    let sign_in = || bench.platform.sign_in("acme", acme.email.as_str(), PASSWORD, None);
    let stamp = sign_in().expect("signs in").stamp;
    let feed = bench.agency.changes(Some(0), Some(100)).expect("reads");
    let computed = bench.platform.hash_computations();
    let at = bench.clock.now();
    let nobody = Subject { id: id(99), external_id: "crm-99".into(), event: "e-99".into(), at };
    let neighbour = Subject { id: acme.id, external_id: "crm-7".into(), event: "e-1".into(), at };
    let unknown = operations(&other, &nobody);
    assert_eq!(operations(&other, &neighbour), unknown);
    assert_eq!(
        bench.platform.hash_computations(),
        computed,
        "nothing was hashed, which takes time"
    );
    for (operation, told) in unknown {
        // What is no error says as clearly that there is no such reseller.
        let expected = match operation {
            "backfill" | "record_usage" => "UnknownReseller",
            "reseller_by_external_id" => "None",
            "usage" => "rows: []",
            "void_event" => "NotFound: no such event",
            _ => "NotFound: no such reseller",
        };
        assert!(told.contains(expected), "{operation}: {told}");
    }
    assert_eq!(bench.agency.reseller(acme.id).expect("there"), acme);
    bench.platform.check_access(&stamp, None).expect("still valid");
    sign_in().expect("the password is the same");
    assert_eq!(bench.agency.changes(Some(0), Some(100)).expect("reads"), feed);
    assert_eq!(bench.agency.overview().expect("reads").messages, 3);

    // Unique values of one agency are free in another, and unknown to it.
    let create = |key, label| told(other.create_reseller(draft_with_password(label).once(key)));
    assert_eq!(create("key-1", "acme"), create("key-2", "acme"), "no reseller of the key's");
    let mut globex = draft("globex");
    globex.external_id = Some("crm-7".into());
    globex.email = acme.email.to_string();
    other.create_reseller(globex.once("key-1")).expect("a key of its own");

    // What is refused next door is not refused for what it says: its own agency may do it.
    for (n, (operation, call)) in CALLS.iter().enumerate() {
        let (external_id, event) = (format!("own-{n}"), format!("own-e-{n}"));
        let mut draft = draft(&label(n));
        draft.external_id = Some(external_id.clone());
        let own = bench.agency.create_reseller(draft).expect("creates");
        // Only what takes events back wants an event that is there already.
        let is_there = *operation == "void_event";
        let id = if is_there { event.clone() } else { format!("used-{n}") };
        let used = bench.event(&id, &own, Metric::MESSAGES, 1);
        bench.agency.record_usage(&[used]).expect("records");
        let id = own.id;
        let own = call(&bench.agency, &Subject { id, external_id, event, at });
        let unknown = call(&bench.agency, &nobody);
        assert_ne!(own, unknown, "{operation}");
        assert!(!own.starts_with("Validation"), "{operation}: {own}");
    }
}

pub(super) fn no_lock_reaches_another_agency(harness: &dyn Harness) {
    let Neighbours { bench, acme, event, other } = neighbours(harness);
    let meter = DayKey::of(&event).meter;
    records::write(&*bench.storage, other.id(), Scope::Join, |tx| {
        let locked = tx.lock_agency(Lock::NoKeyUpdate)?.map(|row| row.settings.agency);
        assert_eq!(locked, Some(other.id().clone()));
        assert_eq!(tx.lock_resellers(&[acme.id], Lock::Update)?, [None]);
        assert_eq!(tx.lock_resellers(&[acme.id], Lock::Share)?, [None]);
        Ok(())
    })
    .expect("writes");
    // The agency has a reseller of its own, so that a meter can be created; it does not see the
    // neighbour's meter.
    let own = row(other.id(), 5);
    let (key, day) = (own.reseller().id, event.at.utc_day());
    records::write(&*bench.storage, other.id(), Scope::Join, |tx| {
        assert_eq!(tx.insert_resellers(std::slice::from_ref(&own))?, [true]);
        let mine = MeterKey { reseller: key, metric: meter.metric };
        let (meters, days) =
            tx.lock_usage(&[mine], &[DayKey { day, meter: mine }, DayKey::of(&event)])?;
        assert_eq!((meters, days), (vec![Meter::new(mine)], Vec::<CounterDay>::new()));
        Ok(())
    })
    .expect("writes");
    assert_eq!(bench.agency.reseller(acme.id).expect("there"), acme);
}

pub(super) fn no_write_reaches_another_agency(harness: &dyn Harness) {
    let Neighbours { bench, acme, event, other } = neighbours(harness);
    let mut same_keys = row(other.id(), 6).into_reseller();
    (same_keys.id, same_keys.email) = (acme.id, acme.email.clone());
    let same_keys = new_reseller(same_keys);
    records::write(&*bench.storage, other.id(), Scope::Join, |tx| {
        // Values that are unique within an agency may be used by another one, too.
        assert_eq!(tx.insert_resellers(std::slice::from_ref(&same_keys))?, [true]);
        let twin = Event { quantity: 9, ..event.clone() };
        assert_eq!(tx.insert_events(&[twin])?, [Insert::Done]);
        tx.add_totals(&[TotalDelta { name: "messages", add: 9 }])?;
        let (mut meters, _) = tx.lock_usage(&[DayKey::of(&event).meter], &[])?;
        meters[0].value = 9;
        let mut day = CounterDay::new(DayKey::of(&event));
        day.sum = 9;
        tx.put_usage(&meters, &[day])
    })
    .expect("writes");
    let elsewhere = row(bench.agency.id(), 7);
    let refused = records::write(&*bench.storage, other.id(), Scope::Join, |tx| {
        tx.insert_resellers(std::slice::from_ref(&elsewhere)).map(drop)
    });
    assert_eq!(refused.expect_err("another agency's").kind(), ErrorKind::Storage);
    let before = bench.agency.reseller(acme.id).expect("there");
    assert_eq!(before, acme);
    bench.read(|reads| {
        assert_eq!(reads.events(std::slice::from_ref(&event.id))?, [Some(event.clone())]);
        assert_eq!(reads.totals(&["messages"])?, [3]);
        assert_eq!(reads.meters(acme.id)?[0].value, 3);
        let day = reads.counter_days(&[DayKey::of(&event)])?.pop().flatten();
        assert_eq!(day.map(|day| day.sum), Some(3));
        Ok(())
    });
    records::write(&*bench.storage, other.id(), Scope::Join, |tx| {
        tx.erase_resellers(&[acme.id])?;
        tx.follow(0, 100)?;
        Ok(())
    })
    .expect("writes");
    assert!(bench.read(|reads| reads.account(acme.id)).is_some(), "erased next door only");
    assert_eq!(bench.read(|reads| reads.meters(acme.id)).len(), 1);
    let held = bench.label("acme").expect("held");
    assert_eq!((held.agency, held.state), (bench.agency.id().clone(), LabelState::Held(acme.id)));
}

pub(super) fn agencies_are_listed_in_order(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    for id in ["tailspin", "adventure-works", "contoso"] {
        bench.platform.create_agency(id, None).expect("creates");
    }
    let list = |after: Option<&str>, limit| {
        let after = after.map(|id| AgencyId::parse(id).expect("an id"));
        let ids = crate::agency::agencies(&*bench.storage, after.as_ref(), limit).expect("reads");
        ids.iter().map(|row| row.settings.agency.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(list(None, 10), ["adventure-works", "contoso", "northwind", "tailspin"]);
    assert_eq!(list(Some("contoso"), 1), ["northwind"]);
    assert_eq!(list(Some("tailspin"), 10), [""; 0]);
}
