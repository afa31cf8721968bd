//! Agencies: created, found, listed and deleted explicitly (S56).

use super::Platform;
use crate::access::Identity;
use crate::agency::Agency;
use crate::changes::ChangeKind;
use crate::error::{Code, Error, FieldError, FieldErrors, Refusal, Result};
use crate::observe::DeletedAgency;
use crate::search::ResellerQuery;
use crate::settings::AgencySettings;
use crate::storage::{self, AgencyRow, Erasure, Filter, Insert, Lock, Scope};
use crate::usage::zone;
use crate::values::AgencyId;
use serde::Serialize;

/// What deleting an agency would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AgencyDeletionPlan {
    /// Which agency it is about.
    pub agency: AgencyId,
    /// How many resellers would be deleted with it.
    pub resellers: u64,
}

impl Platform {
    /// How many of [`agencies`](Self::agencies) a binding asks for when it is not told.
    pub const DEFAULT_AGENCIES: u32 = 100;

    /// Creates an agency whose periods are those of UTC. Field errors: `id`.
    pub fn create_agency(&self, id: &str) -> Result<Agency> {
        self.observe("create_agency", || self.create_agency_in(id, "UTC"))
    }

    /// Creates an agency whose periods are those of an IANA time zone (`Europe/Berlin`).
    /// Field errors: `id`, `time_zone`.
    pub fn create_agency_in(&self, id: &str, time_zone: &str) -> Result<Agency> {
        self.observe("create_agency_in", || {
            let mut errors = FieldErrors::default();
            let id = errors.keep("id", AgencyId::parse(id));
            let zone = errors.keep("time_zone", zone(time_zone));
            let (Some(id), Some(_)) = (id, zone) else { return Err(errors.into()) };
            let now = self.shared.clock.now();
            let settings = AgencySettings::new(id.clone(), time_zone.to_owned(), now);
            let row = AgencyRow { settings, numbered: 0, pruned: 0 };
            let agency = Agency::new(self.shared.clone(), row.clone())?;
            let change = agency.change(ChangeKind::AgencyCreated, None, 1, now);
            storage::write(&*self.shared.storage, &id, Scope::Join, |tx| {
                if let Insert::Existing(_) = tx.insert_agency(&row)? {
                    return Err(FieldErrors::from(FieldError::new("id", Code::Taken)).into());
                }
                tx.append_changes(std::slice::from_ref(&change))
            })?;
            Ok(agency)
        })
    }

    /// The handle on an agency: the only way to its data. A typo is `NotFound`, never an empty
    /// agency (S56).
    pub fn agency(&self, id: &str) -> Result<Agency> {
        self.observe("agency", || {
            let id = existing(id)?;
            let row = storage::read(&*self.shared.storage, &id, |reads| reads.agency())?;
            Agency::new(self.shared.clone(), row.ok_or_else(|| Error::not_found("agency"))?)
        })
    }

    /// The ids of agencies in order, behind the given one; `limit` is 1–1,000.
    pub fn agencies(&self, after: Option<&AgencyId>, limit: u32) -> Result<Vec<AgencyId>> {
        self.observe("agencies", || {
            if !(1..=1_000).contains(&limit) {
                let range = vec![("min", 1), ("max", 1_000)];
                let refusal = Refusal { code: Code::OutOfRange, params: range };
                return Err(FieldErrors::from(refusal.of("limit")).into());
            }
            self.shared.storage.agencies(after, limit)
        })
    }

    /// What [`delete_agency`](Self::delete_agency) would do now: it changes nothing (S46).
    pub fn plan_agency_deletion(&self, id: &str) -> Result<AgencyDeletionPlan> {
        self.observe("plan_agency_deletion", || {
            let id = existing(id)?;
            let resellers = storage::read(&*self.shared.storage, &id, |reads| {
                reads.agency()?.ok_or_else(|| Error::not_found("agency"))?;
                reads.count(&Filter::default(), i64::MAX as u64)
            })?;
            Ok(AgencyDeletionPlan { agency: id, resellers })
        })
    }

    /// Deletes an agency for good, in one step: its resellers, what they used, its change feed.
    /// Login domains are quarantined as if each reseller had been deleted. Every sign-in and
    /// every stamp of its resellers fails from then on.
    ///
    /// The answer tells whether the data is gone from the store's files, too.
    pub fn delete_agency(&self, id: &str) -> Result<Erasure> {
        self.observe("delete_agency", || {
            let id = existing(id)?;
            let until = self.shared.login_domains.free_at(self.shared.clock.now());
            if !self.shared.storage.joined() {
                self.forget_attempts_on_all_of(&id)?;
            }
            storage::write(&*self.shared.storage, &id, Scope::Join, |tx| {
                tx.lock_agency(Lock::Update)?.ok_or_else(|| Error::not_found("agency"))?;
                tx.erase_agency(until)
            })?;
            Ok(DeletedAgency { id, erasure: self.shared.scrub() })
        })
        .map(|deleted| deleted.erasure)
    }

    /// Forgets the failed sign-ins of an agency's resellers: first, as when one is deleted.
    fn forget_attempts_on_all_of(&self, id: &AgencyId) -> Result<()> {
        let agency = self.agency(id.as_str())?;
        let mut next = Some(ResellerQuery::all().limit(PAGE));
        while let Some(query) = next {
            let page = agency.page(&query)?;
            let accounts: Vec<_> = page.resellers.iter().map(Identity::from).collect();
            self.shared.forget_attempts_on(&accounts)?;
            next = page.next.map(|cursor| query.after(cursor));
        }
        Ok(())
    }
}

/// How many resellers are read at once.
const PAGE: u32 = 200;

/// The id of an agency that may exist; text that is none is the id of no agency.
fn existing(id: &str) -> Result<AgencyId> {
    AgencyId::parse(id).map_err(|_| Error::not_found("agency"))
}
