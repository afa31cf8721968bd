//! The change feed: one entry for every mutation, numbered when it is read.

mod mutation;
mod rows;

pub(crate) use mutation::Mutation;

use serde::Serialize;
use uuid::Uuid;

use crate::agency::AgencyRow;
use crate::error::Result;
use crate::reseller::ResellerId;
use crate::schema::entity::{Fields, Stored, entity, stored, without};
use crate::schema::{Column, Row, Value, find};
use crate::values::Timestamp;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChangeKind {
    /// The agency was created.
    AgencyCreated,
    /// The agency's settings changed; [`Change::fields`] names them.
    AgencyUpdated,
    /// A reseller was created.
    ResellerCreated,
    /// Fields of a reseller's profile changed; [`Change::fields`] names them.
    ResellerUpdated,
    /// A reseller was deactivated.
    ResellerDeactivated,
    /// A reseller was activated again.
    ResellerActivated,
    /// A reseller was deleted permanently.
    ResellerDeleted,
    /// A limit on what a reseller may consume was set or lifted.
    AllowanceChanged,
    /// A reseller has a new password.
    PasswordChanged,
    /// Every access stamp of a reseller was ended.
    AccessRevoked,
    /// Failed sign-ins of a reseller were forgiven.
    SignInUnlocked,
    /// Sign-ins of a reseller failed so often in a row that all further ones are refused.
    SignInLocked,
    /// A reseller has another login domain.
    LoginDomainChanged,
    /// A reseller has another partner type.
    PartnerTypeChanged,
}

impl ChangeKind {
    /// All kinds.
    pub const ALL: [Self; 14] = [
        Self::AgencyCreated,
        Self::AgencyUpdated,
        Self::ResellerCreated,
        Self::ResellerUpdated,
        Self::ResellerDeactivated,
        Self::ResellerActivated,
        Self::ResellerDeleted,
        Self::AllowanceChanged,
        Self::PasswordChanged,
        Self::AccessRevoked,
        Self::SignInUnlocked,
        Self::SignInLocked,
        Self::LoginDomainChanged,
        Self::PartnerTypeChanged,
    ];

    /// The stable slug.
    ///
    /// ```
    /// use partnerkit::ChangeKind;
    ///
    /// assert_eq!(ChangeKind::ResellerDeactivated.slug(), "reseller_deactivated");
    /// ```
    pub fn slug(self) -> &'static str {
        match self {
            Self::AgencyCreated => "agency_created",
            Self::AgencyUpdated => "agency_updated",
            Self::ResellerCreated => "reseller_created",
            Self::ResellerUpdated => "reseller_updated",
            Self::ResellerDeactivated => "reseller_deactivated",
            Self::ResellerActivated => "reseller_activated",
            Self::ResellerDeleted => "reseller_deleted",
            Self::AllowanceChanged => "allowance_changed",
            Self::PasswordChanged => "password_changed",
            Self::AccessRevoked => "access_revoked",
            Self::SignInUnlocked => "sign_in_unlocked",
            Self::SignInLocked => "sign_in_locked",
            Self::LoginDomainChanged => "login_domain_changed",
            Self::PartnerTypeChanged => "partner_type_changed",
        }
    }

    /// The kind with this slug.
    ///
    /// ```
    /// use partnerkit::ChangeKind;
    ///
    /// assert_eq!(ChangeKind::from_slug("reseller_created"), Some(ChangeKind::ResellerCreated));
    /// assert_eq!(ChangeKind::from_slug("reseller_greeted"), None);
    /// ```
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.slug() == slug)
    }
}

stored! {
    /// One entry of the feed. It names what changed, never what it changed to: no entry holds
    /// personal data, so none has to be found when a reseller is erased.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct Change {
        /// The place in the agency's feed, from 1 and without gaps; 0 before the entry is numbered.
        pub sequence: u64,
        /// The entry's own id.
        pub id: Uuid,
        /// What happened.
        pub kind: ChangeKind,
        /// The reseller that changed; `None` for the agency itself.
        pub reseller: Option<ResellerId>,
        /// The version of the record after the change; 0 for the agency itself.
        pub version: u64,
/// When it happened.
        pub at: Timestamp,
        /// Who did it, as the host gave it.
        pub actor: Option<String>,
        /// The names of the fields that changed.
        pub fields: Vec<String>,
    }
}

entity! {
    Change in "changes" {
        key: u64 [agency, sequence];
        home: Home::Agency;
        parent: Some(AgencyRow::TABLE), refers: false;
    }
}

/// An entry that has no number yet. Its row has all other columns of a [`Change`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PendingChange(pub Change);

const SEQUENCE: usize = find(Change::COLUMNS, "sequence").expect("there");

impl Stored for PendingChange {
    const COLUMNS: &'static [Column] =
        &without::<{ Change::COLUMNS.len() - 1 }>(Change::COLUMNS, SEQUENCE);

    fn write(&self, row: &mut Row) -> Result<()> {
        let begin = row.len();
        self.0.write(row)?;
        row.remove(begin + SEQUENCE);
        Ok(())
    }

    fn read(fields: &mut Fields) -> Result<Self> {
        fields.insert(SEQUENCE, Value::Integer(0));
        Change::read(fields).map(Self)
    }
}

entity! {
    PendingChange in "pending_changes" {
        key: NumberingOrder [agency, at, version, id];
        home: Home::Agency;
        parent: Some(AgencyRow::TABLE), refers: false;
    }
}

stored! {
    /// The order in which entries are numbered. A record's `at` never goes backwards, so its
    /// entries follow its versions whatever the clocks of several machines say.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    pub(crate) struct NumberingOrder {
        pub at: Timestamp,
        pub version: u64,
        pub id: Uuid,
    }
}

impl Change {
    pub(crate) fn numbering_order(&self) -> NumberingOrder {
        NumberingOrder { at: self.at, version: self.version, id: self.id }
    }
}
