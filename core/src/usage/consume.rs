//! Consuming up to a limit: checking the limit and recording the use are one atomic step (S43).

use super::allowance::only_counter;
use super::days::Keys;
use super::period::zone_of;
use super::sums::{Sums, store};
use super::{Event, Meter, MeterKey, Period};
use crate::agency::AgencyRow;
use crate::error::{Code, Error, Result, refused};
use crate::records::{Insert, Tx, get};
use crate::reseller::{Status, one};
use crate::storage::Lock;
use crate::values::Timestamp;
use serde::Serialize;

/// The outcome of a `consume`, with everything that is needed to explain it to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Consumption {
    /// Whether the use was recorded; if not, [`reason`](Self::reason) says why.
    pub granted: bool,
    /// The use of the period, including this one if it was granted.
    pub used: i64,
    /// The limit of the period; `None` means unlimited.
    pub limit: Option<i64>,
    /// The quantity that was asked for.
    pub requested: i64,
    /// When the next period begins.
    pub resets_at: Timestamp,
    /// Whether the same call was granted before, so that nothing was added now.
    pub duplicate: bool,
    /// Why the use was denied.
    pub reason: Option<DenialReason>,
}

/// The reason of a denial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DenialReason {
    /// The use would pass the limit.
    LimitReached,
    /// The reseller is inactive.
    Inactive,
}

impl DenialReason {
    /// The stable slug.
    ///
    /// ```
    /// assert_eq!(partnerkit::DenialReason::LimitReached.slug(), "limit_reached");
    /// ```
    pub fn slug(self) -> &'static str {
        match self {
            Self::LimitReached => "limit_reached",
            Self::Inactive => "inactive",
        }
    }
}

/// Checks the limit and records a validated event, while the meter is locked.
pub(crate) fn consume(tx: &mut Tx<'_>, event: &Event) -> Result<Consumption> {
    only_counter(event.metric)?;
    let reseller = one(tx.lock_resellers(&[event.reseller], Lock::Share)?)?;
    let key = MeterKey::of(event);
    // Everything is read after the meter is locked. So of two calls on one meter, the later one
    // cannot use an older time zone than the earlier one.
    let questions = (
        Sums::lock(tx, &Keys::of([event]))?,
        get::<AgencyRow>(tx.agency_id(), &[()]),
        get::<Event>(tx.agency_id(), std::slice::from_ref(&event.id)),
    );
    let (sums, mut agency, mut before) = tx.ask(questions)?;
    let mut sums = Sums::of(sums);
    let agency = agency.pop().flatten().ok_or_else(|| Error::not_found("agency"))?;
    sums.turn_to(tx, key, Period::month(event.at, &zone_of(&agency)?)?)?;
    let consumption = match before.pop().flatten() {
        Some(before) => replayed(&before, event, &sums.meter(key))?,
        None => decide(tx, event, reseller.status, &mut sums)?,
    };
    store(tx, sums)?;
    Ok(consumption)
}

fn decide(tx: &mut Tx<'_>, event: &Event, status: Status, sums: &mut Sums) -> Result<Consumption> {
    let key = MeterKey::of(event);
    let meter = sums.meter(key);
    if status == Status::Inactive {
        return Ok(denied(event, &meter, DenialReason::Inactive));
    }
    if !within_limit(&meter, event.quantity) {
        return Ok(denied(event, &meter, DenialReason::LimitReached));
    }
    sums.refuse_overflow(event)?;
    if let Some(Insert::Existing(before)) = tx.insert_events(std::slice::from_ref(event))?.pop() {
        return replayed(&before, event, &meter);
    }
    sums.count(event)?;
    Ok(granted(event, &sums.meter(key)))
}

/// Whether the use of the period and this quantity together stay within the limit.
fn within_limit(meter: &Meter, quantity: i64) -> bool {
    let after = meter.period_used.checked_add(quantity);
    meter.limit.is_none_or(|limit| after.is_some_and(|after| after <= limit))
}

/// Answers a repeated call as before. A different call with its id is refused, and so is one whose use
/// was taken back: to grant it again would let it go uncounted.
fn replayed(before: &Event, event: &Event, meter: &Meter) -> Result<Consumption> {
    // A repeated call is made later, so the time need not agree.
    let same = Event { at: event.at, ..before.clone() }.repeats(event) && !before.voided;
    let again = Consumption { duplicate: true, ..granted(event, meter) };
    if same { Ok(again) } else { Err(refused("id")(Code::Taken)) }
}

fn granted(event: &Event, meter: &Meter) -> Consumption {
    let Meter { period, period_used: used, limit, .. } = *meter;
    Consumption {
        granted: true,
        used,
        limit,
        requested: event.quantity,
        resets_at: period.end,
        duplicate: false,
        reason: None,
    }
}

fn denied(event: &Event, meter: &Meter, reason: DenialReason) -> Consumption {
    Consumption { granted: false, reason: Some(reason), ..granted(event, meter) }
}
