//! The numbering plans of all countries. They are read once per process, and again in a child of
//! `fork` that could otherwise wait for a thread that it does not have.
//!
//! The library compiles a pattern when it first needs it, under a lock of the standard library. If
//! a child was forked while a thread of its parent did so, it would wait for that lock for ever. So
//! the threads that are inside the library are counted: a child that inherits the count 0 uses its
//! parent's plans, and any other child has its own, one copy per thread.

use std::cell::OnceCell;
use std::process;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use rlibphonenumber::PhoneNumberUtil as Plans;

use crate::forking::undisturbed;

static SHARED: OnceLock<Plans> = OnceLock::new();
static INSIDE: Inside = Inside::nobody();

thread_local! {
    static OWN: OnceCell<Plans> = const { OnceCell::new() };
}

/// Runs a function on the plans.
pub(super) fn ask<T>(question: impl FnOnce(&Plans) -> T) -> T {
    undisturbed(|| match INSIDE.enter(process::id()) {
        Some(_visit) => question(SHARED.get_or_init(read)),
        None => OWN.with(|own| question(own.get_or_init(read))),
    })
}

fn read() -> Plans {
    Plans::new().expect("the plans are compiled in")
}

/// The process that uses the shared plans, and the number of its threads that are using them now.
/// Both are in one number, so that a child inherits them from one moment.
struct Inside(AtomicU64);

struct Visit<'a>(&'a Inside);

impl Inside {
    const fn nobody() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Enters the shared plans; `None` in a child of a process that had a thread inside when it
    /// forked.
    fn enter(&self, process: u32) -> Option<Visit<'_>> {
        let first = u64::from(process) << 32 | 1;
        let next = |now: u64| {
            let (of, threads) = ((now >> 32) as u32, now as u32);
            if of == process {
                return Some(now + 1);
            }
            (threads == 0).then_some(first)
        };
        self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, next).ok()?;
        Some(Visit(self))
    }
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::Inside;

    #[test]
    fn a_child_shares_the_plans_unless_a_thread_of_its_parent_was_inside() {
        let inside = Inside::nobody();
        let parent = (inside.enter(1), inside.enter(1));
        assert!(parent.0.is_some() && parent.1.is_some());
        assert!(inside.enter(2).is_none());
        drop(parent.0);
        assert!(inside.enter(2).is_none());
        assert!(inside.enter(1).is_some());
        drop(parent.1);
        let child = inside.enter(2);
        assert!(child.is_some() && inside.enter(2).is_some());
        assert!(inside.enter(3).is_none());
    }
}
