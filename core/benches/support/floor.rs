//! The floor: the same work written by hand on rusqlite. It stores the same rows in the same tables
//! with the same indexes and durability. Phone numbers and domains are checked by the same
//! libraries; nothing else is checked. It runs one statement after another, shares nothing between
//! callers, and has one trigram index over all agencies.

use std::path::Path;

use partnerkit::ResellerDraft;
use rlibphonenumber::{PhoneNumber, PhoneNumberFormat};
use rusqlite::{Connection, OptionalExtension, params};

const SCHEMA: &str = "
    CREATE TABLE agencies (agency TEXT PRIMARY KEY, reserved TEXT NOT NULL, numbered INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE labels (label TEXT PRIMARY KEY, agency TEXT NOT NULL, reseller BLOB, quarantined_until INTEGER) STRICT, WITHOUT ROWID;
    CREATE TABLE resellers (
        number INTEGER PRIMARY KEY, agency TEXT NOT NULL REFERENCES agencies, id BLOB NOT NULL,
        version INTEGER NOT NULL, status TEXT NOT NULL, reason TEXT, partner_type TEXT NOT NULL,
        login_domain TEXT NOT NULL, name TEXT NOT NULL, email TEXT NOT NULL, email_key TEXT NOT NULL,
        phone TEXT NOT NULL, contact_name TEXT NOT NULL, contact_email TEXT NOT NULL, contact_phone TEXT NOT NULL,
        website TEXT, external_id TEXT, metadata TEXT NOT NULL, created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL, sort_name TEXT NOT NULL, sort_email TEXT NOT NULL, search_text TEXT NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX by_id ON resellers (agency, id);
    CREATE UNIQUE INDEX by_email_key ON resellers (agency, email_key);
    CREATE UNIQUE INDEX by_external_id ON resellers (agency, external_id) WHERE external_id IS NOT NULL;
    CREATE INDEX by_joined ON resellers (agency, created_at, id);
    CREATE INDEX by_name ON resellers (agency, sort_name, id);
    CREATE INDEX by_email ON resellers (agency, sort_email, id);
    CREATE TABLE credentials (agency TEXT NOT NULL, reseller BLOB NOT NULL, generation BLOB NOT NULL, hash TEXT,
        PRIMARY KEY (agency, reseller)) STRICT, WITHOUT ROWID;
    CREATE TABLE totals (agency TEXT NOT NULL, name TEXT NOT NULL, value INTEGER NOT NULL, PRIMARY KEY (agency, name)) STRICT, WITHOUT ROWID;
    CREATE TABLE changes (agency TEXT NOT NULL, sequence INTEGER NOT NULL, at INTEGER NOT NULL, version INTEGER NOT NULL,
        id BLOB NOT NULL, kind TEXT NOT NULL, reseller BLOB, actor TEXT, fields TEXT NOT NULL,
        PRIMARY KEY (agency, sequence)) STRICT, WITHOUT ROWID;
    CREATE VIRTUAL TABLE search USING fts5 (text, content = '', columnsize = 0, detail = 'none', tokenize = 'trigram');
";

/// A record, as a page shows it.
pub struct Record {
    pub id: Vec<u8>,
    pub name: String,
    pub email: String,
    pub created_at: i64,
    rest: Vec<Option<String>>,
}

pub struct Floor(pub Connection);

impl Floor {
    pub fn open(path: &Path) -> Self {
        let connection = Connection::open(path).expect("opens");
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
                 PRAGMA secure_delete = ON; PRAGMA wal_autocheckpoint = 4000; PRAGMA busy_timeout = 60000;",
            )
            .expect("configures");
        connection.set_prepared_statement_cache_capacity(64);
        let there = connection.table_exists(None, "agencies").expect("reads");
        if !there {
            connection.execute_batch(SCHEMA).expect("creates");
        }
        Self(connection)
    }

    pub fn create_agency(&self, agency: &str) {
        let sql = "INSERT INTO agencies VALUES (?1, '[]', 0) ON CONFLICT DO NOTHING";
        self.0.execute(sql, [agency]).expect("inserts");
    }

    /// Creates a row in a transaction of its own.
    pub fn create(&self, agency: &str, form: &ResellerDraft) {
        self.bulk(agency, std::slice::from_ref(form));
    }

    /// Creates all rows in one transaction.
    pub fn bulk(&self, agency: &str, forms: &[ResellerDraft]) {
        let run =
            |sql: &str| self.0.prepare_cached(sql).expect("prepares").execute([]).expect("runs");
        run("BEGIN IMMEDIATE");
        forms.iter().for_each(|form| self.insert(agency, form));
        run("COMMIT");
    }

    fn insert(&self, agency: &str, form: &ResellerDraft) {
        let prepare = |sql| self.0.prepare_cached(sql).expect("prepares");
        let id: [u8; 16] = rand_id();
        let now = now();
        prepare("INSERT INTO labels VALUES (?1, ?2, ?3, NULL)")
            .execute(params![form.login_domain, agency, id])
            .expect("a free label");
        let _reserved: String = prepare("SELECT reserved FROM agencies WHERE agency = ?1")
            .query_row([agency], |row| row.get(0))
            .expect("an agency");
        let (name, email) = (fold(&form.name), fold(&form.email));
        let phones = [&form.phone.number, &form.contact.phone.number].map(|typed| e164(typed));
        assert!([&form.email, &form.contact.email].iter().all(|email| has_domain(email)));
        prepare(
            "INSERT INTO resellers VALUES (NULL, ?1, ?2, 1, 'active', NULL, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,
             NULL, NULL, '{}', ?12, ?12, ?13, ?14, ?15)",
        )
        .execute(params![
            agency, id, form.partner_type, form.login_domain, form.name, form.email, form.email.to_lowercase(),
            phones[0], form.contact.name, form.contact.email, phones[1], now, name, email,
            format!("{name}\n{email}"),
        ])
        .expect("inserts");
        let number = self.0.last_insert_rowid();
        prepare("INSERT INTO search (rowid, text) VALUES (?1, ?2)")
            .execute(params![number, format!("{name}\n{email}")])
            .expect("inserts");
        prepare("INSERT INTO credentials VALUES (?1, ?2, ?3, NULL)")
            .execute(params![agency, id, id])
            .expect("inserts");
        prepare("INSERT INTO totals VALUES (?1, 'active', 1) ON CONFLICT DO UPDATE SET value = value + 1")
            .execute([agency]).expect("counts");
        let sequence: i64 = prepare(
            "UPDATE agencies SET numbered = numbered + 1 WHERE agency = ?1 RETURNING numbered",
        )
        .query_row([agency], |row| row.get(0))
        .expect("numbers");
        prepare(
            "INSERT INTO changes VALUES (?1, ?2, ?3, 1, ?4, 'reseller_created', ?4, NULL, '[]')",
        )
        .execute(params![agency, sequence, now, id])
        .expect("inserts");
    }

    pub fn get(&self, agency: &str, id: &[u8]) -> Option<Record> {
        let sql = "SELECT * FROM resellers WHERE agency = ?1 AND id = ?2";
        self.0
            .prepare_cached(sql)
            .expect("prepares")
            .query_row(params![agency, id], record)
            .optional()
            .expect("reads")
    }

    /// A page after a place, the newest first.
    pub fn page(&self, agency: &str, after: Option<(i64, &[u8])>) -> Vec<Record> {
        let (at, id) = after.unwrap_or((i64::MAX, &[]));
        let sql = "SELECT * FROM resellers WHERE agency = ?1 AND (created_at, id) < (?2, ?3)
                   ORDER BY created_at DESC, id DESC LIMIT 26";
        self.records(sql, params![agency, at, id])
    }

    /// A search as one writes it: the index if the term is long enough, and the list otherwise.
    pub fn search(&self, agency: &str, text: &str) -> Vec<Record> {
        let folded = fold(text);
        let terms: Vec<&str> = folded.split_whitespace().collect();
        let long: Vec<_> = terms.iter().filter(|t| t.chars().count() >= 3).collect();
        let pieces = long.iter().flat_map(|term| {
            let chars: Vec<char> = term.chars().collect();
            chars
                .windows(3)
                .map(|w| format!("\"{}\"", w.iter().collect::<String>().replace('"', "\"\"")))
                .collect::<Vec<_>>()
        });
        let pieces = pieces.collect::<Vec<_>>().join(" AND ");
        let looked = (0..3).map(|i| terms.get(i).copied().unwrap_or(""));
        let looked: Vec<&str> = looked.collect();
        if long.is_empty() {
            let sql = "SELECT * FROM resellers WHERE agency = ?1 AND instr(search_text, ?2) > 0
                       AND instr(search_text, ?3) > 0 AND instr(search_text, ?4) > 0
                       ORDER BY created_at DESC, id DESC LIMIT 26";
            return self.records(sql, params![agency, looked[0], looked[1], looked[2]]);
        }
        let sql = "SELECT * FROM resellers WHERE number IN (SELECT rowid FROM search WHERE search MATCH ?5)
                   AND agency = ?1 AND instr(search_text, ?2) > 0
                   AND instr(search_text, ?3) > 0 AND instr(search_text, ?4) > 0
                   ORDER BY created_at DESC, id DESC LIMIT 26";
        self.records(sql, params![agency, looked[0], looked[1], looked[2], pieces])
    }

    fn records(&self, sql: &str, parameters: impl rusqlite::Params) -> Vec<Record> {
        let mut statement = self.0.prepare_cached(sql).expect("prepares");
        statement
            .query_map(parameters, record)
            .expect("reads")
            .collect::<Result<_, _>>()
            .expect("reads")
    }
}

fn record(row: &rusqlite::Row<'_>) -> rusqlite::Result<Record> {
    let rest = (4..18).map(|i| if i == 8 || i == 9 { Ok(None) } else { row.get(i) });
    Ok(Record {
        id: row.get(2)?,
        name: row.get(8)?,
        email: row.get(9)?,
        created_at: row.get(18)?,
        rest: rest.collect::<Result<_, _>>()?,
    })
}

fn e164(typed: &str) -> String {
    let number: PhoneNumber = typed.parse().expect("a phone number");
    assert!(number.is_valid());
    number.format_as(PhoneNumberFormat::E164).into_owned()
}

fn has_domain(email: &str) -> bool {
    email.rsplit_once('@').is_some_and(|(_, domain)| idna::domain_to_ascii_strict(domain).is_ok())
}

fn fold(text: &str) -> String {
    text.to_lowercase()
}

fn now() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.expect("after 1970").as_millis() as i64
}

/// An id that begins with the time, like the library's, so that new rows are neighbours.
fn rand_id() -> [u8; 16] {
    *uuid::Uuid::now_v7().as_bytes()
}
