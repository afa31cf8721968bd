//! Reading one agency's rows.

use super::rows::{DIALECT, NUMBER, Rows};
use crate::access::CredentialsRow;
use crate::access::{AttemptKey, Attempts, Credentials};
use crate::changes::Change;
use crate::error::{Error, Result};
use crate::reseller::{Reseller, ResellerId};
use crate::storage::AgencyRow;
use crate::storage::IdempotencyRow;
use crate::storage::SecretRow;
use crate::storage::entity::Entity;
use crate::storage::schema::Value;
use crate::storage::sql::read_columns;
use crate::storage::{Filter, Lookup, PageSpec, Reads};
use crate::usage::{DayKey, DayRollup, Event, EventId, Meter};

impl Reads for Rows<'_> {
    fn agency(&mut self) -> Result<Option<AgencyRow>> {
        self.get(&self.key([]))
    }

    /// Asks for no column, which every call would pay for.
    fn hold_agency(&mut self) -> Result<()> {
        let sql = "SELECT 1 FROM agencies WHERE agency = ?1 AND closed_at IS NULL";
        let open = self.prepare(sql)?.exists([self.agency.as_str()]);
        if open.map_err(super::storage_error)? { Ok(()) } else { Err(Error::not_found("agency")) }
    }

    fn resellers(&mut self, ids: &[ResellerId]) -> Result<Vec<Option<Reseller>>> {
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            found.push(self.get(&self.id_key(*id))?);
        }
        Ok(found)
    }

    fn find(&mut self, lookups: &[Lookup]) -> Result<Vec<Option<Reseller>>> {
        let find = |lookup: &Lookup| {
            let (condition, value) = match lookup {
                Lookup::Email(email) => ("AND email_key = ?2", email.key()),
                Lookup::ExternalId(id) => ("AND external_id = ?2", id.to_string()),
            };
            Ok(self.of_agency(condition, [Value::Text(value)])?.pop())
        };
        lookups.iter().map(find).collect()
    }

    fn account(&mut self, id: ResellerId) -> Result<Option<(Reseller, Credentials)>> {
        let reseller = self.get(&self.id_key(id))?;
        let credentials = self.get(&self.id_key(id))?;
        Ok(reseller.zip(credentials.map(|CredentialsRow { credentials, .. }| credentials)))
    }

    fn page(&mut self, spec: &PageSpec) -> Result<Vec<Reseller>> {
        self.find_page(spec)
    }

    fn count(&mut self, filter: &Filter, cap: u64) -> Result<u64> {
        self.count_found(filter, cap)
    }

    fn remembered(&mut self, key: &str) -> Result<Option<IdempotencyRow>> {
        self.get(&self.key([Value::Text(key.to_owned())]))
    }

    fn events(&mut self, ids: &[EventId]) -> Result<Vec<Option<Event>>> {
        ids.iter().map(|id| self.get(&self.key([Value::Text(id.to_string())]))).collect()
    }

    fn meters(&mut self, reseller: ResellerId) -> Result<Vec<Meter>> {
        self.of_agency("AND reseller = ?2 ORDER BY metric", [Value::Uuid(reseller.as_uuid())])
    }

    fn rollups(&mut self, days: &[DayKey]) -> Result<Vec<Option<DayRollup>>> {
        let key = |day: &DayKey| {
            let mut key = self.meter_key(day.meter);
            key.insert(1, Value::Integer(day.day.into()));
            key
        };
        days.iter().map(|day| self.get(&key(day))).collect()
    }

    fn totals(&mut self, names: &[&str]) -> Result<Vec<i64>> {
        names.iter().map(|name| self.total(name)).collect()
    }

    fn changes(&mut self, after: u64, limit: u32) -> Result<Vec<Change>> {
        let after = Value::Integer(i64::try_from(after).unwrap_or(i64::MAX));
        let condition = "AND sequence > ?2 ORDER BY sequence LIMIT ?3";
        self.of_agency(condition, [after, Value::Integer(limit.into())])
    }

    fn attempts(&mut self, keys: &[AttemptKey]) -> Result<Vec<Option<Attempts>>> {
        let key = |key: &AttemptKey| self.key([Value::Bytes(key.as_bytes().to_vec())]);
        keys.iter().map(|of| self.get(&key(of))).collect()
    }

    fn secrets(&mut self) -> Result<Vec<SecretRow>> {
        self.of_agency("ORDER BY id", [])
    }
}

impl Rows<'_> {
    /// This agency's records that meet a condition; the agency is parameter 1.
    pub(super) fn of_agency<R: Entity>(
        &self,
        condition: &str,
        parameters: impl IntoIterator<Item = Value>,
    ) -> Result<Vec<R>> {
        let (columns, table) = (read_columns(R::TABLE), R::TABLE.name);
        let agency = DIALECT.agency(R::TABLE);
        let sql = format!("SELECT {columns} FROM {table} WHERE agency = {agency} {condition}");
        self.query(&sql, &self.key(parameters))
    }

    pub(super) fn total(&self, name: &str) -> Result<i64> {
        let sql = format!("SELECT value FROM totals WHERE agency = {NUMBER} AND name = ?2");
        let total = self.prepare(&sql)?.query_row((self.agency.as_str(), name), |row| row.get(0));
        match total {
            Err(rusqlite::Error::QueryReturnedNoRows) => Ok(0),
            total => total.map_err(super::storage_error),
        }
    }
}
