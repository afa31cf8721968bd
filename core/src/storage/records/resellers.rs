//! Rows of resellers, their credentials, and their failed sign-ins.

use std::collections::BTreeMap;

use super::{Entity, agency_key, id, instant, json, optional_text, text, unsigned};
use crate::access::{AttemptKey, Attempts, Credentials};
use crate::error::{Error, Result};
use crate::partner_type::PartnerType;
use crate::reseller::{ContactPerson, Reseller, ResellerId, Status};
use crate::search::Folded;
use crate::storage::schema::{self, Fields, Row, Table, Value, damaged};
use crate::values::{AgencyId, Email, ExternalId, LoginDomain, Metadata, Name, Phone, Website};

/// A reseller to insert, with its credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewReseller {
    reseller: Reseller,
    credentials: Credentials,
    rows: NewRows,
}

/// Its rows, made before any transaction: while one is open, others wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewRows {
    pub reseller: Row,
    pub credentials: Row,
}

impl NewReseller {
    /// Errors: `Storage` for metadata that is no JSON.
    pub fn new(reseller: Reseller, credentials: Credentials) -> Result<Self> {
        let agency = &reseller.agency;
        let rows = NewRows {
            reseller: reseller.to_row(agency)?,
            credentials: CredentialsRow(reseller.id, credentials.clone()).to_row(agency)?,
        };
        Ok(Self { reseller, credentials, rows })
    }

    /// The record.
    pub fn reseller(&self) -> &Reseller {
        &self.reseller
    }

    /// What it signs in with.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// The record, without what it signs in with.
    pub fn into_reseller(self) -> Reseller {
        self.reseller
    }

    /// Errors: `Storage` in a transaction of another agency, where it would be somebody else's.
    pub(crate) fn rows_in(&self, agency: &AgencyId) -> Result<&NewRows> {
        if self.reseller.agency == *agency {
            Ok(&self.rows)
        } else {
            Err(Error::storage("a reseller of another agency"))
        }
    }
}

impl Entity for Reseller {
    const TABLE: &'static Table = &schema::RESELLERS;

    type Key = ResellerId;

    fn key_row(agency: &AgencyId, key: &Self::Key) -> Row {
        agency_key(agency, [id(*key)])
    }

    fn to_row(&self, agency: &AgencyId) -> Result<Row> {
        let folded = Folded::of(self);
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
            text(folded.name()),
            text(folded.email()),
            text(&folded.text),
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

impl Entity for CredentialsRow {
    const TABLE: &'static Table = &schema::CREDENTIALS;

    type Key = ResellerId;

    fn key_row(agency: &AgencyId, key: &Self::Key) -> Row {
        agency_key(agency, [id(*key)])
    }

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

impl Entity for Attempts {
    const TABLE: &'static Table = &schema::ATTEMPTS;

    type Key = AttemptKey;

    fn key_row(agency: &AgencyId, key: &Self::Key) -> Row {
        agency_key(agency, [Value::Bytes(key.as_bytes().to_vec())])
    }

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
