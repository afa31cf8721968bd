//! The JSON of every record, to the byte: what hosts have stored or sent must be read for ever.

use std::collections::{BTreeMap, BTreeSet};

use partnerkit::{
    Access, AgencyId, AgencySettings, Change, ChangeKind, Clock, Code, Consumption, ContactPerson,
    DenialReason, DomainAvailability, Email, Erasure, EventOutcome, FieldError, FieldErrors,
    Identity, ImportReport, LoginDomain, Maintenance, Metadata, Metric, Name, Overview, Page,
    PartnerType, Phone, PhoneCountry, Platform, Reseller, ResellerDraft, ResellerId, ResolvedHost,
    RowOutcome, RowReport, SortKey, Status, Timestamp, Total, UsageReport, Website,
};
use serde::Serialize;
use uuid::Uuid;

const ID: &str = "019e0000-0000-7000-8000-00000000002a";

fn id() -> ResellerId {
    ID.parse().expect("an id")
}

fn agency() -> AgencyId {
    AgencyId::parse("northwind").expect("an id")
}

fn label(label: &str) -> LoginDomain {
    LoginDomain::parse(label).expect("a label")
}

fn reseller() -> Reseller {
    let contact = ContactPerson {
        name: Name::parse("Ann").expect("a name"),
        email: Email::parse("ann@acme.example").expect("an email"),
        phone: Phone::parse("+4930901820", None).expect("a phone"),
    };
    Reseller {
        agency: agency(),
        id: id(),
        version: 3,
        status: Status::Inactive,
        deactivation_reason: Some("unpaid".into()),
        partner_type: PartnerType::OwnPlans,
        name: Name::parse("Acme").expect("a name"),
        email: Email::parse("owner@acme.example").expect("an email"),
        phone: Phone::parse("+14155552671", None).expect("a phone"),
        contact,
        login_domain: label("acme"),
        website: Some(Website::parse("https://acme.example/").expect("a website")),
        external_id: None,
        metadata: Metadata::parse(BTreeMap::from([("plan".into(), "gold".into())])).expect("ok"),
        created_at: Timestamp::from_millis(1_773_576_000_123),
        updated_at: Timestamp::from_millis(-1),
    }
}

const RESELLER: &str = concat!(
    r#"{"agency":"northwind","id":"019e0000-0000-7000-8000-00000000002a","version":3,"#,
    r#""status":"inactive","deactivation_reason":"unpaid","partner_type":"own_plans","#,
    r#""name":"Acme","email":"owner@acme.example","phone":"+14155552671","#,
    r#""contact":{"name":"Ann","email":"ann@acme.example","phone":"+4930901820"},"#,
    r#""login_domain":"acme","website":"https://acme.example/","external_id":null,"#,
    r#""metadata":{"plan":"gold"},"created_at":1773576000123,"updated_at":-1}"#,
);

#[track_caller]
fn is<T: Serialize>(value: T, json: &str) {
    assert_eq!(serde_json::to_string(&value).expect("has a JSON form"), json);
}

fn refusal() -> FieldError {
    let long = Name::parse(&"x".repeat(201)).expect_err("too long");
    long.of("name")
}

const REFUSAL: &str = r#"{"field":"name","code":"too_long","params":{"max":200}}"#;

#[test]
fn resellers_and_pages() {
    is(reseller(), RESELLER);
    let read: Reseller = serde_json::from_str(RESELLER).expect("is read back");
    assert_eq!(read, reseller());
    let page = |total| Page { resellers: vec![reseller()], next: Some("cursor".into()), total };
    let with = |total| format!(r#"{{"resellers":[{RESELLER}],"next":"cursor","total":{total}}}"#);
    is(page(None), &with("null"));
    is(page(Some(Total::Exact(2))), &with(r#"{"exact":2}"#));
    is(page(Some(Total::AtLeast(10_000))), &with(r#"{"at_least":10000}"#));
    let access = Access { agency: agency(), reseller: reseller(), stamp: "stamp".into() };
    let json = format!(r#"{{"agency":"northwind","reseller":{RESELLER},"stamp":"stamp"}}"#);
    is(access, &json);
    is(
        Identity { agency: agency(), reseller: id() },
        &format!(r#"{{"agency":"northwind","reseller":"{ID}"}}"#),
    );
    is(
        ResolvedHost {
            agency: agency(),
            reseller: id(),
            login_domain: label("acme"),
            status: Status::Active,
        },
        &format!(
            r#"{{"agency":"northwind","reseller":"{ID}","login_domain":"acme","status":"active"}}"#
        ),
    );
}

#[test]
fn agencies() {
    let settings = AgencySettings {
        agency: agency(),
        version: 1,
        time_zone: "UTC".into(),
        capacity: BTreeMap::from([(Metric::MESSAGES, 5), (Metric::TEAM_MEMBERS, 6)]),
        reserved_labels: BTreeSet::from([label("beta"), label("alpha")]),
        created_at: Timestamp::from_millis(1),
        updated_at: Timestamp::from_millis(2),
    };
    is(
        settings,
        concat!(
            r#"{"agency":"northwind","version":1,"time_zone":"UTC","#,
            r#""capacity":{"messages":5,"team_members":6},"#,
            r#""reserved_labels":["alpha","beta"],"created_at":1,"updated_at":2}"#,
        ),
    );
    is(
        Maintenance { removed: 7, finished: true, erasure: Erasure::Pending },
        r#"{"removed":7,"finished":true,"erasure":"pending"}"#,
    );
    is(
        DomainAvailability { refused: Some(Code::Taken), suggestions: vec!["acmehq".into()] },
        r#"{"refused":"taken","suggestions":["acmehq"]}"#,
    );
    is(
        PhoneCountry { code: "US".into(), calling_code: 1, example: None },
        r#"{"code":"US","calling_code":1,"example":null}"#,
    );
}

/// A clock that stands.
struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_773_576_000_000)
    }
}

#[test]
fn deletions() {
    let builder = Platform::builder().clock(std::sync::Arc::new(Still));
    let platform = builder.open("memory:").expect("opens");
    let agency = platform.create_agency("northwind", None).expect("creates");
    let draft = serde_json::json!({
        "partner_type": "own_plans", "name": "Acme", "email": "owner@acme.example",
        "phone": {"number": "+14155552671"}, "invite": true, "login_domain": "acme",
        "contact": {"name": "Ann", "email": "a@b.example", "phone": {"number": "+14155552671"}},
    });
    let draft: ResellerDraft = serde_json::from_value(draft).expect("a form");
    let acme = agency.create_reseller(draft).expect("creates");
    let event = serde_json::json!({
        "id": "e-1", "reseller": acme.id, "metric": "team_members", "quantity": 3,
        "at": Still.now(),
    });
    let event: partnerkit::EventDraft = serde_json::from_value(event).expect("an event");
    assert_eq!(agency.record_usage(&[event]).expect("records").accepted(), 1);
    let json = format!(
        concat!(
            r#"{{"reseller":"{}","login_domain":"acme","quarantined_until":1776168000000,"#,
            r#""levels":[["team_members",3]]}}"#,
        ),
        acme.id,
    );
    is(agency.preview_deletion(acme.id).expect("plans"), &json);
    is(
        platform.preview_agency_deletion("northwind").expect("plans"),
        r#"{"agency":"northwind","resellers":1}"#,
    );
}

#[test]
fn usage() {
    let outcomes = vec![
        EventOutcome::Accepted,
        EventOutcome::Duplicate,
        EventOutcome::Conflict,
        EventOutcome::Rejected(refusal()),
    ];
    let json = concat!(
        r#"{"outcomes":[{"kind":"accepted"},{"kind":"duplicate"},{"kind":"conflict"},"#,
        r#"{"kind":"rejected","field":"name","code":"too_long","params":{"max":200}}]}"#,
    );
    is(UsageReport { outcomes }, json);
    let granted = Consumption {
        granted: true,
        used: 8,
        limit: Some(10),
        requested: 3,
        resets_at: Timestamp::from_millis(5),
        duplicate: true,
        reason: None,
    };
    let json = concat!(
        r#"{"granted":true,"used":8,"limit":10,"requested":3,"resets_at":5,"duplicate":true,"#,
        r#""reason":null}"#,
    );
    is(granted, json);
    is([DenialReason::LimitReached, DenialReason::Inactive], r#"["limit_reached","inactive"]"#);
    let overview = Overview { active_resellers: 1, messages: 2, ..Overview::default() };
    is(
        overview,
        concat!(
            r#"{"active_resellers":1,"messages":2,"whatsapp_messages":0,"#,
            r#""whatsapp_conversations":0,"team_members":0}"#,
        ),
    );
}

#[test]
fn changes() {
    let change = |reseller, actor| Change {
        sequence: 9,
        id: Uuid::from_u128(0x2a),
        kind: ChangeKind::ResellerUpdated,
        reseller,
        version: 4,
        at: Timestamp::from_millis(5),
        actor,
        fields: vec!["name".into()],
    };
    let json = |reseller: &str, actor: &str| {
        format!(
            concat!(
                r#"{{"sequence":9,"id":"00000000-0000-0000-0000-00000000002a","#,
                r#""kind":"reseller_updated","reseller":{},"version":4,"at":5,"actor":{},"#,
                r#""fields":["name"]}}"#,
            ),
            reseller, actor,
        )
    };
    is(change(None, None), &json("null", "null"));
    is(change(Some(id()), Some("ann".into())), &json(&format!("\"{ID}\""), "\"ann\""));
}

#[test]
fn files() {
    let row = |outcome| RowReport { line: 2, outcome };
    let json = |outcome: &str| format!(r#"{{"line":2,"outcome":{outcome}}}"#);
    is(row(RowOutcome::Created(id())), &json(&format!(r#"{{"created":"{ID}"}}"#)));
    is(row(RowOutcome::Existing(id())), &json(&format!(r#"{{"existing":"{ID}"}}"#)));
    let errors = FieldErrors::from(refusal());
    is(row(RowOutcome::Rejected(errors)), &json(&format!(r#"{{"rejected":[{REFUSAL}]}}"#)));
    is(
        ImportReport { created: 1, existing: 2, rejected: 3 },
        r#"{"created":1,"existing":2,"rejected":3}"#,
    );
}

#[test]
fn errors() {
    is(refusal(), REFUSAL);
    let error = partnerkit::Error::from(FieldErrors::from(refusal()));
    let json = format!(r#"{{"kind":"validation","message":"{error}","fields":[{REFUSAL}]}}"#,);
    is(error, &json);
}

/// A cursor holds where a list goes on, and is given back by hosts of an older release.
#[test]
fn places_in_a_list_are_packed_as_ever() {
    let packed = |key: SortKey| postcard::to_allocvec(&key).expect("packs");
    assert_eq!(packed(SortKey::Instant(Timestamp::from_millis(-3))), [0, 5]);
    assert_eq!(packed(SortKey::Text("ab".into())), [1, 2, b'a', b'b']);
}
