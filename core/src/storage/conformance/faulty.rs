//! A storage that fails at the n-th query or write, and otherwise passes everything to the storage
//! that it wraps. It records all calls.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use crate::error::{Error, Result};
use crate::storage::{Answer, Ask, Erasure, Lock, ReadWork, Rows, Scope, Storage, Tell, WriteWork};
use crate::values::AgencyId;

/// The text of a fault's error.
pub(super) const FAULT: &str = "storage: an injected fault";

pub(super) struct Faulty {
    inner: Arc<dyn Storage>,
    countdown: Countdown,
    joined: AtomicBool,
}

/// Counts down to the query or write that fails; 0 never fails. Only one call fails.
#[derive(Default)]
struct Countdown {
    left: AtomicU32,
    failed: AtomicBool,
    called: Mutex<Vec<String>>,
}

impl Countdown {
    fn call(&self, name: impl Into<String>) -> Result<()> {
        self.called.lock().expect("no panic").push(name.into());
        let down = |left: u32| left.checked_sub(1);
        match self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, down) {
            Ok(1) => {
                self.failed.store(true, Ordering::SeqCst);
                Err(Error::storage("an injected fault"))
            }
            _ => Ok(()),
        }
    }
}

impl Faulty {
    /// Makes a storage that does not fail until it is told to.
    pub fn new(inner: Arc<dyn Storage>) -> Self {
        Self { inner, countdown: Countdown::default(), joined: AtomicBool::new(false) }
    }

    /// Fails at the n-th call from now, counted from 1.
    pub fn fail_at(&self, n: u32) {
        self.countdown.left.store(n, Ordering::SeqCst);
    }

    /// The calls since this was called last: each transaction begins with `own` or `join` and ends
    /// with `commit`, unless its work fails.
    pub fn called(&self) -> Vec<String> {
        std::mem::take(&mut self.countdown.called.lock().expect("no panic"))
    }

    /// Sets whether a host has a transaction open.
    pub fn join(&self, joined: bool) {
        self.joined.store(joined, Ordering::SeqCst);
    }

    /// Whether the call that fails has been reached.
    pub fn has_failed(&self) -> bool {
        self.countdown.failed.load(Ordering::SeqCst)
    }
}

impl Storage for Faulty {
    fn read(&self, agency: &AgencyId, work: &mut ReadWork<'_>) -> Result<()> {
        self.countdown.call("read")?;
        self.inner.read(agency, &mut |rows| {
            work(&mut FaultyRows { inner: rows, countdown: &self.countdown })
        })
    }

    fn write(&self, agency: &AgencyId, scope: Scope, work: &mut WriteWork<'_>) -> Result<()> {
        self.countdown.call(match scope {
            Scope::Own => "own",
            Scope::Join => "join",
        })?;
        self.inner.write(agency, scope, &mut |rows| {
            work(&mut FaultyRows { inner: rows, countdown: &self.countdown })?;
            // The last point before COMMIT at which something can fail.
            self.countdown.call("commit")
        })
    }

    fn joined(&self) -> bool {
        self.joined.load(Ordering::SeqCst)
    }

    /// Not counted: the rows are deleted already, so a fault here is no error.
    fn scrub(&self) -> Result<Erasure> {
        self.inner.scrub()
    }
}

struct FaultyRows<'a> {
    inner: &'a mut dyn Rows,
    countdown: &'a Countdown,
}

impl Rows for FaultyRows<'_> {
    /// The queries before the one that fails are executed.
    fn ask(&mut self, questions: Vec<Ask>, answers: &mut Vec<Answer>) -> Result<()> {
        let (mut asked, mut fault) = (Vec::new(), Ok(()));
        for question in questions {
            fault = self.countdown.call(asking(&question));
            if fault.is_err() {
                break;
            }
            asked.push(question);
        }
        self.inner.ask(asked, answers)?;
        fault
    }

    fn tell(&mut self, writes: Vec<Tell>) -> Result<()> {
        for write in writes {
            self.countdown.call(telling(&write))?;
            self.inner.tell(vec![write])?;
        }
        Ok(())
    }
}

/// A verb and its table; `hold` is the weakest lock, `lock` any other.
fn asking(question: &Ask) -> String {
    let (verb, lock, table) = match question {
        Ask::Get(get) => ("get", get.lock, get.table),
        Ask::Exist(get) => ("exist", get.lock, get.table),
        Ask::Scan(scan) => ("scan", scan.lock, scan.table),
        Ask::Page(_) => return "page".into(),
        Ask::Count(..) => return "count".into(),
        Ask::Insert(insertion) => ("insert", insertion.lock, insertion.table),
        Ask::Update(batch) => ("update", None, batch.table),
        Ask::Any(scan) => ("any", None, scan.table),
        Ask::Remove(scan) => ("remove", None, scan.table),
    };
    let verb = match lock {
        None => verb,
        Some(Lock::KeyShare) => "hold",
        Some(_) => "lock",
    };
    format!("{verb} {}", table.name)
}

fn telling(write: &Tell) -> String {
    let (verb, table) = match write {
        Tell::Put(batch) => ("put", batch.table),
        Tell::Add(batch) => ("add", batch.table),
        Tell::Delete(keys) => ("delete", keys.table),
    };
    format!("{verb} {}", table.name)
}
