//! Login domains: their holders, their availability, and giving a reseller another one.

mod availability;
mod label;
mod labels;
mod renaming;

pub use availability::DomainAvailability;
pub use label::{LabelRow, LabelState};
pub(crate) use labels::{Claim, holders, holders_beside, label_row, refusal};
