//! Running work on a store, with retries. It is the same for every backend.

use std::cell::Cell;
use std::thread;
use std::time::Duration;

use super::{Reads, Tx};
use crate::error::{Error, ErrorKind, Result};
use crate::storage::{ReadWork, Scope, Storage};
use crate::values::AgencyId;

/// How often work is tried before the caller gets the `Aborted` error.
const TRIES: u32 = 20;

/// Runs the work on one snapshot of an agency that is open, and returns what it returns.
pub(crate) fn read<T: Send>(
    storage: &dyn Storage,
    agency: &AgencyId,
    work: impl FnMut(&mut Reads<'_>) -> Result<T> + Send,
) -> Result<T> {
    let held = Held::unless_platform(agency);
    run_read(agency, held, || storage.joined(), work, |work| storage.read(agency, work))
}

/// Like [`read`], without holding the agency: for an agency that is being erased, or for rows of
/// the whole platform.
pub(crate) fn read_unheld<T: Send>(
    storage: &dyn Storage,
    agency: &AgencyId,
    work: impl FnMut(&mut Reads<'_>) -> Result<T> + Send,
) -> Result<T> {
    run_read(agency, Held(false), || storage.joined(), work, |work| storage.read(agency, work))
}

/// Like [`read`], but sees committed rows only, even inside a host's transaction.
pub(crate) fn read_beside<T: Send>(
    storage: &dyn Storage,
    agency: &AgencyId,
    work: impl FnMut(&mut Reads<'_>) -> Result<T> + Send,
) -> Result<T> {
    let held = Held::unless_platform(agency);
    run_read(agency, held, || false, work, |work| storage.read_beside(agency, work))
}

/// Whether the agency must be held before anything else.
struct Held(bool);

impl Held {
    fn unless_platform(agency: &AgencyId) -> Self {
        Self(!agency.is_platform())
    }
}

fn run_read<T: Send>(
    agency: &AgencyId,
    Held(held): Held,
    joined: impl Fn() -> bool,
    mut work: impl FnMut(&mut Reads<'_>) -> Result<T> + Send,
    mut run: impl FnMut(&mut ReadWork<'_>) -> Result<()>,
) -> Result<T> {
    let _outermost = Outermost::enter()?;
    let mut result = None;
    until_done(joined, || {
        run(&mut |rows| {
            let mut reads = Reads::new(rows, agency, held);
            result = Some(work(&mut reads)?);
            reads.hold_agency()
        })
    })?;
    result.ok_or_else(not_run)
}

/// Runs the work in a transaction that holds the agency, which must be open, and returns what it
/// returns.
pub(crate) fn write<T: Send>(
    storage: &dyn Storage,
    agency: &AgencyId,
    scope: Scope,
    work: impl FnMut(&mut Tx<'_>) -> Result<T> + Send,
) -> Result<T> {
    run_write(storage, agency, scope, Held::unless_platform(agency), work)
}

/// Like [`write`], without holding the agency: for an agency that does not exist yet, or is being
/// erased.
pub(crate) fn write_unheld<T: Send>(
    storage: &dyn Storage,
    agency: &AgencyId,
    scope: Scope,
    work: impl FnMut(&mut Tx<'_>) -> Result<T> + Send,
) -> Result<T> {
    run_write(storage, agency, scope, Held(false), work)
}

fn run_write<T: Send>(
    storage: &dyn Storage,
    agency: &AgencyId,
    scope: Scope,
    Held(held): Held,
    mut work: impl FnMut(&mut Tx<'_>) -> Result<T> + Send,
) -> Result<T> {
    let _outermost = Outermost::enter()?;
    let joined = scope == Scope::Join && storage.joined();
    let mut result = None;
    until_done(
        || joined,
        || {
            result = None;
            storage.write(agency, scope, &mut |rows| {
                let mut tx = Tx::new(rows, agency, held);
                result = Some(work(&mut tx)?);
                tx.hold_agency()
            })
        },
    )?;
    result.ok_or_else(not_run)
}

/// Runs work again that was aborted by a concurrent transaction, unless it is part of a host's
/// transaction, which only the host can run again.
fn until_done(joined: impl Fn() -> bool, mut run: impl FnMut() -> Result<()>) -> Result<()> {
    for tried in 1..TRIES {
        match run() {
            Err(error) if error.kind() == ErrorKind::Aborted && !joined() => pause(tried),
            done => return done,
        }
    }
    run()
}

fn not_run() -> Error {
    Error::storage("the storage returned without running the transaction")
}

/// Exponential backoff up to 100 ms, with jitter, so that threads do not wait equally long.
fn pause(tried: u32) {
    let most = 1_000_u64 << tried.min(7);
    let mut random = [0; 2];
    // Without a random number the threads wait equally long, which is slower but not wrong.
    let _ = getrandom::fill(&mut random);
    let share = u64::from(u16::from_le_bytes(random));
    thread::sleep(Duration::from_micros((most.min(100_000) * share) >> 16));
}

thread_local! {
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Refuses work that is started inside other work on the same thread, because it would wait for
/// itself.
struct Outermost;

impl Outermost {
    fn enter() -> Result<Self> {
        if INSIDE.replace(true) { Err(Error::inside_transaction()) } else { Ok(Self) }
    }
}

impl Drop for Outermost {
    fn drop(&mut self) {
        INSIDE.set(false);
    }
}
