//! What is stored when a reseller is created.

use super::{Reseller, ResellerId};
use crate::access::{Credentials, CredentialsRow};
use crate::agency::AgencyRow;
use crate::error::{Error, Result};
use crate::schema::Row;
use crate::schema::entity::{Entity, entity, stored};
use crate::values::{AgencyId, Timestamp};

stored! {
    /// What an idempotency key was used for.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct IdempotencyRow {
        /// The key.
        pub key: String as idempotency_key,
        /// A keyed hash of what was asked for.
        pub fingerprint: [u8; 32],
        /// What was created.
        pub reseller: ResellerId,
        /// The version it had then.
        pub version: u64,
        /// When.
        pub created_at: Timestamp,
    }
}

entity! {
    IdempotencyRow in "idempotency" {
        key: String [agency, idempotency_key];
        home: Home::Agency;
        parent: Some(AgencyRow::TABLE), refers: false;
        index age [agency, created_at];
    }
}

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
        let of = CredentialsRow { reseller: reseller.id, credentials: credentials.clone() };
        let rows = NewRows { reseller: reseller.to_row(agency)?, credentials: of.to_row(agency)? };
        Ok(Self { reseller, credentials, rows })
    }

    /// The record.
    pub fn reseller(&self) -> &Reseller {
        &self.reseller
    }

    /// What it signs in with.
    #[cfg(feature = "conformance")]
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
