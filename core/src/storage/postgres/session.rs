//! One transaction: queries are sent at once; writes without an answer are deferred and sent with
//! the next query.

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
    /// Reading from one snapshot.
    Read,
    /// Writing; each statement sees the newest commit.
    Write,
}

impl Mode {
    /// Begins the transaction. It sets everything explicitly, so that the defaults of server and
    /// role do not matter.
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

    /// Ends a transaction that has nothing to commit.
    fn leave(self) -> &'static str {
        match self {
            Self::Read => "COMMIT",
            Self::Write => "ROLLBACK",
        }
    }
}

/// A transaction. It begins with the first exchange, and ends with [`Session::commit`]. If it is
/// dropped before, for example by a panic, it is rolled back.
pub(super) struct Session<'s> {
    store: &'s Connections,
    mode: Mode,
    /// The connection, from the first exchange on.
    client: Option<Object>,
    deferred: Vec<Statement>,
    failed: Option<Failure>,
}

impl Rows for Session<'_> {
    /// Sends all queries in one exchange.
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

    /// Defers the writes, which are sent with the next query.
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

    /// Whether rows are spread over several nodes.
    pub fn spread(&self) -> Spread {
        self.store.spread
    }

    /// Rows by key, in one round trip.
    pub fn rows(&mut self, get: Get) -> Result<Vec<Option<Row>>> {
        let mut answers = Vec::new();
        self.ask(vec![Ask::Get(get)], &mut answers)?;
        answers.pop().map_or_else(|| Ok(Vec::new()), Answer::rows)
    }

    /// Runs a statement, in one round trip.
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
            // COMMIT is never the first statement on a connection, which may have died in the pool.
            self.exchange(Vec::new())?;
        }
        // COMMIT of a failed transaction rolls back without an error, so its answer counts only if
        // every statement before it has succeeded.
        match self.exchange(vec![Statement::Plain("COMMIT")]) {
            Ok(replies) => {
                if let Some(failure) = replies.into_iter().find_map(Result::err) {
                    return Err(failure.of_commit());
                }
                self.client = None; // nothing to undo
                Ok(())
            }
            // COMMIT may have arrived, although there is no answer.
            Err(Failure::Lost(text)) => Err(Error::outcome_unknown(text)),
            Err(failure) => Err(failure.into()),
        }
    }

    /// Sends the deferred statements and `asked`, and returns the replies to `asked` in order.
    /// After a failure nothing more is sent, because the server would refuse it.
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
