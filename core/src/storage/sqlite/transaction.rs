//! Writing one agency's rows. There is one writer at a time, so its transaction is every lock.

use super::rows::{DIALECT, NUMBER, Rows, values};
use crate::access::CredentialsRow;
use crate::access::{AttemptKey, Attempts, Credentials};
use crate::changes::Change;
use crate::error::{Error, Result};
use crate::reseller::{Reseller, ResellerId};
use crate::storage::AgencyRow;
use crate::storage::IdempotencyRow;
use crate::storage::LabelRow;
use crate::storage::NewReseller;
use crate::storage::SecretRow;
use crate::storage::entity::Entity;
use crate::storage::schema::{self, Row, Table, Value};
use crate::storage::{Insert, Lock, Prunable, Reads, TotalDelta, Transaction, sql};
use crate::usage::{DayKey, DayRollup, Event, Meter, MeterKey};
use crate::values::Timestamp;

impl Rows<'_> {
    /// Inserts a record, or gives the one that is there.
    fn insert_or_get<R: Entity>(&self, record: &R, key: &Row) -> Result<Insert<R>> {
        if self.insert(record)? {
            return Ok(Insert::Done);
        }
        let vanished = || Error::storage("a conflicting row cannot be found");
        self.get(key)?.map(Insert::Existing).ok_or_else(vanished)
    }
}

impl Transaction for Rows<'_> {
    fn lock_attempts(&mut self, key: &AttemptKey) -> Result<Attempts> {
        let row = self.get(&self.key([Value::Bytes(key.as_bytes().to_vec())]))?;
        Ok(row.unwrap_or(Attempts::none(*key)))
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
            let meter: Option<Meter> = self.get(&self.meter_key(*key))?;
            Ok(meter.unwrap_or_else(|| Meter::new(*key)))
        };
        let meters = meters.iter().map(meter).collect::<Result<_>>()?;
        Ok((meters, self.rollups(days)?.into_iter().flatten().collect()))
    }

    fn insert_secret(&mut self, secret: &SecretRow) -> Result<Insert<SecretRow>> {
        self.insert_or_get(secret, &self.key([Value::Integer(secret.id)]))
    }

    fn insert_agency(&mut self, agency: &AgencyRow) -> Result<Insert<AgencyRow>> {
        self.insert_or_get(agency, &self.key([]))
    }

    fn put_agency(&mut self, agency: &AgencyRow) -> Result<()> {
        self.put(agency)
    }

    fn erase_rows(&mut self, table: &'static Table, max: u32) -> Result<u32> {
        let (name, key, agency) = (table.name, table.key.join(", "), DIALECT.agency(table));
        let first = format!("SELECT {key} FROM {name} WHERE agency = {agency} LIMIT ?2");
        let sql = format!("DELETE FROM {name} WHERE ({key}) IN ({first})");
        let removed = self.execute(&sql, &self.key([Value::Integer(max.into())]))?;
        Ok(u32::try_from(removed).unwrap_or(max))
    }

    fn remember(
        &mut self,
        key: &IdempotencyRow,
        expired: Timestamp,
    ) -> Result<Insert<IdempotencyRow>> {
        match self.remembered(&key.key)?.filter(|before| before.created_at > expired) {
            Some(before) => Ok(Insert::Existing(before)),
            None => self.put(key).map(|()| Insert::Done),
        }
    }

    fn claim_labels(
        &mut self,
        labels: &[LabelRow],
        now: Timestamp,
    ) -> Result<Vec<Insert<LabelRow>>> {
        let claim = |label: &LabelRow| {
            let key = vec![Value::Text(label.label.to_string())];
            match self.insert_or_get(label, &key)? {
                Insert::Existing(before) if before.is_free(now) => {
                    self.put(label).map(|()| Insert::Done)
                }
                answer => Ok(answer),
            }
        };
        labels.iter().map(claim).collect()
    }

    fn put_label(&mut self, label: &LabelRow) -> Result<()> {
        self.put(label)
    }

    fn insert_resellers(&mut self, new: &[NewReseller]) -> Result<Vec<Insert<()>>> {
        let prefix = self.prefix()?;
        let mut inserted = Vec::new();
        let mut answers = Vec::with_capacity(new.len());
        for new in new {
            let rows = new.rows_in(self.agency)?;
            if !self.insert_row(Reseller::TABLE, &rows.reseller)? {
                answers.push(Insert::Existing(()));
                continue;
            }
            self.index(&prefix, self.connection.last_insert_rowid(), rows.search_text()?);
            self.insert_row(CredentialsRow::TABLE, &rows.credentials)?;
            inserted.push(new);
            answers.push(Insert::Done);
        }
        self.note_times(&inserted)?;
        Ok(answers)
    }

    fn update_reseller(&mut self, reseller: &Reseller) -> Result<Insert<()>> {
        let before = self.indexed(reseller.id)?;
        if !self.update(reseller)? {
            return Ok(Insert::Existing(()));
        }
        self.reindex(before, reseller);
        Ok(Insert::Done)
    }

    fn put_credentials(&mut self, id: ResellerId, credentials: &Credentials) -> Result<()> {
        self.put(&CredentialsRow { reseller: id, credentials: credentials.clone() })
    }

    fn erase_reseller(&mut self, id: ResellerId) -> Result<()> {
        let key = self.id_key(id);
        let indexed = self.indexed(id)?;
        self.unindex(indexed);
        let meters = format!("DELETE FROM meters WHERE agency = {NUMBER} AND reseller = ?2");
        self.execute(&meters, &key)?;
        self.delete(&schema::CREDENTIALS, &key)?;
        self.delete(&schema::RESELLERS, &key)
    }

    fn put_attempts(&mut self, attempts: &Attempts) -> Result<()> {
        self.put(attempts)
    }

    fn forget_attempts(&mut self, key: &AttemptKey) -> Result<()> {
        self.delete(&schema::ATTEMPTS, &self.key([Value::Bytes(key.as_bytes().to_vec())]))
    }

    fn insert_events(&mut self, events: &[Event]) -> Result<Vec<Insert<Event>>> {
        let key = |event: &Event| self.key([Value::Text(event.id.to_string())]);
        events.iter().map(|event| self.insert_or_get(event, &key(event))).collect()
    }

    fn put_usage(&mut self, meters: &[Meter], days: &[DayRollup]) -> Result<()> {
        meters.iter().try_for_each(|meter| self.put(meter))?;
        days.iter().try_for_each(|day| self.put(day))
    }

    fn add_totals(&mut self, deltas: &[TotalDelta]) -> Result<()> {
        for TotalDelta { name, add } in deltas {
            // SQLite would turn a sum that is too large into a floating-point number.
            let overflow = || Error::aborted("a total has no room left");
            let total = self.total(name)?.checked_add(*add).ok_or_else(overflow)?;
            let sql = format!(
                "INSERT INTO totals (agency, name, value) VALUES ({NUMBER}, ?2, ?3)
                 ON CONFLICT (agency, name) DO UPDATE SET value = excluded.value"
            );
            self.execute(
                &sql,
                &self.key([Value::Text((*name).to_owned()), Value::Integer(total)]),
            )?;
        }
        Ok(())
    }

    /// With one writer at a time, entries have their number at once.
    fn append_changes(&mut self, changes: &[Change]) -> Result<()> {
        self.in_transaction()?;
        for change in changes {
            let sql =
                "UPDATE agencies SET numbered = numbered + 1 WHERE agency = ?1 RETURNING numbered";
            let mut next = self.prepare(sql)?;
            let sequence = next.query_row([self.agency.as_str()], |row| row.get::<_, i64>(0));
            let sequence = sequence.map_err(super::storage_error)?.unsigned_abs();
            self.insert(&Change { sequence, ..change.clone() })?;
        }
        Ok(())
    }

    fn number_changes(&mut self, _: u32) -> Result<u32> {
        Ok(0)
    }

    fn prune(&mut self, what: Prunable, max: u32) -> Result<u32> {
        let (sql, params) = sql::prune(what, max, DIALECT);
        let removed = self.execute(&sql, &self.key(values(params)))?;
        Ok(u32::try_from(removed).unwrap_or(max))
    }
}
