//! An event as it comes from outside, before validation. A value that is missing, of another type
//! or too large rejects this event, but not its batch (S32).

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Metric, UsageEvent};
use crate::error::{Code, FieldError};
use crate::given::{Given, TEXT, WHOLE};
use crate::reseller::ResellerId;
use crate::values::{INSTANT, Timestamp};

impl Given {
    fn text(&self, field: &str) -> Result<&str, FieldError> {
        match self {
            Self::Text(text) => Ok(text),
            Self::Nothing => Err(FieldError::new(field, Code::Empty)),
            _ => Err(FieldError::new(field, Code::Invalid).expecting(TEXT)),
        }
    }

    fn whole(&self, field: &str) -> Result<i128, FieldError> {
        match self {
            Self::Whole(number) => Ok(*number),
            Self::Nothing => Err(FieldError::new(field, Code::Empty)),
            _ => Err(FieldError::new(field, Code::Invalid).expecting(WHOLE)),
        }
    }
}

/// The form of a [`UsageEvent`], as it comes from a queue, a file or another language. It can be
/// read from JSON by the names of its fields.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct EventDraft {
    /// The host's id of the event.
    pub id: Given,
    /// The text of the reseller's id.
    pub reseller: Given,
    /// The metric's slug.
    pub metric: Given,
    /// The quantity.
    pub quantity: Given,
    /// The time: an instant, its text in RFC 3339, or milliseconds since the epoch.
    pub at: Given,
    /// What was given under names that an event does not have: the first of them rejects it.
    #[serde(flatten)]
    pub unknown: BTreeMap<String, Given>,
}

/// The names of an event's fields.
const FIELDS: [&str; 5] = ["id", "reseller", "metric", "quantity", "at"];

impl EventDraft {
    /// The form of an event, made by asking for each field by its name: for bindings.
    ///
    /// Errors: the first error that a field is answered with.
    ///
    /// ```
    /// use partnerkit::form::Given;
    /// use partnerkit::{Code, EventDraft};
    ///
    /// let fields = [("id", Given::Text("msg-1".into())), ("quantity", Given::Truth(true))];
    /// let draft = EventDraft::of(|name| {
    ///     let given = fields.iter().find(|(field, _)| *field == name);
    ///     Ok::<_, ()>(given.map(|(_, value)| value.clone()).unwrap_or_default())
    /// });
    /// assert_eq!(draft.unwrap().parse().unwrap_err().code, Code::Empty); // no reseller
    /// ```
    pub fn of<E>(mut field: impl FnMut(&'static str) -> Result<Given, E>) -> Result<Self, E> {
        Ok(Self {
            id: field("id")?,
            reseller: field("reseller")?,
            metric: field("metric")?,
            quantity: field("quantity")?,
            at: field("at")?,
            unknown: BTreeMap::new(),
        })
    }

    /// The same form with the first of these names that an event does not have, which rejects it.
    ///
    /// ```
    /// use partnerkit::EventDraft;
    ///
    /// let draft = EventDraft::default().naming(["id", "colour"].map(str::to_owned));
    /// assert!(draft.unknown.contains_key("colour"));
    /// ```
    #[must_use]
    pub fn naming(mut self, names: impl IntoIterator<Item = String>) -> Self {
        let mut unknown = names.into_iter().filter(|name| !FIELDS.contains(&&**name));
        self.unknown.extend(unknown.next().map(|name| (name, Given::Nothing)));
        self
    }

    /// The event, or what is wrong with the first of its fields that is wrong. Codes: `empty` for
    /// what is missing, `invalid` for another type, `unknown_reseller`, `unknown_metric`,
    /// `negative`, `out_of_range`, `unknown_field` for a name that an event does not have.
    ///
    /// ```
    /// use partnerkit::EventDraft;
    ///
    /// let draft: EventDraft = serde_json::from_str(
    ///     r#"{"id": "msg-1", "reseller": "01936b2e-3f4a-7c1d-8e5f-0123456789ab",
    ///         "metric": "messages", "quantity": 3, "at": "2026-03-15T12:00:00Z"}"#,
    /// ).unwrap();
    /// let event = draft.parse().unwrap();
    /// assert_eq!((event.quantity, event.at.as_millis()), (3, 1_773_576_000_000));
    ///
    /// let wrong = EventDraft { metric: serde_json::json!("calls").into(), ..draft };
    /// let refused = wrong.parse().unwrap_err().to_string();
    /// assert!(refused.starts_with("metric is not a known metric: expected one of messages, "));
    /// ```
    pub fn parse(&self) -> Result<UsageEvent, FieldError> {
        let id = self.id.text("id")?.to_owned();
        let reseller: Option<ResellerId> = self.reseller.text("reseller")?.parse().ok();
        let reseller =
            reseller.ok_or_else(|| FieldError::new("reseller", Code::UnknownReseller))?;
        let metric = Metric::parse(self.metric.text("metric")?);
        let metric = metric.map_err(|refusal| refusal.of("metric"))?;
        let quantity = self.quantity.whole("quantity")?;
        let code = if quantity < 0 { Code::Negative } else { Code::OutOfRange };
        let quantity = i64::try_from(quantity).map_err(|_| FieldError::new("quantity", code))?;
        // An instant out of the range of timestamps is too old or in the future, like any other
        // such time.
        let at = match self.at.instant() {
            Some(at) => at.as_millis().into(),
            None => self.at.whole("at").map_err(|error| error.expecting(INSTANT))?,
        };
        let at = at.clamp(i64::MIN.into(), i64::MAX.into());
        let at = Timestamp::from_millis(i64::try_from(at).unwrap_or_default());
        match self.unknown.keys().next() {
            Some(name) => Err(FieldError::new(name, Code::UnknownField)),
            None => Ok(UsageEvent { id, reseller, metric, quantity, at }),
        }
    }
}

/// What can be recorded: a [`UsageEvent`], or an [`EventDraft`], which may turn out to be invalid.
///
/// ```
/// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/setup.rs")); }
/// # let setup::Scene { platform, agency, acme, password, form } = setup::scene()?;
/// use partnerkit::{EventDraft, Reported};
///
/// let drafts = [EventDraft::default()]; // from a queue, say: nothing is known of them
/// assert_eq!(drafts[0].event().unwrap_err().field, "id");
/// assert_eq!(agency.record_usage(&drafts)?.accepted(), 0);
/// # Ok::<(), partnerkit::Error>(())
/// ```
pub trait Reported {
    /// The event, or why it is invalid.
    fn event(&self) -> Result<Cow<'_, UsageEvent>, FieldError>;
}

impl Reported for UsageEvent {
    fn event(&self) -> Result<Cow<'_, UsageEvent>, FieldError> {
        Ok(Cow::Borrowed(self))
    }
}

impl Reported for EventDraft {
    fn event(&self) -> Result<Cow<'_, UsageEvent>, FieldError> {
        self.parse().map(Cow::Owned)
    }
}
