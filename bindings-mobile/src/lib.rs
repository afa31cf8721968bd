//! PartnerKit for Kotlin and Swift, of which uniffi makes the halves in those languages.
//!
//! What is generated stands in the modules that say so; see the README for what there is.

mod awaited;
mod conversion;
mod failures;
mod forms;
mod handles;
mod kinds;
mod operations;
mod records;
mod values;

pub use failures::{FieldError, PartnerKitError};
pub use forms::{ContactDraft, PhoneDraft, ResellerDraft, ResellerQuery};
pub use handles::{Agency, Platform};
pub use records::Access;

uniffi::setup_scaffolding!("partnerkit");
