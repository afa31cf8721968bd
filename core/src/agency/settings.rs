//! An agency's settings: the record, and the changes that can be made to it (S56).

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

use crate::error::{Code, FieldErrors, Refusal};
use crate::schema::entity::{entity, stored};
use crate::usage::{Metric, zone_name};
use crate::values::{AgencyId, LoginDomain, Timestamp};

/// How many labels an agency may reserve.
const MAX_RESERVED: usize = 1_000;

stored! {
    /// An agency's settings.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct AgencySettings {
        /// The id; never changes.
        pub agency: AgencyId,
        /// The version, which counts the changes from 1.
        pub version: u64,
        /// The IANA time zone of its periods.
        pub time_zone: String,
        /// How much of each metric the agency can give to its resellers; a metric that is missing
        /// here is unlimited.
        pub capacity: BTreeMap<Metric, i64>,
        /// Login domains that its resellers may not take, in addition to the platform's reserved
        /// ones.
        pub reserved_labels: BTreeSet<LoginDomain>,
        /// When it was created.
        pub created_at: Timestamp,
        /// When its settings last changed.
        pub updated_at: Timestamp,
    }
}

stored! {
    /// An agency as stored.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct AgencyRow {
        /// Its settings.
        pub settings: AgencySettings,
        /// The sequence of the newest numbered change.
        pub numbered: u64,
        /// The sequence of the newest change that was removed.
        pub pruned: u64,
        /// When it was deleted. Nobody finds a closed agency; its rows are removed in steps, and
        /// its own row last (S64).
        pub closed_at: Option<Timestamp>,
    }
}

entity! {
    AgencyRow in "agencies" {
        key: () [agency];
        home: Home::Agency;
        parent: None, refers: false;
    }
}

impl AgencyRow {
    /// Of a new agency.
    pub(crate) fn new(settings: AgencySettings) -> Self {
        Self { settings, numbered: 0, pruned: 0, closed_at: None }
    }

    /// Whether the agency is open, and so can be found.
    pub fn is_open(&self) -> bool {
        self.closed_at.is_none()
    }
}

/// The settings to change, as typed; `None` leaves one as it is.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct AgencyPatch {
    /// Another IANA time zone. From now on periods follow its calendar, including the present
    /// period, whose use is everything since its beginning in the new zone.
    pub time_zone: Option<String>,
    /// Capacity by the metric's slug. It replaces the old capacity completely; a metric that is
    /// missing here is unlimited.
    pub capacity: Option<BTreeMap<String, i64>>,
    /// Reserved labels, which replace the old ones completely. A reseller that holds one keeps it.
    pub reserved_labels: Option<Vec<String>>,
}

impl AgencySettings {
    /// Of a new agency.
    pub(crate) fn new(agency: AgencyId, time_zone: String, now: Timestamp) -> Self {
        Self {
            agency,
            version: 1,
            time_zone,
            capacity: BTreeMap::new(),
            reserved_labels: BTreeSet::new(),
            created_at: now,
            updated_at: now,
        }
    }
}

impl AgencyPatch {
    /// The changed settings, with the old version, and the names of the settings that differ.
    pub(crate) fn apply(
        &self,
        before: &AgencySettings,
    ) -> Result<(AgencySettings, Vec<&'static str>), FieldErrors> {
        let mut errors = FieldErrors::default();
        let mut after = before.clone();
        if let Some(name) = &self.time_zone
            && let Some(name) = errors.keep("time_zone", zone_name(name))
        {
            after.time_zone = name;
        }
        if let Some(raw) = &self.capacity
            && let Some(capacity) = errors.keep("capacity", capacity(raw))
        {
            after.capacity = capacity;
        }
        if let Some(raw) = &self.reserved_labels
            && let Some(labels) = errors.keep("reserved_labels", labels(raw))
        {
            after.reserved_labels = labels;
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let pairs = [
            ("time_zone", before.time_zone != after.time_zone),
            ("capacity", before.capacity != after.capacity),
            ("reserved_labels", before.reserved_labels != after.reserved_labels),
        ];
        let changed = pairs.into_iter().filter_map(|(name, differs)| differs.then_some(name));
        Ok((after, changed.collect()))
    }
}

fn capacity(raw: &BTreeMap<String, i64>) -> Result<BTreeMap<Metric, i64>, Refusal> {
    let metric = |(slug, amount): (&String, &i64)| {
        let metric = Metric::parse(slug)?;
        if *amount < 0 { Err(Code::Negative.into()) } else { Ok((metric, *amount)) }
    };
    raw.iter().map(metric).collect()
}

fn labels(raw: &[String]) -> Result<BTreeSet<LoginDomain>, Refusal> {
    if raw.len() > MAX_RESERVED {
        return Err(Refusal::too_many(MAX_RESERVED as i64));
    }
    raw.iter().map(|label| LoginDomain::parse(label)).collect()
}
