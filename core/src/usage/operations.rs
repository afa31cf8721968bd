//! What an agency does with usage: record, consume, limit, overview.

use super::{
    Consumption, MeterKey, Metric, Overview, Reported, UsageEvent, UsageReport, check, consume,
    overview, record,
};
use crate::changes::ChangeKind;
use crate::error::{Code, FieldErrors, Refusal, Result, refused};
use crate::reseller::{ResellerId, one};
use crate::storage::Lock;
use crate::tenant::Tenant;

const MAX_BATCH: usize = 10_000;

impl Tenant {
    pub fn record_usage<E: Reported>(&self, events: &[E]) -> Result<UsageReport> {
        if events.len() > MAX_BATCH {
            return Err(refused("events")(Refusal::too_many(MAX_BATCH as i64)));
        }
        let now = self.now();
        let checked = events.iter().map(|event| check(&*event.event()?, now));
        let checked: Vec<_> = checked.collect();
        let outcomes = self.write(|tx| record(tx, &checked))?;
        Ok(UsageReport { outcomes })
    }

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

    pub fn set_allowance(
        &self,
        reseller: ResellerId,
        metric: Metric,
        limit: Option<i64>,
    ) -> Result<()> {
        if limit.is_some_and(|limit| limit < 0) {
            return Err(refused("limit")(Code::Negative));
        }
        let mutation = self.mutation(ChangeKind::AllowanceChanged, reseller);
        self.write(|tx| {
            let held = one(tx.lock_resellers(&[reseller], Lock::Share)?)?;
            let mut meter = tx.lock_meter(MeterKey { reseller, metric })?;
            if meter.limit == limit {
                return Ok(());
            }
            meter.limit = limit;
            tx.put(&[meter])?;
            mutation.note(tx, &held, vec![metric.slug()])
        })
    }

    pub fn overview(&self) -> Result<Overview> {
        self.read(overview)
    }
}
