//! One transaction: what is asked is sent at once, what answers nothing waits for company.

use deadpool_postgres::Object;

use super::Connections;
use super::failure::Failure;
use super::pipeline::{self, Answer, Exchange, Statement};
use super::sql;
use crate::error::{Error, Result};
use crate::storage::{AgencyRow, Lock};
use crate::values::AgencyId;

/// What a transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// One snapshot to read from.
    Read,
    /// Each statement sees the newest commit.
    Write,
}

impl Mode {
    /// Says everything itself, so that neither a server's nor a role's defaults matter.
    fn begin(self) -> &'static str {
        match self {
            Self::Read => {
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \
                 SET LOCAL statement_timeout = 30000; SET LOCAL plan_cache_mode = auto"
            }
            Self::Write => {
                "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; \
                 SET LOCAL statement_timeout = 30000; SET LOCAL plan_cache_mode = auto"
            }
        }
    }

    /// How a transaction ends that has nothing to keep.
    fn leave(self) -> &'static str {
        match self {
            Self::Read => "COMMIT",
            Self::Write => "ROLLBACK",
        }
    }
}

/// Whether the agency is held.
enum Hold {
    No,
    /// With the next exchange.
    Next,
    Held(Box<AgencyRow>),
}

/// A transaction of one agency. Begins with the first exchange; ends with [`Session::commit`],
/// or undone when it is dropped, be it by a panic.
pub(super) struct Session<'s> {
    pub agency: &'s AgencyId,
    store: &'s Connections,
    pub mode: Mode,
    hold: Hold,
    /// From the first exchange on.
    client: Option<Object>,
    deferred: Vec<Statement>,
    failed: Option<Failure>,
}

impl<'s> Session<'s> {
    pub fn new(store: &'s Connections, agency: &'s AgencyId, mode: Mode) -> Self {
        let (hold, deferred) = (Hold::No, Vec::new());
        Self { agency, store, mode, hold, client: None, deferred, failed: None }
    }

    /// Holds the agency with the next exchange, before whatever is asked then.
    pub fn hold_later(&mut self) {
        if matches!(self.hold, Hold::No) {
            self.hold = Hold::Next;
        }
    }

    /// Holds it now, if that was left for later.
    pub fn hold(&mut self) -> Result<()> {
        if matches!(self.hold, Hold::Next) {
            let [] = self.ask_all([])?;
        }
        Ok(())
    }

    /// Whether the agency is held, or will be.
    pub fn holds(&self) -> bool {
        !matches!(self.hold, Hold::No)
    }

    /// The agency as it was then.
    pub fn held(&self) -> Option<AgencyRow> {
        if let Hold::Held(agency) = &self.hold { Some((**agency).clone()) } else { None }
    }

    pub fn connections(&self) -> &'s Connections {
        self.store
    }

    /// Sends a statement later, before whatever is asked next. Its failure is the next one's.
    pub fn defer(&mut self, statement: Statement) {
        self.deferred.push(statement);
    }

    /// Asks one question: one wait.
    pub fn ask(&mut self, statement: Statement) -> Result<Answer> {
        let [answer] = self.ask_all([statement])?;
        Ok(answer)
    }

    /// Asks several questions in one wait.
    pub fn ask_all<const N: usize>(&mut self, statements: [Statement; N]) -> Result<[Answer; N]> {
        let answers = self.exchange(statements)?;
        let answers: Result<Vec<_>, _> = answers.into_iter().collect();
        let answers = answers.map_err(|failure| self.fail(failure))?;
        answers.try_into().map_err(|_| Error::storage("an answer is missing"))
    }

    /// Asks a question behind a savepoint; `None` if a unique index refuses. The transaction
    /// goes on either way.
    pub fn try_unique(&mut self, statement: Statement) -> Result<Option<Answer>> {
        let savepoint = Statement::Plain("SAVEPOINT attempt");
        let release = Statement::Plain("RELEASE SAVEPOINT attempt");
        let mut answers = self.exchange([savepoint, statement, release])?.into_iter().skip(1);
        match answers.next() {
            Some(Ok(answer)) => Ok(Some(answer)),
            Some(Err(Failure::Unique(_))) => {
                let undo = "ROLLBACK TO SAVEPOINT attempt; RELEASE SAVEPOINT attempt";
                self.defer(Statement::Plain(undo));
                Ok(None)
            }
            Some(Err(failure)) => Err(self.fail(failure).into()),
            None => Err(Error::storage("an answer is missing")),
        }
    }

    /// Makes everything durable.
    pub fn commit(mut self) -> Result<()> {
        if let Some(failure) = self.failed.take() {
            return Err(failure.into()); // the work has swallowed it
        }
        self.hold()?;
        if self.client.is_none() && self.deferred.is_empty() {
            return Ok(());
        }
        if self.client.is_none() {
            // COMMIT is never the first on a connection that may have died in the pool.
            let [] = self.ask_all([])?;
        }
        // COMMIT on a failed transaction answers ROLLBACK and no error, so it says nothing
        // until every statement before it has answered well.
        match self.exchange([Statement::Plain("COMMIT")]) {
            Ok(answers) => {
                if let Some(failure) = answers.into_iter().find_map(Result::err) {
                    return Err(failure.of_commit());
                }
                self.client = None; // nothing to undo
                Ok(())
            }
            // COMMIT may have arrived behind what has no answer.
            Err(Failure::Lost(text)) => Err(Error::outcome_unknown(text)),
            Err(failure) => Err(failure.into()),
        }
    }

    /// Sends what was deferred and what is asked; the answers to what is asked, in order.
    fn exchange<const N: usize>(
        &mut self,
        asked: [Statement; N],
    ) -> Result<Vec<Result<Answer, Failure>>, Failure> {
        if let Some(failure) = &self.failed {
            return Err(failure.clone());
        }
        let holding = matches!(self.hold, Hold::Next);
        let mut statements: Vec<_> = holding.then(|| self.holding()).into_iter().collect();
        statements.append(&mut self.deferred);
        let deferred = statements.len() - usize::from(holding);
        statements.extend(asked);
        let (client, mut answers) = self.send(statements).map_err(|failure| self.fail(failure))?;
        self.client = Some(client);
        if holding {
            let answer = answers.remove(0);
            let held = answer.and_then(|answer| {
                answer.record().map_err(|error| Failure::Other(error.to_string()))
            });
            match held {
                Ok(Some(agency)) => self.hold = Hold::Held(Box::new(agency)),
                Ok(None) => return Err(self.fail(Failure::Gone)),
                Err(failure) => return Err(self.fail(failure)),
            }
        }
        let asked = answers.split_off(deferred.min(answers.len()));
        match answers.into_iter().find_map(Result::err) {
            Some(failure) => Err(self.fail(failure)),
            None => Ok(asked),
        }
    }

    /// Locks the agency if rows are to change, so that it stays until the end.
    fn holding(&self) -> Statement {
        let lock = (self.mode == Mode::Write).then_some(Lock::KeyShare);
        sql::open_agency(self.agency_param(), lock)
    }

    fn send(&mut self, statements: Vec<Statement>) -> Exchange {
        let driver = &self.store.driver;
        match self.client.take() {
            Some(client) => {
                driver.wait(async move { pipeline::exchange(client, &statements).await })?
            }
            None => {
                self.store.plans.renew(&self.store.pool);
                let (pool, begin) = (self.store.pool.clone(), self.mode.begin());
                driver.wait(pipeline::begin(pool, statements, begin))?
            }
        }
    }

    /// After a failure nothing more is asked: the server would refuse it.
    fn fail(&mut self, failure: Failure) -> Failure {
        self.failed = Some(failure.clone());
        failure
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            pipeline::send_last(client, self.mode.leave());
        }
    }
}
