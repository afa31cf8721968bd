//! Opening a platform: settings that cannot work are refused, with a message that repeats none.

use partnerkit::{ErrorKind, LoginDomain, LoginDomainPolicy, Platform, PlatformBuilder};

fn refused(builder: PlatformBuilder) -> bool {
    match builder.open("memory:") {
        Ok(_) => false,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Configuration);
            assert!(!format!("{error:?}").contains("canary"));
            true
        }
    }
}

#[test]
fn s5_the_login_base_is_the_name_of_a_domain() {
    let base = |base: &str| Platform::builder().login_base(base);
    let long = format!("{}example", "canary.".repeat(30));
    for bad in [
        "",
        "canary canary",
        "https://canary.example",
        "canary.example/x",
        "canary.example:443",
        "canary.example.",
        "127.0.0.1",
        "1.2.3",
        "canary.0x7f",
        "[::1]",
        "::1",
        "*.canary.example",
        &long,
    ] {
        assert!(refused(base(bad)), "{bad}");
    }
    for (given, url) in [
        ("partner.example.com", "https://acme.partner.example.com"),
        ("Partner.BÜCHER.example", "https://acme.partner.xn--bcher-kva.example"),
        ("localhost", "https://acme.localhost"),
        ("1.2.3.example", "https://acme.1.2.3.example"),
    ] {
        let platform = base(given).open("memory:").expect("opens");
        let acme = LoginDomain::parse("acme").expect("a label");
        assert_eq!(platform.login_url(&acme), url);
    }
}

#[test]
fn s4_what_is_reserved_are_login_domains() {
    let with = |policy| Platform::builder().login_domain_policy(policy);
    for bad in ["Canary", "canary.example", " canary", "canary-", ""] {
        assert!(refused(with(LoginDomainPolicy::letters().reserve([bad]))), "{bad}");
        assert!(refused(with(LoginDomainPolicy::dns().reserve_only(["a", bad]))), "{bad}");
    }
    // Under letters only nobody can have it, but the policy may change.
    assert!(!refused(with(LoginDomainPolicy::letters().reserve(["canary", "canary-7"]))));
}
