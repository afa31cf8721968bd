//! Consuming up to a limit: the check and the record are one step (S43).

use super::ingest::{Sums, store};
use super::period::zone;
use super::{DayKey, Event, Meter, MeterKey, MetricKind, Period};
use crate::error::{Code, Error, FieldError, FieldErrors, Result};
use crate::reseller::Status;
use crate::storage::{Insert, Lock, Tx};
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

/// Checks the limit and records a checked event, under the meter's lock.
pub(crate) fn consume(tx: &mut Tx<'_>, event: &Event) -> Result<Consumption> {
    if event.metric.kind() != MetricKind::Counter {
        return Err(refused("metric", Code::NotACounter));
    }
    let held = tx.lock_resellers(&[event.reseller], Lock::Share)?;
    let reseller = held.into_iter().next().flatten().ok_or_else(|| Error::not_found("reseller"))?;
    let key = MeterKey { reseller: event.reseller, metric: event.metric };
    let mut sums = Sums::lock(tx, vec![key], vec![DayKey::of(event)])?;
    let month = month_of(tx, event.at)?;
    sums.turn_to(tx, key, month)?;
    let consumption = decide(tx, event, reseller.status, &mut sums)?;
    store(tx, sums)?;
    Ok(consumption)
}

/// The month by the agency's calendar as it is. It is read behind the meter's lock, not when the
/// agency was held: of two calls on one meter, the later one knows every time zone that the earlier
/// one has known.
fn month_of(tx: &mut Tx<'_>, at: Timestamp) -> Result<Period> {
    let agency = tx.agency()?.ok_or_else(|| Error::not_found("agency"))?;
    let unknown = |_| Error::configuration("the agency's time zone is not known here");
    Period::month(at, &zone(&agency.settings.time_zone).map_err(unknown)?)
}

fn decide(tx: &mut Tx<'_>, event: &Event, status: Status, sums: &mut Sums) -> Result<Consumption> {
    let key = DayKey::of(event).meter;
    let meter = sums.meter(key);
    if let Some(before) = tx.events(std::slice::from_ref(&event.id))?.into_iter().flatten().next() {
        return replayed(&before, event, &meter);
    }
    if status == Status::Inactive {
        return Ok(denied(DenialReason::Inactive, event, &meter));
    }
    if !within_limit(&meter, event.quantity) {
        return Ok(denied(DenialReason::LimitReached, event, &meter));
    }
    sums.refuse_overflow(tx, event)?;
    if let Some(Insert::Existing(before)) = tx.insert_events(std::slice::from_ref(event))?.pop() {
        return replayed(&before, event, &meter);
    }
    sums.count(event)?;
    Ok(granted(&sums.meter(key), false))
}

/// Whether a quantity fits under the limit beside what was used in the period.
fn within_limit(meter: &Meter, quantity: i64) -> bool {
    let after = meter.period_used.checked_add(quantity);
    meter.limit.is_none_or(|limit| after.is_some_and(|after| after <= limit))
}

/// The same call again is answered as before; another one may not take its id.
fn replayed(before: &Event, event: &Event, meter: &Meter) -> Result<Consumption> {
    // A repeated call is made later, so the time is not part of what must agree.
    let same = Event { at: event.at, ..before.clone() } == *event;
    if same { Ok(granted(meter, true)) } else { Err(refused("id", Code::Taken)) }
}

fn granted(meter: &Meter, duplicate: bool) -> Consumption {
    let Meter { period, period_used: used, limit, .. } = *meter;
    Consumption::Granted { used, limit, resets_at: period.end, duplicate }
}

fn denied(reason: DenialReason, event: &Event, meter: &Meter) -> Consumption {
    let Meter { period, period_used: used, limit, .. } = *meter;
    let (requested, resets_at) = (event.quantity, period.end);
    Consumption::Denied(Denial { reason, limit, used, requested, resets_at })
}

fn refused(field: &str, code: Code) -> Error {
    FieldErrors::from(FieldError::new(field, code)).into()
}
