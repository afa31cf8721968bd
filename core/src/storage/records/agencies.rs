//! Rows of agencies, and what belongs to nobody else: labels, idempotency keys, secrets.

use std::collections::BTreeMap;

use super::{Entity, agency_key, id, instant, json, text, unsigned};
use crate::access::Secret;
use crate::agency::AgencySettings;
use crate::error::{Code, Result};
use crate::reseller::ResellerId;
use crate::storage::schema::{self, Fields, Row, Table, Value, damaged};
use crate::usage::Metric;
use crate::values::{AgencyId, LoginDomain, Timestamp};

/// An agency as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgencyRow {
    /// Its settings.
    pub settings: AgencySettings,
    /// The sequence of the newest numbered change.
    pub numbered: u64,
    /// The sequence of the newest change that was removed.
    pub pruned: u64,
    /// When it was deleted. A closed agency is there for nobody; its rows go in steps, and it goes
    /// with the last ones (S64).
    pub closed_at: Option<Timestamp>,
}

impl AgencyRow {
    /// Of a new agency.
    pub(crate) fn new(settings: AgencySettings) -> Self {
        Self { settings, numbered: 0, pruned: 0, closed_at: None }
    }

    /// Whether it is there for anybody.
    pub fn is_open(&self) -> bool {
        self.closed_at.is_none()
    }
}

/// What an idempotency key was used for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyRow {
    /// The key.
    pub key: String,
    /// A keyed hash of what was asked for.
    pub fingerprint: [u8; 32],
    /// What was created.
    pub reseller: ResellerId,
    /// The version it had then.
    pub version: u64,
    /// When.
    pub created_at: Timestamp,
}

/// A login domain and what it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelRow {
    /// The label.
    pub label: LoginDomain,
    /// The agency that holds it, or held it last.
    pub agency: AgencyId,
    /// Who has it.
    pub state: LabelState,
}

impl LabelRow {
    /// Whether a new reseller may have the label.
    pub fn is_free(&self, now: Timestamp) -> bool {
        matches!(self.state, LabelState::Quarantined(until) if until <= now)
    }
}

/// Whether a label is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelState {
    /// By this reseller.
    Held(ResellerId),
    /// By nobody, and nobody may have it before this instant. Holds no personal data (S7).
    Quarantined(Timestamp),
}

impl LabelState {
    /// What a form says to somebody else who wants the label.
    pub(crate) fn refusal(self) -> Code {
        match self {
            Self::Held(_) => Code::Taken,
            Self::Quarantined(_) => Code::Quarantined,
        }
    }
}

/// A key of the platform's keyed hashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretRow {
    /// Counts the rotations.
    pub id: i64,
    /// The key.
    pub secret: Secret,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Entity for SecretRow {
    const TABLE: &'static Table = &schema::SECRETS;

    type Key = i64;

    fn key_row(agency: &AgencyId, key: &Self::Key) -> Row {
        agency_key(agency, [Value::Integer(*key)])
    }

    fn to_row(&self, agency: &AgencyId) -> Result<Row> {
        let secret = Value::Bytes(self.secret.as_bytes().to_vec());
        Ok(vec![text(agency), Value::Integer(self.id), secret, instant(self.created_at)])
    }

    fn read(fields: &mut Fields) -> Result<Self> {
        fields.skip()?;
        Ok(Self {
            id: fields.integer()?,
            secret: Secret::from_bytes(fields.bytes()?.try_into().map_err(|_| damaged())?),
            created_at: fields.instant()?,
        })
    }
}

impl Entity for AgencyRow {
    const TABLE: &'static Table = &schema::AGENCIES;

    type Key = ();

    fn key_row(agency: &AgencyId, _: &Self::Key) -> Row {
        agency_key(agency, [])
    }

    fn to_row(&self, _: &AgencyId) -> Result<Row> {
        let AgencySettings { capacity, reserved_labels, .. } = &self.settings;
        let capacity: BTreeMap<_, _> =
            capacity.iter().map(|(metric, amount)| (metric.slug(), amount)).collect();
        let labels: Vec<_> = reserved_labels.iter().map(LoginDomain::as_str).collect();
        Ok(vec![
            text(&self.settings.agency),
            unsigned(self.settings.version),
            text(&self.settings.time_zone),
            json(&capacity)?,
            json(&labels)?,
            instant(self.settings.created_at),
            instant(self.settings.updated_at),
            unsigned(self.numbered),
            unsigned(self.pruned),
            self.closed_at.map_or(Value::Null, instant),
        ])
    }

    fn read(fields: &mut Fields) -> Result<Self> {
        let agency = AgencyId::from_stored(fields.text()?);
        let version = fields.unsigned()?;
        let time_zone = fields.text()?;
        let capacity: BTreeMap<String, i64> = fields.json()?;
        let metric = |slug: String| Metric::from_slug(&slug).ok_or_else(damaged);
        let capacity = capacity.into_iter().map(|(slug, n)| Ok((metric(slug)?, n)));
        let capacity = capacity.collect::<Result<_>>()?;
        let labels: Vec<String> = fields.json()?;
        let reserved_labels = labels.into_iter().map(LoginDomain::from_stored).collect();
        let (created_at, updated_at) = (fields.instant()?, fields.instant()?);
        let settings = AgencySettings {
            agency,
            version,
            time_zone,
            capacity,
            reserved_labels,
            created_at,
            updated_at,
        };
        let (numbered, pruned) = (fields.unsigned()?, fields.unsigned()?);
        let closed_at = fields.optional_integer()?.map(Timestamp::from_millis);
        Ok(Self { settings, numbered, pruned, closed_at })
    }
}

impl Entity for IdempotencyRow {
    const TABLE: &'static Table = &schema::IDEMPOTENCY;

    type Key = String;

    fn key_row(agency: &AgencyId, key: &Self::Key) -> Row {
        agency_key(agency, [text(key)])
    }

    fn to_row(&self, agency: &AgencyId) -> Result<Row> {
        Ok(vec![
            text(agency),
            text(&self.key),
            Value::Bytes(self.fingerprint.to_vec()),
            id(self.reseller),
            unsigned(self.version),
            instant(self.created_at),
        ])
    }

    fn read(fields: &mut Fields) -> Result<Self> {
        fields.skip()?;
        Ok(Self {
            key: fields.text()?,
            fingerprint: fields.bytes()?.try_into().map_err(|_| damaged())?,
            reseller: fields.id()?,
            version: fields.unsigned()?,
            created_at: fields.instant()?,
        })
    }
}

impl Entity for LabelRow {
    const TABLE: &'static Table = &schema::LABELS;

    type Key = LoginDomain;

    fn key_row(_: &AgencyId, key: &Self::Key) -> Row {
        vec![text(key)]
    }

    fn to_row(&self, _: &AgencyId) -> Result<Row> {
        let (reseller, until) = match self.state {
            LabelState::Held(reseller) => (id(reseller), Value::Null),
            LabelState::Quarantined(until) => (Value::Null, instant(until)),
        };
        Ok(vec![text(&self.label), text(&self.agency), reseller, until])
    }

    fn read(fields: &mut Fields) -> Result<Self> {
        let label = LoginDomain::from_stored(fields.text()?);
        let agency = AgencyId::from_stored(fields.text()?);
        let state = match (fields.optional_uuid()?, fields.optional_integer()?) {
            (Some(reseller), None) => LabelState::Held(ResellerId::from_uuid(reseller)),
            (None, Some(until)) => LabelState::Quarantined(Timestamp::from_millis(until)),
            _ => return Err(damaged()),
        };
        Ok(Self { label, agency, state })
    }
}
