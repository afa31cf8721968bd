//! The reading half of the contract: each method is one wait.

use std::collections::BTreeMap;

use super::codec::{self, Param};
use super::pipeline::{Answer, Statement};
use super::session::Session;
use super::sql;
use crate::access::Credentials;
use crate::changes::Change;
use crate::error::{Error, Result};
use crate::reseller::{Reseller, ResellerId};
use crate::storage::records::{CredentialsRow, Record};
use crate::storage::schema::{self, Kind, Row, Value, damaged};
use crate::storage::{AgencyRow, LabelRow, Lookup, PageSpec, Reads, SecretRow};
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
    pub(super) fn by_keys<R: Record>(&self, keys: Vec<Row>, tail: &str) -> Statement {
        sql::get_all(R::TABLE, self.agency_param(), keys, tail)
    }

    /// Records in the order of their keys.
    pub(super) fn records<R: Record + Clone>(&mut self, keys: Vec<Row>) -> Result<Vec<Option<R>>> {
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
    fn select<R: Record>(&mut self, conditions: &str, params: Vec<Param>) -> Result<Vec<R>> {
        let sql = format!("{} WHERE agency = $1{conditions}", sql::select(R::TABLE));
        let params = std::iter::once(self.agency_param()).chain(params).collect();
        self.ask(Statement::new(sql, params))?.records()
    }

    /// Who holds labels: the one read across agencies besides the list of agencies.
    pub(super) fn label_rows(&mut self, labels: &[LoginDomain]) -> Result<Vec<Option<LabelRow>>> {
        let sql = format!("{} WHERE label = ANY($1)", sql::select(&schema::LABELS));
        let answer = self.ask(Statement::new(sql, vec![Param::texts(labels)]))?;
        let rows = answer.records::<LabelRow>()?.into_iter();
        let rows: BTreeMap<_, _> = rows.map(|row| (row.label.clone(), row)).collect();
        Ok(labels.iter().map(|label| rows.get(label).cloned()).collect())
    }
}

/// Puts each row of [`Session::by_keys`] where its key stood.
pub(super) fn placed<R: Record + Clone>(answer: &Answer, asked: usize) -> Result<Vec<Option<R>>> {
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
    fn agency(&mut self) -> Result<Option<AgencyRow>> {
        self.ask(sql::get(&schema::AGENCIES, self.key([])))?.record()
    }

    fn resellers(&mut self, ids: &[ResellerId]) -> Result<Vec<Option<Reseller>>> {
        self.records(id_keys(ids))
    }

    fn find(&mut self, lookup: &Lookup) -> Result<Option<Reseller>> {
        let (condition, value) = match lookup {
            Lookup::Email(email) => (" AND email_key = $2", email.key()),
            Lookup::ExternalId(id) => (" AND external_id = $2", id.to_string()),
        };
        Ok(self.select(condition, vec![Param::text(value)])?.pop())
    }

    fn account(&mut self, id: ResellerId) -> Result<Option<(Reseller, Credentials)>> {
        let key = self.key([Value::Uuid(id.as_uuid())]);
        let reseller = sql::get(&schema::RESELLERS, key.clone());
        let credentials = sql::get(&schema::CREDENTIALS, key);
        let [reseller, credentials] = self.ask_all([reseller, credentials])?;
        let credentials = credentials.record()?;
        Ok(reseller.record()?.zip(credentials.map(|CredentialsRow(_, credentials)| credentials)))
    }

    fn page(&mut self, spec: &PageSpec) -> Result<Vec<Reseller>> {
        // No stored text has this character, and the server takes none that does.
        if spec.terms.iter().any(|term| term.contains('\0')) {
            return Ok(Vec::new());
        }
        let (conditions, params) = page_conditions(spec);
        self.select(&conditions, params)
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
        let answer = self.ask(Statement::new(sql::TOTALS, params))?;
        let total = |row| Ok((codec::text(row, 0)?, codec::integer(row, 1)?));
        let totals: BTreeMap<_, _> = answer.rows.iter().map(total).collect::<Result<_>>()?;
        Ok(names.iter().map(|name| totals.get(*name).copied().unwrap_or_default()).collect())
    }

    fn changes(&mut self, after: u64, limit: u32) -> Result<Vec<Change>> {
        let Ok(after) = i64::try_from(after) else { return Ok(Vec::new()) };
        let params = vec![Param::integer(after), Param::integer(limit.into())];
        self.select(" AND sequence > $2 ORDER BY sequence LIMIT $3", params)
    }

    fn secrets(&mut self) -> Result<Vec<SecretRow>> {
        self.select(" ORDER BY id", Vec::new())
    }
}

/// What a page asks for beyond the agency. One condition for each term, not one on an array of
/// them: an index can serve it.
fn page_conditions(spec: &PageSpec) -> (String, Vec<Param>) {
    let mut conditions = String::new();
    let mut params = Vec::new();
    let mut next = |param| {
        params.push(param);
        format!("${}", params.len() + 1)
    };
    for term in &spec.terms {
        let pattern = next(Param::text(pattern(term)));
        conditions += &format!(" AND search_text LIKE {pattern} ESCAPE '\\'");
    }
    if let Some(status) = spec.status {
        let status = next(Param::text(status.slug()));
        conditions += &format!(" AND status = {status}");
    }
    if let Some(after) = spec.after {
        let created_at = next(Param::integer(after.created_at.as_millis()));
        let id = next(Param::one(Kind::Uuid, Value::Uuid(after.id.as_uuid())));
        conditions += &format!(" AND (created_at, id) < ({created_at}, {id})");
    }
    let limit = next(Param::integer(spec.limit.into()));
    conditions += &format!(" ORDER BY created_at DESC, id DESC LIMIT {limit}");
    (conditions, params)
}

/// A pattern for every text that contains the term, in which nothing of it is a wildcard.
fn pattern(term: &str) -> String {
    let mut pattern = String::with_capacity(term.len() + 2);
    pattern.push('%');
    for c in term.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// Where a row that must be there is not.
pub(super) fn vanished() -> Error {
    Error::aborted("a conflicting row has vanished")
}
