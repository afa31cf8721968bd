//! What a reseller may use of a counter in the present period, and what it has used: what `consume`
//! decides by, to be read (S43).

use serde::Serialize;

use super::period::zone_of;
use super::{CounterDay, DayKey, Meter, MeterKey, Metric, MetricKind, Period};
use crate::error::{Code, Result, refused};
use crate::records::{Reads, get};
use crate::reseller::{Reseller, ResellerId, one};
use crate::values::Timestamp;

/// What a reseller may use of a counter in the present month, and what it has used of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Allowance {
    /// The metric, which is a counter.
    pub metric: Metric,
    /// How much may be consumed in the period; `None` means unlimited.
    pub limit: Option<i64>,
    /// The use of the period. It is more than the limit if events were reported beyond it, or if the
    /// limit was lowered.
    pub used: i64,
    /// When the next period begins.
    pub resets_at: Timestamp,
}

/// Refuses a gauge, which has no allowance.
pub(super) fn only_counter(metric: Metric) -> Result<()> {
    match metric.kind() {
        MetricKind::Counter => Ok(()),
        MetricKind::Gauge => Err(refused("metric")(Code::NotACounter)),
    }
}

/// The allowances of some counters, in their order.
pub(super) fn allowances(
    reads: &mut Reads<'_>,
    reseller: ResellerId,
    metrics: &[Metric],
    now: Timestamp,
) -> Result<Vec<Allowance>> {
    let zone = zone_of(&reads.held_agency()?)?;
    let period = Period::month(now, &zone)?;
    let keys: Vec<_> =
        metrics.iter().map(|metric| MeterKey { reseller, metric: *metric }).collect();
    let agency = reads.agency_id();
    let (found, meters) =
        reads.ask((get::<Reseller>(agency, &[reseller]), get::<Meter>(agency, &keys)))?;
    one(found)?;
    let meters = keys.iter().zip(meters);
    let meters = meters.map(|(key, meter)| meter.unwrap_or_else(|| Meter::new(*key)));
    meters.map(|meter| allowance(reads, &meter, &period)).collect()
}

fn allowance(reads: &mut Reads<'_>, meter: &Meter, period: &Period) -> Result<Allowance> {
    let used = match meter.period == *period {
        true => meter.period_used,
        false => reads.used_within(meter.key, period)?,
    };
    let (metric, limit) = (meter.key.metric, meter.limit);
    Ok(Allowance { metric, limit, used, resets_at: period.end })
}

impl Reads<'_> {
    /// The use of a counter in a period, summed from the days.
    pub(super) fn used_within(&mut self, key: MeterKey, period: &Period) -> Result<i64> {
        let days: Vec<_> = period.days().map(|day| DayKey { day, meter: key }).collect();
        let mut used = 0_i64;
        for day in self.counter_days(&days)?.into_iter().flatten() {
            let sum = day.sum_within(period).and_then(|sum| used.checked_add(sum));
            used = sum.ok_or_else(CounterDay::damaged)?;
        }
        Ok(used)
    }
}
