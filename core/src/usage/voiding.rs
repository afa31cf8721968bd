//! Taking an event back (S35).

use super::agency_slot::{AgencySlot, AgencySlotKey};
use super::{
    CounterDay, DayKey, Event, EventId, GaugeDay, GaugeDayKey, Lateness, Meter, MeterKey,
    MetricKind, TotalDelta,
};
use crate::error::{Code, Error, Result, refused};
use crate::records::Tx;
use crate::storage::Lock;
use crate::values::Timestamp;

/// Takes an event back unless it is too old, and says whether it was counted until now.
pub(crate) fn void(
    tx: &mut Tx<'_>,
    id: &EventId,
    lateness: Lateness,
    now: Timestamp,
) -> Result<bool> {
    let seen = tx.one::<Event>(id)?.ok_or_else(unknown)?;
    // The lock of a meter guards its days. A deleted reseller has no meter; of its days each is locked.
    let exists = tx.hold_resellers(&[seen.reseller], Lock::Share)?.contains(&true);
    let meter = exists.then(|| tx.lock_meter(MeterKey::of(&seen))).transpose()?;
    // A gauge's quarter-hour is made anew of its events, so it may hold nothing else.
    if seen.at.start_of_quarter_hour()
        < lateness.oldest_voidable(now).max(tx.events_known_from(now)?)
    {
        return Err(refused("id")(Code::TooLate));
    }
    match seen.metric.kind() {
        MetricKind::Counter => void_counted(tx, &seen, meter),
        MetricKind::Gauge => void_level(tx, &seen, meter),
    }
}

fn void_counted(tx: &mut Tx<'_>, seen: &Event, meter: Option<Meter>) -> Result<bool> {
    let day = tx.lock::<CounterDay>(&[DayKey::of(seen)], Lock::Update)?.pop().flatten();
    let Some(event) = mark(tx, seen)? else { return Ok(false) };
    let mut day = day.ok_or_else(CounterDay::damaged)?;
    day.uncount(&event).ok_or_else(CounterDay::damaged)?;
    if let Some(mut meter) = meter {
        meter.uncount(&event).ok_or_else(CounterDay::damaged)?;
        tx.put(&[meter])?;
    }
    tx.put(&[day])?;
    tx.add_totals(&[TotalDelta { name: event.metric.slug(), add: -event.quantity }])?;
    let less = |key| AgencySlot { key, sum: -event.quantity, events: -1 };
    let slot = AgencySlotKey::of(&event);
    tx.add(&[slot, slot.of_day()].map(less))?;
    Ok(true)
}

fn void_level(tx: &mut Tx<'_>, seen: &Event, meter: Option<Meter>) -> Result<bool> {
    let key = GaugeDayKey::of(seen);
    let day = tx.lock::<GaugeDay>(&[key], Lock::Update)?.pop().flatten();
    let Some(event) = mark(tx, seen)? else { return Ok(false) };
    let mut day = day.ok_or_else(CounterDay::damaged)?;
    let left = tx.levels_of_quarter_hour(&event)?;
    day.recount(event.at.quarter_hour(), &left).ok_or_else(CounterDay::damaged)?;
    // What looks for the latest level takes it from the latest day, so no day may be empty.
    match day.slots.is_empty() {
        true => tx.delete::<GaugeDay>(&[key])?,
        false => tx.put(&[day])?,
    }
    let Some(mut meter) = meter else { return Ok(true) };
    let before = meter.value;
    meter.events -= 1;
    if meter.last_event.as_ref() == Some(&event.id) {
        let latest = tx.latest_gauge_day(&meter.key)?;
        meter.turn_back_to(latest.as_ref().and_then(|day| day.slots.values().next_back()))?;
    }
    let add = meter.value - before;
    tx.put(&[meter])?;
    tx.add_totals(&[TotalDelta { name: event.metric.slug(), add }])?;
    Ok(true)
}

/// Locks the event and marks it as taken back. `None` if that had been done before.
fn mark(tx: &mut Tx<'_>, seen: &Event) -> Result<Option<Event>> {
    let id = std::slice::from_ref(&seen.id);
    let event = tx.lock::<Event>(id, Lock::Update)?.pop().flatten().ok_or_else(unknown)?;
    if event.voided {
        return Ok(None);
    }
    tx.put(&[Event { voided: true, ..event.clone() }])?;
    Ok(Some(event))
}

fn unknown() -> Error {
    Error::not_found("event")
}
