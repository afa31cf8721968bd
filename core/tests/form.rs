//! The form of a reseller: what it requires, and that it says all that is wrong at once.

use std::collections::BTreeSet;

use partnerkit::{Code, ContactDraft, Patch, PhoneDraft, Platform, ResellerDraft, ResellerPatch};

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
    let no_text = ["metadata", "password", "website", "name"].map(str::to_owned).into();
    let (name, email, password) = (String::new(), "owner".into(), String::new());
    let draft = ResellerDraft { name, email, password, no_text, ..good() };
    let expected = [
        ("name", Code::Invalid),
        ("email", Code::Invalid),
        ("password", Code::Invalid),
        ("website", Code::Invalid),
        ("metadata", Code::Invalid),
    ];
    assert_eq!(refused(draft), told(&expected));
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
