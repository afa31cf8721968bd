//! The operations of an agency on usage: recording, consuming, limits and the overview.

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
    /// Records a batch of at most 10,000 events in one step; the report has an outcome for each. An
    /// event that was recorded before is a `duplicate` and changes nothing (S32). What is wrong
    /// with an event, even a field of another type, rejects that event alone.
    ///
    /// Errors: `NotFound` once the agency is deleted; field `events` (`too_many`).
    ///
    /// ```example
    /// use partnerkit::{EventOutcome, Metric, UsageEvent};
    ///
    /// let event = UsageEvent {
    ///     id: "msg-1".into(),
    ///     reseller: acme.id,
    ///     metric: Metric::MESSAGES,
    ///     quantity: 250,
    ///     at: acme.created_at,
    /// };
    /// let report = agency.record_usage(&[event.clone(), event])?;
    /// assert_eq!(report.outcomes, [EventOutcome::Accepted, EventOutcome::Duplicate]);
    /// assert_eq!(agency.overview()?.messages, 250);
    /// ```
    /// ```python
    /// event = {
    ///     "id": "msg-1",
    ///     "reseller": acme.id,
    ///     "metric": "messages",
    ///     "quantity": 250,
    ///     "at": acme.created_at,
    /// }
    /// report = agency.record_usage([event, event])
    /// assert [outcome.kind for outcome in report.outcomes] == ["accepted", "duplicate"]
    /// overview = agency.overview()
    /// assert overview.messages == 250
    /// ```
    /// ```javascript
    /// const [reseller, at] = [acme.id, acme.createdAt];
    /// const { outcomes } = await agency.recordUsage([
    ///   { id: 'msg-1', reseller, metric: 'messages', quantity: 250, at },
    ///   { id: 'msg-1', reseller, metric: 'messages', quantity: 250, at }, // reported once more
    /// ]);
    /// assert.deepEqual(outcomes.map((outcome) => outcome.kind), ['accepted', 'duplicate']);
    /// const overview = await agency.overview();
    /// assert.equal(overview.messages, 250n);
    /// ```
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

    /// Uses some of a counter if its limit allows that, in one step: however many callers race, the
    /// limit is never passed (S43). The period is the present calendar month in the agency's time
    /// zone, as that is set now.
    ///
    /// An `id` is one event of the agency, whoever reports it: another reseller's use, and what
    /// [`record_usage`](Self::record_usage) reports, need other ids. A call that was granted before
    /// is granted again as a `duplicate`, with the use and the limit as they are now, and adds
    /// nothing. A denied call is not kept: made again, it is decided anew.
    ///
    /// Errors: `NotFound` for the reseller or the agency; fields `id` (`taken` by another event),
    /// `metric`, `quantity`.
    ///
    /// ```example
    /// use partnerkit::{DenialReason, Metric};
    ///
    /// agency.set_allowance(acme.id, Metric::MESSAGES, Some(5))?;
    /// let granted = agency.consume(acme.id, Metric::MESSAGES, 3, "evt-1")?;
    /// assert!(granted.granted);
    /// let denied = agency.consume(acme.id, Metric::MESSAGES, 3, "evt-2")?;
    /// assert_eq!(denied.reason, Some(DenialReason::LimitReached));
    /// assert_eq!((denied.used, denied.limit), (3, Some(5)));
    /// ```
    /// ```python
    /// agency.set_allowance(acme.id, "messages", 5)
    /// assert agency.consume(acme.id, "messages", 3, "evt-1")
    /// denied = agency.consume(acme.id, "messages", 3, "evt-2")
    /// assert not denied
    /// assert (denied.reason, denied.used, denied.limit) == ("limit_reached", 3, 5)
    /// ```
    /// ```javascript
    /// await agency.setAllowance({ id: acme.id, metric: 'messages', limit: 5 });
    /// const use = { reseller: acme.id, quantity: 3 };
    /// const first = await agency.consume({ ...use, metric: 'messages', id: 'evt-1' });
    /// assert.deepEqual([first.granted, first.used], [true, 3n]);
    ///
    /// const second = await agency.consume({ ...use, metric: 'messages', id: 'evt-2' });
    /// assert.deepEqual([second.granted, second.reason], [false, 'limit_reached']);
    /// assert.deepEqual([second.used, second.limit], [3n, 5n]);
    /// ```
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

    /// Sets how much a reseller may consume in a calendar month of the agency's zone; `None` lifts
    /// the limit. A limit that is below the use so far blocks further use.
    ///
    /// Errors: `NotFound` for the reseller; fields `metric` (`not_a_counter` for a metric that
    /// `consume` does not take) and `limit` (not negative).
    ///
    /// ```example
    /// use partnerkit::Metric;
    ///
    /// agency.set_allowance(acme.id, Metric::MESSAGES, Some(0))?;
    /// assert!(!agency.consume(acme.id, Metric::MESSAGES, 1, "evt-1")?.granted);
    /// agency.set_allowance(acme.id, Metric::MESSAGES, None)?;
    /// assert!(agency.consume(acme.id, Metric::MESSAGES, 1, "evt-1")?.granted);
    /// ```
    /// ```python
    /// agency.set_allowance(acme.id, "messages", 0)
    /// assert not agency.consume(acme.id, "messages", 1, "evt-1")
    /// agency.set_allowance(acme.id, "messages", None)
    /// assert agency.consume(acme.id, "messages", 1, "evt-1")
    /// ```
    /// ```javascript
    /// const use = { reseller: acme.id, quantity: 1, id: 'evt-1' };
    /// await agency.setAllowance({ id: acme.id, metric: 'messages', limit: 0 });
    /// const denied = await agency.consume({ ...use, metric: 'messages' });
    /// await agency.setAllowance({ id: acme.id, metric: 'messages', limit: null });
    /// const granted = await agency.consume({ ...use, metric: 'messages' });
    /// assert.deepEqual([denied.granted, granted.granted], [false, true]);
    /// ```
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

    /// Active resellers and use over all time. The totals are kept, so this is fast for any number
    /// of resellers. Errors: `NotFound` once the agency is deleted.
    ///
    /// ```example
    /// use partnerkit::Metric;
    ///
    /// agency.consume(acme.id, Metric::WHATSAPP_MESSAGES, 3, "evt-1")?;
    /// let overview = agency.overview()?;
    /// assert_eq!((overview.active_resellers, overview.whatsapp_messages), (1, 3));
    /// ```
    /// ```python
    /// agency.consume(acme.id, "whatsapp_messages", 3, "evt-1")
    /// overview = agency.overview()
    /// assert (overview.active_resellers, overview.whatsapp_messages) == (1, 3)
    /// ```
    /// ```javascript
    /// const use = { reseller: acme.id, quantity: 3, id: 'evt-1' };
    /// await agency.consume({ ...use, metric: 'whatsapp_messages' });
    /// const overview = await agency.overview();
    /// assert.deepEqual([overview.activeResellers, overview.whatsappMessages], [1, 3n]);
    /// ```
    pub fn overview(&self) -> Result<Overview> {
        self.read(overview)
    }
}
