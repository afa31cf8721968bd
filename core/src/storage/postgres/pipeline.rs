//! Statements sent together: one wait for all of their answers.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use deadpool_postgres::{Object, Pool};
use futures_util::TryStreamExt;
use futures_util::future::{join, join_all, join3};
use futures_util::poll;
use tokio_postgres::{Row, RowStream};

use super::codec::Param;
use super::failure::Failure;

/// The server ends a statement after half a minute; whoever does not even say that is gone.
const DEADLINE: Duration = Duration::from_secs(90);

/// How many statements a connection knows at most. There are fewer, unless a host asks for pages
/// of very many lengths.
const KEPT: usize = 200;

/// Something to send.
#[derive(Debug)]
pub(super) enum Statement {
    /// Without parameters and without rows; several with semicolons between them.
    Plain(&'static str),
    /// With parameters that know their types. The server plans it for these values, and for the
    /// tables as they are now.
    Once(Cow<'static, str>, Vec<Param>),
    /// One of few texts, for which there is one good plan, whatever the values are: each
    /// connection prepares it at its first use and knows it for a while.
    Kept(Cow<'static, str>, Vec<Param>),
    /// The same after a savepoint: if a unique index refuses, nothing has happened. What is sent
    /// after it waits until that is known, which costs the caller no wait of its own.
    Attempt(Cow<'static, str>, Vec<Param>),
}

impl Statement {
    pub fn once(sql: impl Into<Cow<'static, str>>, params: Vec<Param>) -> Self {
        Self::Once(sql.into(), params)
    }

    pub fn kept(sql: impl Into<Cow<'static, str>>, params: Vec<Param>) -> Self {
        Self::Kept(sql.into(), params)
    }

    pub fn text(&self) -> &str {
        match self {
            Self::Plain(sql) => sql,
            Self::Once(sql, _) | Self::Kept(sql, _) | Self::Attempt(sql, _) => sql,
        }
    }
}

/// What the server answers to a statement.
#[derive(Debug, Default)]
pub(super) struct Reply {
    pub rows: Vec<Row>,
    /// How many rows it read or wrote.
    pub affected: u64,
    /// An attempt has come to nothing.
    pub refused: bool,
}

/// The answers in order, and the connection to go on with.
pub(super) type Exchange = Result<(Object, Vec<Result<Reply, Failure>>), Failure>;

/// Sends everything and collects the answers.
pub(super) async fn exchange(client: Object, statements: &[Statement]) -> Exchange {
    let answers = async {
        let (mut met, mut answers) = (BTreeSet::new(), Vec::with_capacity(statements.len()));
        for together in statements.split_inclusive(|one| matches!(one, Statement::Attempt(..))) {
            // The first poll of each sends it, and they are first polled in order.
            let all = together.iter().map(|one| run(&client, one, met.insert(one.text())));
            answers.extend(join_all(all).await);
        }
        answers
    };
    match tokio::time::timeout(DEADLINE, answers).await {
        Ok(answers) => Ok((client, answers)),
        Err(_) => {
            // Never again: an answer might still come, to the next one's question.
            drop(Object::take(client));
            Err(Failure::Lost("the server does not answer"))
        }
    }
}

/// The same on a connection from the pool, with the statement that begins a transaction in
/// front. A connection that has died unnoticed is found out here, when nothing can have been
/// committed, and replaced once.
pub(super) async fn begin(
    pool: Pool,
    mut statements: Vec<Statement>,
    sql: &'static str,
) -> Exchange {
    statements.insert(0, Statement::Plain(sql));
    let mut exchanged = exchange(pool.get().await?, &statements).await;
    if matches!(&exchanged, Ok((_, answers)) if matches!(answers[..], [Err(Failure::Lost(_)), ..]))
    {
        drop(exchanged);
        // Its siblings are likely to be as dead.
        pool.retain(|_, _| false);
        exchanged = exchange(pool.get().await?, &statements).await;
    }
    let (client, mut answers) = exchanged?;
    answers.remove(0)?;
    Ok((client, answers))
}

/// Sends a statement without waiting for its answer, and gives the connection back: what is
/// sent on it next comes after.
pub(super) fn send_last(client: Object, sql: &'static str) {
    send(&client, sql);
}

fn send(client: &Object, sql: &'static str) {
    let mut sending = pin!(client.batch_execute(sql));
    // Polling once sends. The driver's thread reads the answer and throws it away.
    let _ = sending.as_mut().poll(&mut Context::from_waker(Waker::noop()));
}

/// `first`: no other one of the same text is sent before it in the same exchange.
async fn run(client: &Object, statement: &Statement, first: bool) -> Result<Reply, Failure> {
    match statement {
        Statement::Plain(sql) => {
            client.batch_execute(sql).await?;
            Ok(Reply::default())
        }
        Statement::Once(sql, params) => run_once(client, sql, params).await,
        Statement::Kept(sql, params) => run_kept(client, sql, params, first).await,
        Statement::Attempt(sql, params) => attempt(client, sql, params, first).await,
    }
}

async fn attempt(
    client: &Object,
    sql: &str,
    params: &[Param],
    first: bool,
) -> Result<Reply, Failure> {
    let savepoint = client.batch_execute("SAVEPOINT attempt");
    let attempt = run_kept(client, sql, params, first);
    let release = client.batch_execute("RELEASE SAVEPOINT attempt");
    match join3(savepoint, attempt, release).await {
        (Ok(()), Err(Failure::Unique(_)), _) => {
            send(client, "ROLLBACK TO SAVEPOINT attempt; RELEASE SAVEPOINT attempt");
            Ok(Reply { refused: true, ..Reply::default() })
        }
        (_, reply, _) => reply,
    }
}

/// Nothing has to be prepared, so that this costs one wait.
async fn run_once(client: &Object, sql: &str, params: &[Param]) -> Result<Reply, Failure> {
    let params = params.iter().map(|param| (param, param.kind.clone()));
    collect(client.query_typed_raw(sql, params).await?).await
}

/// The first look tells whether the statement is prepared. If it is not, that has sent for it, and
/// this time it is sent unprepared right after: it has to keep its place among the others, and
/// costs no further wait.
async fn run_kept(
    client: &Object,
    sql: &str,
    params: &[Param],
    first: bool,
) -> Result<Reply, Failure> {
    let kinds: Vec<_> = params.iter().map(|param| param.kind.clone()).collect();
    let mut preparing = Box::pin(client.prepare_typed_cached(sql, &kinds));
    match poll!(preparing.as_mut()) {
        Poll::Ready(statement) => collect(client.query_raw(&statement?, params).await?).await,
        Poll::Pending if first => {
            let (answer, prepared) = join(run_once(client, sql, params), preparing).await;
            if client.statement_cache.size() > KEPT {
                client.statement_cache.clear();
            }
            match (answer, prepared) {
                // After a statement that failed the server refuses all others: the first one
                // that failed tells why.
                (Err(_), Err(reason)) => Err(reason.into()),
                (answer, _) => answer,
            }
        }
        Poll::Pending => {
            // It would wait for the first one's, and prepare itself if that fails: too late.
            drop(preparing);
            run_once(client, sql, params).await
        }
    }
}

async fn collect(stream: RowStream) -> Result<Reply, Failure> {
    let mut stream = pin!(stream);
    let mut rows = Vec::new();
    while let Some(row) = stream.try_next().await? {
        rows.push(row);
    }
    let affected = stream.rows_affected().unwrap_or_default();
    Ok(Reply { rows, affected, refused: false })
}
