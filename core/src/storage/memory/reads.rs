//! Reading one agency's rows.

use super::{Tx, UniqueField};
use crate::access::{AttemptKey, Attempts, Credentials};
use crate::changes::Change;
use crate::error::Result;
use crate::reseller::{Reseller, ResellerId};
use crate::search::Position;
use crate::storage::{AgencyRow, Filter, IdempotencyRow, Lookup, PageSpec, Reads, SecretRow};
use crate::usage::{DayKey, DayRollup, Event, EventId, Meter};

impl Reads for Tx<'_> {
    fn agency(&mut self) -> Result<Option<AgencyRow>> {
        Ok(self.state.agencies.get(self.agency).cloned())
    }

    fn resellers(&mut self, ids: &[ResellerId]) -> Result<Vec<Option<Reseller>>> {
        Ok(ids.iter().map(|id| self.reseller(*id).cloned()).collect())
    }

    fn find(&mut self, lookups: &[Lookup]) -> Result<Vec<Option<Reseller>>> {
        let find = |lookup: &Lookup| {
            let field = match lookup {
                Lookup::Email(email) => (UniqueField::Email, email.key()),
                Lookup::ExternalId(id) => (UniqueField::ExternalId, id.as_str().to_owned()),
            };
            let id = self.state.unique.get(&self.key(field));
            id.and_then(|id| self.reseller(*id)).cloned()
        };
        Ok(lookups.iter().map(find).collect())
    }

    fn account(&mut self, id: ResellerId) -> Result<Option<(Reseller, Credentials)>> {
        let key = self.key(id);
        let pair = self.reseller(id).zip(self.state.credentials.get(&key));
        Ok(pair.map(|(reseller, credentials)| (reseller.clone(), credentials.clone())))
    }

    fn page(&mut self, spec: &PageSpec) -> Result<Vec<Reseller>> {
        let PageSpec { filter, sort, after, limit } = spec;
        let matching = self.matching(filter).map(|listed| (listed.position(*sort), listed));
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
        let page = rows.into_iter().take(*limit as usize);
        Ok(page.map(|(_, listed)| listed.reseller.clone()).collect())
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

    fn attempts(&mut self, keys: &[AttemptKey]) -> Result<Vec<Option<Attempts>>> {
        Ok(keys.iter().map(|key| self.state.attempts.get(&self.key(*key)).copied()).collect())
    }

    fn secrets(&mut self) -> Result<Vec<SecretRow>> {
        Ok(self.of_agency(&self.state.secrets).cloned().collect())
    }
}
