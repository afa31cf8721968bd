//! Login domains: who holds one, whether one can be had, and changing a reseller's.

mod availability;
mod labels;
mod renaming;

pub use availability::DomainAvailability;
pub(crate) use labels::{Claim, holders, holders_beside, label_row, refusal};
