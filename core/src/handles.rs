//! The generated operations of the handles. Each is a tracing span, and delegates to the module of
//! its noun.

mod agency;
mod platform;
