//! The store in memory: the contract in its plainest form, for tests and for trying things out.
//!
//! One mutex is every lock. What a transaction changes it notes down, to put it back if the
//! work fails.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{
    AgencyRow, Filter, IdempotencyRow, Insert, LabelRow, LabelState, Lock, Lookup, NewReseller,
    PageSpec, Prunable, ReadWork, Reads, Scope, SecretRow, Storage, TotalDelta, Transaction,
    WriteWork,
};
use crate::access::{AttemptKey, Attempts, Credentials};
use crate::changes::Change;
use crate::error::{Error, Result};
use crate::reseller::{Reseller, ResellerId};
use crate::search::{Position, searchable};
use crate::usage::{DayKey, DayRollup, Event, EventId, Meter, MeterKey};
use crate::values::{AgencyId, LoginDomain, Timestamp};

/// A store that is gone when it is dropped.
#[derive(Default)]
pub struct Memory {
    state: Mutex<State>,
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
    resellers: Rows<ResellerId, Reseller>,
    unique: Rows<(UniqueField, String), ResellerId>,
    credentials: Rows<ResellerId, Credentials>,
    attempts: Rows<AttemptKey, Attempts>,
    events: Rows<EventId, Event>,
    meters: Rows<MeterKey, Meter>,
    rollups: Rows<DayKey, DayRollup>,
    totals: Rows<String, i64>,
    changes: Rows<u64, Change>,
}

impl Memory {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// A panic of the work has undone its changes on its way out, so the state is whole.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Storage for Memory {
    fn read(&self, agency: &AgencyId, work: &mut ReadWork<'_>) -> Result<()> {
        let mut state = self.lock();
        work(&mut Tx::on(&mut state, agency))
    }

    fn write(&self, agency: &AgencyId, _: Scope, work: &mut WriteWork<'_>) -> Result<()> {
        let mut state = self.lock();
        let mut tx = Tx::on(&mut state, agency);
        work(&mut tx)?;
        tx.undo.clear();
        Ok(())
    }

    fn labels(&self, labels: &[LoginDomain]) -> Result<Vec<Option<LabelRow>>> {
        let state = self.lock();
        Ok(labels.iter().map(|label| state.labels.get(label).cloned()).collect())
    }

    fn agencies(&self, after: Option<&AgencyId>, limit: u32) -> Result<Vec<AgencyId>> {
        let state = self.lock();
        let ids = state.agencies.keys().filter(|id| after.is_none_or(|after| *id > after));
        Ok(ids.take(limit as usize).cloned().collect())
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

    /// Removes every row of this agency from a table.
    fn clear<K: Ord + Clone + 'static, V: 'static>(
        &mut self,
        table: fn(&mut State) -> &mut Rows<K, V>,
    ) {
        let rows = table(self.state).keys();
        let keys: Vec<_> = rows.filter(|(agency, _)| agency == self.agency).cloned().collect();
        keys.into_iter().for_each(|key| self.replace(table, key, None));
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

    fn matching<'s>(&'s self, filter: &'s Filter) -> impl Iterator<Item = &'s Reseller> {
        self.of_agency(&self.state.resellers).filter(|reseller| {
            let text = searchable(reseller.name.as_str(), reseller.email.as_str());
            let joined = reseller.created_at;
            filter.terms.iter().all(|term| text.contains(term))
                && filter.status.is_none_or(|status| reseller.status == status)
                && filter.partner_type.is_none_or(|kind| reseller.partner_type == kind)
                && filter.joined_from.is_none_or(|from| joined >= from)
                && filter.joined_before.is_none_or(|before| joined < before)
        })
    }

    /// Whether another reseller has one of this one's unique fields.
    fn is_taken(&self, reseller: &Reseller) -> bool {
        unique_fields(reseller).into_iter().any(|field| {
            let holder = self.state.unique.get(&self.key(field));
            holder.is_some_and(|holder| *holder != reseller.id)
        })
    }

    fn put_reseller(&mut self, reseller: &Reseller) {
        let before = self.state.resellers.get(&self.key(reseller.id)).cloned();
        for field in before.iter().flat_map(unique_fields) {
            self.set(|s| &mut s.unique, field, None);
        }
        for field in unique_fields(reseller) {
            self.set(|s| &mut s.unique, field, Some(reseller.id));
        }
        self.set(|s| &mut s.resellers, reseller.id, Some(reseller.clone()));
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

impl Reads for Tx<'_> {
    fn agency(&mut self) -> Result<Option<AgencyRow>> {
        Ok(self.state.agencies.get(self.agency).cloned())
    }

    fn resellers(&mut self, ids: &[ResellerId]) -> Result<Vec<Option<Reseller>>> {
        Ok(ids.iter().map(|id| self.state.resellers.get(&self.key(*id)).cloned()).collect())
    }

    fn find(&mut self, lookups: &[Lookup]) -> Result<Vec<Option<Reseller>>> {
        let find = |lookup: &Lookup| {
            let field = match lookup {
                Lookup::Email(email) => (UniqueField::Email, email.key()),
                Lookup::ExternalId(id) => (UniqueField::ExternalId, id.as_str().to_owned()),
            };
            let id = self.state.unique.get(&self.key(field));
            id.and_then(|id| self.state.resellers.get(&self.key(*id))).cloned()
        };
        Ok(lookups.iter().map(find).collect())
    }

    fn account(&mut self, id: ResellerId) -> Result<Option<(Reseller, Credentials)>> {
        let key = self.key(id);
        let pair = self.state.resellers.get(&key).zip(self.state.credentials.get(&key));
        Ok(pair.map(|(reseller, credentials)| (reseller.clone(), credentials.clone())))
    }

    fn page(&mut self, spec: &PageSpec) -> Result<Vec<Reseller>> {
        let PageSpec { filter, sort, after, limit } = spec;
        let matching = self.matching(filter).map(|row| (sort.position(row), row));
        let behind = |position: &Position| match after {
            Some(after) if sort.descending => position < after,
            Some(after) => position > after,
            None => true,
        };
        let mut rows: Vec<_> = matching.filter(|(position, _)| behind(position)).collect();
        rows.sort_by(|(one, _), (other, _)| one.cmp(other));
        if sort.descending {
            rows.reverse();
        }
        Ok(rows.into_iter().take(*limit as usize).map(|(_, row)| row.clone()).collect())
    }

    fn count(&mut self, filter: &Filter, cap: u64) -> Result<u64> {
        let cap = usize::try_from(cap).unwrap_or(usize::MAX);
        Ok(self.matching(filter).take(cap).count() as u64)
    }

    fn remembered(&mut self, key: &str) -> Result<Option<IdempotencyRow>> {
        Ok(self.state.idempotency_keys.get(&self.key(key.to_owned())).cloned())
    }

    fn events(&mut self, ids: &[EventId]) -> Result<Vec<Option<Event>>> {
        Ok(ids.iter().map(|id| self.state.events.get(&self.key(id.clone())).cloned()).collect())
    }

    fn meters(&mut self, reseller: ResellerId) -> Result<Vec<Meter>> {
        let meters = self.of_agency(&self.state.meters);
        Ok(meters.filter(|meter| meter.key.reseller == reseller).cloned().collect())
    }

    fn rollups(&mut self, days: &[DayKey]) -> Result<Vec<Option<DayRollup>>> {
        Ok(days.iter().map(|day| self.state.rollups.get(&self.key(*day)).cloned()).collect())
    }

    fn totals(&mut self, names: &[&str]) -> Result<Vec<i64>> {
        let total = |name: &&str| self.state.totals.get(&self.key((*name).to_owned()));
        Ok(names.iter().map(|name| total(name).copied().unwrap_or_default()).collect())
    }

    fn changes(&mut self, after: u64, limit: u32) -> Result<Vec<Change>> {
        let behind = self.of_agency(&self.state.changes).filter(|change| change.sequence > after);
        Ok(behind.take(limit as usize).cloned().collect())
    }

    fn secrets(&mut self) -> Result<Vec<SecretRow>> {
        Ok(self.of_agency(&self.state.secrets).cloned().collect())
    }
}

impl Transaction for Tx<'_> {
    fn lock_attempts(&mut self, key: &AttemptKey) -> Result<Attempts> {
        Ok(self.state.attempts.get(&self.key(*key)).copied().unwrap_or(Attempts::none(*key)))
    }

    fn lock_agency(&mut self, _: Lock) -> Result<Option<AgencyRow>> {
        self.agency()
    }

    fn lock_resellers(&mut self, ids: &[ResellerId], _: Lock) -> Result<Vec<Option<Reseller>>> {
        self.resellers(ids)
    }

    fn lock_usage(
        &mut self,
        meters: &[MeterKey],
        days: &[DayKey],
    ) -> Result<(Vec<Meter>, Vec<DayRollup>)> {
        let meter = |key: &MeterKey| {
            let meter = self.state.meters.get(&self.key(*key)).cloned();
            meter.unwrap_or_else(|| Meter::new(*key))
        };
        let meters = meters.iter().map(meter).collect();
        Ok((meters, self.rollups(days)?.into_iter().flatten().collect()))
    }

    fn insert_secret(&mut self, secret: &SecretRow) -> Result<Insert<SecretRow>> {
        if let Some(before) = self.state.secrets.get(&self.key(secret.id)) {
            return Ok(Insert::Existing(before.clone()));
        }
        self.set(|s| &mut s.secrets, secret.id, Some(secret.clone()));
        Ok(Insert::Done)
    }

    fn insert_agency(&mut self, agency: &AgencyRow) -> Result<Insert<AgencyRow>> {
        if let Some(before) = self.state.agencies.get(&agency.settings.agency) {
            return Ok(Insert::Existing(before.clone()));
        }
        self.put_agency(agency)?;
        Ok(Insert::Done)
    }

    fn put_agency(&mut self, agency: &AgencyRow) -> Result<()> {
        let id = agency.settings.agency.clone();
        self.replace(|s| &mut s.agencies, id, Some(agency.clone()));
        Ok(())
    }

    fn erase_agency(&mut self, quarantined_until: Timestamp) -> Result<()> {
        let state = LabelState::Quarantined(quarantined_until);
        let resellers = self.of_agency(&self.state.resellers);
        let labels: Vec<_> = resellers.map(|reseller| reseller.login_domain.clone()).collect();
        for label in labels {
            let row = LabelRow { label: label.clone(), agency: self.agency.clone(), state };
            self.replace(|s| &mut s.labels, label, Some(row));
        }
        self.clear(|s| &mut s.idempotency_keys);
        self.clear(|s| &mut s.resellers);
        self.clear(|s| &mut s.unique);
        self.clear(|s| &mut s.credentials);
        self.clear(|s| &mut s.events);
        self.clear(|s| &mut s.meters);
        self.clear(|s| &mut s.rollups);
        self.clear(|s| &mut s.totals);
        self.clear(|s| &mut s.changes);
        self.replace(|s| &mut s.agencies, self.agency.clone(), None);
        Ok(())
    }

    fn remember(
        &mut self,
        key: &IdempotencyRow,
        expired: Timestamp,
    ) -> Result<Insert<IdempotencyRow>> {
        match self.remembered(&key.key)?.filter(|before| before.created_at > expired) {
            Some(before) => Ok(Insert::Existing(before)),
            None => {
                self.set(|s| &mut s.idempotency_keys, key.key.clone(), Some(key.clone()));
                Ok(Insert::Done)
            }
        }
    }

    fn claim_labels(
        &mut self,
        labels: &[LabelRow],
        now: Timestamp,
    ) -> Result<Vec<Insert<LabelRow>>> {
        let mut claim = |label: &LabelRow| {
            let before = self.state.labels.get(&label.label);
            match before.filter(|before| !before.is_free(now)) {
                Some(before) => Insert::Existing(before.clone()),
                None => {
                    self.replace(|s| &mut s.labels, label.label.clone(), Some(label.clone()));
                    Insert::Done
                }
            }
        };
        Ok(labels.iter().map(&mut claim).collect())
    }

    fn put_label(&mut self, label: &LabelRow) -> Result<()> {
        self.replace(|s| &mut s.labels, label.label.clone(), Some(label.clone()));
        Ok(())
    }

    fn insert_resellers(&mut self, new: &[NewReseller]) -> Result<Vec<Insert<()>>> {
        let mut insert = |new: &NewReseller| {
            let id = new.reseller.id;
            if self.state.resellers.contains_key(&self.key(id)) {
                return Insert::Existing(());
            }
            if self.is_taken(&new.reseller) {
                return Insert::Existing(());
            }
            self.put_reseller(&new.reseller);
            self.set(|s| &mut s.credentials, id, Some(new.credentials.clone()));
            Insert::Done
        };
        Ok(new.iter().map(&mut insert).collect())
    }

    fn update_reseller(&mut self, reseller: &Reseller) -> Result<Insert<()>> {
        if self.is_taken(reseller) {
            return Ok(Insert::Existing(()));
        }
        self.put_reseller(reseller);
        Ok(Insert::Done)
    }

    fn put_credentials(&mut self, id: ResellerId, credentials: &Credentials) -> Result<()> {
        self.set(|s| &mut s.credentials, id, Some(credentials.clone()));
        Ok(())
    }

    fn erase_reseller(&mut self, id: ResellerId) -> Result<()> {
        for meter in self.meters(id)? {
            self.set(|s| &mut s.meters, meter.key, None);
        }
        for reseller in self.resellers(&[id])?.into_iter().flatten() {
            for field in unique_fields(&reseller) {
                self.set(|s| &mut s.unique, field, None);
            }
        }
        self.set(|s| &mut s.credentials, id, None);
        self.set(|s| &mut s.resellers, id, None);
        Ok(())
    }

    fn put_attempts(&mut self, attempts: &Attempts) -> Result<()> {
        self.set(|s| &mut s.attempts, attempts.key, Some(*attempts));
        Ok(())
    }

    fn forget_attempts(&mut self, key: &AttemptKey) -> Result<()> {
        self.set(|s| &mut s.attempts, *key, None);
        Ok(())
    }

    fn insert_events(&mut self, events: &[Event]) -> Result<Vec<Insert<Event>>> {
        let mut insert = |event: &Event| match self.state.events.get(&self.key(event.id.clone())) {
            Some(before) => Insert::Existing(before.clone()),
            None => {
                self.set(|s| &mut s.events, event.id.clone(), Some(event.clone()));
                Insert::Done
            }
        };
        Ok(events.iter().map(&mut insert).collect())
    }

    fn put_usage(&mut self, meters: &[Meter], days: &[DayRollup]) -> Result<()> {
        for meter in meters {
            self.set(|s| &mut s.meters, meter.key, Some(meter.clone()));
        }
        for day in days {
            self.set(|s| &mut s.rollups, day.key, Some(day.clone()));
        }
        Ok(())
    }

    fn add_totals(&mut self, deltas: &[TotalDelta]) -> Result<()> {
        for delta in deltas {
            let before = self.totals(&[delta.name])?.pop().unwrap_or_default();
            let overflow = || Error::aborted("a total has no room left");
            let after = before.checked_add(delta.add).ok_or_else(overflow)?;
            self.set(|s| &mut s.totals, delta.name.to_owned(), Some(after));
        }
        Ok(())
    }

    /// One writer at a time: entries can have their number at once.
    fn append_changes(&mut self, changes: &[Change]) -> Result<()> {
        for change in changes {
            let mut agency = self.agency()?.ok_or_else(super::schema::damaged)?;
            agency.numbered += 1;
            let sequence = agency.numbered;
            self.put_agency(&agency)?;
            self.set(|s| &mut s.changes, sequence, Some(Change { sequence, ..change.clone() }));
        }
        Ok(())
    }

    fn number_changes(&mut self, _: u32) -> Result<u32> {
        Ok(0)
    }

    fn prune(&mut self, what: Prunable, max: u32) -> Result<u32> {
        let state = &self.state;
        Ok(match what {
            Prunable::Events(before) => {
                let due = self.keys_of(&state.events, |event| event.at < before);
                self.remove(|s| &mut s.events, due, max)
            }
            Prunable::IdempotencyKeys(before) => {
                let due = self.keys_of(&state.idempotency_keys, |key| key.created_at < before);
                self.remove(|s| &mut s.idempotency_keys, due, max)
            }
            Prunable::Changes(through) => {
                let due = self.keys_of(&state.changes, |change| change.sequence <= through);
                self.remove(|s| &mut s.changes, due, max)
            }
            Prunable::Labels(now) => {
                let due = state.labels.values().filter(|label| label.is_free(now));
                let due = due.map(|label| label.label.clone()).collect();
                self.remove(|s| &mut s.labels, due, max)
            }
            Prunable::Attempts(before) => {
                let due = self.keys_of(&state.attempts, |a| a.blocked_until < before);
                self.remove(|s| &mut s.attempts, due, max)
            }
        })
    }
}
