//! The contract's transaction over generic rows.

use super::upkeep::key_of;
use super::{Scan, TableTransaction};
use crate::access::CredentialsRow;
use crate::access::{AttemptKey, Attempts, Credentials};
use crate::changes::Change;
use crate::changes::PendingChange;
use crate::error::{Error, Result};
use crate::reseller::{Reseller, ResellerId};
use crate::storage::AgencyRow;
use crate::storage::IdempotencyRow;
use crate::storage::LabelRow;
use crate::storage::NewReseller;
use crate::storage::SecretRow;
use crate::storage::entity::Entity;
use crate::storage::schema::{self, Row, Table, Value};
use crate::storage::{
    Filter, Insert, Lock, Lookup, PageSpec, Prunable, Reads, TotalDelta, Transaction,
};
use crate::usage::{DayKey, DayRollup, Event, EventId, Meter, MeterKey, TotalRow};
use crate::values::{AgencyId, Timestamp};

/// One transaction of one agency.
pub(super) struct Tx<'a> {
    pub rows: &'a mut (dyn TableTransaction + 'a),
    pub agency: &'a AgencyId,
    /// How the agency is held.
    pub hold: Option<Lock>,
    /// The agency as it was when it was held.
    pub held: Option<AgencyRow>,
}

/// No scan of the contract is longer; whoever wants a page says so.
const ALL: u32 = 1_000_000;

impl Tx<'_> {
    /// A primary key that the agency leads.
    pub fn key(&self, rest: impl IntoIterator<Item = Value>) -> Row {
        std::iter::once(Value::Text(self.agency.to_string())).chain(rest).collect()
    }

    fn id_key(&self, id: ResellerId) -> Row {
        self.key([Value::Uuid(id.as_uuid())])
    }

    fn event_keys<'e>(&self, ids: impl IntoIterator<Item = &'e EventId>) -> Vec<Row> {
        ids.into_iter().map(|id| self.key([Value::Text(id.to_string())])).collect()
    }

    fn meter_keys(&self, keys: &[MeterKey]) -> Vec<Row> {
        keys.iter().map(|key| self.key(meter_columns(*key))).collect()
    }

    /// Records by primary key, in its order.
    pub fn records<R: Entity>(
        &mut self,
        keys: &[Row],
        lock: Option<Lock>,
    ) -> Result<Vec<Option<R>>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self.rows.get(R::TABLE, keys, lock)?;
        rows.into_iter().map(|row| row.map(R::from_row).transpose()).collect()
    }

    fn record<R: Entity>(&mut self, key: Row, lock: Option<Lock>) -> Result<Option<R>> {
        Ok(self.records(&[key], lock)?.pop().flatten())
    }

    /// Records of this agency in the order of an index.
    pub fn scan<R: Entity>(
        &mut self,
        columns: &'static [&'static str],
        equals: impl IntoIterator<Item = Value>,
        after: Option<Value>,
        limit: u32,
    ) -> Result<Vec<R>> {
        let scan = Scan { table: R::TABLE, columns, equals: self.key(equals), after, limit };
        self.rows.scan(&scan)?.into_iter().map(R::from_row).collect()
    }

    fn to_rows<'r, R: Entity + 'r>(
        &self,
        records: impl IntoIterator<Item = &'r R>,
    ) -> Result<Vec<Row>> {
        records.into_iter().map(|record| record.to_row(self.agency)).collect()
    }

    fn insert<R: Entity>(&mut self, records: &[R]) -> Result<Vec<bool>> {
        if records.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self.to_rows(records)?;
        self.rows.insert(R::TABLE, &rows)
    }

    pub fn put<R: Entity>(&mut self, records: &[R]) -> Result<()> {
        if records.is_empty() {
            return Ok(());
        }
        let rows = self.to_rows(records)?;
        self.rows.put(R::TABLE, &rows)
    }

    /// Inserts a record, or gives the one that is there.
    fn insert_or_get<R: Entity>(&mut self, record: &R) -> Result<Insert<R>> {
        if self.insert(std::slice::from_ref(record))? == [true] {
            return Ok(Insert::Done);
        }
        let key = R::key_row(self.agency, &record.key());
        self.record(key, None)?.map(Insert::Existing).ok_or_else(vanished)
    }
}

fn meter_columns(key: MeterKey) -> [Value; 2] {
    [Value::Uuid(key.reseller.as_uuid()), Value::Text(key.metric.slug().to_owned())]
}

fn vanished() -> Error {
    Error::aborted("a conflicting row has vanished")
}

impl Reads for Tx<'_> {
    fn agency(&mut self) -> Result<Option<AgencyRow>> {
        self.record(self.key([]), None)
    }

    fn held_agency(&mut self) -> Result<AgencyRow> {
        if self.held.is_none() {
            let agency: Option<AgencyRow> = self.record(self.key([]), self.hold)?;
            self.held = agency.filter(AgencyRow::is_open);
        }
        self.held.clone().ok_or_else(|| Error::not_found("agency"))
    }

    fn resellers(&mut self, ids: &[ResellerId]) -> Result<Vec<Option<Reseller>>> {
        let keys: Vec<_> = ids.iter().map(|id| self.id_key(*id)).collect();
        self.records(&keys, None)
    }

    fn find(&mut self, lookups: &[Lookup]) -> Result<Vec<Option<Reseller>>> {
        let mut find = |lookup: &Lookup| {
            let (columns, value): (&'static [&'static str], _) = match lookup {
                Lookup::Email(email) => (&["agency", "email_key"], email.key()),
                Lookup::ExternalId(id) => (&["agency", "external_id"], id.to_string()),
            };
            Ok(self.scan(columns, [Value::Text(value)], None, 1)?.pop())
        };
        lookups.iter().map(&mut find).collect()
    }

    fn account(&mut self, id: ResellerId) -> Result<Option<(Reseller, Credentials)>> {
        let reseller = self.record(self.id_key(id), None)?;
        let credentials = self.record(self.id_key(id), None)?;
        Ok(reseller.zip(credentials.map(|CredentialsRow { credentials, .. }| credentials)))
    }

    fn page(&mut self, spec: &PageSpec) -> Result<Vec<Reseller>> {
        self.rows.search(self.agency, spec)?.into_iter().map(Reseller::from_row).collect()
    }

    fn count(&mut self, filter: &Filter, cap: u64) -> Result<u64> {
        self.rows.count(self.agency, filter, cap)
    }

    fn remembered(&mut self, key: &str) -> Result<Option<IdempotencyRow>> {
        self.record(self.key([Value::Text(key.to_owned())]), None)
    }

    fn events(&mut self, ids: &[EventId]) -> Result<Vec<Option<Event>>> {
        let keys = self.event_keys(ids);
        self.records(&keys, None)
    }

    fn meters(&mut self, reseller: ResellerId) -> Result<Vec<Meter>> {
        self.scan(schema::METERS.key, [Value::Uuid(reseller.as_uuid())], None, ALL)
    }

    fn rollups(&mut self, days: &[DayKey]) -> Result<Vec<Option<DayRollup>>> {
        let key = |day: &DayKey| {
            let [reseller, metric] = meter_columns(day.meter);
            self.key([Value::Integer(day.day.into()), reseller, metric])
        };
        let keys: Vec<_> = days.iter().map(key).collect();
        self.records(&keys, None)
    }

    fn totals(&mut self, names: &[&str]) -> Result<Vec<i64>> {
        let keys: Vec<_> =
            names.iter().map(|name| self.key([Value::Text((*name).to_owned())])).collect();
        let totals: Vec<Option<TotalRow>> = self.records(&keys, None)?;
        Ok(totals.into_iter().map(|total| total.map_or(0, |total| total.value)).collect())
    }

    fn changes(&mut self, after: u64, limit: u32) -> Result<Vec<Change>> {
        let after = Value::Integer(i64::try_from(after).unwrap_or(i64::MAX));
        self.scan(schema::CHANGES.key, [], Some(after), limit)
    }

    fn attempts(&mut self, keys: &[AttemptKey]) -> Result<Vec<Option<Attempts>>> {
        let key = |key: &AttemptKey| self.key([Value::Bytes(key.as_bytes().to_vec())]);
        let keys: Vec<_> = keys.iter().map(key).collect();
        self.records(&keys, None)
    }

    fn secrets(&mut self) -> Result<Vec<SecretRow>> {
        self.scan(schema::SECRETS.key, [], None, ALL)
    }
}

impl Transaction for Tx<'_> {
    fn lock_attempts(&mut self, key: &AttemptKey) -> Result<Attempts> {
        // A row that does not exist cannot be locked.
        self.insert(&[Attempts::none(*key)])?;
        let key = self.key([Value::Bytes(key.as_bytes().to_vec())]);
        self.record(key, Some(Lock::Update))?.ok_or_else(vanished)
    }

    fn lock_agency(&mut self, lock: Lock) -> Result<Option<AgencyRow>> {
        self.record(self.key([]), Some(lock))
    }

    fn lock_resellers(&mut self, ids: &[ResellerId], lock: Lock) -> Result<Vec<Option<Reseller>>> {
        let keys: Vec<_> = ids.iter().map(|id| self.id_key(*id)).collect();
        self.records(&keys, Some(lock))
    }

    fn lock_usage(
        &mut self,
        meters: &[MeterKey],
        days: &[DayKey],
    ) -> Result<(Vec<Meter>, Vec<DayRollup>)> {
        let new: Vec<_> = meters.iter().map(|key| Meter::new(*key)).collect();
        self.insert(&new)?;
        let keys = self.meter_keys(meters);
        let locked: Option<Vec<Meter>> =
            self.records(&keys, Some(Lock::Update))?.into_iter().collect();
        let days = self.rollups(days)?.into_iter().flatten().collect();
        Ok((locked.ok_or_else(vanished)?, days))
    }

    fn insert_secret(&mut self, secret: &SecretRow) -> Result<Insert<SecretRow>> {
        self.insert_or_get(secret)
    }

    fn insert_agency(&mut self, agency: &AgencyRow) -> Result<Insert<AgencyRow>> {
        self.insert_or_get(agency)
    }

    fn put_agency(&mut self, agency: &AgencyRow) -> Result<()> {
        self.put(std::slice::from_ref(agency))
    }

    fn erase_rows(&mut self, table: &'static Table, max: u32) -> Result<u32> {
        let first = self.first_rows(table, max)?;
        let keys: Vec<_> = first.iter().map(|row| key_of(table, row)).collect();
        if !keys.is_empty() {
            self.rows.delete(table, &keys)?;
        }
        Ok(u32::try_from(keys.len()).unwrap_or(max))
    }

    fn remember(
        &mut self,
        key: &IdempotencyRow,
        expired: Timestamp,
    ) -> Result<Insert<IdempotencyRow>> {
        if self.insert(std::slice::from_ref(key))? == [true] {
            return Ok(Insert::Done);
        }
        let row = self.key([Value::Text(key.key.clone())]);
        let before: IdempotencyRow = self.record(row, Some(Lock::Update))?.ok_or_else(vanished)?;
        if before.created_at > expired {
            return Ok(Insert::Existing(before));
        }
        self.put(std::slice::from_ref(key))?;
        Ok(Insert::Done)
    }

    fn claim_labels(
        &mut self,
        labels: &[LabelRow],
        now: Timestamp,
    ) -> Result<Vec<Insert<LabelRow>>> {
        let inserted = self.insert(labels)?;
        let mut claimed = Vec::new();
        for (label, inserted) in labels.iter().zip(inserted) {
            if inserted {
                claimed.push(Insert::Done);
                continue;
            }
            let key = vec![Value::Text(label.label.to_string())];
            let before: LabelRow = self.record(key, Some(Lock::Update))?.ok_or_else(vanished)?;
            if before.is_free(now) {
                self.put_label(label)?;
                claimed.push(Insert::Done);
            } else {
                claimed.push(Insert::Existing(before));
            }
        }
        Ok(claimed)
    }

    fn put_label(&mut self, label: &LabelRow) -> Result<()> {
        self.put(std::slice::from_ref(label))
    }

    fn insert_resellers(&mut self, new: &[NewReseller]) -> Result<Vec<Insert<()>>> {
        let rows = new.iter().map(|new| new.rows_in(self.agency)).collect::<Result<Vec<_>>>()?;
        let resellers: Vec<_> = rows.iter().map(|rows| rows.reseller.clone()).collect();
        let inserted = self.rows.insert(Reseller::TABLE, &resellers)?;
        let done = rows.iter().zip(&inserted).filter(|(_, inserted)| **inserted);
        let credentials: Vec<_> = done.map(|(rows, _)| rows.credentials.clone()).collect();
        if !credentials.is_empty() {
            self.rows.put(CredentialsRow::TABLE, &credentials)?;
        }
        Ok(inserted.into_iter().map(done_or_taken).collect())
    }

    fn update_reseller(&mut self, reseller: &Reseller) -> Result<Insert<()>> {
        let rows = self.to_rows([reseller])?;
        let updated = self.rows.update(Reseller::TABLE, &rows)?;
        Ok(done_or_taken(updated == [true]))
    }

    fn put_credentials(&mut self, id: ResellerId, credentials: &Credentials) -> Result<()> {
        self.put(&[CredentialsRow { reseller: id, credentials: credentials.clone() }])
    }

    fn erase_reseller(&mut self, id: ResellerId) -> Result<()> {
        let meters: Vec<_> = self.meters(id)?.into_iter().map(|meter| meter.key).collect();
        let meters = self.meter_keys(&meters);
        if !meters.is_empty() {
            self.rows.delete(&schema::METERS, &meters)?;
        }
        let key = [self.id_key(id)];
        self.rows.delete(&schema::CREDENTIALS, &key)?;
        self.rows.delete(&schema::RESELLERS, &key)
    }

    fn put_attempts(&mut self, attempts: &Attempts) -> Result<()> {
        self.put(&[*attempts])
    }

    fn forget_attempts(&mut self, key: &AttemptKey) -> Result<()> {
        let key = self.key([Value::Bytes(key.as_bytes().to_vec())]);
        self.rows.delete(&schema::ATTEMPTS, &[key])
    }

    fn insert_events(&mut self, events: &[Event]) -> Result<Vec<Insert<Event>>> {
        let inserted = self.insert(events)?;
        let refused = events.iter().zip(&inserted).filter(|(_, inserted)| !**inserted);
        let keys = self.event_keys(refused.map(|(event, _)| &event.id));
        let mut existing = self.records(&keys, None)?.into_iter();
        let mut insert = |inserted| match inserted {
            true => Ok(Insert::Done),
            false => existing.next().flatten().map(Insert::Existing).ok_or_else(vanished),
        };
        inserted.into_iter().map(&mut insert).collect()
    }

    fn put_usage(&mut self, meters: &[Meter], days: &[DayRollup]) -> Result<()> {
        self.put(meters)?;
        self.put(days)
    }

    fn add_totals(&mut self, deltas: &[TotalDelta]) -> Result<()> {
        let row = |delta: &TotalDelta| {
            TotalRow { name: delta.name.to_owned(), value: delta.add }.to_row(self.agency)
        };
        let rows: Vec<_> = deltas.iter().map(row).collect::<Result<_>>()?;
        if rows.is_empty() { Ok(()) } else { self.rows.add(TotalRow::TABLE, &rows) }
    }

    fn append_changes(&mut self, changes: &[Change]) -> Result<()> {
        let pending: Vec<_> = changes.iter().cloned().map(PendingChange).collect();
        self.put(&pending)
    }

    fn number_changes(&mut self, max: u32) -> Result<u32> {
        let pending: Vec<PendingChange> = self.scan(schema::PENDING_CHANGES.key, [], None, max)?;
        let Some(mut agency) = self.agency()?.filter(|_| !pending.is_empty()) else { return Ok(0) };
        let mut numbered = Vec::new();
        let mut keys = Vec::new();
        for PendingChange(change) in pending {
            keys.push(PendingChange::key_row(self.agency, &change.numbering_order()));
            agency.numbered += 1;
            numbered.push(Change { sequence: agency.numbered, ..change });
        }
        self.put(&numbered)?;
        self.rows.delete(&schema::PENDING_CHANGES, &keys)?;
        self.put_agency(&agency)?;
        Ok(u32::try_from(numbered.len()).unwrap_or(u32::MAX))
    }

    fn prune(&mut self, what: Prunable, max: u32) -> Result<u32> {
        self.remove_due(what, max)
    }
}

fn done_or_taken(done: bool) -> Insert<()> {
    if done { Insert::Done } else { Insert::Existing(()) }
}
