//! Login domains: who holds one, whether one can be had, and changing a reseller's.

mod availability;
mod label;
mod labels;
mod renaming;

pub use availability::DomainAvailability;
pub use label::{LabelRow, LabelState};
pub(crate) use labels::{Claim, holders, holders_beside, label_row, refusal};
