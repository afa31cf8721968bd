//! Resellers of an earlier system: they are imported as they were.

use super::Harness;
use super::fixture::{Bench, draft, label};
use crate::{
    Agency, Code, ErrorKind, ImportOptions, PlatformBuilder, Reseller, ResellerDraft,
    ResellerQuery, SortBy, Status, Timestamp,
};

/// The reference implementation's test vector for the password `password`, which is cheaper than
/// the floor.
const HASH: &str =
    "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";

const YEAR: i64 = 365 * 86_400_000;

/// The time that many years before the bench's clock.
fn years_ago(bench: &Bench<'_>, years: i64) -> Timestamp {
    Timestamp::from_millis(crate::Clock::now(&*bench.clock).as_millis() - years * YEAR)
}

fn names(agency: &Agency, query: &ResellerQuery) -> Vec<String> {
    let page = agency.page(query).expect("reads");
    page.resellers.iter().map(|reseller| reseller.login_domain.to_string()).collect()
}

pub(super) fn a_reseller_moves_in_as_it_was(harness: &dyn Harness) {
    let bench = Bench::with(harness, |builder: PlatformBuilder| builder.hashing(1, 0));
    let joined = years_ago(&bench, 3);
    let form = ResellerDraft {
        invite: false,
        password_hash: Some(HASH.into()),
        status: Some("inactive".into()),
        deactivation_reason: Some("nonpayment".into()),
        created_at: Some(joined),
        ..draft("acme")
    };
    let acme = bench.agency.create_reseller(form.clone().once("key-1")).expect("creates");
    let now = crate::Clock::now(&*bench.clock);
    let is_as_it_was = |acme: &Reseller| {
        acme.status == Status::Inactive
            && acme.deactivation_reason.as_deref() == Some("nonpayment")
            && (acme.version, acme.created_at, acme.updated_at) == (1, joined, now)
    };
    assert!(is_as_it_was(&acme), "{acme:?}");
    assert_eq!(bench.agency.reseller(acme.id).expect("reads"), acme);
    // The key counts as used now, not at the time when the reseller joined.
    assert_eq!(bench.agency.create_reseller(form.once("key-1")).expect("replays"), acme);

    assert_eq!(bench.agency.overview().expect("reads").active_resellers, 0);
    let sign_in = || bench.platform.sign_in("acme", "owner@acme.example", "password", None);
    assert_eq!(sign_in().expect_err("switched off").kind(), ErrorKind::AccessDenied);
    bench.agency.activate(acme.id).expect("activates");
    assert_eq!(bench.agency.overview().expect("reads").active_resellers, 1);
    assert_eq!(sign_in().expect("signs in").reseller.created_at, joined);
    bench.agency.deactivate(acme.id, None).expect("deactivates");
    bench.agency.delete_reseller(acme.id).expect("deletes");
    assert_eq!(bench.agency.overview().expect("reads").active_resellers, 0);
}

pub(super) fn what_no_reseller_can_have_been_is_refused(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let now = crate::Clock::now(&*bench.clock);
    let refused = |form: ResellerDraft| -> Vec<(String, Code)> {
        let error = bench.agency.create_reseller(form).expect_err("refused");
        error.fields().iter().map(|e| (e.field.clone(), e.code)).collect()
    };
    let with = |status: &str, reason: &str, at: i64| ResellerDraft {
        status: Some(status.into()),
        deactivation_reason: Some(reason.into()),
        created_at: Some(now.plus_millis(at)),
        ..draft("acme")
    };
    let wrong = |fields: &[(&str, Code)]| -> Vec<(String, Code)> {
        fields.iter().map(|(field, code)| ((*field).to_owned(), *code)).collect()
    };
    assert_eq!(refused(with("suspended", "", 0)), wrong(&[("status", Code::Invalid)]));
    let unexpected = ("deactivation_reason", Code::Unexpected);
    let future = ("created_at", Code::InTheFuture);
    assert_eq!(refused(with("", "paid", 5 * 60_000 + 1)), wrong(&[unexpected, future]));
    let long = "x".repeat(501);
    let too_long = ("deactivation_reason", Code::TooLong);
    let before_year_1 = Timestamp::YEAR_1.as_millis() - 1 - now.as_millis();
    let out_of_range = ("created_at", Code::OutOfRange);
    let form = with("inactive", &long, before_year_1);
    assert_eq!(refused(form), wrong(&[too_long, out_of_range]));
    // A clock that is a little ahead is accepted.
    let acme = bench.agency.create_reseller(with("active", "", 5 * 60_000)).expect("creates");
    assert_eq!((acme.status, acme.created_at), (Status::Active, now));
}

/// Lists and searches are ordered by when resellers joined, not by when they were imported.
pub(super) fn resellers_are_listed_by_when_they_joined(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let mut expected = Vec::new();
    for (n, years) in [3, 0, 7, 1, 5].into_iter().enumerate() {
        let created_at = Some(years_ago(&bench, years));
        let form = ResellerDraft { created_at, ..draft(&label(n)) };
        bench.agency.create_reseller(form).expect("creates");
        expected.push((years, label(n)));
    }
    expected.sort();
    let newest: Vec<_> = expected.iter().map(|(_, label)| label.clone()).collect();
    for text in ["", "company", "acmeaa"] {
        assert_eq!(names(&bench.agency, &ResellerQuery::text(text)), newest, "{text}");
        let oldest = ResellerQuery::text(text).ascending(SortBy::Joined);
        let reversed: Vec<_> = newest.iter().rev().cloned().collect();
        assert_eq!(names(&bench.agency, &oldest), reversed, "{text}");

        let first = ResellerQuery { limit: Some(2), ..ResellerQuery::text(text) };
        let page = bench.agency.page(&first).expect("reads");
        let second = ResellerQuery { after: page.next, ..first };
        assert_eq!(names(&bench.agency, &second), newest[2..4], "{text}");

        let long_ago = Some(years_ago(&bench, 4));
        let before = ResellerQuery { joined_before: long_ago, ..ResellerQuery::text(text) };
        assert_eq!(names(&bench.agency, &before), newest[3..], "{text}");
    }
}

/// A file with the data of an earlier system, including password hashes.
pub(super) fn a_file_brings_along_what_was(harness: &dyn Harness) {
    let bench = Bench::with(harness, |builder: PlatformBuilder| builder.hashing(1, 0));
    let header = "partner_type,name,email,phone,contact_name,contact_email,contact_phone,\
                  login_domain,status,deactivation_reason,created_at,password_hash,metadata";
    let line = |label: &str, rest: &str| {
        format!(
            "own_plans,{label},owner@{label}.example,'+14155552671,Ann Lee,ann@{label}.example,\
             '+14155552671,{label},{rest}"
        )
    };
    let file = [
        header.to_owned(),
        line("acme", &format!("inactive,nonpayment,2021-02-03T04:05:06+01:00,\"{HASH}\",")),
        line("globex", ",,,,"),
        line("initech", "gone,,yesterday,secret,[]"),
    ];
    let mut rows = Vec::new();
    let options = ImportOptions::default();
    let file = file.join("\n");
    let report = bench.agency.import_csv(file.as_bytes(), &options, |row| rows.push(row));
    assert_eq!(report.expect("imports").created, 2);
    let crate::RowOutcome::Rejected(errors) = &rows[2].outcome else { panic!("{rows:?}") };
    let fields: Vec<_> = errors.as_slice().iter().map(|error| &*error.field).collect();
    assert_eq!(fields, ["password_hash", "metadata", "status", "created_at"], "all at once");

    let by_name = ResellerQuery::all().ascending(SortBy::Name);
    let resellers = bench.agency.page(&by_name).expect("reads").resellers;
    let [acme, globex] = &resellers[..] else { panic!("{resellers:?}") };
    assert_eq!((acme.status, globex.status), (Status::Inactive, Status::Active));
    assert_eq!(acme.created_at, "2021-02-03T03:05:06Z".parse().expect("an instant"));
    bench.agency.activate(acme.id).expect("activates");
    let sign_in = |label: &str| {
        bench.platform.sign_in(label, &format!("owner@{label}.example"), "password", None)
    };
    sign_in("acme").expect("signs in");
    assert_eq!(sign_in("globex").expect_err("invited").kind(), ErrorKind::AccessDenied);
}
