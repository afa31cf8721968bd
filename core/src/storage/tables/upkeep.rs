//! Removing many rows: of an agency that is deleted, and what is no longer needed.

use super::Scan;
use super::transaction::Tx;
use crate::access::Attempts;
use crate::changes::Change;
use crate::error::Result;
use crate::reseller::Reseller;
use crate::storage::records::{IdempotencyRow, LabelRow, LabelState, Record};
use crate::storage::schema::{self, Row, TABLES, Table, Value};
use crate::storage::{Lock, Prunable};
use crate::usage::Event;
use crate::values::Timestamp;

/// How many rows are removed at once.
const CHUNK: u32 = 1_000;

impl Tx<'_> {
    /// Puts the labels of the agency's resellers into quarantine.
    pub fn quarantine_labels(&mut self, until: Timestamp) -> Result<()> {
        let mut after = None;
        loop {
            let page: Vec<Reseller> = self.scan(schema::RESELLERS.key, [], after, CHUNK)?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(Value::Uuid(last.id.as_uuid()));
            let state = LabelState::Quarantined(until);
            let label = |reseller: Reseller| LabelRow {
                label: reseller.login_domain,
                agency: reseller.agency,
                state,
            };
            let labels: Vec<_> = page.into_iter().map(label).collect();
            self.put(&labels)?;
        }
    }

    /// Removes every row of the agency, but for labels; backwards, because what refers to rows
    /// goes before them.
    pub fn erase_all(&mut self) -> Result<()> {
        let tables = TABLES.iter().rev().filter(|table| table.name != schema::LABELS.name);
        tables.into_iter().try_for_each(|table| self.erase(table))
    }

    /// Removes the agency's rows from a table.
    fn erase(&mut self, table: &'static Table) -> Result<()> {
        loop {
            let equals = self.key([]);
            let scan = Scan { table, columns: table.key, equals, after: None, limit: CHUNK };
            let rows = self.rows.scan(&scan)?;
            if rows.is_empty() {
                return Ok(());
            }
            let keys: Vec<_> = rows.iter().map(|row| key_of(table, row)).collect();
            self.rows.delete(table, &keys)?;
        }
    }

    /// Removes rows that are no longer needed: the first ones of an index, as long as they are.
    pub fn remove_due(&mut self, what: Prunable, max: u32) -> Result<u32> {
        let (table, columns) = prunable_index(what);
        let (equals, after) = match what {
            // Of every agency. Nulls are no values: a label that is held has no end.
            Prunable::Labels(_) => (Row::new(), Some(Value::Integer(i64::MIN))),
            _ => (self.key([]), None),
        };
        let rows = self.rows.scan(&Scan { table, columns, equals, after, limit: max })?;
        let mut keys = Vec::new();
        for row in rows {
            let key = key_of(table, &row);
            if !is_due(what, row)? {
                break;
            }
            keys.push(key);
        }
        if keys.is_empty() {
            return Ok(0);
        }
        // Decided again on the row that is locked: others may have removed it, or taken it anew.
        keys.sort();
        let there = self.rows.get(table, &keys, Some(Lock::Update))?;
        let mut still = Vec::new();
        for (key, row) in keys.into_iter().zip(there) {
            if row.map_or(Ok(false), |row| is_due(what, row))? {
                still.push(key);
            }
        }
        if !still.is_empty() {
            self.rows.delete(table, &still)?;
        }
        Ok(u32::try_from(still.len()).unwrap_or(max))
    }
}

/// The table of what is pruned, and the columns of the index that has the oldest first.
fn prunable_index(what: Prunable) -> (&'static Table, &'static [&'static str]) {
    match what {
        Prunable::Events(_) => (&schema::EVENTS, &["agency", "at"]),
        Prunable::IdempotencyKeys(_) => (&schema::IDEMPOTENCY, &["agency", "created_at"]),
        Prunable::Changes(_) => (&schema::CHANGES, schema::CHANGES.key),
        Prunable::Labels(_) => (&schema::LABELS, &["quarantined_until"]),
        Prunable::Attempts(_) => (&schema::ATTEMPTS, &["agency", "blocked_until"]),
    }
}

/// The columns of a row's primary key.
fn key_of(table: &Table, row: &Row) -> Row {
    let columns = table.columns.iter().zip(row);
    let of_key = |name: &&str| columns.clone().find(|(column, _)| column.name == *name);
    table.key.iter().filter_map(of_key).map(|(_, value)| value.clone()).collect()
}

fn is_due(what: Prunable, row: Row) -> Result<bool> {
    Ok(match what {
        Prunable::Events(before) => Event::from_row(row)?.at < before,
        Prunable::IdempotencyKeys(before) => IdempotencyRow::from_row(row)?.created_at < before,
        Prunable::Changes(through) => Change::from_row(row)?.sequence <= through,
        Prunable::Labels(now) => LabelRow::from_row(row)?.is_free(now),
        Prunable::Attempts(before) => Attempts::from_row(row)?.blocked_until < before,
    })
}
