//! Typed access to rows, written once for every store.
//!
//! Stores move rows; this module turns them into records and back. [`read`] and [`write`] run work
//! on one agency's records and pass it [`Reads`] or [`Tx`]. The methods of each noun are in its
//! `rows.rs`.

mod question;
mod tx;
mod work;

pub(crate) use question::{
    Insert, Question, count, find, found, get, insert, insert_or_lock, insert_rows, lock,
    lock_existing, lock_or_insert, removal, rows, scan, update,
};
pub(crate) use tx::{Reads, Tx};
pub(crate) use work::{read, read_beside, read_unheld, write, write_unheld};
