//! Metrics: what can be counted.

use crate::error::{Code, Refusal};

/// How the values of a metric add up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MetricKind {
    /// The quantities of events add up.
    Counter,
    /// The latest event gives the level; levels are never summed over time.
    Gauge,
}

/// A metric. Team members are a gauge (the latest level counts), the others are counters (they add
/// up).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Metric(&'static str);

impl Metric {
    /// Messages of every channel.
    pub const MESSAGES: Self = Self("messages");
    /// WhatsApp messages.
    pub const WHATSAPP_MESSAGES: Self = Self("whatsapp_messages");
    /// WhatsApp conversations of 24 hours, which is what plans allow.
    pub const WHATSAPP_CONVERSATIONS: Self = Self("whatsapp_conversations");
    /// Members of the reseller's team.
    pub const TEAM_MEMBERS: Self = Self("team_members");

    /// All metrics.
    pub const ALL: [Self; 4] =
        [Self::MESSAGES, Self::WHATSAPP_MESSAGES, Self::WHATSAPP_CONVERSATIONS, Self::TEAM_MEMBERS];

    /// The metric with this slug.
    ///
    /// ```
    /// use partnerkit::Metric;
    ///
    /// assert_eq!(Metric::from_slug("messages"), Some(Metric::MESSAGES));
    /// assert_eq!(Metric::from_slug("calls"), None);
    /// ```
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|m| m.0 == slug)
    }

    /// Every counter.
    pub(crate) fn counters() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|metric| metric.kind() == MetricKind::Counter)
    }

    /// The metric with this slug, as typed. Code: `unknown_metric`.
    ///
    /// ```
    /// use partnerkit::{Code, Metric};
    ///
    /// assert_eq!(Metric::parse("messages").unwrap(), Metric::MESSAGES);
    /// assert_eq!(Metric::parse("calls").unwrap_err().code(), Code::UnknownMetric);
    /// ```
    pub fn parse(slug: &str) -> Result<Self, Refusal> {
        let unknown = || Refusal::unknown_slug(Code::UnknownMetric, Self::ALL.map(Self::slug));
        Self::from_slug(slug).ok_or_else(unknown)
    }

    /// The stable slug.
    ///
    /// ```
    /// assert_eq!(partnerkit::Metric::TEAM_MEMBERS.slug(), "team_members");
    /// ```
    pub fn slug(self) -> &'static str {
        self.0
    }

    /// How its values add up.
    ///
    /// ```
    /// use partnerkit::{Metric, MetricKind};
    ///
    /// assert_eq!(Metric::MESSAGES.kind(), MetricKind::Counter);
    /// assert_eq!(Metric::TEAM_MEMBERS.kind(), MetricKind::Gauge);
    /// ```
    pub fn kind(self) -> MetricKind {
        if self == Self::TEAM_MEMBERS { MetricKind::Gauge } else { MetricKind::Counter }
    }
}
