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
    /// Creates an agency. Its periods begin and end by the calendar of an IANA time zone
    /// (`Europe/Berlin`), which is UTC unless one is given.
    ///
    /// Field errors: `id`, `time_zone`.
    ///
    /// ```example
    /// let contoso = platform.create_agency("contoso", Some("Europe/Berlin"))?;
    /// assert_eq!(contoso.settings()?.time_zone, "Europe/Berlin");
    /// ```
    /// ```python
    /// contoso = platform.create_agency("contoso", "Europe/Berlin")
    /// settings = contoso.settings()
    /// assert settings.time_zone == "Europe/Berlin"
    /// ```
    /// ```javascript
    /// const contoso = await platform.createAgency('contoso', { timeZone: 'Europe/Berlin' });
    /// const settings = await contoso.settings();
    /// assert.equal(settings.timeZone, 'Europe/Berlin');
    /// ```
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

    /// The handle on an agency, which is created first if there is none. Any number of workers may
    /// ask for it when they start. The time zone is that of an agency that is created here; an
    /// agency that is there already keeps its own.
    ///
    /// Field errors: `id` (`taken` while an agency of this id is being deleted), `time_zone`.
    ///
    /// ```example
    /// let there = platform.ensure_agency("northwind", None)?; // had been created before
    /// let contoso = platform.ensure_agency("contoso", None)?; // is created now
    /// assert_eq!(there.id(), agency.id());
    /// assert_eq!(contoso.overview()?.active_resellers, 0);
    /// ```
    /// ```python
    /// there = platform.ensure_agency("northwind")  # had been created before
    /// contoso = platform.ensure_agency("contoso")  # is created now
    /// assert there.id == agency.id
    /// assert contoso.id == "contoso"
    /// ```
    /// ```javascript
    /// const there = await platform.ensureAgency('northwind'); // had been created before
    /// const contoso = await platform.ensureAgency('contoso'); // is created now
    /// assert.equal(there.id, agency.id);
    /// assert.equal(contoso.id, 'contoso');
    /// ```
    pub fn ensure_agency(&self, id: &str, time_zone: Option<&str>) -> Result<Tenant> {
        if AgencyId::parse(id).is_err() || time_zone.is_some_and(|name| zone_name(name).is_err()) {
            return self.create_agency(id, time_zone); // which reports everything that is wrong
        }
        let mut tried = 1;
        loop {
            match self.agency(id) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                found => return found,
            }
            match self.create_agency(id, time_zone) {
                // Others have created it just now, so it is found now, unless it is deleted again.
                Err(error) if error.kind() == ErrorKind::Validation && tried < TRIES => {}
                created => return created,
            }
            tried += 1;
        }
    }

    /// The handle on an agency, which is the only way to its data. A mistyped id is `NotFound`,
    /// never an empty agency.
    ///
    /// ```example
    /// use partnerkit::ErrorKind;
    ///
    /// let found = platform.agency("northwind")?;
    /// assert_eq!(found.overview()?.active_resellers, 1);
    /// let typo = platform.agency("nortwind").err();
    /// assert_eq!(typo.map(|error| error.kind()), Some(ErrorKind::NotFound));
    /// ```
    /// ```python
    /// found = platform.agency("northwind")
    /// assert found.id == agency.id
    /// try:
    ///     platform.agency("nortwind")
    /// except partnerkit.NotFoundError as error:
    ///     assert error.http_status == 404
    /// ```
    /// ```javascript
    /// import { NotFoundError } from 'partnerkit';
    ///
    /// const found = await platform.agency('northwind');
    /// assert.equal(found.id, agency.id);
    /// await assert.rejects(platform.agency('nortwind'), NotFoundError);
    /// ```
    pub fn agency(&self, id: &str) -> Result<Tenant> {
        let id = existing(id)?;
        records::read(&self.shared.storage, &id, |reads| reads.hold_agency())?;
        Ok(Tenant::new(self.shared.clone(), id))
    }

    /// The ids of agencies in order, after the given one or from the first one on. `limit` is
    /// 1–1,000, and 100 unless it is given.
    ///
    /// ```example
    /// platform.create_agency("contoso", None)?;
    /// let first = platform.agencies(None, Some(1))?;
    /// let rest = platform.agencies(first.last(), None)?;
    /// assert_eq!(first[0].as_str(), "contoso");
    /// assert_eq!(rest, [agency.id().clone()]);
    /// ```
    /// ```python
    /// platform.create_agency("contoso")
    /// first = platform.agencies(limit=1)
    /// rest = platform.agencies(after=first[-1])
    /// assert (first, rest) == (["contoso"], ["northwind"])
    /// ```
    /// ```javascript
    /// await platform.createAgency('contoso');
    /// const first = await platform.agencies({ limit: 1 });
    /// const rest = await platform.agencies({ after: first.at(-1) });
    /// assert.deepEqual([first, rest], [['contoso'], ['northwind']]);
    /// ```
    pub fn agencies(&self, after: Option<&AgencyId>, limit: Option<u32>) -> Result<Vec<AgencyId>> {
        let limit = limit.unwrap_or(100);
        if !(1..=1_000).contains(&limit) {
            return Err(refused("limit")(Refusal::out_of_range(1, 1_000)));
        }
        let (mut open, mut after) = (Vec::new(), after.cloned());
        loop {
            // Few agencies are closed, so a second read is rare.
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

/// How often to try to create an agency that others keep creating and deleting.
const TRIES: u32 = 3;

/// Parses the id of an agency that may exist. A text that is not an id is `NotFound`.
pub(super) fn existing(id: &str) -> Result<AgencyId> {
    AgencyId::parse(id).map_err(|_| Error::not_found("agency"))
}
