//! The life of a reseller, through the public handles.

use super::Harness;
use super::fixture::{Bench, draft, draft_with_password, label};
use crate::changes::ChangeKind;
use crate::login_domain::LabelState;
use crate::{Agency, Code, ErrorKind, Metric, Patch, ResellerPatch, ResellerQuery, Status};

pub(super) fn codes(error: &crate::Error) -> Vec<(&str, Code)> {
    error.fields().iter().map(|field| (field.field.as_str(), field.code)).collect()
}

fn kinds(agency: &Agency) -> Vec<ChangeKind> {
    agency
        .changes(Some(0), Some(1_000))
        .expect("reads")
        .into_iter()
        .map(|change| change.kind)
        .collect()
}

/// S57: every field of the form, stored as values and read back the same.
pub(super) fn a_reseller_is_read_as_it_was_created(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let mut form = draft_with_password("acme");
    form.name = "  Société Générale d’Été 株式会社 🏢 ".into();
    form.website = Some("acme.example/über".into());
    form.external_id = Some("crm-7".into());
    form.metadata = [("tier".to_owned(), "gold \u{1F947}'\"%_\\".to_owned())].into();
    let created = bench.agency.create_reseller(form).expect("creates");
    assert_eq!(created.name.as_str(), "Société Générale d’Été 株式会社 🏢");
    assert_eq!(created.phone.as_str(), "+14155552671");
    let website = created.website.as_ref().map(|website| website.as_str());
    assert_eq!(website, Some("https://acme.example/%C3%BCber"));
    assert_eq!((created.version, created.status), (1, Status::Active));
    assert_eq!(bench.agency.reseller(created.id).expect("there"), created);
    let found = bench.agency.reseller_by_external_id("crm-7").expect("reads");
    assert_eq!(found, Some(created));
    assert_eq!(kinds(&bench.agency), [ChangeKind::AgencyCreated, ChangeKind::ResellerCreated]);
    assert_eq!(bench.agency.overview().expect("reads").active_resellers, 1);
}

/// Fields that only the store can refuse come back like other field errors, all at once.
pub(super) fn all_taken_fields_are_reported_at_once(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let mut first = draft("acme");
    first.external_id = Some("crm-7".into());
    bench.agency.create_reseller(first.clone()).expect("creates");
    first.email = "OWNER@ACME.example".into();
    let refused = bench.agency.create_reseller(first).expect_err("taken");
    let taken = |field| (field, Code::Taken);
    assert_eq!(codes(&refused), [taken("email"), taken("login_domain"), taken("external_id")]);
    let mut second = draft("globex");
    second.email = "owner@acme.example".into();
    let refused = bench.agency.create_reseller(second).expect_err("taken");
    assert_eq!(codes(&refused), [taken("email")]);
    assert_eq!(bench.label("globex"), None, "nothing was written");
    // The same email may be used in another agency.
    let other = bench.platform.create_agency("tailspin", None).expect("creates");
    let mut third = draft("initech");
    third.email = "owner@acme.example".into();
    other.create_reseller(third).expect("creates");
}

/// S3.
pub(super) fn of_many_creates_of_one_label_one_succeeds(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let results = bench.together(100, |i| {
        let mut form = draft("acme");
        form.email = format!("owner{i}@acme.example");
        bench.agency.create_reseller(form)
    });
    let (created, refused): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    assert_eq!((created.len(), refused.len()), (1, 99));
    for refused in refused {
        assert_eq!(codes(&refused.expect_err("taken")), [("login_domain", Code::Taken)]);
    }
    assert_eq!(bench.agency.overview().expect("reads").active_resellers, 1);
    let all = bench.agency.page(&ResellerQuery::all()).expect("reads");
    assert_eq!(all.resellers.len(), 1);
}

/// S22.
pub(super) fn a_stale_version_is_a_conflict(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let acme = bench.create("acme");
    let name = |name: &str| ResellerPatch { name: Some(name.into()), ..Default::default() };
    let update = |version, patch| bench.agency.update_reseller(acme.id, version, &patch);
    let second = update(Some(1), name("Second")).expect("updates");
    assert_eq!(second.version, 2);
    let conflict = update(Some(1), name("Third")).expect_err("stale");
    assert_eq!(conflict.kind(), ErrorKind::Conflict);
    assert_eq!(conflict.current_version(), Some(2));
    assert_eq!(bench.agency.reseller(acme.id).expect("there"), second);
    assert_eq!(update(None, name("Fourth")).expect("whatever it is").version, 3);
}

/// S24.
pub(super) fn a_patch_leaves_clears_and_sets(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let mut form = draft("acme");
    form.website = Some("https://acme.example".into());
    let before = bench.agency.create_reseller(form).expect("creates");
    let update = |patch| bench.agency.update_reseller(before.id, None, &patch).expect("updates");
    let unchanged = update(ResellerPatch::default());
    assert_eq!(unchanged, before, "a patch of nothing keeps the version");
    let external_id = Patch::Set("crm-9".into());
    let set = update(ResellerPatch { external_id, ..Default::default() });
    assert_eq!(set.website, before.website);
    assert_eq!(set.external_id.as_ref().map(|id| id.as_str()), Some("crm-9"));
    let cleared = update(ResellerPatch { website: Patch::Clear, ..Default::default() });
    assert_eq!((cleared.website, cleared.external_id), (None, set.external_id));
    let last = bench.agency.changes(Some(0), Some(100)).expect("reads").pop().expect("an entry");
    assert_eq!((last.kind, last.fields), (ChangeKind::ResellerUpdated, vec!["website".to_owned()]));
    let bad =
        ResellerPatch { name: Some(" ".into()), email: Some("x".into()), ..Default::default() };
    let refused = bench.agency.update_reseller(before.id, None, &bad).expect_err("refused");
    assert_eq!(codes(&refused), [("name", Code::Empty), ("email", Code::Invalid)]);
}

pub(super) fn of_many_updates_of_one_version_one_succeeds(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let acme = bench.create("acme");
    let results = bench.together(12, |i| {
        let patch = ResellerPatch { name: Some(format!("Name {i}")), ..Default::default() };
        bench.agency.update_reseller(acme.id, Some(1), &patch).map_err(|error| error.kind())
    });
    let won = results.iter().filter(|result| result.is_ok()).count();
    let lost = results.iter().filter(|result| **result == Err(ErrorKind::Conflict)).count();
    assert_eq!((won, lost), (1, 11));
    assert_eq!(bench.agency.reseller(acme.id).expect("there").version, 2);
}

/// S21.
pub(super) fn repeating_a_deactivation_changes_nothing(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let acme = bench.create("acme");
    let off = bench.agency.deactivate(acme.id, Some("nonpayment")).expect("deactivates");
    assert_eq!((off.status, off.version), (Status::Inactive, 2));
    assert_eq!(off.deactivation_reason.as_deref(), Some("nonpayment"));
    let again = bench.agency.deactivate(acme.id, Some("another")).expect("repeats");
    assert_eq!(again, off);
    assert_eq!(bench.agency.overview().expect("reads").active_resellers, 0);
    let on = bench.agency.activate(acme.id).expect("activates");
    assert_eq!((on.status, on.version, on.deactivation_reason.clone()), (Status::Active, 3, None));
    assert_eq!(bench.agency.activate(acme.id).expect("repeats"), on);
    assert_eq!(bench.agency.overview().expect("reads").active_resellers, 1);
    let expected = [
        ChangeKind::AgencyCreated,
        ChangeKind::ResellerCreated,
        ChangeKind::ResellerDeactivated,
        ChangeKind::ResellerActivated,
    ];
    assert_eq!(kinds(&bench.agency), expected);
}

/// S25, S37.
pub(super) fn deletion_leaves_nothing_but_history(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let acme = bench.agency.create_reseller(draft_with_password("acme")).expect("creates");
    let other = bench.create("globex");
    let events = [
        bench.event("a", &acme, Metric::MESSAGES, 5),
        bench.event("b", &acme, Metric::TEAM_MEMBERS, 3),
        bench.event("c", &other, Metric::TEAM_MEMBERS, 4),
    ];
    bench.agency.record_usage(&events).expect("records");
    bench.agency.acting_as("user-42").expect("an actor").delete_reseller(acme.id).expect("deletes");
    let gone = bench.agency.reseller(acme.id).expect_err("gone");
    assert_eq!(gone.kind(), ErrorKind::NotFound);
    assert_eq!(bench.read(|reads| reads.account(acme.id)), None);
    assert_eq!(bench.read(|reads| reads.meters(acme.id)), []);
    let overview = bench.agency.overview().expect("reads");
    let kept = (overview.active_resellers, overview.messages, overview.team_members);
    assert_eq!(kept, (1, 5, 4));
    let last = bench.agency.changes(Some(0), Some(100)).expect("reads").pop().expect("an entry");
    assert_eq!(last.kind, ChangeKind::ResellerDeleted);
    assert_eq!((last.version, last.actor.as_deref()), (2, Some("user-42")));
    let again = bench.agency.delete_reseller(acme.id).expect_err("gone");
    assert_eq!(again.kind(), ErrorKind::NotFound);
    let late = bench.event("d", &acme, Metric::MESSAGES, 1);
    let report = bench.agency.record_usage(&[late]).expect("reports");
    assert_eq!(
        report.outcomes,
        [crate::EventOutcome::Rejected(crate::FieldError::new("reseller", Code::UnknownReseller))]
    );
    // Its email is free, its label is not.
    let mut next = draft(&label(1));
    next.email = acme.email.to_string();
    bench.agency.create_reseller(next).expect("creates");
}

/// S7.
pub(super) fn a_deleted_label_is_quarantined(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let acme = bench.create("acme");
    bench.agency.delete_reseller(acme.id).expect("deletes");
    let tombstone = bench.label("acme").expect("a tombstone");
    assert!(matches!(tombstone.state, LabelState::Quarantined(_)));
    let refused = bench.agency.create_reseller(draft("acme")).expect_err("quarantined");
    assert_eq!(codes(&refused), [("login_domain", Code::Quarantined)]);
    assert!(bench.platform.resolve_host("acme.partner.example.com").is_err());
    bench.clock.forward(30 * 86_400_000);
    bench.create("acme");
}

/// S7.
pub(super) fn a_login_domain_is_renamed_in_one_step(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let acme = bench.create("acme");
    let globex = bench.create("globex");
    let rename = |version, label: &str| bench.agency.rename_login_domain(acme.id, version, label);
    for (label, code) in
        [("globex", Code::Taken), ("www", Code::Reserved), ("Initech", Code::Uppercase)]
    {
        let refused = rename(None, label).expect_err("refused");
        assert_eq!(codes(&refused), [("login_domain", code)]);
    }
    assert_eq!(rename(None, "acme").expect("nothing to do").version, 1);
    assert_eq!(rename(Some(7), "initech").expect_err("stale").kind(), ErrorKind::Conflict);
    assert_eq!(bench.label("initech"), None, "nothing was written");
    let stale = rename(Some(7), "acme").expect_err("stale, though there is nothing to do");
    assert_eq!((stale.kind(), stale.current_version()), (ErrorKind::Conflict, Some(1)));
    assert_eq!(rename(Some(1), "acme").expect("nothing to do").version, 1);
    let renamed = rename(Some(1), "initech").expect("renames");
    assert_eq!(
        (renamed.id, renamed.version, renamed.login_domain.as_str()),
        (acme.id, 2, "initech")
    );
    assert_eq!(bench.agency.reseller(acme.id).expect("there"), renamed);
    let place = bench.platform.resolve_host("initech.partner.example.com").expect("resolves");
    assert_eq!(place.reseller, acme.id);
    assert!(bench.platform.resolve_host("acme.partner.example.com").is_err());
    let refused =
        bench.agency.rename_login_domain(globex.id, None, "acme").expect_err("quarantined");
    assert_eq!(codes(&refused), [("login_domain", Code::Quarantined)]);
    assert_eq!(kinds(&bench.agency).last(), Some(&ChangeKind::LoginDomainChanged));
    bench.clock.forward(30 * 86_400_000);
    assert_eq!(rename(None, "acme").expect("free again").version, 3);
}

/// S3, S7: each reseller wants another's label, and all want one free label.
pub(super) fn racing_renames_leave_each_label_with_one(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let resellers: Vec<_> = (0..6).map(|n| bench.create(&label(n))).collect();
    let renamed = bench.together(6, |i| {
        let rename = |to: &str| bench.agency.rename_login_domain(resellers[i].id, None, to).is_ok();
        (rename(&label(5 - i)), rename("initech"))
    });
    let swapped = renamed.iter().filter(|(swapped, _)| *swapped).count();
    assert_eq!(swapped, 0, "what is given up is quarantined");
    assert_eq!(renamed.iter().filter(|(_, initech)| *initech).count(), 1);
    for reseller in &resellers {
        let now = bench.agency.reseller(reseller.id).expect("there").login_domain;
        let held = bench.label(now.as_str()).expect("held");
        assert_eq!(held.state, LabelState::Held(reseller.id));
    }
}

/// S6.
pub(super) fn a_label_that_cannot_be_had_comes_with_suggestions(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let acme = bench.create("acme");
    bench.create("acmeapp");
    let ask = |label: &str| bench.platform.domain_availability(label).expect("answers");
    let free = ask("globex");
    assert_eq!((free.refused, free.suggestions.len()), (None, 0));
    let taken = ask("acme");
    assert_eq!((taken.refused, taken.suggestions.len()), (Some(Code::Taken), 5));
    assert!(!taken.suggestions.contains(&"acmeapp".to_owned()));
    for label in &taken.suggestions {
        assert_eq!(ask(label).refused, None, "{label}");
    }
    bench.agency.delete_reseller(acme.id).expect("deletes");
    assert_eq!(ask("acme").refused, Some(Code::Quarantined));
    assert_eq!(ask("www").refused, Some(Code::Reserved));
    let typed = ask("Globex 24");
    assert_eq!(typed.refused, Some(Code::Uppercase));
    assert_eq!(typed.suggestions.first().map(String::as_str), Some("globex"));
    assert_eq!((ask("株式").refused, ask("株式").suggestions.len()), (Some(Code::NotAscii), 0));
    assert_eq!(ask(&"x".repeat(100_000)).suggestions.len(), 5);
}

/// S56.
pub(super) fn an_unknown_agency_is_not_found(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    for typo in ["nortwind", "Northwind", "", "_platform"] {
        let error = bench.platform.agency(typo).err().map(|error| error.kind());
        assert_eq!(error, Some(ErrorKind::NotFound), "{typo}");
    }
    let taken = bench.platform.create_agency("northwind", None).map(drop).expect_err("taken");
    assert_eq!(codes(&taken), [("id", Code::Taken)]);
    let zone =
        bench.platform.create_agency("x y", Some("Mars/Base")).map(drop).expect_err("refused");
    assert_eq!(codes(&zone), [("id", Code::Invalid), ("time_zone", Code::UnknownTimeZone)]);
}

/// S5, S55.
pub(super) fn a_host_name_leads_to_its_reseller(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let acme = bench.create("acme");
    for host in
        ["acme.partner.example.com", "ACME.Partner.Example.COM:443", "acme.partner.example.com."]
    {
        let place = bench.platform.resolve_host(host).expect("resolves");
        assert_eq!((place.agency, place.reseller), (bench.agency.id().clone(), acme.id));
        assert_eq!(place.status, Status::Active);
    }
    let url = bench.platform.login_url(&acme.login_domain);
    assert_eq!(url, "https://acme.partner.example.com");
    bench.agency.deactivate(acme.id, None).expect("deactivates");
    let place = bench.platform.resolve_host("acme.partner.example.com").expect("resolves");
    assert_eq!(place.status, Status::Inactive);
    let long = "a".repeat(10_000);
    for host in [
        "globex.partner.example.com",
        "acme.example.com",
        "acme",
        "",
        ":443",
        "acme.partner.example.com..",
        &long,
    ] {
        let error = bench.platform.resolve_host(host).expect_err("unknown");
        assert_eq!(error.to_string(), "no such host");
    }
}
