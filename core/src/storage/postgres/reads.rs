//! The reading half of the contract: each method is one wait, but for a search whose agency has not
//! been looked at lately.

use std::collections::BTreeMap;

use super::codec::{self, Param};
use super::pipeline::{Answer, Statement};
use super::session::{Mode, Session};
use super::sql::{self, DIALECT, typed};
use crate::access::CredentialsRow;
use crate::access::{AttemptKey, Attempts, Credentials};
use crate::changes::Change;
use crate::error::{Error, Result};
use crate::reseller::{Reseller, ResellerId};
use crate::storage::entity::Entity;
use crate::storage::schema::{self, Row, Value, damaged};
use crate::storage::sql::Conditions;
use crate::storage::{
    AgencyRow, Filter, IdempotencyRow, LabelRow, Lookup, PageSpec, Reads, SecretRow,
};
use crate::usage::{DayKey, DayRollup, Event, EventId, Meter, MeterKey};
use crate::values::LoginDomain;

impl Session<'_> {
    /// A primary key that the agency leads.
    pub(super) fn key(&self, rest: impl IntoIterator<Item = Value>) -> Row {
        std::iter::once(Value::Text(self.agency.to_string())).chain(rest).collect()
    }

    pub(super) fn agency_param(&self) -> Param {
        Param::text(self.agency)
    }

    /// Reads rows by their keys, which are given without the agency.
    pub(super) fn by_keys<R: Entity>(&self, keys: Vec<Row>, tail: &str) -> Statement {
        sql::get_all(R::TABLE, self.agency_param(), keys, tail)
    }

    /// Records in the order of their keys.
    pub(super) fn records<R: Entity + Clone>(&mut self, keys: Vec<Row>) -> Result<Vec<Option<R>>> {
        let asked = keys.len();
        match <[Row; 1]>::try_from(keys) {
            Ok([key]) => {
                let answer = self.ask(sql::get(R::TABLE, self.key(key)))?;
                Ok(vec![answer.record()?])
            }
            Err(keys) if keys.is_empty() => Ok(Vec::new()),
            Err(keys) => placed(&self.ask(self.by_keys::<R>(keys, ""))?, asked),
        }
    }

    /// Records of the agency that meet further conditions.
    fn select<R: Entity>(&mut self, conditions: &str, params: Vec<Param>) -> Result<Vec<R>> {
        let sql = Self::selecting::<R>(conditions);
        self.ask(Statement::kept(sql, self.with_agency(params)))?.records()
    }

    /// The text of it.
    pub(super) fn selecting<R: Entity>(conditions: &str) -> String {
        format!("{} WHERE agency = $1{conditions}", sql::select(R::TABLE))
    }

    /// The parameters of a statement on the agency.
    pub(super) fn with_agency(&self, params: impl IntoIterator<Item = Param>) -> Vec<Param> {
        std::iter::once(self.agency_param()).chain(params).collect()
    }

    /// Who holds labels: the one read across agencies besides the list of agencies.
    pub(super) fn label_rows(&mut self, labels: &[LoginDomain]) -> Result<Vec<Option<LabelRow>>> {
        let sql = format!("{} WHERE label = ANY($1)", sql::select(&schema::LABELS));
        let answer = self.ask(Statement::kept(sql, vec![Param::texts(labels)]))?;
        let rows = answer.records::<LabelRow>()?.into_iter();
        let rows: BTreeMap<_, _> = rows.map(|row| (row.label.clone(), row)).collect();
        Ok(labels.iter().map(|label| rows.get(label).cloned()).collect())
    }
}

/// Puts each row of [`Session::by_keys`] where its key stood.
pub(super) fn placed<R: Entity + Clone>(answer: &Answer, asked: usize) -> Result<Vec<Option<R>>> {
    let mut records = vec![None; asked];
    for row in &answer.rows {
        let place = codec::integer(row, R::TABLE.columns.len())?;
        let place = usize::try_from(place - 1).map_err(|_| damaged())?;
        *records.get_mut(place).ok_or_else(damaged)? = Some(codec::read(row)?);
    }
    Ok(records)
}

pub(super) fn id_keys(ids: &[ResellerId]) -> Vec<Row> {
    ids.iter().map(|id| vec![Value::Uuid(id.as_uuid())]).collect()
}

pub(super) fn event_keys<'e>(ids: impl IntoIterator<Item = &'e EventId>) -> Vec<Row> {
    ids.into_iter().map(|id| vec![Value::Text(id.to_string())]).collect()
}

pub(super) fn meter_key(key: MeterKey) -> Row {
    vec![Value::Uuid(key.reseller.as_uuid()), Value::Text(key.metric.slug().to_owned())]
}

pub(super) fn day_keys(days: &[DayKey]) -> Vec<Row> {
    let key = |day: &DayKey| {
        let mut key = meter_key(day.meter);
        key.insert(0, Value::Integer(day.day.into()));
        key
    };
    days.iter().map(key).collect()
}

impl Reads for Session<'_> {
    /// A snapshot shows the agency as it was when it was held; a transaction may have changed it.
    fn agency(&mut self) -> Result<Option<AgencyRow>> {
        if self.mode == Mode::Read && self.holds() {
            return self.held_agency().map(Some);
        }
        self.ask(sql::get(&schema::AGENCIES, self.key([])))?.record()
    }

    /// Leaves with the next question, so that it costs no wait.
    fn hold_agency(&mut self) -> Result<()> {
        self.hold_later();
        Ok(())
    }

    fn held_agency(&mut self) -> Result<AgencyRow> {
        self.hold_later();
        self.hold()?;
        self.held().ok_or_else(vanished)
    }

    fn resellers(&mut self, ids: &[ResellerId]) -> Result<Vec<Option<Reseller>>> {
        self.records(id_keys(ids))
    }

    fn find(&mut self, lookups: &[Lookup]) -> Result<Vec<Option<Reseller>>> {
        let (mut emails, mut external_ids) = (Vec::new(), Vec::new());
        for lookup in lookups {
            match lookup {
                Lookup::Email(email) => emails.push(email.key()),
                Lookup::ExternalId(id) => external_ids.push(id.to_string()),
            }
        }
        let condition = " AND (email_key = ANY($2) OR external_id = ANY($3))";
        let params = vec![Param::texts(emails), Param::texts(external_ids)];
        let find = Self::selecting::<Reseller>(condition);
        let found = self.ask(Statement::once(find, self.with_agency(params)))?;
        let found: Vec<Reseller> = found.records()?;
        let is = |reseller: &&Reseller, lookup: &Lookup| match lookup {
            Lookup::Email(email) => reseller.email.key() == email.key(),
            Lookup::ExternalId(id) => reseller.external_id.as_ref() == Some(id),
        };
        Ok(lookups.iter().map(|lookup| found.iter().find(|r| is(r, lookup)).cloned()).collect())
    }

    fn account(&mut self, id: ResellerId) -> Result<Option<(Reseller, Credentials)>> {
        let key = self.key([Value::Uuid(id.as_uuid())]);
        let reseller = sql::get(&schema::RESELLERS, key.clone());
        let credentials = sql::get(&schema::CREDENTIALS, key);
        let [reseller, credentials] = self.ask_all([reseller, credentials])?;
        let credentials = credentials.record()?;
        Ok(reseller
            .record()?
            .zip(credentials.map(|CredentialsRow { credentials, .. }| credentials)))
    }

    fn page(&mut self, spec: &PageSpec) -> Result<Vec<Reseller>> {
        if cannot_match(&spec.filter) {
            return Ok(Vec::new());
        }
        self.find_page(spec)
    }

    fn count(&mut self, filter: &Filter, cap: u64) -> Result<u64> {
        if cannot_match(filter) {
            return Ok(0);
        }
        let mut conditions = Conditions::of_filter(filter, DIALECT);
        conditions.limit(i64::try_from(cap).unwrap_or(i64::MAX));
        let Conditions { sql, params, .. } = conditions;
        let found = format!("SELECT FROM partnerkit.resellers WHERE agency = $1{sql}");
        let sql = format!("SELECT count(*) FROM ({found}) AS found");
        let answer = self.ask(Statement::once(sql, self.with_agency(typed(params))))?;
        let count = answer.rows.first().map_or(Ok(0), |row| codec::integer(row, 0))?;
        Ok(count.unsigned_abs())
    }

    fn remembered(&mut self, key: &str) -> Result<Option<IdempotencyRow>> {
        let key = self.key([Value::Text(key.to_owned())]);
        self.ask(sql::get(IdempotencyRow::TABLE, key))?.record()
    }

    fn events(&mut self, ids: &[EventId]) -> Result<Vec<Option<Event>>> {
        self.records(event_keys(ids))
    }

    fn meters(&mut self, reseller: ResellerId) -> Result<Vec<Meter>> {
        let reseller = Param::uuid(reseller.as_uuid());
        let mut meters: Vec<Meter> = self.select(" AND reseller = $2", vec![reseller])?;
        meters.sort_by_key(|meter| meter.key);
        Ok(meters)
    }

    fn rollups(&mut self, days: &[DayKey]) -> Result<Vec<Option<DayRollup>>> {
        self.records(day_keys(days))
    }

    fn totals(&mut self, names: &[&str]) -> Result<Vec<i64>> {
        let params = vec![self.agency_param(), Param::texts(names)];
        let answer = self.ask(Statement::kept(sql::TOTALS, params))?;
        let total = |row| Ok((codec::text(row, 0)?, codec::integer(row, 1)?));
        let totals: BTreeMap<_, _> = answer.rows.iter().map(total).collect::<Result<_>>()?;
        Ok(names.iter().map(|name| totals.get(*name).copied().unwrap_or_default()).collect())
    }

    fn changes(&mut self, after: u64, limit: u32) -> Result<Vec<Change>> {
        let Ok(after) = i64::try_from(after) else { return Ok(Vec::new()) };
        let params = vec![Param::integer(after), Param::integer(limit.into())];
        let sql = Self::selecting::<Change>(" AND sequence > $2 ORDER BY sequence LIMIT $3");
        self.ask(Statement::once(sql, self.with_agency(params)))?.records()
    }

    fn attempts(&mut self, keys: &[AttemptKey]) -> Result<Vec<Option<Attempts>>> {
        let key = |key: &AttemptKey| vec![Value::Bytes(key.as_bytes().to_vec())];
        self.records(keys.iter().map(key).collect())
    }

    fn secrets(&mut self) -> Result<Vec<SecretRow>> {
        self.select(" ORDER BY id", Vec::new())
    }
}

/// No stored text has this character, and the server takes none that does.
fn cannot_match(filter: &Filter) -> bool {
    filter.terms.iter().any(|term| term.contains('\0'))
}

/// Where a row that must be there is not.
pub(super) fn vanished() -> Error {
    Error::aborted("a conflicting row has vanished")
}
