//! A database of its own for each test, on the server that `tests/with-postgres` starts.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio_postgres::NoTls;

use crate::proxy::Proxy;

const VARIABLE: &str = "PARTNERKIT_TEST_POSTGRES_URL";

/// The environment variable with the ports of the workers, `25511,25512`, if the server is the
/// coordinator of a Citus cluster on this machine. There, every node has the database [`TEMPLATE`].
const WORKERS: &str = "PARTNERKIT_TEST_CITUS_WORKERS";
/// A database that has the extension and knows the workers. It can be copied in a fifth of a
/// second, and by several tests at once.
const TEMPLATE: &str = "citus_template";

/// A database that is deleted when this is dropped.
pub struct Database {
    name: String,
    /// The URL for a store.
    pub url: String,
}

impl Database {
    /// Makes an empty database.
    ///
    /// # Panics
    /// If no server is known: run the test with `tests/with-postgres`.
    pub fn create() -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let n = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("partnerkit_{}_{n}", std::process::id());
        let (server, workers) = (server(), workers(&server()));
        let copied = if workers.is_empty() { "" } else { &format!(" TEMPLATE {TEMPLATE}") };
        for node in workers.iter().chain([&server]) {
            run(node, &format!("CREATE DATABASE {name}{copied}")).expect("creates a database");
        }
        let (address, _) = server.rsplit_once('/').expect("a URL with a database");
        Self { url: format!("{address}/{name}"), name }
    }

    /// The URL of the database on each worker of a cluster.
    pub fn worker_urls(&self) -> Vec<String> {
        workers(&self.url)
    }

    /// Host and port of the server, and the name of the database.
    pub fn address(&self) -> (&str, &str) {
        let (_, rest) = self.url.split_once('@').expect("a URL with a user");
        rest.split_once('/').expect("a URL with a database")
    }

    /// A proxy between a store and the server, and the URL that leads the store to it.
    pub fn on_a_wire(&self) -> (Proxy, String) {
        let (address, _) = self.address();
        let wire = Proxy::to(address.to_owned());
        let url = self.url.replace(address, &format!("127.0.0.1:{}", wire.port));
        (wire, url)
    }

    /// Runs statements beside the store.
    pub fn run(&self, sql: &str) -> Vec<String> {
        read(&self.url, sql)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // A database that cannot be deleted is no reason to fail, because the whole server is
        // deleted soon.
        let server = server();
        for node in workers(&server).iter().chain([&server]) {
            drop(run(node, &format!("DROP DATABASE {} WITH (FORCE)", self.name)));
        }
    }
}

/// One of PostgreSQL's own programs: from `PATH`, or the newest that Debian has installed.
///
/// # Panics
/// If this machine does not have it.
pub fn program(name: &str) -> Command {
    let in_path = Command::new(name).arg("--version").output();
    if in_path.is_ok() {
        return Command::new(name);
    }
    let installed = std::fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL is installed");
    let version = |entry: std::fs::DirEntry| entry.file_name().to_str()?.parse::<u32>().ok();
    let newest = installed.filter_map(|entry| version(entry.ok()?)).max();
    let newest = newest.expect("a version is installed");
    Command::new(format!("/usr/lib/postgresql/{newest}/bin/{name}"))
}

/// The first column of the result of a query on a database at a URL.
///
/// # Panics
/// If the query fails.
pub fn read(url: &str, sql: &str) -> Vec<String> {
    run(url, sql).expect("runs")
}

/// The URLs of the workers that correspond to a URL of the coordinator.
fn workers(url: &str) -> Vec<String> {
    let ports = std::env::var(WORKERS).unwrap_or_default();
    let (address, database) = url.rsplit_once('/').expect("a URL with a database");
    let (host, _) = address.rsplit_once(':').expect("a URL with a port");
    let ports = ports.split(',').filter(|port| !port.is_empty());
    ports.map(|port| format!("{host}:{port}/{database}")).collect()
}

fn server() -> String {
    std::env::var(VARIABLE).unwrap_or_else(|_| {
        panic!("{VARIABLE} is not set: run this test as `tests/with-postgres cargo test …`")
    })
}

/// The first column of every row, as text.
fn run(url: &str, sql: &str) -> Result<Vec<String>, tokio_postgres::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        let connection = tokio::spawn(connection);
        let messages = client.simple_query(sql).await?;
        drop(client);
        drop(connection.await);
        let text = |message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => {
                Some(row.get(0).unwrap_or_default().to_owned())
            }
            _ => None,
        };
        Ok(messages.into_iter().filter_map(text).collect())
    })
}
