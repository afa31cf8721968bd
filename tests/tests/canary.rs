//! Secrets and personal data as canaries: none of them appears in Debug, Display or an error.

use std::sync::Arc;

use partnerkit::access::{Generation, Secret};
use partnerkit::schema::{self, Value};
use partnerkit::storage::memory::Memory;
use partnerkit::storage::{Batch, Scan, Storage, Tell};
use partnerkit::{
    ContactDraft, Password, PasswordPolicy, PhoneDraft, Platform, ResellerDraft, ResellerPatch,
    ResellerQuery,
};
use partnerkit_tests::invitation;
use partnerkit_tests::rows::{get, insert, rows};

const PASSWORD: &str = "canary teal walrus 94 umbrella";

/// A form that is wrong in every field, with a canary in each.
fn wrong() -> ResellerDraft {
    ResellerDraft {
        partner_type: "canary".into(),
        name: "canary\u{202e}".into(),
        email: "canary canary".into(),
        phone: PhoneDraft::national("canary", "canary"),
        password: "canary".into(),
        password_confirmation: "canary?".into(),
        password_hash: Some("canary".into()),
        contact: ContactDraft {
            name: "canary".repeat(50),
            email: "canary".into(),
            phone: PhoneDraft::international("canary"),
        },
        login_domain: "Canary".into(),
        website: Some("canary://canary".into()),
        external_id: Some("canary\u{7}".into()),
        metadata: [("canary".repeat(9), String::new())].into(),
        invite: true,
        ..ResellerDraft::default()
    }
}

fn quiet(shown: &str) {
    assert!(!shown.to_lowercase().contains("canary"), "{shown}");
}

#[test]
fn no_error_repeats_what_was_given() {
    let platform = Platform::open("memory:").expect("opens");
    let agency = platform.create_agency("northwind", None).expect("creates");
    let id = agency.create_reseller(invitation("acme")).expect("creates").id;
    let patch = ResellerPatch {
        name: Some("canary\u{202e}".into()),
        email: Some("canary".into()),
        ..ResellerPatch::default()
    };
    let errors = [
        agency.create_reseller(wrong()).expect_err("wrong"),
        agency.update_reseller(id, None, &patch).expect_err("wrong"),
        agency.rename_login_domain(id, None, "Canary").expect_err("wrong"),
        agency.change_partner_type(id, None, "canary").expect_err("wrong"),
        agency.set_password(id, "canary", "canary").expect_err("wrong"),
        agency.page(&ResellerQuery::all().after("canary")).expect_err("wrong"),
        platform.agency("canary").map(drop).expect_err("wrong"),
        platform.create_agency("Canary", None).map(drop).expect_err("wrong"),
        platform.sign_in("canary", "canary@acme.example", "canary", None).expect_err("wrong"),
        platform.check_access("northwind.canary.canary", None).expect_err("wrong"),
        platform.reset_password("canary", "canary", "canary").expect_err("wrong"),
        platform.resolve_host("canary.partner.localhost").expect_err("wrong"),
        Platform::open("canary:canary").map(drop).expect_err("wrong"),
        Platform::builder().login_base("canary canary").open("memory:").map(drop).expect_err("no"),
    ];
    for error in errors {
        quiet(&format!("{error} {error:?} {error:#?}"));
    }
}

#[test]
fn no_secret_is_shown() {
    let platform = Platform::open("memory:").expect("opens");
    let agency = platform.create_agency("northwind", None).expect("creates");
    let draft = ResellerDraft {
        invite: false,
        password: PASSWORD.into(),
        password_confirmation: PASSWORD.into(),
        ..invitation("acme")
    };
    quiet(&format!("{draft:?} {draft:#?}"));
    let login_domain = "quiet".into();
    quiet(&format!("{:?}", ResellerDraft { login_domain, ..wrong() }));
    let reseller = agency.create_reseller(draft).expect("creates");
    let access = platform.sign_in("acme", "owner@acme.example", PASSWORD, None).expect("signs in");
    let generation = access.stamp.rsplit('.').next().expect("a part");
    let shown = format!("{access:?} {access:#?} {reseller:?}");
    assert!(!shown.contains(generation), "a stamp is as good as a password");
    assert!(!shown.contains("$argon2"), "{shown}");
    quiet(&shown);
    let password = Password::parse(PASSWORD, PasswordPolicy::default(), &[]).expect("good");
    silent(&format!("{password:?} {password:#?}"));
}

/// Asserts that no canary appears, not even as a list of bytes.
fn silent(shown: &str) {
    quiet(shown);
    assert!(!shown.replace(char::is_whitespace, "").contains("99,97,110"), "{shown}");
}

/// The Debug output of what a store is given, as records and as rows.
#[test]
fn no_row_shows_a_secret() {
    let (salt, output) = ("canary".repeat(4), "canary".repeat(7));
    let hash = format!("$argon2id$v=19$m=19456,t=2,p=1${salt}${output}A");
    let store = Arc::new(Memory::new());
    let platform = Platform::builder().open_storage(store.clone()).expect("opens");
    let agency = platform.create_agency("northwind", None).expect("creates");
    let password_hash = Some(hash.clone());
    let draft = ResellerDraft { invite: false, password_hash, ..invitation("acme") };
    silent(&format!("{draft:?} {draft:#?}"));
    let id = agency.create_reseller(draft).expect("creates").id;
    // A store gets everything as rows.
    let table = &schema::CREDENTIALS;
    let key = vec![agency.id().as_str().into(), Value::Uuid(id.as_uuid())];
    let mut answers = Vec::new();
    let read = store
        .read(agency.id(), &mut |rows| rows.ask(vec![get(table, vec![key.clone()])], &mut answers));
    read.expect("reads");
    let kept = rows(answers.remove(0)).remove(0).expect("there");
    assert_eq!(kept[table.place("hash")], Value::Text(hash.clone()));
    let batch = Batch { table, rows: vec![kept.clone()] };
    let told = Tell::Put(batch.clone());
    silent(&format!("{kept:?} {batch:#?} {told:?} {:#?}", insert(table, vec![kept.clone()], None)));
    let secret = Secret::from_bytes(*b"canarycanarycanarycanarycanaryca");
    let generation = Generation::from_bytes(*b"canarycanarycana");
    silent(&format!("{secret:?} {secret:#?} {generation:?}"));

    let row = vec![
        Value::Null,
        Value::Integer(7),
        Value::Text(hash),
        Value::Bytes(secret.as_bytes().to_vec()),
    ];
    let scan = Scan::all(table, table.key, row.clone(), 1).after(row[2].clone());
    silent(&format!("{row:?} {row:#?} {scan:?} {scan:#?}"));
    assert_eq!(format!("{row:?}"), "[Null, Integer(7), Text(99 bytes), Bytes(32 bytes)]");
}
