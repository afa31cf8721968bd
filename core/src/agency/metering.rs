//! What an agency does with usage: record, consume, overview.

use super::Agency;
use crate::changes::ChangeKind;
use crate::error::{Code, Error, FieldError, FieldErrors, Refusal, Result};
use crate::reseller::ResellerId;
use crate::storage::Lock;
use crate::usage::{
    Consumption, MeterKey, Metric, Overview, Reported, UsageEvent, UsageReport, check, consume,
    overview, record,
};

const MAX_BATCH: usize = 10_000;

impl Agency {
    /// Records a batch of at most 10,000 events in one step; the report has an outcome for
    /// each. An event that was recorded before is a `duplicate` and changes nothing (S32). What a
    /// host knows the types of is a [`UsageEvent`]; what comes from outside is an
    /// [`EventDraft`](crate::EventDraft), and whatever is wrong with one is its own rejection.
    /// Errors: `NotFound` once the agency is deleted; field `events` (`too_many`).
    pub fn record_usage<E: Reported>(&self, events: &[E]) -> Result<UsageReport> {
        self.observe("record_usage", None, || {
            if events.len() > MAX_BATCH {
                let params = vec![("max", MAX_BATCH as i64)];
                return Err(FieldErrors::from(
                    Refusal { code: Code::TooMany, params }.of("events"),
                )
                .into());
            }
            let now = self.now();
            let checked = events.iter().map(|event| check(&*event.event()?, now));
            let checked: Vec<_> = checked.collect();
            let outcomes = self.write(|tx| record(tx, &checked))?;
            Ok(UsageReport { outcomes })
        })
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
        self.observe("consume", reseller, || {
            let at = self.now();
            let event = UsageEvent { id: id.to_owned(), reseller, metric, quantity, at };
            let event = check(&event, at).map_err(FieldErrors::from)?;
            self.write(|tx| consume(tx, &event))
        })
    }

    /// Sets how much a reseller may consume in a calendar month of the agency's zone; `None`
    /// lifts the limit. A limit below what is used already blocks further use (S44).
    ///
    /// Errors: `NotFound` for the reseller; field `limit` (not negative).
    pub fn set_allowance(
        &self,
        reseller: ResellerId,
        metric: Metric,
        limit: Option<i64>,
    ) -> Result<()> {
        self.observe("set_allowance", reseller, || {
            if limit.is_some_and(|limit| limit < 0) {
                return Err(FieldErrors::from(FieldError::new("limit", Code::Negative)).into());
            }
            let now = self.now();
            let mut change = self.change(ChangeKind::AllowanceChanged, Some(reseller), 0, now);
            change.fields.push(metric.slug().to_owned());
            self.write(|tx| {
                let held =
                    tx.lock_resellers(&[reseller], Lock::Share)?.into_iter().flatten().next();
                let held = held.ok_or_else(|| Error::not_found("reseller"))?;
                let (meters, _) = tx.lock_usage(&[MeterKey { reseller, metric }], &[])?;
                for mut meter in meters {
                    if meter.limit != limit {
                        meter.limit = limit;
                        (change.version, change.at) = (held.version, now.max(held.updated_at));
                        tx.put_usage(&[meter], &[])?;
                        tx.append_changes(std::slice::from_ref(&change))?;
                    }
                }
                Ok(())
            })
        })
    }

    /// Active resellers and what was used, over all time: read, not summed (S39).
    /// Errors: `NotFound` once the agency is deleted.
    pub fn overview(&self) -> Result<Overview> {
        self.observe("overview", None, || self.read(overview))
    }
}
