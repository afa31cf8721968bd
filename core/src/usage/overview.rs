//! The overview: what an agency sees first. Its totals are kept up to date, not summed when they
//! are read (S39).

use super::Metric;
use crate::error::Result;
use crate::records::Reads;
use crate::schema::damaged;
use serde::Serialize;

/// The name of the total that counts active resellers.
pub(crate) const ACTIVE_RESELLERS: &str = "active_resellers";

/// An agency's totals over all time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Overview {
    /// The number of active resellers.
    pub active_resellers: u64,
    /// Messages, including those of deleted resellers.
    pub messages: i64,
    /// WhatsApp messages, including those of deleted resellers.
    pub whatsapp_messages: i64,
    /// WhatsApp conversations, including those of deleted resellers.
    pub whatsapp_conversations: i64,
    /// The sum of the latest levels of all existing resellers.
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
