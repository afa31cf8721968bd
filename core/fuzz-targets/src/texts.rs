//! Texts that the library gave out and takes back: cursors, stamps, tokens, host names. Of any
//! other text it says that it is not one.

use std::sync::OnceLock;

use partnerkit::{Agency, ErrorKind, Platform, ResellerQuery};

pub const SEEDS: &[&str] = &[
    "northwind.AZzxXhIAcAGwyrvXJ5DXEg.AAECAwQFBgcICQoLDA0ODw",
    "AQAAAAEBAQICAgMDAwQEBAUFBQYGBgcHBwgICAkJCQoKCgsLCwwMDA",
    "acme.partner.example.com.:8443",
    "xn--bcher-kva.partner.example.com",
    "[::1]:80",
];

fn opened() -> &'static (Platform, Agency) {
    static OPENED: OnceLock<(Platform, Agency)> = OnceLock::new();
    OPENED.get_or_init(|| {
        let builder = Platform::builder().login_base("partner.example.com");
        let platform = builder.open("memory:").expect("opens");
        let agency = platform.create_agency("northwind", None).expect("creates");
        (platform, agency)
    })
}

pub fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (platform, agency) = opened();
    let page = agency.page(&ResellerQuery::all().after(text.clone().into_owned()));
    is_refused(page, ErrorKind::InvalidCursor);
    is_refused(platform.check_access(&text, None), ErrorKind::AccessDenied);
    is_refused(platform.check_access(&text, Some(&text)), ErrorKind::AccessDenied);
    let new = "another teal walrus 95 umbrella";
    is_refused(platform.reset_password(&text, new, new), ErrorKind::AccessDenied);
    is_refused(platform.resolve_host(&text), ErrorKind::NotFound);
}

fn is_refused<T>(answer: partnerkit::Result<T>, kind: ErrorKind) {
    assert_eq!(answer.err().map(|error| error.kind()), Some(kind));
}
