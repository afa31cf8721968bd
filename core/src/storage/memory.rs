//! The store in memory: the contract in its plainest form, for tests and for trying things out.
//!
//! One mutex is every lock. What a transaction changes it notes down, to put it back if the
//! work fails.

mod reads;
mod transaction;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::home::Home;
use super::{
    AgencyRow, Filter, IdempotencyRow, LabelRow, ReadWork, Scope, SecretRow, Storage, WriteWork,
};
use crate::access::{AttemptKey, Attempts, Credentials};
use crate::changes::Change;
use crate::error::Result;
use crate::reseller::{Reseller, ResellerId};
use crate::search::{Folded, Position, Sort, SortBy, SortKey};
use crate::usage::{DayKey, DayRollup, Event, EventId, Meter, MeterKey};
use crate::values::{AgencyId, LoginDomain};

/// A store that is gone when it is dropped. A child process has none of it.
pub struct Memory(Home<Mutex<State>>);

impl Default for Memory {
    fn default() -> Self {
        Self(Home::only(Mutex::default()))
    }
}

/// A table: rows by agency and key.
type Rows<K, V> = BTreeMap<(AgencyId, K), V>;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum UniqueField {
    Email,
    ExternalId,
}

#[derive(Default)]
struct State {
    labels: BTreeMap<LoginDomain, LabelRow>,
    agencies: BTreeMap<AgencyId, AgencyRow>,
    secrets: Rows<i64, SecretRow>,
    idempotency_keys: Rows<String, IdempotencyRow>,
    resellers: Rows<ResellerId, Listed>,
    unique: Rows<(UniqueField, String), ResellerId>,
    credentials: Rows<ResellerId, Credentials>,
    attempts: Rows<AttemptKey, Attempts>,
    events: Rows<EventId, Event>,
    meters: Rows<MeterKey, Meter>,
    rollups: Rows<DayKey, DayRollup>,
    totals: Rows<String, i64>,
    changes: Rows<u64, Change>,
}

/// A reseller, and what a list looks into: folded once, not again for each search.
struct Listed {
    reseller: Reseller,
    folded: Folded,
}

impl Listed {
    fn of(reseller: &Reseller) -> Self {
        let folded = Folded::of(reseller);
        Self { reseller: reseller.clone(), folded }
    }

    fn matches(&self, filter: &Filter) -> bool {
        let Filter { terms, status, partner_type, joined_from, joined_before } = filter;
        let joined = self.reseller.created_at;
        status.is_none_or(|status| self.reseller.status == status)
            && partner_type.is_none_or(|kind| self.reseller.partner_type == kind)
            && joined_from.is_none_or(|from| joined >= from)
            && joined_before.is_none_or(|before| joined < before)
            && terms.iter().all(|term| self.folded.search_text.contains(term))
    }

    fn position(&self, sort: Sort) -> Position {
        let key = match sort.by {
            SortBy::Joined => SortKey::Instant(self.reseller.created_at),
            SortBy::Name => SortKey::Text(self.folded.sort_name.clone()),
            SortBy::Email => SortKey::Text(self.folded.sort_email.clone()),
        };
        Position { key, id: self.reseller.id }
    }
}

impl Memory {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// A panic of the work has undone its changes on its way out, so the state is whole.
    fn lock(&self) -> Result<MutexGuard<'_, State>> {
        Ok(self.0.get()?.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Storage for Memory {
    fn read(&self, agency: &AgencyId, work: &mut ReadWork<'_>) -> Result<()> {
        let mut state = self.lock()?;
        work(&mut Tx::on(&mut state, agency))
    }

    fn write(&self, agency: &AgencyId, _: Scope, work: &mut WriteWork<'_>) -> Result<()> {
        let mut state = self.lock()?;
        let mut tx = Tx::on(&mut state, agency);
        work(&mut tx)?;
        tx.undo.clear();
        Ok(())
    }

    fn labels(&self, labels: &[LoginDomain]) -> Result<Vec<Option<LabelRow>>> {
        let state = self.lock()?;
        Ok(labels.iter().map(|label| state.labels.get(label).cloned()).collect())
    }

    fn agencies(&self, after: Option<&AgencyId>, limit: u32) -> Result<Vec<AgencyRow>> {
        let state = self.lock()?;
        let behind = |(id, _): &(&AgencyId, _)| after.is_none_or(|after| *id > after);
        let rows = state.agencies.iter().filter(behind).take(limit as usize);
        Ok(rows.map(|(_, row)| row.clone()).collect())
    }
}

/// Puts back what one change has replaced.
type Undo = Box<dyn FnOnce(&mut State)>;

/// A transaction, or a snapshot: nobody else has the state meanwhile.
struct Tx<'a> {
    state: &'a mut State,
    agency: &'a AgencyId,
    undo: Vec<Undo>,
}

impl<'a> Tx<'a> {
    fn on(state: &'a mut State, agency: &'a AgencyId) -> Self {
        Self { state, agency, undo: Vec::new() }
    }

    fn key<K>(&self, key: K) -> (AgencyId, K) {
        (self.agency.clone(), key)
    }

    /// Puts or removes a row of this agency, and notes down how to undo that.
    fn set<K: Ord + Clone + 'static, V: 'static>(
        &mut self,
        table: fn(&mut State) -> &mut Rows<K, V>,
        key: K,
        value: Option<V>,
    ) {
        let key = self.key(key);
        self.replace(table, key, value);
    }

    fn replace<K: Ord + Clone + 'static, V: 'static>(
        &mut self,
        table: fn(&mut State) -> &mut BTreeMap<K, V>,
        key: K,
        value: Option<V>,
    ) {
        let before = replace(table(self.state), key.clone(), value);
        self.undo.push(Box::new(move |state| drop(replace(table(state), key, before))));
    }

    fn of_agency<'s, K, V>(&'s self, rows: &'s Rows<K, V>) -> impl Iterator<Item = &'s V> {
        rows.iter().filter(|((agency, _), _)| agency == self.agency).map(|(_, row)| row)
    }

    /// Removes the first rows of this agency from a table.
    fn clear<K: Ord + Clone + 'static, V: 'static>(
        &mut self,
        table: fn(&mut State) -> &mut Rows<K, V>,
        max: u32,
    ) -> u32 {
        let rows = table(self.state).keys();
        let keys = rows.filter(|(agency, _)| agency == self.agency).cloned().collect();
        self.remove(table, keys, max)
    }

    /// Removes rows with these keys, at most so many.
    fn remove<K: Ord + Clone + 'static, V: 'static>(
        &mut self,
        table: fn(&mut State) -> &mut BTreeMap<K, V>,
        keys: Vec<K>,
        max: u32,
    ) -> u32 {
        let keys: Vec<_> = keys.into_iter().take(max as usize).collect();
        let removed = keys.len();
        keys.into_iter().for_each(|key| self.replace(table, key, None));
        u32::try_from(removed).unwrap_or(max)
    }

    fn keys_of<K: Clone, V>(
        &self,
        rows: &Rows<K, V>,
        due: impl Fn(&V) -> bool,
    ) -> Vec<(AgencyId, K)> {
        let rows = rows.iter().filter(|((agency, _), row)| agency == self.agency && due(row));
        rows.map(|(key, _)| key.clone()).collect()
    }

    fn reseller(&self, id: ResellerId) -> Option<&Reseller> {
        self.state.resellers.get(&self.key(id)).map(|listed| &listed.reseller)
    }

    fn matching<'s>(&'s self, filter: &'s Filter) -> impl Iterator<Item = &'s Listed> {
        self.of_agency(&self.state.resellers).filter(|listed| listed.matches(filter))
    }

    /// Whether another reseller has one of this one's unique fields.
    fn is_taken(&self, reseller: &Reseller) -> bool {
        unique_fields(reseller).into_iter().any(|field| {
            let holder = self.state.unique.get(&self.key(field));
            holder.is_some_and(|holder| *holder != reseller.id)
        })
    }

    fn put_reseller(&mut self, reseller: &Reseller) {
        let before: Vec<_> =
            self.reseller(reseller.id).into_iter().flat_map(unique_fields).collect();
        for field in before {
            self.set(|s| &mut s.unique, field, None);
        }
        for field in unique_fields(reseller) {
            self.set(|s| &mut s.unique, field, Some(reseller.id));
        }
        self.set(|s| &mut s.resellers, reseller.id, Some(Listed::of(reseller)));
    }
}

impl Drop for Tx<'_> {
    /// What was not committed is undone, newest first.
    fn drop(&mut self) {
        while let Some(undo) = self.undo.pop() {
            undo(self.state);
        }
    }
}

fn replace<K: Ord, V>(rows: &mut BTreeMap<K, V>, key: K, value: Option<V>) -> Option<V> {
    match value {
        Some(value) => rows.insert(key, value),
        None => rows.remove(&key),
    }
}

fn unique_fields(reseller: &Reseller) -> Vec<(UniqueField, String)> {
    let external = reseller.external_id.as_ref();
    let external = external.map(|id| (UniqueField::ExternalId, id.as_str().to_owned()));
    [Some((UniqueField::Email, reseller.email.key())), external].into_iter().flatten().collect()
}
