//! A usage event and its outcome.

use super::Metric;
use crate::agency::AgencyRow;
use crate::error::{Code, FieldError, Refusal};
use crate::reseller::ResellerId;
use crate::schema::entity::{entity, stored};
use crate::values::{Timestamp, text_value};
use serde::Serialize;

/// The host's id of an event: 1–255 bytes, unique within the agency.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventId(String);

text_value!(EventId);

impl EventId {
    /// Checks the id as given. Codes: `empty`, `too_long`, `control_character`.
    ///
    /// ```
    /// use partnerkit::{Code, EventId};
    ///
    /// assert_eq!(EventId::parse("msg-1").unwrap().as_str(), "msg-1");
    /// assert_eq!(EventId::parse("").unwrap_err().code(), Code::Empty);
    /// ```
    pub fn parse(raw: &str) -> Result<Self, Refusal> {
        if raw.is_empty() {
            return Err(Code::Empty.into());
        }
        if raw.len() > 255 {
            return Err(Refusal::too_long(255));
        }
        // Mostly there are only bytes of visible ASCII, which are told faster than characters.
        let is_visible = |byte: &u8| (0x20..0x7f).contains(byte);
        if !raw.as_bytes().iter().all(is_visible) && raw.chars().any(char::is_control) {
            return Err(Code::ControlCharacter.into());
        }
        Ok(Self(raw.to_owned()))
    }
}

/// A use of something, as a host reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageEvent {
    /// The host's id of the event, 1–255 bytes. Reporting the same event again changes nothing.
    pub id: String,
    /// The reseller that used it.
    pub reseller: ResellerId,
    /// The metric that counts it.
    pub metric: Metric,
    /// The quantity, not negative: what is added to a counter, or the level of a gauge.
    pub quantity: i64,
    /// The time of the use, at most 35 days ago, unless the platform accepts other ones.
    pub at: Timestamp,
}

stored! {
    /// A validated event, as it is stored.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Event {
        /// The host's id of the event.
        pub id: EventId,
        /// The reseller that used it.
        pub reseller: ResellerId,
        /// The metric that counts it.
        pub metric: Metric,
        /// The quantity: what is added to a counter, or the level of a gauge.
        pub quantity: i64,
        /// The time of the use.
        pub at: Timestamp,
        /// Whether it was taken back: it is still known, but not counted.
        pub voided: bool,
    }
}

impl Event {
    /// Whether another event is this one once more, whether it was taken back meanwhile or not.
    pub(crate) fn repeats(&self, other: &Self) -> bool {
        let Self { id, reseller, metric, quantity, at, voided: _ } = other;
        (&self.id, &self.reseller, &self.metric, &self.quantity, &self.at)
            == (id, reseller, metric, quantity, at)
    }
}

entity! {
    Event in "events" {
        key: EventId [agency, id];
        home: Home::Agency;
        parent: Some(AgencyRow::TABLE), refers: false;
        index age [agency, at];
    }
}

/// The outcome of one event of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventOutcome {
    /// The event was counted.
    Accepted,
    /// The same event was counted before.
    Duplicate,
    /// Another event with other content has this id.
    Conflict,
    /// The event was not counted. The error is that of the first field that is wrong.
    Rejected(FieldError),
}

impl EventOutcome {
    /// The stable slug.
    ///
    /// ```
    /// assert_eq!(partnerkit::EventOutcome::Duplicate.slug(), "duplicate");
    /// ```
    pub fn slug(&self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Duplicate => "duplicate",
            Self::Conflict => "conflict",
            Self::Rejected(_) => "rejected",
        }
    }
}

/// The outcomes of a batch, in the order of its events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UsageReport {
    /// One outcome for each event.
    pub outcomes: Vec<EventOutcome>,
}

impl UsageReport {
    /// How many events were counted.
    ///
    /// ```
    /// use partnerkit::{EventOutcome, UsageReport};
    ///
    /// let report = UsageReport { outcomes: vec![EventOutcome::Accepted, EventOutcome::Duplicate] };
    /// assert_eq!(report.accepted(), 1);
    /// ```
    pub fn accepted(&self) -> usize {
        self.outcomes.iter().filter(|o| **o == EventOutcome::Accepted).count()
    }
}
