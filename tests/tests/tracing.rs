//! Each operation is a span with ids, outcome and duration, and nothing else (S53).

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use partnerkit::{ContactDraft, PhoneDraft, Platform, ResellerDraft, ResellerQuery};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// The recorded fields, span by span.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<Vec<BTreeMap<&'static str, String>>>>);

struct Fields<'a>(&'a mut BTreeMap<&'static str, String>);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}").trim_matches('"').to_owned());
    }
}

impl Subscriber for Spans {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "partnerkit"
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut spans = self.0.lock().expect("no panic");
        let mut fields = BTreeMap::new();
        span.record(&mut Fields(&mut fields));
        spans.push(fields);
        Id::from_u64(spans.len() as u64)
    }

    fn record(&self, id: &Id, values: &Record<'_>) {
        let mut spans = self.0.lock().expect("no panic");
        let place = usize::try_from(id.into_u64()).expect("small") - 1;
        values.record(&mut Fields(&mut spans[place]));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

const PASSWORD: &str = "canary teal walrus 94 umbrella";

fn form() -> ResellerDraft {
    ResellerDraft {
        partner_type: "own_plans".into(),
        name: "Canary Name".into(),
        email: "canary@acme.example".into(),
        phone: PhoneDraft::international("+49 30 901820"),
        password: PASSWORD.into(),
        password_confirmation: PASSWORD.into(),
        contact: ContactDraft {
            name: "Canary Contact".into(),
            email: "canary@contact.example".into(),
            phone: PhoneDraft::international("+49 30 901820"),
        },
        login_domain: "canary".into(),
        website: Some("https://canary.example".into()),
        ..ResellerDraft::default()
    }
}

#[test]
fn s53_an_operation_is_a_span_without_names_or_secrets() {
    let spans = Spans::default();
    let recorded = spans.0.clone();
    tracing::subscriber::with_default(spans, || {
        let platform = Platform::open("memory:").expect("opens");
        let agency = platform.create_agency("northwind", None).expect("creates");
        let reseller = agency.create_reseller(form()).expect("creates");
        agency.create_reseller(form()).expect_err("taken");
        let access = platform.sign_in("canary", "canary@acme.example", PASSWORD, None).expect("in");
        platform
            .sign_in("canary", "canary@acme.example", "canary wrong", None)
            .expect_err("denied");
        platform.check_access(&access.stamp, None).expect("valid");
        agency.page(&ResellerQuery::text("canary")).expect("reads");
        agency.deactivate(reseller.id, Some("canary reason")).expect("deactivates");
        platform.resolve_host("canary.partner.localhost").expect("resolves");
        agency.delete_reseller(reseller.id).expect("deletes");
        agency.reseller(reseller.id).expect_err("gone");
        platform.agency("canary-agency").map(drop).expect_err("a typo");
        platform.delete_agency("canary-agency").expect_err("a typo");
        platform.delete_agency("northwind").expect("deletes");
    });
    let spans = recorded.lock().expect("no panic").clone();
    let said: Vec<_> =
        spans.iter().map(|span| (span["operation"].as_str(), span["outcome"].as_str())).collect();
    let expected = [
        ("create_agency", "ok"),
        ("create_reseller", "ok"),
        ("create_reseller", "validation"),
        ("sign_in", "ok"),
        ("sign_in", "access_denied"),
        ("check_access", "ok"),
        ("page", "ok"),
        ("deactivate", "ok"),
        ("resolve_host", "ok"),
        ("delete_reseller", "ok"),
        ("reseller", "not_found"),
        ("agency", "not_found"),
        ("delete_agency", "not_found"),
        ("delete_agency", "ok"),
    ];
    let mut left = said.iter();
    for operation in expected {
        assert!(left.any(|said| *said == operation), "{operation:?} in {said:?}");
    }
    let everything = format!("{spans:?}");
    assert!(!everything.to_lowercase().contains("canary"), "{everything}");
    assert!(!everything.contains("+4930"));
    let deactivated = spans.iter().find(|span| span["operation"] == "deactivate").expect("there");
    assert_eq!(deactivated["agency"], "northwind");
    assert_eq!(deactivated["reseller"].len(), 36, "an id");
    assert!(deactivated["microseconds"].parse::<u64>().is_ok());
    // The reseller of a call is recorded as soon as it is known, and not if the call failed before.
    let reseller = Some(deactivated["reseller"].as_str());
    let told = |operation: &str, outcome: &str| {
        let is =
            |span: &&BTreeMap<_, _>| span["operation"] == operation && span["outcome"] == outcome;
        let span = spans.iter().find(is).expect("there");
        let id = |name| span.get(name).map(String::as_str);
        (id("agency"), id("reseller"))
    };
    let northwind = Some("northwind");
    for operation in ["create_reseller", "sign_in", "check_access", "resolve_host"] {
        assert_eq!(told(operation, "ok"), (northwind, reseller), "{operation}");
    }
    for operation in ["create_agency", "delete_agency"] {
        assert_eq!(told(operation, "ok"), (northwind, None), "{operation}");
    }
    for (operation, outcome) in
        [("sign_in", "access_denied"), ("agency", "not_found"), ("delete_agency", "not_found")]
    {
        assert_eq!(told(operation, outcome), (None, None), "{operation}");
    }
}
