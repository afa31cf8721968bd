//! The generated operations of the handles. Each is a tracing span, and delegates to the module of
//! its noun. `resellers.rs` is what a handle does with several of them.

mod agency;
mod platform;
mod resellers;

pub use resellers::Resellers;
