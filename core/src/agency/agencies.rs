//! Agencies: created, found and listed explicitly (S56).

use super::{AgencySettings, agencies};
use crate::agency::AgencyRow;
use crate::changes::ChangeKind;
use crate::error::{Code, Error, ErrorKind, FieldErrors, Refusal, Result, refused};
use crate::platform::Operator;
use crate::records::{self, Insert};
use crate::storage::Scope;
use crate::tenant::Tenant;
use crate::usage::zone_name;
use crate::values::AgencyId;

impl Operator {
    /// Creates an agency. Its periods are those of an IANA time zone (`Europe/Berlin`), and of UTC
    /// unless one is given. Field errors: `id`, `time_zone`.
    pub fn create_agency(&self, id: &str, time_zone: Option<&str>) -> Result<Tenant> {
        let time_zone = time_zone.unwrap_or("UTC");
        let mut errors = FieldErrors::default();
        let id = errors.keep("id", AgencyId::parse(id));
        let time_zone = errors.keep("time_zone", zone_name(time_zone));
        let (Some(id), Some(time_zone)) = (id, time_zone) else { return Err(errors.into()) };
        let now = self.shared.clock.now();
        let settings = AgencySettings::new(id.clone(), time_zone, now);
        let row = AgencyRow::new(settings);
        let agency = Tenant::new(self.shared.clone(), id.clone());
        let created = agency.mutation_at(now, ChangeKind::AgencyCreated, None);
        records::write_unheld(&self.shared.storage, &id, Scope::Join, |tx| {
            if let Insert::Existing(_) = tx.insert(&row)? {
                return Err(refused("id")(Code::Taken));
            }
            tx.append_changes(&[created.entry(1, now, Vec::new())])
        })?;
        Ok(agency)
    }

    /// The handle on an agency, which is created first if there is none: what a worker asks for
    /// when it starts, whatever others do at that moment. The time zone is that of an agency that
    /// is created here; one that is there stays as it is.
    ///
    /// Field errors: `id` (`taken` while an agency of this id is being deleted), `time_zone`.
    pub fn ensure_agency(&self, id: &str, time_zone: Option<&str>) -> Result<Tenant> {
        if AgencyId::parse(id).is_err() || time_zone.is_some_and(|name| zone_name(name).is_err()) {
            return self.create_agency(id, time_zone); // which tells all that is wrong
        }
        let mut tried = 1;
        loop {
            match self.agency(id) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                found => return found,
            }
            match self.create_agency(id, time_zone) {
                // By others, at this moment: it is found now, unless it is deleted again.
                Err(error) if error.kind() == ErrorKind::Validation && tried < TRIES => {}
                created => return created,
            }
            tried += 1;
        }
    }

    /// The handle on an agency: the only way to its data. A typo is `NotFound`, never an empty
    /// agency (S56).
    pub fn agency(&self, id: &str) -> Result<Tenant> {
        let id = existing(id)?;
        records::read(&self.shared.storage, &id, |reads| reads.hold_agency())?;
        Ok(Tenant::new(self.shared.clone(), id))
    }

    /// The ids of agencies in order, after the given one; `limit` is 1–1,000, and 100 unless it
    /// is given.
    pub fn agencies(&self, after: Option<&AgencyId>, limit: Option<u32>) -> Result<Vec<AgencyId>> {
        let limit = limit.unwrap_or(100);
        if !(1..=1_000).contains(&limit) {
            return Err(refused("limit")(Refusal::out_of_range(1, 1_000)));
        }
        let (mut open, mut after) = (Vec::new(), after.cloned());
        loop {
            // Few are closed, so the second look is rare.
            let rows = agencies(&self.shared.storage, after.as_ref(), limit)?;
            let last = rows.last().map(|row| row.settings.agency.clone());
            let seen_all = rows.len() < limit as usize;
            let rows = rows.into_iter().filter(AgencyRow::is_open);
            open.extend(rows.map(|row| row.settings.agency));
            open.truncate(limit as usize);
            if seen_all || open.len() == limit as usize {
                return Ok(open);
            }
            after = last;
        }
    }
}

/// How often an agency is created that others create and delete again.
const TRIES: u32 = 3;

/// The id of an agency that may exist. Text that is not an id belongs to no agency.
pub(super) fn existing(id: &str) -> Result<AgencyId> {
    AgencyId::parse(id).map_err(|_| Error::not_found("agency"))
}
