//! The values: what each accepts and why it refuses, and what holds for any input.

use std::collections::{BTreeMap, HashMap};

use partnerkit::{
    AgencyId, Code, Email, EventId, ExternalId, LoginDomain, LoginDomainPolicy, Metadata, Name,
    Password, PasswordPolicy, Phone, Refusal, Website, phone_countries,
};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

fn code<T>(parsed: Result<T, Refusal>) -> Option<Code> {
    parsed.err().map(|refusal| refusal.code())
}

#[test]
fn s1_each_cause_has_its_own_code_and_nothing_is_mapped() {
    let cases = [
        ("acme", None),
        (&"a".repeat(63), None),
        ("", Some(Code::Empty)),
        (&"a".repeat(64), Some(Code::TooLong)),
        ("Acme", Some(Code::Uppercase)),
        (" acme", Some(Code::Whitespace)),
        ("ac\u{a0}me", Some(Code::Whitespace)),
        ("acme1", Some(Code::Digit)),
        ("ac-me", Some(Code::SpecialCharacter)),
        ("ac.me", Some(Code::SpecialCharacter)),
        ("acmé", Some(Code::NotAscii)),
        ("ａｃｍｅ", Some(Code::NotAscii)),
        ("ac\u{ad}me", Some(Code::NotAscii)),
        ("acmeſ", Some(Code::NotAscii)),
        ("аcme", Some(Code::NotAscii)),
    ];
    let letters = LoginDomainPolicy::letters();
    for (raw, expected) in cases {
        assert_eq!(code(letters.parse(raw)), expected, "{raw}");
    }
}

#[test]
fn s2_digits_and_inner_single_hyphens_are_allowed_by_choice() {
    let dns = LoginDomainPolicy::dns();
    for raw in ["acme", "acme1", "1acme", "7", "ac-me", "a-b-c", &"a1".repeat(31)] {
        assert_eq!(code(dns.parse(raw)), None, "{raw}");
    }
    for raw in ["-acme", "acme-", "ac--me", "xn--acme", "-", "--"] {
        assert_eq!(code(dns.parse(raw)), Some(Code::Hyphen), "{raw}");
    }
    for (raw, expected) in [
        ("Acme-1", Code::Uppercase),
        ("ac_me", Code::SpecialCharacter),
        ("acmé", Code::NotAscii),
        (" acme", Code::Whitespace),
        (&"a1".repeat(32), Code::TooLong),
    ] {
        assert_eq!(code(dns.parse(raw)), Some(expected), "{raw}");
    }
}

#[test]
fn s4_reserved_labels_are_data_of_the_platform() {
    let policy = LoginDomainPolicy::letters().reserve(["contoso"]);
    for label in ["www", "wpad", "contoso"] {
        assert_eq!(code(policy.parse(label)), Some(Code::Reserved), "{label}");
        LoginDomain::parse(label).expect("a holder keeps it");
    }
    let own = LoginDomainPolicy::letters().reserve_only(["contoso"]);
    assert_eq!(code(own.parse("www")), None);
    assert_eq!(code(own.parse("contoso")), Some(Code::Reserved));
}

#[test]
fn s8_a_name_is_kept_as_typed_in_nfc() {
    let name = |raw| Name::parse(raw).map(|name| name.to_string());
    assert_eq!(
        name(" O'Neil \"&\" Søn 株式会社 🏢 ").as_deref(),
        Ok("O'Neil \"&\" Søn 株式会社 🏢")
    );
    assert_eq!(name("Ame\u{301}lie").as_deref(), Ok("Amélie"));
    assert_eq!(code(Name::parse(&"é".repeat(200))), None);
    assert_eq!(code(Name::parse(&"é".repeat(201))), Some(Code::TooLong));
    assert_eq!(code(Name::parse(" \t ")), Some(Code::Empty));
    assert_eq!(code(Name::parse("a\u{202e}b")), Some(Code::ControlCharacter));
    assert_eq!(code(Name::parse("a\u{0}b")), Some(Code::ControlCharacter));
}

#[test]
fn s9_emails_compare_by_ascii_case_and_domain_form_only() {
    let key = |raw| Email::parse(raw).map(|email| email.key());
    assert_eq!(key("Owner+x.y@BÜCHER.example").as_deref(), Ok("owner+x.y@xn--bcher-kva.example"));
    assert_eq!(key("owner+x.y@xn--bcher-kva.example"), key("OWNER+x.y@bücher.example"));
    assert!(key("\u{212a}im@a.example").is_err(), "a Kelvin sign is no k");
    assert_ne!(key("k\u{131}m@a.example"), key("kim@a.example"), "dotless i");
    assert_ne!(key("\u{17f}am@a.example"), key("sam@a.example"), "long s");
    assert_eq!(key("Ame\u{301}@a.example"), key("amé@a.example"), "NFC");
    let long = format!("{}@a.example", "x".repeat(65));
    let longer = format!("x@{}example", "abcdefgh.".repeat(30));
    let refused = [
        "",
        "a",
        "@a.example",
        "a@",
        "a@b",
        "a..b@a.example",
        ".a@a.example",
        "\"a b\"@a.example",
        "a@[127.0.0.1]",
        "a@127.0.0.1",
        "a@1.2.3.0x4",
        "a@a.123",
        "a b@a.example",
        "a@a.example.",
        "a@@a.example",
        "a@a..example",
        "a@-a.example",
        "a\u{0}@a.example",
        &long,
        &longer,
    ];
    for raw in refused {
        assert!(Email::parse(raw).is_err(), "{raw}");
    }
    let bound = |raw| Email::parse(raw).expect_err("too long").of("email").params;
    assert_eq!(bound(&long), [("max", 64)], "of the local part");
    let whole = format!("{}@{}example", "x".repeat(64), "abcdefgh.".repeat(26));
    assert_eq!(bound(&whole), [("max", 254)], "of the whole");
    assert_eq!(code(Email::parse(&format!("{}@a.example", "x".repeat(64)))), None);
    assert_eq!(code(Email::parse("a@1.2.3.example")), None);
}

#[test]
fn s11_phones_become_e164_and_must_fit_their_country() {
    let phone = |raw, country| Phone::parse(raw, country).map(|phone| phone.to_string());
    assert_eq!(phone("(415) 555-2671", Some("US")).as_deref(), Ok("+14155552671"));
    assert_eq!(phone("+49 30 901820", None).as_deref(), Ok("+4930901820"));
    assert_eq!(phone("030 901820", Some("DE")).as_deref(), Ok("+4930901820"));
    assert_eq!(phone("+49 30 901820", Some("DE")).as_deref(), Ok("+4930901820"));
    assert_eq!(code(Phone::parse("+49 30 901820", Some("US"))), Some(Code::CountryMismatch));
    assert_eq!(code(Phone::parse("030 901820", None)), Some(Code::Invalid));
    assert_eq!(code(Phone::parse("030 901820", Some("XX"))), Some(Code::UnknownCountry));
    assert_eq!(code(Phone::parse("12", Some("DE"))), Some(Code::Invalid));
    assert_eq!(code(Phone::parse(&"9".repeat(1_000_000), Some("DE"))), Some(Code::TooLong));
    let german = Phone::parse("+4930901820", None).expect("valid");
    assert_eq!(german.national_format(), "030 901820");
}

#[test]
fn s11_every_country_of_the_form_accepts_its_own_example() {
    let countries = phone_countries();
    assert!(countries.len() > 240, "{}", countries.len());
    assert!(countries.windows(2).all(|pair| pair[0].code < pair[1].code));
    let refused = countries.iter().filter_map(|country| {
        let example = country.example.as_deref()?;
        let parsed = Phone::parse(example, Some(&country.code));
        let fits = |phone: &Phone| {
            let again = Phone::parse(phone.as_str(), None);
            let code = format!("+{}", country.calling_code);
            phone.as_str().starts_with(&code) && again.as_ref() == Ok(phone)
        };
        (!parsed.as_ref().is_ok_and(fits)).then_some((&*country.code, example.to_owned(), parsed))
    });
    assert_eq!(refused.collect::<Vec<_>>(), []);
}

#[test]
fn s12_websites_are_http_addresses_without_user_info() {
    let website = |raw| Website::parse(raw).map(|website| website.to_string());
    assert_eq!(website("acme.example").as_deref(), Ok("https://acme.example/"));
    assert_eq!(
        website("http://Bücher.example:8080/a b").as_deref(),
        Ok("http://xn--bcher-kva.example:8080/a%20b")
    );
    // An address in a path or a query is part of that.
    for raw in ["acme.example/?next=https://x", "acme.example?a=b://c", "acme.example#x://y"] {
        let expected = format!("https://{}", raw.replace("example?", "example/?"));
        let expected = expected.replace("example#", "example/#");
        assert_eq!(website(raw).as_deref(), Ok(expected.as_str()));
    }
    assert_eq!(code(Website::parse("acme.example://x")), Some(Code::UnsupportedScheme));
    assert_eq!(code(Website::parse("ftp://acme.example")), Some(Code::UnsupportedScheme));
    assert_eq!(code(Website::parse("https://user:secret@acme.example")), Some(Code::UserInfo));
    assert_eq!(code(Website::parse("user@acme.example")), Some(Code::UserInfo));
    assert_eq!(code(Website::parse("localhost")), Some(Code::Invalid));
    assert_eq!(code(Website::parse("javascript:alert(1)")), Some(Code::Invalid));
    assert_eq!(
        code(Website::parse(&format!("a.example/{}", "x".repeat(2_048)))),
        Some(Code::TooLong)
    );
}

#[test]
fn s15_passwords_are_judged_by_length_and_guessability() {
    let context = ["Acme Télécom", "owner@acme.example", "acme"];
    let judge = |raw: &str| code(Password::parse(raw, PasswordPolicy::default(), &context));
    assert_eq!(judge("plain teal walrus 94 umbrella"), None);
    assert_eq!(judge(""), Some(Code::Empty));
    assert_eq!(judge("Xq7#kW9!zR4v"), Some(Code::TooShort));
    assert_eq!(judge("passwordpassword"), Some(Code::Guessable));
    assert_eq!(judge("owner@acme.example"), Some(Code::Guessable));
    assert_eq!(judge(&"é".repeat(257)), Some(Code::TooLong));
    assert_eq!(judge(&"🏢".repeat(257)), Some(Code::TooLong));
    let mfa = Password::parse("Xq7#kW9!zR4v", PasswordPolicy::with_mfa(), &context);
    assert_eq!(code(mfa.clone()), None);
    assert!(!format!("{mfa:?}").contains("kW9"), "Debug shows nothing");
}

#[test]
fn s15_a_password_has_its_bounds() {
    let of = |policy| move |raw: &str| code(Password::parse(raw, policy, &[]));
    let (alone, with_mfa) = (of(PasswordPolicy::default()), of(PasswordPolicy::with_mfa()));
    assert_eq!(alone("kX9#vQ2!mZ7&pL"), Some(Code::TooShort), "14");
    assert_eq!(alone("kX9#vQ2!mZ7&pL4"), None, "15");
    assert_eq!(alone("k\u{e9}9#vQ2!mZ7&pL"), Some(Code::TooShort), "14 of 15 bytes");
    assert_eq!(alone("ke\u{301}9#vQ2!mZ7&pL"), Some(Code::TooShort), "14 in NFC");
    assert_eq!(with_mfa("kX9#vQ2"), Some(Code::TooShort), "7");
    assert_eq!(with_mfa("kX9#vQ2!"), None, "8");
    for common in ["password", "qwertyui", "12345678", "acmeacme"] {
        assert_eq!(with_mfa(common), Some(Code::Guessable), "{common}");
    }
    let words = "plain teal walrus 94 umbrella ".repeat(10);
    assert_eq!(alone(&words[..256]), None, "256");
    assert_eq!(alone(&words[..257]), Some(Code::TooLong), "257");
    // Four bytes each, without any pattern; and letters that take more bytes before NFC.
    let ideographs = |n: u32| (0..n).filter_map(|i| char::from_u32(0x2_0000 + i * i));
    let longest: String = ideographs(256).collect();
    assert_eq!((longest.len(), alone(&longest)), (1_024, None), "256 of 1,024 bytes");
    let most: String =
        ideographs(253).chain("o\u{31b}\u{309}o\u{31b}\u{309}\u{e9}".chars()).collect();
    assert_eq!((most.len(), alone(&most)), (1_024, None), "as many before NFC");
    let more: String =
        ideographs(253).chain("o\u{31b}\u{309}o\u{31b}\u{309}e\u{301}".chars()).collect();
    assert_eq!((more.len(), alone(&more)), (1_025, Some(Code::TooLong)), "one byte more");
    assert_eq!(alone(" kX9#vQ2!mZ7&p "), None, "spaces count, those at the ends, too");
    assert_eq!(alone("kX9#vQ2!mZ7&pL\0"), None, "and NUL does");
}

#[test]
fn s15_a_password_is_more_than_its_context() {
    let context = ["Véronique Lindqvist", "anna.maria+billing@nordwind-telekom.example", "tuli"];
    let judge = |raw: &str| code(Password::parse(raw, PasswordPolicy::default(), &context));
    for guessable in [
        "veroniquelindqvist",
        "véroniquelindqvist",
        "ve\u{301}ronique lindqvist",
        "VeroniqueLindqvist1",
        "lindqvist veronique",
        "lindqvist-veronique-1987",
        "annamariabilling",
        "anna.maria+billing",
        "nordwindtelekom",
        "nordwind telekom tuli",
        "tulitulitulituli",
    ] {
        assert_eq!(judge(guessable), Some(Code::Guessable), "{guessable}");
    }
    for good in ["plain teal walrus 94 umbrella", "tuli plain teal walrus 94 umbrella"] {
        assert_eq!(judge(good), None, "{good}");
    }
    let long = "véronique ".repeat(1_000_000);
    let judge = |raw: &str| code(Password::parse(raw, PasswordPolicy::default(), &[&long]));
    assert_eq!(judge("veroniqueveronique"), Some(Code::Guessable), "and a text of any length");
}

#[test]
fn s14_metadata_is_bounded() {
    let pairs = |n: usize| (0..n).map(|n| (format!("key {n}"), "v".repeat(500))).collect();
    let one = |key: &str, value: &str| Metadata::parse([(key.into(), value.into())].into());
    assert_eq!(code(Metadata::parse(pairs(50))), None);
    assert_eq!(code(Metadata::parse(pairs(51))), Some(Code::TooMany));
    assert_eq!(code(one("", "x")), Some(Code::Empty));
    assert_eq!(code(one(&"é".repeat(40), &"é".repeat(500))), None);
    assert_eq!(code(one(&"k".repeat(41), "x")), Some(Code::TooLong));
    assert_eq!(code(one("k", &"v".repeat(501))), Some(Code::TooLong));
    assert_eq!(code(one("k", "a\nb\tc")), None, "the host's own data");
    assert_eq!(code(one("k", "a\0b")), Some(Code::ControlCharacter));
    assert_eq!(code(one("k\0", "b")), Some(Code::ControlCharacter));
}

#[test]
fn s56_agency_ids_are_slugs() {
    for id in ["northwind", "a", "a1-b2", &"a".repeat(63)] {
        assert_eq!(code(AgencyId::parse(id)), None, "{id}");
    }
    for id in ["", "Northwind", "-a", "a-", "a--b", "a_b", "_platform", "é", &"a".repeat(64)] {
        assert!(AgencyId::parse(id).is_err(), "{id}");
    }
}

/// Anything at all, and things that nearly are a value.
fn raw() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "\\PC{0,12}@\\PC{0,12}\\.[a-zé]{2,6}",
        "[ +0-9().-]{0,20}",
        "(https?://)?\\PC{0,30}\\.[a-z]{2,4}(/\\PC{0,20})?",
        "[a-z]{1,70}",
        "[\\u{300}-\\u{36f}\\u{1100}-\\u{11ff}a-zA-Z ]{0,40}",
    ]
}

/// Countries there are, and anything else.
fn country() -> impl Strategy<Value = String> {
    let codes: Vec<String> = phone_countries().into_iter().map(|c| c.code).collect();
    prop_oneof![3 => proptest::sample::select(codes), 1 => any::<String>()]
}

/// Labels, what nearly is one, and anything at all.
fn label() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,64}",
        "[a-z0-9-]{1,64}",
        "[a-zA-Z0-9é ._-]{0,8}",
        "reserved",
        any::<String>()
    ]
}

/// S10: what a value holds gives the same value again.
fn idempotent<T: PartialEq + std::fmt::Debug>(
    raw: &str,
    parse: impl Fn(&str) -> Result<T, Refusal>,
    text: impl Fn(&T) -> String,
) {
    if let Ok(value) = parse(raw) {
        let again = parse(&text(&value));
        assert_eq!(again.as_ref(), Ok(&value), "{raw:?}");
    }
}

proptest! {
    #[test]
    fn s10_parsing_is_idempotent_and_never_panics(raw in raw()) {
        idempotent(&raw, LoginDomain::parse, ToString::to_string);
        idempotent(&raw, AgencyId::parse, ToString::to_string);
        idempotent(&raw, Name::parse, ToString::to_string);
        idempotent(&raw, ExternalId::parse, ToString::to_string);
        idempotent(&raw, EventId::parse, ToString::to_string);
        idempotent(&raw, Email::parse, ToString::to_string);
        idempotent(&raw, Website::parse, ToString::to_string);
        idempotent(&raw, |raw| Phone::parse(raw, None), ToString::to_string);
    }

    #[test]
    fn s11_a_national_number_never_panics(raw in "[ +0-9().-]{0,66}", country in "[A-Z]{2}") {
        if let Ok(phone) = Phone::parse(&raw, Some(&country)) {
            prop_assert_eq!(Phone::parse(phone.as_str(), None), Ok(phone));
        }
    }

    #[test]
    fn s11_any_number_of_any_country_never_panics(raw in raw(), country in country()) {
        if let Ok(phone) = Phone::parse(&raw, Some(&country)) {
            prop_assert_eq!(Phone::parse(phone.as_str(), None), Ok(phone));
        }
    }

    #[test]
    fn s1_s2_a_policy_takes_what_it_says_and_nothing_else(raw in label()) {
        let letters = |c: char| c.is_ascii_lowercase();
        let dns = |c: char| letters(c) || c.is_ascii_digit() || c == '-';
        let short = (1..=63).contains(&raw.len());
        let hyphens = !raw.starts_with('-') && !raw.ends_with('-') && !raw.contains("--");
        for (policy, allowed) in [
            (LoginDomainPolicy::letters(), short && raw.chars().all(letters)),
            (LoginDomainPolicy::dns(), short && raw.chars().all(dns) && hyphens),
        ] {
            let parsed = policy.reserve_only(["reserved"]).parse(&raw);
            prop_assert_eq!(parsed.is_ok(), allowed && raw != "reserved", "{:?}", parsed);
            prop_assert!(parsed.is_err() || parsed == LoginDomain::parse(&raw));
        }
    }

    #[test]
    fn s9_two_emails_share_a_key_only_by_ascii_case_or_domain_form(
        one in "[a-zA-ZéÉſıİK]{1,3}", two in "[a-zA-ZéÉſıİK]{1,3}",
    ) {
        let parse = |local: &str| Email::parse(&format!("{local}@a.example")).expect("valid");
        let same = parse(&one).key() == parse(&two).key();
        prop_assert_eq!(same, one.eq_ignore_ascii_case(&two));
    }
}

/// S9, over all code points: whatever is put into an address, nothing but another case of an
/// ASCII letter or another form of the domain makes it the same.
#[test]
fn s9_no_two_different_addresses_are_the_same_account() {
    let mut by_key: HashMap<String, String> = HashMap::new();
    let mut stored = 0;
    for c in '\0'..=char::MAX {
        for raw in [format!("a{c}@a.example"), format!("{c}@a.example")] {
            let Ok(email) = Email::parse(&raw) else { continue };
            stored += 1;
            let other = by_key.entry(email.key()).or_insert_with(|| email.to_string());
            assert!(other.eq_ignore_ascii_case(email.as_str()), "{raw:?} is {other:?}");
            if !c.is_ascii() {
                assert!(!email.key().is_ascii(), "U+{:04X} became ASCII", u32::from(c));
            }
        }
    }
    assert!(stored > 100_000, "{stored}");
}

/// S9, over all code points in the other half: of what is not ASCII nothing leads to a domain in
/// ASCII, and two domains are one only where they are one to Unicode (case, compatibility forms).
#[test]
fn s9_no_two_different_domains_are_the_same_account() {
    let mut by_key: HashMap<String, char> = HashMap::new();
    for c in '\0'..=char::MAX {
        let Ok(email) = Email::parse(&format!("a@x{c}y.example")) else { continue };
        let key = email.key();
        assert_eq!(Email::parse(email.as_str()), Ok(email), "U+{:04X}", u32::from(c));
        if !c.is_ascii() {
            assert!(key.starts_with("a@xn--"), "U+{:04X} became {key:?}", u32::from(c));
        }
        let other = *by_key.entry(key).or_insert(c);
        assert_eq!(
            one_form(c),
            one_form(other),
            "U+{:04X}, {:04X}",
            u32::from(c),
            u32::from(other)
        );
    }
    assert!(by_key.len() > 50_000, "{}", by_key.len());
    for raw in
        ["a@\u{212a}elvin.example", "a@ma\u{17f}.example", "a@ac\u{ad}me.example", "a@ａ.example"]
    {
        assert_eq!(code(Email::parse(raw)), Some(Code::Invalid), "{raw}");
    }
}

/// A character without case and in its plainest form.
fn one_form(c: char) -> String {
    let nfkc = icu_normalizer::ComposingNormalizerBorrowed::new_nfkc();
    let folded = icu_casemap::CaseMapper::new().fold_string(&c.to_string()).into_owned();
    let plain = nfkc.normalize(&folded).into_owned();
    nfkc.normalize(&icu_casemap::CaseMapper::new().fold_string(&plain)).into_owned()
}

/// S9, S8: what cannot be seen cannot tell two addresses or names apart.
#[test]
fn s9_invisible_characters_are_refused() {
    for c in [
        '\u{ad}',
        '\u{200b}',
        '\u{200e}',
        '\u{202e}',
        '\u{2066}',
        '\u{feff}',
        '\u{61c}',
        '\u{85}',
        '\u{2028}',
        '\u{e0041}',
        '\u{fff9}',
        '\u{180e}',
    ] {
        let email = Email::parse(&format!("ow{c}ner@a.example"));
        assert!(email.is_err(), "U+{:04X} in an address", u32::from(c));
        let email = Email::parse(&format!("a@ow{c}ner.example"));
        assert!(email.is_err(), "U+{:04X} in a domain", u32::from(c));
    }
    for c in
        ['\u{0}', '\u{1b}', '\u{85}', '\u{202a}', '\u{202e}', '\u{2066}', '\u{2069}', '\u{2028}']
    {
        let name = Name::parse(&format!("Ac{c}me"));
        assert_eq!(code(name), Some(Code::ControlCharacter), "U+{:04X} in a name", u32::from(c));
    }
    // Joiners make letters of some scripts and families of emoji.
    for name in ["می\u{200c}خواهم", "👩\u{200d}💻 Studio", "क\u{94d}\u{200d}ष"] {
        assert_eq!(code(Name::parse(name)), None, "{name}");
    }
}

/// Serde goes through the parser, both ways, and an error never repeats what was given.
fn through_json<T>(raw: &str, parsed: Result<T, Refusal>)
where
    T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let json = serde_json::to_string(raw).expect("a text");
    match (parsed, serde_json::from_str::<T>(&json)) {
        (Ok(value), Ok(read)) => {
            assert_eq!(read, value);
            let written = serde_json::to_string(&value).expect("a value");
            assert_eq!(serde_json::from_str::<T>(&written).expect("its own form"), value);
        }
        (Err(refusal), Err(error)) => {
            assert!(error.to_string().starts_with(refusal.code().slug()), "{error}");
        }
        (parsed, read) => panic!("{raw:?} is {parsed:?} parsed and {read:?} read"),
    }
}

proptest! {
    #[test]
    fn values_are_read_through_their_parser(raw in raw()) {
        through_json(&raw, LoginDomain::parse(&raw));
        through_json(&raw, AgencyId::parse(&raw));
        through_json(&raw, Name::parse(&raw));
        through_json(&raw, ExternalId::parse(&raw));
        through_json(&raw, EventId::parse(&raw));
        through_json(&raw, Email::parse(&raw));
        through_json(&raw, Website::parse(&raw));
        through_json(&raw, Phone::parse(&raw, None));
    }

    #[test]
    fn s14_metadata_is_read_through_its_parser(raw: BTreeMap<String, String>) {
        let json = serde_json::to_string(&raw).expect("a map");
        let read = serde_json::from_str::<Metadata>(&json);
        match Metadata::parse(raw) {
            Ok(metadata) => prop_assert_eq!(read.expect("reads"), metadata),
            Err(_) => prop_assert!(read.is_err()),
        }
    }

    #[test]
    fn s10_a_label_of_a_policy_is_one_for_looking_up(raw in "[a-z0-9-]{0,66}") {
        for policy in [LoginDomainPolicy::letters(), LoginDomainPolicy::dns()] {
            if let Ok(label) = policy.parse(&raw) {
                prop_assert_eq!(LoginDomain::parse(label.as_str()), Ok(label));
            }
        }
    }

    #[test]
    fn s15_a_password_never_panics(raw: String, context: String) {
        let policy = PasswordPolicy::with_mfa();
        if let Ok(password) = Password::parse(&raw, policy, &[&context]) {
            let shown = format!("{:?}", password);
            prop_assert!(!shown.contains(&raw));
        }
    }
}
