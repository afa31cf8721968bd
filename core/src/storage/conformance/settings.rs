//! An agency's settings.

use super::Harness;
use super::fixture::{Bench, draft};
use super::life::codes;
use crate::{AgencyPatch, ChangeKind, Code, ErrorKind, Metric};

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
    let last = bench.agency.changes(Some(0), Some(100)).expect("reads").pop().expect("an entry");
    assert_eq!((last.kind, last.version), (ChangeKind::AgencyUpdated, 2));
    assert_eq!(last.fields, ["time_zone", "capacity", "reserved_labels"]);

    let reserved = [("login_domain", Code::Reserved)];
    let refused = bench.agency.create_reseller(draft("fabrikam")).expect_err("reserved");
    assert_eq!(codes(&refused), reserved);
    let renamed = bench.agency.rename_login_domain(holder.id, None, "fabrikam");
    assert_eq!(codes(&renamed.expect_err("reserved")), reserved);
    bench.platform.resolve_host("contoso.partner.example.com").expect("who has one keeps it");
    // Another agency may use a label that this one has reserved.
    let other = bench.platform.create_agency("tailspin", None).expect("creates");
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
    // The platform's answer ignores agencies, and another agency has not reserved the label.
    assert_eq!(bench.platform.domain_availability("acme").expect("answers").refused, None);
    let other = bench.platform.create_agency("tailspin", None).expect("creates");
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

/// S43: the period of a use is decided by the calendar date, not by an instant.
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
        assert_eq!((answer.granted, answer.used), (false, 8), "{zone}");
    }
}
