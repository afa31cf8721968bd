//! What an operation is called with, of each type: a type, or a text, that has no sample here
//! keeps the generated calls from compiling or from passing.

use super::super::fixture::PASSWORD;
use crate::form::Given;
use crate::{EventDraft, Metric, ResellerId, ResellerPatch, Timestamp};

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
            other => panic!("say what the text `{other}` is"),
        };
        text.to_owned()
    }
}

impl Sample for Option<String> {
    fn sample(of: &Subject, name: &str) -> Self {
        Some(of.sample(name))
    }
}

/// A version, whatever it is.
impl Sample for Option<u64> {
    fn sample(_: &Subject, _: &str) -> Self {
        None
    }
}

impl Sample for i64 {
    fn sample(_: &Subject, _: &str) -> Self {
        1
    }
}

impl Sample for Option<i64> {
    fn sample(of: &Subject, name: &str) -> Self {
        Some(of.sample(name))
    }
}

impl Sample for Metric {
    fn sample(_: &Subject, _: &str) -> Self {
        Self::MESSAGES
    }
}

impl Sample for ResellerPatch {
    fn sample(_: &Subject, _: &str) -> Self {
        Self { name: Some("Theirs".into()), ..Self::default() }
    }
}

impl Sample for Vec<EventDraft> {
    fn sample(of: &Subject, _: &str) -> Self {
        vec![EventDraft {
            id: Given::Text(of.event.clone()),
            reseller: Given::Text(of.id.to_string()),
            metric: Given::Text(Metric::MESSAGES.slug().into()),
            quantity: Given::Whole(3),
            at: Given::Instant(of.at),
        }]
    }
}
