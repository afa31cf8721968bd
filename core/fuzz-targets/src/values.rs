//! Values: each parser takes any text, and its own result again.

use partnerkit::{
    AgencyId, Email, EventId, ExternalId, LoginDomain, LoginDomainPolicy, Name, Password,
    PasswordPolicy, Phone, Website,
};

pub const SEEDS: &[&str] = &[
    "acme",
    "xn--bcher-kva",
    "O'Brien & Söhne",
    "Owner+tag@Bücher.example",
    "+49 30 901820",
    "(415) 555-2671",
    "https://Bücher.example:8443/a?b#c",
    "plain teal walrus 94 umbrella",
    "qwertzuiop1234567890",
];

pub fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (first, rest) = text.split_once('\n').unwrap_or(("US", &text));
    again(rest, AgencyId::parse, AgencyId::as_str);
    again(rest, Email::parse, Email::as_str);
    again(rest, EventId::parse, EventId::as_str);
    again(rest, ExternalId::parse, ExternalId::as_str);
    again(rest, LoginDomain::parse, LoginDomain::as_str);
    again(rest, |raw| LoginDomainPolicy::dns().parse(raw), LoginDomain::as_str);
    again(rest, Name::parse, Name::as_str);
    again(rest, Website::parse, Website::as_str);
    for country in [None, Some("US"), Some(first)] {
        if let Ok(phone) = Phone::parse(rest, country) {
            // What is stored is international, whatever country it was typed for.
            assert_eq!(Phone::parse(phone.as_str(), None).ok(), Some(phone));
        }
    }
    for policy in [PasswordPolicy::single_factor(), PasswordPolicy::with_mfa()] {
        let _ = Password::parse(rest, policy, &[first, rest]);
    }
}

/// What is accepted is accepted again, and stays as it is.
fn again<T, E>(raw: &str, parse: impl Fn(&str) -> Result<T, E>, shown: impl Fn(&T) -> &str) {
    let Ok(value) = parse(raw) else { return };
    let once = shown(&value);
    let twice = parse(once).ok();
    assert_eq!(twice.as_ref().map(&shown), Some(once), "of {raw:?}");
}
