//! No input, however long, makes a value panic: in this build arithmetic is checked, so what
//! would wrap in a release shows here (S50).

use partnerkit::{
    AgencyId, Email, EventId, ExternalId, LoginDomain, LoginDomainPolicy, Metadata, Name, Password,
    PasswordPolicy, Phone, Website,
};
use proptest::prelude::*;

/// Every way into a value.
fn parse_all(raw: &str, context: &str) {
    let _ = AgencyId::parse(raw);
    let _ = Email::parse(raw);
    let _ = EventId::parse(raw);
    let _ = ExternalId::parse(raw);
    let _ = LoginDomain::parse(raw);
    let _ = LoginDomainPolicy::dns().parse(raw);
    let _ = Metadata::parse([(raw.to_owned(), context.to_owned())].into());
    let _ = Name::parse(raw);
    let _ = Phone::parse(raw, None);
    let _ = Phone::parse(raw, Some("US"));
    let _ = Phone::parse(raw, Some(context));
    let _ = Website::parse(raw);
    for policy in [PasswordPolicy::single_factor(), PasswordPolicy::with_mfa()] {
        let _ = Password::parse(raw, policy, &[context, raw]);
    }
}

/// Text of a few characters, over and over: walks on a keyboard, sequences, digits, labels.
fn repeated() -> impl Strategy<Value = String> {
    let few = prop_oneof!["[a-z]{1,4}", "[0-9]{1,4}", "[!-~]{1,8}", "\\PC{1,6}", "[aA@4]{1,9}"];
    (few, 0_usize..300).prop_map(|(few, n)| few.chars().cycle().take(n).collect())
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![repeated(), "\\PC{0,300}", ".{0,300}", "[+0-9 ()-]{0,300}", "[a-z0-9.@:/-]{0,300}"]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn s50_no_text_makes_a_value_panic(raw in any_text(), context in any_text()) {
        parse_all(&raw, &context);
    }
}

#[test]
fn s50_no_walk_over_a_keyboard_makes_a_password_panic() {
    let walks = ["qw", "qaw", "qwsa", "zaq1xsw2", "q2w3e4r5t6y7", "147896321"];
    for walk in walks {
        for length in [28, 29, 33, 64, 100, 256] {
            let typed: String = walk.chars().cycle().take(length).collect();
            for policy in [PasswordPolicy::single_factor(), PasswordPolicy::with_mfa()] {
                let _ = Password::parse(&typed, policy, &[]);
                let _ = Password::parse(&typed.to_uppercase(), policy, &[&typed]);
            }
        }
    }
}
