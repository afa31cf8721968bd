//! Records as rows: for each record, one way there and one way back, for every backend.

use std::collections::BTreeMap;

use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use super::schema::{self, Fields, Row, Table, Value, damaged};
use crate::access::{AttemptKey, Attempts, Credentials, Secret};
use crate::changes::{Change, ChangeKind};
use crate::error::{Code, Result};
use crate::partner_type::PartnerType;
use crate::reseller::{ContactPerson, Reseller, ResellerId, Status};
use crate::search::{fold, searchable};
use crate::settings::AgencySettings;
use crate::usage::{DayKey, DayRollup, Event, EventId, Meter, MeterKey, Metric};
use crate::values::{
    AgencyId, Email, ExternalId, LoginDomain, Metadata, Name, Phone, Timestamp, Website,
};

/// An agency as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgencyRow {
    /// Its settings.
    pub settings: AgencySettings,
    /// The sequence of the newest numbered change.
    pub numbered: u64,
    /// The sequence of the newest change that was removed.
    pub pruned: u64,
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

/// A reseller to insert, with its credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewReseller {
    /// The record.
    pub reseller: Reseller,
    /// What it signs in with.
    pub credentials: Credentials,
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

/// Something that is stored as one row of one table.
pub(crate) trait Record: Sized {
    const TABLE: &'static Table;

    /// The row, in the order of the table's columns.
    fn to_row(&self, agency: &AgencyId) -> Result<Row>;

    /// The record, from the table's columns.
    fn read(fields: &mut Fields) -> Result<Self>;

    fn from_row(row: Row) -> Result<Self> {
        Self::read(&mut Fields::of(row))
    }
}

fn text(text: impl AsRef<str>) -> Value {
    Value::Text(text.as_ref().to_owned())
}

fn json(value: &impl Serialize) -> Result<Value> {
    serde_json::to_string(value).map(Value::Text).map_err(|_| damaged())
}

fn optional_text<T: AsRef<str>>(value: Option<&T>) -> Value {
    value.map_or(Value::Null, text)
}

fn unsigned(number: u64) -> Value {
    Value::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}

fn instant(at: Timestamp) -> Value {
    Value::Integer(at.as_millis())
}

fn id(reseller: ResellerId) -> Value {
    Value::Uuid(reseller.as_uuid())
}

impl Fields {
    fn unsigned(&mut self) -> Result<u64> {
        u64::try_from(self.integer()?).map_err(|_| damaged())
    }

    fn instant(&mut self) -> Result<Timestamp> {
        self.integer().map(Timestamp::from_millis)
    }

    fn id(&mut self) -> Result<ResellerId> {
        self.uuid().map(ResellerId::from_uuid)
    }

    fn json<T: DeserializeOwned>(&mut self) -> Result<T> {
        serde_json::from_str(&self.text()?).map_err(|_| damaged())
    }

    fn metric(&mut self) -> Result<Metric> {
        Metric::from_slug(&self.text()?).ok_or_else(damaged)
    }
}

impl Record for SecretRow {
    const TABLE: &'static Table = &schema::SECRETS;

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

impl Record for AgencyRow {
    const TABLE: &'static Table = &schema::AGENCIES;

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
        Ok(Self { settings, numbered: fields.unsigned()?, pruned: fields.unsigned()? })
    }
}

impl Record for IdempotencyRow {
    const TABLE: &'static Table = &schema::IDEMPOTENCY;

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

impl Record for LabelRow {
    const TABLE: &'static Table = &schema::LABELS;

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

impl Record for Reseller {
    const TABLE: &'static Table = &schema::RESELLERS;

    fn to_row(&self, agency: &AgencyId) -> Result<Row> {
        Ok(vec![
            text(agency),
            id(self.id),
            unsigned(self.version),
            text(self.status.slug()),
            optional_text(self.deactivation_reason.as_ref()),
            text(self.partner_type.slug()),
            text(&self.login_domain),
            text(&self.name),
            text(&self.email),
            text(self.email.key()),
            text(&self.phone),
            text(&self.contact.name),
            text(&self.contact.email),
            text(&self.contact.phone),
            optional_text(self.website.as_ref()),
            optional_text(self.external_id.as_ref()),
            json(self.metadata.as_map())?,
            instant(self.created_at),
            instant(self.updated_at),
            text(fold(self.name.as_str())),
            text(fold(self.email.as_str())),
            text(searchable(self.name.as_str(), self.email.as_str())),
        ])
    }

    fn read(fields: &mut Fields) -> Result<Self> {
        let agency = AgencyId::from_stored(fields.text()?);
        let id = fields.id()?;
        let version = fields.unsigned()?;
        let status = Status::from_slug(&fields.text()?).ok_or_else(damaged)?;
        let deactivation_reason = fields.optional_text()?;
        let partner_type = PartnerType::from_slug(&fields.text()?).ok_or_else(damaged)?;
        let login_domain = LoginDomain::from_stored(fields.text()?);
        let name = Name::from_stored(fields.text()?);
        let email = Email::from_stored(fields.text()?);
        fields.skip()?; // email_key: derived
        let phone = Phone::from_stored(fields.text()?);
        let contact = ContactPerson {
            name: Name::from_stored(fields.text()?),
            email: Email::from_stored(fields.text()?),
            phone: Phone::from_stored(fields.text()?),
        };
        let website = fields.optional_text()?.map(Website::from_stored);
        let external_id = fields.optional_text()?.map(ExternalId::from_stored);
        let metadata: BTreeMap<_, _> = fields.json()?;
        let created_at = fields.instant()?;
        let updated_at = fields.instant()?;
        for _derived in ["sort_name", "sort_email", "search_text"] {
            fields.skip()?;
        }
        Ok(Self {
            id,
            agency,
            version,
            status,
            deactivation_reason,
            partner_type,
            login_domain,
            name,
            email,
            phone,
            contact,
            website,
            external_id,
            metadata: Metadata::from_stored(metadata),
            created_at,
            updated_at,
        })
    }
}

/// Credentials together with whose they are.
#[derive(Debug)]
pub(crate) struct CredentialsRow(pub ResellerId, pub Credentials);

impl Record for CredentialsRow {
    const TABLE: &'static Table = &schema::CREDENTIALS;

    fn to_row(&self, agency: &AgencyId) -> Result<Row> {
        let generation = Value::Bytes(self.1.generation.as_bytes().to_vec());
        Ok(vec![text(agency), id(self.0), generation, optional_text(self.1.hash.as_ref())])
    }

    fn read(fields: &mut Fields) -> Result<Self> {
        fields.skip()?;
        let reseller = fields.id()?;
        let generation = fields.bytes()?.try_into().map_err(|_| damaged())?;
        let hash = fields.optional_text()?;
        Ok(Self(reseller, Credentials::from_stored(generation, hash)))
    }
}

impl Record for Attempts {
    const TABLE: &'static Table = &schema::ATTEMPTS;

    fn to_row(&self, agency: &AgencyId) -> Result<Row> {
        let key = Value::Bytes(self.key.as_bytes().to_vec());
        let failures = Value::Integer(self.failures.into());
        Ok(vec![text(agency), key, failures, instant(self.blocked_until)])
    }

    fn read(fields: &mut Fields) -> Result<Self> {
        fields.skip()?;
        Ok(Self {
            key: AttemptKey::from_bytes(fields.bytes()?.try_into().map_err(|_| damaged())?),
            failures: u32::try_from(fields.integer()?).map_err(|_| damaged())?,
            blocked_until: fields.instant()?,
        })
    }
}

impl Record for Event {
    const TABLE: &'static Table = &schema::EVENTS;

    fn to_row(&self, agency: &AgencyId) -> Result<Row> {
        Ok(vec![
            text(agency),
            text(&self.id),
            id(self.reseller),
            text(self.metric.slug()),
            Value::Integer(self.quantity),
            instant(self.at),
        ])
    }

    fn read(fields: &mut Fields) -> Result<Self> {
        fields.skip()?;
        Ok(Self {
            id: EventId::from_stored(fields.text()?),
            reseller: fields.id()?,
            metric: fields.metric()?,
            quantity: fields.integer()?,
            at: fields.instant()?,
        })
    }
}

impl Record for Meter {
    const TABLE: &'static Table = &schema::METERS;

    fn to_row(&self, agency: &AgencyId) -> Result<Row> {
        Ok(vec![
            text(agency),
            id(self.key.reseller),
            text(self.key.metric.slug()),
            Value::Integer(self.value),
            Value::Integer(self.events),
            Value::Integer(self.period.into()),
            Value::Integer(self.period_used),
            instant(self.last_at),
            optional_text(self.last_event.as_ref()),
            self.limit.map_or(Value::Null, Value::Integer),
        ])
    }

    fn read(fields: &mut Fields) -> Result<Self> {
        fields.skip()?;
        Ok(Self {
            key: MeterKey { reseller: fields.id()?, metric: fields.metric()? },
            value: fields.integer()?,
            events: fields.integer()?,
            period: i32::try_from(fields.integer()?).map_err(|_| damaged())?,
            period_used: fields.integer()?,
            last_at: fields.instant()?,
            last_event: fields.optional_text()?.map(EventId::from_stored),
            limit: fields.optional_integer()?,
        })
    }
}

impl Record for DayRollup {
    const TABLE: &'static Table = &schema::ROLLUPS;

    fn to_row(&self, agency: &AgencyId) -> Result<Row> {
        Ok(vec![
            text(agency),
            Value::Integer(self.key.day.into()),
            id(self.key.meter.reseller),
            text(self.key.meter.metric.slug()),
            Value::Integer(self.sum),
            Value::Integer(self.events),
            Value::Bytes(self.packed()?),
        ])
    }

    fn read(fields: &mut Fields) -> Result<Self> {
        fields.skip()?;
        let day = i32::try_from(fields.integer()?).map_err(|_| damaged())?;
        let meter = MeterKey { reseller: fields.id()?, metric: fields.metric()? };
        Ok(Self {
            key: DayKey { day, meter },
            sum: fields.integer()?,
            events: fields.integer()?,
            slots: Self::unpacked(&fields.bytes()?)?,
        })
    }
}

/// An entry that has no number yet.
pub(crate) struct PendingChange(pub Change);

impl Record for PendingChange {
    const TABLE: &'static Table = &schema::PENDING_CHANGES;

    fn to_row(&self, agency: &AgencyId) -> Result<Row> {
        let mut row = vec![text(agency)];
        row.extend(change_columns(&self.0)?);
        Ok(row)
    }

    fn read(fields: &mut Fields) -> Result<Self> {
        fields.skip()?;
        read_change(0, fields).map(Self)
    }
}

impl Record for Change {
    const TABLE: &'static Table = &schema::CHANGES;

    fn to_row(&self, agency: &AgencyId) -> Result<Row> {
        let mut row = vec![text(agency), unsigned(self.sequence)];
        row.extend(change_columns(self)?);
        Ok(row)
    }

    fn read(fields: &mut Fields) -> Result<Self> {
        fields.skip()?;
        let sequence = fields.unsigned()?;
        read_change(sequence, fields)
    }
}

/// The columns that both tables of changes end with.
fn change_columns(change: &Change) -> Result<Row> {
    Ok(vec![
        instant(change.at),
        unsigned(change.version),
        Value::Uuid(change.id),
        text(change.kind.slug()),
        change.reseller.map_or(Value::Null, id),
        optional_text(change.actor.as_ref()),
        json(&change.fields)?,
    ])
}

fn read_change(sequence: u64, fields: &mut Fields) -> Result<Change> {
    let at = fields.instant()?;
    let version = fields.unsigned()?;
    let id: Uuid = fields.uuid()?;
    let kind = ChangeKind::from_slug(&fields.text()?).ok_or_else(damaged)?;
    let reseller = fields.optional_uuid()?.map(ResellerId::from_uuid);
    let actor = fields.optional_text()?;
    let fields = fields.json()?;
    Ok(Change { sequence, id, kind, reseller, version, at, actor, fields })
}
