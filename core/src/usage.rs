//! Metering: metrics, usage events, and the sums that are kept.

mod consume;
mod draft;
mod event;
mod ingest;
mod meter;
mod metric;
mod operations;
mod overview;
mod period;
mod rollup;
mod rows;
mod total;

pub use consume::{Consumption, DenialReason};
pub use draft::{EventDraft, Reported};
pub use event::{Event, EventId, EventOutcome, UsageEvent, UsageReport};
pub use meter::{Meter, MeterKey};
pub use metric::{Metric, MetricKind};
pub use overview::Overview;
pub use period::Period;
pub use rollup::{DayKey, DayRollup, Slot};

pub(crate) use consume::consume;
pub(crate) use ingest::{EVENTS_KEPT, check, record};
pub(crate) use overview::{ACTIVE_RESELLERS, overview};
pub(crate) use period::zone_name;
pub(crate) use rows::TotalDelta;
pub(crate) use total::TotalRow;
