//! Writing one agency's rows. Nobody else has the state meanwhile, which is every lock.

use super::{Tx, unique_fields};
use crate::access::{AttemptKey, Attempts, Credentials};
use crate::changes::Change;
use crate::error::{Error, Result};
use crate::reseller::{Reseller, ResellerId};
use crate::storage::schema::{Table, damaged};
use crate::storage::{
    AgencyRow, IdempotencyRow, Insert, LabelRow, Lock, NewReseller, Prunable, Reads, SecretRow,
    TotalDelta, Transaction,
};
use crate::usage::{DayKey, DayRollup, Event, Meter, MeterKey};
use crate::values::Timestamp;

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

    fn erase_rows(&mut self, table: &'static Table, max: u32) -> Result<u32> {
        Ok(match table.name {
            "idempotency" => self.clear(|s| &mut s.idempotency_keys, max),
            "events" => self.clear(|s| &mut s.events, max),
            "rollups" => self.clear(|s| &mut s.rollups, max),
            "totals" => self.clear(|s| &mut s.totals, max),
            "pending_changes" => 0, // entries have their number at once
            "changes" => self.clear(|s| &mut s.changes, max),
            "agencies" => self.remove(|s| &mut s.agencies, vec![self.agency.clone()], max),
            _ => return Err(damaged()),
        })
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
            new.rows_in(self.agency)?;
            let id = new.reseller().id;
            if self.state.resellers.contains_key(&self.key(id)) {
                return Ok(Insert::Existing(()));
            }
            if self.is_taken(new.reseller()) {
                return Ok(Insert::Existing(()));
            }
            self.put_reseller(new.reseller());
            self.set(|s| &mut s.credentials, id, Some(new.credentials().clone()));
            Ok(Insert::Done)
        };
        new.iter().map(&mut insert).collect()
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
            let mut agency = self.agency()?.ok_or_else(damaged)?;
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
