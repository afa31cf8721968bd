//! The work written by hand on tokio-postgres, on the tables and indexes of the store.
//!
//! It runs in one of two ways: like the store, with a transaction around everything, whose `BEGIN`
//! is sent with the first query, and unprepared statements; or with prepared statements, and no
//! transaction around a read.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

use futures_util::future::join;
use partnerkit::ResellerDraft;
use tokio::runtime::Runtime;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, NoTls, Row, Statement};

const COLUMNS: &str = "id::text, status, deactivation_reason, partner_type, login_domain, name,
    email, phone, contact_name, contact_email, contact_phone, website, external_id, metadata,
    version, created_at, updated_at";
/// How many of the columns are texts.
const TEXTS: usize = 14;
const BEGIN: &str =
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = 30000";
const INSERT: &str =
    "INSERT INTO partnerkit.resellers VALUES ($1, $2::text::uuid, 1, 'active', NULL,
    $3, $4, $5, $6, $7, $8, $9, $10, $11, NULL, NULL, '{}', $12, $12, $13, $7, $14)";
const LIST: &str = "ORDER BY created_at DESC, id DESC LIMIT 26";

/// A record, as a page shows it.
pub struct Record {
    pub texts: Vec<Option<String>>,
    pub numbers: Vec<i64>,
}

/// The plan of a search.
#[derive(Clone, Copy)]
pub enum Plan {
    /// Walks down the list, the newest first.
    Walk,
    /// Sorts everything that the index of pieces finds.
    Index,
}

impl Plan {
    /// Settings that force the server to use the plan.
    fn settings(self) -> &'static str {
        match self {
            Self::Walk => "SET enable_bitmapscan = off; SET enable_seqscan = off",
            Self::Index => "SET enable_indexscan = off; SET enable_seqscan = off",
        }
    }

    fn sql(self, terms: usize) -> String {
        let terms: String = (2..2 + terms).map(|n| format!(" AND search_text LIKE ${n}")).collect();
        let matching = format!("FROM partnerkit.resellers WHERE agency = $1{terms}");
        match self {
            Self::Walk => format!("SELECT {COLUMNS} {matching} {LIST}"),
            Self::Index => format!(
                "WITH found AS MATERIALIZED (SELECT * {matching}) SELECT {COLUMNS} FROM found {LIST}"
            ),
        }
    }
}

/// How a statement is sent to the server.
#[derive(Clone, Copy, PartialEq)]
pub enum Way {
    AsTheStore,
    Prepared,
}

/// One connection.
pub struct ByHand {
    way: Way,
    runtime: Runtime,
    client: Client,
    prepared: BTreeMap<String, Statement>,
}

impl ByHand {
    pub fn connect(url: &str, way: Way) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime");
        let connect = tokio_postgres::connect(url, NoTls);
        let (client, connection) = runtime.block_on(connect).expect("connects");
        runtime.spawn(connection);
        Self { way, runtime, client, prepared: BTreeMap::new() }
    }

    pub fn with_plan(url: &str, way: Way, plan: Plan) -> Self {
        let by_hand = Self::connect(url, way);
        by_hand.run(plan.settings());
        by_hand
    }

    /// Statements without parameters.
    pub fn run(&self, sql: &str) {
        self.runtime.block_on(self.client.batch_execute(sql)).expect("runs");
    }

    /// Runs a query that is a complete read.
    fn read(&mut self, sql: &str, params: &[(&(dyn ToSql + Sync), Type)]) -> Vec<Row> {
        if self.way == Way::Prepared {
            return self.ask(sql, params);
        }
        let (begin, commit) = (self.client.batch_execute(BEGIN), "COMMIT");
        let both = join(begin, self.client.query_typed(sql, params));
        let (begun, rows) = self.runtime.block_on(both);
        begun.expect("begins");
        // The first poll sends it, and its answer is not awaited.
        let mut commit = pin!(self.client.batch_execute(commit));
        let entered = self.runtime.enter();
        let _ = commit.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        drop(entered);
        rows.expect("answers")
    }

    /// Runs a query within a transaction.
    fn ask(&mut self, sql: &str, params: &[(&(dyn ToSql + Sync), Type)]) -> Vec<Row> {
        if self.way == Way::AsTheStore {
            let rows = self.client.query_typed(sql, params);
            return self.runtime.block_on(rows).expect("answers");
        }
        let statement = match self.prepared.get(sql) {
            Some(statement) => statement.clone(),
            None => {
                let types: Vec<_> = params.iter().map(|(_, kind)| kind.clone()).collect();
                let statement = self.client.prepare_typed(sql, &types);
                let statement = self.runtime.block_on(statement).expect("prepares");
                self.prepared.insert(sql.to_owned(), statement.clone());
                statement
            }
        };
        let params: Vec<_> = params.iter().map(|(param, _)| *param).collect();
        self.runtime.block_on(self.client.query(&statement, &params)).expect("answers")
    }

    pub fn get(&mut self, agency: &str, id: &str) -> Option<Record> {
        let sql = format!(
            "SELECT {COLUMNS} FROM partnerkit.resellers WHERE agency = $1 AND id = $2::text::uuid"
        );
        self.read(&sql, &[text(&agency), text(&id)]).first().map(record)
    }

    pub fn first_page(&mut self, agency: &str) -> Vec<Record> {
        let sql = format!("SELECT {COLUMNS} FROM partnerkit.resellers WHERE agency = $1 {LIST}");
        self.read(&sql, &[text(&agency)]).iter().map(record).collect()
    }

    /// The terms are letters and digits, so LIKE finds no wildcard in them.
    pub fn search(&mut self, plan: Plan, agency: &str, terms: &str) -> Vec<Record> {
        let patterns: Vec<_> = terms.split_whitespace().map(|term| format!("%{term}%")).collect();
        let mut params = vec![text(&agency)];
        params.extend(patterns.iter().map(text));
        self.read(&plan.sql(patterns.len()), &params).iter().map(record).collect()
    }

    pub fn create(&mut self, agency: &str, form: &ResellerDraft) {
        let id = uuid::Uuid::now_v7().to_string();
        let now = millis();
        let (name, email) = (form.name.to_lowercase(), form.email.to_lowercase());
        let found = format!("{name}\n{email}");
        let (agency, id, now) =
            (text(&agency), text(&id), (&now as &(dyn ToSql + Sync), Type::INT8));
        let generation: (&(dyn ToSql + Sync), Type) = (&[7_u8; 16].as_slice(), Type::BYTEA);
        self.run("BEGIN");
        let label = [text(&form.login_domain), agency.clone(), id.clone()];
        self.ask("INSERT INTO partnerkit.labels VALUES ($1, $2, $3::text::uuid, NULL)", &label);
        let reserved =
            "SELECT reserved_labels FROM partnerkit.agencies WHERE agency = $1 FOR KEY SHARE";
        self.ask(reserved, std::slice::from_ref(&agency));
        let reseller = [
            agency.clone(),
            id.clone(),
            text(&form.partner_type),
            text(&form.login_domain),
            text(&form.name),
            text(&form.email),
            text(&email),
            text(&form.phone.number),
            text(&form.contact.name),
            text(&form.contact.email),
            text(&form.contact.phone.number),
            now.clone(),
            text(&name),
            text(&found),
        ];
        self.ask(INSERT, &reseller);
        let credentials =
            "INSERT INTO partnerkit.credentials VALUES ($1, $2::text::uuid, $3, NULL)";
        self.ask(credentials, &[agency.clone(), id.clone(), generation]);
        let total = "INSERT INTO partnerkit.totals VALUES ($1, 'active', 1)
             ON CONFLICT (agency, name) DO UPDATE SET value = totals.value + 1";
        self.ask(total, std::slice::from_ref(&agency));
        let change = "INSERT INTO partnerkit.pending_changes VALUES
             ($1, $2, 1, $3::text::uuid, 'reseller_created', $3::text::uuid, NULL, '[]')";
        self.ask(change, &[agency, now, id]);
        self.run("COMMIT");
    }
}

fn text<T: ToSql + Sync>(text: &T) -> (&(dyn ToSql + Sync), Type) {
    (text, Type::TEXT)
}

fn millis() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.expect("after 1970").as_millis() as i64
}

fn record(row: &Row) -> Record {
    Record {
        texts: (0..TEXTS).map(|column| row.get(column)).collect(),
        numbers: (TEXTS..row.len()).map(|column| row.get(column)).collect(),
    }
}
