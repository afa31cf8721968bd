//! Which resellers used the most.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::Serialize;

use super::reading::each_gauge;
use super::{CounterDay, Metric, MetricKind, Period};
use crate::error::Result;
use crate::records::Reads;
use crate::reseller::ResellerId;

/// A reseller, and what it used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct TopReseller {
    /// The reseller, which may have been deleted since.
    pub reseller: ResellerId,
    /// A counter's sum in the range, or a gauge's level at the end of it.
    pub value: i64,
}

/// The resellers that used the most of a metric, at most `most`, the largest use first.
pub(super) fn top(
    reads: &mut Reads<'_>,
    metric: Metric,
    range: &Period,
    most: usize,
) -> Result<Vec<TopReseller>> {
    let used = match metric.kind() {
        MetricKind::Counter => sums(reads, metric, range)?,
        MetricKind::Gauge => levels(reads, metric, range)?,
    };
    let used = used.into_iter().filter(|(_, value)| *value > 0);
    let mut top: Vec<_> = used.map(|(reseller, value)| TopReseller { reseller, value }).collect();
    let order = |of: &TopReseller| (Reverse(of.value), of.reseller);
    if top.len() > most {
        top.select_nth_unstable_by_key(most, order);
        top.truncate(most);
    }
    top.sort_unstable_by_key(order);
    Ok(top)
}

fn sums(
    reads: &mut Reads<'_>,
    metric: Metric,
    range: &Period,
) -> Result<BTreeMap<ResellerId, i64>> {
    let mut sums = BTreeMap::new();
    let mut after = None;
    loop {
        let (days, more) = reads.counter_days_in(range.days(), after)?;
        for day in days.iter().filter(|day| day.key.meter.metric == metric) {
            let sum = sums.entry(day.key.meter.reseller).or_insert(0_i64);
            let added = day.sum_within(range).and_then(|within| sum.checked_add(within));
            *sum = added.ok_or_else(CounterDay::damaged)?;
        }
        match more {
            Some(last) => after = Some(last),
            None => return Ok(sums),
        }
    }
}

fn levels(
    reads: &mut Reads<'_>,
    metric: Metric,
    range: &Period,
) -> Result<BTreeMap<ResellerId, i64>> {
    let mut levels = BTreeMap::new();
    each_gauge(reads, metric, range, |reseller, gauge| {
        levels.insert(reseller, gauge.level_at_the_end());
    })?;
    Ok(levels)
}
