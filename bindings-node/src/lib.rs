//! The native module of the package `partnerkit` for Node.js; a host uses it through the package.
//!
//! It converts JavaScript's values into the core's, the core's records into JavaScript's, and errors
//! into plain objects, which the package throws. It has no rules of its own. The core's work runs on
//! threads of this module, never on the event loop.

#![cfg_attr(test, allow(dead_code, reason = "napi exports nothing to a test, so nobody calls it"))]

mod agency;
mod arguments;
mod conformance;
mod error;
mod exchange;
mod given;
mod handle;
mod home;
mod logging;
mod lookups;
mod names;
mod operations;
mod packed;
mod patience;
mod platform;
mod pool;
mod raw;
mod room;
mod rows;
mod settings;
mod storage;
mod unpacked;
mod value;
