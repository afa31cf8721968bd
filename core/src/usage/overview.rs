//! The overview: what an agency sees first. Its totals are kept up to date, not summed when they
//! are read (S39).

use serde::Serialize;

use super::reading::{each_gauge, sum_of_agency};
use super::series::most;
use super::{Metric, Period};
use crate::error::Result;
use crate::records::Reads;
use crate::schema::damaged;
use crate::values::Timestamp;

/// The name of the total that counts active resellers.
pub(crate) const ACTIVE_RESELLERS: &str = "active_resellers";

/// An agency's totals over all time, or in a period.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Overview {
    /// The number of resellers that are active now.
    pub active_resellers: u64,
    /// Messages, including those of deleted resellers.
    pub messages: i64,
    /// WhatsApp messages, including those of deleted resellers.
    pub whatsapp_messages: i64,
    /// WhatsApp conversations, including those of deleted resellers.
    pub whatsapp_conversations: i64,
    /// The sum of the latest levels of all existing resellers, or of those at the period's end.
    pub team_members: i64,
}

/// Reads the totals. It takes as long for one reseller as for a million.
pub(crate) fn overview(reads: &mut Reads<'_>) -> Result<Overview> {
    let names = [
        ACTIVE_RESELLERS,
        Metric::MESSAGES.slug(),
        Metric::WHATSAPP_MESSAGES.slug(),
        Metric::WHATSAPP_CONVERSATIONS.slug(),
        Metric::TEAM_MEMBERS.slug(),
    ];
    let totals = reads.totals(&names)?;
    let total = |i: usize| totals.get(i).copied().unwrap_or_default();
    Ok(Overview {
        active_resellers: u64::try_from(total(0)).map_err(|_| damaged())?,
        messages: total(1),
        whatsapp_messages: total(2),
        whatsapp_conversations: total(3),
        team_members: total(4),
    })
}

/// Reads what was used in a period. It takes longer the more days the period has. If the period is
/// over, levels are summed over the resellers.
pub(super) fn overview_between(
    reads: &mut Reads<'_>,
    period: &Period,
    now: Timestamp,
) -> Result<Overview> {
    let present = overview(reads)?;
    let days = reads.known_days(period.days())?;
    let mut used = |metric| sum_of_agency(reads, metric, period, days.clone());
    Ok(Overview {
        messages: used(Metric::MESSAGES)?,
        whatsapp_messages: used(Metric::WHATSAPP_MESSAGES)?,
        whatsapp_conversations: used(Metric::WHATSAPP_CONVERSATIONS)?,
        team_members: match now < period.end {
            true => present.team_members,
            false => level_at(reads, Metric::TEAM_MEMBERS, period)?,
        },
        ..present
    })
}

/// The sum of the levels of a gauge at a period's end.
fn level_at(reads: &mut Reads<'_>, metric: Metric, period: &Period) -> Result<i64> {
    // Of the days before the last one, only the latest level counts.
    let start = Timestamp::midnight_of(period.end.plus_millis(-1).utc_day());
    let mut sum = 0_i128;
    each_gauge(reads, metric, &Period { start, ..*period }, |_, gauge| {
        sum += i128::from(gauge.level_at_the_end());
    })?;
    Ok(most(sum))
}
