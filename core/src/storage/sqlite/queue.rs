//! The queue of callers in one process that want to write, first come, first served.
//!
//! The writer is passed from caller to caller with its transaction open, and the caller after whom
//! nobody waits commits for all. So each caller's work runs on its own thread, and no extra thread
//! is needed.

use std::collections::VecDeque;
use std::panic::resume_unwind;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::writer::{Outcome, Worked, Writer};
use crate::error::{Error, Result};
use crate::storage::WriteWork;

/// How long the last caller of a group waits for another one, if the previous group was larger.
const LINGER: Duration = Duration::from_micros(500);

/// The writer, or the callers that wait for it.
pub(super) struct Queue {
    state: Mutex<State>,
    arrived: Condvar,
}

struct State {
    /// `None` while a caller has it.
    baton: Option<Box<Baton>>,
    waiting: VecDeque<Arc<Seat>>,
}

/// What is passed on: the writer, and the seats of the callers whose work is in its open
/// transaction.
struct Baton {
    writer: Writer,
    members: Vec<Arc<Seat>>,
}

/// A place where one caller waits, first for its turn and then for its group's commit.
pub(super) struct Seat {
    state: Mutex<Message>,
    told: Condvar,
    company: Company,
}

/// What a waiting caller is told.
enum Message {
    Nothing,
    Turn(Box<Baton>),
    Ended(Outcome),
}

/// Whether a caller's work may share a transaction.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Company {
    Welcome,
    /// No, because its group was lost, so it is tried alone.
    None,
}

/// The outcome of one try.
enum Ended {
    With(Worked),
    /// Another member's work has ended the shared transaction, so this caller's work is not stored.
    GroupLost,
}

impl Queue {
    pub fn of(writer: Writer) -> Self {
        let baton = Box::new(Baton { writer, members: Vec::new() });
        let state = State { baton: Some(baton), waiting: VecDeque::new() };
        Self { state: Mutex::new(state), arrived: Condvar::new() }
    }

    /// Runs the work in a transaction and commits it, perhaps together with others. A member of a
    /// lost group runs once more, alone. A panic of the work is resumed on this thread once it
    /// cannot affect other callers.
    pub fn write(&self, work: &mut WriteWork<'_>) -> Result<()> {
        let ended = match self.once(work, Company::Welcome) {
            Ended::GroupLost => self.once(work, Company::None),
            ended => ended,
        };
        match ended {
            Ended::With(worked) => worked.unwrap_or_else(|panic| resume_unwind(panic)),
            Ended::GroupLost => Err(Error::storage(
                "SQLite rolled the transaction back, although no other caller shared it",
            )),
        }
    }

    fn once(&self, work: &mut WriteWork<'_>, company: Company) -> Ended {
        let seat = Seat::new(company);
        let mut turn = self.turn(&seat);
        let Baton { writer, members } = turn.baton();
        let worked = writer.step(work);
        if !writer.is_open() {
            let lost = std::mem::take(members);
            drop(turn);
            return if lost.is_empty() { Ended::With(worked) } else { lose(lost, worked) };
        }
        if company == Company::Welcome
            && let Some(next) = self.next(writer)
        {
            members.push(Arc::clone(&seat));
            turn.pass_on(&next);
            return ended(worked, seat.outcome(), true);
        }
        let outcome = writer.commit();
        let others = std::mem::take(members);
        drop(turn);
        others.iter().for_each(|seat| seat.tell(Message::Ended(outcome.clone())));
        ended(worked, outcome, !others.is_empty())
    }

    /// Runs work on the writer alone, with no transaction open.
    pub fn alone<T>(&self, work: impl FnOnce(&Writer) -> T) -> T {
        let mut turn = self.turn(&Seat::new(Company::None));
        work(&turn.baton().writer)
    }

    /// In a child process: a function that closes the writer; `None` if the parent was using it.
    pub fn idle(&self) -> Option<impl FnOnce() -> bool + '_> {
        // A lock that a thread of the parent held would never be released, so this does not wait.
        let mut state = self.state.try_lock().ok()?;
        let is_here = state.baton.is_some();
        is_here.then_some(move || {
            state.baton.take().is_some_and(|baton| baton.writer.close_inherited())
        })
    }

    /// Waits for the writer.
    fn turn(&self, seat: &Arc<Seat>) -> Turn<'_> {
        let mut state = self.lock();
        let baton = match state.baton.take() {
            Some(baton) => baton,
            None => {
                state.waiting.push_back(Arc::clone(seat));
                self.arrived.notify_one();
                drop(state);
                seat.baton()
            }
        };
        Turn { queue: self, baton: Some(baton) }
    }

    /// The next caller to join the open transaction, if there is one.
    fn next(&self, writer: &Writer) -> Option<Arc<Seat>> {
        let until = Instant::now() + LINGER;
        let mut state = self.lock();
        while writer.has_room() {
            if let Some(next) = state.waiting.front() {
                let welcome = next.company == Company::Welcome;
                return if welcome { state.waiting.pop_front() } else { None };
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || !writer.expects_more() {
                return None;
            }
            let waited = self.arrived.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        None
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The writer while a caller has it. However the turn ends, the writer goes to the next caller.
struct Turn<'q> {
    queue: &'q Queue,
    baton: Option<Box<Baton>>,
}

impl Turn<'_> {
    fn baton(&mut self) -> &mut Baton {
        self.baton.as_mut().expect("passed on only at the end")
    }

    fn pass_on(mut self, next: &Seat) {
        if let Some(baton) = self.baton.take() {
            next.tell(Message::Turn(baton));
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let Some(baton) = self.baton.take() else { return };
        let mut state = self.queue.lock();
        match state.waiting.pop_front() {
            Some(next) => {
                drop(state);
                next.tell(Message::Turn(baton));
            }
            None => state.baton = Some(baton),
        }
    }
}

impl Seat {
    fn new(company: Company) -> Arc<Self> {
        Arc::new(Self { state: Mutex::new(Message::Nothing), told: Condvar::new(), company })
    }

    fn tell(&self, message: Message) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = message;
        self.told.notify_one();
    }

    fn hear(&self) -> Message {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match std::mem::replace(&mut *state, Message::Nothing) {
                Message::Nothing => {}
                message => return message,
            }
            state = self.told.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn baton(&self) -> Box<Baton> {
        match self.hear() {
            Message::Turn(baton) => baton,
            _ => unreachable!("only those whose work is done are told how it ended"),
        }
    }

    fn outcome(&self) -> Outcome {
        match self.hear() {
            Message::Ended(outcome) => outcome,
            _ => unreachable!("nobody has two turns"),
        }
    }
}

/// The shared transaction is gone, so each member tries again; this caller does not if it panicked.
fn lose(others: Vec<Arc<Seat>>, worked: Worked) -> Ended {
    let lost = || Message::Ended(Outcome::Lost("the group was lost".into()));
    others.iter().for_each(|seat| seat.tell(lost()));
    if worked.is_err() { Ended::With(worked) } else { Ended::GroupLost }
}

/// A caller's result is valid only if the commit succeeds: even an error may depend on what another
/// member had written.
fn ended(worked: Worked, outcome: Outcome, shared: bool) -> Ended {
    match (worked, outcome) {
        (Err(panic), _) => Ended::With(Err(panic)),
        (_, Outcome::Lost(_)) if shared => Ended::GroupLost,
        (Ok(result), outcome) => Ended::With(Ok(outcome.error().map_or(result, Err))),
    }
}
