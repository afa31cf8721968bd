//! The operations of the handles, as generated: each delegates to the noun that has it, and is a
//! span.

mod agency;
mod platform;
