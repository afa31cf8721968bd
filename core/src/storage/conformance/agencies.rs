//! Agencies: their settings, and their end.

use super::Harness;
use super::fixture::{Bench, PASSWORD, draft, draft_with_password, label};
use super::life::codes;
use crate::storage::{Erasure, Filter};
use crate::{AgencyPatch, ChangeKind, Clock, Code, Consumption, ErrorKind, Metric, ResellerQuery};

/// S56, S4.
pub(super) fn an_agency_is_configured(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let before = bench.agency.settings().expect("there");
    assert_eq!((before.version, before.time_zone.as_str()), (1, "UTC"));
    let holder = bench.create("contoso");
    let patch = AgencyPatch {
        time_zone: Some("Asia/Tokyo".into()),
        capacity: Some([("messages".into(), 1_000), ("team_members".into(), 0)].into()),
        reserved_labels: Some(vec!["contoso".into(), "fabrikam".into()]),
    };
    let after = bench.agency.configure(Some(1), &patch).expect("configures");
    assert_eq!(bench.agency.settings().expect("there"), after);
    assert_eq!((after.version, after.time_zone.as_str()), (2, "Asia/Tokyo"));
    assert_eq!(after.capacity, [(Metric::MESSAGES, 1_000), (Metric::TEAM_MEMBERS, 0)].into());
    assert_eq!(bench.agency.configure(None, &patch).expect("changes nothing"), after);
    let stale = bench.agency.configure(Some(1), &patch).expect_err("stale");
    assert_eq!((stale.kind(), stale.current_version()), (ErrorKind::Conflict, Some(2)));
    let last = bench.agency.changes(0, 100).expect("reads").pop().expect("an entry");
    assert_eq!((last.kind, last.version), (ChangeKind::AgencyUpdated, 2));
    assert_eq!(last.fields, ["time_zone", "capacity", "reserved_labels"]);

    let reserved = [("login_domain", Code::Reserved)];
    let refused = bench.agency.create_reseller(draft("fabrikam")).expect_err("reserved");
    assert_eq!(codes(&refused), reserved);
    let renamed = bench.agency.rename_login_domain(holder.id, None, "fabrikam");
    assert_eq!(codes(&renamed.expect_err("reserved")), reserved);
    bench.platform.resolve_host("contoso.partner.example.com").expect("who has one keeps it");
    // What one agency reserves another may have.
    let other = bench.platform.create_agency("tailspin").expect("creates");
    other.create_reseller(draft("fabrikam")).expect("creates");
}

/// S6, S56.
pub(super) fn an_agency_is_advised_by_what_it_has_reserved(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    bench.create("acmehq");
    let reserved_labels = Some(vec!["acme".into(), "acmeapp".into()]);
    let patch = AgencyPatch { reserved_labels, ..Default::default() };
    bench.agency.configure(None, &patch).expect("configures");
    let ask = |label: &str| bench.agency.domain_availability(label).expect("answers");
    let acme = ask("acme");
    assert_eq!((acme.refused, acme.suggestions.len()), (Some(Code::Reserved), 5));
    for label in &acme.suggestions {
        bench.create(label);
    }
    assert_eq!(ask("acmehq").refused, Some(Code::Taken));
    assert_eq!(
        (ask("www").refused, ask("Acme").refused),
        (Some(Code::Reserved), Some(Code::Uppercase))
    );
    assert_eq!(ask("globex").refused, None);
    // The platform knows of no agency, and another agency has not reserved it.
    assert_eq!(bench.platform.domain_availability("acme").expect("answers").refused, None);
    let other = bench.platform.create_agency("tailspin").expect("creates");
    assert_eq!(other.domain_availability("acme").expect("answers").refused, None);
    bench.platform.delete_agency("tailspin").expect("deletes");
    let gone = other.domain_availability("acme").expect_err("gone");
    assert_eq!(gone.kind(), ErrorKind::NotFound);
}

/// S56.
pub(super) fn wrong_settings_are_refused_all_at_once(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let before = bench.agency.settings().expect("there");
    let bad = AgencyPatch {
        time_zone: Some("Mars/Base".into()),
        capacity: Some([("sms".into(), 1)].into()),
        reserved_labels: Some(vec!["Acme".into()]),
    };
    let refused = bench.agency.configure(None, &bad).expect_err("refused");
    let expected = [
        ("time_zone", Code::UnknownTimeZone),
        ("capacity", Code::UnknownMetric),
        ("reserved_labels", Code::Uppercase),
    ];
    assert_eq!(codes(&refused), expected);
    let capacity = Some([("messages".into(), -1)].into());
    let reserved_labels = Some(vec!["a".into(); 1_001]);
    let patch = AgencyPatch { capacity, reserved_labels, ..Default::default() };
    let refused = bench.agency.configure(None, &patch).expect_err("refused");
    let expected = [("capacity", Code::Negative), ("reserved_labels", Code::TooMany)];
    assert_eq!(codes(&refused), expected);
    assert_eq!(bench.agency.settings().expect("there"), before);
}

/// S43: a date of the calendar, not an instant, says which period was used.
pub(super) fn another_time_zone_begins_no_new_period(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let acme = bench.create("acme");
    bench.agency.set_allowance(acme.id, Metric::MESSAGES, Some(10)).expect("sets");
    bench.agency.consume(acme.id, Metric::MESSAGES, 8, "c-1").expect("granted");
    for zone in ["Pacific/Kiritimati", "America/Los_Angeles"] {
        let patch = AgencyPatch { time_zone: Some(zone.into()), ..Default::default() };
        bench.agency.configure(None, &patch).expect("configures");
        let agency = bench.platform.agency("northwind").expect("there");
        let answer = agency.consume(acme.id, Metric::MESSAGES, 3, zone).expect("answers");
        assert!(matches!(answer, Consumption::Denied(denial) if denial.used == 8), "{zone}");
    }
}

/// S56, S25, S46.
pub(super) fn a_deleted_agency_leaves_nothing_but_tombstones(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let other = bench.platform.create_agency("tailspin").expect("creates");
    let kept = other.create_reseller(draft("globex")).expect("creates");
    let acme = bench.agency.create_reseller_once("key-1", draft_with_password("acme"));
    let acme = acme.expect("creates");
    bench.create("umbrella");
    let events = [bench.event("e-1", &acme, Metric::MESSAGES, 5)];
    bench.agency.record_usage(&events).expect("records");
    let sign_in = || bench.platform.sign_in("acme", "owner@acme.example", PASSWORD);
    let access = sign_in().expect("signs in");
    let plan = bench.platform.plan_agency_deletion("northwind").expect("plans");
    assert_eq!((plan.agency.as_str(), plan.resellers), ("northwind", 2));
    assert_eq!(bench.agency.reseller(acme.id).expect("still there"), acme);

    let erased = bench.platform.delete_agency("northwind").expect("deletes");
    assert_eq!(erased, Erasure::Complete);
    only_tombstones(&bench, &events[0]);
    assert_eq!(sign_in().expect_err("denied").kind(), ErrorKind::AccessDenied);
    let stamp = bench.platform.check_access(&access.stamp).expect_err("denied");
    assert_eq!(stamp.kind(), ErrorKind::AccessDenied);
    let refused = other.create_reseller(draft("acme")).expect_err("quarantined");
    assert_eq!(codes(&refused), [("login_domain", Code::Quarantined)]);
    assert_eq!(other.reseller(kept.id).expect("untouched"), kept);

    let again = bench.platform.create_agency("northwind").expect("creates");
    assert_eq!(again.overview().expect("reads").messages, 0);
    assert_eq!(again.changes(0, 10).expect("reads").len(), 1);
    bench.clock.forward(30 * 86_400_000);
    again.create_reseller_once("key-1", draft("acme")).expect("free again, and so is the key");
}

/// The handle of before reaches nothing, and makes nothing.
fn only_tombstones(bench: &Bench<'_>, late: &crate::UsageEvent) {
    let errors = [
        bench.platform.agency("northwind").map(drop),
        bench.platform.delete_agency("northwind").map(drop),
        bench.platform.plan_agency_deletion("northwind").map(drop),
        bench.agency.create_reseller(draft("initech")).map(drop),
        bench.agency.create_resellers(&[draft("initech")]).map(drop),
        bench.agency.changes(0, 10).map(drop),
        bench.agency.settings().map(drop),
        bench.agency.page(&ResellerQuery::all()).map(drop),
        bench.agency.page(&ResellerQuery::text("acme").with_total()).map(drop),
        bench.agency.export_csv(&ResellerQuery::all(), &mut Vec::new()).map(drop),
        bench.agency.reseller_by_external_id("crm-1").map(drop),
        bench.agency.overview().map(drop),
        bench.agency.check_resellers(&[]).map(drop),
        bench.agency.record_usage(std::slice::from_ref(late)).map(drop),
        bench.agency.record_usage(&[]).map(drop),
        bench.agency.domain_availability("acme").map(drop),
        bench.agency.configure(None, &AgencyPatch::default()).map(drop),
    ]
    .map(|result| result.expect_err("gone"));
    for error in errors {
        assert_eq!(error.to_string(), "no such agency");
    }
    assert_eq!(bench.label("initech"), None);
}

/// S56: a create either is before the end, and goes with it, or finds no agency.
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
    let rows = bench.read(|reads| reads.count(&Filter::default(), 100));
    assert_eq!(rows, 0, "nothing without an agency");
    let again = bench.platform.create_agency("northwind").expect("creates");
    assert_eq!(again.overview().expect("reads").active_resellers, 0);
    let mut held = (0..32).filter_map(|n| bench.label(&label(n)));
    assert!(held.all(|row| row.state.refusal() == Code::Quarantined), "labels are tombstones");
}

/// S46.
pub(super) fn a_planned_deletion_changes_nothing(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let acme = bench.create("acme");
    let members = bench.event("e-1", &acme, Metric::TEAM_MEMBERS, 4);
    bench.agency.record_usage(&[members]).expect("records");
    let plan = bench.agency.plan_deletion(acme.id).expect("plans");
    let month = bench.clock.now().plus_millis(30 * 86_400_000);
    assert_eq!((plan.reseller, plan.login_domain.as_str()), (acme.id, "acme"));
    assert_eq!((plan.quarantined_until, plan.levels), (month, vec![(Metric::TEAM_MEMBERS, 4)]));
    assert_eq!(bench.agency.reseller(acme.id).expect("still there"), acme);
    bench.agency.delete_reseller(acme.id).expect("deletes");
    let gone = bench.agency.plan_deletion(acme.id).expect_err("gone");
    assert_eq!(gone.kind(), ErrorKind::NotFound);
}
