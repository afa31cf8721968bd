//! A day of the agency: what it has together is the sum of what its resellers have, those included that
//! were deleted (S37).

use std::collections::BTreeMap;
use std::ops::Bound;

use super::super::rows::columns;
use super::super::{AgencySlot, AgencySlotKey, CounterDay, WHOLE_DAY};
use super::Portions;
use super::findings::{About, Findings, Tally};
use crate::error::Result;
use crate::records::{self, Reads};
use crate::schema::Row;
use crate::schema::entity::Entity;
use crate::storage::Scan;

type Sums = BTreeMap<AgencySlotKey, Tally>;

/// Compares the agency's quarter-hours and its day with the quarter-hours of resellers, and each
/// reseller's day with its own quarter-hours.
pub(super) fn agency_day(reads: &mut Reads<'_>, day: i32, portions: Portions) -> Result<Findings> {
    let (mut findings, mut expected) = (Findings::default(), Sums::new());
    each_counter_day(reads, day, Bound::Unbounded, portions.page, |row| {
        findings.saw_sums(1);
        let (mut whole, meter) = (Tally::default(), row.key.meter);
        for (slot, counted) in &row.slots {
            let counted = Tally::of(counted);
            whole.add(counted);
            for slot in [*slot, WHOLE_DAY] {
                let key = AgencySlotKey { day, metric: meter.metric, slot };
                expected.entry(key).or_default().add(counted);
            }
        }
        let about = About { reseller: Some(meter.reseller), metric: meter.metric, period: None };
        findings.compare_tally(about.day(day), Tally::new(row.sum, row.events), whole);
        Ok(true)
    })?;
    let stored = agency_slots(reads, day)?;
    findings.saw_sums(stored.len());
    for slot in stored {
        let sums = expected.remove(&slot.key).unwrap_or_default();
        findings.compare_tally(about(&slot.key), Tally::new(slot.sum, slot.events), sums);
    }
    for (key, sums) in expected {
        findings.compare_tally(about(&key), Tally::default(), sums);
    }
    Ok(findings)
}

fn about(key: &AgencySlotKey) -> About {
    let about = About { reseller: None, metric: key.metric, period: None };
    match key.slot {
        WHOLE_DAY => about.day(key.day),
        slot => about.quarter_hour(key.day, slot),
    }
}

/// The agency's rows of a day: at most 97 for each metric.
fn agency_slots(reads: &mut Reads<'_>, day: i32) -> Result<Vec<AgencySlot>> {
    let table = AgencySlot::TABLE;
    reads.ask(records::scan(Scan::all(table, table.key, of_day(reads, day), u32::MAX)))
}

/// Goes through the counters of a day, as long as they are wanted.
pub(super) fn each_counter_day(
    reads: &mut Reads<'_>,
    day: i32,
    mut from: Bound<Row>,
    page: u32,
    mut see: impl FnMut(CounterDay) -> Result<bool>,
) -> Result<()> {
    let table = CounterDay::TABLE;
    loop {
        let all = Scan::all(table, table.key, of_day(reads, day), page);
        let next_page = Scan { range: (from, Bound::Unbounded), ..all };
        let rows: Vec<CounterDay> = reads.ask(records::scan(next_page))?;
        let Some(last) = rows.last().map(|row| row.key.meter) else { return Ok(()) };
        let is_last = rows.len() < page as usize;
        for row in rows {
            if !see(row)? {
                return Ok(());
            }
        }
        if is_last {
            return Ok(());
        }
        from = Bound::Excluded(columns(&last));
    }
}

/// The columns with which the keys of a day begin.
fn of_day(reads: &Reads<'_>, day: i32) -> Row {
    let mut columns = columns(&day);
    columns.insert(0, CounterDay::TABLE.owner(reads.agency_id()));
    columns
}
