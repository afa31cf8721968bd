//! PartnerKit for Node.js, as far as it goes: a proof that the core's blocking storage contract
//! holds over asynchronous JavaScript. `index.js` is what a host sees of it.

#![cfg_attr(test, allow(dead_code, reason = "napi exports nothing to a test, so nobody calls it"))]

mod agency;
mod error;
mod platform;
mod pool;
mod reseller;
mod rows;
mod storage;
mod value;
