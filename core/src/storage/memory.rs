//! The store in memory: the contract in its plainest form, for tests and for trying things out.
//!
//! Everything is in one ordered map, which has each row once under its key and once under each of
//! its indexes. One mutex takes the place of all locks. A transaction keeps an undo log, in case
//! the work fails.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, PoisonError};

use super::home::Home;
use super::rows::{Batch, Condition, Filter, Get, Is, Keys, PageSpec, Scan, Verbs};
use super::{ReadWork, Scope, Storage, WriteWork};
use crate::error::{Error, Result};
use crate::schema::{RESELLERS, Row, Table, Value, damaged};
use crate::values::AgencyId;

/// A store that is gone when it is dropped. A child process cannot use it.
pub struct Memory(Home<Mutex<State>>);

impl Default for Memory {
    fn default() -> Self {
        Self(Home::only(Mutex::default()))
    }
}

impl Memory {
    /// An empty store.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use partnerkit::Platform;
    /// use partnerkit::storage::memory::Memory;
    ///
    /// let platform = Platform::builder().open_storage(Arc::new(Memory::new()))?;
    /// assert!(platform.agencies(None, None)?.is_empty());
    /// # Ok::<(), partnerkit::Error>(())
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs work on the locked state. If the mutex is poisoned, the state is still consistent,
    /// because a panicking transaction undoes its changes.
    fn alone<T>(&self, work: impl FnOnce(&mut State) -> Result<T>) -> Result<T> {
        let here = self.0.get()?;
        work(&mut here.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Storage for Memory {
    fn read(&self, _: &AgencyId, work: &mut ReadWork<'_>) -> Result<()> {
        self.alone(|state| work(&mut Tx { state, undo: Vec::new() }))
    }

    fn write(&self, _: &AgencyId, _: Scope, work: &mut WriteWork<'_>) -> Result<()> {
        self.alone(|state| {
            let mut tx = Tx { state, undo: Vec::new() };
            work(&mut tx)?;
            tx.undo.clear();
            Ok(())
        })
    }
}

/// The place of a row: its table, the columns of a key or index, and the row's values in them.
type Place = (&'static str, &'static [&'static str], Row);

/// Every row of every table, under each of its places.
type State = BTreeMap<Place, Arc<Row>>;

/// A transaction or a snapshot, which has the state for itself.
struct Tx<'a> {
    state: &'a mut State,
    /// The undo log: what each place held before it was changed.
    undo: Vec<(Place, Option<Arc<Row>>)>,
}

impl Tx<'_> {
    fn row(&self, table: &Table, key: &Row) -> Option<Arc<Row>> {
        self.state.get(&(table.name, table.key, key.clone())).cloned()
    }

    fn set(&mut self, place: Place, row: Option<Arc<Row>>) {
        let before = match row {
            Some(row) => self.state.insert(place.clone(), row),
            None => self.state.remove(&place),
        };
        self.undo.push((place, before));
    }

    /// Replaces the row with this key, or removes it.
    fn replace(&mut self, table: &Table, key: &Row, row: Option<&Row>) {
        if let Some(before) = self.row(table, key) {
            places(table, &before).for_each(|place| self.set(place, None));
        }
        if let Some(row) = row {
            let row = Arc::new(row.clone());
            places(table, &row).for_each(|place| self.set(place, Some(Arc::clone(&row))));
        }
    }

    /// Rows with these values in the first columns of an index, in its order.
    fn in_order(
        &self,
        table: &Table,
        columns: &'static [&'static str],
        equals: &[Value],
    ) -> Vec<&Row> {
        let from = Bound::Included((table.name, columns, equals.to_vec()));
        let here = self.state.range((from, Bound::Unbounded));
        let here = here.take_while(|((name, order, values), _)| {
            (*name, *order) == (table.name, columns) && values.starts_with(equals)
        });
        here.map(|(_, row)| &**row).collect()
    }

    /// Whether another row has this row's values in a unique index.
    fn is_taken(&self, table: &Table, row: &Row) -> bool {
        let key = table.key_of(row);
        table.indexes.iter().filter(|index| index.unique).any(|index| {
            let values = table.values_of(index.columns, row);
            !values.contains(&Value::Null)
                && self
                    .in_order(table, index.columns, &values)
                    .into_iter()
                    .any(|other| table.key_of(other) != key)
        })
    }

    fn matching(&self, filter: &Filter) -> Vec<&Row> {
        let agency = [filter.agency.as_str().into()];
        let rows = self.in_order(&RESELLERS, RESELLERS.key, &agency);
        rows.into_iter().filter(|row| matches(filter, row)).collect()
    }
}

impl Drop for Tx<'_> {
    /// Undoes what was not committed, newest first.
    fn drop(&mut self) {
        while let Some((place, before)) = self.undo.pop() {
            match before {
                Some(row) => self.state.insert(place, row),
                None => self.state.remove(&place),
            };
        }
    }
}

/// Each place of a row: under its key and under each index. The key is appended to the values of an
/// index, so that equal values stay distinct.
fn places(table: &Table, row: &Row) -> impl Iterator<Item = Place> {
    let key = table.key_of(row);
    let by_index = table.indexes.iter().map(|index| {
        let mut values = table.values_of(index.columns, row);
        values.extend(key.iter().cloned());
        (table.name, index.columns, values)
    });
    let by_index: Vec<_> = by_index.collect();
    std::iter::once((table.name, table.key, key)).chain(by_index)
}

/// The key or index that has most of these columns at its beginning, and how many it has.
fn order_of(table: &Table, columns: &[&str]) -> (&'static [&'static str], usize) {
    let indexes = table.indexes.iter().map(|index| index.columns);
    let shared = |order: &[&str]| order.iter().zip(columns).take_while(|(a, b)| a == b).count();
    let orders = indexes.chain([table.key]).map(|order| (order, shared(order)));
    orders.max_by_key(|(_, shared)| *shared).unwrap_or((table.key, 0))
}

/// The sum of two numbers, if it fits into 64 bits.
fn sum(value: &Value, add: &Value) -> Option<Value> {
    match (value, add) {
        (Value::Integer(value), Value::Integer(add)) => value.checked_add(*add).map(Value::Integer),
        _ => None,
    }
}

fn matches(Filter { terms, conditions, .. }: &Filter, row: &Row) -> bool {
    let value = |column| &row[RESELLERS.place(column)];
    let holds = |Condition { column, is }: &Condition| match is {
        Is::Slug(slug) => *value(column) == Value::Text((*slug).to_owned()),
        Is::AtLeast(least) => value(column) >= least,
        Is::Below(bound) => value(column) < bound,
    };
    let has =
        |term: &String| matches!(value("search_text"), Value::Text(text) if text.contains(term));
    conditions.iter().all(holds) && terms.iter().all(has)
}

impl Verbs for Tx<'_> {
    fn get(&mut self, Get { table, by, keys, .. }: &Get) -> Result<Vec<Option<Row>>> {
        Ok(keys.iter().map(|key| self.in_order(table, by, key).pop().cloned()).collect())
    }

    fn scan(&mut self, scan: &Scan) -> Result<Vec<Row>> {
        let Scan { table, columns, equals, reverse, limit, .. } = scan;
        let (order, shared) = order_of(table, columns);
        let rows = self.in_order(table, order, &equals[..shared.min(equals.len())]);
        let found = rows.into_iter().filter(|row| scan.has(row)).cloned();
        let limit = *limit as usize;
        Ok(if *reverse { found.rev().take(limit).collect() } else { found.take(limit).collect() })
    }

    fn page(&mut self, spec: &PageSpec) -> Result<Vec<Row>> {
        let PageSpec { filter, order, descending, after, limit } = spec;
        let position = |row: &Row| RESELLERS.values_of(&[order, "id"], row);
        let after = after.as_ref().map(|(value, id)| vec![value.clone(), Value::Uuid(*id)]);
        let behind = |position: &Row| match &after {
            Some(after) if *descending => position < after,
            Some(after) => position > after,
            None => true,
        };
        let found = self.matching(filter).into_iter().map(|row| (position(row), row));
        let mut found: Vec<_> = found.filter(|(position, _)| behind(position)).collect();
        found.sort();
        if *descending {
            found.reverse();
        }
        Ok(found.into_iter().take(*limit as usize).map(|(_, row)| row.clone()).collect())
    }

    fn count(&mut self, filter: &Filter, cap: u64) -> Result<u64> {
        let cap = usize::try_from(cap).unwrap_or(usize::MAX);
        Ok(self.matching(filter).len().min(cap) as u64)
    }

    fn insert(&mut self, Batch { table, rows }: &Batch) -> Result<Vec<bool>> {
        let insert = |row| {
            let key = table.key_of(row);
            let free = self.row(table, &key).is_none() && !self.is_taken(table, row);
            if free {
                self.replace(table, &key, Some(row));
            }
            Ok(free)
        };
        rows.iter().map(insert).collect()
    }

    fn update(&mut self, Batch { table, rows }: &Batch) -> Result<Vec<bool>> {
        let update = |row| {
            let key = table.key_of(row);
            self.row(table, &key).ok_or_else(damaged)?;
            let free = !self.is_taken(table, row);
            if free {
                self.replace(table, &key, Some(row));
            }
            Ok(free)
        };
        rows.iter().map(update).collect()
    }

    fn put(&mut self, Batch { table, rows }: &Batch) -> Result<()> {
        rows.iter().for_each(|row| self.replace(table, &table.key_of(row), Some(row)));
        Ok(())
    }

    fn add(&mut self, Batch { table, rows }: &Batch) -> Result<()> {
        for row in rows {
            let (key, mut after) = (table.key_of(row), row.clone());
            if let Some(before) = self.row(table, &key) {
                let overflow = || Error::aborted("a total would overflow");
                let values = before.iter().zip(&mut after);
                let columns = table.columns.iter().zip(values);
                let counted = columns.filter(|(column, _)| !table.key.contains(&column.name));
                for (_, (before, after)) in counted {
                    *after = sum(before, after).ok_or_else(overflow)?;
                }
            }
            self.replace(table, &key, Some(&after));
        }
        Ok(())
    }

    fn delete(&mut self, Keys { table, keys }: &Keys) -> Result<()> {
        keys.iter().for_each(|key| self.replace(table, key, None));
        Ok(())
    }
}
