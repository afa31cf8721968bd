//! A reseller: the record, the form it comes from, and the changes that can be made to it.

mod batch;
mod creation;
mod deletion;
mod draft;
mod new;
mod once;
mod patch;
mod profile;
mod rows;

use serde::{Deserialize, Serialize};

use uuid::Uuid;

pub(crate) use batch::Taken;
pub use deletion::DeletionPreview;
pub(crate) use draft::{AcceptedDraft, FORM_ORDER, FirstPassword, FormRules};
pub use draft::{ContactDraft, PhoneDraft, ResellerDraft};
pub use new::{IdempotencyRow, NewReseller};
pub use patch::{Patch, ResellerPatch};
pub(crate) use profile::{expect_version, one};
pub(crate) use rows::Lookup;

use crate::agency::AgencyRow;
use crate::error::{Code, Refusal};
use crate::partner_type::PartnerType;
use crate::schema::entity::{entity, stored};
use crate::search::Folded;
use crate::values::{
    AgencyId, Email, ExternalId, LoginDomain, Metadata, Name, Phone, Timestamp, Website, id_value,
};

/// A reseller's id: a version 7 UUID that never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResellerId(Uuid);

stored!(ResellerId(Uuid));
id_value!(ResellerId);

/// Whether a reseller may sign in and consume.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// May sign in and consume.
    Active,
    /// Deactivated: every sign-in and every stamp is refused.
    Inactive,
}

impl Status {
    /// Both statuses.
    pub const ALL: [Self; 2] = [Self::Active, Self::Inactive];

    /// The stable slug.
    ///
    /// ```
    /// assert_eq!(partnerkit::Status::Inactive.slug(), "inactive");
    /// ```
    pub fn slug(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
        }
    }

    /// The status with this slug.
    ///
    /// ```
    /// use partnerkit::Status;
    ///
    /// assert_eq!(Status::from_slug("active"), Some(Status::Active));
    /// assert_eq!(Status::from_slug("asleep"), None);
    /// ```
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.slug() == slug)
    }

    /// The status with this slug, as typed. Code: `invalid`.
    pub(crate) fn parse(slug: &str) -> Result<Self, Refusal> {
        let unknown = || Refusal::unknown_slug(Code::Invalid, Self::ALL.map(Self::slug));
        Self::from_slug(slug).ok_or_else(unknown)
    }
}

stored! {
    /// The contact person; the email need not be unique.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    pub struct ContactPerson {
        /// The person's name.
        pub name: Name as contact_name,
        /// The person's email.
        pub email: Email as contact_email,
        /// The person's phone in E.164 (`+14155552671`).
        pub phone: Phone as contact_phone,
    }
}

stored! {
    /// A reseller as it is stored. It contains no secret: its password hash is stored elsewhere.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    pub struct Reseller {
        /// The agency the reseller belongs to.
        pub agency: AgencyId,
        /// The id; never changes.
        pub id: ResellerId,
        /// The version, which counts the changes from 1.
        pub version: u64,
        /// Whether the reseller may sign in and consume.
        pub status: Status,
        /// The reason for its deactivation, if one was given.
        pub deactivation_reason: Option<String>,
        /// What the reseller sells.
        pub partner_type: PartnerType,
        /// The name, in any script.
        pub name: Name,
        /// The email, unique within the agency.
        pub email: Email,
        /// The phone in E.164 (`+14155552671`).
        pub phone: Phone,
        /// The contact person.
        pub contact: ContactPerson,
        /// The subdomain at which its customers sign in.
        pub login_domain: LoginDomain,
        /// The website, if any.
        pub website: Option<Website>,
        /// The host's own id, unique within the agency.
        pub external_id: Option<ExternalId>,
        /// The host's own data.
        pub metadata: Metadata,
        /// When the reseller joined.
        pub created_at: Timestamp,
        /// When the record last changed; never earlier than before.
        pub updated_at: Timestamp,
    }
}

entity! {
    Reseller in "resellers" {
        key: ResellerId [agency, id];
        home: Home::Agency;
        derived: Folded = Folded::of;
        parent: Some(AgencyRow::TABLE), refers: true;
        unique email [agency, email_key];
        unique external_id [agency, external_id];
        index by_joined [agency, created_at, id];
        index by_name [agency, sort_name, id];
        index by_email [agency, sort_email, id];
    }
}
