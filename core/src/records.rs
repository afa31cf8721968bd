//! Records: typed access to rows, once above every store.
//!
//! Stores move rows; here a record is one. [`Reads`] and [`Tx`] are what work on one agency's
//! records gets, [`read`] and [`write`] run it. What a noun does with its records stands in its
//! `rows.rs`.

mod question;
mod tx;
mod work;

pub(crate) use question::{
    Insert, Question, count, find, found, get, insert, insert_or_lock, insert_rows, lock,
    lock_or_insert, removal, rows, scan, update,
};
pub(crate) use tx::{Reads, Tx};
pub(crate) use work::{read, read_beside, read_unheld, write, write_unheld};
