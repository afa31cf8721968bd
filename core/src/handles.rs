//! The operations of the handles, as generated: each delegates to the noun that has it, and is a
//! span. `resellers.rs` is what a handle does with several of them.

mod agency;
mod platform;
mod resellers;

pub use resellers::Resellers;
