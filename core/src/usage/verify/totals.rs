//! The agency's totals over all time: of counters, what its days add up to; of gauges, the levels of the
//! resellers that exist.

use std::collections::BTreeMap;

use super::super::{AgencySlot, AgencySlotKey, Metric, MetricKind, WHOLE_DAY};
use super::KEYS;
use super::findings::{About, Findings, UsageField};
use crate::error::Result;
use crate::records::Reads;

pub(super) fn totals(reads: &mut Reads<'_>) -> Result<Findings> {
    let mut expected = BTreeMap::new();
    sums(reads, &mut expected)?;
    levels(reads, &mut expected)?;
    let mut findings = Findings::default();
    let stored = reads.totals(&Metric::ALL.map(Metric::slug))?;
    for (metric, stored) in Metric::ALL.into_iter().zip(stored) {
        let about = About { reseller: None, metric, period: None };
        let expected = expected.get(&metric).copied().unwrap_or_default();
        findings.saw_sums(1);
        findings.compare(about, UsageField::Value, stored.into(), expected);
    }
    Ok(findings)
}

fn sums(reads: &mut Reads<'_>, totals: &mut BTreeMap<Metric, i128>) -> Result<()> {
    let mut days = reads.known_days(i32::MIN..=i32::MAX)?;
    loop {
        let some: Vec<_> = days.by_ref().take(KEYS).collect();
        if some.is_empty() {
            return Ok(());
        }
        let of_day = |day| {
            Metric::counters().map(move |metric| AgencySlotKey { day, metric, slot: WHOLE_DAY })
        };
        let keys: Vec<_> = some.into_iter().flat_map(of_day).collect();
        for slot in reads.get::<AgencySlot>(&keys)?.into_iter().flatten() {
            *totals.entry(slot.key.metric).or_default() += i128::from(slot.sum);
        }
    }
}

fn levels(reads: &mut Reads<'_>, totals: &mut BTreeMap<Metric, i128>) -> Result<()> {
    let mut from = None;
    loop {
        let (meters, more) = reads.meters_from(from)?;
        let gauges = meters.iter().filter(|meter| meter.key.metric.kind() == MetricKind::Gauge);
        for meter in gauges {
            *totals.entry(meter.key.metric).or_default() += i128::from(meter.value);
        }
        match more {
            Some(next) => from = Some(next),
            None => return Ok(()),
        }
    }
}
