//! Usage events into the core's; reports, consumptions, overviews and changes into records.

use partnerkit::{
    Change, Consumption, Denial, DenialReason, EventOutcome, Overview, UsageEvent, UsageReport,
};
use pyo3::prelude::*;

use crate::class::class;
use crate::value::{Id, Text, Typed, id, instant, metric, number, object, record, timestamp};

/// An event as a host reports it: a `UsageEvent`, or any object with its attributes.
pub fn event(event: &Bound<'_, PyAny>) -> PyResult<UsageEvent> {
    let py = event.py();
    let Typed(slug) = event.getattr("metric")?.extract()?;
    Ok(UsageEvent {
        id: event.getattr("id")?.extract::<Text>()?.of(py, "id")?,
        reseller: event.getattr("reseller")?.extract::<Id>()?.0,
        metric: metric(py, &slug)?,
        quantity: number("quantity", &event.getattr("quantity")?)?,
        at: timestamp(&event.getattr("at")?)?,
    })
}

/// The record of a report.
pub fn report(py: Python<'_>, report: UsageReport) -> PyResult<Bound<'_, PyAny>> {
    let UsageReport { outcomes } = report;
    let class = class!(py, records::EventOutcome)?;
    let kinds = class!(py, records::OutcomeKind)?;
    let outcome = |outcome: EventOutcome| {
        let code = match outcome {
            EventOutcome::Rejected(code) => Some(code.slug()),
            EventOutcome::Accepted | EventOutcome::Duplicate | EventOutcome::Conflict => None,
        };
        class.call1((kinds.call1((outcome.slug(),))?, code))
    };
    let outcomes: PyResult<Vec<_>> = outcomes.into_iter().map(outcome).collect();
    class!(py, records::UsageReport)?.call1((outcomes?,))
}

/// The record of a `consume`: one class for both answers, told apart by `granted`.
pub fn consumption(
    py: Python<'_>,
    consumption: Consumption,
    requested: i64,
) -> PyResult<Bound<'_, PyAny>> {
    let (granted, duplicate, denied) = match consumption {
        Consumption::Granted { used, limit, resets_at, duplicate } => {
            (true, duplicate, (None, limit, used, requested, resets_at))
        }
        Consumption::Denied(Denial { reason, limit, used, requested, resets_at }) => {
            (false, false, (Some(denial_reason(py, reason)?), limit, used, requested, resets_at))
        }
    };
    let (reason, limit, used, requested, resets_at) = denied;
    let fields = [
        ("granted", object(py, granted)?),
        ("used", object(py, used)?),
        ("limit", object(py, limit)?),
        ("requested", object(py, requested)?),
        ("resets_at", instant(py, resets_at)?),
        ("duplicate", object(py, duplicate)?),
        ("reason", object(py, reason)?),
    ];
    record(class!(py, records::Consumption)?, &fields)
}

fn denial_reason(py: Python<'_>, reason: DenialReason) -> PyResult<Bound<'_, PyAny>> {
    class!(py, records::DenialReason)?.call1((reason.slug(),))
}

/// The record of an overview.
pub fn overview(py: Python<'_>, overview: Overview) -> PyResult<Bound<'_, PyAny>> {
    let Overview {
        active_resellers,
        messages,
        whatsapp_messages,
        whatsapp_conversations,
        team_members,
    } = overview;
    let fields = [
        ("active_resellers", object(py, active_resellers)?),
        ("messages", object(py, messages)?),
        ("whatsapp_messages", object(py, whatsapp_messages)?),
        ("whatsapp_conversations", object(py, whatsapp_conversations)?),
        ("team_members", object(py, team_members)?),
    ];
    record(class!(py, records::Overview)?, &fields)
}

/// The record of an entry of the change feed.
pub fn change(py: Python<'_>, change: Change) -> PyResult<Bound<'_, PyAny>> {
    let Change { sequence, id: entry, kind, reseller, version, at, actor, fields } = change;
    let reseller = reseller.map(|reseller| id(py, reseller)).transpose()?;
    let fields = [
        ("sequence", object(py, sequence)?),
        ("id", object(py, entry)?),
        ("kind", class!(py, records::ChangeKind)?.call1((kind.slug(),))?),
        ("reseller", object(py, reseller)?),
        ("version", object(py, version)?),
        ("at", instant(py, at)?),
        ("actor", object(py, actor)?),
        ("fields", object(py, fields)?),
    ];
    record(class!(py, records::Change)?, &fields)
}
