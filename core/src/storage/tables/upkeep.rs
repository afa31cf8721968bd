//! Removing the first rows of an index: of an agency that is deleted, and what is no longer needed.

use super::Scan;
use super::transaction::Tx;
use crate::access::Attempts;
use crate::changes::Change;
use crate::error::Result;
use crate::storage::IdempotencyRow;
use crate::storage::LabelRow;
use crate::storage::entity::Entity;
use crate::storage::schema::{self, Row, Table, Value};
use crate::storage::{Lock, Prunable};
use crate::usage::Event;

impl Tx<'_> {
    /// The first of the agency's rows, in the order of the key.
    pub fn first_rows(&mut self, table: &'static Table, limit: u32) -> Result<Vec<Row>> {
        let (columns, equals) = (table.key, self.key([]));
        self.rows.scan(&Scan { table, columns, equals, after: None, limit })
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
pub(super) fn key_of(table: &Table, row: &Row) -> Row {
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
