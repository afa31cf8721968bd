//! Forms of any values: what a host gives by name is a form, or names the fields that it is not.

use std::collections::BTreeMap;

use partnerkit::form::{Form, Given, read};
use partnerkit::{AgencyPatch, ErrorKind, Platform, ResellerDraft, ResellerPatch, ResellerQuery};

pub const SEEDS: &[&str] = &[
    r#"{"partner_type": "own_plans", "name": "Acme", "email": "owner@acme.example", "login_domain": "acme",
        "phone": {"country": "US", "number": "(415) 555-2671"}, "invite": true, "metadata": {"tier": "gold"},
        "contact": {"name": "Ann", "email": "ann@acme.example", "phone": "+49 30 901820"}}"#,
    r#"{"name": null, "phone": ["US", "1"], "contact": {"name": 7, "phone": {}}, "website": null}"#,
    r#"{"text": "acme", "limit": 9, "descending": true, "sort": "name", "after": "", "joined_from": 0}"#,
    r#"{"time_zone": "Europe/Berlin", "capacity": {"messages": 5}, "reserved_labels": ["a", "b"]}"#,
    "\u{3}\u{0}\u{2}\u{4}Acme\u{2}\u{8}\u{1}\u{19}\u{5}\u{7}\u{3}\u{6}\u{1}\u{1}\u{0}",
];

/// The names of fields, so that one byte finds one.
const NAMES: [&str; 26] = [
    "name",
    "email",
    "phone",
    "contact",
    "website",
    "external_id",
    "metadata",
    "login_domain",
    "partner_type",
    "password",
    "password_confirmation",
    "password_hash",
    "invite",
    "status",
    "created_at",
    "deactivation_reason",
    "idempotency_key",
    "text",
    "limit",
    "after",
    "sort",
    "joined_from",
    "capacity",
    "time_zone",
    "reserved_labels",
    "number",
];

pub fn run(bytes: &[u8]) {
    let given = match serde_json::from_slice::<serde_json::Value>(bytes).map(Given::from) {
        Ok(Given::Record(given)) => given,
        _ => Bytes(bytes).record(3),
    };
    tried::<AgencyPatch>(&given);
    tried::<ResellerQuery>(&given);
    tried::<ResellerPatch>(&given);
    let Some(mut draft) = tried::<ResellerDraft>(&given) else { return };
    // A password that is accepted would be hashed, which is slow; it is judged all the same.
    draft.invite = draft.password.is_empty() && draft.password_confirmation.is_empty();
    draft.password_confirmation.push('!');
    let platform = Platform::open("memory:").expect("opens");
    let agency = platform.create_agency("northwind", None).expect("creates");
    if let Err(error) = agency.create_reseller(draft) {
        assert_eq!(error.kind(), ErrorKind::Validation);
        assert!(!error.fields().is_empty());
    }
}

/// The form, or fields that are wrong: one at least.
fn tried<F: Form>(given: &BTreeMap<String, Given>) -> Option<F> {
    read(given.clone()).map_err(|refused| assert!(!refused.is_empty())).ok()
}

/// Values made of bytes, whatever they are.
struct Bytes<'b>(&'b [u8]);

impl Bytes<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn text(&mut self) -> String {
        let length = usize::from(self.byte() % 32).min(self.0.len());
        let (text, rest) = self.0.split_at(length);
        self.0 = rest;
        String::from_utf8_lossy(text).into_owned()
    }

    fn name(&mut self) -> String {
        let byte = usize::from(self.byte());
        NAMES.get(byte % 32).map_or_else(|| self.text(), |name| (*name).to_owned())
    }

    fn record(&mut self, depth: u8) -> BTreeMap<String, Given> {
        let fields = self.byte() % 24;
        (0..fields).map(|_| (self.name(), self.value(depth))).collect()
    }

    fn value(&mut self, depth: u8) -> Given {
        match self.byte() % 9 {
            0 => Given::Nothing,
            1 => Given::Truth(self.byte() % 2 == 1),
            2 | 3 => Given::Text(self.text()),
            4 => Given::Whole(i128::from(self.byte()) << (self.byte() % 120)),
            5 => Given::Whole(-i128::from(self.byte())),
            6 => Given::Instant(partnerkit::Timestamp::from_millis(
                i64::from(self.byte()) << (self.byte() % 50),
            )),
            7 if depth > 0 => {
                Given::List((0..self.byte() % 4).map(|_| self.value(depth - 1)).collect())
            }
            8 if depth > 0 => Given::Record(self.record(depth - 1)),
            _ => Given::Other,
        }
    }
}
