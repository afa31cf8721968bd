//! An agency's totals, which would otherwise have to be counted over all of its rows.

use crate::agency::AgencyRow;
use crate::schema::entity::{entity, stored};

stored! {
    /// A named sum; it is 0 if there is no row.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub(crate) struct TotalRow {
        pub name: String,
        pub value: i64,
    }
}

entity! {
    TotalRow in "totals" {
        key: String [agency, name];
        home: Home::Agency;
        parent: Some(AgencyRow::TABLE), refers: false;
    }
}
