//! One transaction: what is asked is sent at once, what answers nothing waits for company.

use deadpool_postgres::Object;

use super::Connections;
use super::failure::Failure;
use super::pipeline::{self, Exchange, Reply, Statement};
use super::spread::Spread;
use crate::error::{Error, Result};
use crate::schema::Row;
use crate::storage::{Answer, Ask, Get, Rows, Tell};

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

/// A transaction. Begins with the first exchange; ends with [`Session::commit`], or undone when it
/// is dropped, be it by a panic.
pub(super) struct Session<'s> {
    store: &'s Connections,
    mode: Mode,
    /// From the first exchange on.
    client: Option<Object>,
    deferred: Vec<Statement>,
    failed: Option<Failure>,
}

impl Rows for Session<'_> {
    /// Sends all of them in one exchange.
    fn ask(&mut self, questions: Vec<Ask>, answers: &mut Vec<Answer>) -> Result<()> {
        let (mut statements, mut reads) = (Vec::new(), Vec::new());
        for question in questions {
            let question = self.question(question)?;
            reads.push((question.statements.len(), question.read));
            statements.extend(question.statements);
        }
        let replies = if statements.is_empty() { Vec::new() } else { self.exchange(statements)? };
        let mut replies = replies.into_iter();
        for (n, read) in reads {
            let its: Result<_, Failure> = replies.by_ref().take(n).collect();
            answers.push(read(self, its?)?);
        }
        Ok(())
    }

    /// Sends them with the next question.
    fn tell(&mut self, writes: Vec<Tell>) -> Result<()> {
        let statements: Vec<_> = writes.into_iter().flat_map(|write| self.write(write)).collect();
        self.deferred.extend(statements);
        Ok(())
    }
}

impl<'s> Session<'s> {
    pub fn new(store: &'s Connections, mode: Mode) -> Self {
        Self { store, mode, client: None, deferred: Vec::new(), failed: None }
    }

    pub fn connections(&self) -> &'s Connections {
        self.store
    }

    /// How rows lie.
    pub fn spread(&self) -> Spread {
        self.store.spread
    }

    /// Rows by key: one wait.
    pub fn rows(&mut self, get: Get) -> Result<Vec<Option<Row>>> {
        let mut answers = Vec::new();
        self.ask(vec![Ask::Get(get)], &mut answers)?;
        answers.pop().map_or_else(|| Ok(Vec::new()), Answer::rows)
    }

    /// Asks the server something: one wait.
    pub fn reply(&mut self, statement: Statement) -> Result<Reply> {
        let mut replies = self.exchange(vec![statement])?;
        Ok(replies.pop().transpose()?.unwrap_or_default())
    }

    /// Makes everything durable.
    pub fn commit(mut self) -> Result<()> {
        if let Some(failure) = self.failed.take() {
            return Err(failure.into()); // the work has swallowed it
        }
        if self.client.is_none() {
            if self.deferred.is_empty() {
                return Ok(());
            }
            // COMMIT is never the first on a connection that may have died in the pool.
            self.exchange(Vec::new())?;
        }
        // COMMIT on a failed transaction answers ROLLBACK and no error, so it says nothing
        // until every statement before it has answered well.
        match self.exchange(vec![Statement::Plain("COMMIT")]) {
            Ok(replies) => {
                if let Some(failure) = replies.into_iter().find_map(Result::err) {
                    return Err(failure.of_commit());
                }
                self.client = None; // nothing to undo
                Ok(())
            }
            // COMMIT may have arrived after what has no answer.
            Err(Failure::Lost(text)) => Err(Error::outcome_unknown(text)),
            Err(failure) => Err(failure.into()),
        }
    }

    /// Sends what was deferred and what is asked; the replies to what is asked, in order. After a
    /// failure nothing more is sent: the server would refuse it.
    fn exchange(&mut self, asked: Vec<Statement>) -> Result<Vec<Result<Reply, Failure>>, Failure> {
        if let Some(failure) = &self.failed {
            return Err(failure.clone());
        }
        let mut statements = std::mem::take(&mut self.deferred);
        let deferred = statements.len();
        statements.extend(asked);
        let (client, mut replies) = self.send(statements).inspect_err(|f| self.fail(f))?;
        self.client = Some(client);
        if let Some(failure) = replies.iter().find_map(|reply| reply.as_ref().err()) {
            self.fail(failure);
        }
        let asked = replies.split_off(deferred.min(replies.len()));
        replies.into_iter().find_map(Result::err).map_or(Ok(asked), Err)
    }

    fn send(&mut self, statements: Vec<Statement>) -> Exchange {
        let store = self.store;
        if let Some(client) = self.client.take() {
            let exchange = async move { pipeline::exchange(client, &statements).await };
            return store.driver.wait(exchange)?;
        }
        store.plans.renew(&store.pool);
        let begin = self.mode.begin();
        store.driver.wait(pipeline::begin(store.pool.clone(), statements, begin))?
    }

    fn fail(&mut self, failure: &Failure) {
        self.failed = Some(failure.clone());
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            pipeline::send_last(client, self.mode.leave());
        }
    }
}
