//! # PartnerKit
//!
//! The reseller layer of white-label SaaS: an agency (tenant) creates resellers (partners),
//! gives each a login domain, lets them sign in, switches them off *now*, meters what they use
//! and sees it all in one overview.
//!
//! ```
//! use partnerkit::{Metric, Platform, ResellerDraft, ResellerQuery, PhoneDraft, ContactDraft};
//!
//! # fn main() -> partnerkit::Result<()> {
//! let platform = Platform::builder().login_base("partner.example.com").open("memory:")?;
//! let agency = platform.ensure_agency("northwind", None)?;
//! let acme = agency.create_reseller(ResellerDraft {
//!     partner_type: "own_plans".into(),
//!     name: "Acme Télécom".into(),
//!     email: "owner@acme.example".into(),
//!     phone: PhoneDraft::national("US", "(415) 555-2671"),
//!     password: "plain teal walrus 94 umbrella".into(),
//!     password_confirmation: "plain teal walrus 94 umbrella".into(),
//!     contact: ContactDraft {
//!         name: "Ann Lee".into(),
//!         email: "ann@acme.example".into(),
//!         phone: PhoneDraft::international("+49 30 901820"),
//!     },
//!     login_domain: "acme".into(),
//!     ..ResellerDraft::default()
//! })?;
//!
//! let place = platform.resolve_host("Acme.partner.example.com:443")?;
//! assert_eq!(place.reseller, acme.id);
//!
//! let access = platform.sign_in("acme", "owner@acme.example", "plain teal walrus 94 umbrella", None)?;
//! platform.check_access(&access.stamp, None)?;
//! agency.consume(acme.id, Metric::MESSAGES, 3, "evt-1")?;
//! assert_eq!(agency.page(&ResellerQuery::text("telecom"))?.resellers.len(), 1);
//! assert_eq!(agency.overview()?.messages, 3);
//!
//! agency.deactivate(acme.id, Some("nonpayment"))?;
//! assert!(platform.check_access(&access.stamp, None).is_err());
//! # Ok(())
//! # }
//! ```
//!
//! Start with a [`guide`], or with [`Platform`], then [`Agency`]. To keep rows somewhere else, see
//! [`storage`].
//!
//! The examples of operations begin where this one has created its reseller: with `platform`,
//! `agency`, `acme` and its `password`, and `form`, the form of a reseller that is not there yet.

pub mod access;
mod agency;
#[cfg(feature = "tokio")]
mod asynchronous;
mod changes;
mod clock;
mod error;
mod exchange;
mod forking;
pub mod form;
mod given;
pub mod guide;
mod handles;
mod login_domain;
mod observe;
mod partner_type;
mod platform;
mod process;
mod records;
mod reseller;
pub mod schema;
mod search;
mod shared;
pub mod storage;
mod tenant;
mod usage;
mod values;
mod wire;

pub use access::{Access, HashingCost, Identity, LegacyVerifier};
pub use agency::{Agency, AgencyDeletionPreview, AgencyPatch, AgencySettings};
#[cfg(feature = "tokio")]
pub use asynchronous::{AsyncAgency, AsyncPlatform, AsyncResellers};
pub use changes::{Change, ChangeKind};
pub use clock::{Clock, Entropy, SystemClock, SystemEntropy};
pub use error::{Code, Error, ErrorKind, FieldError, FieldErrors, Refusal, Result};
pub use exchange::{ImportOptions, ImportReport, RowOutcome, RowReport};
pub use forking::{Forking, before_fork};
pub use handles::Resellers;
pub use login_domain::DomainAvailability;
pub use partner_type::PartnerType;
pub use platform::{Maintenance, Platform, PlatformBuilder, ResolvedHost};
pub use reseller::{
    ContactDraft, ContactPerson, DeletionPreview, Patch, PhoneDraft, Reseller, ResellerDraft,
    ResellerId, ResellerPatch, Status,
};
pub use search::{Page, Position, ResellerQuery, Sort, SortBy, SortKey, Total};
pub use storage::Erasure;
pub use usage::{
    Allowance, Consumption, CounterDay, CounterSlot, DayKey, DenialReason, Event, EventDraft,
    EventId, EventOutcome, GaugeDay, GaugeDayKey, GaugeSlot, Meter, MeterKey, Metric, MetricKind,
    Overview, Period, Reported, TopReseller, UsageDifference, UsageEvent, UsageField, UsagePage,
    UsageQuery, UsageReport, UsageRow, UsageVerification, Window,
};
pub use values::{
    AgencyId, Email, ExternalId, LoginDomain, LoginDomainPolicy, Metadata, Name, Password,
    PasswordPolicy, Phone, PhoneCountry, Quarantine, Timestamp, Website, phone_countries,
};

/// The README's Rust is compiled with the tests.
#[cfg(all(doctest, feature = "sqlite"))]
#[doc = include_str!("../../README.md")]
struct Readme;
