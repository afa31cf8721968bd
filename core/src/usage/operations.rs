//! The operations of an agency on usage: recording, consuming, limits and the overview.

use super::allowance::{allowances, only_counter};
use super::ingest::MAX_BATCH;
use super::overview::overview_between;
use super::query::range;
use super::ranking::top;
use super::voiding::void;
use super::{
    Allowance, Consumption, EventId, MeterKey, Metric, Overview, Reported, TopReseller, UsageEvent,
    UsagePage, UsageQuery, UsageReport, check, consume, overview, record,
};
use crate::changes::ChangeKind;
use crate::error::{Code, FieldErrors, Refusal, Result, refused};
use crate::reseller::{ResellerId, one};
use crate::schema::damaged;
use crate::storage::Lock;
use crate::tenant::Tenant;
use crate::values::Timestamp;

const MAX_TOP: u32 = 1_000;

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
        let lateness = self.shared.lateness;
        let checked = events.iter().map(|event| check(&*event.event()?, now, lateness));
        let checked: Vec<_> = checked.collect();
        let outcomes = self.write(|tx| record(tx, &checked, now))?;
        Ok(UsageReport { outcomes })
    }

    /// Takes an event back, as if it had never been reported, and says whether it was counted until
    /// now: to take it back once more changes nothing. Its id stays known, so that the event, if it is
    /// reported again, is a `duplicate`, and is not counted (S35).
    ///
    /// Errors: `NotFound` for an event that was never recorded, or that is not kept any more (events are
    /// kept for 40 days), and once the agency is deleted; field `id` (`too_late` if its quarter-hour was
    /// more than 39 days ago, or has use that came in by `backfill`). Where a platform sets for how long
    /// events are accepted, these are five and four days more than that.
    ///
    /// ```example
    /// use partnerkit::Metric;
    ///
    /// agency.consume(acme.id, Metric::MESSAGES, 3, "evt-1")?;
    /// assert!(agency.void_event("evt-1")?);
    /// assert!(!agency.void_event("evt-1")?); // it had been taken back
    /// assert_eq!(agency.overview()?.messages, 0);
    /// ```
    /// ```python
    /// agency.consume(acme.id, "messages", 3, "evt-1")
    /// assert agency.void_event("evt-1")
    /// assert not agency.void_event("evt-1")  # it had been taken back
    /// overview = agency.overview()
    /// assert overview.messages == 0
    /// ```
    /// ```javascript
    /// const use = { reseller: acme.id, quantity: 3, id: 'evt-1' };
    /// await agency.consume({ ...use, metric: 'messages' });
    /// assert.equal(await agency.voidEvent('evt-1'), true);
    /// assert.equal(await agency.voidEvent('evt-1'), false); // it had been taken back
    /// const overview = await agency.overview();
    /// assert.equal(overview.messages, 0n);
    /// ```
    pub fn void_event(&self, id: &str) -> Result<bool> {
        let id = EventId::parse(id).map_err(refused("id"))?;
        let (now, lateness) = (self.now(), self.shared.lateness);
        self.write(|tx| void(tx, &id, lateness, now))
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
    /// Errors: `NotFound` for the reseller or the agency; fields `id` (`taken` by another event, or by
    /// one that was taken back), `metric`, `quantity`.
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
    /// await agency.setAllowance({ reseller: acme.id, metric: 'messages', limit: 5 });
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
        let event = check(&event, at, self.shared.lateness).map_err(FieldErrors::from)?;
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
    /// await agency.setAllowance({ reseller: acme.id, metric: 'messages', limit: 0 });
    /// const denied = await agency.consume({ ...use, metric: 'messages' });
    /// await agency.setAllowance({ reseller: acme.id, metric: 'messages', limit: null });
    /// const granted = await agency.consume({ ...use, metric: 'messages' });
    /// assert.deepEqual([denied.granted, granted.granted], [false, true]);
    /// ```
    pub fn set_allowance(
        &self,
        reseller: ResellerId,
        metric: Metric,
        limit: Option<i64>,
    ) -> Result<()> {
        only_counter(metric)?;
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

    /// What a reseller may use of a counter in the present calendar month of the agency's zone, and what
    /// it has used: [`consume`](Self::consume) decides by the same limit and use (S43). A reseller whose
    /// limit was never set may use any amount. An inactive one has its allowance, too, though `consume`
    /// denies it everything.
    ///
    /// Errors: `NotFound` for the reseller or the agency; field `metric` (`not_a_counter`).
    ///
    /// ```example
    /// use partnerkit::Metric;
    ///
    /// agency.set_allowance(acme.id, Metric::MESSAGES, Some(5))?;
    /// let granted = agency.consume(acme.id, Metric::MESSAGES, 3, "evt-1")?;
    /// let allowance = agency.allowance(acme.id, Metric::MESSAGES)?;
    /// assert_eq!((allowance.limit, allowance.used), (Some(5), 3));
    /// assert_eq!(allowance.resets_at, granted.resets_at);
    /// ```
    /// ```python
    /// agency.set_allowance(acme.id, "messages", 5)
    /// granted = agency.consume(acme.id, "messages", 3, "evt-1")
    /// allowance = agency.allowance(acme.id, "messages")
    /// assert (allowance.limit, allowance.used) == (5, 3)
    /// assert allowance.resets_at == granted.resets_at
    /// ```
    /// ```javascript
    /// await agency.setAllowance({ reseller: acme.id, metric: 'messages', limit: 5 });
    /// const use = { reseller: acme.id, quantity: 3, id: 'evt-1' };
    /// const { resetsAt } = await agency.consume({ ...use, metric: 'messages' });
    /// const allowance = await agency.allowance(acme.id, 'messages');
    /// assert.deepEqual(allowance, { metric: 'messages', limit: 5n, used: 3n, resetsAt });
    /// ```
    pub fn allowance(&self, reseller: ResellerId, metric: Metric) -> Result<Allowance> {
        only_counter(metric)?;
        let now = self.now();
        let found = self.read(|reads| allowances(reads, reseller, &[metric], now))?.pop();
        found.ok_or_else(damaged)
    }

    /// What a reseller may use of each counter in the present month, and what it has used, as
    /// [`allowance`](Self::allowance) tells it of one.
    ///
    /// Errors: `NotFound` for the reseller or the agency.
    ///
    /// ```example
    /// use partnerkit::Metric;
    ///
    /// agency.set_allowance(acme.id, Metric::WHATSAPP_MESSAGES, Some(5))?;
    /// let allowances = agency.allowances(acme.id)?;
    /// let limits: Vec<_> = allowances.iter().map(|one| (one.metric.slug(), one.limit)).collect();
    /// assert_eq!(limits[..2], [("messages", None), ("whatsapp_messages", Some(5))]);
    /// ```
    /// ```python
    /// agency.set_allowance(acme.id, "whatsapp_messages", 5)
    /// limits = {one.metric: one.limit for one in agency.allowances(acme.id)}
    /// assert limits["messages"] is None  # unlimited
    /// assert limits["whatsapp_messages"] == 5
    /// ```
    /// ```javascript
    /// await agency.setAllowance({ reseller: acme.id, metric: 'whatsapp_messages', limit: 5 });
    /// const [messages, whatsapp] = await agency.allowances(acme.id);
    /// assert.deepEqual([messages.metric, messages.limit], ['messages', null]); // unlimited
    /// assert.deepEqual([whatsapp.metric, whatsapp.limit], ['whatsapp_messages', 5n]);
    /// ```
    pub fn allowances(&self, reseller: ResellerId) -> Result<Vec<Allowance>> {
        let (counters, now): (Vec<_>, _) = (Metric::counters().collect(), self.now());
        self.read(|reads| allowances(reads, reseller, &counters, now))
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

    /// Active resellers now, and use from `start` (inclusive) to `end` (exclusive), both on a quarter
    /// of an hour. Levels of gauges are those at the end; of a range that is not over, those of now.
    ///
    /// It takes as long for a million resellers as for one, unless the range is over: then the levels
    /// are summed over the resellers.
    ///
    /// Errors: `NotFound` once the agency is deleted; fields `start` and `end` (`quarter_hour`; `end`
    /// `out_of_range` before `start`, or more than a hundred years later).
    ///
    /// ```example
    /// use partnerkit::{Metric, Timestamp};
    ///
    /// agency.consume(acme.id, Metric::MESSAGES, 3, "evt-1")?;
    /// let march = ["2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"];
    /// let [start, end] = march.map(|at| at.parse::<Timestamp>().unwrap());
    /// let overview = agency.overview_between(start, end)?;
    /// assert_eq!(overview.active_resellers, 1);
    /// ```
    /// ```python
    /// from datetime import UTC, datetime
    ///
    /// agency.consume(acme.id, "messages", 3, "evt-1")
    /// march = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
    /// overview = agency.overview_between(*march)
    /// assert overview.active_resellers == 1
    /// ```
    /// ```javascript
    /// await agency.consume({ reseller: acme.id, metric: 'messages', quantity: 3, id: 'evt-1' });
    /// const [start, end] = [new Date('2026-03-01T00:00:00Z'), new Date('2026-04-01T00:00:00Z')];
    /// const overview = await agency.overviewBetween(start, end);
    /// assert.equal(overview.activeResellers, 1);
    /// ```
    pub fn overview_between(&self, start: Timestamp, end: Timestamp) -> Result<Overview> {
        let (period, now) = (range(Some(start), Some(end))?, self.now());
        self.read(|reads| overview_between(reads, &period, now))
    }

    /// A page of what was used in a range of time: one row for each metric, or for each hour, day,
    /// week or month, of all resellers together or of each one (S36).
    ///
    /// Reading the counters of all resellers together costs the days of the range. Rows of each
    /// reseller, and of gauges, also cost the resellers. Each page is read when it is asked for: what is
    /// reported meanwhile is in the pages that follow.
    ///
    /// Errors: `NotFound` once the agency is deleted; `InvalidCursor`; fields `start` and `end`
    /// (`empty`, `quarter_hour`; `end` `out_of_range` before `start`, or more than a hundred years
    /// later), `time_zone` (`unknown_time_zone`), `window` (`too_many`
    /// windows: there may be 100,000 if each reseller has its own rows), `resellers`
    /// (`too_many`), `limit` (`out_of_range`).
    ///
    /// ```example
    /// use partnerkit::{Metric, UsageEvent, UsageQuery, Window};
    ///
    /// let (metric, at) = (Metric::MESSAGES, acme.created_at);
    /// let event = UsageEvent { id: "msg-1".into(), reseller: acme.id, metric, quantity: 250, at };
    /// agency.record_usage(&[event])?;
    ///
    /// let range = ["2026-01-01T00:00:00Z", "2100-01-01T00:00:00Z"];
    /// let [start, end] = range.map(|at| at.parse().unwrap());
    /// let query = UsageQuery::between(start, end);
    /// let by_day = UsageQuery { window: Window::Day, metrics: Some(vec![metric]), ..query };
    /// let page = agency.usage(&by_day)?;
    /// assert_eq!((page.rows[0].value, page.rows[0].events, page.next), (250, 1, None));
    /// ```
    /// ```python
    /// from datetime import UTC, datetime
    ///
    /// event = {"id": "msg-1", "reseller": acme.id, "metric": "messages", "quantity": 250}
    /// agency.record_usage([{**event, "at": acme.created_at}])
    ///
    /// start = datetime(2026, 1, 1, tzinfo=UTC)
    /// end = datetime(2100, 1, 1, tzinfo=UTC)
    /// page = agency.usage(start=start, end=end, window="day", metrics=["messages"])
    /// assert [(row.value, row.events) for row in page.rows] == [(250, 1)]
    /// ```
    /// ```javascript
    /// const event = { id: 'msg-1', reseller: acme.id, quantity: 250, at: acme.createdAt };
    /// await agency.recordUsage([{ ...event, metric: 'messages' }]);
    ///
    /// const [start, end] = [new Date('2026-01-01T00:00:00Z'), new Date('2100-01-01T00:00:00Z')];
    /// const page = await agency.usage({ start, end, window: 'day', metrics: ['messages'] });
    /// assert.deepEqual(page.rows.map((row) => [row.value, row.events]), [[250n, 1]]);
    /// ```
    pub fn usage(&self, query: &UsageQuery) -> Result<UsagePage> {
        let seal = self.seal()?;
        self.read(|reads| query.read(reads, &seal))
    }

    /// The resellers that used the most of a metric from `start` (inclusive) to `end` (exclusive), at
    /// most `limit`, which is 1–1,000. The largest use comes first, equal ones in the order of ids. Of
    /// a gauge, the level at the end counts.
    ///
    /// It reads a row for each reseller and each day on which it used something, so it takes longer
    /// the more resellers there are.
    ///
    /// Errors: `NotFound` once the agency is deleted; fields `start` and `end` as
    /// [`overview_between`](Self::overview_between), `limit` (`out_of_range`).
    ///
    /// ```example
    /// use partnerkit::{Metric, UsageEvent};
    ///
    /// let (metric, at) = (Metric::MESSAGES, acme.created_at);
    /// let event = UsageEvent { id: "msg-1".into(), reseller: acme.id, metric, quantity: 250, at };
    /// agency.record_usage(&[event])?;
    /// let range = ["2026-01-01T00:00:00Z", "2100-01-01T00:00:00Z"];
    /// let [start, end] = range.map(|at| at.parse().unwrap());
    /// let top = agency.top_resellers(metric, start, end, 10)?;
    /// assert_eq!((top[0].reseller, top[0].value), (acme.id, 250));
    /// ```
    /// ```python
    /// from datetime import UTC, datetime
    ///
    /// event = {"id": "msg-1", "reseller": acme.id, "metric": "messages", "quantity": 250}
    /// agency.record_usage([{**event, "at": acme.created_at}])
    /// start = datetime(2026, 1, 1, tzinfo=UTC)
    /// end = datetime(2100, 1, 1, tzinfo=UTC)
    /// (top,) = agency.top_resellers("messages", start, end, 10)
    /// assert (top.reseller, top.value) == (acme.id, 250)
    /// ```
    /// ```javascript
    /// const event = { id: 'msg-1', reseller: acme.id, quantity: 250, at: acme.createdAt };
    /// await agency.recordUsage([{ ...event, metric: 'messages' }]);
    /// const [start, end] = [new Date('2026-01-01T00:00:00Z'), new Date('2100-01-01T00:00:00Z')];
    /// const [top] = await agency.topResellers({ metric: 'messages', start, end, limit: 10 });
    /// assert.deepEqual([top.reseller, top.value], [acme.id, 250n]);
    /// ```
    pub fn top_resellers(
        &self,
        metric: Metric,
        start: Timestamp,
        end: Timestamp,
        limit: u32,
    ) -> Result<Vec<TopReseller>> {
        let range = range(Some(start), Some(end))?;
        if !(1..=MAX_TOP).contains(&limit) {
            return Err(refused("limit")(Refusal::out_of_range(1, MAX_TOP.into())));
        }
        self.read(|reads| top(reads, metric, &range, limit as usize))
    }
}
