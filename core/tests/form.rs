//! The form of a reseller: what it requires, and that it says all that is wrong at once.

use std::collections::BTreeSet;

use partnerkit::form::{Given, read};
use partnerkit::{
    AgencyPatch, Code, ContactDraft, FieldError, FieldErrors, Patch, PhoneDraft, Platform,
    ResellerDraft, ResellerPatch, ResellerQuery, UsageQuery,
};
use serde_json::{Value, json};

const PASSWORD: &str = "plain teal walrus 94 umbrella";

fn good() -> ResellerDraft {
    ResellerDraft {
        partner_type: "commission".into(),
        name: "Acme".into(),
        email: "owner@acme.example".into(),
        phone: PhoneDraft::national("US", "(415) 555-2671"),
        password: PASSWORD.into(),
        password_confirmation: PASSWORD.into(),
        contact: ContactDraft {
            name: "Ann Lee".into(),
            email: "ann@acme.example".into(),
            phone: PhoneDraft::international("+49 30 901820"),
        },
        login_domain: "acme".into(),
        ..ResellerDraft::default()
    }
}

/// What is wrong with a form, in the order it is told.
fn refused(draft: ResellerDraft) -> Vec<(String, Code)> {
    let platform = Platform::open("memory:").expect("opens");
    let agency = platform.create_agency("northwind", None).expect("creates");
    let Err(error) = agency.create_reseller(draft) else { return Vec::new() };
    error.fields().iter().map(|field| (field.field.clone(), field.code)).collect()
}

fn told(expected: &[(&str, Code)]) -> Vec<(String, Code)> {
    expected.iter().map(|(field, code)| ((*field).to_owned(), *code)).collect()
}

#[test]
fn s57_an_empty_form_lacks_every_required_field() {
    let expected = [
        ("partner_type", Code::Empty),
        ("name", Code::Empty),
        ("email", Code::Empty),
        ("phone.number", Code::Empty),
        ("password", Code::Empty),
        ("contact.name", Code::Empty),
        ("contact.email", Code::Empty),
        ("contact.phone.number", Code::Empty),
        ("login_domain", Code::Empty),
    ];
    assert_eq!(refused(ResellerDraft::default()), told(&expected));
    assert_eq!(refused(good()), []);
}

#[test]
fn s57_everything_that_is_wrong_is_told_at_once() {
    let draft = ResellerDraft {
        partner_type: "affiliate".into(),
        name: "a\u{202e}b".into(),
        email: "owner".into(),
        phone: PhoneDraft::national("XX", "1"),
        password: "short".into(),
        password_confirmation: "shirt".into(),
        contact: ContactDraft {
            name: "x".repeat(201),
            email: "a b@c.example".into(),
            phone: PhoneDraft::national("DE", "+1 415 555 2671"),
        },
        login_domain: "www".into(),
        website: Some("ftp://acme.example".into()),
        external_id: Some("\u{7}".into()),
        metadata: [("k".repeat(41), String::new())].into(),
        ..ResellerDraft::default()
    };
    let expected = [
        ("partner_type", Code::Invalid),
        ("name", Code::ControlCharacter),
        ("email", Code::Invalid),
        ("phone.number", Code::UnknownCountry),
        ("password", Code::TooShort),
        ("password_confirmation", Code::Mismatch),
        ("contact.name", Code::TooLong),
        ("contact.email", Code::Whitespace),
        ("contact.phone.number", Code::CountryMismatch),
        ("login_domain", Code::Reserved),
        ("website", Code::UnsupportedScheme),
        ("external_id", Code::ControlCharacter),
        ("metadata", Code::TooLong),
    ];
    assert_eq!(refused(draft), told(&expected));
}

/// S57: a patch, too, tells everything in the order of the form, every time.
#[test]
fn s57_a_patch_is_refused_in_the_order_of_the_form() {
    let platform = Platform::open("memory:").expect("opens");
    let agency = platform.create_agency("northwind", None).expect("creates");
    let acme = agency.create_reseller(ResellerDraft {
        invite: true,
        password: String::new(),
        password_confirmation: String::new(),
        ..good()
    });
    let acme = acme.expect("creates");
    let patch = ResellerPatch {
        name: Some(" ".into()),
        contact: Some(ContactDraft::default()),
        website: Patch::Set("ftp://acme.example".into()),
        ..ResellerPatch::default()
    };
    let expected = [
        ("name", Code::Empty),
        ("contact.name", Code::Empty),
        ("contact.email", Code::Empty),
        ("contact.phone.number", Code::Empty),
        ("website", Code::UnsupportedScheme),
    ];
    // What lies in a hash map comes in another order each time.
    for _ in 0..50 {
        let refused = agency.update_reseller(acme.id, None, &patch).expect_err("refused");
        let fields = refused.fields().iter().map(|field| (field.field.clone(), field.code));
        assert_eq!(fields.collect::<Vec<_>>(), told(&expected));
    }
}

/// A language whose texts can hold half a character says so of those fields.
#[test]
fn s57_what_is_no_text_is_told_beside_the_rest() {
    let unreadable = ["metadata", "password", "website", "name"]
        .map(|field| FieldError::new(field, Code::Invalid))
        .into_iter()
        .collect();
    let (name, email, password) = (String::new(), "owner".into(), String::new());
    let draft = ResellerDraft { name, email, password, unreadable, ..good() };
    let expected = [
        ("name", Code::Invalid),
        ("email", Code::Invalid),
        ("password", Code::Invalid),
        ("website", Code::Invalid),
        ("metadata", Code::Invalid),
    ];
    assert_eq!(refused(draft), told(&expected));
}

fn given(form: Value) -> std::collections::BTreeMap<String, Given> {
    match Given::from(form) {
        Given::Record(fields) => fields,
        other => panic!("no form: {other:?}"),
    }
}

/// The form that other languages give, which is refused field by field.
fn refused_in_json(changes: Value) -> Vec<(String, Code)> {
    let mut form = json!({
        "partner_type": "commission", "name": "Acme", "email": "owner@acme.example",
        "phone": "+49 30 901820", "password": PASSWORD, "password_confirmation": PASSWORD,
        "contact": {"name": "Ann Lee", "email": "ann@acme.example", "phone": ["DE", "030 901820"]},
        "login_domain": "acme", "website": null, "idempotency_key": "once",
    });
    let fields = form.as_object_mut().expect("an object");
    fields.extend(changes.as_object().expect("an object").clone());
    refused(read(given(form)).expect("a draft keeps what could not be read"))
}

#[test]
fn s57_a_field_of_another_type_is_told_beside_the_rest() {
    assert_eq!(refused_in_json(json!({})), []);
    let wrong = json!({
        "name": 5, "email": "owner", "password": true, "phone": {"country": "US", "nmuber": ""},
        "metadata": {"a": null}, "contact": {"name": "Ann Lee", "email": [], "phone": 7},
        "login_domain": null, "websit": "https://acme.example",
    });
    let expected = [
        ("name", Code::Invalid),
        ("email", Code::Invalid),
        ("phone.number", Code::Invalid),
        ("password", Code::Invalid),
        ("contact.email", Code::Invalid),
        ("contact.phone.number", Code::Invalid),
        ("login_domain", Code::Empty),
        ("metadata", Code::Invalid),
        ("websit", Code::UnknownField),
    ];
    assert_eq!(refused_in_json(wrong), told(&expected));
}

#[test]
fn s57_a_record_in_a_form_that_is_none_is_one_refused_field() {
    let refused = refused_in_json(json!({"contact": "Ann Lee"}));
    assert_eq!(refused, told(&[("contact", Code::Invalid)]));
    let refused = refused_in_json(json!({"contact": {"name": "Ann Lee", "age": 40}}));
    let expected = [
        ("contact.email", Code::Empty),
        ("contact.phone.number", Code::Empty),
        ("contact.age", Code::UnknownField),
    ];
    assert_eq!(refused, told(&expected));
}

#[test]
fn s57_a_phone_is_a_text_a_pair_or_a_record() {
    for phone in [
        json!("+1 415 555 2671"),
        json!(["US", "(415) 555-2671"]),
        json!([null, "+14155552671"]),
        json!({"country": "US", "number": "(415) 555-2671"}),
        json!({"number": "+14155552671"}),
    ] {
        assert_eq!(refused_in_json(json!({"phone": phone})), []);
    }
    for phone in [json!([]), json!(["US"]), json!(["US", "1", "2"]), json!([1, "1"]), json!(true)] {
        let expected = told(&[("phone.number", Code::Invalid)]);
        assert_eq!(refused_in_json(json!({"phone": phone})), expected);
    }
}

#[test]
fn s57_a_query_is_refused_with_all_that_is_wrong_in_its_order() {
    let refused = |refused: FieldErrors| -> Vec<_> {
        refused.as_slice().iter().map(|error| (error.field.clone(), error.code)).collect()
    };
    let query = json!({"stauts": 1, "status": "actve", "limit": -1, "joined_from": "today"});
    let query = read::<ResellerQuery>(given(query)).map_err(refused);
    let expected = [
        ("status", Code::Invalid),
        ("joined_from", Code::Invalid),
        ("limit", Code::OutOfRange),
        ("stauts", Code::UnknownField),
    ];
    assert_eq!(query, Err(told(&expected)));
    let query = json!({"window": "year", "metrics": ["faxes"], "limit": 0, "start": "today"});
    let query = read::<UsageQuery>(given(query)).map_err(refused);
    let expected = [
        ("start", Code::Invalid),
        ("end", Code::Empty),
        ("window", Code::Invalid),
        ("metrics", Code::UnknownMetric),
        ("limit", Code::OutOfRange),
    ];
    assert_eq!(query, Err(told(&expected)));
    let capacity = Given::Record([("messages".to_owned(), Given::Whole(i128::MAX))].into());
    let patch = read::<AgencyPatch>([("capacity".to_owned(), capacity)].into()).map_err(refused);
    assert_eq!(patch.err(), Some(told(&[("capacity", Code::OutOfRange)])));
}

/// What is refused says what would be right, and never what was typed.
#[test]
fn s57_a_refusal_says_what_would_be_right() {
    let metrics = "one of messages, whatsapp_messages, whatsapp_conversations, team_members";
    for (query, expected) in [
        (json!({"window": "canary"}), "window is not valid: expected one of whole, hour, day, week, month".to_owned()),
        (json!({"window": 7}), "window is not valid: expected a text".to_owned()),
        (json!({"metrics": ["canary"]}), format!("metrics is not a known metric: expected a list, each of it {metrics}")),
        (json!({"metrics": "canary"}), "metrics is not valid: expected a list".to_owned()),
        (json!({"resellers": ["canary"]}), "resellers is not valid: expected a list, each of it an id".to_owned()),
        (json!({"fill": "canary"}), "fill is not valid: expected true or false".to_owned()),
        (json!({"limit": -1}), "limit is out of range (min 1) (max 10000)".to_owned()),
        (json!({"limit": 1e40}), "limit is not valid: expected a whole number".to_owned()),
        (json!({"limit": u64::MAX}), "limit is out of range (min 1) (max 10000)".to_owned()),
        (json!({"time_zone": "canary"}), "time_zone is not a known time zone: expected an IANA name like Europe/Berlin".to_owned()),
        (json!({"start": "2026-03-01"}), "start is not valid: expected an instant with its offset from UTC, like 2026-03-15T12:00:00Z or 2026-03-15T13:00:00+01:00".to_owned()),
        (json!({"start": 1_772_323_200_000_i64}), "start is not valid: expected an instant with its offset".to_owned()),
    ] {
        let range = json!({"start": "2026-03-01T00:00:00Z", "end": "2026-04-01T00:00:00Z"});
        let mut fields = given(range);
        fields.extend(given(query));
        let platform = Platform::open("memory:").expect("opens");
        let agency = platform.create_agency("northwind", None).expect("creates");
        let told = match read::<UsageQuery>(fields) {
            Ok(query) => agency.usage(&query).expect_err("refused").to_string(),
            Err(refused) => refused.to_string(),
        };
        assert!(told.starts_with(&expected), "{told}");
        assert!(!told.contains("canary"));
    }
}

#[test]
fn s24_null_clears_where_that_means_something() {
    let patch = read::<ResellerPatch>(given(json!({"name": null, "website": null})));
    let patch = patch.expect("a patch");
    assert_eq!((patch.name, patch.website), (None, Patch::Clear));
    assert_eq!((patch.external_id, patch.unreadable), (Patch::Leave, FieldErrors::default()));
}

#[test]
fn s15_the_confirmation_is_compared_after_nfc() {
    let mut draft = good();
    draft.password = "plain téal walrus 94 umbrella".into();
    draft.password_confirmation = "plain te\u{301}al walrus 94 umbrella".into();
    assert_eq!(refused(draft), []);
}

#[test]
fn s15_only_what_was_accepted_is_a_passwords_context() {
    let mut draft = good();
    draft.name = "Véronique Lindqvist".into();
    draft.password = "veroniquelindqvist".into();
    draft.password_confirmation = draft.password.clone();
    assert_eq!(refused(draft), told(&[("password", Code::Guessable)]));
    let no_address = ResellerDraft { email: PASSWORD.into(), ..good() };
    assert_eq!(refused(no_address), told(&[("email", Code::Whitespace)]));
}

#[test]
fn s15_an_invitation_has_no_password() {
    let invited = ResellerDraft { invite: true, password_hash: None, ..good() };
    assert_eq!(refused(invited.clone()), told(&[("password", Code::Unexpected)]));
    let (password, password_confirmation) = (String::new(), String::new());
    assert_eq!(refused(ResellerDraft { password, password_confirmation, ..invited }), []);
}

#[test]
fn optional_fields_may_be_empty() {
    let (website, external_id) = (Some(String::new()), Some(String::new()));
    assert_eq!(refused(ResellerDraft { website, external_id, ..good() }), []);
}

#[test]
fn neither_errors_nor_debug_repeat_what_was_typed() {
    let mut draft = good();
    draft.email = "canary-email".into();
    draft.password = "canary-password".into();
    assert!(!format!("{draft:?}").contains("canary"));
    let platform = Platform::open("memory:").expect("opens");
    let agency = platform.create_agency("northwind", None).expect("creates");
    let error = agency.create_reseller(draft).expect_err("refused");
    assert!(!format!("{error} {error:?}").contains("canary"));
}

#[test]
fn every_code_has_its_own_slug_and_a_text() {
    let slugs: BTreeSet<_> = Code::ALL.iter().map(|code| code.slug()).collect();
    assert_eq!(slugs.len(), Code::ALL.len());
    let snake_case = |slug: &str| slug.bytes().all(|c| c.is_ascii_lowercase() || c == b'_');
    assert!(Code::ALL.iter().all(|code| snake_case(code.slug()) && !code.text().is_empty()));
}
