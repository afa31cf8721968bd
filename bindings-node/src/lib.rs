//! PartnerKit for Node.js, so far a proof that the core's blocking storage contract can be
//! implemented in asynchronous JavaScript. A host uses it through `index.js`.

#![cfg_attr(test, allow(dead_code, reason = "napi exports nothing to a test, so nobody calls it"))]

mod agency;
mod error;
mod platform;
mod pool;
mod reseller;
mod rows;
mod storage;
mod value;
