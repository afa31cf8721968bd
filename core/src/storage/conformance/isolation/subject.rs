//! What an operation is called with, of each type: a type that has no sample here keeps the
//! generated calls from compiling, and a text that has none may keep them from passing.

use super::super::fixture::PASSWORD;
use crate::form::{Form, Given, read};
use crate::{EventDraft, Metric, ResellerId, Timestamp, UsageQuery};

/// The password that a neighbour tries to set.
pub(super) const NEW_PASSWORD: &str = "another teal walrus 95 umbrella";

/// The reseller that operations are called on, by all that names it.
pub(super) struct Subject {
    pub id: ResellerId,
    pub external_id: String,
    /// The id of an event that was recorded of it.
    pub event: String,
    /// When that was.
    pub at: Timestamp,
}

impl Subject {
    pub fn sample<T: Sample>(&self, name: &str) -> T {
        T::sample(self, name)
    }

    /// A form with these texts in it.
    pub fn form<F: Form>(&self, texts: &[&str]) -> F {
        let text = |name: &&str| ((*name).to_owned(), Given::Text(self.sample(name)));
        read(texts.iter().map(text).collect()).expect("a form with texts")
    }
}

/// A type of arguments.
pub(super) trait Sample {
    /// What the argument of this name is given. What writes is to get as far as it can, so it is
    /// right for the reseller if that is the agency's own.
    fn sample(of: &Subject, name: &str) -> Self;
}

impl Sample for ResellerId {
    fn sample(of: &Subject, _: &str) -> Self {
        of.id
    }
}

impl Sample for String {
    fn sample(of: &Subject, name: &str) -> Self {
        let text = match name {
            "current" => PASSWORD,
            "external_id" => &of.external_id,
            "id" => &of.event,
            "login_domain" => "initech",
            "partner_type" => "commission",
            "password" | "password_confirmation" => NEW_PASSWORD,
            "reason" => "nonpayment",
            "email" => "theirs@acme.example",
            "website" => "theirs.example",
            // Where this text is not valid, the case fails: then the argument needs a line above.
            other => other,
        };
        text.to_owned()
    }
}

impl<T: Sample> Sample for Option<T> {
    fn sample(of: &Subject, name: &str) -> Self {
        Some(of.sample(name))
    }
}

impl Sample for Timestamp {
    fn sample(of: &Subject, _: &str) -> Self {
        of.at
    }
}

impl Sample for UsageQuery {
    fn sample(of: &Subject, _: &str) -> Self {
        let [start, end] = ["2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"];
        let range = UsageQuery::between(start.parse().expect("valid"), end.parse().expect("valid"));
        Self { resellers: Some(vec![of.id]), by_reseller: true, ..range }
    }
}

impl Sample for bool {
    fn sample(_: &Subject, _: &str) -> Self {
        true
    }
}

/// Numbers. The first version is the right one.
macro_rules! numbers {
    ($($Type:ty),*) => {
        $(impl Sample for $Type {
            fn sample(_: &Subject, _: &str) -> Self {
                1
            }
        })*
    };
}

numbers!(i64, u32, u64);

impl Sample for Vec<EventDraft> {
    fn sample(of: &Subject, name: &str) -> Self {
        let history = "2024-01-01T00:00:00Z".parse().expect("valid");
        let at = if name == "rollups" { history } else { of.at };
        vec![EventDraft {
            id: Given::Text(of.event.clone()),
            reseller: Given::Text(of.id.to_string()),
            metric: Given::Text(Metric::MESSAGES.slug().into()),
            quantity: Given::Whole(3),
            at: Given::Instant(at),
            ..EventDraft::default()
        }]
    }
}
