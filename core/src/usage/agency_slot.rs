//! An agency's use of a counter, all resellers together, by quarter-hour and by UTC day: a month of
//! an agency costs what a month of one reseller costs. The rows are only added to, like totals, so
//! nothing of them is read or locked when usage is recorded.

use super::{Event, Metric};
use crate::agency::AgencyRow;
use crate::schema::entity::{entity, stored};

/// The number of the row that sums the whole day; quarter-hours have 0–95.
pub(crate) const WHOLE_DAY: u8 = 96;

stored! {
    /// A quarter-hour of a UTC day, or the whole day.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    pub(crate) struct AgencySlotKey {
        /// The UTC day, counted from 1970-01-01.
        pub day: i32,
        pub metric: Metric,
        /// The quarter-hour, or [`WHOLE_DAY`].
        pub slot: u8,
    }
}

stored! {
    /// What all resellers of an agency used together; it is 0 if there is no row.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) struct AgencySlot {
        pub key: AgencySlotKey,
        pub sum: i64,
        /// The number of events.
        pub events: i64,
    }
}

entity! {
    AgencySlot in "agency_slots" {
        key: AgencySlotKey [agency, day, metric, slot];
        home: Home::Agency;
        parent: Some(AgencyRow::TABLE), refers: false;
    }
}

impl AgencySlotKey {
    /// The quarter-hour in which an event of a counter is counted.
    pub fn of(event: &Event) -> Self {
        Self { day: event.at.utc_day(), metric: event.metric, slot: event.at.quarter_hour() }
    }

    /// The day that it is of.
    pub fn of_day(self) -> Self {
        Self { slot: WHOLE_DAY, ..self }
    }
}
