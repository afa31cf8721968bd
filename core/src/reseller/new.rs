//! The rows that are stored when a reseller is created.

use super::{Reseller, ResellerId};
use crate::access::{Credentials, CredentialsRow};
use crate::agency::AgencyRow;
use crate::error::{Error, Result};
use crate::schema::Row;
use crate::schema::entity::{Entity, entity, stored};
use crate::values::{AgencyId, Timestamp};

stored! {
    /// An idempotency key, and what it was used for.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct IdempotencyRow {
        /// The key.
        pub key: String as idempotency_key,
        /// A keyed hash of the request.
        pub fingerprint: [u8; 32],
        /// The reseller that was created, or whose use a rollup adds.
        pub reseller: ResellerId,
        /// Its version at that time; 0 for a rollup.
        pub version: u64,
        /// When it was created; of a rollup, a time that never comes.
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

/// The rows of a new reseller. They are made before the transaction, because others wait while one
/// is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewRows {
    pub reseller: Row,
    pub credentials: Row,
}

impl NewReseller {
    /// Makes the rows. Errors: `Storage` for metadata that cannot be written as JSON.
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

    /// The credentials.
    #[cfg(feature = "conformance")]
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// The record, without the credentials.
    pub fn into_reseller(self) -> Reseller {
        self.reseller
    }

    /// The rows, for a transaction of the reseller's own agency. Errors: `Storage` in another
    /// agency's transaction.
    pub(crate) fn rows_in(&self, agency: &AgencyId) -> Result<&NewRows> {
        if self.reseller.agency == *agency {
            Ok(&self.rows)
        } else {
            Err(Error::storage("the reseller belongs to another agency"))
        }
    }
}
