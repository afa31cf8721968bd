//! Consuming up to a limit: the check and the record are one step (S43).

use super::ingest::{Sums, store};
use super::period::Month;
use super::{DayKey, Event, Meter, MeterKey, MetricKind};
use crate::error::{Code, Error, FieldError, FieldErrors, Result};
use crate::reseller::Status;
use crate::storage::{Insert, Lock, Transaction};
use crate::values::Timestamp;

/// What became of a `consume`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consumption {
    /// Recorded; the limit holds.
    Granted {
        /// Used in the period, this included.
        used: i64,
        /// The limit of the period; `None` is unlimited.
        limit: Option<i64>,
        /// When the next period begins.
        resets_at: Timestamp,
        /// Whether this very call had been granted before; nothing was added then.
        duplicate: bool,
    },
    /// Nothing was recorded.
    Denied(Denial),
}

/// Why a `consume` was denied: all that is needed to explain it to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Denial {
    /// Why.
    pub reason: DenialReason,
    /// The limit of the period; `None` is unlimited.
    pub limit: Option<i64>,
    /// Used in the period so far.
    pub used: i64,
    /// What was asked for.
    pub requested: i64,
    /// When the next period begins.
    pub resets_at: Timestamp,
}

/// The reason of a denial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DenialReason {
    /// The limit would be passed.
    LimitReached,
    /// The reseller is switched off.
    Inactive,
}

impl DenialReason {
    /// The stable slug.
    pub fn slug(self) -> &'static str {
        match self {
            Self::LimitReached => "limit_reached",
            Self::Inactive => "inactive",
        }
    }
}

/// A `consume`, checked and given its time, ready to run in a transaction.
pub(crate) struct ConsumeRequest {
    pub event: Event,
    pub zone: jiff::tz::TimeZone,
}

/// Checks the limit and records, under the meter's lock.
pub(crate) fn consume(tx: &mut dyn Transaction, request: &ConsumeRequest) -> Result<Consumption> {
    let event = &request.event;
    if event.metric.kind() != MetricKind::Counter {
        return Err(refused("metric", Code::NotACounter));
    }
    let month = Month::of(event.at, &request.zone)?;
    let held = tx.lock_resellers(&[event.reseller], Lock::Share)?;
    let reseller = held.into_iter().next().flatten().ok_or_else(|| Error::not_found("reseller"))?;
    let key = MeterKey { reseller: event.reseller, metric: event.metric };
    let mut sums = Sums::lock(tx, vec![key], vec![DayKey::of(event)])?;
    let meter = sums.meter(key);
    if let Some(before) = tx.events(std::slice::from_ref(&event.id))?.into_iter().flatten().next() {
        return replayed(&before, event, &meter, month);
    }
    let denied = |reason| {
        let used = meter.used_in(month.first_day);
        let requested = event.quantity;
        Consumption::Denied(Denial {
            reason,
            limit: meter.limit,
            used,
            requested,
            resets_at: month.end,
        })
    };
    if reseller.status == Status::Inactive {
        return Ok(denied(DenialReason::Inactive));
    }
    if !within_limit(&meter, event.quantity, month.first_day) {
        return Ok(denied(DenialReason::LimitReached));
    }
    sums.refuse_overflow(tx, event)?;
    if let Some(Insert::Existing(before)) = tx.insert_events(std::slice::from_ref(event))?.pop() {
        return replayed(&before, event, &meter, month);
    }
    sums.count(event, month.first_day)?;
    let after = sums.meter(key);
    store(tx, sums)?;
    Ok(granted(&after, month, false))
}

/// Whether a quantity fits under the limit beside what was used in the period.
fn within_limit(meter: &Meter, quantity: i64, period: i32) -> bool {
    let after = meter.used_in(period).checked_add(quantity);
    meter.limit.is_none_or(|limit| after.is_some_and(|after| after <= limit))
}

/// The same call again is answered as before; another one may not take its id.
fn replayed(before: &Event, event: &Event, meter: &Meter, month: Month) -> Result<Consumption> {
    // A repeated call is made later, so the time is not part of what must agree.
    let same = Event { at: event.at, ..before.clone() } == *event;
    if same { Ok(granted(meter, month, true)) } else { Err(refused("id", Code::Taken)) }
}

fn granted(meter: &Meter, month: Month, duplicate: bool) -> Consumption {
    let used = meter.used_in(month.first_day);
    Consumption::Granted { used, limit: meter.limit, resets_at: month.end, duplicate }
}

fn refused(field: &str, code: Code) -> Error {
    FieldErrors::from(FieldError::new(field, code)).into()
}
