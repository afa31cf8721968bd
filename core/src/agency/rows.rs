//! The agency's own row.

use crate::agency::AgencyRow;
use crate::error::Result;
use crate::records::{self, Reads, Tx};
use crate::schema::entity::Entity;
use crate::storage::{Lock, Scan, Storage};
use crate::values::AgencyId;

impl Reads<'_> {
    /// The agency's row, even if it is closed.
    pub fn agency(&mut self) -> Result<Option<AgencyRow>> {
        self.one(&())
    }
}

impl Tx<'_> {
    /// Locks the agency's row, even if it is closed.
    pub fn lock_agency(&mut self, lock: Lock) -> Result<Option<AgencyRow>> {
        Ok(self.lock(&[()], lock)?.pop().flatten())
    }

    /// Stores the agency's row, which is locked.
    pub fn put_agency(&mut self, agency: &AgencyRow) -> Result<()> {
        self.put(std::slice::from_ref(agency))
    }
}

/// Agencies in the order of their ids, after the given one, including closed ones.
pub(crate) fn agencies(
    storage: &dyn Storage,
    after: Option<&AgencyId>,
    limit: u32,
) -> Result<Vec<AgencyRow>> {
    let table = AgencyRow::TABLE;
    let all = Scan::all(table, table.key, Vec::new(), limit);
    let scan = match after {
        Some(id) => all.after(id.as_str().into()),
        None => all,
    };
    records::read_unheld(storage, &AgencyId::platform(), |reads| {
        reads.ask(records::scan(scan.clone()))
    })
}
