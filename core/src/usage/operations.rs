//! What an agency does with usage: record, consume, limit, overview.

use super::{
    Consumption, MeterKey, Metric, MetricKind, Overview, Reported, UsageEvent, UsageReport, check,
    consume, overview, record,
};
use crate::changes::ChangeKind;
use crate::error::{Code, FieldErrors, Refusal, Result, refused};
use crate::reseller::{ResellerId, one};
use crate::storage::Lock;
use crate::tenant::Tenant;

const MAX_BATCH: usize = 10_000;

impl Tenant {
    /// Records a batch of at most 10,000 events in one step; the report has an outcome for
    /// each. An event that was recorded before is a `duplicate` and changes nothing (S32). Whatever is
    /// wrong with an event, a field of another type included, is its own rejection.
    /// Errors: `NotFound` once the agency is deleted; field `events` (`too_many`).
    pub fn record_usage(&self, events: &[impl Reported]) -> Result<UsageReport> {
        if events.len() > MAX_BATCH {
            return Err(refused("events")(Refusal::too_many(MAX_BATCH as i64)));
        }
        let now = self.now();
        let checked = events.iter().map(|event| check(&*event.event()?, now));
        let checked: Vec<_> = checked.collect();
        let outcomes = self.write(|tx| record(tx, &checked))?;
        Ok(UsageReport { outcomes })
    }

    /// Uses some of a counter if its limit allows, now, in one step: however many callers race,
    /// the limit is never passed (S43). The same `id` again is answered as before. The period is
    /// the calendar month of the agency's time zone as it is now, however old this handle is.
    ///
    /// Errors: `NotFound` for the reseller or the agency; fields `id`, `metric`, `quantity`.
    pub fn consume(
        &self,
        reseller: ResellerId,
        metric: Metric,
        quantity: i64,
        id: &str,
    ) -> Result<Consumption> {
        let at = self.now();
        let event = UsageEvent { id: id.to_owned(), reseller, metric, quantity, at };
        let event = check(&event, at).map_err(FieldErrors::from)?;
        self.write(|tx| consume(tx, &event))
    }

    /// Sets how much a reseller may consume in a calendar month of the agency's zone; `None`
    /// lifts the limit. A limit below what is used already blocks further use (S44).
    ///
    /// Errors: `NotFound` for the reseller; fields `metric` (`not_a_counter` for what `consume`
    /// does not take) and `limit` (not negative).
    pub fn set_allowance(&self, id: ResellerId, metric: Metric, limit: Option<i64>) -> Result<()> {
        if metric.kind() != MetricKind::Counter {
            return Err(refused("metric")(Code::NotACounter));
        }
        if limit.is_some_and(|limit| limit < 0) {
            return Err(refused("limit")(Code::Negative));
        }
        let mutation = self.mutation(ChangeKind::AllowanceChanged, id);
        self.write(|tx| {
            let held = one(tx.lock_resellers(&[id], Lock::Share)?)?;
            let mut meter = tx.lock_meter(MeterKey { reseller: id, metric })?;
            if meter.limit == limit {
                return Ok(());
            }
            meter.limit = limit;
            tx.put(&[meter])?;
            mutation.note(tx, &held, vec![metric.slug()])
        })
    }

    /// Active resellers and what was used, over all time: read, not summed (S39).
    /// Errors: `NotFound` once the agency is deleted.
    pub fn overview(&self) -> Result<Overview> {
        self.read(overview)
    }
}
