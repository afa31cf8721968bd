//! The writing half of the contract. What answers nothing is deferred to the next wait.

use std::collections::BTreeSet;

use super::codec::{self, Param, row_params};
use super::pipeline::Statement;
use super::reads::{day_keys, event_keys, id_keys, meter_key, placed, vanished};
use super::session::Session;
use super::sql;
use crate::access::CredentialsRow;
use crate::access::{AttemptKey, Attempts, Credentials};
use crate::changes::Change;
use crate::changes::PendingChange;
use crate::error::{Error, Result};
use crate::reseller::{Reseller, ResellerId};
use crate::storage::entity::Entity;
use crate::storage::schema::{self, Row, Table, Value};
use crate::storage::{
    AgencyRow, IdempotencyRow, Insert, LabelRow, Lock, NewReseller, Prunable, Reads, SecretRow,
    TotalDelta, Transaction,
};
use crate::usage::{DayKey, DayRollup, Event, Meter, MeterKey};
use crate::values::{LoginDomain, Timestamp};

impl Session<'_> {
    fn rows<'r, R: Entity + 'r>(
        &self,
        records: impl IntoIterator<Item = &'r R>,
    ) -> Result<Vec<Row>> {
        records.into_iter().map(|record| record.to_row(self.agency)).collect()
    }

    fn put<R: Entity>(&mut self, record: &R) -> Result<()> {
        self.defer(sql::put(R::TABLE, record.to_row(self.agency)?));
        Ok(())
    }

    fn put_all<R: Entity>(&mut self, records: &[R]) -> Result<()> {
        if !records.is_empty() {
            self.defer(sql::put_all(R::TABLE, self.rows(records)?));
        }
        Ok(())
    }

    /// Inserts a record, or gives the one that is there, in one wait. The second statement sees
    /// what the first one has waited for.
    fn insert_or_get<R: Entity>(&mut self, record: &R, key: Row) -> Result<Insert<R>> {
        let insert = sql::insert(R::TABLE, record.to_row(self.agency)?);
        let [inserted, found] = self.ask_all([insert, sql::get(R::TABLE, key)])?;
        if inserted.affected == 1 {
            return Ok(Insert::Done);
        }
        found.record()?.map(Insert::Existing).ok_or_else(vanished)
    }
}

impl Transaction for Session<'_> {
    fn lock_attempts(&mut self, key: &AttemptKey) -> Result<Attempts> {
        // A row that does not exist cannot be locked.
        let row = Attempts::none(*key).to_row(self.agency)?;
        let key = self.key([Value::Bytes(key.as_bytes().to_vec())]);
        let table = &schema::ATTEMPTS;
        let lock = Lock::NoKeyUpdate;
        let statements = [sql::insert(table, row), sql::get_locked(table, key, lock)];
        let [_, locked] = self.ask_all(statements)?;
        locked.record()?.ok_or_else(vanished)
    }

    fn lock_agency(&mut self, lock: Lock) -> Result<Option<AgencyRow>> {
        self.ask(sql::get_locked(&schema::AGENCIES, self.key([]), lock))?.record()
    }

    fn lock_resellers(&mut self, ids: &[ResellerId], lock: Lock) -> Result<Vec<Option<Reseller>>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let lock = format!(" FOR {} OF resellers", sql::strength(lock));
        placed(&self.ask(self.by_keys::<Reseller>(id_keys(ids), &lock))?, ids.len())
    }

    fn lock_usage(
        &mut self,
        meters: &[MeterKey],
        days: &[DayKey],
    ) -> Result<(Vec<Meter>, Vec<DayRollup>)> {
        if meters.is_empty() {
            return Ok((Vec::new(), self.rollups(days)?.into_iter().flatten().collect()));
        }
        let new: Vec<_> = meters.iter().map(|key| Meter::new(*key)).collect();
        let keys: Vec<_> = meters.iter().map(|key| meter_key(*key)).collect();
        // Three statements, so that the third one sees what the second has waited for.
        let [_, locked, rollups] = self.ask_all([
            sql::insert_all(Meter::TABLE, self.rows(&new)?, ""),
            self.by_keys::<Meter>(keys, " FOR UPDATE OF meters"),
            self.by_keys::<DayRollup>(day_keys(days), ""),
        ])?;
        let locked: Vec<Meter> = locked.records()?;
        if locked.len() != meters.len() {
            return Err(vanished());
        }
        Ok((locked, rollups.records()?))
    }

    fn insert_secret(&mut self, secret: &SecretRow) -> Result<Insert<SecretRow>> {
        self.insert_or_get(secret, self.key([Value::Integer(secret.id)]))
    }

    fn insert_agency(&mut self, agency: &AgencyRow) -> Result<Insert<AgencyRow>> {
        self.insert_or_get(agency, self.key([]))
    }

    fn put_agency(&mut self, agency: &AgencyRow) -> Result<()> {
        self.put(agency)
    }

    fn erase_rows(&mut self, table: &'static Table, max: u32) -> Result<u32> {
        self.connections().newest.forget(self.agency);
        let removed = self.ask(sql::erase_rows(table, self.agency_param(), max))?.affected;
        Ok(u32::try_from(removed).unwrap_or(max))
    }

    fn remember(
        &mut self,
        key: &IdempotencyRow,
        expired: Timestamp,
    ) -> Result<Insert<IdempotencyRow>> {
        let mut params = row_params(IdempotencyRow::TABLE, key.to_row(self.agency)?);
        params.push(Param::integer(expired.as_millis()));
        let remember = Statement::kept(sql::REMEMBER, params);
        let found = sql::get(IdempotencyRow::TABLE, self.key([Value::Text(key.key.clone())]));
        let [remembered, found] = self.ask_all([remember, found])?;
        if !remembered.rows.is_empty() {
            return Ok(Insert::Done);
        }
        found.record()?.map(Insert::Existing).ok_or_else(vanished)
    }

    fn claim_labels(
        &mut self,
        labels: &[LabelRow],
        now: Timestamp,
    ) -> Result<Vec<Insert<LabelRow>>> {
        if labels.is_empty() {
            return Ok(Vec::new());
        }
        let kinds = LabelRow::TABLE.columns.iter().map(|column| column.kind);
        let mut params = codec::array_params(kinds, self.rows(labels)?);
        params.push(Param::integer(now.as_millis()));
        let claimed = self.ask(Statement::kept(sql::CLAIM_LABELS, params))?;
        let claimed: BTreeSet<String> =
            claimed.rows.iter().map(|row| codec::text(row, 0)).collect::<Result<_>>()?;
        let held = labels.iter().filter(|row| !claimed.contains(row.label.as_str()));
        let held: Vec<LoginDomain> = held.map(|row| row.label.clone()).collect();
        let mut held =
            if held.is_empty() { Vec::new() } else { self.label_rows(&held)? }.into_iter();
        let answer = |row: &LabelRow| match claimed.contains(row.label.as_str()) {
            true => Ok(Insert::Done),
            false => held.next().flatten().map(Insert::Existing).ok_or_else(vanished),
        };
        labels.iter().map(answer).collect()
    }

    fn put_label(&mut self, label: &LabelRow) -> Result<()> {
        let params = row_params(LabelRow::TABLE, label.to_row(self.agency)?);
        self.defer(Statement::kept(sql::PUT_LABEL, params));
        Ok(())
    }

    fn insert_resellers(&mut self, new: &[NewReseller]) -> Result<Vec<Insert<()>>> {
        if new.is_empty() {
            return Ok(Vec::new());
        }
        let rows = new.iter().map(|new| new.rows_in(self.agency)).collect::<Result<Vec<_>>>()?;
        let resellers = rows.iter().map(|rows| rows.reseller.clone()).collect();
        let inserted = self.ask(sql::insert_all(Reseller::TABLE, resellers, " RETURNING id"))?;
        let mut ids = BTreeSet::new();
        for row in &inserted.rows {
            ids.insert(codec::value(row, 0)?);
        }
        let (mut credentials, mut answers) = (Vec::new(), Vec::new());
        for (new, rows) in new.iter().zip(rows) {
            // Taken out: of two with one id the second was not inserted.
            let done = ids.remove(&Value::Uuid(new.reseller().id.as_uuid()));
            if done {
                credentials.push(rows.credentials.clone());
            }
            answers.push(if done { Insert::Done } else { Insert::Existing(()) });
        }
        if !credentials.is_empty() {
            self.defer(sql::put_all(CredentialsRow::TABLE, credentials));
        }
        Ok(answers)
    }

    fn update_reseller(&mut self, reseller: &Reseller) -> Result<Insert<()>> {
        let update = sql::update(Reseller::TABLE, reseller.to_row(self.agency)?);
        match self.try_unique(update)? {
            None => Ok(Insert::Existing(())),
            Some(answer) if answer.affected == 1 => Ok(Insert::Done),
            Some(_) => Err(Error::storage("the reseller to update was not locked")),
        }
    }

    fn put_credentials(&mut self, id: ResellerId, credentials: &Credentials) -> Result<()> {
        self.put(&CredentialsRow { reseller: id, credentials: credentials.clone() })
    }

    fn erase_reseller(&mut self, id: ResellerId) -> Result<()> {
        let params = vec![self.agency_param(), Param::uuid(id.as_uuid())];
        self.defer(Statement::kept(sql::DELETE_METERS, params));
        let key = self.key([Value::Uuid(id.as_uuid())]);
        self.defer(sql::delete(&schema::CREDENTIALS, key.clone()));
        self.defer(sql::delete(&schema::RESELLERS, key));
        Ok(())
    }

    fn put_attempts(&mut self, attempts: &Attempts) -> Result<()> {
        self.put(attempts)
    }

    fn forget_attempts(&mut self, key: &AttemptKey) -> Result<()> {
        let key = self.key([Value::Bytes(key.as_bytes().to_vec())]);
        self.defer(sql::delete(&schema::ATTEMPTS, key));
        Ok(())
    }

    fn insert_events(&mut self, events: &[Event]) -> Result<Vec<Insert<Event>>> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self.rows(events)?;
        let inserted = self.ask(sql::insert_all(Event::TABLE, rows, " RETURNING id"))?;
        let mut ids: BTreeSet<String> =
            inserted.rows.iter().map(|row| codec::text(row, 0)).collect::<Result<_>>()?;
        let done: Vec<bool> = events.iter().map(|event| ids.remove(event.id.as_str())).collect();
        let refused = events.iter().zip(&done).filter(|(_, done)| !**done);
        let refused = event_keys(refused.map(|(event, _)| &event.id));
        // A statement of its own sees what the first one has waited for.
        let mut existing = self.records::<Event>(refused)?.into_iter();
        let answer = |done| match done {
            true => Ok(Insert::Done),
            false => existing.next().flatten().map(Insert::Existing).ok_or_else(vanished),
        };
        done.into_iter().map(answer).collect()
    }

    fn put_usage(&mut self, meters: &[Meter], days: &[DayRollup]) -> Result<()> {
        self.put_all(meters)?;
        self.put_all(days)
    }

    /// One statement each, in the order given: there are few, and two of one name add up.
    fn add_totals(&mut self, deltas: &[TotalDelta]) -> Result<()> {
        for delta in deltas {
            let params =
                vec![self.agency_param(), Param::text(delta.name), Param::integer(delta.add)];
            self.defer(Statement::kept(sql::ADD_TOTAL, params));
        }
        Ok(())
    }

    fn append_changes(&mut self, changes: &[Change]) -> Result<()> {
        let pending: Vec<_> = changes.iter().cloned().map(PendingChange).collect();
        self.put_all(&pending)
    }

    fn number_changes(&mut self, max: u32) -> Result<u32> {
        let params = vec![self.agency_param(), Param::integer(max.into())];
        let answer = self.ask(Statement::once(sql::NUMBER_CHANGES, params))?;
        let numbered = answer.rows.first().map_or(Ok(0), |row| codec::integer(row, 0))?;
        Ok(u32::try_from(numbered).unwrap_or(u32::MAX))
    }

    fn prune(&mut self, what: Prunable, max: u32) -> Result<u32> {
        let removed = self.ask(sql::prune(self.agency_param(), what, max))?.affected;
        Ok(u32::try_from(removed).unwrap_or(max))
    }
}
