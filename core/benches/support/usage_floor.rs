//! The floor of metering: events, sums by quarter-hour and totals, written by hand on rusqlite. It
//! has the pragmas of [`Floor`](super::floor::Floor), checks nothing about an event but whether its
//! id is known, cannot find events by time, and has no limits.

use std::collections::BTreeMap;
use std::path::Path;

use partnerkit::UsageEvent;
use rusqlite::{Connection, params};

const SCHEMA: &str = "
    CREATE TABLE events (agency TEXT NOT NULL, id TEXT NOT NULL, reseller BLOB NOT NULL, metric TEXT NOT NULL,
        quantity INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (agency, id)) STRICT, WITHOUT ROWID;
    CREATE TABLE rollups (agency TEXT NOT NULL, reseller BLOB NOT NULL, metric TEXT NOT NULL, slot INTEGER NOT NULL,
        sum INTEGER NOT NULL, events INTEGER NOT NULL,
        PRIMARY KEY (agency, reseller, metric, slot)) STRICT, WITHOUT ROWID;
    CREATE TABLE totals (agency TEXT NOT NULL, metric TEXT NOT NULL, value INTEGER NOT NULL,
        PRIMARY KEY (agency, metric)) STRICT, WITHOUT ROWID;
";
const QUARTER_HOUR: i64 = 900_000;

pub struct UsageFloor(Connection);

impl UsageFloor {
    pub fn open(path: &Path) -> Self {
        let connection = Connection::open(path).expect("opens");
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;
                 PRAGMA wal_autocheckpoint = 4000; PRAGMA busy_timeout = 60000;",
            )
            .expect("configures");
        // The library's own settings, to see what they contribute.
        if std::env::var_os("TUNED").is_some() {
            let tuned = "PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 10000;";
            connection.execute_batch(tuned).expect("configures");
        }
        if !connection.table_exists(None, "events").expect("reads") {
            connection.execute_batch(SCHEMA).expect("creates");
        }
        Self(connection)
    }

    /// Records a batch in one transaction, and returns how many events were new.
    pub fn record(&self, agency: &str, events: &[UsageEvent]) -> usize {
        let prepare = |sql| self.0.prepare_cached(sql).expect("prepares");
        prepare("BEGIN IMMEDIATE").execute([]).expect("begins");
        let mut insert =
            prepare("INSERT INTO events VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING");
        let mut count = prepare(
            "INSERT INTO rollups VALUES (?1, ?2, ?3, ?4, ?5, 1)
             ON CONFLICT DO UPDATE SET sum = sum + excluded.sum, events = events + 1",
        );
        let (mut totals, mut new) = (BTreeMap::<&str, i64>::new(), 0);
        for UsageEvent { id, reseller, metric, quantity, at } in events {
            let (reseller, metric, at) =
                (reseller.as_uuid().into_bytes(), metric.slug(), at.as_millis());
            let event = params![agency, id, reseller, metric, quantity, at];
            if insert.execute(event).expect("inserts") == 1 {
                let slot = params![agency, reseller, metric, at / QUARTER_HOUR, quantity];
                count.execute(slot).expect("counts");
                *totals.entry(metric).or_default() += quantity;
                new += 1;
            }
        }
        let mut add = prepare(
            "INSERT INTO totals VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET value = value + excluded.value",
        );
        for (metric, value) in totals {
            add.execute(params![agency, metric, value]).expect("adds");
        }
        prepare("COMMIT").execute([]).expect("commits");
        new
    }

    /// Moves everything from the log into the file.
    pub fn checkpoint(&self) {
        self.0.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).expect("checkpoints");
    }
}
