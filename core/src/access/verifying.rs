//! Which hashers ask a host's verifier on this thread. The verifier runs within a turn at hashing, which
//! bounds it like any other hashing (S18). If it signed somebody in at the same platform, it would
//! wait for a turn, perhaps for its own: for ever. So that is an error, whatever the load is.

use std::cell::RefCell;
use std::marker::PhantomData;

use super::Hasher;
use crate::error::{Error, Result};

thread_local! {
    /// By their addresses; a verifier may use another platform, which has a verifier of its own.
    static ASKING: RefCell<Vec<*const Hasher>> = const { RefCell::new(Vec::new()) };
}

/// Marks that a hasher asks the host's verifier on this thread, until this is dropped.
pub(super) struct Verifying {
    /// Bound to the thread.
    _here: PhantomData<*const ()>,
}

impl Verifying {
    pub fn by(hasher: &Hasher) -> Self {
        ASKING.with_borrow_mut(|asking| asking.push(hasher));
        Self { _here: PhantomData }
    }

    /// Fails with `Configuration` on a thread on which this hasher's verifier runs.
    pub fn refuse(hasher: &Hasher) -> Result<()> {
        let asks = ASKING.with_borrow(|asking| asking.iter().any(|one| std::ptr::eq(*one, hasher)));
        if !asks {
            return Ok(());
        }
        Err(Error::configuration(
            "a legacy verifier may not sign in or set a password on the platform that calls it",
        ))
    }
}

impl Drop for Verifying {
    fn drop(&mut self) {
        ASKING.with_borrow_mut(Vec::pop);
    }
}
