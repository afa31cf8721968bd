//! The records that bindings get for types that most languages do not have: an enumeration whose
//! variants have values becomes one record, with a field that names the variant. In JSON it stays
//! an enumeration.
//!
//! If a struct is serialized under another type's name, the generator of the bindings uses it for
//! that type, so its documentation is for every language.

use serde::{Serialize, Serializer};

use crate::error::{Code, FieldError};
use crate::{EventOutcome, ResellerId, RowOutcome, RowReport, Total};

/// How many resellers a query finds.
#[derive(Serialize)]
#[serde(rename = "Total")]
struct TotalRecord {
    /// This many.
    count: u64,
    /// Whether there are exactly this many; otherwise there may be more, because counting stopped.
    exact: bool,
}

impl Serialize for Total {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (place, variant, count) = match self {
            Self::Exact(count) => (0, "exact", *count),
            Self::AtLeast(count) => (1, "at_least", *count),
        };
        if serializer.is_human_readable() {
            serializer.serialize_newtype_variant("Total", place, variant, &count)
        } else {
            TotalRecord { count, exact: matches!(self, Self::Exact(_)) }.serialize(serializer)
        }
    }
}

/// The outcome of one event of a batch.
#[derive(Serialize)]
#[serde(rename = "EventOutcome")]
struct EventOutcomeRecord<'o> {
    /// Whether it was counted, and if not, why not.
    kind: OutcomeKind,
    /// The first field of the event that is wrong, if it was rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'o str>,
    /// Why it was rejected: one of the stable slugs of field errors.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<Code>,
    /// The bound that was violated, if there is one (`{"max": 200}`).
    #[serde(skip_serializing_if = "Option::is_none")]
    params: Option<Params<'o>>,
}

/// The outcome of one event of a batch.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeKind {
    /// The event was counted.
    Accepted,
    /// The same event was counted before.
    Duplicate,
    /// Another event with other content has this id.
    Conflict,
    /// The event was not counted, because one of its fields is wrong.
    Rejected,
}

impl Serialize for EventOutcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (kind, error) = match self {
            Self::Accepted => (OutcomeKind::Accepted, None),
            Self::Duplicate => (OutcomeKind::Duplicate, None),
            Self::Conflict => (OutcomeKind::Conflict, None),
            Self::Rejected(error) => (OutcomeKind::Rejected, Some(error)),
        };
        let record = EventOutcomeRecord {
            kind,
            field: error.map(|error| &*error.field),
            code: error.map(|error| error.code),
            params: error.map(|error| Params(&error.params)),
        };
        record.serialize(serializer)
    }
}

/// The outcome of one row of a file, with its line.
#[derive(Serialize)]
#[serde(rename = "RowReport")]
struct RowReportRecord<'r> {
    /// The line it begins at, from 1.
    line: u64,
    /// The kind of outcome.
    kind: RowKind,
    /// The reseller that was created or existed already. In a dry run the id of a new one is not
    /// kept.
    reseller: Option<ResellerId>,
    /// Every reason why it was rejected.
    errors: &'r [FieldError],
}

/// The kinds of outcome of a row.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RowKind {
    /// The reseller was created.
    Created,
    /// A reseller with this email, login domain and external id exists already.
    Existing,
    /// The row was rejected.
    Rejected,
}

#[derive(Serialize)]
struct RowReportJson<'r> {
    line: u64,
    outcome: &'r RowOutcome,
}

impl Serialize for RowReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { line, outcome } = self;
        let line = *line;
        if serializer.is_human_readable() {
            return RowReportJson { line, outcome }.serialize(serializer);
        }
        let (kind, reseller, errors) = match outcome {
            RowOutcome::Created(id) => (RowKind::Created, Some(*id), [].as_slice()),
            RowOutcome::Existing(id) => (RowKind::Existing, Some(*id), [].as_slice()),
            RowOutcome::Rejected(errors) => (RowKind::Rejected, None, errors.as_slice()),
        };
        RowReportRecord { line, kind, reseller, errors }.serialize(serializer)
    }
}

/// One refused field.
#[derive(Serialize)]
#[serde(rename = "FieldError")]
struct FieldErrorRecord<'e> {
    /// The field's stable name, dotted inside a nested record (`contact.email`).
    field: &'e str,
    /// Why it was refused: a stable slug (`taken`).
    code: Code,
    /// The bound that was violated, if there is one (`{"max": 200}`); never user input.
    params: Params<'e>,
    /// The reason in English, with the bound where there is one (`is too long (max 200)`).
    message: String,
}

/// The message is in objects, which are shown to people, but not in JSON, which goes to programs
/// that translate the code.
#[derive(Serialize)]
struct FieldErrorJson<'e> {
    field: &'e str,
    code: Code,
    params: Params<'e>,
}

impl Serialize for FieldError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { field, code, params, expected: _ } = self;
        let (code, params, message) = (*code, Params(params), self.message());
        if serializer.is_human_readable() {
            return FieldErrorJson { field, code, params }.serialize(serializer);
        }
        FieldErrorRecord { field, code, params, message }.serialize(serializer)
    }
}

/// The parameters of a field error as one object.
struct Params<'p>(&'p [(&'static str, i64)]);

impl Serialize for Params<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().copied())
    }
}
