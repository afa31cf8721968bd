//! Creating with an idempotency key, and creating many at a time.

use super::Harness;
use super::fixture::{Bench, draft, draft_with_password, label};
use super::life::codes;
use crate::{AgencyPatch, Code, ErrorKind, ResellerDraft, ResellerPatch};

const HOUR: i64 = 3_600_000;

/// S23.
pub(super) fn a_repeated_create_is_answered_as_the_first(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let create = |draft: ResellerDraft| bench.agency.create_reseller(draft.once("key-1"));
    let mut bad = draft("acme");
    bad.name = String::new();
    assert_eq!(codes(&create(bad).expect_err("refused")), [("name", Code::Empty)]);
    let acme = create(draft_with_password("acme")).expect("a refused create uses no key up");
    let computed = bench.platform.hash_computations();
    let mut again = draft_with_password("acme");
    again.password = "another teal walrus 95 umbrella".into();
    again.password_confirmation = again.password.clone();
    assert_eq!(create(again).expect("repeats"), acme, "passwords are not compared");
    assert_eq!(bench.platform.hash_computations(), computed, "nor hashed");
    let patch = ResellerPatch { name: Some("Acme II".into()), ..Default::default() };
    let changed = bench.agency.update_reseller(acme.id, None, &patch).expect("updates");
    assert_eq!(create(draft_with_password("acme")).expect("repeats"), changed, "as it is now");
    let reused = create(draft("globex")).expect_err("another form");
    assert_eq!((reused.kind(), reused.current_version()), (ErrorKind::Conflict, None));
    assert_eq!(bench.agency.overview().expect("reads").active_resellers, 1);
    bench.agency.delete_reseller(acme.id).expect("deletes");
    let gone = create(draft_with_password("acme")).expect_err("deleted");
    assert_eq!(gone.kind(), ErrorKind::NotFound);
    bench.clock.forward(24 * HOUR);
    let globex = create(draft("globex")).expect("the key has expired");
    assert_eq!(create(draft("globex")).expect("repeats"), globex);
    let refused = bench.agency.create_reseller(draft("initech").once("")).expect_err("no key");
    assert_eq!(codes(&refused), [("idempotency_key", Code::Empty)]);
}

/// S23.
pub(super) fn of_racing_creates_with_one_key_one_creates(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let created = bench.together(8, |_| {
        bench.agency.create_reseller(draft("acme").once("key-1")).expect("creates or repeats").id
    });
    assert!(created.iter().all(|id| *id == created[0]));
    assert_eq!(bench.agency.overview().expect("reads").active_resellers, 1);
}

/// S3, S9, S4: each form has its own answer.
pub(super) fn of_many_created_at_once_each_has_its_answer(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    bench.create("acme");
    let reserved_labels = Some(vec!["contoso".into()]);
    let patch = AgencyPatch { reserved_labels, ..Default::default() };
    bench.agency.configure(None, &patch).expect("configures");
    let with = |label: &str, change: fn(&mut ResellerDraft)| {
        let mut draft = draft(label);
        change(&mut draft);
        draft
    };
    let drafts = [
        with("globex", |draft| draft.external_id = Some("crm-1".into())),
        draft("acme"),
        with("initech", |draft| draft.name = String::new()),
        with("hooli", |draft| draft.external_id = Some("crm-1".into())),
        with("globex", |draft| draft.email = "OWNER@globex.example".into()),
        draft("contoso"),
        draft("umbrella"),
    ];
    let checked = bench.agency.check_resellers(&drafts).expect("checks");
    assert_eq!(bench.agency.overview().expect("reads").active_resellers, 1, "a dry run");
    let answers = bench.agency.create_resellers(&drafts).expect("creates");
    let refused = |i: usize| {
        let answers: [_; 2] = [&checked[i], &answers[i]];
        let answers = answers.map(|answer| answer.as_ref().expect_err("refused").as_slice());
        assert_eq!(answers[0], answers[1], "a dry run says the same");
        answers[1].iter().map(|e| (e.field.clone(), e.code)).collect::<Vec<_>>()
    };
    let taken = |field: &str| (field.to_owned(), Code::Taken);
    assert_eq!(refused(1), [taken("email"), taken("login_domain")]);
    assert_eq!(refused(2), [("name".to_owned(), Code::Empty)]);
    assert_eq!(refused(3), [taken("external_id")], "an earlier row has it");
    assert_eq!(refused(4), [taken("email"), taken("login_domain")]);
    assert_eq!(refused(5), [("login_domain".to_owned(), Code::Reserved)]);
    for i in [0, 6] {
        let created = answers[i].as_ref().expect("created");
        assert_eq!(bench.agency.reseller(created.id).expect("there"), *created);
        assert_eq!(checked[i].as_ref().expect("could be").login_domain, created.login_domain);
    }
    assert_eq!(bench.label("hooli"), None, "a refused row leaves no label behind");
    assert_eq!(bench.agency.overview().expect("reads").active_resellers, 3);
    let feed = bench.agency.changes(Some(0), Some(100)).expect("reads");
    assert_eq!(feed.len(), 5, "agency created, configured, and three resellers");
    let many = vec![draft("acme"); 1_001];
    for refused in [bench.agency.create_resellers(&many), bench.agency.check_resellers(&many)] {
        let refused = refused.map(drop).expect_err("too many");
        assert_eq!(codes(&refused), [("resellers", Code::TooMany)]);
    }
}

/// S3, S48: of rows that agree in a unique field, the first one that can be created gets it.
pub(super) fn a_refused_row_takes_nothing_from_others(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    bench.create("acme");
    let with = |label: &str, email: &str, external_id: Option<&str>| {
        let external_id = external_id.map(str::to_owned);
        ResellerDraft { email: email.into(), external_id, ..draft(label) }
    };
    let drafts = [
        with("acme", "x@globex.example", Some("crm-1")),
        with("globex", "x@globex.example", None),
        with("initech", "x@globex.example", Some("crm-1")),
        with("initech", "x@initech.example", Some("crm-1")),
        with("acme", "x@globex.example", None),
    ];
    let taken = |field: &str| (field.to_owned(), Code::Taken);
    for dry_run in [true, false] {
        let answers = if dry_run {
            bench.agency.check_resellers(&drafts).expect("checks")
        } else {
            bench.agency.create_resellers(&drafts).expect("creates")
        };
        let told = answers.iter().map(|answer| match answer {
            Ok(_) => Vec::new(),
            Err(errors) => errors.as_slice().iter().map(|e| (e.field.clone(), e.code)).collect(),
        });
        let held = vec![taken("login_domain")];
        let both = vec![taken("email"), taken("login_domain")];
        let expected = [held, vec![], vec![taken("email")], vec![], both];
        assert_eq!(told.collect::<Vec<_>>(), expected, "a dry run: {dry_run}");
    }
    assert_eq!(bench.agency.overview().expect("reads").active_resellers, 3);
}

/// S3: batches that want the same labels in different orders.
pub(super) fn racing_batches_create_each_label_once(harness: &dyn Harness) {
    let bench = Bench::new(harness);
    let created = bench.together(6, |thread| {
        let mut drafts: Vec<_> = (0..12).map(|n| draft(&label(n))).collect();
        drafts.rotate_left(thread * 2);
        if thread % 2 == 1 {
            drafts.reverse();
        }
        let answers = bench.agency.create_resellers(&drafts).expect("answers");
        answers.into_iter().filter(Result::is_ok).count()
    });
    assert_eq!(created.iter().sum::<usize>(), 12);
    assert_eq!(bench.agency.overview().expect("reads").active_resellers, 12);
}
