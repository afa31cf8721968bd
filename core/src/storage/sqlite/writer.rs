//! The one connection of a process that writes, and its open transaction.
//!
//! The work of several callers goes into one transaction, one after another, so that they share its
//! commit, which is the expensive part of a durable write. Each work except the first has a
//! savepoint of its own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode};

use super::connection::{close_inherited, open_writer, prepare, run};
use super::failure::detail;
use super::hold::{Hold, Recovery};
use super::log::Log;
use super::options::SqliteOptions;
use super::rows::Rows;
use super::turnstile::Turnstile;
use super::words::IndexChange;
use crate::error::{Error, Result};
use crate::storage::{Erasure, WriteWork};

/// How many callers share one commit at most, so that nobody waits for more.
const MOST_MEMBERS: usize = 128;
/// How long a group may stay open, in multiples of the previous group's commit time: waiting must
/// not cost what sharing saves.
const COMMITS_LONG: u32 = 3;
const SHORTEST: Duration = Duration::from_millis(5);
const LONGEST: Duration = Duration::from_millis(50);

/// The outcome of a caller's work: its result or its panic.
pub(super) type Worked = thread::Result<Result<()>>;

/// The outcome of a group, for each of its members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Everything is stored.
    Committed,
    /// Nothing is stored.
    Lost(String),
    /// The disk did not say whether everything is stored.
    Unknown(String),
}

pub(super) struct Writer {
    // Closed before `recovery` is dropped, which keeps others from rebuilding the index until then.
    connection: Connection,
    recovery: Recovery,
    turnstile: Turnstile,
    log: Log,
    group: Group,
    /// How many members the last group had, and how long its commit took.
    last: (usize, Duration),
}

/// The work in the open transaction.
struct Group {
    since: Instant,
    /// How many works were run, including those that were undone.
    works: usize,
    /// Changes to apply to the search index before the commit.
    unindexed: Vec<IndexChange>,
}

impl Group {
    fn starting_now() -> Self {
        Self { since: Instant::now(), works: 0, unindexed: Vec::new() }
    }
}

impl Writer {
    /// Opens the writer of a file that is held, and so is a database.
    pub fn open(path: &Path, hold: &Hold, options: SqliteOptions) -> Result<Self> {
        let turnstile = Turnstile::beside(path);
        turnstile.enter()?;
        let recovery = hold.recovery()?;
        let connection = open_writer(path)?;
        recovery.settle(hold, &connection)?;
        recovery.forbid()?;
        prepare(&connection, options)?;
        let log = Log::of(path, &connection, options)?;
        let (group, last) = (Group::starting_now(), (0, Duration::ZERO));
        let writer = Self { connection, recovery, turnstile, log, group, last };
        writer.leave();
        Ok(writer)
    }

    /// Runs a caller's work in the open transaction, or begins one. Work that fails is undone; if
    /// it was the first, or if SQLite has ended the transaction, no transaction is open afterwards.
    pub fn step(&mut self, work: &mut WriteWork<'_>) -> Worked {
        let first = !self.is_open();
        let begun = if first { self.begin() } else { run(&self.connection, "SAVEPOINT member") };
        let worked = match begun {
            Ok(()) => self.run_begun(work, first),
            Err(error) => Ok(Err(error)),
        };
        if !self.is_open() {
            self.leave();
        }
        worked
    }

    fn run_begun(&mut self, work: &mut WriteWork<'_>, first: bool) -> Worked {
        let mut rows = Rows::of(&self.connection);
        let before = self.group.unindexed.len();
        rows.unindexed = std::mem::take(&mut self.group.unindexed);
        let worked = catch_unwind(AssertUnwindSafe(|| work(&mut rows)));
        self.group.unindexed = std::mem::take(&mut rows.unindexed);
        self.group.works += 1;
        if !matches!(worked, Ok(Ok(()))) {
            self.group.unindexed.truncate(before);
        }
        let ended = match (first, matches!(worked, Ok(Ok(())))) {
            // The work may have ignored an error that has ended the transaction.
            (true, true) => rows.in_transaction(),
            (true, false) => self.roll_back(),
            (false, true) => run(&self.connection, "RELEASE member"),
            (false, false) => self.undo_member(),
        };
        if ended.is_err() {
            // It is no longer known which rows are in the transaction, so all of it is rolled back.
            let _ = self.roll_back();
        }
        match ended {
            Err(error) if matches!(worked, Ok(Ok(()))) => Ok(Err(error)),
            _ => worked,
        }
    }

    fn begin(&mut self) -> Result<()> {
        self.turnstile.enter()?;
        self.group = Group::starting_now();
        run(&self.connection, "BEGIN IMMEDIATE")?;
        // After `BEGIN`, only a process that was killed can have left an unsound index.
        self.recovery.forbid().inspect_err(|_| drop(self.roll_back()))
    }

    /// Ends this process's turn.
    fn leave(&self) {
        self.recovery.allow();
        self.turnstile.leave();
    }

    fn undo_member(&self) -> Result<()> {
        // Some errors of SQLite end the whole transaction, including the savepoint.
        if !self.is_open() {
            return Ok(());
        }
        run(&self.connection, "ROLLBACK TO member")?;
        run(&self.connection, "RELEASE member")
    }

    fn roll_back(&self) -> Result<()> {
        if self.is_open() { run(&self.connection, "ROLLBACK") } else { Ok(()) }
    }

    /// Whether a transaction is open.
    pub fn is_open(&self) -> bool {
        !self.connection.is_autocommit()
    }

    /// Whether another caller's work may go into the open transaction.
    pub fn has_room(&self) -> bool {
        let longest = (self.last.1 * COMMITS_LONG).clamp(SHORTEST, LONGEST);
        self.group.works < MOST_MEMBERS && self.group.since.elapsed() < longest
    }

    /// Whether it is worth waiting a moment for another caller, because the last group was larger.
    pub fn expects_more(&self) -> bool {
        self.last.0 > 1 && self.group.works < self.last.0
    }

    /// Commits the open transaction, or rolls it back.
    pub fn commit(&mut self) -> Outcome {
        let began = Instant::now();
        let outcome = self.index_and_commit();
        if outcome != Outcome::Committed {
            let _ = self.roll_back();
        }
        self.last = (self.group.works, began.elapsed());
        // This takes the write lock again, so it happens before the turn ends: other processes wait
        // better for their turn than for the lock.
        self.log.keep_short(&self.connection);
        self.leave();
        outcome
    }

    fn index_and_commit(&mut self) -> Outcome {
        for change in self.group.unindexed.drain(..) {
            if let Err(error) = change.apply(&self.connection) {
                return Outcome::Lost(detail(&error));
            }
        }
        let committed = self.connection.prepare_cached("COMMIT").and_then(|mut s| s.execute([]));
        committed.map_or_else(failed_commit, |_| Outcome::Committed)
    }

    /// In a child process: closes the inherited connection. If the parent has the turn, it keeps
    /// it.
    pub fn close_inherited(self) -> bool {
        close_inherited(self.connection)
    }

    /// Empties the write-ahead log, unless a reader is in the way.
    pub fn empty_log(&self) -> Result<Erasure> {
        let emptied = self.empty_log_in_turn();
        self.leave();
        emptied
    }

    /// Empties the write-ahead log before the connection is closed, and lets nobody write until
    /// then.
    pub fn prepare_to_close(&self) {
        // If something remains in the log, the next user of the database moves it.
        let _ = self.empty_log_in_turn();
    }

    fn empty_log_in_turn(&self) -> Result<Erasure> {
        self.turnstile.enter()?;
        self.recovery.forbid()?;
        self.log.empty(&self.connection)
    }
}

/// The outcome of a failed COMMIT. Only the errors listed here mean that nothing was written to the
/// log: if syncing to the disk failed, the transaction may still reappear after a crash.
fn failed_commit(error: rusqlite::Error) -> Outcome {
    use ErrorCode::{ConstraintViolation, DatabaseBusy, DatabaseLocked, DiskFull};
    let undone = [ConstraintViolation, DatabaseBusy, DatabaseLocked, DiskFull];
    let detail = detail(&error);
    match error.sqlite_error_code() {
        Some(code) if undone.contains(&code) => Outcome::Lost(detail),
        _ => Outcome::Unknown(detail),
    }
}

impl Outcome {
    /// The error that a member gets, if any.
    pub fn error(&self) -> Option<Error> {
        match self {
            Self::Committed => None,
            Self::Lost(detail) => Some(Error::storage(detail.clone())),
            Self::Unknown(detail) => Some(Error::outcome_unknown(detail.clone())),
        }
    }
}
