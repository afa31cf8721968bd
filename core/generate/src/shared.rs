//! What the files of several languages have in common.

pub mod forms;
pub mod markdown;
pub mod taken;
