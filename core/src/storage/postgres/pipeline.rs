//! Pipelining: statements are sent together, and all answers take one round trip.

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

/// The server aborts a statement after half a minute. If not even that answer arrives, the server
/// is gone.
const DEADLINE: Duration = Duration::from_secs(90);

/// How many prepared statements a connection keeps at most. There are fewer, unless a host asks for
/// pages of very many different lengths.
const KEPT: usize = 200;

/// A statement to send.
#[derive(Debug)]
pub(super) enum Statement {
    /// A statement without parameters and rows, or several with semicolons between them.
    Plain(&'static str),
    /// A statement with typed parameters, which is not prepared. The server plans it for these
    /// values and for the tables as they are now.
    Once(Cow<'static, str>, Vec<Param>),
    /// A statement for which one plan is good for all values, and of which there are only few
    /// texts. Each connection prepares it at its first use and keeps it for a while.
    Kept(Cow<'static, str>, Vec<Param>),
    /// Like `Kept`, but after a savepoint: if a unique index refuses it, it is undone. Later
    /// statements are sent only when the outcome is known, which costs the caller no further round
    /// trip.
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

/// The server's answer to a statement.
#[derive(Debug, Default)]
pub(super) struct Reply {
    pub rows: Vec<Row>,
    /// How many rows the statement read or wrote.
    pub affected: u64,
    /// Whether a unique index refused an [`Attempt`](Statement::Attempt).
    pub refused: bool,
}

/// The answers in order, and the connection to continue with.
pub(super) type Exchange = Result<(Object, Vec<Result<Reply, Failure>>), Failure>;

/// Sends everything and collects the answers.
pub(super) async fn exchange(client: Object, statements: &[Statement]) -> Exchange {
    let answers = async {
        let (mut met, mut answers) = (BTreeSet::new(), Vec::with_capacity(statements.len()));
        for together in statements.split_inclusive(|one| matches!(one, Statement::Attempt(..))) {
            // The first poll of each future sends its statement, and they are first polled in
            // order.
            let all = together.iter().map(|one| run(&client, one, met.insert(one.text())));
            answers.extend(join_all(all).await);
        }
        answers
    };
    match tokio::time::timeout(DEADLINE, answers).await {
        Ok(answers) => Ok((client, answers)),
        Err(_) => {
            // The connection is not used again: a late answer would be taken for that of the next
            // statement.
            drop(Object::take(client));
            Err(Failure::Lost("the server does not answer"))
        }
    }
}

/// Begins a transaction on a connection from the pool, and sends everything with it. If the
/// connection turns out to be dead, it is replaced once, which is safe because nothing can have
/// been committed.
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
        // The other connections in the pool are probably dead, too.
        pool.retain(|_, _| false);
        exchanged = exchange(pool.get().await?, &statements).await;
    }
    let (client, mut answers) = exchanged?;
    answers.remove(0)?;
    Ok((client, answers))
}

/// Sends a statement without waiting for its answer, and returns the connection to the pool: later
/// statements on it are executed afterwards.
pub(super) fn send_last(client: Object, sql: &'static str) {
    send(&client, sql);
}

fn send(client: &Object, sql: &'static str) {
    let mut sending = pin!(client.batch_execute(sql));
    // Polling once sends the statement. The driver's thread reads the answer and drops it.
    let _ = sending.as_mut().poll(&mut Context::from_waker(Waker::noop()));
}

/// `first` says that no statement with the same text was sent before it in this exchange.
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

/// Runs a statement without preparing it, in one round trip.
async fn run_once(client: &Object, sql: &str, params: &[Param]) -> Result<Reply, Failure> {
    let params = params.iter().map(|param| (param, param.kind.clone()));
    collect(client.query_typed_raw(sql, params).await?).await
}

/// Runs a prepared statement. The first poll tells whether the connection has prepared it; if not,
/// that poll has sent the request to prepare it. This time, the statement is then sent unprepared
/// right after: so it keeps its place among the others, and costs no further round trip.
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
                // After a failed statement the server refuses all later ones, so the error of
                // preparing, which was sent first, tells the reason.
                (Err(_), Err(reason)) => Err(reason.into()),
                (answer, _) => answer,
            }
        }
        Poll::Pending => {
            // This future would wait for the first statement to be prepared, and prepare it itself
            // if that fails, which would be too late to keep the order.
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
