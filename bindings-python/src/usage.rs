//! Usage events into the core's; reports, consumptions, overviews and changes into records.

use partnerkit::{
    Change, Consumption, Denial, DenialReason, EventDraft, EventOutcome, FieldError, Given,
    Overview, UsageReport,
};
use pyo3::exceptions::{PyOverflowError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBool;
use uuid::Uuid;

use crate::class::class;
use crate::value::{Text, id, instant, object, record, timestamp};

/// An event as a host reports it: a `UsageEvent`, or any object with its attributes. What an
/// attribute holds is the core's to judge; an object without them is no event.
pub fn event(event: &Bound<'_, PyAny>) -> PyResult<EventDraft> {
    let attribute = |name: &str| {
        let missing = || PyTypeError::new_err(format!("an event has an attribute '{name}'"));
        event.getattr_opt(name)?.ok_or_else(missing)
    };
    Ok(EventDraft {
        id: given_text(&attribute("id")?),
        reseller: given_id(&attribute("reseller")?),
        metric: given_text(&attribute("metric")?),
        quantity: given_whole(&attribute("quantity")?)?,
        at: given_instant(&attribute("at")?)?,
    })
}

fn given_text(value: &Bound<'_, PyAny>) -> Given {
    if value.is_none() {
        return Given::Nothing;
    }
    value.extract::<Text>().ok().and_then(Text::ok).map_or(Given::Other, Given::Text)
}

fn given_id(value: &Bound<'_, PyAny>) -> Given {
    value.extract::<Uuid>().map_or_else(|_| given_text(value), |id| Given::Text(id.to_string()))
}

/// Whatever Python takes for an index is a whole number, but for its truth values.
fn given_whole(value: &Bound<'_, PyAny>) -> PyResult<Given> {
    if value.is_none() {
        return Ok(Given::Nothing);
    }
    if value.is_instance_of::<PyBool>() {
        return Ok(Given::Other);
    }
    let py = value.py();
    let whole = match value.extract::<i64>() {
        Err(error) if error.is_instance_of::<PyOverflowError>(py) => {
            value.lt(0).map(|negative| if negative { i128::MIN } else { i128::MAX })
        }
        extracted => extracted.map(i128::from),
    };
    whole.map(Given::Whole).or_else(|error| other(py, error))
}

fn given_instant(value: &Bound<'_, PyAny>) -> PyResult<Given> {
    if value.is_none() {
        return Ok(Given::Nothing);
    }
    match timestamp(value) {
        Ok(at) => Ok(Given::Whole(at.as_millis().into())),
        Err(error) => other(value.py(), error),
    }
}

/// What Python raises for a value that is none of the type; anything else is the host's own.
fn other(py: Python<'_>, error: PyErr) -> PyResult<Given> {
    let of_value = error.is_instance_of::<PyTypeError>(py)
        || error.is_instance_of::<PyValueError>(py)
        || error.is_instance_of::<PyOverflowError>(py);
    if of_value { Ok(Given::Other) } else { Err(error) }
}

/// The record of a report.
pub fn report(py: Python<'_>, report: UsageReport) -> PyResult<Bound<'_, PyAny>> {
    let UsageReport { outcomes } = report;
    let class = class!(py, records::EventOutcome)?;
    let kinds = class!(py, records::OutcomeKind)?;
    let outcome = |outcome: EventOutcome| {
        let kind = kinds.call1((outcome.slug(),))?;
        match outcome {
            EventOutcome::Rejected(FieldError { field, code, params: _ }) => {
                class.call1((kind, code.slug(), field))
            }
            EventOutcome::Accepted | EventOutcome::Duplicate | EventOutcome::Conflict => {
                class.call1((kind,))
            }
        }
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
