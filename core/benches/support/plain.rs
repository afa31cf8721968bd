//! The least that somebody writes by hand for lists and search on rusqlite: one plain table with the
//! index that the list needs, and an FTS5 table of trigrams. It has no change feed, no unique
//! emails, no labels, and checks nothing.

use std::path::Path;

use partnerkit::ResellerDraft;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OptionalExtension, params};

const SCHEMA: &str = "
    CREATE TABLE resellers (
        number INTEGER PRIMARY KEY, agency TEXT NOT NULL, id BLOB NOT NULL, version INTEGER NOT NULL,
        status TEXT NOT NULL, reason TEXT, partner_type TEXT NOT NULL, login_domain TEXT NOT NULL,
        name TEXT NOT NULL, email TEXT NOT NULL, phone TEXT NOT NULL, contact_name TEXT NOT NULL,
        contact_email TEXT NOT NULL, contact_phone TEXT NOT NULL, website TEXT, external_id TEXT,
        metadata TEXT NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
        search_text TEXT NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX by_id ON resellers (agency, id);
    CREATE INDEX by_created ON resellers (agency, created_at, id);
    CREATE VIRTUAL TABLE search USING fts5 (
        text, content = '', columnsize = 0, detail = 'none', tokenize = 'trigram'
    );
";
const COLUMNS: &str = "id, version, status, reason, partner_type, login_domain, name, email, phone,
    contact_name, contact_email, contact_phone, website, external_id, metadata, created_at, updated_at";
/// Which of the columns are texts.
const TEXTS: std::ops::Range<usize> = 2..15;

/// A record, as a page shows it.
pub struct Record {
    pub id: [u8; 16],
    pub created_at: i64,
    pub texts: Vec<Option<String>>,
    pub numbers: [i64; 2],
}

/// A way to search by hand.
#[derive(Clone, Copy)]
pub enum Way {
    /// Asks FTS5 for the rows that have all trigrams of all terms, the newest first.
    Trigrams,
    /// Walks down the list with `LIKE` until the page is full.
    Walk,
}

pub struct Plain(Connection);

impl Plain {
    pub fn open(path: &Path) -> Self {
        let connection = Connection::open(path).expect("opens");
        let settings = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;";
        connection.execute_batch(settings).expect("configures");
        connection.execute_batch(SCHEMA).expect("creates");
        // Otherwise SQLite prepares a statement again for each value of some parameters.
        let keeps = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true);
        keeps.expect("configures");
        connection.set_prepared_statement_cache_capacity(64);
        Self(connection)
    }

    /// Creates all rows in one transaction.
    pub fn bulk(&mut self, agency: &str, forms: &[ResellerDraft]) {
        let transaction = self.0.transaction().expect("begins");
        for form in forms {
            let sql =
                "INSERT INTO resellers VALUES (NULL, ?1, ?2, 1, 'active', NULL, ?3, ?4, ?5, ?6,
                ?7, ?8, ?9, ?10, NULL, NULL, '{}', ?11, ?11, ?12)";
            let (id, text) = (uuid::Uuid::now_v7(), searched(form));
            let now = jiff::Timestamp::now().as_millisecond();
            let (email, phone) = (&form.email, &form.phone.number);
            transaction
                .prepare_cached(sql)
                .expect("prepares")
                .execute(params![
                    agency,
                    id.as_bytes(),
                    form.partner_type,
                    form.login_domain,
                    form.name,
                    email,
                    phone,
                    form.contact.name,
                    email,
                    phone,
                    now,
                    text
                ])
                .expect("inserts");
            transaction
                .prepare_cached("INSERT INTO search (rowid, text) VALUES (?1, ?2)")
                .expect("prepares")
                .execute(params![transaction.last_insert_rowid(), text])
                .expect("indexes");
        }
        transaction.commit().expect("commits");
    }

    pub fn get(&self, agency: &str, id: &[u8; 16]) -> Option<Record> {
        let sql = format!("SELECT {COLUMNS} FROM resellers WHERE agency = ?1 AND id = ?2");
        let mut statement = self.0.prepare_cached(&sql).expect("prepares");
        statement.query_row(params![agency, id], record).optional().expect("reads")
    }

    /// The first page, or the page after a place.
    pub fn page(&self, agency: &str, after: Option<(i64, [u8; 16])>) -> Vec<Record> {
        let Some((at, id)) = after else {
            let sql = format!(
                "SELECT {COLUMNS} FROM resellers WHERE agency = ?1
                 ORDER BY created_at DESC, id DESC LIMIT 26"
            );
            return self.records(&sql, params![agency]);
        };
        let sql = format!(
            "SELECT {COLUMNS} FROM resellers WHERE agency = ?1 AND (created_at, id) < (?2, ?3)
             ORDER BY created_at DESC, id DESC LIMIT 26"
        );
        self.records(&sql, params![agency, at, id])
    }

    /// The first page of a search; `None` if the way cannot answer it.
    pub fn search(&self, agency: &str, text: &str, way: Way) -> Option<Vec<Record>> {
        let folded = text.to_lowercase();
        let terms: Vec<&str> = folded.split_whitespace().collect();
        let mut parameters = vec![agency.to_owned()];
        parameters.extend(terms.iter().map(|term| format!("%{term}%")));
        let liked: String =
            (2..terms.len() + 2).map(|n| format!(" AND search_text LIKE ?{n}")).collect();
        let sql = match way {
            Way::Walk => format!(
                "SELECT {COLUMNS} FROM resellers WHERE agency = ?1{liked}
                 ORDER BY created_at DESC, id DESC LIMIT 26"
            ),
            Way::Trigrams => {
                let trigrams: Vec<String> = terms.iter().flat_map(|term| trigrams(term)).collect();
                if trigrams.is_empty() {
                    return None;
                }
                parameters.push(trigrams.join(" AND "));
                format!(
                    "SELECT {COLUMNS} FROM search CROSS JOIN resellers ON number = search.rowid
                     WHERE search MATCH ?{} AND agency = ?1{liked}
                     ORDER BY search.rowid DESC LIMIT 26",
                    parameters.len()
                )
            }
        };
        Some(self.records(&sql, rusqlite::params_from_iter(parameters)))
    }

    fn records(&self, sql: &str, parameters: impl rusqlite::Params) -> Vec<Record> {
        let mut statement = self.0.prepare_cached(sql).expect("prepares");
        let rows = statement.query_map(parameters, record).expect("reads");
        rows.collect::<Result<_, _>>().expect("reads")
    }
}

fn searched(form: &ResellerDraft) -> String {
    format!("{}\n{}", form.name, form.email).to_lowercase()
}

fn trigrams(term: &str) -> Vec<String> {
    let chars: Vec<char> = term.chars().collect();
    let quoted =
        |piece: &[char]| format!("\"{}\"", piece.iter().collect::<String>().replace('"', "\"\""));
    chars.windows(3).map(quoted).collect()
}

fn record(row: &rusqlite::Row<'_>) -> rusqlite::Result<Record> {
    let mut texts = Vec::with_capacity(TEXTS.len());
    for i in TEXTS {
        texts.push(row.get(i)?);
    }
    Ok(Record {
        id: row.get(0)?,
        created_at: row.get(15)?,
        numbers: [row.get(1)?, row.get(16)?],
        texts,
    })
}
