//! Signing in, and what it is built on: secrets, password hashes, attempts and access stamps.

mod attempts;
mod computation;
mod cost;
mod counting;
mod credentials;
mod hashing;
mod known_secrets;
mod permits;
mod reset;
mod rows;
mod secret;
mod sign_in;
mod stamp;
mod stored;
mod verifying;

pub use attempts::{AttemptKey, Attempts};
pub use cost::HashingCost;
pub use secret::{Secret, SecretRow};
pub use stamp::{Credentials, Generation};
pub use stored::LegacyVerifier;

pub(crate) use attempts::{AttemptKeys, AttemptPolicy, SourcePolicy, Whom};
#[cfg(feature = "conformance")]
pub(crate) use counting::Attempt;
pub(crate) use hashing::{Hasher, Verified};
pub(crate) use known_secrets::KnownSecrets;
pub(crate) use permits::Permits;
pub(crate) use reset::ResetToken;
pub(crate) use secret::{Pepper, Secrets};
pub(crate) use stamp::{CredentialsRow, read_stamp, write_stamp};

use crate::reseller::{Reseller, ResellerId};
use crate::values::AgencyId;
use std::fmt;

use serde::Serialize;

/// What a successful sign-in gives. Its text for debugging does not show the stamp.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Access {
    /// The agency of the reseller that signed in.
    pub agency: AgencyId,
    /// The reseller as it was at that moment.
    pub reseller: Reseller,
    /// Keep it in the host's session and pass it to
    /// [`Platform::check_access`](crate::Platform::check_access) at every request. It is as good as
    /// a password: protect it as you protect session tokens. It has no end of its own: how long a
    /// session lasts is the host's to say.
    pub stamp: String,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { agency, reseller, stamp: _ } = self;
        let mut shown = f.debug_struct("Access");
        shown.field("agency", agency).field("reseller", reseller).finish_non_exhaustive()
    }
}

/// The reseller that a valid stamp belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Identity {
    /// The agency.
    pub agency: AgencyId,
    /// The reseller.
    pub reseller: ResellerId,
}

impl From<&Reseller> for Identity {
    fn from(reseller: &Reseller) -> Self {
        Self { agency: reseller.agency.clone(), reseller: reseller.id }
    }
}
