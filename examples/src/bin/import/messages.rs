//! A day of messages, the same in every run: what a reseller used follows from its domain.

use partnerkit::{
    Agency, Clock, EventOutcome, Metric, Reseller, ResellerQuery, Result, SystemClock, Timestamp,
    UsageEvent,
};

use crate::draft::spread;
use crate::report::Progress;

const BATCH: usize = 1_000;
pub const DAY: i64 = 86_400_000;

/// What became of the events.
#[derive(Debug)]
pub struct Sent {
    /// When the day began.
    pub day: Timestamp,
    pub accepted: usize,
    pub duplicates: usize,
    pub others: usize,
}

/// Records yesterday's events of every reseller. Their ids follow from the day and the
/// reseller, so that a second run counts nothing twice.
pub fn send(agency: &Agency) -> Result<Sent> {
    let yesterday = SystemClock.now().as_millis().div_euclid(DAY) - 1;
    let total = usize::try_from(agency.overview()?.active_resellers).unwrap_or(0);
    let mut progress = Progress::of("resellers' messages", total);
    let day = Timestamp::from_millis(yesterday * DAY);
    let mut sent = Sent { day, accepted: 0, duplicates: 0, others: 0 };
    let mut batch = Vec::new();
    let mut next = Some(ResellerQuery::all().limit(200));
    while let Some(query) = next {
        let page = agency.page(&query)?;
        for reseller in &page.resellers {
            batch.extend(events(reseller, yesterday));
            if batch.len() >= BATCH {
                record(agency, &mut batch, &mut sent)?;
            }
            progress.advance(1);
        }
        next = page.next.map(|cursor| query.after(cursor));
    }
    record(agency, &mut batch, &mut sent)?;
    Ok(sent)
}

fn record(agency: &Agency, batch: &mut Vec<UsageEvent>, sent: &mut Sent) -> Result<()> {
    for outcome in agency.record_usage(batch)?.outcomes {
        match outcome {
            EventOutcome::Accepted => sent.accepted += 1,
            EventOutcome::Duplicate => sent.duplicates += 1,
            EventOutcome::Conflict | EventOutcome::Rejected(_) => sent.others += 1,
        }
    }
    batch.clear();
    Ok(())
}

/// Between four and eleven events of one reseller, over the day.
fn events(reseller: &Reseller, day: i64) -> Vec<UsageEvent> {
    let seed = spread(reseller.login_domain.as_str());
    let some = |shift: u32, most: u64| i64::try_from((seed >> shift) % most).unwrap_or(0);
    let event = |n: i64, metric: Metric, quantity: i64| UsageEvent {
        id: format!("day-{day}-{}-{n}", reseller.id),
        reseller: reseller.id,
        metric,
        quantity,
        at: Timestamp::from_millis(day * DAY + (some(5, 86_400) + n * 7_919) % 86_400 * 1_000),
    };
    let mut events: Vec<_> =
        (0..1 + some(0, 8)).map(|n| event(n, Metric::MESSAGES, 1 + some(8, 40))).collect();
    events.push(event(90, Metric::WHATSAPP_MESSAGES, 1 + some(16, 25)));
    events.push(event(91, Metric::WHATSAPP_CONVERSATIONS, 1 + some(24, 5)));
    events.push(event(92, Metric::TEAM_MEMBERS, 1 + some(32, 12)));
    events
}
