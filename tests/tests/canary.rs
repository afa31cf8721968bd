//! Secrets and personal data, as canaries: none of them sings in Debug, Display or an error.

use partnerkit::access::{Credentials, Generation, Secret};
use partnerkit::{
    ContactDraft, Password, PasswordPolicy, PhoneDraft, Platform, ResellerDraft, ResellerPatch,
    ResellerQuery,
};
use partnerkit_tests::invitation;

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
    }
}

fn quiet(shown: &str) {
    assert!(!shown.to_lowercase().contains("canary"), "{shown}");
}

#[test]
fn no_error_repeats_what_was_given() {
    let platform = Platform::open("memory:").expect("opens");
    let agency = platform.create_agency("northwind").expect("creates");
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
        platform.create_agency("Canary").map(drop).expect_err("wrong"),
        platform.sign_in("canary", "canary@acme.example", "canary").expect_err("wrong"),
        platform.check_access("northwind.canary.canary").expect_err("wrong"),
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
    let agency = platform.create_agency("northwind").expect("creates");
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
    let access = platform.sign_in("acme", "owner@acme.example", PASSWORD).expect("signs in");
    let generation = access.stamp.rsplit('.').next().expect("a part");
    let shown = format!("{access:?} {access:#?} {reseller:?}");
    assert!(!shown.contains(generation), "a stamp is as good as a password");
    assert!(!shown.contains("$argon2"), "{shown}");
    quiet(&shown);
    let password = Password::parse(PASSWORD, PasswordPolicy::default(), &[]).expect("good");
    let bytes = *b"canarycanarycanarycanarycanaryca";
    let generation: [u8; 16] = *b"canarycanarycana";
    let shown = format!(
        "{password:?} {:?} {:?} {:?}",
        Secret::from_bytes(bytes),
        Generation::from_bytes(generation),
        std::any::type_name::<Credentials>(),
    );
    quiet(&shown);
    assert!(!shown.contains("99, 97, 110"), "nor its bytes");
}
