//! Metering: metrics, usage events, and the sums that are kept.

mod agency_slot;
mod allowance;
mod backfill;
mod batch;
mod consume;
mod counter_day;
mod days;
mod draft;
mod event;
mod gauge_day;
mod ingest;
mod known;
mod lateness;
mod meter;
mod metric;
mod operations;
mod overview;
mod period;
mod query;
mod ranking;
mod reading;
mod rows;
mod series;
mod sorted;
mod sums;
mod total;
mod verify;
mod voiding;
mod windows;

pub use allowance::Allowance;
pub use consume::{Consumption, DenialReason};
pub use counter_day::{CounterDay, CounterSlot, DayKey};
pub use draft::{EventDraft, Reported};
pub use event::{Event, EventId, EventOutcome, UsageEvent, UsageReport};
pub use gauge_day::{GaugeDay, GaugeDayKey, GaugeSlot};
pub use meter::{Meter, MeterKey};
pub use metric::{Metric, MetricKind};
pub use overview::Overview;
pub use period::Period;
pub use query::{UsagePage, UsageQuery, UsageRow};
pub use ranking::TopReseller;
pub use verify::{UsageDifference, UsageField, UsageVerification};
pub use windows::Window;

pub(crate) use agency_slot::{AgencySlot, AgencySlotKey, WHOLE_DAY};
pub(crate) use consume::consume;
pub(crate) use ingest::{check, record};
pub(crate) use lateness::Lateness;
pub(crate) use overview::{ACTIVE_RESELLERS, overview};
pub(crate) use period::zone_name;
pub(crate) use rows::TotalDelta;
pub(crate) use total::TotalRow;
#[cfg(feature = "conformance")]
pub(crate) use verify::Portions;
#[cfg(feature = "conformance")]
pub(crate) use windows::windows_in;
