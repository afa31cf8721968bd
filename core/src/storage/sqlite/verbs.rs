//! The verbs, on any table. There is only one writer at a time, so no row locks are needed.

use rusqlite::ffi::{SQLITE_CONSTRAINT_DATATYPE, SQLITE_CONSTRAINT_UNIQUE};

use super::failure::storage_error;
use super::index::is_searched;
use super::rows::{
    DIALECT, Rows, Store, key_of, numbered, owned, read_over, read_row, statements_of, values,
};
use crate::error::{Error, Result};
use crate::schema::{AGENCIES, Row, Table, Value, damaged};
use crate::storage::rows::insert_then_get;
use crate::storage::sql::{Conditions, Statements};
use crate::storage::{Batch, Filter, Get, Inserted, Insertion, Keys, PageSpec, Scan, Verbs};

impl Verbs for Rows<'_> {
    fn get(&mut self, Get { table, by, keys, .. }: &Get) -> Result<Vec<Option<Row>>> {
        let mut found = Vec::with_capacity(keys.len());
        let mut statement = self.prepare(&numbered(table).get[by])?;
        for key in keys {
            let owner = self.owner(table, &key[0])?;
            let mut rows = statement.query(owned(&owner, key)).map_err(storage_error)?;
            let row = rows.next().map_err(storage_error)?;
            found.push(row.map(|row| read_row(table, key, row)).transpose()?);
        }
        Ok(found)
    }

    /// Selects only whether each row exists: reading a reseller takes longer than finding it.
    fn exist(&mut self, Get { table, by, keys, .. }: &Get) -> Result<Vec<bool>> {
        let mut statement = self.prepare(&numbered(table).exists[by])?;
        let mut found = Vec::with_capacity(keys.len());
        for key in keys {
            let owner = self.owner(table, &key[0])?;
            found.push(statement.exists(owned(&owner, key)).map_err(storage_error)?);
        }
        Ok(found)
    }

    fn scan(&mut self, scan: &Scan) -> Result<Vec<Row>> {
        let Conditions { sql, params, .. } = Conditions::of_scan(scan, DIALECT);
        let sql = statements_of(scan.table).select.clone() + &sql;
        self.find(&sql, scan.table, &values(params))
    }

    /// Selects only whether the row exists, because every read asks for its agency, and reading the
    /// agency's row would take 1 µs.
    fn any(&mut self, scan: &Scan) -> Result<bool> {
        if scan.equals.len() < scan.columns.len() {
            return self.scan(scan).map(|found| !found.is_empty());
        }
        self.finds(&existence(scan), &scan.equals)
    }

    fn page(&mut self, spec: &PageSpec) -> Result<Vec<Row>> {
        self.find_page(spec)
    }

    fn count(&mut self, filter: &Filter, cap: u64) -> Result<u64> {
        self.count_found(filter, cap)
    }

    fn insert(&mut self, batch: &Batch) -> Result<Vec<bool>> {
        let sql = &storing(batch.table).insert;
        self.store(&Store { sql, may_exist: false, is_stored: is_written }, batch)
    }

    fn update(&mut self, batch: &Batch) -> Result<Vec<bool>> {
        let sql = &storing(batch.table).update;
        self.store(&Store { sql, may_exist: true, is_stored: is_updated }, batch)
    }

    fn put(&mut self, batch: &Batch) -> Result<()> {
        let sql = &storing(batch.table).put;
        self.store(&Store { sql, may_exist: true, is_stored: is_written }, batch).map(drop)
    }

    fn add(&mut self, batch: &Batch) -> Result<()> {
        let sql = &storing(batch.table).add;
        self.store(&Store { sql, may_exist: true, is_stored: is_added }, batch).map(drop)
    }

    /// Rows that are inserted or else locked mostly exist, so they are looked for first.
    fn insert_or_get(&mut self, insertion: Insertion) -> Result<Vec<Inserted>> {
        let Insertion { table, rows, lock } = insertion;
        if lock.is_none() || rows.is_empty() {
            return insert_then_get(self, Insertion { table, rows, lock });
        }
        let key: Vec<_> = table.key.iter().map(|column| table.place(column)).collect();
        let (mut new, mut outcomes) = (Vec::new(), Vec::with_capacity(rows.len()));
        let mut statement = self.prepare(&numbered(table).get[table.key])?;
        for row in rows {
            let owner = self.owner(table, &row[key[0]])?;
            let mut found = statement.query(key_of(&owner, &row, &key)).map_err(storage_error)?;
            outcomes.push(match found.next().map_err(storage_error)? {
                Some(stored) => Some(Inserted::Existing(read_over(table, row, &key, stored)?)),
                None => {
                    drop(found);
                    new.push(row);
                    None
                }
            });
        }
        drop(statement);
        let mut inserted = insert_then_get(self, Insertion { table, rows: new, lock })?.into_iter();
        let outcomes = outcomes.into_iter().map(|known| known.or_else(|| inserted.next()));
        outcomes.map(|outcome| outcome.ok_or_else(damaged)).collect()
    }

    fn delete(&mut self, Keys { table, keys }: &Keys) -> Result<()> {
        let sql = &statements_of(table).delete;
        keys.iter().try_for_each(|key| self.take(table, sql, key).map(drop))
    }

    fn remove(&mut self, scan: &Scan) -> Result<u64> {
        let (name, key) = (scan.table.name, scan.table.key.join(", "));
        let Conditions { sql, params, .. } = Conditions::of_scan(scan, DIALECT);
        // The outer statement has only keys: with the conditions in it, too, SQLite would read all
        // rows that match them.
        let sql = format!("DELETE FROM {name} WHERE ({key}) IN (SELECT {key} FROM {name}{sql})");
        self.take(scan.table, &sql, &values(params))
    }
}

impl Rows<'_> {
    fn store(&mut self, how: &Store<'_>, batch: &Batch) -> Result<Vec<bool>> {
        self.in_transaction()?;
        if is_searched(batch.table) {
            return self.store_searched(how, batch);
        }
        let mut statement = self.prepare(how.sql)?;
        let mut stored = Vec::with_capacity(batch.rows.len());
        for row in &batch.rows {
            let owner = self.owner(batch.table, &row[0])?;
            stored.push((how.is_stored)(statement.execute(owned(&owner, row)))?);
        }
        if batch.table.name == AGENCIES.name {
            self.forget_owner();
        }
        Ok(stored)
    }

    /// Removes rows by a statement, and returns their number.
    fn take(&mut self, table: &Table, sql: &str, parameters: &[Value]) -> Result<u64> {
        self.in_transaction()?;
        if is_searched(table) {
            return self.take_searched(sql, parameters);
        }
        if table.name == AGENCIES.name {
            self.forget_owner();
        }
        self.execute(sql, parameters).map(|removed| removed as u64)
    }
}

/// The statements that store rows of a table. What is searched is stored with the agency's id.
fn storing(table: &Table) -> &'static Statements {
    if is_searched(table) { statements_of(table) } else { numbered(table) }
}

/// Whether there is a row with the values of a scan in all of its columns. Values are compared by
/// `IS`, because a null equals a null; an index can be used for that, too.
fn existence(scan: &Scan) -> String {
    let mut sql = String::with_capacity(128);
    sql.extend(["SELECT 1 FROM ", scan.table.name]);
    for (column, n) in scan.columns.iter().zip(1..) {
        sql.extend([if n == 1 { " WHERE " } else { " AND " }, column, " IS "]);
        match n {
            1 if scan.table.of_agency() => sql += DIALECT.agency,
            _ => sql.extend(['?', char::from(b'0' + n)]),
        }
    }
    sql
}

fn is_written(written: rusqlite::Result<usize>) -> Result<bool> {
    written.map(|rows| rows == 1).map_err(storage_error)
}

/// Whether a row was updated. If a unique index refuses it, only the statement is undone.
fn is_updated(updated: rusqlite::Result<usize>) -> Result<bool> {
    match updated {
        Ok(0) => Err(damaged()),
        Err(error) if is_constraint(&error, SQLITE_CONSTRAINT_UNIQUE) => Ok(false),
        updated => is_written(updated),
    }
}

/// Whether a number was added. SQLite turns a sum that is too large into a floating-point number,
/// which an integer column refuses.
fn is_added(added: rusqlite::Result<usize>) -> Result<bool> {
    match added {
        Err(error) if is_constraint(&error, SQLITE_CONSTRAINT_DATATYPE) => {
            Err(Error::aborted("a total would overflow"))
        }
        added => is_written(added),
    }
}

fn is_constraint(error: &rusqlite::Error, which: i32) -> bool {
    error.sqlite_error().is_some_and(|failure| failure.extended_code == which)
}
